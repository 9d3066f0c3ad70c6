"""Fetching a day: what is asked for, what is stored, and what a run tells."""

import datetime as dt

import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_CONVERSATION_DAYS,
    GENIE_MESSAGE_LOOKS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.domain.worklist import Verdict
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, MONDAY, NOT_FOUND, TUESDAY, WEDNESDAY, World

EVERYTHING = (GENIE_MESSAGES_TO_FETCH, GENIE_API_MESSAGES, GENIE_MESSAGE_LOOKS, MESSAGE_FETCH_ERRORS)


def test_messages_are_stored_whole(world: World) -> None:
    world.ask("m1", user_id=2**60 + 1, status="COMPLETED", created_timestamp="1772452800000")
    world.discover()
    report = world.fetch()
    row = world.row(GENIE_API_MESSAGES, "m1")
    assert '"user_id":1152921504606846977' in row["raw_json"]
    assert (row["created_timestamp"], row["created_date"], row["event_date"]) == (1772452800000, MONDAY, MONDAY)
    assert (row["is_settled"], row["api_endpoint"], row["ingestion_batch_id"]) == (
        True,
        "GET",
        "2026-03-02/run1/00001",
    )
    numbers = report.numbers()
    expected = {
        "references": 1,
        "wanted": 1,
        "answered": 1,
        "stored": 1,
        "unchanged": 0,
        "brought_along": 0,
        "failed": 0,
        "found_deleted": 0,
        "not_attempted": 0,
        "pending": 0,
        "put_off": 0,
        "released": 0,
        "stuck": 0,
        "batches": 1,
        "requests": 1,
        "success_rate": 1.0,
        "requests_per_message": 1.0,
    }
    assert {name: numbers[name] for name in expected} == expected


def test_fetching_again_asks_for_nothing_and_writes_nothing(world: World) -> None:
    """Be a message settled, running, failed, deleted or unaskable: right after a look there is nothing to do."""
    world.ask("settled", "settled2")
    world.ask("running", conversation_id="c2", status="ASKING_AI")
    world.event("failing", "c3")
    world.genie.errors["failing"] = BROKEN
    world.event("refused", "c4")
    world.genie.errors["refused"] = FetchError(ErrorClass.BAD_REFERENCE, "Bad id.", http_status=400)
    world.event("..", "c5")
    world.event("no space", "c6", space_id=None)
    world.ask("gone")
    world.delete("gone", day=MONDAY)
    world.discover()
    first = world.fetch()
    assert world.genie.asked == ["failing", "refused", "running", "settled", "settled2"]
    assert first.verdicts == {Verdict.NEW: 5, Verdict.BAD_REFERENCE: 2, Verdict.DELETED: 1}
    versions = world.versions(*EVERYTHING)
    second = world.fetch()
    assert len(world.genie.requests) == first.requests == 4
    assert (second.wanted, second.requests) == (0, 0)
    assert "success_rate" not in second.numbers()
    assert world.versions(*EVERYTHING) == versions


def test_what_a_list_brings_along_is_stored_too(world: World) -> None:
    world.ask("m1", "m2")
    world.message("older")
    world.discover()
    report = world.fetch()
    assert [r.endpoint for r in world.genie.requests] == ["LIST"]
    assert (report.tally.stored, report.tally.extra, report.tally.answered) == (3, 1, 2)
    numbers = report.numbers()
    told = ("wanted", "answered", "stored", "brought_along")
    assert {name: numbers[name] for name in told} == {"wanted": 2, "answered": 2, "stored": 2, "brought_along": 1}
    assert [row["message_id"] for row in world.rows(GENIE_API_MESSAGES)] == ["m1", "m2", "older"]


def test_a_changed_message_is_looked_at_again_and_a_new_answer_is_added(world: World) -> None:
    world.ask("m1")
    world.load()
    world.now += HOUR
    world.event("m1", action="updateConversationMessageFeedback")
    world.message("m1", feedback={"rating": "POSITIVE"})
    report = world.load()
    assert report.verdicts == {Verdict.CHANGED: 1}
    assert len(world.rows(GENIE_API_MESSAGES)) == 2
    assert world.row(MESSAGE_DETAILS, "m1")["feedback_rating"] == "POSITIVE"
    assert world.fetch().wanted == 0


def test_an_unchanged_answer_is_noted_as_a_look_and_not_asked_for_again(world: World) -> None:
    world.ask("m1")
    world.load()
    world.now += HOUR
    world.event("m1", action="getConversationMessage")
    world.event("m1", action="executeQuery")
    report = world.load()
    assert (report.tally.unchanged, report.tally.stored, report.tally.answered) == (1, 0, 1)
    assert len(world.rows(GENIE_API_MESSAGES)) == 1
    (look,) = world.rows(GENIE_MESSAGE_LOOKS)
    assert (look["message_id"], look["api_fetch_timestamp"], look["created_date"]) == ("m1", world.now, MONDAY)
    assert world.fetch().wanted == 0


def test_a_running_message_is_looked_at_until_it_ends(world: World) -> None:
    world.ask("m1", status="EXECUTING_QUERY")
    world.load()
    world.now += dt.timedelta(minutes=9)
    assert world.fetch().wanted == 0
    world.now += dt.timedelta(minutes=1)
    world.message("m1", status="COMPLETED")
    assert world.load().verdicts == {Verdict.UNSETTLED: 1}
    world.now += 48 * HOUR
    assert world.fetch().wanted == 0
    assert world.row(MESSAGE_DETAILS, "m1")["status"] == "COMPLETED"


def test_a_deadline_leaves_new_messages_pending_and_nothing_is_lost(world: World) -> None:
    for n in range(6):
        world.ask(f"m{n}", conversation_id=f"c{n}")
    world.genie.requests_allowed = 4
    report = world.load()
    assert report.numbers()["pending"] == 2
    accounting = world.state().accounting()
    assert (accounting.stored, accounting.pending, accounting.lost) == (4, 2, 0)
    world.genie.requests_allowed = 100
    assert world.load().numbers()["pending"] == 0
    assert world.state().accounting().lost == 0
    assert world.genie.asked == [f"m{n}" for n in range(6)]


def test_what_is_stored_or_failing_already_is_not_pending_too(world: World) -> None:
    """A changed message that the deadline cut off is stored: counted as pending as well, the sum was wrong."""
    world.ask("changed", conversation_id="c1")
    world.ask("failing", conversation_id="c2")
    world.genie.errors["failing"] = BROKEN
    world.load()
    world.now += HOUR
    world.event("changed", action="executeQuery")
    world.ask("new", conversation_id="c3")
    world.genie.requests_allowed = 0
    report = world.load()
    assert (report.wanted, report.requests) == (3, 0)
    assert report.numbers()["pending"] == 1
    assert "success_rate" not in report.numbers()
    accounting = world.state().accounting()
    assert (accounting.stored, accounting.open_errors, accounting.pending, accounting.lost) == (1, 1, 1, 0)


@pytest.mark.parametrize(
    ("error", "count", "nothing_worked"),
    [
        (FetchError(ErrorClass.AUTH, ""), 1, True),
        (FetchError(ErrorClass.NETWORK, ""), 3, True),
        (FORBIDDEN, 19, False),
        (FORBIDDEN, 20, True),
        (NOT_FOUND, 1, False),
        (FetchError(ErrorClass.NOT_RUNNING, ""), 20, False),
    ],
)
def test_a_run_in_which_nothing_worked_is_told_from_single_messages(
    world: World, error: FetchError, count: int, nothing_worked: bool
) -> None:
    for n in range(count):
        world.event(f"m{n}", f"c{n}")
        world.genie.errors[f"m{n}"] = error
    world.discover()
    assert world.fetch().nothing_worked is nothing_worked
    assert len(world.rows(MESSAGE_FETCH_ERRORS)) == count


def test_one_answer_is_enough_to_be_a_partial_success(world: World) -> None:
    world.ask("good", conversation_id="c0")
    for n in range(30):
        world.event(f"m{n}", f"c{n + 1}")
        world.genie.errors[f"m{n}"] = BROKEN
    world.discover()
    assert world.fetch().nothing_worked is False


def test_a_quiet_day_is_no_failure(world: World) -> None:
    world.discover()
    report = world.fetch()
    assert (report.wanted, report.nothing_worked) == (0, False)


def test_a_last_unreadable_message_does_not_fail_a_day_that_is_stored(world: World) -> None:
    """Its retry asks for that message alone: nothing worked, and yet nothing is wrong with the rest."""
    world.ask("m1", "m2")
    world.genie.errors["m2"] = BROKEN
    world.load()
    world.now += HOUR
    report = world.fetch()
    assert (report.wanted, report.tally.failed, report.nothing_worked) == (1, 1, False)


def test_a_clock_ahead_of_ours_does_not_have_a_message_fetched_in_every_run(world: World) -> None:
    world.event("m1", at=world.now + 9 * HOUR)
    world.message("m1")
    world.load()
    world.now += HOUR
    assert world.load().verdicts == {Verdict.CURRENT: 1}


@pytest.mark.parametrize("unchanged", [False, True])
def test_a_clock_ahead_of_databricks_loses_no_change(world: World, unchanged: bool) -> None:
    """Ours five minutes ahead: a vote two minutes after the look seemed to be one before it."""
    theirs = world.now - dt.timedelta(minutes=5)
    world.event("m1", at=theirs - HOUR)
    world.message("m1")
    world.load()
    for minutes, rating in ((2, "POSITIVE"), (4, "NEGATIVE")):
        at = theirs + dt.timedelta(minutes=minutes)
        world.now += dt.timedelta(minutes=1)
        world.event("m1", action="updateConversationMessageFeedback", at=at)
        world.message("m1", feedback=None if unchanged else {"rating": rating})
        assert world.load().verdicts == {Verdict.CHANGED: 1}
        assert world.row(MESSAGE_DETAILS, "m1")["feedback_rating"] == (None if unchanged else rating)
        assert world.load().wanted == 0
    assert len(world.genie.requests) == 3


def test_of_what_a_list_brings_along_its_own_clock_tells_what_it_holds(world: World) -> None:
    theirs = world.now - dt.timedelta(minutes=5)
    world.ask("m1", "m2")
    world.message("m3", last_updated_timestamp=int(theirs.timestamp() * 1000))
    world.load()
    for minutes, verdict in ((0, Verdict.CURRENT), (2, Verdict.CHANGED)):
        at = theirs + dt.timedelta(minutes=minutes)
        world.event("m3", day=TUESDAY, action="updateConversationMessageFeedback", at=at)
        assert world.load(TUESDAY).verdicts == {verdict: 1}
    assert world.load(TUESDAY).wanted == 0


def test_a_day_of_a_conversation_is_indexed_once_however_many_runs_come_to_it(world: World) -> None:
    world.ask("m1")
    for day in (TUESDAY, WEDNESDAY):
        world.now += 24 * HOUR
        world.event("m1", day=day, action="updateConversationMessageFeedback")
        world.message("m1", content=f"as of {day}")
        world.load(day)
    assert [row["created_date"] for row in world.rows(GENIE_CONVERSATION_DAYS)] == [MONDAY]
