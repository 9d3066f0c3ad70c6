"""The error ledger: how the row of a message changes when a look fails, succeeds or finds it gone.

Rows are dictionaries in the columns of `message_fetch_errors`. A resolved row stays as the record of what
happened; a new failure of the same message starts it afresh.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from genie_assets.domain.outcomes import ErrorClass, FetchError, error_type, next_retry_at

Row = dict[str, Any]

FETCHED, DELETED, GAVE_UP, CLOSED = "FETCHED", "DELETED", "GAVE_UP", "CLOSED"


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
    # A look that was put off is no attempt.
    retry_count = int(open_row["retry_count"]) + int(error.was_asked) if still_open else 0
    next_retry = next_retry_at(error, retry_count=retry_count, now=now, jitter=jitter)
    return {
        **ids,
        "error_class": str(error.error_class),
        "error_type": error_type(error.error_class),
        "error_message": error.message,
        "http_status": error.http_status,
        "error_code": error.error_code,
        "error_timestamp": now,
        "first_error_timestamp": open_row.get("first_error_timestamp") or now,
        "retry_count": retry_count,
        "next_retry_timestamp": next_retry,
        "event_date": open_row.get("event_date") or event_date,
        "resolved": False,
        "resolved_timestamp": None,
        "resolution": GAVE_UP if next_retry is None else None,
    }


def resolved(previous: Mapping[str, Any], resolution: str, now: dt.datetime) -> Row:
    """The row after the message was fetched, found deleted, or closed by hand."""
    return {
        **previous,
        "resolved": True,
        "resolved_timestamp": now,
        "resolution": resolution,
        "next_retry_timestamp": None,
    }


def requeued(previous: Mapping[str, Any], now: dt.datetime) -> Row:
    """The row of an open error that is due now and has all its attempts before it again."""
    return {**previous, "retry_count": 0, "next_retry_timestamp": now, "resolution": None}


def released(previous: Mapping[str, Any], now: dt.datetime) -> Row:
    """The row of an open error that is due now, because what it waited for seems to have come."""
    return {**previous, "next_retry_timestamp": now}


def is_gone(error: FetchError, *, was_stored: bool) -> bool:
    """Whether the failure means that the user deleted the message: not found, though it was read before.

    Only Databricks' own word counts: a bare 404 may come from anything on the way.
    """
    return was_stored and error.error_class is ErrorClass.NOT_FOUND and bool(error.error_code)
