"""Reconciliation in slices, cut off anywhere, with odd lists: it goes on, and one does not stop the others."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.reconciliation import SLICE
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    RECONCILED_CONVERSATIONS,
    RECONCILED_SPACES,
)
from genie_assets.reconciliation import spaces_are_reconciled
from genie_assets.wiring import RunBudget
from genie_assets_tests.e2e.pipelines import (
    ClockAt,
    Pipeline,
    metadata_of,
    point_at,
    recent_anchor,
    sandbox_of,
)
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

pytestmark = pytest.mark.slow

CONVERSATIONS, MESSAGES = 60, 2
LOOKED = "list_messages"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    account = generate_uniform(
        seed=5, anchor=recent_anchor(), conversations=CONVERSATIONS, messages_per_conversation=MESSAGES, days=2
    )
    with sandbox_of(replace(account, audit=()), tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture
def pipeline(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    point_at(sandbox, tmp_path / "lake", monkeypatch)
    monkeypatch.setenv("GENIE_THREADS", "2")
    monkeypatch.setenv("GENIE_RECONCILE", "0.15")
    made = Pipeline()
    made.run("genie_spaces")
    yield made
    sandbox.clear_faults()


def walk(pipeline: Pipeline, **overrides: Any) -> dict[str, Any]:
    return metadata_of(pipeline.run("genie_reconciliation", **overrides), RECONCILED_CONVERSATIONS.name)


def entered(pipeline: Pipeline) -> Counter[tuple[str, str]]:
    return Counter((row["workspace_id"], row["message_id"]) for row in pipeline.rows(GENIE_MESSAGES_TO_FETCH))


def test_a_slice_ends_in_time_and_the_next_ones_ask_only_for_what_is_left(
    sandbox: SandboxProcess, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults({"effect": "latency", "latency_ms": 100, "route": "list_messages"})
    slices = []
    assert dt.timedelta(minutes=4) >= SLICE, "and a minute for what is under way: an hourly run waits five at most"
    sandbox.reset_requests()
    with monkeypatch.context() as patch:
        patch.setattr("genie_assets.pipeline.reconciliation.SLICE", dt.timedelta(seconds=1))
        slices.append(walk(pipeline)["conversations_walked"])
    while (found := walk(pipeline, budget=RunBudget(1 / 60)))["spaces_due"]:
        slices.append(found["conversations_walked"])
        assert len(slices) < 20
    walked = sum(slices)
    assert 0 < slices[0] < walked, "by its own time, which is less than a run's"
    assert sum(number > 0 for number in slices[1:]) > 1, "by what is left of a run's"
    assert walked > CONVERSATIONS / 2, "all but those of a space that is not ours"
    under_way = 2 * len(slices)
    assert sandbox.requests()["by_route"][LOOKED] <= walked + under_way
    assert len(entered(pipeline)) == entered(pipeline).total() == walked * MESSAGES
    assert sum(row["missing_count"] or 0 for row in pipeline.rows(RECONCILED_SPACES)) == walked * MESSAGES

    # As a run leaves it that is killed after it entered messages and before it noted the walk.
    table, before = RECONCILED_CONVERSATIONS, pipeline.rows(GENIE_MESSAGES_TO_FETCH)
    forgotten = dict.fromkeys(("attempted_timestamp", "walked_timestamp", "message_count", "missing_count"))
    pipeline.lake.store(table, table.frame({**row, **forgotten} for row in pipeline.rows(table)))
    spaces = [{**row, "walked_timestamp": None} for row in pipeline.rows(RECONCILED_SPACES)]
    pipeline.lake.store(RECONCILED_SPACES, RECONCILED_SPACES.frame(spaces))
    found = walk(pipeline)
    assert (found["conversations_walked"], found["messages_entered"]) == (walked, 0)
    assert pipeline.rows(GENIE_MESSAGES_TO_FETCH) == before


def test_a_broken_list_stops_no_other_and_is_told(sandbox: SandboxProcess, pipeline: Pipeline) -> None:
    known = pipeline.rows(GENIE_SPACE_DETAILS)
    ours = sorted(SpaceKey.of(row) for row in known if row["api_fetch_status"] == "SUCCESS")
    round_, refused = ours[:2]
    sandbox.faults(
        {"effect": "repeat_page_token", "route": "list_conversations", "space_id": round_.space_id},
        {"effect": "max_page_size", "limit": 2, "route": "list_conversations"},
        {"effect": "status", "status": 403, "route": "list_conversations", "space_id": refused.space_id},
    )
    walk(pipeline)
    rows = {SpaceKey.of(row): row for row in pipeline.rows(RECONCILED_SPACES)}
    assert {key: rows[key]["error_class"] for key in ours if rows[key]["error_class"]} == {
        round_: "BAD_PAYLOAD",
        refused: "PERMISSION",
    }
    assert "named before" in rows[round_]["error_message"], "at once, and not after the most pages that may be"
    assert {key for key, row in rows.items() if row["walked_timestamp"]} == set(ours[2:])
    assert spaces_are_reconciled(pipeline.lake, ClockAt(dt.timedelta(hours=23))).passed
    later = spaces_are_reconciled(pipeline.lake, ClockAt(dt.timedelta(days=9))).description or ""
    assert "neither stored nor in the ledger" in later, "nobody has run their days"
    assert "not walked" not in later, "a new space has ten days"
    check = spaces_are_reconciled(pipeline.lake, ClockAt(dt.timedelta(days=11)))
    assert not check.passed
    assert check.description is not None
    assert f"{len(known)} were not walked within 10 days" in check.description, "silence is not health"
    assert "`BAD_PAYLOAD` 1" in check.description


def test_a_conversation_that_fails_as_if_the_way_did_holds_up_no_walk(
    sandbox: SandboxProcess, pipeline: Pipeline
) -> None:
    """It was asked again every night, and its space was never listed again: new conversations were not seen."""
    walk(pipeline)
    table, before = RECONCILED_CONVERSATIONS, pipeline.rows(RECONCILED_CONVERSATIONS)
    odd = next(row for row in before if row["walked_timestamp"])
    fault = {"effect": "status", "status": 400, "error_code": "FEATURE_DISABLED", "route": LOOKED}
    sandbox.faults({**fault, "conversation_id": odd["conversation_id"]})
    not_walked = dict.fromkeys(("attempted_timestamp", "walked_timestamp"))
    pipeline.lake.store(table, table.frame({**row, **not_walked} for row in before))
    spaces = [{**row, "walked_timestamp": None} for row in pipeline.rows(RECONCILED_SPACES)]
    pipeline.lake.store(RECONCILED_SPACES, RECONCILED_SPACES.frame(spaces))
    walk(pipeline)
    (failed,) = [row for row in pipeline.rows(table) if row["error_class"]]
    assert (failed["conversation_id"], failed["error_class"]) == (odd["conversation_id"], "CONFIG")
    space = next(row for row in pipeline.rows(RECONCILED_SPACES) if SpaceKey.of(row) == SpaceKey.of(odd))
    assert space["walked_timestamp"] is not None
    assert (space["failed_count"], space["refused_count"]) == (1, 0)
