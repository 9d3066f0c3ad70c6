"""The log of answers: what its rows hold, which of them is the latest, and whether an answer adds one."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from genie_assets.domain.keys import MESSAGE, MESSAGE_IDS, MessageKey, Row
from genie_assets.domain.messages import (
    CLOCKS_DIFFER,
    Message,
    as_datetime,
    as_json,
    content_hash,
    parse_message,
    utc_date,
)
from genie_assets.domain.questions import Newest
from genie_assets.domain.requests import Answer, Became
from genie_assets.domain.richer import shown_by

HEADER = (
    *MESSAGE_IDS,
    *("created_timestamp", "created_date", "is_settled", "content_hash", "api_fetch_timestamp"),
    "event_change_time",
)
"""What is remembered of an answer while others are fetched: all but its text, which can be of any size."""

LATEST = Newest(per=MESSAGE, by=("api_fetch_timestamp", "ingestion_timestamp", "content_hash"))
"""Of several answers for a message, the one that counts."""


def log_row(
    ids: Mapping[str, str | None],
    answer: Answer,
    *,
    event_date: dt.date,
    known: Row | None,
    changed: dt.datetime | None = None,
) -> Row:
    """The row of the log for an answer.

    Args:
        ids: workspace_id, space_id, conversation_id and message_id.
        answer: The message as the API gave it.
        event_date: The day whose run asked.
        known: Header of the latest stored answer. The day on which it lives stays, where the answer tells none.
        changed: The last change, by Databricks' clock, that we were asked to look for.
    """
    message = parse_message(answer.body)
    fallback = known["created_date"] if known else event_date
    return {
        **ids,
        "created_timestamp": message.created_timestamp,
        "created_date": utc_date(message.created_timestamp) or fallback,
        "last_updated_timestamp": message.last_updated_timestamp,
        "status": message.status,
        "is_settled": message.is_settled,
        "attachments_shown": shown_by(message),
        "raw_json": as_json(answer.body),
        "content_hash": content_hash(answer.body),
        "api_endpoint": answer.endpoint,
        "api_fetch_timestamp": answer.requested_at,
        "event_date": event_date,
        "event_change_time": _last_change(answer, message, known, changed),
    }


def _last_change(answer: Answer, message: Message, known: Row | None, changed: dt.datetime | None) -> dt.datetime:
    """Until when an answer is known to hold every change, by Databricks' clock.

    It holds the one that it was asked for, what it says itself unless that lies in the future, what was known
    before, and whatever happened longer before it was asked for than clocks differ.
    """
    said = as_datetime(message.last_updated_timestamp)
    before = known["event_change_time"] if known else None
    times = (changed, min(said, answer.requested_at) if said else None, before)
    return max([*filter(None, times), answer.requested_at - CLOCKS_DIFFER])


def header(row: Mapping[str, Any]) -> Row:
    """The header of a row of the log."""
    return {name: row[name] for name in HEADER}


def judge(row: Mapping[str, Any], known: Mapping[str, Any] | None, *, was_wanted: bool) -> Became:
    """What becomes of an answer in the log, given the header of the latest one that is stored."""
    if known is None or known["content_hash"] != row["content_hash"]:
        return Became.NEW
    return Became.UNCHANGED if was_wanted else Became.NOTHING


def repeated(rows: Iterable[Mapping[str, Any]]) -> int:
    """How many rows of the log say again what the row before said of the same message.

    An answer that comes back after another one is history, and no repetition.
    """
    courses: defaultdict[MessageKey, list[tuple[dt.datetime, str]]] = defaultdict(list)
    for row in rows:
        courses[MessageKey.of(row)].append((row["api_fetch_timestamp"], row["content_hash"]))
    repetitions = 0
    for course in courses.values():
        before = None
        for _, content in sorted(course):
            repetitions += content == before
            before = content
    return repetitions


def look_row(row: Mapping[str, Any], known: Mapping[str, Any]) -> Row:
    """The row that notes that the stored answer was found again. It lies on the day of the answer."""
    names = (
        *("workspace_id", "conversation_id", "message_id"),
        *("content_hash", "api_fetch_timestamp", "event_change_time"),
    )
    return {**{name: row[name] for name in names}, "created_date": known["created_date"]}
