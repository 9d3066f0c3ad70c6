"""Every row of every table, compared with the truth: at the first look, after late rows, in any order of days."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, MESSAGE_FETCH_ERRORS
from genie_assets_tests.e2e.pipelines import (
    Pipeline,
    days_of,
    differences_from_truth,
    point_at,
    recent_anchor,
    sandbox_of,
    without_notes,
)
from genie_assets_tests.e2e.views_of_truth import differences_of_views
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate
from genie_sandbox.truth.tables import possible_extras, truth

pytestmark = pytest.mark.slow

# The closed days that the schedule looks at again, and today.
LOOKED_AT_AGAIN = 4


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.rare)])
def account(request: pytest.FixtureRequest) -> Account:
    """Five days; a tenth of the messages shows up late."""
    return generate(seed=request.param, anchor=recent_anchor(), days=5, messages=300, late=0.1)


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.mark.long
def test_the_tables_are_the_truth_at_every_look(account, sandbox, tmp_path, monkeypatch):
    point_at(sandbox, tmp_path / "first", monkeypatch)
    pipeline, days = Pipeline(), days_of(account)
    for day in days:
        pipeline.run("genie_daily", day)
    pipeline.run("genie_spaces")
    assert differences_from_truth(account, sandbox, pipeline) == []
    at_first = len(pipeline.rows(GENIE_MESSAGES_TO_FETCH))

    # Rows that were late arrive: the days that the schedule looks at again must bring them all.
    assert sandbox.now_ms() == account.anchor
    assert possible_extras(account, account.anchor)
    sandbox.advance(hours=24)
    assert differences_from_truth(account, sandbox, pipeline) != []
    for day in days[-LOOKED_AT_AGAIN:]:
        pipeline.run("genie_daily", day)
    assert differences_from_truth(account, sandbox, pipeline) == []
    assert len(pipeline.rows(GENIE_MESSAGES_TO_FETCH)) > at_first
    assert differences_of_views(account, sandbox, pipeline.lake, days) == []

    # Everything once more, in any order and with days repeated, changes nothing.
    before = without_notes(pipeline.tables())
    sandbox.reset_requests()
    again = [*days, *days[:2]]
    random.Random(account.notes["seed"]).shuffle(again)
    for day in again:
        pipeline.run("genie_daily", day)
    assert without_notes(pipeline.tables()) == before
    asked = sandbox.requests()["by_route"]
    assert not asked.get("get_message")
    assert not asked.get("list_messages")

    # Loaded anew from the last day to the first, and once more to know which deletions belong to which messages.
    point_at(sandbox, tmp_path / "backwards", monkeypatch)
    backwards = Pipeline()
    for day in [*reversed(days), *days]:
        backwards.run("genie_daily", day)
    backwards.run("genie_spaces")
    assert differences_from_truth(account, sandbox, backwards) == []


def test_a_workspace_that_was_banned_is_told_and_stops_nobody(tmp_path, monkeypatch):
    whole = generate(seed=3, anchor=recent_anchor(), days=2, messages=80)
    home = whole.workspaces[0].workspace_id
    asked = Counter(message.workspace_id for message in whole.messages if message.workspace_id != home)
    banned = asked.most_common(1)[0][0]
    places = [replace(one, status="BANNED") if one.workspace_id == banned else one for one in whole.workspaces]
    account = replace(whole, workspaces=tuple(places))
    with sandbox_of(account, tmp_path / "account") as sandbox:
        point_at(sandbox, tmp_path / "lakehouse", monkeypatch)
        pipeline = Pipeline()
        for day in days_of(account):
            pipeline.run("genie_daily", day)
        pipeline.run("genie_spaces")
        assert differences_from_truth(account, sandbox, pipeline) == []
        waiting = [row for row in pipeline.rows(MESSAGE_FETCH_ERRORS) if row["workspace_id"] == banned]
        assert "NOT_RUNNING" in {row["error_class"] for row in waiting}


def test_the_truth_has_every_case_that_the_tables_must_get_right(account, sandbox):
    """Guards the test above: equal tables prove little if they are equally plain."""
    at = max(sandbox.now_ms(), account.anchor + 24 * 3_600_000)
    rows = truth(account, at=at, urls=sandbox.urls)
    details = rows["message_details"]
    assert {row["error_class"] for row in rows["message_fetch_errors"]} >= {"PERMISSION", "BAD_REFERENCE"}
    assert {row["status"] for row in details} >= {"COMPLETED", "FAILED"}
    assert any(row["is_deleted"] for row in rows["genie_messages_to_fetch"])
    assert any(row["feedback_rating"] for row in details)
    assert {row["enrichment_status"] for row in details} >= {"COMPLETE", "NOT_APPLICABLE"}
    assert any((row["conversation_position"] or 0) > 20 for row in details)
    assert {row["api_fetch_status"] for row in rows["genie_space_details"]} >= {"SUCCESS", "PERMISSION"}
