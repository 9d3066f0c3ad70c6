"""Looks up what is known of spaces before any is asked for; what that comes to, `domain/known_spaces` says."""

from collections.abc import Collection

from genie_assets.domain.keys import Row
from genie_assets.domain.known_spaces import KnownSpaces, known_of_spaces
from genie_assets.domain.names import new_workspace_names
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    SPACE_FETCH_ERRORS,
    records,
)
from genie_assets.domain.workspaces import not_looked_at
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.error_ledger import close_left_out
from genie_assets.pipeline.names import spread_workspace_names
from genie_assets.pipeline.ports import SystemTables
from genie_assets.pipeline.run import Run

_OF_A_REFERENCE = ["event_date", "workspace_id", "workspace_name", "workspace_url", "space_id"]


def known_spaces(run: Run, system_tables: SystemTables, lake: Lakehouse) -> KnownSpaces:
    """What there is to ask in the workspaces that are looked at. Names that are new on the way are spread."""
    chosen = system_tables.chosen_workspaces
    _leave_out(chosen, lake, run)
    workspaces = {row["workspace_id"]: row for row in records(system_tables.workspaces())}
    references = _references(lake)
    spread_workspace_names(new_workspace_names(references, workspaces, chosen), lake, run.stamp("names"))
    looked_at = records(lake.read(GENIE_SPACE_DETAILS, columns=["workspace_id", "space_id"]))
    return known_of_spaces(references, looked_at, workspaces, chosen)


def _references(lake: Lakehouse) -> list[Row]:
    """What messages say of workspaces and spaces, the latest last."""
    return records(
        lake.read(GENIE_MESSAGES_TO_FETCH, columns=_OF_A_REFERENCE, distinct=True).sort_values("event_date")
    )


def _leave_out(chosen: Collection[str], lake: Lakehouse, run: Run) -> None:
    """Close errors of workspaces that are not looked at; the account, which is none, has no spaces."""
    close_left_out(lake, SPACE_FETCH_ERRORS, chosen, run.clock())
    junk = lake.read(GENIE_SPACE_DETAILS, where=[not_looked_at(())])
    if len(junk):
        lake.merge(GENIE_SPACE_DETAILS, GENIE_SPACE_DETAILS.frame([]), delete=junk)
