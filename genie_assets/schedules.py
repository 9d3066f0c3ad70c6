"""The schedules: when each job runs by itself. All are off until they are switched on.

Written by hand and keyed by the scheduled time: with today as a partition, Dagster's own builder would ask for
today only, and a closed day must be looked at again for rows that arrived late.
"""

import datetime as dt
from collections.abc import Iterator

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
        partition_key=at.date().isoformat(), run_key=f"hourly/{at:%Y-%m-%dT%H}", tags={REASON: "hourly"}
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


def _once(context: dg.ScheduleEvaluationContext, reason: str) -> dg.RunRequest:
    return dg.RunRequest(run_key=f"{reason}/{context.scheduled_execution_time:%Y-%m-%d}", tags={REASON: reason})


@dg.schedule(
    job=genie_spaces,
    cron_schedule="0 5 * * *",
    execution_timezone="UTC",
    description="The configuration of every space, every day.",
)
def spaces_daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The configuration of every space, every day."""
    return _once(context, "spaces")


@dg.schedule(
    job=genie_standing_checks,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    description="What is broken now, every day.",
)
def standing_checks_daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """What is broken now, every day."""
    return _once(context, "standing")


@dg.schedule(
    job=genie_maintenance,
    cron_schedule="0 4 * * 0",
    execution_timezone="UTC",
    description="OPTIMIZE with ZORDER, vacuum and log cleanup, every Sunday.",
)
def maintenance_weekly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """OPTIMIZE with ZORDER, vacuum and log cleanup, every Sunday."""
    return _once(context, "maintenance")


SCHEDULES = [today_hourly, settled_days_daily, spaces_daily, standing_checks_daily, maintenance_weekly]
