"""What the fold of a day would go by, in few numbers, and what the last one noted: is anything to be folded?

All of it is found in the tables: a run that died between its log and its fold leaves no note.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.executions import WAITING, EnrichmentStatus
from genie_assets.domain.folded_again import (
    FAR_AHEAD,
    dated_rows,
    evidence_hash,
    evidence_questions,
    recent_days,
)
from genie_assets.domain.keys import Row
from genie_assets.domain.questions import Counted, Equals, Rows, Wanted
from genie_assets.domain.tables import GENIE_DAY_LOADS, MESSAGE_DETAILS
from genie_assets.gateways.lakehouse.interface import Lakehouse

Kind = tuple[str | None, str | None]
"""The status and the enrichment status of a message."""


@dataclass(frozen=True)
class FoldedDay:
    """A day as its fold finds it.

    Attributes:
        day: The day.
        noted: Its row of `genie_day_loads`.
        evidence: Tells what there is to go by from what there was at another time.
        dated: Answers, deletions and errors that are dated by now, as far as there are any.
        unfolded: Answers that no row of `message_details` shows.
        waiting: Messages that wait for a statement, or were given up on the day.
        rows: The day's rows of `message_details`, counted by status and enrichment.
    """

    day: dt.date
    noted: Row
    evidence: str
    dated: int
    unfolded: int
    waiting: int
    rows: Sequence[Row]

    @property
    def is_unchanged(self) -> bool:
        """Whether the last fold went by the same."""
        return not self.unfolded and self.noted.get("folded_hash") == self.evidence

    @property
    def is_quiet(self) -> bool:
        """Whether a fold would change nothing."""
        return self.is_unchanged and not self.waiting

    def since(self, today: dt.date) -> dt.datetime | None:
        """From when on something may have changed since the last fold; None if the day is folded as a whole.

        That is every closed day: later versions in query history are found then.
        """
        folded: dt.datetime | None = self.noted.get("folded_timestamp")
        if self.day != today or folded is None:
            return None
        return FAR_AHEAD if self.is_unchanged else folded

    def is_late(self, dated: int) -> bool:
        """Whether a run that was paused or slow has stored something since the last fold that is dated before it.

        Args:
            dated: How many there are now that are dated before it.
        """
        return not self.is_unchanged and dated != self.noted.get("folded_answers")

    @property
    def kinds(self) -> Counter[Kind]:
        """The day's messages by status and enrichment."""
        return Counter({(row["status"], row["enrichment_status"]): row["count"] for row in self.rows})


def kinds_of(rows: Iterable[Mapping[str, Any]], day: dt.date) -> Counter[Kind]:
    """The same of some rows of `message_details`, as far as they are the day's."""
    return Counter((row["status"], row["enrichment_status"]) for row in rows if row["created_date"] == day)


def by_status(kinds: Counter[Kind]) -> Counter[str]:
    """Messages by status."""
    return _named((status, number) for (status, _), number in kinds.items())


def by_enrichment(kinds: Counter[Kind]) -> Counter[str]:
    """Messages by enrichment status."""
    return _named((enrichment, number) for (_, enrichment), number in kinds.items())


def _named(numbers: Iterable[tuple[str | None, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, number in numbers:
        found[name or "UNKNOWN"] += number
    return found


def folded_day(day: dt.date, lake: Lakehouse, now: dt.datetime) -> FoldedDay:
    """Look a day up; one question.

    Args:
        day: The day.
        lake: The tables.
        now: The time, UTC.
    """
    given_up = [Equals("enrichment_status", EnrichmentStatus.EXPIRED.value)]
    evidence = evidence_questions(day, now)
    found = lake.together(
        {
            **evidence,
            "noted": Wanted(Rows(GENIE_DAY_LOADS, [Equals("event_date", day)]), GENIE_DAY_LOADS.column_names),
            "waiting": Counted(Rows(MESSAGE_DETAILS, WAITING, recent_days(now.date()))),
            "given up": Counted(Rows(MESSAGE_DETAILS, given_up, [day])),
            "rows": Counted(Rows(MESSAGE_DETAILS, days=[day]), by=["status", "enrichment_status"]),
        }
    )
    return FoldedDay(
        day=day,
        noted=found["noted"][0] if found["noted"] else {"event_date": day},
        evidence=evidence_hash({name: found[name] for name in evidence if name != "unfolded"}, now.date()),
        dated=dated_rows(found),
        unfolded=_number(found["unfolded"]),
        waiting=_number(found["waiting"]) + _number(found["given up"]),
        rows=found["rows"],
    )


def _number(rows: Sequence[Row]) -> int:
    return sum(row["count"] for row in rows)
