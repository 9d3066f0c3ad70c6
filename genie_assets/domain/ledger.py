"""The error ledger: how the row of a thing changes when a look fails, succeeds or finds it gone.

Rows are dictionaries in the columns of `message_fetch_errors`, or of another kind of thing's own table. A resolved
row stays as the record of what happened; a new failure of the same thing starts it afresh. What is asked of rows
here is asked of tables by the conditions beside it.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.keys import MESSAGE, Row, SpaceKey
from genie_assets.domain.outcomes import POLICIES, ErrorClass, FetchError, error_type, next_retry_at
from genie_assets.domain.questions import Between, Equals, Exists, Filter, In, IsNull, Not, Rows
from genie_assets.domain.tables import GENIE_API_MESSAGES, GENIE_MESSAGE_LOOKS, GENIE_SPACE_DETAILS


class Resolution(StrEnum):
    """How an error ended; GAVE_UP only that it is parked: open still, and not tried again by itself."""

    FETCHED = "FETCHED"
    DELETED = "DELETED"
    GAVE_UP = "GAVE_UP"
    CLOSED = "CLOSED"  # by hand
    LEFT_OUT = "LEFT_OUT"  # because its workspace is not looked at; it opens again if that is


FETCHED, DELETED, GAVE_UP, CLOSED, LEFT_OUT = Resolution


def failed(
    ids: Mapping[str, str | None],
    error: FetchError,
    *,
    previous: Mapping[str, Any] | None,
    event_date: dt.date,
    now: dt.datetime,
    jitter: float,
) -> Row:
    """The row after a failed look.

    So many parameters, because time and chance are handed in like everything else.

    Args:
        ids: workspace_id, space_id, conversation_id and message_id.
        error: What went wrong.
        previous: The message's row so far, if it has one.
        event_date: The Dagster partition that asks for the message; an open row keeps its own.
        now: The time of the failure, UTC.
        jitter: A random number in [0, 1), see `outcomes.next_retry_at`.
    """
    still_open = previous is not None and not previous["resolved"]
    open_row: Mapping[str, Any] = previous if previous is not None and still_open else {}
    retry_count = _attempts_so_far(open_row, error) + int(error.was_asked) if still_open else 0
    first = open_row.get("first_error_timestamp") or now
    # A look that was put off is no attempt, and parks nothing; so that it is not put off every half hour, it waits
    # by its age.
    used, age = (retry_count, dt.timedelta(0)) if error.was_asked else (0, now - first)
    next_retry = next_retry_at(error, retry_count=used, now=now, jitter=jitter, age=age)
    return {
        **ids,
        "error_class": str(error.error_class),
        "error_type": error_type(error.error_class),
        "error_message": error.message,
        "http_status": error.http_status,
        "error_code": error.error_code,
        "error_timestamp": now,
        "first_error_timestamp": first,
        "retry_count": retry_count,
        "next_retry_timestamp": next_retry,
        "event_date": open_row.get("event_date") or event_date,
        "resolved": False,
        "resolved_timestamp": None,
        "resolution": str(GAVE_UP) if next_retry is None else None,
    }


def _attempts_so_far(row: Mapping[str, Any], error: FetchError) -> int:
    """Attempts that count for a new failure: waiting for a grant or a setting before it used up none."""
    before = ErrorClass.__members__.get(row["error_class"])
    waited = before is not None and before is not error.error_class and POLICIES[before].attempts is None
    return 0 if waited else int(row["retry_count"] or 0)


def resolved(previous: Mapping[str, Any], resolution: Resolution, now: dt.datetime) -> Row:
    """The row after the message was fetched, found deleted, or closed by hand."""
    return {
        **previous,
        "resolved": True,
        "resolved_timestamp": now,
        "resolution": str(resolution),
        "next_retry_timestamp": None,
    }


NOT_LOOKED_AT = FetchError(
    ErrorClass.CONFIG,
    "Its workspace is not looked at, as GENIE_WORKSPACES does not name it: it is asked for once it does.",
    was_asked=False,
)


def left_out(
    ids: Mapping[str, str | None], previous: Mapping[str, Any] | None, *, event_date: dt.date, now: dt.datetime
) -> Row:
    """The row of a thing that is not asked for, because its workspace is not looked at.

    Args:
        ids: workspace_id, space_id, conversation_id and message_id.
        previous: The message's row so far, if it has one; an open error ends as it is.
        event_date: The Dagster partition that would ask for the message.
        now: The time, UTC.
    """
    if previous is None or not is_open(previous):
        previous = failed(ids, NOT_LOOKED_AT, previous=previous, event_date=event_date, now=now, jitter=0)
    return resolved(previous, LEFT_OUT, now)


def can_be_asked_for(row: Mapping[str, Any]) -> bool:
    """Whether the ids of an error suffice to ask for its message. If not, only a later event can complete them."""
    return all(map(is_usable_id, (row["space_id"], row["conversation_id"], row["message_id"])))


def requeued(previous: Mapping[str, Any], now: dt.datetime) -> Row:
    """The row of an error that is open, due now and has all its attempts before it again."""
    still_open: Row = {"resolved": False, "resolved_timestamp": None, "resolution": None}
    return {**previous, **still_open, "retry_count": 0, "next_retry_timestamp": now}


def released(previous: Mapping[str, Any], now: dt.datetime) -> Row:
    """The row of an open error that is due now, because what it waited for seems to have come."""
    return {**previous, "next_retry_timestamp": now}


def is_gone(error: FetchError, *, was_stored: bool) -> bool:
    """Whether the failure means that the user deleted the message: not found, though it was read before.

    Only Databricks' own word counts: a bare 404 may come from anything on the way.
    """
    return was_stored and error.error_class is ErrorClass.NOT_FOUND and bool(error.error_code)


# What rows say, in plain words and as questions to the table. A test holds both together.
OPEN: tuple[Filter, ...] = (Equals("resolved", False),)
PARKED: tuple[Filter, ...] = (*OPEN, IsNull("next_retry_timestamp"))
DELETED_ROWS: tuple[Filter, ...] = (Equals("resolution", str(DELETED)),)
WAITING_FOR_PERMISSION: tuple[Filter, ...] = (*OPEN, Equals("error_class", str(ErrorClass.PERMISSION)))
NOT_FOUND: tuple[Filter, ...] = (Equals("error_class", str(ErrorClass.NOT_FOUND)),)
CLOSED_ROWS: tuple[Filter, ...] = (In("resolution", (str(CLOSED), str(LEFT_OUT))),)
LEFT_OUT_ROWS: tuple[Filter, ...] = (Equals("resolution", str(LEFT_OUT)),)
GONE_UNSEEN: tuple[Filter, ...] = (
    *NOT_FOUND,
    *DELETED_ROWS,
    Not(
        [
            Exists(
                Rows(GENIE_SPACE_DETAILS), SpaceKey._fields, since=("last_seen_timestamp", "first_error_timestamp")
            )
        ]
    ),
)
"""Things that were found deleted since their space was last seen, which may have been away in between."""

ENDED_ROWS: tuple[Filter, ...] = (In("resolution", (str(DELETED), str(CLOSED))),)
"""Things that were found deleted, or given up by hand: nothing is asked until something happens to them."""


OUTDATED: tuple[Filter, ...] = (
    *OPEN,
    Not(
        [
            Not([Exists(Rows(table), MESSAGE, since=("api_fetch_timestamp", "error_timestamp"))])
            for table in (GENIE_API_MESSAGES, GENIE_MESSAGE_LOOKS)
        ]
    ),
)


def due(now: dt.datetime) -> tuple[Filter, ...]:
    """Open errors that may be tried again now."""
    return (*OPEN, Between("next_retry_timestamp", high=now))


def is_open(row: Mapping[str, Any] | None) -> bool:
    """Whether a message's row is an open error; None is no row."""
    return row is not None and not row["resolved"]


def is_parked(row: Mapping[str, Any] | None) -> bool:
    """Whether a message's row is an open error of which no further attempt is made by itself."""
    return row is not None and is_open(row) and row["next_retry_timestamp"] is None


def is_due(row: Mapping[str, Any] | None, now: dt.datetime) -> bool:
    """Whether a message's row is an open error that may be tried again now."""
    if row is None or not is_open(row) or row["next_retry_timestamp"] is None:
        return False
    return bool(row["next_retry_timestamp"] <= now)


def is_news(error: FetchError, previous: Mapping[str, Any]) -> bool:
    """Whether that a thing is gone is another failure than the one before: it has its own beginning."""
    return error.error_class is ErrorClass.NOT_FOUND and not was_not_found(previous)


def may_be_asked(row: Mapping[str, Any] | None, now: dt.datetime, *, is_shown: bool = False) -> bool:
    """Whether a thing may be asked for now: nothing is wrong with it, or its error is due.

    Args:
        row: Its row; None is no row.
        now: The time, UTC.
        is_shown: Whether something shows that it is there, so that even a parked error is worth another look, and
            one that says that it is not there need not wait.
    """
    return not is_open(row) or is_due(row, now) or (is_shown and _is_contradicted(row))


def _is_contradicted(row: Mapping[str, Any] | None) -> bool:
    return is_parked(row) or (row is not None and was_not_found(row))


def is_deleted(row: Mapping[str, Any] | None) -> bool:
    """Whether a message's row says that it was found deleted; None is no row."""
    return row is not None and row["resolution"] == DELETED


def was_called_deleted(row: Mapping[str, Any]) -> bool:
    """Whether an error ended because the log called its message deleted, and not because that was not found."""
    return is_deleted(row) and bool(row["resolved_timestamp"] > row["error_timestamp"])


def is_closed(row: Mapping[str, Any] | None) -> bool:
    """Whether a message's row was closed, by hand or with its workspace; None is no row."""
    return row is not None and row["resolution"] in (CLOSED, LEFT_OUT)


def is_ended_by(row: Mapping[str, Any] | None, resolution: Resolution) -> bool:
    """Whether there is an error to end. A thing that is there again was not deleted, whatever a 404 once said."""
    return is_open(row) or (resolution is FETCHED and is_deleted(row))


def was_closed_since(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
    """Whether somebody closed an error by hand after it was read, so that a run does not open it again.

    Args:
        row: The row as it is stored now.
        before: The same as the run has read it; None if there was none.
    """
    return is_closed(row) and (before is None or before["resolved_timestamp"] != row["resolved_timestamp"])


def waits_for_permission(row: Mapping[str, Any] | None) -> bool:
    """Whether a row is an open error that only a grant can heal; None is no row."""
    return row is not None and is_open(row) and row["error_class"] == ErrorClass.PERMISSION


def was_not_found(row: Mapping[str, Any]) -> bool:
    """Whether a message counts as deleted, or waits, because of a 404: it may be there again if its space is."""
    return row["error_class"] == ErrorClass.NOT_FOUND and (is_open(row) or is_deleted(row))


def is_outdated(row: Mapping[str, Any], last_fetch: dt.datetime | None) -> bool:
    """Whether an error is open though its message was read since: a run died between its log and its ledger.

    Args:
        row: The message's row.
        last_fetch: When the answer that is stored was last confirmed; None if none is stored.
    """
    return is_open(row) and last_fetch is not None and bool(last_fetch >= row["error_timestamp"])


def newly_granted(before: Mapping[Any, Row], after: Mapping[Any, Row]) -> set[SpaceKey]:
    """Spaces of which a message was read that had waited for permission.

    Args:
        before: The ledger's rows by key when a run began.
        after: The same when it ended.
    """
    return {
        SpaceKey.of(row)
        for key, row in before.items()
        if waits_for_permission(row) and row["space_id"] and after[key]["resolution"] == FETCHED
    }


def waits_for_one_of(row: Mapping[str, Any], granted: Collection[SpaceKey], failed_before: dt.datetime) -> bool:
    """Whether an error waited for one of these grants.

    One that failed later than `failed_before` was tried with the grant in force, and keeps waiting.
    """
    return waits_for_permission(row) and SpaceKey.of(row) in granted and row["error_timestamp"] < failed_before
