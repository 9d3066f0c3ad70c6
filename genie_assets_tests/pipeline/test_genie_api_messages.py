"""`genie_api_messages` against a real lakehouse and a small API in memory."""

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_CONVERSATION_DAYS,
    GENIE_MESSAGE_LOOKS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    Table,
)
from genie_assets.domain.worklist import Verdict
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.results import MergeResult
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, MONDAY, NOT_FOUND, TUESDAY, WEDNESDAY, World

EVERYTHING = (GENIE_MESSAGES_TO_FETCH, GENIE_API_MESSAGES, GENIE_MESSAGE_LOOKS, MESSAGE_FETCH_ERRORS)


class BrokenLake:
    """A lakehouse of which some operations fail."""

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake
        self.broken_tables: set[str] = set()
        self.refused_ids: set[str] = set()
        self.failures = 0  # so many answers cannot be stored at first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lake, name)

    def append(self, table: Table, frame: pd.DataFrame) -> int:
        self._check(table, frame)
        return self._lake.append(table, frame)

    def merge(self, table: Table, frame: pd.DataFrame, *, delete: pd.DataFrame | None = None) -> MergeResult:
        self._check(table, frame)
        return self._lake.merge(table, frame, delete=delete)

    def _check(self, table: Table, frame: pd.DataFrame) -> None:
        if table is GENIE_API_MESSAGES and self.failures:
            self.failures -= 1
            raise LakehouseError(f"{table.name}: try again")
        if len(frame) and table.name in self.broken_tables:
            raise LakehouseError(f"{table.name}: disk full")
        if table is GENIE_API_MESSAGES and not self.refused_ids.isdisjoint(frame["message_id"]):
            raise LakehouseError(f"{table.name}: a value does not fit")


@pytest.fixture
def broken(world: World, monkeypatch: pytest.MonkeyPatch) -> BrokenLake:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    return BrokenLake(world.lake)


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


def test_a_failure_is_retried_when_it_is_due_and_resolved_when_it_works(world: World) -> None:
    world.ask("m1")
    world.genie.errors["m1"] = BROKEN
    report = world.load()
    assert (report.tally.failed, report.tally.errors_by_class) == (1, {"SERVER": 1})
    error = world.row(MESSAGE_FETCH_ERRORS, "m1")
    assert (error["error_type"], error["resolved"], error["event_date"]) == ("FAILED", False, MONDAY)
    world.now = error["next_retry_timestamp"] - dt.timedelta(seconds=1)
    assert world.fetch().wanted == 0
    world.now += dt.timedelta(seconds=1)
    del world.genie.errors["m1"]
    assert world.load().verdicts == {Verdict.RETRY: 1}
    error = world.row(MESSAGE_FETCH_ERRORS, "m1")
    assert (error["resolved"], error["resolution"], error["retry_count"]) == (True, "FETCHED", 0)
    assert world.row(MESSAGE_DETAILS, "m1")["api_fetch_status"] == "SUCCESS"


def test_a_message_with_an_error_that_a_list_brings_along_is_resolved(world: World) -> None:
    world.ask("m1")
    world.genie.errors["m1"] = BROKEN
    world.load()
    del world.genie.errors["m1"]
    world.ask("m2", "m3", day=TUESDAY)
    world.load(TUESDAY)
    assert world.genie.requests[-1].message_ids == ("m2", "m3")
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "FETCHED"


def test_a_refused_reference_is_parked_not_asked_for_in_every_run(world: World) -> None:
    """An id that looks usable but that the API answers with 400 was asked for hourly, for ever."""
    world.event("odd")
    world.genie.errors["odd"] = FetchError(ErrorClass.BAD_REFERENCE, "Bad id.", http_status=400)
    world.load()
    for _ in range(3):
        world.now += 24 * HOUR
        assert world.fetch().wanted == 0
    assert world.row(MESSAGE_FETCH_ERRORS, "odd")["resolution"] == "GAVE_UP"


def test_a_reference_that_a_later_event_completes_is_fetched(world: World) -> None:
    world.event("m1", conversation_id=None)
    world.message("m1")
    world.load()
    error = world.row(MESSAGE_FETCH_ERRORS, "m1")
    assert (error["error_class"], error["resolution"], error["resolved"]) == ("BAD_REFERENCE", "GAVE_UP", False)
    assert world.genie.requests == []
    world.event("m1", action="getConversationMessage")
    world.load()
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "FETCHED"
    assert world.row(MESSAGE_DETAILS, "m1")["status"] == "COMPLETED"


def test_a_message_that_is_not_found_after_it_was_read_is_deleted(world: World) -> None:
    world.ask("m1")
    world.load()
    world.now += HOUR
    world.event("m1", action="executeQuery")
    del world.genie.messages["m1"]
    report = world.load()
    assert (report.tally.deleted, report.tally.failed) == (1, 0)
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "DELETED"
    row = world.row(MESSAGE_DETAILS, "m1")
    assert (row["is_deleted"], row["content"], row["api_fetch_status"]) == (True, "Question m1?", "SUCCESS")
    world.now += 48 * HOUR
    assert world.load().verdicts == {Verdict.DELETED: 1}
    assert world.state().accounting().lost == 0


def test_a_message_that_was_never_found_is_an_error(world: World) -> None:
    world.event("m1")
    assert world.load().tally.errors_by_class == {"NOT_FOUND": 1}
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolved"] is False


def test_an_error_of_a_message_deleted_since_is_closed(world: World) -> None:
    world.event("m1")
    world.load()
    world.delete("m1", day=TUESDAY)
    world.load(MONDAY)
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "DELETED"
    accounting = world.state().accounting()
    assert (accounting.stored, accounting.open_errors, accounting.deleted, accounting.lost) == (0, 0, 1, 0)


def test_answers_are_committed_a_hundred_at_a_time(world: World) -> None:
    world.ask(*(f"m{n:03}" for n in range(250)))
    world.discover()
    before = world.lake.version(GENIE_API_MESSAGES)
    report = world.fetch()
    assert report.tally.batches == 3
    assert world.lake.version(GENIE_API_MESSAGES) == (before or 0) + 3
    sizes = pd.Series([row["ingestion_batch_id"] for row in world.rows(GENIE_API_MESSAGES)]).value_counts()
    assert sorted(sizes) == [50, 100, 100]
    assert set(sizes.index) == {f"2026-03-02/run1/{n:05}" for n in (1, 2, 3)}


def test_a_crash_between_log_and_ledger_heals(world: World, broken: BrokenLake) -> None:
    """The answer is stored, its error still open: nothing is asked for twice, and the error is resolved."""
    world.ask("m1")
    world.genie.errors["m1"] = BROKEN
    world.load()
    del world.genie.errors["m1"]
    world.now += HOUR
    broken.broken_tables = {MESSAGE_FETCH_ERRORS.name}
    with pytest.raises(LakehouseError):
        world.fetch(lake=broken)  # type: ignore[arg-type]
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolved"] is False
    asked = len(world.genie.requests)
    report = world.load()
    assert (report.wanted, len(world.genie.requests)) == (0, asked)
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "FETCHED"
    assert len(world.rows(GENIE_API_MESSAGES)) == 1
    assert world.row(MESSAGE_DETAILS, "m1")["api_fetch_status"] == "SUCCESS"


def test_a_record_that_cannot_be_read_is_set_aside(world: World) -> None:
    world.ask("m1", "poison", "m3")
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    world.message("poison", unknown_field=deep)
    report = world.load()
    assert (report.tally.stored, report.tally.errors_by_class) == (2, {"BAD_PAYLOAD": 1})
    assert world.row(MESSAGE_FETCH_ERRORS, "poison")["resolved"] is False
    assert [row["message_id"] for row in world.rows(MESSAGE_DETAILS)] == ["m1", "m3"]
    assert world.state().accounting().lost == 0


def test_a_record_that_cannot_be_stored_is_set_aside_and_counts_its_attempts(
    world: World, broken: BrokenLake
) -> None:
    """Its open error was taken for resolved by the answer, so that its attempts began anew each time."""
    world.ask("m1", "poison", "m3")
    broken.refused_ids = {"poison"}
    world.discover()
    report = world.fetch(lake=broken)  # type: ignore[arg-type]
    assert (report.tally.stored, report.tally.failed, report.tally.answered) == (2, 1, 2)
    first = world.row(MESSAGE_FETCH_ERRORS, "poison")
    assert (first["error_class"], first["retry_count"], first["resolved"]) == ("BAD_PAYLOAD", 0, False)
    world.now = first["next_retry_timestamp"]
    world.ask("m4")
    world.discover()
    world.fetch(lake=broken)  # type: ignore[arg-type]
    second = world.row(MESSAGE_FETCH_ERRORS, "poison")
    assert (second["retry_count"], second["first_error_timestamp"]) == (1, first["first_error_timestamp"])
    assert [row["message_id"] for row in world.rows(GENIE_API_MESSAGES)] == ["m1", "m3", "m4"]
    world.fold()
    assert world.state().accounting().lost == 0


def test_a_store_that_is_down_is_no_fault_of_the_messages(world: World, broken: BrokenLake) -> None:
    world.ask("m1", "m2")
    world.discover()
    broken.broken_tables = {GENIE_API_MESSAGES.name}
    with pytest.raises(LakehouseError, match="disk full"):
        world.fetch(lake=broken)  # type: ignore[arg-type]
    assert not world.rows(MESSAGE_FETCH_ERRORS)
    assert world.load().tally.stored == 2


@pytest.mark.parametrize("created", [9 * 10**18, "0001-01-01T00:00:00Z", -5, "soon", None])
def test_an_absurd_time_does_not_stop_the_runs_that_follow(world: World, created: Any) -> None:
    world.ask(
        "odd",
        created_timestamp=created,
        status="ASKING_AI",
        attachments=[{"query": {"query": "SELECT 1", "statement_id": "st-1"}}],
    )
    world.ask("m2", conversation_id="c2")
    for _ in range(2):
        world.load()
        world.now += 48 * HOUR
    assert world.row(MESSAGE_DETAILS, "odd")["created_date"] == MONDAY
    assert world.row(MESSAGE_DETAILS, "odd")["created_timestamp"] is None


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


def test_due_errors_are_retried_on_their_day_even_if_the_audit_log_has_forgotten_them(world: World) -> None:
    world.ask("m1", "m2")
    world.genie.errors["m1"] = BROKEN
    world.load()
    world.system_tables.events.clear()
    world.event("m2")
    world.now += HOUR
    del world.genie.errors["m1"]
    assert world.load().verdicts == {Verdict.CURRENT: 1, Verdict.RETRY: 1}
    assert world.row(MESSAGE_DETAILS, "m1")["created_date"] == MONDAY


def test_a_reference_without_all_ids_is_completed_from_what_is_stored(world: World) -> None:
    """Events of later days may lack an id: what is known is no error, and not asked for in vain."""
    world.ask("m1")
    world.load()
    world.event("m1", None, day=TUESDAY, action="getConversationMessage")
    assert world.load(TUESDAY).verdicts == {Verdict.CURRENT: 1}
    assert world.rows(MESSAGE_FETCH_ERRORS) == []


def test_a_last_unreadable_message_does_not_fail_a_day_that_is_stored(world: World) -> None:
    """Its retry asks for that message alone: nothing worked, and yet nothing is wrong with the rest."""
    world.ask("m1", "m2")
    world.genie.errors["m2"] = BROKEN
    world.load()
    world.now += HOUR
    report = world.fetch()
    assert (report.wanted, report.tally.failed, report.nothing_worked) == (1, 1, False)


def test_a_message_that_shows_up_again_was_not_deleted(world: World) -> None:
    world.ask("m1")
    world.load()
    world.genie.errors["m1"] = NOT_FOUND
    world.event("m1", action="updateConversationMessage", at=world.now + HOUR)
    world.now += 2 * HOUR
    world.load()
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "DELETED"
    del world.genie.errors["m1"]
    world.ask("m2", "m3", day=TUESDAY)
    world.load(TUESDAY)
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "FETCHED"


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


def test_an_answer_that_comes_back_is_history_and_not_taken_for_a_failed_try(
    world: World, broken: BrokenLake
) -> None:
    """Withheld, then shown again: the log lost the third answer if storing it had to be tried twice."""
    world.ask("m1", content="whole")
    world.load()
    for content in ("withheld", "whole", "whole"):
        world.now += HOUR
        world.event("m1", action="updateConversationMessage")
        world.message("m1", content=content)
        world.discover()
        broken.failures = 1
        world.fetch(lake=broken)  # type: ignore[arg-type]
    rows = sorted(world.rows(GENIE_API_MESSAGES), key=lambda row: row["api_fetch_timestamp"])
    assert ["withheld" in row["raw_json"] for row in rows] == [False, True, False]
    assert rows[0]["content_hash"] == rows[2]["content_hash"]
    assert len({tuple(row[name] for name in GENIE_API_MESSAGES.key) for row in rows}) == 3


def test_a_day_of_a_conversation_is_indexed_once_however_many_runs_come_to_it(world: World) -> None:
    world.ask("m1")
    for day in (TUESDAY, WEDNESDAY):
        world.now += 24 * HOUR
        world.event("m1", day=day, action="updateConversationMessageFeedback")
        world.message("m1", content=f"as of {day}")
        world.load(day)
    assert [row["created_date"] for row in world.rows(GENIE_CONVERSATION_DAYS)] == [MONDAY]


def test_a_message_found_deleted_is_asked_for_again_when_an_event_shows_it(world: World) -> None:
    """A space was restored, or made public again: what was not found then was never asked for again."""
    world.ask("m1")
    world.load()
    world.now += HOUR
    world.event("m1", action="executeQuery")
    body = world.genie.messages.pop("m1")
    world.load()
    assert world.row(MESSAGE_DETAILS, "m1")["is_deleted"] is True
    world.now += 24 * HOUR
    world.event("m1", day=TUESDAY, action="updateConversationMessage")
    assert world.load(TUESDAY).verdicts == {Verdict.CHANGED: 1}
    assert world.load(TUESDAY).wanted == 0
    world.now += 24 * HOUR
    world.event("m1", day=WEDNESDAY, action="updateConversationMessage")
    world.genie.messages["m1"] = body
    assert world.load(WEDNESDAY).verdicts == {Verdict.CHANGED: 1}
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "FETCHED"
    assert world.row(MESSAGE_DETAILS, "m1")["is_deleted"] is False
    assert world.load(WEDNESDAY).wanted == 0


def test_a_message_that_the_log_shows_again_is_present_whichever_day_is_loaded_again(world: World) -> None:
    world.ask("m1")
    world.delete("m1", day=TUESDAY)
    for day in (MONDAY, TUESDAY):
        world.load(day)
    assert [row["is_deleted"] for row in world.rows(GENIE_MESSAGES_TO_FETCH)] == [True, True]
    world.now += 24 * HOUR
    world.event("m1", day=WEDNESDAY, action="updateConversationMessage")
    for day in (WEDNESDAY, TUESDAY, MONDAY):
        world.load(day)
        assert world.row(MESSAGE_DETAILS, "m1")["is_deleted"] is False
