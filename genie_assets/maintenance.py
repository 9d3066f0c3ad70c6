"""The job `genie_maintenance`: tidies up our tables, and the runs that Dagster would keep for ever."""

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.old_runs import Ours, delete_run, prunable_runs
from genie_assets.pipeline.maintenance import maintain, tables_named, tables_of
from genie_assets.placement import Placement
from genie_assets.reporting import maintenance_metadata, maintenance_summary
from genie_assets.wiring import Clock

MAINTAIN = "maintain_tables"


class MaintenanceConfig(dg.Config):
    """Which tables to maintain."""

    tables: list[str] = Field(default=[], description="Names of the tables to maintain; all of them if empty.")


class PruningConfig(dg.Config):
    """Which old runs to delete."""

    keep_days: int = Field(
        default=30, ge=7, description="Runs younger than this stay, and all that are the latest of something."
    )
    at_most: int = Field(default=1000, ge=0, description="So many runs are deleted in one go; 0 deletes none.")


def of_the_day(day: dt.date) -> dict[str, Any]:
    """The configuration of the job with which it maintains the tables whose turn it is."""
    tables = [table.name for table in tables_of(day)]
    return {"ops": {MAINTAIN: {"config": MaintenanceConfig(tables=tables).model_dump()}}}


def build_maintenance(place: Placement, ours: Ours, **options: Any) -> dg.JobDefinition:
    """The job. Its two ops depend on nothing: one that fails does not keep the other from its work."""

    @dg.op(
        name=MAINTAIN,
        out=dg.Out(dg.Nothing),
        description="Compact closed days, Z-order them, drop unreferenced files, shorten the logs.",
    )
    def maintain_tables(
        context: dg.OpExecutionContext,
        config: MaintenanceConfig,
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
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
        for result in maintain(genie_lake, tables, today=genie_clock.now().date()):
            results.append(result)
            if result.problem:
                context.log.error(result.problem)
            else:
                # Yielded, because Dagster drops what was handed to `context.log_event` when the op fails.
                yield dg.AssetObservation(
                    asset_key=place.table_key(result.table),
                    description=f"Maintenance of {result.table.name}",
                    metadata=maintenance_metadata(result),
                )
        summary = maintenance_summary(results)
        if problems := [result.problem for result in results if result.problem]:
            sentence = f"{len(problems)} of {len(results)} tables could not be maintained."
            raise dg.Failure(f"{sentence} {'; '.join(problems)}", metadata=summary)
        yield dg.Output(None, metadata=summary)

    @dg.op(
        out=dg.Out(dg.Nothing),
        description="Delete old runs of this code location that are the latest of no partition and no check.",
    )
    def prune_runs(context: dg.OpExecutionContext, config: PruningConfig) -> dg.Output[None]:
        """Delete what nothing refers to any more; what is left for the next time is told, too."""
        started, now = time.monotonic(), dt.datetime.now(dt.UTC)
        old = prunable_runs(
            context.instance,
            ours,
            created_before=now - dt.timedelta(days=config.keep_days),
            at_most=config.at_most,
        )
        for run in old:
            delete_run(context.instance, run)
        seconds = round(time.monotonic() - started, 3)
        return dg.Output(None, metadata={"runs_deleted": len(old), "seconds": seconds})

    @dg.job(
        description="OPTIMIZE with ZORDER, vacuum and log cleanup of every table, or of those in the op's config; "
        "and the end of old runs.",
        **options,
    )
    def genie_maintenance() -> None:
        """Weekly upkeep of the tables and of the instance."""
        maintain_tables()
        prune_runs()

    return genie_maintenance
