"""Who may do what with the spaces, as a history: what is new of it is decided in `domain.space_permissions`."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from genie_assets.domain.keys import Row, SpaceKey, by_space
from genie_assets.domain.questions import Between, Equals, In, IsNull, Rows, Wanted
from genie_assets.domain.requests import SpacePermissions
from genie_assets.domain.space_permissions import (
    AccessList,
    access_list,
    changed_permissions,
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
    """Store what is new. Where another process has stored something since we asked, ours changes nothing."""
    ids = In("space_id", sorted({key.space_id for key in found}))
    ended = Between("valid_to", asked_since)
    names = GENIE_SPACE_PERMISSIONS.column_names
    stored = lake.together(
        {
            "in force": Wanted(Rows(GENIE_SPACE_PERMISSIONS, [ids, IsNull("valid_to")]), names),
            "ended lately": Wanted(Rows(GENIE_SPACE_PERMISSIONS, [ids, ended]), names),
        }
    )
    in_force, lately = by_space(stored["in force"]), by_space(stored["ended lately"])
    stamp, by_now = run.stamp("permissions"), run.clock()
    rows = [
        {**row, "workspace_id": key.workspace_id, "space_id": key.space_id, **stamp}
        for key, seen in found.items()
        if not is_overtaken((*in_force[key], *lately[key]), asked_since, by_now)
        for row in changed_permissions(in_force[key], seen, stamp["ingestion_timestamp"])
    ]
    if rows:
        lake.merge(GENIE_SPACE_PERMISSIONS, GENIE_SPACE_PERMISSIONS.frame(rows))
    return len(rows)
