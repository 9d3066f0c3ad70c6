"""Names that become known after messages were folded without them: which rows lack them, and what they become.

The same of the addresses of workspaces: what is asked of a message is sent to where its rows say.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.questions import Exists, Filter, In, IsNull, Not, Rows
from genie_assets.domain.tables import GENIE_SPACE_DETAILS
from genie_assets.domain.workspaces import is_looked_at

WorkspaceColumn = Literal["workspace_name", "workspace_url"]
"""What the account's list says of a workspace, and so do the rows of its messages."""


WITHOUT_KNOWN_TITLE: tuple[Filter, ...] = (
    IsNull("space_name"),
    Exists(Rows(GENIE_SPACE_DETAILS, [Not([IsNull("title")])]), SpaceKey._fields),
)
"""Rows of `message_details` that lack the title of their space though one is stored."""


def new_titles(before: Mapping[SpaceKey, Row], rows: Iterable[Row]) -> dict[SpaceKey, str]:
    """Titles of the spaces of which none was known before these rows of `genie_space_details`.

    Of a space that was never looked at nobody waits for it: no message is folded before its space was looked at.
    """
    return {
        SpaceKey.of(row): row["title"]
        for row in rows
        if row.get("title") and SpaceKey.of(row) in before and not before[SpaceKey.of(row)].get("title")
    }


def without_title(titles: Mapping[SpaceKey, str]) -> list[Filter]:
    """Rows of `message_details` that lack the title of one of these spaces, and perhaps some of others' spaces."""
    return [IsNull("space_name"), In("space_id", sorted({key.space_id for key in titles}))]


def titled(rows: Iterable[Row], titles: Mapping[SpaceKey, str]) -> list[Row]:
    """The rows whose space has one of these titles, with it."""
    return [{**row, "space_name": titles[SpaceKey.of(row)]} for row in rows if SpaceKey.of(row) in titles]


def new_of_workspaces(
    column: WorkspaceColumn, references: Iterable[Row], workspaces: Mapping[str, Row], chosen: Collection[str]
) -> dict[str, str]:
    """Names or addresses, by id, of the workspaces of which it was unknown when some message was found.

    Args:
        column: Which of them.
        references: What messages say of their workspaces.
        workspaces: Rows of `sql/workspaces.sql` by id.
        chosen: Workspaces that are looked at; none stands for all.
    """
    lacking = {row["workspace_id"] for row in references if not row[column]}
    return {
        each: said
        for each in lacking
        if is_looked_at(each, chosen) and (said := workspaces.get(each, {}).get(column))
    }


def lacking_of_workspaces(column: WorkspaceColumn, said: Mapping[str, str]) -> list[Filter]:
    """Rows of messages that lack what is said of one of these workspaces."""
    return [IsNull(column), In("workspace_id", sorted(said))]


def with_said_of_workspaces(column: WorkspaceColumn, rows: Iterable[Row], said: Mapping[str, str]) -> list[Row]:
    """The rows with what is said of their workspaces, which are among these."""
    return [{**row, column: said[row["workspace_id"]]} for row in rows]
