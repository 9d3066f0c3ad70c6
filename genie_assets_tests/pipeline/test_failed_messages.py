"""Messages that cannot be read: tried again, completed, parked, or gone."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.domain.worklist import Verdict
from genie_assets.pipeline.waiting import due_days
from genie_assets_tests.lakehouse_in_memory import LakehouseInMemory
from genie_assets_tests.overtaken import Overtaken
from genie_assets_tests.pipeline.world import BROKEN, HOUR, MONDAY, NOT_FOUND, TUESDAY, WEDNESDAY, World


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


def fail_and_delete(world: World) -> None:
    """A message of Monday cannot be read; the log of Tuesday, not loaded yet, says that it was deleted."""
    world.lake = LakehouseInMemory({})
    world.ask("m1")
    world.genie.errors["m1"] = BROKEN
    world.discover()
    world.fetch()
    world.now += HOUR
    world.delete("m1", day=TUESDAY)


def test_an_error_that_ended_with_a_deletion_opens_again_if_the_log_says_more(world: World) -> None:
    """Its day was loaded before the day that shows it again, and it was never asked for any more."""
    fail_and_delete(world)
    world.event("m1", day=TUESDAY, action="updateConversationMessage", at=world.now + HOUR)
    world.genie.errors.clear()
    world.load(MONDAY)
    assert [row["resolution"] for row in world.rows(MESSAGE_FETCH_ERRORS)] == ["DELETED"]
    world.now += 24 * HOUR
    world.discover(TUESDAY)
    assert due_days(world.lake, world.now) == {MONDAY: 1}
    world.fetch()
    world.fold()
    assert world.row(MESSAGE_DETAILS, "m1")["is_deleted"] is False
    assert [row["resolution"] for row in world.rows(MESSAGE_FETCH_ERRORS)] == ["FETCHED"]


@pytest.mark.long
@pytest.mark.parametrize("overtaken", ["the fetch", "the load"])
def test_an_error_that_a_deletion_ends_opens_again_wherever_the_day_that_takes_it_back_is_loaded(
    tmp_path: Path, overtaken: str
) -> None:
    """A fetch went by references that the load of a later day changed meanwhile: nothing asked for it any more."""
    calls = number = 1
    while number <= calls:
        world = World(tmp_path)
        fail_and_delete(world)
        world.discover()
        world.event("m1", day=TUESDAY, action="updateConversationMessage", at=world.now + HOUR)
        world.genie.errors.clear()
        world.now += 24 * HOUR
        works = [partial(beside, world, world.fetch), partial(beside, world, partial(world.discover, TUESDAY))]
        used, other = works if overtaken == "the fetch" else works[::-1]
        plain, tables = world.lake, Overtaken(world.lake, number, partial(other, world.lake))
        used(tables)
        calls, number = tables.calls, number + 1
        if number > calls:  # it has not come in between
            other(plain)
        world.now += HOUR
        for day in due_days(world.lake, world.now):
            world.fetch(day)
        (error,) = world.rows(MESSAGE_FETCH_ERRORS)
        assert error["resolution"] == "FETCHED", f"overtaken before call {number - 1}"
    assert calls > 5


def beside(world: World, work: Callable[[], object], lake: Any) -> None:
    """A process that uses these tables."""
    ours, world.lake = world.lake, lake
    work()
    world.lake = ours
