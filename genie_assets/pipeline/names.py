"""Names as they are stored; those that become known are written into the rows that were made without them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from genie_assets.domain.folded_again import in_parts
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.names import (
    WorkspaceColumn,
    lacking_of_workspaces,
    titled,
    with_said_of_workspaces,
    without_title,
)
from genie_assets.domain.questions import Filter, In
from genie_assets.domain.table import Table
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, GENIE_SPACE_DETAILS, MESSAGE_DETAILS, records
from genie_assets.gateways.lakehouse.interface import Lakehouse

OF_A_SPACE = ("workspace_id", "space_id", "title")
"""What `space_titles` are made of."""


class _Lacking(NamedTuple):
    """Rows that lack a name.

    Attributes:
        table: Where they are; it is partitioned by day.
        column: What they lack.
        where: Which of them are meant.
    """

    table: Table
    column: str
    where: Sequence[Filter]


def space_titles(lake: Lakehouse, workspace_ids: Iterable[str]) -> dict[SpaceKey, str | None]:
    """Titles of the stored spaces of these workspaces; None where a space was never readable."""
    of_these = In("workspace_id", sorted(set(workspace_ids)))
    rows = lake.records(GENIE_SPACE_DETAILS, columns=OF_A_SPACE, where=[of_these]) if of_these.values else []
    return {SpaceKey.of(row): row["title"] for row in rows}


def spread_titles(titles: Mapping[SpaceKey, str], lake: Lakehouse, stamp: Mapping[str, Any]) -> None:
    """Give the titles of these spaces to all their messages that lack one.

    To be done before the titles themselves are stored: if a run dies in between, the next one does it again.
    """
    if titles:
        lacking = _Lacking(MESSAGE_DETAILS, "space_name", without_title(titles))
        _spread(lacking, lambda rows: titled(rows, titles), lake, stamp)


def spread_known_titles(spaces: Collection[SpaceKey], lake: Lakehouse, stamp: Mapping[str, Any]) -> None:
    """Give the stored titles of these spaces to their messages that lack one."""
    if spaces:
        known = space_titles(lake, (key.workspace_id for key in spaces))
        spread_titles({key: title for key in spaces if (title := known.get(key))}, lake, stamp)


def spread_workspace_names(names: Mapping[str, str], lake: Lakehouse, stamp: Mapping[str, Any]) -> None:
    """Give these names of workspaces, by id, to all rows of messages that lack one.

    What the audit log said comes last: it is what tells that a name was unknown.
    """
    _spread_of_workspaces(MESSAGE_DETAILS, "workspace_name", names, lake, stamp)
    # When such a row was written says what the log could tell by then: that stays.
    _spread_of_workspaces(GENIE_MESSAGES_TO_FETCH, "workspace_name", names, lake, {})


def spread_workspace_urls(urls: Mapping[str, str], lake: Lakehouse) -> None:
    """Give these addresses of workspaces, by id, to all references that lack one."""
    _spread_of_workspaces(GENIE_MESSAGES_TO_FETCH, "workspace_url", urls, lake, {})


def _spread_of_workspaces(
    table: Table, column: WorkspaceColumn, said: Mapping[str, str], lake: Lakehouse, stamp: Mapping[str, Any]
) -> None:
    if said:
        lacking = _Lacking(table, column, lacking_of_workspaces(column, said))
        _spread(lacking, lambda rows: with_said_of_workspaces(column, rows, said), lake, stamp)


def _spread(
    lacking: _Lacking, named: Callable[[Iterable[Row]], list[Row]], lake: Lakehouse, stamp: Mapping[str, Any]
) -> None:
    """Name the rows, some thousands at a time. Whatever else becomes known of them meanwhile stays."""
    table, column, where = lacking
    day = table.partitioned_by or ""
    counted = lake.count(table, by=[day], where=where)
    known = list(dict.fromkeys([*table.key, day, "workspace_id", "space_id"]))
    for days in in_parts({row[day]: row["count"] for row in counted}):
        rows = named(records(lake.read(table, columns=known, days=days, where=where)))
        lake.fill(table, table.frame({**row, **stamp} for row in rows), column, besides=list(stamp))
