"""`genie_deletions`, and the days that a deletion reaches: whichever day is loaded last brings the others in line.

What deletions make of references is decided in `domain.deletions`.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.deletions import (
    brought_in_line,
    changed_references,
    concerned,
    ids_of,
    known_deletions,
    named,
)
from genie_assets.domain.keys import MessageKey, Row
from genie_assets.domain.questions import Equals, Filter, In, Not, Rows, Wanted
from genie_assets.domain.tables import GENIE_DELETIONS, GENIE_MESSAGES_TO_FETCH
from genie_assets.gateways.lakehouse.interface import Lakehouse


@dataclass(frozen=True)
class InLine:
    """What a day's references and deletions are, and what they change on other days."""

    references: list[Row]
    deletions: list[Row]
    elsewhere: list[Row]  # references of other days, as they are now
    was: list[Row]  # deletions of the day, as they are stored
    crosses_days: bool  # whether a deletion concerns messages of the day, or messages one of the day

    def changes(self, stored: Collection[Row]) -> bool:
        """Whether the day's references differ from those that are `stored`."""
        return len(self.references) != len(stored) or bool(changed_references(stored, self.references))

    @property
    def changes_what_others_go_by(self) -> bool:
        """Whether what is stored beside the day's references may be what the load of another day has gone by."""
        deletions = {named(row) for row in self.deletions} != {named(row) for row in self.was}
        return deletions or bool(self.elsewhere)

    def store(self, event_date: dt.date, lake: Lakehouse, now: dt.datetime, *, changed: bool) -> None:
        """Store all of it; the day's references only where they have `changed`."""
        if changed:
            lake.store_day(GENIE_MESSAGES_TO_FETCH, event_date, _frame(self.references, now))
        if self.elsewhere:
            lake.store(GENIE_MESSAGES_TO_FETCH, _frame(self.elsewhere, now))
        if self.deletions or self.was:
            stamped = ({**row, "ingestion_timestamp": now} for row in self.deletions)
            lake.replace_day(GENIE_DELETIONS, event_date, GENIE_DELETIONS.frame(stamped))


@dataclass(frozen=True)
class StoredDeletions:
    """What is stored of deletions of the day, and on any day of these messages and conversations.

    Attributes:
        ids: The messages and conversations.
        rows: The deletions.
        touched: References on any day of messages of conversations that were deleted on this one.
    """

    ids: Collection[str]
    rows: Sequence[Row]
    touched: Sequence[Row] = ()


def deletions_question(event_date: dt.date, ids: Collection[str]) -> Wanted:
    """The question for `StoredDeletions`."""
    either = Not([Not([Equals("event_date", event_date)]), Not([In("deleted_id", sorted(ids))])])
    return Wanted(Rows(GENIE_DELETIONS, [either]), GENIE_DELETIONS.column_names)


def bring_in_line(
    event_date: dt.date,
    rows: Collection[Row],
    told: Iterable[Mapping[str, Any]],
    looked_up: StoredDeletions,
    *,
    shown: Collection[str],
    lake: Lakehouse,
) -> InLine:
    """Bring a day's references in line with deletions of other days, and those of other days with its own.

    So many parameters: what the log says of the day, and what is stored.

    Args:
        event_date: The day.
        rows: Its references, as its own events make them.
        told: What the log says of deletions on this day and later, in the columns of `sql/audit_deletions.sql`.
        looked_up: What is stored of deletions; of references that it does not speak of, it is looked up.
        shown: Workspaces of which the log shows something on this day; of others, what was stored stays.
        lake: The tables.
    """
    # Events that do not say in which conversation a message is; those of other days may.
    nameless = {row["message_id"] for row in rows if row["conversation_id"] is None}
    candidates = [*rows, *looked_up.touched, *_elsewhere(event_date, nameless, lake)]
    stored = [*looked_up.rows, *_further_deletions(event_date, ids_of(candidates) - set(looked_up.ids), lake)]
    known = known_deletions(event_date, told, stored, shown)
    keys = concerned(candidates, known.all)
    others = _elsewhere(event_date, {key.message_id for key in keys}, lake)
    references, elsewhere = brought_in_line(
        event_date, rows, (row for row in others if MessageKey.of(row) in keys), known
    )
    crosses_days = bool(keys or known.of_the_day or known.was)
    return InLine(references, known.of_the_day, elsewhere, known.was, crosses_days)


def _elsewhere(event_date: dt.date, message_ids: Collection[str], lake: Lakehouse) -> list[Row]:
    """The references of these messages on other days."""
    if not message_ids:
        return []
    where: list[Filter] = [In("message_id", sorted(message_ids)), Not([Equals("event_date", event_date)])]
    return lake.records(GENIE_MESSAGES_TO_FETCH, where=where)


def _further_deletions(event_date: dt.date, ids: Collection[str], lake: Lakehouse) -> list[Row]:
    """What is stored of deletions of these messages and conversations on other days."""
    if not ids:
        return []
    where: list[Filter] = [In("deleted_id", sorted(ids)), Not([Equals("event_date", event_date)])]
    return lake.records(GENIE_DELETIONS, where=where)


def _frame(rows: Iterable[Row], now: dt.datetime) -> Any:
    return GENIE_MESSAGES_TO_FETCH.frame(
        {"ingestion_timestamp": now, "first_seen_timestamp": now, **row} for row in rows
    )
