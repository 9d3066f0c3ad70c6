"""Who made spaces and which tags they have, of the sandbox's account, and with its refusals."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.tables import GENIE_SPACE_DETAILS, GENIE_SPACE_VERSIONS
from genie_assets_tests.e2e.pipelines import Pipeline, metadata_of, point_at, recent_anchor, sandbox_of
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate
from genie_sandbox.truth.tables import truth

pytestmark = pytest.mark.slow
FACTS = ("made_by", "tags")


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(seed=11, anchor=recent_anchor(), messages=20, days=1)


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture
def pipeline(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    point_at(sandbox, tmp_path / "lake", monkeypatch)
    yield Pipeline()
    sandbox.clear_faults()


def look(pipeline: Pipeline) -> dict[str, Any]:
    return metadata_of(pipeline.run("genie_spaces"), GENIE_SPACE_DETAILS.name)


def facts(pipeline: Pipeline) -> dict[SpaceKey, tuple[str | None, str | None]]:
    return {SpaceKey.of(row): (row["made_by"], row["tags"]) for row in pipeline.rows(GENIE_SPACE_DETAILS)}


def test_who_made_a_space_and_its_tags_are_those_of_the_account_and_what_is_known_stays(
    account: Account, sandbox: SandboxProcess, pipeline: Pipeline
) -> None:
    at = sandbox.now_ms()
    expected = {
        SpaceKey.of(row): tuple(row[name] for name in FACTS)
        for row in truth(account, at=at, urls=sandbox.urls)["genie_space_details"]
        if "tags" in row
    }
    sandbox.reset_requests()
    told = look(pipeline)
    found = facts(pipeline)
    assert {key: found[key] for key in expected} == expected
    assert {made_by for made_by, _ in expected.values()} >= {"PEOPLE", "UNLISTED"}
    assert {"{}"} < {tags for _, tags in expected.values()}
    assert (told["tags_read"], told["tags_unknown"], told["agent_lists_unread"]) == (len(expected), 0, 0)
    asked = sandbox.requests()["by_route"]
    assert asked["list_tags"] == len(expected)
    assert asked["list_agents"] == asked["list_spaces"], "as many as there are workspaces"
    versions = pipeline.rows(GENIE_SPACE_VERSIONS)

    # A workspace that does not know the new calls is no failure, is soon left alone, and takes nothing away.
    unknown = {"effect": "status", "status": 404}
    sandbox.faults(unknown | {"route": "list_agents"}, unknown | {"route": "list_tags"})
    sandbox.reset_requests()
    told = look(pipeline)
    assert facts(pipeline) == found
    assert (told["tags_read"], told["tags_unknown"], told["agent_lists_unread"]) == (0, len(expected), 0)
    assert sandbox.requests()["by_route"]["list_tags"] <= 3 * asked["list_agents"]

    # Refused is told; a tag that is taken away is gone. Neither makes a version.
    sandbox.clear_faults()
    sandbox.faults({"effect": "status", "status": 403, "route": "list_agents"})
    table = GENIE_SPACE_DETAILS
    changed = [{**row, "tags": json.dumps({"old": "x"})} for row in pipeline.rows(table) if row["tags"] == "{}"]
    pipeline.lake.store(table, table.frame(changed))
    assert look(pipeline)["agent_lists_unread"] == asked["list_agents"]
    assert facts(pipeline) == found
    assert pipeline.rows(GENIE_SPACE_VERSIONS) == versions


def test_a_space_that_only_the_newer_list_shows_is_found(sandbox: SandboxProcess, pipeline: Pipeline) -> None:
    sandbox.faults({"effect": "status", "status": 403, "route": "list_spaces"})
    told = look(pipeline)
    assert told["workspaces_not_listed"] > 0
    assert {made_by for made_by, tags in facts(pipeline).values() if tags} == {"PEOPLE"}
