"""What is stored about messages: latest answers, last looks and the error ledger, as the rules need them."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from genie_assets.domain import ledger
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGE_LOOKS,
    MESSAGE_FETCH_ERRORS,
    records,
)
from genie_assets.gateways.lakehouse import In, Lakehouse, Newest

Key = tuple[str, str]  # (workspace_id, message_id)
Row = dict[str, Any]

_KEY = ["workspace_id", "message_id"]
_HEADER = (
    "workspace_id",
    "space_id",
    "conversation_id",
    "message_id",
    "created_timestamp",
    "created_date",
    "is_settled",
    "content_hash",
    "api_fetch_timestamp",
)

_LATEST = Newest(per=_KEY, by=["api_fetch_timestamp", "ingestion_timestamp", "content_hash"])


def key_of(row: Mapping[str, Any]) -> Key:
    """(workspace_id, message_id) of a row."""
    return row["workspace_id"], row["message_id"]


def header(row: Row) -> Row:
    """What is remembered of an answer while others are fetched: all but its text, which can be of any size."""
    return {name: row[name] for name in _HEADER}


def known_answers(lake: Lakehouse, message_ids: Collection[str]) -> dict[Key, Row]:
    """Header of the latest answer of every one of these messages that is stored.

    `api_fetch_timestamp` is the last look that confirmed it, be it one that found nothing new.
    """
    if not message_ids:
        return {}
    named = [In("message_id", message_ids)]
    answers = lake.read(GENIE_API_MESSAGES, columns=_HEADER, where=named, newest=_LATEST)
    known = {key_of(row): row for row in records(answers)}
    looks = lake.read(
        GENIE_MESSAGE_LOOKS,
        columns=[*_KEY, "api_fetch_timestamp"],
        where=named,
        newest=Newest(per=_KEY, by=["api_fetch_timestamp"]),
    )
    for look in records(looks):
        row = known.get(key_of(look))
        if row is not None:
            row["api_fetch_timestamp"] = max(row["api_fetch_timestamp"], look["api_fetch_timestamp"])
    return known


def headers_of(lake: Lakehouse, conversation_ids: Collection[str], days: Collection[dt.date]) -> dict[Key, Row]:
    """Header of the latest answer of every message of these conversations that is stored in these days."""
    named = [In("conversation_id", conversation_ids)]
    answers = lake.read(GENIE_API_MESSAGES, columns=_HEADER, days=days, where=named, newest=_LATEST)
    return {key_of(row): row for row in records(answers)}


def full_answers(lake: Lakehouse, headers: Collection[Row]) -> list[Row]:
    """The latest answers of which these are headers, with their JSON."""
    days = {row["created_date"] for row in headers}
    named = [In("message_id", {row["message_id"] for row in headers})]
    columns = [*_HEADER, "raw_json"]
    answers = records(lake.read(GENIE_API_MESSAGES, columns=columns, days=days, where=named, newest=_LATEST))
    wanted = {key_of(row) for row in headers}
    return [row for row in answers if key_of(row) in wanted]


def ledger_rows(
    lake: Lakehouse, *, message_ids: Collection[str], conversation_ids: Collection[str] = ()
) -> dict[Key, Row]:
    """The error ledger's rows, open and resolved, of these messages and of all others of these conversations."""
    conditions = [In("message_id", message_ids), In("conversation_id", conversation_ids)]
    frames = [lake.read(MESSAGE_FETCH_ERRORS, where=[condition]) for condition in conditions if condition.values]
    return {key_of(row): row for frame in frames for row in records(frame)}


def is_open(row: Mapping[str, Any] | None) -> bool:
    """Whether a ledger row is an open error."""
    return row is not None and not row["resolved"]


def is_deleted(row: Mapping[str, Any] | None) -> bool:
    """Whether a ledger row says that the message was found deleted."""
    return row is not None and row["resolution"] == ledger.DELETED


def as_datetime(ms: int | None) -> dt.datetime | None:
    """An epoch in ms as a UTC time."""
    return None if ms is None else dt.datetime.fromtimestamp(ms / 1000, dt.UTC)
