"""How open errors look on a terminal: some one by one, all in numbers, and what each class asks of a person."""

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from genie_assets.commands.terminal import readable
from genie_assets.domain.advice import advice
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.numbers import many
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.side_ledgers import SideLedger

Row = Mapping[str, Any]

_LONGEST_ID = 100
_LONGEST_MESSAGE = 400
_MOST_SPACES = 10


@dataclass(frozen=True)
class Shown:
    """How errors are listed.

    Attributes:
        place: Where they are, readable.
        limit: So many are shown one by one; the numbers are those of all.
        now: The time, UTC.
        ledger: Which ledger they are of, if it is not that of messages.
    """

    place: str
    limit: int
    now: dt.datetime
    ledger: SideLedger | None = None


def listed(rows: Sequence[Row], how: Shown, titles: Mapping[SpaceKey, str | None]) -> Iterator[str]:
    """The lines of a list.

    Args:
        rows: The chosen open errors.
        how: How they are listed.
        titles: Titles of spaces, as far as they are known.
    """
    place, limit, now = how.place, how.limit, how.now
    if not rows:
        yield f"No such open errors in {place}."
        return
    for row in rows[:limit]:
        yield from _one(row, now)
    if len(rows) > limit:
        yield f"... and {len(rows) - limit:,} more: --limit shows more, --class and --workspace choose."
    yield ""
    yield click.style(f"{many(len(rows), 'open error')} in {place}", bold=True)
    classes: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        classes[row["error_class"]].append(row)
    for name, members in sorted(classes.items(), key=lambda item: -len(item[1])):
        yield f"  {readable(name)}: {_in_numbers(members, now)}"
        yield f"    What to do: {advice(name, how.ledger)}"
        if name == ErrorClass.PERMISSION:
            yield from _spaces(members, titles)


def json_lines(rows: Iterable[Row]) -> Iterator[str]:
    """One JSON object a line, in ASCII; days and times as ISO 8601."""
    for row in rows:
        yield json.dumps(row, default=lambda moment: moment.isoformat())


def counted(rows: Collection[Row]) -> str:
    """How many errors of how many days, by class."""
    if not rows:
        return "none"
    by_class = Counter(row["error_class"] for row in rows)
    classes = ", ".join(f"{count:,} {readable(name)}" for name, count in by_class.most_common())
    days = {_day(row) for row in rows}
    return f"{many(len(rows), 'error')} of {many(len(days), 'day')} ({classes})"


def _day(row: Row) -> dt.date | None:
    """The day of a message; of what belongs to none, that on which it first failed."""
    first = row["first_error_timestamp"]
    return row["event_date"] if "event_date" in row else first and first.date()


# What tells things of one space apart, in whichever ledger.
_THINGS = ("message", "thing", "conversation")


def _one(row: Row, now: dt.datetime) -> Iterator[str]:
    failures, when = many((row["retry_count"] or 0) + 1, "failure"), _when(row["next_retry_timestamp"], now)
    yield click.style(f"{_day(row)}  {readable(row['error_class'])}, {failures}, {when}", bold=True)
    ids = (
        f"{name} {readable(row[f'{name}_id'] or 'unknown', longest=_LONGEST_ID)}"
        for name in ("workspace", "space", next(each for each in _THINGS if f"{each}_id" in row))
    )
    yield f"  {'  '.join(ids)}"
    yield f"  {readable(row['error_message'], longest=_LONGEST_MESSAGE)}"


def _spaces(rows: Iterable[Row], titles: Mapping[SpaceKey, str | None]) -> Iterator[str]:
    """Where something is to be granted."""
    spaces = Counter(map(SpaceKey.of, rows))
    for key, count in spaces.most_common(_MOST_SPACES):
        workspace_id, space_id = (readable(part or "unknown", longest=_LONGEST_ID) for part in key)
        title = f"  {readable(titles[key], longest=_LONGEST_ID)}" if titles.get(key) else ""
        yield f"    {count:>9,}  workspace {workspace_id}  space {space_id}{title}"
    if len(spaces) > _MOST_SPACES:
        yield f"    and in {many(len(spaces) - _MOST_SPACES, 'other space')}"


def _places(rows: Iterable[Row]) -> str:
    spaces = {SpaceKey.of(row) for row in rows}
    named = {key for key in spaces if key.space_id}
    if not named:
        return "unknown spaces"
    return many(len(named), "space") + (" and unknown ones" if named != spaces else "")


def _in_numbers(rows: Sequence[Row], now: dt.datetime) -> str:
    days = sorted(str(_day(row)) for row in rows)
    attempts = [row["next_retry_timestamp"] for row in rows if row["next_retry_timestamp"]]
    parts = [
        f"{len(rows):,} in {_places(rows)}",
        f"of {days[0]}" if days[0] == days[-1] else f"of {days[0]} to {days[-1]}",
    ]
    if parked := len(rows) - len(attempts):
        parts.append(f"{parked:,} parked")
    if attempts:
        parts.append(_when(min(attempts), now))
    return ", ".join(parts)


def _when(attempt: dt.datetime | None, now: dt.datetime) -> str:
    if attempt is None:
        return "parked"
    return "due now" if attempt <= now else f"next attempt {attempt:%Y-%m-%d %H:%M} UTC"
