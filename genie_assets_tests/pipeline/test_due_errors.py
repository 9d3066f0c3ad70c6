"""After a run of a day no error of that day is due any more, whatever state it was in: nothing runs for ever."""

import datetime as dt
import itertools
import random
from typing import Any

import pytest

from genie_assets.domain import ledger
from genie_assets.domain.keys import Row
from genie_assets.domain.outcomes import POLICIES, ErrorClass, FetchError
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGE_LOOKS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.pipeline.errors_by_hand import close, open_rows, requeue
from genie_assets.pipeline.waiting import due_days
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, MONDAY, NOON, TUESDAY, URL, World

_ERROR_AT = NOON - 2 * HOUR

IDS: dict[str, dict[str, str | None]] = {
    "usable": {},
    "no space": {"space_id": None},
    "no conversation": {"conversation_id": None},
    "unusable": {"space_id": ".."},
}
STORED = {
    "never": None,
    "before it failed": (True, _ERROR_AT - HOUR),
    "running before it failed": (False, _ERROR_AT - HOUR),
    "after it failed": (True, _ERROR_AT + HOUR),
}
REFERENCES: dict[str, dict[str, Any] | None] = {
    "on no day": None,  # forgotten by the audit log, or its workspace is left out by GENIE_WORKSPACES since
    "unchanged": {"last_change_time": _ERROR_AT - 3 * HOUR},
    "changed since": {"last_change_time": NOON},
    "only read": {"last_change_time": None},
    "deleted": {"is_deleted": True},
}
STATES = ("due", "due", "due", "closed", "found deleted")
# What the API says now: the message, or a failure; one that was put off was not even asked for.
OUTCOMES: list[FetchError | None] = [None, FetchError(ErrorClass.NETWORK, "Put off.", was_asked=False)]
OUTCOMES += [FetchError(each, "", http_status=418, error_code="CODE") for each in ErrorClass]


def every_state(world: World, seed: int) -> int:
    """Fill the tables with a message in every state; the rest of what can differ comes by chance. How many due."""
    chance = random.Random(seed)
    due, errors, references, answers = 0, [], [], []
    kinds = itertools.product(ErrorClass, IDS, STORED, REFERENCES)
    for number, (error_class, ids, stored, reference) in enumerate(kinds):
        state = chance.choice(STATES)
        where = {
            "workspace_id": "w1" if reference != "on no day" else chance.choice(["w1", "w2"]),
            "space_id": f"s{chance.randrange(5)}",
            "conversation_id": f"c{chance.randrange(2000)}",
            "message_id": f"m{number}",
        }
        named = where | IDS[ids]
        errors.append(_error(named, error_class, state, chance))
        due += state == "due"
        shown = REFERENCES[reference]
        if shown is not None:
            references.append(
                {**named, "workspace_url": URL, "is_deleted": False, "event_date": MONDAY}
                | {"last_change_time": _ERROR_AT - 3 * HOUR, "ingestion_timestamp": NOON}
                | shown
            )
        if look := STORED[stored]:
            answers.append(
                {**where, "created_date": MONDAY, "is_settled": look[0], "content_hash": "old", "raw_json": "{}"}
                | {"api_fetch_timestamp": look[1], "ingestion_timestamp": look[1]}
            )
        outcome = chance.choice(OUTCOMES)
        if outcome is None:
            world.message(where["message_id"], where["conversation_id"])
        else:
            world.genie.errors[where["message_id"]] = outcome
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(errors))
    world.lake.replace_day(GENIE_MESSAGES_TO_FETCH, MONDAY, GENIE_MESSAGES_TO_FETCH.frame(references))
    world.lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame(answers))
    return due


def _error(ids: dict[str, Any], error_class: ErrorClass, state: str, chance: random.Random) -> Row:
    never_sent = error_class is ErrorClass.BAD_REFERENCE and chance.random() < 0.5
    error = FetchError(error_class, "", http_status=None if never_sent else 418)
    row = ledger.failed(ids, error, previous=None, event_date=MONDAY, now=_ERROR_AT, jitter=0.5)
    if state == "closed":
        return ledger.resolved(row, ledger.CLOSED, NOON - HOUR)
    if state == "found deleted":
        return ledger.resolved(row, ledger.DELETED, NOON - HOUR)
    # As its own backoff makes it due, or `errors requeue`, or a grant.
    attempts = chance.choice([0, POLICIES[error_class].attempts or 99])
    return row | {"next_retry_timestamp": NOON, "resolution": None, "retry_count": attempts}


@pytest.mark.parametrize("seed", range(2))
def test_after_a_run_of_a_day_none_of_its_errors_is_due(world: World, seed: int) -> None:
    """A requeued BAD_REFERENCE stayed due: the sensor ran its day every half hour, for ever."""
    due = every_state(world, seed)
    assert due_days(world.lake, NOON) == {MONDAY: due}
    report = world.fetch()
    assert report.not_attempted == 0
    assert due_days(world.lake, NOON) == ({MONDAY: report.released} if report.released else {})
    for _ in range(2):  # at most one more run, for what a grant released
        asked = len(world.genie.requests)
        world.fetch()
    assert len(world.genie.requests) == asked
    assert due_days(world.lake, NOON) == {}


def test_what_stays_due_was_cut_off_and_the_run_says_so(world: World) -> None:
    every_state(world, seed=9)
    world.genie.requests_allowed = 100
    report = world.fetch()
    left = sum(due_days(world.lake, NOON).values())
    assert 0 < left <= report.not_attempted + report.released


def test_a_run_writes_nothing_about_parked_errors_that_nobody_can_mend(world: World) -> None:
    world.event("m1", conversation_id=None)
    world.load()
    world.now += 48 * HOUR
    versions = world.versions(MESSAGE_FETCH_ERRORS, GENIE_API_MESSAGES, GENIE_MESSAGE_LOOKS)
    assert requeue(world.lake, open_rows(world.lake), world.now) == []
    assert world.fetch().wanted == 0
    assert world.versions(MESSAGE_FETCH_ERRORS, GENIE_API_MESSAGES, GENIE_MESSAGE_LOOKS) == versions


def test_an_old_requeue_of_what_cannot_be_asked_for_is_parked_again(world: World) -> None:
    """Ledgers hold such rows already."""
    world.event("m1", conversation_id=None)
    world.load()
    world.now += 48 * HOUR
    due = [ledger.requeued(row, world.now) for row in open_rows(world.lake)]
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(due))
    assert due_days(world.lake, world.now) == {MONDAY: 1}
    world.fetch()
    error = world.row(MESSAGE_FETCH_ERRORS, "m1")
    assert (error["resolution"], error["next_retry_timestamp"]) == ("GAVE_UP", None)


def test_an_error_closed_while_a_run_is_under_way_stays_closed(world: World) -> None:
    """The run had read the ledger before, and wrote its own idea of the error over it."""
    world.ask("closed", "other", conversation_id="c1")
    world.genie.errors |= {"closed": BROKEN, "other": FORBIDDEN}
    world.load()
    world.now += 2 * HOUR
    fetch = world.genie.fetch

    def closes_meanwhile(requests: Any, *, deadline: float) -> Any:
        close(world.lake, open_rows(world.lake, message_ids=["closed"]), world.now)
        yield from fetch(requests, deadline=deadline)

    world.genie.fetch = closes_meanwhile  # type: ignore[method-assign]
    world.fetch()
    assert world.row(MESSAGE_FETCH_ERRORS, "closed")["resolution"] == "CLOSED"
    assert world.row(MESSAGE_FETCH_ERRORS, "other")["retry_count"] == 1


def test_an_error_that_was_closed_is_opened_again_by_a_change_that_cannot_be_read(world: World) -> None:
    world.ask("m1")
    world.genie.errors["m1"] = BROKEN
    world.load()
    close(world.lake, open_rows(world.lake), world.now)
    world.now += HOUR
    world.event("m1", action="regenerateConversationMessage", day=TUESDAY)
    world.load(TUESDAY)
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolved"] is False


def test_a_stored_message_whose_error_was_closed_is_not_asked_for_in_every_run(world: World) -> None:
    """Each run read it in vain again, and opened the error that had just been closed."""
    world.ask("m1")
    world.load()
    world.now += HOUR
    world.event("m1", action="executeQuery")
    world.genie.errors["m1"] = FORBIDDEN
    world.load()
    close(world.lake, open_rows(world.lake), world.now)
    world.now += dt.timedelta(days=1)
    assert world.load().wanted == 0
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "CLOSED"
