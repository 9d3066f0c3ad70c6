"""The jobs: one per reason to run something."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from genie_assets.assets import (
    audit_messages,
    enriched_message_details,
    genie_api_messages,
    genie_space_details,
)
from genie_assets.checks import DAILY_CHECKS, STANDING_CHECKS
from genie_assets.gateways.lakehouse import Lakehouse
from genie_assets.pipeline.upkeep_tables import tables_named, upkeep
from genie_assets.reporting import maintenance_metadata, maintenance_summary
from genie_assets.resources import Clock

_DAILY_CHECKS = dg.AssetSelection.checks(*DAILY_CHECKS)

genie_daily = dg.define_asset_job(
    "genie_daily",
    selection=dg.AssetSelection.assets(
        audit_messages, genie_api_messages, enriched_message_details
    ).without_checks()
    | _DAILY_CHECKS,
    description="One UTC day: discover its messages, fetch them, fold them, check the day.",
)
genie_retry = dg.define_asset_job(
    "genie_retry",
    # The audit log has nothing to add: what is retried is known.
    selection=dg.AssetSelection.assets(genie_api_messages, enriched_message_details).without_checks()
    | _DAILY_CHECKS,
    description="One UTC day whose errors are due: fetch them, fold them, check the day.",
)
# A job of its own: in a job with the daily assets it would run once per day of every backfill.
genie_spaces = dg.define_asset_job(
    "genie_spaces",
    selection=dg.AssetSelection.assets(genie_space_details),
    description="Back up the configuration of every known space.",
)
genie_standing_checks = dg.define_asset_job(
    "genie_standing_checks",
    selection=dg.AssetSelection.checks(*STANDING_CHECKS),
    description="What is broken now, over all days.",
)


class MaintenanceConfig(dg.Config):
    """Which tables to maintain."""

    tables: list[str] = Field(default=[], description="Names of the tables to maintain; all of them if empty.")


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Compact closed days, Z-order them, drop unreferenced files, shorten the logs.",
)
def maintain_tables(
    context: dg.OpExecutionContext,
    config: MaintenanceConfig,
    lake: dg.ResourceParam[Lakehouse],
    clock: dg.ResourceParam[Clock],
) -> Iterator[dg.AssetObservation | dg.Output[None]]:
    """Tidy up the chosen tables; the numbers stand at each asset and at the op's output.

    Raises:
        Failure: some tables could not be maintained, and all others were; or a table does not exist.
    """
    try:
        tables = tables_named(config.tables)
    except ValueError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    results = []
    for result in upkeep(lake, tables, today=clock.now().date()):
        results.append(result)
        if result.problem:
            context.log.error(result.problem)
        else:
            # Yielded, because Dagster drops what was handed to `context.log_event` when the op fails.
            yield dg.AssetObservation(
                asset_key=result.table.asset,
                description=f"Maintenance of {result.table.name}",
                metadata=maintenance_metadata(result),
            )
    summary = maintenance_summary(results)
    if problems := [result.problem for result in results if result.problem]:
        sentence = f"{len(problems)} of {len(results)} tables could not be maintained."
        raise dg.Failure(f"{sentence} {'; '.join(problems)}", metadata=summary)
    yield dg.Output(None, metadata=summary)


@dg.job(description="OPTIMIZE with ZORDER, vacuum and log cleanup of every table, or of those in the op's config.")
def genie_maintenance() -> None:
    """Weekly upkeep of the tables."""
    maintain_tables()


JOBS: list[Any] = [genie_daily, genie_retry, genie_spaces, genie_standing_checks, genie_maintenance]
