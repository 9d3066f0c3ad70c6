"""Who may do what with a space: what the API tells of it, what became of it, and what was widened.

How it is asked for does not belong here. Levels and principals of kinds that are new are kept as they are told.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.keys import Row
from genie_assets.domain.messages import as_text, has_come
from genie_assets.domain.table import storable

# From the least to the most, as documented; an unknown level counts as more, so that it is noticed.
_LEVELS = ("CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
PRINCIPALS = {
    "user_name": "USER",
    "group_name": "GROUP",
    "service_principal_name": "SERVICE_PRINCIPAL",
}
"""Types of principals, by the fields in which the API names them."""

_A_MOMENT = dt.timedelta(microseconds=1)

REPORTED_FOR = dt.timedelta(days=3)
"""For how long a widened access is reported, so that a check that could not run for a while still tells it."""

Principal = tuple[str, str]  # its type and its name


@dataclass(frozen=True)
class AccessList:
    """Levels by principal.

    Attributes:
        levels: The highest level of each principal, and whether all that gives it is inherited.
        is_whole: Every entry could be read: who is not in it has no access of its own.
    """

    levels: Mapping[Principal, tuple[str, bool]]
    is_whole: bool = True


def access_list(body: Mapping[str, Any]) -> AccessList | None:
    """What an answer of the permissions API says; None if it says nothing.

    An empty list says nothing, too: workspace admins stand in every true one.
    """
    entries = body.get("access_control_list")
    if not isinstance(entries, list):
        return None
    levels: dict[Principal, tuple[str, bool]] = {}
    is_whole = True
    for entry in entries:
        principal, level = _principal(entry), _highest(entry)
        is_whole = is_whole and _is_whole(entry)
        if principal is None or level is None:
            is_whole = False
        elif principal not in levels or rank(levels[principal][0]) < rank(level[0]):
            levels[principal] = level
    return AccessList(levels, is_whole) if levels else None


def own_levels(body: Mapping[str, Any]) -> Mapping[Principal, str]:
    """The highest level of each principal that an object grants itself: what is inherited is left out."""
    return _levels_of(body, inherited=False)


def inherited_levels(body: Mapping[str, Any]) -> Mapping[Principal, str]:
    """The highest level of each principal that comes from a folder or a role."""
    return _levels_of(body, inherited=True)


def _levels_of(body: Mapping[str, Any], *, inherited: bool) -> Mapping[Principal, str]:
    levels: dict[Principal, str] = {}
    for entry in body.get("access_control_list") or ():
        principal, told = _principal(entry), [each for each, comes in _levels(entry) if comes is inherited]
        if principal is not None and told:
            levels[principal] = max((*told, levels.get(principal, told[0])), key=lambda each: (rank(each), each))
    return levels


def changed_permissions(in_force: Sequence[Row], seen: AccessList, now: dt.datetime) -> list[Row]:
    """Rows to write after a look at one space: what begins to be in force, and what ends.

    Args:
        in_force: Its stored rows without an end. Two runs at once may have written one principal twice.
        seen: What the API says now.
        now: The time of the look, UTC.
    """
    right = [row for rows in _by_principal(in_force).values() for row in _in_line(rows)]
    written = [row for row in right if row["valid_to"] is not None]
    known = {_principal_of(row): row for row in right if row["valid_to"] is None}
    for principal, (level, is_inherited) in seen.levels.items():
        before = known.pop(principal, None)
        if before and _level_of(before) == (level, is_inherited):
            continue
        began = max(now, before["valid_from"] + _A_MOMENT) if before else now
        if before:
            written.append({**before, "valid_to": began})
        previous = before["permission_level"] if before else None
        is_wider = previous is None or rank(level) > rank(previous)
        written.append(
            {
                "principal_type": principal[0],
                "principal": principal[1],
                "permission_level": level,
                "is_inherited": is_inherited,
                "previous_level": previous,
                "is_widened": bool(in_force) and is_wider,
                "valid_from": began,
                "valid_to": None,
            }
        )
    if seen.is_whole:
        written += [{**row, "valid_to": max(now, row["valid_from"] + _A_MOMENT)} for row in known.values()]
    return written


def ends_in_line(written: Iterable[Row], stored: Iterable[Row]) -> list[Row]:
    """Rows that end, as they are to be written once what begins instead is stored.

    Another process may have looked later, and stored what it saw before ours was there: then ours is of the time
    in between, and ends when the other one found something else.

    Args:
        written: What a look at one space writes.
        stored: The space's rows by now: those in force, and those that have ended since we began to ask.
    """
    ends = {(_principal_of(row), row["valid_from"]): row["valid_to"] for row in written if row["valid_to"]}
    before = {(_principal_of(row), row["valid_from"]): row for row in stored}
    ended = [row if row["valid_to"] else {**row, "valid_to": ends.get(at)} for at, row in before.items()]
    right = [row for rows in _by_principal(ended).values() for row in _in_line(rows)]
    return [row for row in right if row["valid_to"] != before[_principal_of(row), row["valid_from"]]["valid_to"]]


def _in_line(rows: Iterable[Row]) -> list[Row]:
    """Rows of one principal with their right ends: each is in force until the next one, and only one at a time.

    What was written without knowing of the next one ends when that began, and that one when the first was seen to
    have ended. Of neighbours that say the same the first one stays; the other ends when it began.
    """
    kept: list[Row] = []
    doubled: list[Row] = []
    for row in sorted(rows, key=lambda each: each["valid_from"]):
        before, began = kept[-1] if kept else None, row["valid_from"]
        if row["valid_to"] == began:
            doubled.append(row)
        elif before is None or (before["valid_to"] is not None and before["valid_to"] < began):
            kept.append(row)
        elif _level_of(before) == _level_of(row):
            kept[-1] = {**before, "valid_to": _end_of(before, row)}
            doubled.append({**row, "valid_to": began})
        else:
            kept[-1] = {**before, "valid_to": began}
            kept.append({**row, "valid_to": _end_of(before, row)})
    return kept + doubled


def _end_of(before: Row, row: Row) -> dt.datetime | None:
    """When the later of two rows ends: at the earlier end of both, unless the first has ended for it to begin."""
    ends = [row["valid_to"], *([before["valid_to"]] if before["valid_to"] != row["valid_from"] else [])]
    return min(filter(None, ends), default=None)


def _by_principal(rows: Iterable[Row]) -> dict[Principal, list[Row]]:
    found: dict[Principal, list[Row]] = {}
    for row in rows:
        found.setdefault(_principal_of(row), []).append(row)
    return found


def _principal_of(row: Row) -> Principal:
    return row["principal_type"], row["principal"]


def _level_of(row: Row) -> tuple[str, bool]:
    return row["permission_level"], row["is_inherited"]


def is_overtaken(stored: Iterable[Row], asked_since: dt.datetime, now: dt.datetime) -> bool:
    """Whether somebody stored what began or ended after we began to ask: what we saw may be the past by now.

    The next look says what is so. A time that is yet to come would stop all looks until then.

    Args:
        stored: Rows of the space that are in force or have ended since.
        asked_since: When our run began to ask, UTC.
        now: The time, UTC.
    """
    changed = (row["valid_to"] or row["valid_from"] for row in stored)
    return any(at > asked_since and has_come(at, now) for at in changed)


def widened(rows: Iterable[Row], now: dt.datetime) -> list[Row]:
    """Of rows of `genie_space_permissions`: access that was widened lately, the latest first, each once."""
    lately = [
        row
        for row in rows
        if row["is_widened"] and now - row["valid_from"] <= REPORTED_FOR and row["valid_to"] != row["valid_from"]
    ]
    return sorted(lately, key=lambda row: row["valid_from"], reverse=True)


def _principal(entry: Any) -> Principal | None:
    if not isinstance(entry, dict):
        return None
    named = ((kind, as_text(entry.get(name))) for name, kind in PRINCIPALS.items())
    return next(((kind, storable(name)) for kind, name in named if name), None)


def _is_whole(entry: Any) -> bool:
    """Whether everything that gives an entry a level could be read."""
    told = entry.get("all_permissions") if isinstance(entry, dict) else None
    return isinstance(told, list) and len(told) == len(_levels(entry))


def _highest(entry: Any) -> tuple[str, bool] | None:
    """The highest level of an entry, and whether it is inherited only."""
    levels = _levels(entry)
    return max(levels, key=lambda each: (rank(each[0]), each[0], not each[1])) if levels else None


def _levels(entry: Any) -> list[tuple[str, bool]]:
    """All levels of an entry, each with whether it is inherited."""
    told = entry.get("all_permissions") if isinstance(entry, dict) else None
    return [
        (storable(level), each.get("inherited") is True)
        for each in (told if isinstance(told, list) else [])
        if isinstance(each, dict) and (level := as_text(each.get("permission_level")))
    ]


def is_known_level(level: str) -> bool:
    """Whether it is one of the documented levels."""
    return level in _LEVELS


def rank(level: str) -> int:
    """How much a level allows, among the others; one that is unknown counts as more."""
    return _LEVELS.index(level) if level in _LEVELS else len(_LEVELS)
