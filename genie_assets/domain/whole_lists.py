"""Lists that are read to the end or not at all: what one makes of the children of a thing that are stored.

What a list lacks is gone. What was seen once stays, and says that it is gone; and what a list showed of a child
stays known when a later one shows less of it.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from genie_assets.domain.keys import Row
from genie_assets.domain.table import Table, storable
from genie_assets.domain.tables import (
    AGENT_CONVERSATION_LOOKS,
    AGENT_FETCH_ERRORS,
    AGENT_ITEMS,
    COMMENT_FETCH_ERRORS,
    MESSAGE_COMMENT_LOOKS,
    MESSAGE_COMMENTS,
)

_DOCUMENT = "raw_json"


@dataclass(frozen=True)
class Kind:
    """A kind of children.

    Attributes:
        children: Their table; its key is that of their parent and one column more.
        looks: What was listed, and what for; its key is the parent's.
        errors: The ledger; its key is the parent's.
        count: The column of `looks` that says how many there were.
        event: The column of `looks` that says for which event they were listed; without, they are to be listed.
    """

    children: Table
    looks: Table
    errors: Table
    count: str
    event: str

    @property
    def child_id(self) -> str:
        """The column that tells children of one parent apart."""
        return self.children.key[-1]


COMMENTS = Kind(
    MESSAGE_COMMENTS, MESSAGE_COMMENT_LOOKS, COMMENT_FETCH_ERRORS, "comment_count", "event_comment_time"
)
ITEMS = Kind(AGENT_ITEMS, AGENT_CONVERSATION_LOOKS, AGENT_FETCH_ERRORS, "item_count", "event_time")


@dataclass(frozen=True)
class ListLook:
    """A whole list.

    Attributes:
        ids: Where the parent is: columns that all tables of the kind have.
        event: What is known of the event for which it was asked, by the column of `looks`.
        children: What the list says of each child, by its id.
        at: When it was asked for, UTC.
    """

    ids: Row
    event: Row
    children: Mapping[str, Row]
    at: dt.datetime


def look_row(kind: Kind, look: ListLook, noted: Row | None) -> Row | None:
    """The parent's row of `looks` after a look; None if a later one is noted, which then says all.

    Args:
        kind: The kind.
        look: The look.
        noted: The row so far.
    """
    if noted is not None and noted["api_fetch_timestamp"] > look.at:
        return None
    return {**look.ids, **look.event, kind.count: len(look.children), "api_fetch_timestamp": look.at}


def begun_look(kind: Kind, note: Row) -> Row:
    """The parent's row while its children are being stored: they are to be listed again.

    Args:
        kind: The kind.
        note: The row once they are stored.
    """
    return {**note, kind.event: None}


def ended_look(kind: Kind, note: Row, before: Row | None, expected: Row | None, by_now: Row | None) -> Row:
    """The parent's row once its children are stored; they are listed once more if another process may be at them.

    Args:
        kind: The kind.
        note: The row of this look.
        before: The row when this look was compared with what was stored. Who has begun has died, or goes on.
        expected: The row as it is stored if nobody came in between.
        by_now: The row as it is stored.
    """
    said = ("api_fetch_timestamp", kind.count, kind.event)
    nobody_came = by_now is None or (expected is not None and all(by_now[name] == expected[name] for name in said))
    has_begun = before is not None and before[kind.event] is None
    if note[kind.event] is None or (nobody_came and not has_begun):
        return note
    latest = note if by_now is None else max(note, by_now, key=lambda row: row["api_fetch_timestamp"])
    # As if they had been listed just before the event for which they were.
    return {**latest, kind.event: note[kind.event] - dt.timedelta(microseconds=1)}


def changed_children(kind: Kind, look: ListLook, stored: Iterable[Row]) -> list[Row]:
    """Rows that a look makes, changes or marks as gone.

    Args:
        kind: The kind.
        look: The look; no later one of its parent is noted.
        stored: All stored children of its parent.
    """
    before = {row[kind.child_id]: row for row in stored}
    found = [
        {
            **look.ids,
            kind.child_id: child_id,
            **_with_known(says, before.get(child_id)),
            "is_deleted": False,
            "deleted_seen_timestamp": None,
            "first_seen_timestamp": before[child_id]["first_seen_timestamp"] if child_id in before else look.at,
        }
        for child_id, says in look.children.items()
    ]
    changed = [row for row in found if not _says_the_same(row, before.get(row[kind.child_id]))]
    gone = [row for child_id, row in before.items() if child_id not in look.children and not row["is_deleted"]]
    return changed + [{**row, "is_deleted": True, "deleted_seen_timestamp": look.at} for row in gone]


def _with_known(says: Row, before: Row | None) -> Row:
    """What is known of a child after a list: one that shows less of it takes nothing away.

    The document stays that showed it, or what is known would stand in a column that no document says.
    """
    lost = [
        name for name, value in says.items() if value is None and before is not None and before[name] is not None
    ]
    if before is None or not lost:
        return says
    return says | {name: before[name] for name in (*lost, _DOCUMENT)}


def _says_the_same(row: Row, before: Row | None) -> bool:
    return before is not None and all(storable(row[name]) == before[name] for name in row)
