"""On which days a conversation has messages: an index, so that its parts are found without searching history.

Partitions are days of messages, but a conversation may go on for weeks. An entry is stored before what it leads
to; one too many costs a look at a day, one missing would hide a message.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from genie_assets.domain.questions import In
from genie_assets.domain.tables import GENIE_API_MESSAGES, GENIE_CONVERSATION_DAYS, records
from genie_assets.gateways.lakehouse.interface import Lakehouse

ConversationDay = tuple[str, str, dt.date]  # (workspace_id, conversation_id, created_date)

_COLUMNS = ["workspace_id", "conversation_id", "created_date"]


def entry_of(row: Mapping[str, Any]) -> ConversationDay:
    """The index entry that leads to a stored message."""
    return row["workspace_id"], row["conversation_id"], row["created_date"]


def indexed_days(lake: Lakehouse, conversation_ids: Collection[str]) -> set[ConversationDay]:
    """The stored entries of these conversations."""
    where = [In("conversation_id", conversation_ids)]
    return {entry_of(row) for row in records(lake.read(GENIE_CONVERSATION_DAYS, columns=_COLUMNS, where=where))}


def store_days(lake: Lakehouse, entries: Iterable[ConversationDay], stamp: Mapping[str, Any]) -> None:
    """Store entries; it does no harm if one is there already."""
    rows = [{**dict(zip(_COLUMNS, entry, strict=True)), **stamp} for entry in sorted(set(entries))]
    if rows:
        lake.append(GENIE_CONVERSATION_DAYS, GENIE_CONVERSATION_DAYS.frame(rows))


def index_stored_messages(lake: Lakehouse, stamp: Mapping[str, Any]) -> None:
    """Make the index of a lakehouse that holds messages and has none yet."""
    if not lake.exists(GENIE_CONVERSATION_DAYS) and lake.exists(GENIE_API_MESSAGES):
        stored = lake.read(GENIE_API_MESSAGES, columns=_COLUMNS, distinct=True)
        store_days(lake, map(entry_of, records(stored)), stamp)
