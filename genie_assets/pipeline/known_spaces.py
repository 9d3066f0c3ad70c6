"""Looks up what is known of spaces before any is asked for; what that comes to, `domain/known_spaces` says."""

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.known_spaces import KnownSpaces, known_of_spaces
from genie_assets.domain.names import WITHOUT_KNOWN_TITLE, new_of_workspaces
from genie_assets.domain.questions import Counted, IsNull, Not, Rows, Wanted
from genie_assets.domain.space_facts import FACTS
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    MESSAGE_DETAILS,
    SPACE_FETCH_ERRORS,
    records,
)
from genie_assets.domain.workspaces import not_looked_at
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.error_ledger import leave_out, left_out_question
from genie_assets.pipeline.names import spread_known_titles, spread_workspace_names, spread_workspace_urls
from genie_assets.pipeline.ports import SystemTables
from genie_assets.pipeline.run import Run

_OF_A_REFERENCE = ["event_date", "workspace_id", "workspace_name", "workspace_url", "space_id"]


def known_spaces(run: Run, system_tables: SystemTables, lake: Lakehouse) -> KnownSpaces:
    """What there is to ask in the workspaces that are looked at.

    Names and addresses that are new on the way are spread; so are names that were spread before, if a fold has
    stored messages since that had looked even earlier.
    """
    chosen = system_tables.chosen_workspaces
    found = lake.together(
        {
            "left out": left_out_question(SPACE_FETCH_ERRORS, chosen),
            "untitled": Counted(Rows(MESSAGE_DETAILS, WITHOUT_KNOWN_TITLE), by=SpaceKey._fields),
            "unnamed": Counted(Rows(MESSAGE_DETAILS, [IsNull("workspace_name")]), by=["workspace_id"]),
            "junk": Wanted(Rows(GENIE_SPACE_DETAILS, [not_looked_at(())]), GENIE_SPACE_DETAILS.key),
            "references": Wanted(Rows(GENIE_MESSAGES_TO_FETCH), _OF_A_REFERENCE, distinct=True),
            "looked at": Wanted(
                Rows(GENIE_SPACE_DETAILS, [Not([not_looked_at(())])]), [*GENIE_SPACE_DETAILS.key, *FACTS]
            ),
        }
    )
    leave_out(lake, SPACE_FETCH_ERRORS, found["left out"], run.clock())
    if found["junk"]:  # the account, which is no workspace, has no spaces
        gone = GENIE_SPACE_DETAILS.frame(found["junk"])
        lake.store(GENIE_SPACE_DETAILS, GENIE_SPACE_DETAILS.frame([]), delete=gone)
    workspaces = {row["workspace_id"]: row for row in records(system_tables.workspaces())}
    # What messages say, the latest last.
    references = sorted(found["references"], key=lambda row: row["event_date"])
    unnamed = [{**row, "workspace_name": None} for row in found["unnamed"]]
    names = new_of_workspaces("workspace_name", [*references, *unnamed], workspaces, chosen)
    spread_workspace_names(names, lake, run.stamp("names"))
    spread_known_titles({SpaceKey.of(row) for row in found["untitled"]}, lake, run.stamp("titles"))
    spread_workspace_urls(new_of_workspaces("workspace_url", references, workspaces, chosen), lake)
    return known_of_spaces(references, found["looked at"], workspaces, chosen)
