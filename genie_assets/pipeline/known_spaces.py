"""What is known of spaces before any is asked for: which there are, where they are, and which nobody looks at."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    SPACE_FETCH_ERRORS,
    records,
)
from genie_assets.domain.workspaces import is_looked_at, is_running, is_workspace, not_looked_at
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.error_ledger import close_left_out
from genie_assets.pipeline.names import spread_workspace_names
from genie_assets.pipeline.ports import SystemTables
from genie_assets.pipeline.run import Run

_OF_A_REFERENCE = ["event_date", "workspace_id", "workspace_name", "workspace_url", "space_id"]


@dataclass(frozen=True)
class KnownSpaces:
    """What there is to ask.

    Attributes:
        urls: Addresses of the workspaces, by id: of all that run, and of those of which something is known.
        spaces: The spaces that messages or earlier looks name.
    """

    urls: Mapping[str, str | None]
    spaces: set[SpaceKey]


def known_spaces(run: Run, system_tables: SystemTables, lake: Lakehouse) -> KnownSpaces:
    """What there is to ask in the workspaces that are looked at. Names that are new on the way are spread."""
    chosen = system_tables.chosen_workspaces
    _leave_out(chosen, lake, run)
    current = {row["workspace_id"]: row for row in records(system_tables.workspaces())}
    references = [row for row in _references(lake) if is_looked_at(row["workspace_id"], chosen)]
    spread_workspace_names(_new_names(references, current), lake, run.stamp("names"))
    looked_at = records(lake.read(GENIE_SPACE_DETAILS, columns=["workspace_id", "space_id"]))
    named = [row for row in (*references, *looked_at) if row["space_id"]]
    spaces = {SpaceKey.of(row) for row in named if is_looked_at(row["workspace_id"], chosen)}
    running = {workspace_id for workspace_id, row in current.items() if is_running(row["status"])}
    seen = {row["workspace_id"]: row["workspace_url"] for row in references if row["workspace_url"]}
    known = {row["workspace_id"] for row in references} | {key.workspace_id for key in spaces}
    urls = {
        workspace_id: current.get(workspace_id, {}).get("workspace_url") or seen.get(workspace_id)
        for workspace_id in sorted(running | known)
        if is_workspace(workspace_id)
    }
    return KnownSpaces(urls, spaces)


def _references(lake: Lakehouse) -> list[Row]:
    """What messages say of workspaces and spaces, the latest last."""
    return records(
        lake.read(GENIE_MESSAGES_TO_FETCH, columns=_OF_A_REFERENCE, distinct=True).sort_values("event_date")
    )


def _new_names(references: Collection[Row], current: Mapping[str, Row]) -> dict[str, str]:
    """Names of the workspaces that had none when some message was found."""
    nameless = {row["workspace_id"] for row in references if not row["workspace_name"]}
    return {each: name for each in nameless if (name := current.get(each, {}).get("workspace_name"))}


def _leave_out(chosen: Collection[str], lake: Lakehouse, run: Run) -> None:
    """Close errors of workspaces that are not looked at; the account, which is none, has no spaces."""
    close_left_out(lake, SPACE_FETCH_ERRORS, chosen, run.clock())
    junk = lake.read(GENIE_SPACE_DETAILS, where=[not_looked_at(())])
    if len(junk):
        lake.merge(GENIE_SPACE_DETAILS, GENIE_SPACE_DETAILS.frame([]), delete=junk)
