"""The schedules: when each job runs by itself. All are off until they are switched on.

Written by hand and keyed by the scheduled time: with today as a partition, Dagster's own builder would ask for
today only, and a closed day must be looked at again for rows that arrived late.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import dagster as dg

from genie_assets.jobs import genie_daily, genie_maintenance, genie_spaces, genie_standing_checks
from genie_assets.settings import load_settings

REASON = "genie/reason"


@dg.schedule(
    job=genie_daily,
    cron_schedule="15 * * * *",
    execution_timezone="UTC",
    description="The messages of today, every hour.",
)
def today_hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The messages of today, every hour."""
    at = context.scheduled_execution_time
    return dg.RunRequest(
        partition_key=at.date().isoformat(),
        run_key=f"hourly/{at:%Y-%m-%dT%H}",
        # Runs go one at a time: today does not wait behind a long backfill.
        tags={REASON: "hourly", "dagster/priority": "1"},
    )


@dg.schedule(
    job=genie_daily,
    cron_schedule="30 3 * * *",
    execution_timezone="UTC",
    description="The last closed days once more (GENIE_SETTLED_DAYS), for rows that arrived late.",
)
def settled_days_daily(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """The last closed days once more, for audit and history rows that arrived late (GENIE_SETTLED_DAYS)."""
    at = context.scheduled_execution_time
    for back in range(1, load_settings().genie_settled_days + 1):
        day = (at.date() - dt.timedelta(days=back)).isoformat()
        yield dg.RunRequest(partition_key=day, run_key=f"settled/{at:%Y-%m-%d}/{day}", tags={REASON: "settled"})


def _without_partition(name: str, job: Any, cron_schedule: str, description: str) -> dg.ScheduleDefinition:
    """A schedule that runs a job without partitions once per tick."""

    @dg.schedule(
        name=name, job=job, cron_schedule=cron_schedule, execution_timezone="UTC", description=description
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"{name}/{context.scheduled_execution_time:%Y-%m-%d}", tags={REASON: name})

    return schedule


spaces_daily = _without_partition(
    "spaces_daily", genie_spaces, "0 5 * * *", "The configuration of every space, every day."
)
standing_checks_daily = _without_partition(
    "standing_checks_daily", genie_standing_checks, "0 6 * * *", "What is broken now, every day."
)
maintenance_weekly = _without_partition(
    "maintenance_weekly",
    genie_maintenance,
    "0 4 * * 0",
    "OPTIMIZE with ZORDER, vacuum and log cleanup, every Sunday.",
)

SCHEDULES = [today_hourly, settled_days_daily, spaces_daily, standing_checks_daily, maintenance_weekly]
