"""When a message was asked, and how long its answer took: the same whatever was seen of it first."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from genie_assets.domain.messages import as_datetime, utc_date
from genie_assets.domain.richer import shows_statement

# The status of a message whose result has outlived its time.
_EXPIRED = "QUERY_RESULT_EXPIRED"


def response_time_ms(looks: Iterable[Mapping[str, Any]]) -> int | None:
    """Last update minus creation, ms, at the first look that found the message settled.

    Later updates are votes or the end of a result's life. If it had ended already, or either is unknown or out of
    order, nobody knows.

    Args:
        looks: Its answers in the columns of `OF_A_LOOK`, the earliest first.
    """
    first = next((look for look in looks if look["is_settled"]), None)
    if first is None or first["status"] == _EXPIRED:
        return None
    created, updated = first["created_timestamp"], first["last_updated_timestamp"]
    return None if created is None or updated is None or updated < created else updated - created


def wanted_since(statement_id: str, looks: Iterable[Mapping[str, Any]]) -> dt.datetime | None:
    """Since when a statement is wanted that came later than its message, UTC; None if it was there from the start.

    Of a message that had ended before without it, it is of a new try: nobody tells when that was, and it is wanted
    since it was seen. One that only ran until then has named it with its last update.

    Args:
        statement_id: The statement.
        looks: Its message's answers in the columns of `OF_A_LOOK`, the earliest first.
    """
    has_looked = had_ended = False
    for look in looks:
        shown = shows_statement(look, statement_id)
        if shown is None or (shown and not has_looked):
            return None
        if shown:
            seen: dt.datetime = look["api_fetch_timestamp"]
            updated = as_datetime(look["last_updated_timestamp"])
            return seen if had_ended or updated is None else min(seen, updated)
        has_looked, had_ended = True, had_ended or look["is_settled"]
    return None


def created_date(
    answer: Mapping[str, Any], looks: Iterable[Mapping[str, Any]], references: Collection[Mapping[str, Any]]
) -> dt.date:
    """The UTC day on which a message was asked, whatever was loaded first.

    The latest answer that tells decides: one that does not may have been stored by a run that knew of no other,
    and lies on that run's day. If none tells, the day of its ask event; while none is known, that of its earliest
    event; and without any event, where the log has put it.

    Args:
        answer: Its latest answer, a row of the log.
        looks: All its answers, the earliest first.
        references: What the audit log says of it, by day.
    """
    told = [day for look in (*looks, answer) if (day := utc_date(look["created_timestamp"])) is not None]
    if told:
        return told[-1]
    asked = [row["event_date"] for row in references if row["is_new"]]
    days: list[dt.date] = asked or [row["event_date"] for row in references]
    return min(days, default=answer["created_date"])
