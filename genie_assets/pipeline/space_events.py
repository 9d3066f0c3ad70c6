"""What the audit log tells of spaces, kept: it comes with the day's messages, in the same statement."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from genie_assets.domain.keys import Row
from genie_assets.domain.questions import In, Rows, Wanted
from genie_assets.domain.tables import GENIE_SPACE_EVENTS
from genie_assets.gateways.lakehouse.interface import Lakehouse


def stored_question(events: Collection[Row]) -> Mapping[str, Wanted]:
    """The question which of these events are stored; none, where there are no events."""
    if not events:
        return {}
    ids = In("event_id", sorted({row["event_id"] for row in events}))
    return {"space events": Wanted(Rows(GENIE_SPACE_EVENTS, [ids]), list(GENIE_SPACE_EVENTS.key))}


def keep(events: Iterable[Row], stored: Iterable[Row], lake: Lakehouse, stamp: Mapping[str, Any]) -> list[Row]:
    """Store the events that are not stored; they are the result. What the log forgets stays."""
    known = {_place(row) for row in stored}
    new = [row for row in events if _place(row) not in known]
    if new:
        lake.store(GENIE_SPACE_EVENTS, GENIE_SPACE_EVENTS.frame({**row, **stamp} for row in new))
    return new


def _place(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in GENIE_SPACE_EVENTS.key)
