"""Days that are no partitions though something is stored of them: nobody would run, check or retry them.

GENIE_FIRST_DAY decides which day is the first, and the definitions load without asking the tables. So a later day
than before lets stored ones drop out of sight, with the errors that are due on them.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from genie_assets.domain.numbers import form, many
from genie_assets.domain.questions import Between, Not

_ONE_DAY = dt.timedelta(days=1)


def is_outside(day: dt.date, first_day: dt.date, today: dt.date) -> bool:
    """Whether a day is no partition: before the first one, or after the last."""
    return not first_day <= day <= today


def outside(first_day: dt.date, today: dt.date) -> Not:
    """`is_outside`, asked of rows with an `event_date`; one without a day is outside of all of them."""
    return Not([Between("event_date", first_day, today)])


def before_and_after(first_day: dt.date, today: dt.date) -> tuple[Between, Between]:
    """The same in two questions, because an engine spares files for a range and not for the opposite of one."""
    before = Between("event_date", high=first_day - _ONE_DAY)
    return before, Between("event_date", low=today + _ONE_DAY)


@dataclass(frozen=True)
class LeftOut:
    """What lies outside of the partitions, by day."""

    first_day: dt.date
    messages: Counter[dt.date] = field(default_factory=Counter)  # of loaded days
    open_errors: Counter[dt.date] = field(default_factory=Counter)

    @property
    def _before(self) -> list[dt.date]:
        return sorted(day for day in {*self.messages, *self.open_errors} if day < self.first_day)

    @property
    def wanted_first_day(self) -> dt.date | None:
        """The latest first day that leaves out nothing before it; None if the one that is set does not."""
        return next(iter(self._before), None)

    @property
    def problem(self) -> str | None:
        """What is left out, why, and what to do; None if nothing is."""
        before = self._before
        after = sorted(day for day in {*self.messages, *self.open_errors} if day >= self.first_day)
        sentences = []
        if before:
            sentences.append(
                f"{_what(self, before)} before GENIE_FIRST_DAY, which is {self.first_day}: no run loads, checks "
                f"or retries them. Set GENIE_FIRST_DAY to {before[0]} or earlier"
                + (", or close the errors with `genie-assets errors close`." if self.open_errors else ".")
            )
        if after:
            sentences.append(
                f"{_what(self, after)} in the future, from {after[0]} on: look at the clocks of this machine and "
                "of those that wrote them."
            )
        return " ".join(sentences) or None


def _what(left_out: LeftOut, days: list[dt.date]) -> str:
    stored, failed = (sum(counts[day] for day in days) for counts in (left_out.messages, left_out.open_errors))
    parts = [many(count, noun) for count, noun in ((stored, "stored message"), (failed, "open error")) if count]
    belong = form(stored + failed, "belongs", "belong")
    return f"{' and '.join(parts)} {belong} to {many(len(days), 'day')}"
