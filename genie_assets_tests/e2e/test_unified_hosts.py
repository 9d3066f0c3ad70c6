"""One address for all workspaces: everything is loaded through it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from genie_assets.commands.preflight import preflight
from genie_assets.settings import load_settings
from genie_assets_tests.e2e.pipelines import (
    Pipeline,
    days_of,
    differences_from_truth,
    point_at,
    recent_anchor,
    sandbox_of,
)
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def account() -> Account:
    """Every workspace is known by the address of all of them; the first one runs the statements."""
    made_up = generate(seed=7, anchor=recent_anchor(), days=1, messages=40)
    places = [replace(place, url_style="unified") for place in made_up.workspaces]
    return replace(made_up, workspaces=tuple(places))


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


def test_an_account_is_loaded_through_the_one_host_of_all_its_workspaces(account, sandbox, tmp_path, monkeypatch):
    point_at(sandbox, tmp_path / "lakehouse", monkeypatch)
    addresses = {workspace_id: f"{sandbox.unified_host}/?o={workspace_id}" for workspace_id in sandbox.urls}
    monkeypatch.setenv("DATABRICKS_HOST", next(iter(addresses.values())))
    assert [each.text for each in preflight(load_settings()) if not each.ok and "Workspace" in each.text] == []
    pipeline = Pipeline()
    for day in days_of(account):
        pipeline.run("genie_daily", day)
    pipeline.run("genie_spaces")
    assert differences_from_truth(account, sandbox, pipeline, urls=addresses) == []
    assert len({row["workspace_id"] for row in pipeline.tables()["message_details"]}) > 1


def test_without_the_workspace_in_it_the_address_is_said_to_be_wrong(sandbox, tmp_path, monkeypatch):
    point_at(sandbox, tmp_path / "lakehouse", monkeypatch)
    monkeypatch.setenv("DATABRICKS_HOST", sandbox.unified_host)
    told = [each.text for each in preflight(load_settings()) if not each.ok]
    assert any("write its address as https://host/?o=<workspace id>" in text for text in told), told
