"""What is stored about messages: latest answers, last looks and the error ledger, as the rules need them."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from genie_assets.domain import ledger
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGE_LOOKS,
    MESSAGE_FETCH_ERRORS,
    records,
)
from genie_assets.gateways.lakehouse import In, Lakehouse

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


def key_of(row: Mapping[str, Any]) -> Key:
    """(workspace_id, message_id) of a row."""
    return row["workspace_id"], row["message_id"]


def header(row: Row) -> Row:
    """What is remembered of an answer while others are fetched: all but its text, which can be of any size."""
    return {name: row[name] for name in _HEADER}


def latest(answers: pd.DataFrame) -> pd.DataFrame:
    """The latest answer of every message, of all the answers in the log."""
    ordered = answers.sort_values("api_fetch_timestamp", kind="stable")
    return ordered.drop_duplicates(_KEY, keep="last")


def known_answers(
    lake: Lakehouse, conversation_ids: Collection[str], *, message_ids: Collection[str] = ()
) -> dict[Key, Row]:
    """Header of the latest answer of every stored message of these conversations, and of these messages.

    `api_fetch_timestamp` is the last look that confirmed it, be it one that found nothing new.
    """
    conditions = [In("conversation_id", conversation_ids), In("message_id", message_ids)]
    known: dict[Key, Row] = {}
    for condition in conditions:
        if condition.values:
            known |= _known_where(lake, condition)
    return known


def _known_where(lake: Lakehouse, condition: In) -> dict[Key, Row]:
    answers = latest(lake.read(GENIE_API_MESSAGES, columns=_HEADER, where=[condition]))
    known = {key_of(row): row for row in records(answers)}
    looks = lake.read(GENIE_MESSAGE_LOOKS, columns=[*_KEY, "api_fetch_timestamp"], where=[condition])
    for look in records(looks):
        row = known.get(key_of(look))
        if row is not None:
            row["api_fetch_timestamp"] = max(row["api_fetch_timestamp"], look["api_fetch_timestamp"])
    return known


def full_answers(lake: Lakehouse, conversation_ids: Collection[str]) -> pd.DataFrame:
    """The latest answer of every stored message of these conversations, with its JSON."""
    columns = [*_HEADER, "raw_json"]
    return latest(lake.read(GENIE_API_MESSAGES, columns=columns, where=[In("conversation_id", conversation_ids)]))


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
