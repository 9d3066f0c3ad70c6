"""How much of what the API shows is stored, by space: what the check of reconciliation goes by."""

import datetime as dt
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from genie_assets.domain.health import NOWHERE, PENDING_FOR, seen_since
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.questions import Counted, Equals, Not, Rows, Wanted
from genie_assets.domain.reconciliation import is_overdue
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, GENIE_SPACE_DETAILS, RECONCILED_SPACES
from genie_assets.domain.workspaces import is_looked_at
from genie_assets.gateways.lakehouse.interface import Lakehouse

_OF_A_SPACE = (*GENIE_SPACE_DETAILS.key, "title", "first_seen_timestamp")


@dataclass(frozen=True)
class Covered:
    """One space.

    Attributes:
        key: The space.
        title: Its title, as far as it is known.
        row: Its row of `reconciled_spaces`, if it was ever looked at.
        unread: Messages that were entered more than a day ago, and are neither stored nor in the ledger.
        is_overdue: It was not walked for too long.
    """

    key: SpaceKey
    title: str | None
    row: Row | None
    unread: int
    is_overdue: bool

    def number(self, name: str) -> int | None:
        """What the last whole walk found; None if there was none."""
        number: int | None = self.row[name] if self.row else None
        return number

    @property
    def is_covered(self) -> bool:
        """Whether nothing is to be done about it."""
        return not (self.is_overdue or self.unread or self.number("failed_count"))


@dataclass(frozen=True)
class Coverage:
    """All spaces, those first of which something is the matter; and the days of the unread messages."""

    spaces: list[Covered]
    unread_days: Counter[dt.date]


def coverage(lake: Lakehouse, now: dt.datetime, chosen: Collection[str] = ()) -> Coverage:
    """Look all spaces up that are not gone; one question.

    Args:
        lake: The tables.
        now: The time, UTC.
        chosen: Workspaces that are looked at; none stands for all.
    """
    entered = [Equals("event_count", 0), *NOWHERE, Not([seen_since(now - PENDING_FOR)])]
    there = Rows(GENIE_SPACE_DETAILS, [Not([Equals("is_trashed", True)])])
    found = lake.together(
        {
            "spaces": Wanted(there, _OF_A_SPACE),
            "reconciled": Wanted(Rows(RECONCILED_SPACES), RECONCILED_SPACES.column_names),
            "unread": Counted(Rows(GENIE_MESSAGES_TO_FETCH, entered), [*GENIE_SPACE_DETAILS.key, "event_date"]),
        }
    )
    rows = {SpaceKey.of(row): row for row in found["reconciled"]}
    unread: Counter[SpaceKey] = Counter()
    days: Counter[dt.date] = Counter()
    for row in found["unread"]:
        unread[SpaceKey.of(row)] += row["count"]
        days[row["event_date"]] += row["count"]
    spaces = [
        Covered(key, row["title"], rows.get(key), unread[key], is_overdue(rows.get(key), row, now))
        for row in found["spaces"]
        if is_looked_at((key := SpaceKey.of(row)).workspace_id, chosen)
    ]
    return Coverage(sorted(spaces, key=lambda each: (each.is_covered, each.key)), days)
