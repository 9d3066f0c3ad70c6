"""The checks of spaces: that each is backed up, that no access was widened. The others stand in `checks`."""

from collections import Counter

import dagster as dg

from genie_assets.domain.inventory import BACKUP_ALLOWED
from genie_assets.domain.numbers import form, many
from genie_assets.domain.space_permissions import REPORTED_FOR
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.space_backups import NotBackedUp, not_backed_up
from genie_assets.pipeline.space_permissions import widened_lately
from genie_assets.settings import load_settings
from genie_assets.showing import counted, named_spaces, rows_table
from genie_assets.wiring import Clock

_SAMPLE = 20


def spaces_are_backed_up(
    genie_lake: dg.ResourceParam[Lakehouse], genie_clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """Every known space of workspaces that are looked at was read with its configuration within three days."""
    found = not_backed_up(genie_lake, genie_clock.now(), load_settings().genie_workspaces)
    rows = [(each.title, each.key.space_id, each.key.workspace_id, each.status, each.since) for each in found]
    columns = ["title", "space id", "workspace id", "last look", "since"]
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=_told(found) if found else "",
        metadata={
            "spaces_not_backed_up": len(found),
            **({"sample": rows_table(columns, rows[:_SAMPLE])} if found else {}),
        },
    )


def no_access_was_widened(
    genie_lake: dg.ResourceParam[Lakehouse], genie_clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """Nobody got more access to a space within the last three days than the look before had found."""
    found = widened_lately(genie_lake, genie_clock.now())
    rows = [
        (
            row["title"],
            row["space_id"],
            row["principal"]
            if row["principal_type"] == "GROUP"
            else row["principal_type"].lower().replace("_", " "),
            row["previous_level"] or "none",
            row["permission_level"],
            row["valid_from"],
        )
        for row in found
    ]
    columns = ["title", "space id", "who", "before", "now", "found"]
    told = (
        f"Access to {many(len({row['space_id'] for row in found}), 'space')} was widened, as looks of the last "
        f"{REPORTED_FOR.days} days found. If that was not meant, take it back in the space's sharing dialog. "
        "Who it is stands in genie_space_permissions."
    )
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=told if found else "",
        metadata={
            "accesses_widened": len(found),
            **({"sample": rows_table(columns, rows[:_SAMPLE])} if found else {}),
        },
    )


def _told(found: list[NotBackedUp]) -> str:
    names = named_spaces([(each.key, each.title) for each in found])
    classes = counted(Counter(each.status or "unknown" for each in found))
    return (
        f"{many(len(found), 'space')} {form(len(found), 'was', 'were')} not backed up for more than "
        f"{BACKUP_ALLOWED.days} days, the first since {found[0].since:%Y-%m-%d}: {names}. What their last look "
        f"said: {classes}. SUCCESS means that no run has looked: is the schedule of the job genie_spaces on? "
        "PERMISSION: grant CAN EDIT or CAN MANAGE. What was backed up before is kept."
    )
