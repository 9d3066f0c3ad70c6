"""Which spaces are known: how each stands, what a name that a person gives means, and which version a time means.

What a look at a space changes stands in `spaces`.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from genie_assets.domain.keys import Row
from genie_assets.domain.outcomes import ErrorClass

BACKUP_ALLOWED = dt.timedelta(days=3)
"""For so long a space may go without a good look; a good look is noted to half a day."""

_MOST_SHOWN = 20
# A version of a space, behind its name: by its number, or by a time (UTC) at which it was in force.
_VERSION = re.compile(r"(?P<name>.+):(?P<version>v\d+|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?Z?)", re.DOTALL)


class SpaceNameError(RuntimeError):
    """A name that means no space, or several. The message says which there are."""


class Standing(StrEnum):
    """How far a space is backed up."""

    BACKED_UP = "BACKED_UP"  # the last look found it, with its configuration
    BEHIND = "BEHIND"  # an older configuration is kept; the last look could not read or export it
    GONE = "GONE"  # it was read before, and is in the trash or deleted now
    NEVER = "NEVER"  # no configuration was ever read


def standing(row: Mapping[str, Any]) -> Standing:
    """How a space stands, by its row of `genie_space_details`."""
    if row["is_trashed"]:
        return Standing.GONE
    if row["config_hash"] is None:
        return Standing.NEVER
    return Standing.BACKED_UP if row["api_fetch_status"] == "SUCCESS" else Standing.BEHIND


def split_version(reference: str) -> tuple[str, str | None]:
    """The name and the version in `NAME`, `NAME:v3` or `NAME:2026-03-02T12:00`."""
    found = _VERSION.fullmatch(reference)
    return (found["name"], found["version"]) if found else (reference, None)


def meant(name: str, rows: Iterable[Row], workspaces: Mapping[str, str]) -> Row:
    """The one space that a name means: its id, its title, or either with `@` and its workspace's id or name.

    Args:
        name: What a person gave.
        rows: The spaces, of which `workspace_id`, `space_id` and `title` count.
        workspaces: Names of workspaces by id, as far as they are known.

    Raises:
        SpaceNameError: it means none, or several.
    """
    known = list(rows)
    found = _meant(name, known, workspaces)
    if len(found) == 1:
        return found[0]
    if not found:
        raise SpaceNameError(
            f"There is no space {name} among those that are known ({len(known):,}): give its id, its title, or "
            "TITLE@WORKSPACE. `genie-assets spaces list` shows them."
        )
    shown = sorted(f"{row['space_id']}@{row['workspace_id']} ({row['title'] or 'no title'})" for row in found)
    more = f" and {len(shown) - _MOST_SHOWN:,} more" if len(shown) > _MOST_SHOWN else ""
    raise SpaceNameError(f"{name} may mean {', '.join(shown[:_MOST_SHOWN])}{more}: give one of these.")


def _meant(name: str, rows: Sequence[Row], workspaces: Mapping[str, str]) -> list[Row]:
    if found := _called(name, rows):
        return found
    title, at, workspace = name.rpartition("@")
    return _called(title, of_workspace(workspace, rows, workspaces)) if at else []


def of_workspace(workspace: str, rows: Iterable[Row], workspaces: Mapping[str, str]) -> list[Row]:
    """The rows of a workspace, given by its id or name."""
    ids = {workspace, *(each for each, name in workspaces.items() if name == workspace)}
    return [row for row in rows if row["workspace_id"] in ids]


def _called(name: str, rows: Sequence[Row]) -> list[Row]:
    if not name:
        return []
    for column in ("space_id", "title"):
        if found := [row for row in rows if row[column] == name]:
            return found
    return [row for row in rows if (row["title"] or "").casefold() == name.casefold()]


def in_time(versions: Iterable[Row]) -> list[Row]:
    """A space's versions, the oldest first; the number of the first one is 1."""
    return sorted(versions, key=lambda row: (row["valid_from"], row["config_hash"]))


def version_of(versions: Sequence[Row], wanted: str, title: str) -> Row:
    """The version with a number, or in force at a time.

    Args:
        versions: Those of one space, the oldest first.
        wanted: `v3`, a UTC day, or a time of one; a day means its end.
        title: What to call the space.

    Raises:
        SpaceNameError: there is none.
    """
    if not versions:
        raise SpaceNameError(f"No version of {title} is known: its configuration was never read.")
    if wanted.startswith("v"):
        number = int(wanted[1:])
        if 1 <= number <= len(versions):
            return versions[number - 1]
        raise SpaceNameError(f"{title} has versions v1 to v{len(versions)}, and no {wanted}.")
    at = moment(wanted)
    for version in reversed(versions):
        if version["valid_from"] <= at:
            return version
    first = versions[0]["valid_from"]
    raise SpaceNameError(f"{title} is known since {first:%Y-%m-%d %H:%M} UTC, which is after {at:%Y-%m-%d %H:%M}.")


def moment(text: str) -> dt.datetime:
    """A time in UTC; a day without one means its last moment.

    Raises:
        SpaceNameError: it is no time.
    """
    try:
        found = dt.datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        raise SpaceNameError(f"{text} is no time: write it as 2026-01-31 or 2026-01-31T12:00 (UTC).") from None
    if "T" not in text and " " not in text:
        found = dt.datetime.combine(found, dt.time.max)
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found


def failing_since(row: Mapping[str, Any], first_error: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """Since when a space is not backed up any more; None while it is, is gone, or its workspace answers nobody.

    Args:
        row: Its row of `genie_space_details`.
        first_error: When its open error was first seen, if it has one.
        now: The time, UTC.
    """
    if row["api_fetch_status"] == ErrorClass.NOT_RUNNING:
        return None  # nobody can change it there, and nobody can read it
    match standing(row):
        case Standing.GONE:
            return None
        case Standing.BACKED_UP:
            since = row["last_seen_timestamp"]
        case _:
            since = first_error or row["first_seen_timestamp"]
    return since if since is not None and now - since > BACKUP_ALLOWED else None
