"""The report's document: rows of answers by period and choice, as plain values that JSON can hold.

Nothing is added up here, but for questions that were not read: each number is shown as SQL gave it.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.advice import advice
from genie_assets.domain.keys import Row
from genie_assets.domain.report import MOST_SPACES, Period, shown_text, shown_user

Document = dict[str, Any]

_KEYS = {"period", "workspace_id", "space_id"}
_DAILY = ("questions", "people", "answered", "failed", "response_n", "response_p50_ms", "response_p95_ms")
# A description may be a page long.
_NOT_SHOWN_OF_SPACES = {"description", "history_since"}


@dataclass(frozen=True)
class Request:
    """What somebody wants to see.

    Attributes:
        now: The time, UTC.
        time_zone: Name of the zone for hours of the day.
        with_names: Whether users are shown by their e-mail addresses.
        with_texts: Whether questions and comments are shown.
        first_day: Where the longest period begins, if not with the usual ones.
        last_day: Where all periods end, if not with the last settled day.
        secret: Keys the users' pseudonyms.
    """

    now: dt.datetime
    time_zone: str
    with_names: bool = False
    with_texts: bool = False
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    secret: bytes = field(default=b"", repr=False)


class Choices:
    """Names of choices within the document: "" is everything, `w0` a workspace, `s0` a space, by their places."""

    def __init__(self, inventory: Iterable[Row]) -> None:
        """Remember all workspaces, and the most used spaces, so many as the page can offer."""
        ranked = sorted(inventory, key=lambda row: (-row["messages"], row["workspace_id"], row["space_id"]))
        workspaces = {row["workspace_id"]: row["workspace_name"] for row in ranked}
        self._workspaces = sorted(workspaces.items(), key=lambda item: (item[1] or "", item[0]))
        self._spaces = ranked[:MOST_SPACES]
        self._names: dict[tuple[str | None, str | None], str] = {(None, None): ""}
        self._names |= {(id_, None): f"w{place}" for place, (id_, _) in enumerate(self._workspaces)}
        self._names |= {(each["workspace_id"], each["space_id"]): f"s{n}" for n, each in enumerate(self._spaces)}

    def of(self, workspace_id: str | None, space_id: str | None) -> str | None:
        """The choice that something is about; None if the page does not offer it."""
        return self._names.get((workspace_id, space_id))

    def workspaces(self) -> list[Row]:
        """All workspaces, in the order of their places."""
        return [{"id": id_, "name": name or id_} for id_, name in self._workspaces]

    def spaces(self) -> list[Row]:
        """The spaces that are offered, in the order of their places."""
        return [
            {
                "id": each["space_id"],
                "name": each["space_name"] or each["space_id"],
                "workspace": self.of(each["workspace_id"], None),
            }
            for each in self._spaces
        ]


def by_period(
    rows: Iterable[Row], choices: Choices, shown: Callable[[Row], Row], *, many: bool = False
) -> dict[str, dict[str, Any]]:
    """Rows by their period and choice: one of each, or with `many` a list, in the order in which they came."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        choice = choices.of(row["workspace_id"], row["space_id"])
        if choice is None:
            continue
        of_choice = found[row["period"]]
        if many:
            of_choice.setdefault(choice, []).append(shown(row))
        else:
            of_choice[choice] = shown(row)
    return dict(found)


def numbers_shown(row: Row) -> Row:
    """A row without what it is about."""
    return plain({name: value for name, value in row.items() if name not in _KEYS})


def unread(rows: Iterable[Row], periods: Iterable[Period], choices: Choices) -> dict[str, dict[str, int]]:
    """Questions that were not read, by period and choice; rows without a space are of a whole workspace."""
    rows = list(rows)
    found: dict[str, dict[str, int]] = {}
    for period in periods:
        counted: Counter[str] = Counter()
        for row in rows:
            if period.first_day <= row["day"] <= period.last_day:
                choice = choices.of(row["workspace_id"], row["space_id"])
                # Those of a workspace are those of everything, too; a space's are among them.
                for each in [choice] if row["space_id"] is not None else [choice, ""]:
                    if each is not None:
                        counted[each] += row["unread_messages"]
        found[period.name] = dict(counted)
    return found


def daily(
    rows: Iterable[Row], period: Period, choices: Choices, loaded: Collection[dt.date]
) -> dict[str, dict[str, list[Any]]]:
    """Numbers of every day and choice; None for days that are not loaded, and where nothing can be measured."""
    by_choice: dict[str, dict[dt.date, Row]] = defaultdict(dict)
    for row in rows:
        choice = choices.of(row["workspace_id"], row["space_id"])
        if choice is not None:
            by_choice[choice][row["day"]] = row

    def number(name: str, day: dt.date, days: Mapping[dt.date, Row]) -> Any:
        if day not in loaded:
            return None
        return days[day][name] if day in days else None if name.endswith("_ms") else 0

    return {
        choice: {name: [number(name, day, days) for day in period.days] for name in _DAILY}
        for choice, days in by_choice.items()
    }


def period_shown(period: Period, loaded: Collection[dt.date]) -> Row:
    """A period with how many of its days, and of those before it, are known."""
    known = set(loaded)
    return {
        "name": period.name,
        "first_day": period.first_day.isoformat(),
        "last_day": period.last_day.isoformat(),
        "days": len(period.days),
        "loaded_days": len(known.intersection(period.days)),
        "loaded_days_before": len(known.intersection(period.before().days)),
    }


def pipeline_shown(period: Period, calendar: Mapping[dt.date, Row]) -> list[Row]:
    """Every day of a period with its health; a day outside the calendar was never loaded."""
    return [plain(calendar.get(day, {"day": day, "is_loaded": False})) for day in period.days]


def user_shown(row: Row, request: Request) -> Row:
    """What one user asked, without who it is unless the request says so."""
    name = shown_user(row, request.secret, by_name=request.with_names)
    return {"user": name, **numbers_shown({key: value for key, value in row.items() if key != "user_key"})}


def question_shown(row: Row, choices: Choices, request: Request) -> Row:
    """A question worth reading; its text and its user as far as the request allows."""
    kept = ("kind", "period", "day", "asked_at", "error_type", "response_time_ms", "genie_url")
    return plain(
        {
            **{key: row[key] for key in kept},
            "workspace": choices.of(row["workspace_id"], None),
            "space": choices.of(row["workspace_id"], row["space_id"]),
            "user": shown_user(row, request.secret, by_name=request.with_names),
            "question": shown_text(row["question"], allowed=request.with_texts),
            "comment": shown_text(row["comment"], allowed=request.with_texts),
        }
    )


def inventory_shown(row: Row, choices: Choices) -> Row:
    """A space of the inventory, whether it can be chosen or not."""
    place = {
        "workspace": choices.of(row["workspace_id"], None),
        "space": choices.of(row["workspace_id"], row["space_id"]),
    }
    return place | plain({name: value for name, value in row.items() if name not in _NOT_SHOWN_OF_SPACES})


def error_shown(row: Row, choices: Choices) -> Row:
    """Open errors of one class in one workspace, with what to do about them."""
    place = {"workspace": choices.of(row["workspace_id"], None), "what_to_do": advice(row["error_class"])}
    return plain(row) | place


def plain(row: Mapping[str, Any]) -> Row:
    """A row whose days and times are text."""
    return {
        name: value.isoformat() if isinstance(value, dt.date | dt.datetime) else value
        for name, value in row.items()
    }
