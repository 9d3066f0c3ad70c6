"""Folds that go on at once, in processes that share no pool: none may put what it saw earlier over what is newer.

Both may fold the same messages, each by what was there before the other had stored anything. So a fold announces
in its day's row of `genie_day_loads` that it is about to store something, and looks at all of those rows
afterwards: of two, the one that went by an older state sees the other or is seen by it, and who sees another one
folds once more what it has stored. A fold that died in between leaves its announcement, so that its day is folded
again.
"""

import datetime as dt
import logging
from collections.abc import Iterable
from itertools import count

from genie_assets.domain.keys import Row
from genie_assets.domain.questions import Between, Rows, Wanted
from genie_assets.domain.tables import GENIE_DAY_LOADS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.folded_days import FoldedDay
from genie_assets.pipeline.run import Run

# Longer than a paused process sleeps; what is older than that has ended or died.
_LOOKS_BACK = dt.timedelta(days=7)
_OF_A_FOLD, _WRITTEN = ("folded_hash", "folded_timestamp"), "ingestion_timestamp"

# What stands in place of the hash of what a fold went by: it has begun; and one that met another one has ended.
_BEGUN, _ONCE_MORE = "begun by", "to be folded once more"

_LOG = logging.getLogger(__name__)

State = dict[dt.date, tuple[object, ...]]


def folds_question(now: dt.datetime) -> Wanted:
    """The question for what folds have announced and noted lately.

    Args:
        now: When the fold that asks began, UTC.
    """
    lately = [Between(_WRITTEN, low=now - _LOOKS_BACK)]
    return Wanted(Rows(GENIE_DAY_LOADS, lately), ["event_date", *_OF_A_FOLD])


class FoldsAtOnce:
    """The other folds, as one fold comes to know of them.

    Args:
        before: The day as this fold found it.
        seen: What had been announced and noted before it read anything: the answer to `folds_question`.
        lake: The tables.
        run: Its run.
        now: When it began, UTC.
    """

    def __init__(
        self, before: FoldedDay, seen: Iterable[Row], lake: Lakehouse, run: Run, now: dt.datetime
    ) -> None:
        self._before, self._lake, self._run, self._now = before, lake, run, now
        self._seen = _state(seen)
        self._numbers = count(1)
        self._announced: str | None = None
        self._is_calm = True
        # Another fold of this day may have died: this one's note takes its announcement away.
        self._met_another = _has_begun(before.noted.get("folded_hash"))

    def announce(self) -> None:
        """Say that this fold is about to store something. Each time it says it in other words."""
        self._announced = f"{_BEGUN} {self._run.id}, {self._run.clock().isoformat()}, {next(self._numbers)}"
        row = {**self._before.noted, "folded_hash": self._announced, _WRITTEN: self._now}
        self._lake.store(GENIE_DAY_LOADS, GENIE_DAY_LOADS.frame([row]))
        self._seen[self._before.day] = tuple(row.get(name) for name in _OF_A_FOLD)

    def came_in_between(self) -> bool:
        """Whether another one has announced or noted anything since the last look."""
        now = _state(self._lake.together({"folds": folds_question(self._now)})["folds"])
        before, self._seen = self._seen, now
        of_the_day, *_ = now.get(self._before.day, (None,))
        self._met_another |= _has_begun(of_the_day) and of_the_day != self._announced
        return now != before

    def give_up(self) -> None:
        """Do not wait any longer for a moment in which no other fold comes in between."""
        _LOG.warning("Other folds came in between again and again: the next run folds the day once more.")
        self._is_calm = False

    def note(self) -> None:
        """Note what this fold went by, which has ended well; nothing is written if the same is noted."""
        before = self._before
        seen = _ONCE_MORE if self._met_another else before.evidence
        if not self._is_calm or (self._announced is None and before.noted.get("folded_hash") == seen):
            return
        row = {**before.noted, "folded_hash": seen, "last_load_timestamp": self._now, _WRITTEN: self._now}
        if not self._met_another:  # else the next fold looks at all that has changed since the one before
            row |= {"folded_timestamp": self._now, "folded_answers": before.dated}
        self._lake.store(GENIE_DAY_LOADS, GENIE_DAY_LOADS.frame([row]))


def _state(rows: Iterable[Row]) -> State:
    return {row["event_date"]: tuple(row[name] for name in _OF_A_FOLD) for row in rows}


def _has_begun(folded_hash: object) -> bool:
    return str(folded_hash).startswith(_BEGUN)
