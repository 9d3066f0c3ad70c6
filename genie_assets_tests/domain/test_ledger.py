"""The error ledger."""

import datetime as dt
from typing import Any

import pytest

from genie_assets.domain import ledger
from genie_assets.domain.outcomes import POLICIES, ErrorClass, FetchError
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS

MONDAY, TUESDAY = dt.date(2026, 3, 2), dt.date(2026, 3, 3)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
IDS = {"workspace_id": "w1", "space_id": "s1", "conversation_id": "c1", "message_id": "m1"}


def failed(
    previous: dict[str, Any] | None = None,
    at: dt.datetime = NOON,
    *,
    error: FetchError | None = None,
    day: dt.date = MONDAY,
) -> dict[str, Any]:
    error = error or FetchError(ErrorClass.SERVER, "It broke.", http_status=500, error_code="INTERNAL_ERROR")
    return ledger.failed(IDS, error, previous=previous, event_date=day, now=at, jitter=0.5)


def test_a_first_failure_opens_an_error() -> None:
    assert failed() == {
        **IDS,
        "error_class": "SERVER",
        "error_type": "FAILED",
        "error_message": "It broke.",
        "http_status": 500,
        "error_code": "INTERNAL_ERROR",
        "error_timestamp": NOON,
        "first_error_timestamp": NOON,
        "retry_count": 0,
        "next_retry_timestamp": NOON + dt.timedelta(minutes=5),
        "event_date": MONDAY,
        "resolved": False,
        "resolved_timestamp": None,
        "resolution": None,
    }


def test_a_row_has_the_columns_of_its_table() -> None:
    assert set(failed()) == set(MESSAGE_FETCH_ERRORS.content)


def test_further_failures_count_up_and_keep_the_beginning() -> None:
    second = failed(failed(), NOON + HOUR, error=FetchError(ErrorClass.TIMEOUT, "Slow."), day=TUESDAY)
    assert (second["retry_count"], second["first_error_timestamp"], second["event_date"]) == (1, NOON, MONDAY)
    assert (second["error_timestamp"], second["error_class"]) == (NOON + HOUR, "TIMEOUT")
    assert (second["http_status"], second["error_code"]) == (None, None)
    assert second["next_retry_timestamp"] == NOON + HOUR + dt.timedelta(minutes=10)


@pytest.mark.parametrize("error_class", [c for c in ErrorClass if POLICIES[c].attempts is not None])
def test_an_error_is_parked_when_its_attempts_are_used_up(error_class: ErrorClass) -> None:
    """A parked error is still open: it is reported until somebody deals with it."""
    row, failures = failed(error=FetchError(error_class, "")), 1
    while row["next_retry_timestamp"] is not None:
        row, failures = failed(row, error=FetchError(error_class, "")), failures + 1
    assert failures == (POLICIES[error_class].attempts or 0) + 1
    assert (row["resolved"], row["resolution"]) == (False, "GAVE_UP")


@pytest.mark.parametrize("resolution", [ledger.FETCHED, ledger.DELETED])
def test_a_resolved_error_stays_as_a_record(resolution: ledger.Resolution) -> None:
    row = ledger.resolved(failed(), resolution, NOON + HOUR)
    assert row == failed() | {
        "resolved": True,
        "resolved_timestamp": NOON + HOUR,
        "resolution": resolution,
        "next_retry_timestamp": None,
    }


def test_a_failure_after_success_starts_afresh() -> None:
    """The old attempts must not use up those of the new trouble."""
    old = ledger.resolved(failed(failed(failed())), ledger.FETCHED, NOON)
    assert failed(old, NOON + HOUR, day=TUESDAY) == failed(None, NOON + HOUR, day=TUESDAY)


def test_only_a_message_that_was_read_before_can_be_gone() -> None:
    not_found = FetchError(ErrorClass.NOT_FOUND, "", 404, "RESOURCE_DOES_NOT_EXIST")
    assert ledger.is_gone(not_found, was_stored=True)
    assert not ledger.is_gone(not_found, was_stored=False)
    others = [FetchError(c, "") for c in ErrorClass if c is not ErrorClass.NOT_FOUND]
    bare = FetchError(ErrorClass.NOT_FOUND, "a proxy's page", 404)
    assert not any(ledger.is_gone(error, was_stored=True) for error in [*others, bare])


def test_a_requeued_error_is_due_and_has_all_its_attempts_again() -> None:
    parked = failed(error=FetchError(ErrorClass.BAD_REFERENCE, ""))
    assert parked["next_retry_timestamp"] is None
    again = ledger.requeued(parked, NOON + HOUR)
    assert (again["retry_count"], again["next_retry_timestamp"], again["resolution"]) == (0, NOON + HOUR, None)
    assert again["resolved"] is False
    assert again["first_error_timestamp"] == NOON


@pytest.mark.parametrize("error_class", [ErrorClass.AUTH, ErrorClass.NETWORK])
def test_what_is_put_off_waits_longer_and_longer_though_it_counts_no_attempt(error_class: ErrorClass) -> None:
    """With a wrong password for a week, every day with open errors was run every half hour."""
    put_off = FetchError(error_class, "", was_asked=False)
    row, runs = failed(error=FetchError(error_class, "")), 0
    while row["next_retry_timestamp"] < NOON + dt.timedelta(days=7):
        row, runs = failed(row, row["next_retry_timestamp"], error=put_off), runs + 1
    assert row["retry_count"] == 0
    assert runs < 50
    assert row["next_retry_timestamp"] - row["error_timestamp"] <= POLICIES[error_class].longest_wait


@pytest.mark.parametrize("missing", ["space_id", "conversation_id", "message_id"])
def test_an_error_without_one_of_its_ids_cannot_be_asked_for(missing: str) -> None:
    assert ledger.can_be_asked_for(failed())
    assert not ledger.can_be_asked_for(failed() | {missing: None})
    assert not ledger.can_be_asked_for(failed() | {missing: ".."})


def test_waiting_for_a_grant_uses_up_no_attempt_of_another_failure() -> None:
    """After fifteen days of waiting, one timeout parked the message for good."""
    row = failed(error=FetchError(ErrorClass.PERMISSION, "Not allowed.", 403))
    for day in range(15):
        row = failed(row, NOON + day * 24 * HOUR, error=FetchError(ErrorClass.PERMISSION, "Not allowed.", 403))
    assert row["retry_count"] == 15
    after = failed(row, NOON + 400 * HOUR, error=FetchError(ErrorClass.TIMEOUT, "Slow."))
    assert (after["retry_count"], after["resolution"]) == (1, None)
    assert after["next_retry_timestamp"] is not None


@pytest.mark.parametrize("error_class", list(ErrorClass))
def test_what_was_not_asked_for_is_never_parked_for_it(error_class: ErrorClass) -> None:
    row = failed(error=FetchError(ErrorClass.SERVER, ""))
    for hour in range(POLICIES[ErrorClass.SERVER].attempts or 0):
        row = failed(row, NOON + hour * HOUR, error=FetchError(ErrorClass.SERVER, ""))
    put_off = failed({**row, "next_retry_timestamp": NOON}, error=FetchError(error_class, "", was_asked=False))
    is_endless = POLICIES[error_class].attempts != 0
    assert (put_off["next_retry_timestamp"] is not None) == is_endless


@pytest.mark.parametrize(
    ("resolved_as", "by", "is_ended"),
    [
        (None, ledger.FETCHED, True),
        (None, ledger.CLOSED, True),
        (ledger.DELETED, ledger.FETCHED, True),
        (ledger.DELETED, ledger.DELETED, False),
        (ledger.CLOSED, ledger.FETCHED, False),
        (ledger.FETCHED, ledger.FETCHED, False),
    ],
)
def test_what_ends_an_error(resolved_as: ledger.Resolution | None, by: ledger.Resolution, is_ended: bool) -> None:
    row = failed()
    row = row if resolved_as is None else ledger.resolved(row, resolved_as, NOON)
    assert ledger.is_ended_by(row, by) is is_ended
    assert not ledger.is_ended_by(None, by)


def test_only_a_closing_that_a_run_has_not_read_stays() -> None:
    row = failed()
    closed = ledger.resolved(row, ledger.CLOSED, NOON)
    assert ledger.was_closed_since(closed, row)
    assert ledger.was_closed_since(closed, None)
    assert ledger.was_closed_since(closed, ledger.resolved(row, ledger.CLOSED, NOON - HOUR))
    assert not ledger.was_closed_since(closed, closed)
    assert not ledger.was_closed_since(ledger.resolved(row, ledger.FETCHED, NOON), row)
