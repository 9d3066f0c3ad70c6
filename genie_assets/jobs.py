"""The jobs: one per reason to run something."""

from typing import Any

import dagster as dg

from genie_assets.assets import (
    audit_messages,
    enriched_message_details,
    genie_api_messages,
    genie_space_details,
)
from genie_assets.checks import DAILY_CHECKS, STANDING_CHECKS
from genie_assets.domain.tables import TABLES
from genie_assets.gateways.lakehouse import Lakehouse
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


@dg.op(description="Compact closed days, Z-order them, drop unreferenced files, shorten the logs.")
def maintain_tables(
    context: dg.OpExecutionContext, lake: dg.ResourceParam[Lakehouse], clock: dg.ResourceParam[Clock]
) -> None:
    """Tidy up every table; what was done stands in the op's metadata."""
    today = clock.now().date()
    for table in TABLES:
        report = lake.maintain(table, today=today)
        context.log.info(
            "%s: %d to %d files, %d to %d bytes, %d days compacted, %d files vacuumed",
            table.name,
            report.files_before,
            report.files_after,
            report.bytes_before,
            report.bytes_after,
            report.days_compacted,
            report.files_vacuumed,
        )
        context.log_event(
            dg.AssetObservation(
                asset_key=table.asset,
                description=f"Maintenance of {table.name}",
                metadata={"table": table.name, **{k: v for k, v in report.__dict__.items() if v is not None}},
            )
        )


@dg.job(description="OPTIMIZE with ZORDER, vacuum and log cleanup of every table.")
def genie_maintenance() -> None:
    """Weekly upkeep of the tables."""
    maintain_tables()


JOBS: list[Any] = [genie_daily, genie_retry, genie_spaces, genie_standing_checks, genie_maintenance]
