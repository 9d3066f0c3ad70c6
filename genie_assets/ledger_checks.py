"""The checks of the ledgers around messages: one step asks one question for all of them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from genie_assets.domain.advice import advice
from genie_assets.domain.numbers import form
from genie_assets.domain.side_ledgers import SIDE_LEDGERS, SideLedger
from genie_assets.domain.unread import OVERDUE_AFTER, Unread
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.side_ledgers import unread_around_messages
from genie_assets.placement import Placement
from genie_assets.run_notes import LEDGER, noted_causes
from genie_assets.settings import load_settings
from genie_assets.showing import counted, counts_table, rows_table, shown
from genie_assets.wiring import Clock

NAME = "ledger_is_clear"
_SAMPLE, _MOST_CLASSES = 20, 20


def build_ledger_is_clear(place: Placement) -> dg.AssetChecksDefinition:
    """The checks."""
    description = (
        "Nothing that was to be read around messages is an open error, or was not looked at for two days."
    )

    @dg.multi_asset_check(
        name=NAME,
        specs=[
            dg.AssetCheckSpec(NAME, asset=place.table_key(each.table), description=description)
            for each in SIDE_LEDGERS
        ],
        can_subset=True,
    )
    def ledger_is_clear(
        context: dg.AssetCheckExecutionContext,
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetCheckResult]:
        """What cannot be read, and what nobody looked at, of comments, agents' steps and evaluations."""
        chosen = load_settings().genie_workspaces
        found = unread_around_messages(genie_lake, genie_clock.now(), chosen, sample=_SAMPLE)
        wanted = {key.asset_key for key in context.selected_asset_check_keys}
        for each, state in found.items():
            if (key := place.table_key(each.table)) in wanted:
                yield _verdict(key, each, state)

    return ledger_is_clear


def _verdict(key: dg.AssetKey, ledger: SideLedger, found: Unread) -> dg.AssetCheckResult:
    columns = [*ledger.table.key, "error_class", "first_error_timestamp", "next_retry_timestamp"]
    rows = [[row[name] for name in columns] for row in found.sample]
    metadata: dict[str, Any] = {
        "open_errors": found.open,
        "parked_errors": found.parked,
        f"overdue_{ledger.name}": found.overdue,
    }
    if found.by_class and not found.overdue:
        # All that is wrong are these classes: they are told as incidents of theirs.
        metadata |= {**noted_causes(found.by_class), LEDGER: ledger.name}
    elif found.by_class:
        metadata |= counts_table("classes", found.by_class)
    if found.by_class:
        metadata["sample"] = rows_table(columns, rows)
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=NAME,
        passed=found.is_clear,
        severity=dg.AssetCheckSeverity.ERROR if found.parked else dg.AssetCheckSeverity.WARN,
        description=_told(ledger, found),
        metadata=metadata,
    )


def _told(ledger: SideLedger, found: Unread) -> str:
    paragraphs = []
    if found.overdue:
        paragraphs.append(
            f"{found.overdue:,} {form(found.overdue, *ledger.things)} waited for a look for more than "
            f"{OVERDUE_AFTER.days} days: is the schedule of the job {ledger.job} on? If it is, its latest run "
            f"says why."
        )
    if found.by_class:
        are = form(found.parked, "is", "are")
        parked = f" {found.parked:,} of them {are} parked: no further attempt is made by itself."
        first = f"{found.open:,} {form(found.open, *ledger.things)} cannot be read: {counted(found.by_class)}."
        paragraphs.append(first + (parked if found.parked else ""))
    classes = sorted(found.by_class)[:_MOST_CLASSES]
    return "\n\n".join([*paragraphs, *(f"{shown(name)}: {advice(name, ledger)}" for name in classes)])
