"""The jobs: one per reason to run something. Each brings its executor and its time limit along."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from genie_assets import (
    conversations,
    daily_costs,
    daily_dashboard,
    daily_report,
    daily_sql_alert,
    daily_views,
    evaluations,
    new_rows,
    reconciliation,
)
from genie_assets.late_days import build_late_days
from genie_assets.maintenance import build_maintenance
from genie_assets.old_runs import Ours
from genie_assets.placement import Placement
from genie_assets.settings import load_settings

# Jobs by their names, as Dagster's schedules and sensors take them.
Jobs = Mapping[str, Any]

DAILY = ("audit_messages", "genie_api_messages", "enriched_message_details")
# The audit log has nothing to add: what is retried is known.
RETRIED = DAILY[1:]


def build_jobs(
    place: Placement,
    daily_checks: list[dg.AssetChecksDefinition],
    standing_checks: list[dg.AssetChecksDefinition],
    ours: Ours,
) -> Jobs:
    """All jobs.

    Args:
        place: Where the assets are.
        daily_checks: The checks of a day: of the assets that its run makes, and of the tables that they fill.
        standing_checks: The checks that run by themselves.
        ours: Whose old runs maintenance deletes.
    """
    options: dict[str, Any] = {
        # The assets are one chain and wait in threads: a process per step would only add seconds to each.
        "executor_def": dg.in_process_executor,
        "tags": {dg.MAX_RUNTIME_SECONDS_TAG: str(place.longest_run)},
    }
    jobs: list[Any] = [
        dg.define_asset_job(
            "genie_daily",
            selection=_assets(place, *DAILY) | dg.AssetSelection.checks(*daily_checks),
            description="One UTC day: discover its messages, fetch them, fold them, check the day.",
            **options,
        ),
        dg.define_asset_job(
            "genie_retry",
            selection=_assets(place, *RETRIED) | dg.AssetSelection.checks(*daily_checks),
            description="One UTC day whose errors are due: fetch them, fold them, check the day.",
            **options,
        ),
        # A job of its own: in a job with the daily assets it would run once per day of every backfill.
        dg.define_asset_job(
            "genie_spaces",
            selection=_assets(place, "genie_space_details"),
            description="Back up the configuration of every known space.",
            **options,
        ),
        dg.define_asset_job(
            reconciliation.JOB,
            # Its check of keys looks at all tables without days: once a day is enough.
            selection=_assets(place, reconciliation.NAME).without_checks(),
            description="Compare what the API lists with what is stored, for four minutes; enter what is missing.",
            **options,
        ),
        dg.define_asset_job(
            conversations.JOB,
            selection=_assets(place, conversations.COMMENTS, conversations.ITEMS).without_checks(),
            description="List comments on messages, and the steps of conversations with agents.",
            **options,
        ),
        dg.define_asset_job(
            evaluations.JOB,
            selection=_assets(place, evaluations.NAME).without_checks(),
            description="Keep the evaluations of spaces with benchmark questions, before their details vanish.",
            **options,
        ),
        dg.define_asset_job(
            daily_costs.JOB,
            selection=_assets(place, daily_costs.NAME).without_checks(),
            description="Keep what the runs of the last whole days cost.",
            **options,
        ),
        dg.define_asset_job(
            daily_views.JOB,
            selection=_assets(place, daily_views.NAME),
            description="Make the views in Unity Catalog, and keep them current.",
            **options,
        ),
        dg.define_asset_job(
            daily_report.JOB,
            selection=_assets(place, daily_report.NAME),
            description="Make the report of the last settled days, beside the tables.",
            **options,
        ),
        dg.define_asset_job(
            "genie_standing_checks",
            selection=dg.AssetSelection.checks(*standing_checks),
            description="What is broken now, over all days.",
            **options,
        ),
        build_late_days(place, **options),
        build_maintenance(place, ours, **options),
    ]
    if new_rows.is_wanted(load_settings()):
        jobs.append(new_rows.build_new_rows(place, **options))
    if daily_dashboard.is_wanted(load_settings()):
        jobs.append(
            dg.define_asset_job(
                daily_dashboard.JOB,
                selection=_assets(place, daily_dashboard.NAME),
                description="Deploy the AI/BI dashboard where GENIE_DASHBOARD_FOLDER says.",
                **options,
            )
        )
    if daily_sql_alert.is_wanted(load_settings()):
        jobs.append(
            dg.define_asset_job(
                daily_sql_alert.JOB,
                selection=_assets(place, daily_sql_alert.NAME),
                description="Keep the SQL alert that fires when the tables stand still.",
                **options,
            )
        )
    return {job.name: job for job in jobs}


def _assets(place: Placement, *names: str) -> dg.AssetSelection:
    """These assets with their checks, which are those of a day."""
    return dg.AssetSelection.assets(*map(place.key, names))
