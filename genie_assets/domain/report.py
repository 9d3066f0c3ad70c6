"""What the report is about: its periods, its choices, and what of people may stand in it.

A choice is a period with everything, one workspace, or one space of it. Figures are computed for each choice by
SQL, as distinct users and percentiles of a whole are not those of its parts. How the page looks does not belong
here.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# What the page offers, in days; the second one is what it opens with.
LENGTHS = (7, 14, 28)
OPENS_WITH = 14
WHOLE = "whole"
SETTLES_AFTER = dt.timedelta(days=2)
# More spaces than this are not offered as choices: the page would grow without end. The others stand in the list.
MOST_SPACES = 150
# Users of a choice, and questions of a kind and space, that the page shows.
MOST_USERS = 20
MOST_QUESTIONS = 10
# So many characters of a question or comment are shown: who wants all of it opens it in Genie.
LONGEST_TEXT = 400


@dataclass(frozen=True)
class Period:
    """Some days in a row.

    Attributes:
        name: Names it in the page's address: a number of days, `whole`, or that with `before-` in front.
        first_day: Its first UTC day.
        last_day: Its last.
        is_shown: Whether it can be chosen; the others are what is compared with.
    """

    name: str
    first_day: dt.date
    last_day: dt.date
    is_shown: bool = True

    @property
    def days(self) -> list[dt.date]:
        """Its days, the first one first."""
        return [self.first_day + dt.timedelta(days=n) for n in range((self.last_day - self.first_day).days + 1)]

    def before(self) -> "Period":
        """As many days right before it."""
        length = dt.timedelta(days=len(self.days))
        return Period(f"before-{self.name}", self.first_day - length, self.first_day - dt.timedelta(days=1), False)


def last_settled_day(today: dt.date, loaded: Collection[dt.date]) -> dt.date | None:
    """The last loaded day that has been over for a day; else the last loaded one; None without any.

    Of a day that has just ended, rows of the audit log and of query history are still on their way.
    """
    settled = [day for day in loaded if day <= today - SETTLES_AFTER]
    return max(settled or loaded, default=None)


def periods_until(last_day: dt.date, first_day: dt.date | None = None) -> list[Period]:
    """The periods that end with a day, the shortest first, each followed by the one it is compared with.

    Args:
        last_day: The last day of all.
        first_day: Where the longest one begins; without it, the usual lengths are all.
    """
    most = None if first_day is None else (last_day - first_day).days + 1
    lengths = [length for length in LENGTHS if most is None or length <= most]
    shown = [Period(str(length), last_day - dt.timedelta(days=length - 1), last_day) for length in lengths]
    if first_day is not None and first_day not in {each.first_day for each in shown}:
        shown.append(Period(WHOLE, first_day, last_day))
    return [period for each in shown for period in (each, each.before())]


def opens_with(periods: Iterable[Period]) -> Period:
    """The period that the page shows first: that of the usual length, else the longest."""
    shown = [each for each in periods if each.is_shown]
    return next((each for each in shown if len(each.days) == OPENS_WITH), shown[-1])


def pseudonym(user_key: str, secret: bytes) -> str:
    """A name for a user that stays the same and leads to nobody without the secret."""
    return f"user {hmac.new(secret, user_key.encode(), hashlib.sha256).hexdigest()[:8]}"


def shown_user(row: Mapping[str, Any], secret: bytes, *, by_name: bool) -> str | None:
    """How the page names who asked; None if nobody knows. A service principal's id is no person's and is shown."""
    key = row["user_key"]
    if key is None or by_name or row["user_kind"] == "SERVICE_PRINCIPAL":
        return str(key) if key is not None else None
    return pseudonym(str(key), secret)


def shown_text(text: str | None, *, allowed: bool) -> str | None:
    """What of a text the page shows: its beginning if texts are allowed, else nothing."""
    if text is None or not allowed:
        return None
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
