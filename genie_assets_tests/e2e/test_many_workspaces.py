"""Fifty workspaces in three regions: none waits for another one, and a broken one costs the others nothing."""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from genie_assets.domain.tables import GENIE_API_MESSAGES
from genie_assets.wiring import RunBudget
from genie_assets_tests.e2e.pipelines import (
    ClockAt,
    Pipeline,
    days_of,
    differences_from_truth,
    point_at,
    recent_anchor,
    sandbox_of,
)
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.spread import spread
from genie_sandbox.made_up.uniform import generate_uniform

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

WORKSPACES, MESSAGES = 50, 500
REGIONS = ("eu", "us", "ap")
RUN_MINUTES = 0.25
MOST_SECONDS = 240


@pytest.fixture(scope="module")
def account() -> Account:
    """One workspace has a tenth of all messages."""
    made_up = generate_uniform(
        seed=5, anchor=recent_anchor(), conversations=MESSAGES // 2, messages_per_conversation=2, days=2
    )
    return spread(made_up, [(WORKSPACES - 1) / 9, *[1.0] * (WORKSPACES - 1)], REGIONS)


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


def test_fifty_workspaces_are_loaded_though_one_hangs_and_another_is_broken(
    account: Account, sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(sandbox, tmp_path / "lake", monkeypatch)
    _, second, third, *_, hanging, broken = (each.workspace_id for each in account.workspaces)
    places = {"us": second, "ap": third}
    warehouses = [f"{name}={sandbox.urls[place]}/{account.warehouse_id}" for name, place in places.items()]
    monkeypatch.setenv("GENIE_REGIONS", ",".join(warehouses))
    sandbox.faults({"effect": "hang", "seconds": 3600, "workspace_id": hanging})
    sandbox.faults({"effect": "status", "status": 500, "workspace_id": broken})
    pipeline, began = Pipeline(), time.monotonic()
    for day in days_of(account):
        pipeline.run("genie_daily", day, budget=RunBudget(RUN_MINUTES))
    assert time.monotonic() - began < MOST_SECONDS, "it waited for the one that hangs"
    stored = {row["message_id"] for row in pipeline.rows(GENIE_API_MESSAGES)}
    bad = (hanging, broken)
    assert stored == {each.message_id for each in account.messages if each.workspace_id not in bad}

    sandbox.clear_faults()
    # By then the errors are due.
    later = ClockAt(dt.timedelta(hours=12))
    for day in days_of(account):
        pipeline.run("genie_daily", day, clock=later)
    pipeline.run("genie_spaces", clock=later)
    assert differences_from_truth(account, sandbox, pipeline) == []
