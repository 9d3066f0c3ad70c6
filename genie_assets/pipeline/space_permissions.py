"""Who may do what with the spaces, as a history: what is new of it is decided in `domain.space_permissions`."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.keys import Row, SpaceKey, by_space
from genie_assets.domain.questions import Between, Equals, In, IsNull, Rows, Wanted
from genie_assets.domain.requests import SpacePermissions
from genie_assets.domain.space_permissions import (
    AccessList,
    access_list,
    changed_permissions,
    ends_in_line,
    is_overtaken,
    widened,
)
from genie_assets.domain.tables import GENIE_SPACE_PERMISSIONS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.names import space_titles
from genie_assets.pipeline.ports import Genie
from genie_assets.pipeline.run import Run


@dataclass(frozen=True)
class PermissionsReport:
    """What one look at access lists found."""

    read: int = 0
    unknown: int = 0  # spaces whose list was refused, not found, empty, or not asked for in time
    changed: int = 0  # rows written: what began and what ended
    requests: int = 0


def keep_permissions(
    spaces: Collection[SpaceKey], urls: Mapping[str, str | None], *, genie: Genie, lake: Lakehouse, run: Run
) -> PermissionsReport:
    """Ask who may do what with these spaces, and store what differs from what is known.

    What cannot be read changes nothing: it is not known, which is not the same as nobody.
    """
    requests = [
        SpacePermissions(key.workspace_id, urls.get(key.workspace_id), key.space_id) for key in sorted(spaces)
    ]
    found: dict[SpaceKey, AccessList] = {}
    asked, asked_since = 0, run.clock()
    for result in genie.fetch(requests, deadline=run.deadline):
        asked += result.requests_made
        for space_id, answer in result.answers.items():
            seen = access_list(answer.body)
            if seen is not None:
                found[SpaceKey(result.request.workspace_id, space_id)] = seen
    changed = _store(found, asked_since, lake, run) if found else 0
    return PermissionsReport(len(found), len(requests) - len(found), changed, asked)


def widened_lately(lake: Lakehouse, now: dt.datetime) -> list[Row]:
    """Access that was widened lately, the latest first, with the titles of the spaces."""
    rows = widened(lake.records(GENIE_SPACE_PERMISSIONS, where=[Equals("is_widened", True)]), now)
    titles = space_titles(lake, (row["workspace_id"] for row in rows))
    return [{**row, "title": titles.get(SpaceKey.of(row))} for row in rows]


def _store(found: Mapping[SpaceKey, AccessList], asked_since: dt.datetime, lake: Lakehouse, run: Run) -> int:
    """Store what is new. Where another process has stored something since we asked, ours changes nothing.

    What begins is stored before what it ends, and then looked at again: a process that stores something in between
    either sees what we began, or has it end when that process looked.
    """
    # Taken first: whoever stores something that we have not read has looked later.
    stamp = run.stamp("permissions")
    stored, by_now = _stored(found, asked_since, lake), run.clock()
    written = {
        key: changed_permissions(_in_force(stored[key]), seen, stamp["ingestion_timestamp"])
        for key, seen in found.items()
        if not is_overtaken(stored[key], asked_since, by_now)
    }
    begun = {key: [row for row in rows if row["valid_to"] is None] for key, rows in written.items()}
    _merge(begun, lake, stamp)
    ending = {key: rows for key, rows in written.items() if len(rows) > len(begun[key])}
    if any(begun[key] for key in ending):
        stored = _stored(ending, asked_since, lake)
    _merge({key: ends_in_line(rows, stored[key]) for key, rows in ending.items()}, lake, stamp)
    return sum(map(len, written.values()))


def _stored(spaces: Iterable[SpaceKey], asked_since: dt.datetime, lake: Lakehouse) -> dict[SpaceKey, list[Row]]:
    """The rows of these spaces that are in force, or have ended since we began to ask."""
    keys = list(spaces)
    ids = In("space_id", sorted({key.space_id for key in keys}))
    ended = Between("valid_to", asked_since)
    names = GENIE_SPACE_PERMISSIONS.column_names
    found = lake.together(
        {
            "in force": Wanted(Rows(GENIE_SPACE_PERMISSIONS, [ids, IsNull("valid_to")]), names),
            "ended lately": Wanted(Rows(GENIE_SPACE_PERMISSIONS, [ids, ended]), names),
        }
    )
    rows = by_space([*found["in force"], *found["ended lately"]])
    return {key: rows[key] for key in keys}


def _in_force(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["valid_to"] is None]


def _merge(rows: Mapping[SpaceKey, Iterable[Row]], lake: Lakehouse, stamp: Mapping[str, Any]) -> None:
    of_spaces = [{**row, **key._asdict(), **stamp} for key, each in rows.items() for row in each]
    if of_spaces:
        lake.merge(GENIE_SPACE_PERMISSIONS, GENIE_SPACE_PERMISSIONS.frame(of_spaces))
