"""Which spaces are known before any is asked for, and where: from messages, earlier looks, and the workspaces.

What a look at one comes to does not belong here (`spaces`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.space_facts import SpaceFacts, facts_of
from genie_assets.domain.workspaces import is_looked_at, is_running, is_workspace


@dataclass(frozen=True)
class KnownSpaces:
    """What there is to ask.

    Attributes:
        urls: Addresses of the workspaces, by id: of all that run, and of those of which something is known.
        spaces: The spaces that messages or earlier looks name.
        facts: What earlier looks know of spaces besides their configurations.
    """

    urls: Mapping[str, str | None]
    spaces: set[SpaceKey]
    facts: Mapping[SpaceKey, SpaceFacts] = field(default_factory=dict)


def known_of_spaces(
    references: Iterable[Row], looked_at: Iterable[Row], workspaces: Mapping[str, Row], chosen: Collection[str]
) -> KnownSpaces:
    """What there is to ask in the workspaces that are looked at.

    The account's list of workspaces knows an address best; of one that it does not name, the latest message does.

    Args:
        references: What messages say of workspaces and spaces, the latest last.
        looked_at: The spaces of earlier looks, with `FACTS` of `space_facts`.
        workspaces: Rows of `sql/workspaces.sql` by id.
        chosen: Workspaces that are looked at; none stands for all.
    """
    references = [row for row in references if is_looked_at(row["workspace_id"], chosen)]
    looked_at = list(looked_at)
    named = [row for row in (*references, *looked_at) if row["space_id"]]
    spaces = {SpaceKey.of(row) for row in named if is_looked_at(row["workspace_id"], chosen)}
    running = {workspace_id for workspace_id, row in workspaces.items() if is_running(row["status"])}
    seen = {row["workspace_id"]: row["workspace_url"] for row in references if row["workspace_url"]}
    known = {row["workspace_id"] for row in references} | {key.workspace_id for key in spaces}
    urls = {
        workspace_id: workspaces.get(workspace_id, {}).get("workspace_url") or seen.get(workspace_id)
        for workspace_id in sorted(running | known)
        if is_workspace(workspace_id)
    }
    return KnownSpaces(urls, spaces, {SpaceKey.of(row): facts_of(row) for row in looked_at})
