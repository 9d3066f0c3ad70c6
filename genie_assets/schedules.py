"""The schedules: when each job runs by itself. All are off until they are switched on.

Written by hand and keyed by the scheduled time: with today as a partition, Dagster's own builder would ask for
today only, and a closed day must be looked at again for rows that arrived late.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import dagster as dg

from genie_assets import (
    conversations,
    daily_costs,
    daily_dashboard,
    daily_sql_alert,
    evaluations,
    maintenance,
    reconciliation,
)
from genie_assets.jobs import Jobs
from genie_assets.placement import Placement
from genie_assets.runs import REASON, is_queued_still
from genie_assets.settings import load_settings

# Where runs take longer than the hour, each hour's would delay all others behind it, and find nothing to do.
_ENOUGH = dg.SkipReason("The run that an earlier tick asked for waits in the queue still.")


def build_schedules(place: Placement, jobs: Jobs) -> list[dg.ScheduleDefinition]:
    """All schedules."""

    @dg.schedule(
        job=jobs["genie_daily"],
        cron_schedule="15 * * * *",
        execution_timezone="UTC",
        description="The messages of today, every hour.",
    )
    def today_hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """The messages of today, every hour."""
        at = context.scheduled_execution_time
        if not place.has_day(at.date(), at):
            return _too_early(place)
        if is_queued_still(context.instance, "hourly", at.date().isoformat()):
            return _ENOUGH
        return dg.RunRequest(
            partition_key=at.date().isoformat(),
            run_key=f"hourly/{at:%Y-%m-%dT%H}",
            # Runs go one at a time: today does not wait behind a long backfill.
            tags={REASON: "hourly", "dagster/priority": "1"},
        )

    @dg.schedule(
        job=jobs["genie_daily"],
        cron_schedule="30 3 * * *",
        execution_timezone="UTC",
        description="The last closed days once more (GENIE_SETTLED_DAYS), for rows that arrived late.",
    )
    def settled_days_daily(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        """The last closed days once more, for audit and history rows that arrived late (GENIE_SETTLED_DAYS)."""
        at = context.scheduled_execution_time
        back = range(1, load_settings().genie_settled_days + 1)
        days = [day for day in (at.date() - dt.timedelta(days=n) for n in back) if place.has_day(day, at)]
        if not days:
            return _too_early(place)
        return [
            dg.RunRequest(
                partition_key=day.isoformat(), run_key=f"settled/{at:%Y-%m-%d}/{day}", tags={REASON: "settled"}
            )
            for day in days
        ]

    schedules = [
        today_hourly,
        settled_days_daily,
        _without_partition(
            "late_days_hourly",
            jobs["genie_late_days"],
            "15 * * * *",
            "Which days were never loaded or have late rows, every hour.",
            key="%Y-%m-%dT%H",
        ),
        _without_partition(
            "spaces_daily", jobs["genie_spaces"], "0 5 * * *", "The configuration of every space, every day."
        ),
        _of_reconciliation(
            "reconciliation_nightly",
            place,
            jobs,
            "35 0-5 * * *",
            "Walk on through the conversations of spaces whose turn it is (GENIE_RECONCILE), hourly by night.",
        ),
        # The nights go on with what is left; on Sunday, when every space's turn comes, there is the day as well.
        _of_reconciliation(
            "reconciliation_weekly",
            place,
            jobs,
            "35 6-23 * * 0",
            "Walk on through all spaces' conversations, every hour of Sunday.",
        ),
        # Behind the days that were looked at once more.
        _without_partition(
            "conversations_daily", jobs[conversations.JOB], "45 4 * * *", "Comments and agents' steps, every day."
        ),
        # Behind the spaces, whose configurations say which of them have benchmark questions.
        _without_partition(
            "evaluations_daily", jobs[evaluations.JOB], "30 5 * * *", "Evaluations of spaces, every day."
        ),
        _without_partition(
            "views_daily", jobs["genie_views"], "15 5 * * *", "The views in Unity Catalog, every day."
        ),
        _without_partition(
            "costs_daily", jobs[daily_costs.JOB], "20 5 * * *", "What the runs of yesterday cost, every day."
        ),
        _without_partition(
            "report_daily", jobs["genie_report"], "30 5 * * *", "The report of the last settled days, every day."
        ),
        _without_partition(
            "standing_checks_daily", jobs["genie_standing_checks"], "0 6 * * *", "What is broken now, every day."
        ),
        # Some tables each day, so that no day asks much more of a warehouse than the others.
        _without_partition(
            "maintenance_weekly",
            jobs["genie_maintenance"],
            "0 4 * * *",
            "OPTIMIZE with ZORDER, vacuum, log cleanup of each table once a week, some every day; and old runs.",
            configured=maintenance.of_the_day,
        ),
    ]
    if daily_dashboard.JOB in jobs:
        # Behind the views that it reads.
        schedules.append(
            _without_partition(
                "dashboard_daily", jobs[daily_dashboard.JOB], "45 5 * * *", "The AI/BI dashboard, every day."
            )
        )
    if daily_sql_alert.JOB in jobs:
        schedules.append(
            _without_partition(
                "sql_alert_daily",
                jobs[daily_sql_alert.JOB],
                "50 5 * * *",
                "The SQL alert of the tables that stand still, every day.",
            )
        )
    return schedules


def _too_early(place: Placement) -> dg.SkipReason:
    return dg.SkipReason(
        f"The first day is {place.first_day} (GENIE_FIRST_DAY): there is no partition to run yet."
    )


def _of_reconciliation(
    name: str, place: Placement, jobs: Jobs, cron_schedule: str, description: str
) -> dg.ScheduleDefinition:
    """A schedule of the walk, whose turns come by the day: once a slice has found none left, the day is done."""

    @dg.schedule(
        name=name,
        job=jobs[reconciliation.JOB],
        cron_schedule=cron_schedule,
        execution_timezone="UTC",
        description=description,
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time
        if reconciliation.is_done_for_the_day(context.instance, place, at.date()):
            return dg.SkipReason("The last slice has found nothing left to walk today.")
        if is_queued_still(context.instance, name):
            return _ENOUGH
        return dg.RunRequest(run_key=f"{name}/{at:%Y-%m-%dT%H}", tags={REASON: name})

    return schedule


def _without_partition(
    name: str,
    job: Any,
    cron_schedule: str,
    description: str,
    key: str = "%Y-%m-%d",
    configured: Callable[[dt.date], dict[str, Any]] = lambda _day: {},
) -> dg.ScheduleDefinition:
    """A schedule that runs a job without partitions once per tick.

    So many parameters: what a schedule is, how `key` tells its ticks apart, and how the day configures its runs.
    """

    @dg.schedule(
        name=name, job=job, cron_schedule=cron_schedule, execution_timezone="UTC", description=description
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time
        config = configured(at.date())
        # What the day configures is other work than that of the run which waits.
        if not config and is_queued_still(context.instance, name):
            return _ENOUGH
        return dg.RunRequest(run_key=f"{name}/{at:{key}}", tags={REASON: name}, run_config=config)

    return schedule
