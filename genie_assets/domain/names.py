"""Names that become known after messages were folded without them: which rows lack them, and what they become."""

from collections.abc import Collection, Iterable, Mapping

from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.questions import Filter, In, IsNull
from genie_assets.domain.workspaces import is_looked_at


def new_titles(before: Mapping[SpaceKey, Row], rows: Iterable[Row]) -> dict[SpaceKey, str]:
    """Titles of the spaces of which none was known before these rows of `genie_space_details`."""
    return {
        SpaceKey.of(row): row["title"]
        for row in rows
        if row.get("title") and not before.get(SpaceKey.of(row), {}).get("title")
    }


def without_title(titles: Mapping[SpaceKey, str]) -> list[Filter]:
    """Rows of `message_details` that lack the title of one of these spaces, and perhaps some of others' spaces."""
    return [IsNull("space_name"), In("space_id", sorted({key.space_id for key in titles}))]


def titled(rows: Iterable[Row], titles: Mapping[SpaceKey, str]) -> list[Row]:
    """The rows whose space has one of these titles, with it."""
    return [{**row, "space_name": titles[SpaceKey.of(row)]} for row in rows if SpaceKey.of(row) in titles]


def new_workspace_names(
    references: Iterable[Row], workspaces: Mapping[str, Row], chosen: Collection[str]
) -> dict[str, str]:
    """Names, by id, of the workspaces that had none when some message was found.

    Args:
        references: What messages say of their workspaces.
        workspaces: Rows of `sql/workspaces.sql` by id.
        chosen: Workspaces that are looked at; none stands for all.
    """
    nameless = {row["workspace_id"] for row in references if not row["workspace_name"]}
    return {
        each: name
        for each in nameless
        if is_looked_at(each, chosen) and (name := workspaces.get(each, {}).get("workspace_name"))
    }


def without_workspace_name(names: Mapping[str, str]) -> list[Filter]:
    """Rows of messages that lack the name of one of these workspaces."""
    return [IsNull("workspace_name"), In("workspace_id", sorted(names))]


def with_workspace_name(rows: Iterable[Row], names: Mapping[str, str]) -> list[Row]:
    """The rows with the names of their workspaces, which are among these."""
    return [{**row, "workspace_name": names[row["workspace_id"]]} for row in rows]
