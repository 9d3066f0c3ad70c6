"""The code location: everything put together, and nothing else.

A deployment of its own loads `defs`. A project that has more than this merges `build_defs(...)` into its own
definitions: nothing here takes a name or an executor that is not ours.
"""

import datetime as dt
import warnings
from collections.abc import Sequence
from typing import Any

import dagster as dg

from genie_assets import daily_sql_alert, new_rows
from genie_assets.alerting import build_alerts
from genie_assets.assets import build_assets, build_specs
from genie_assets.checks import build_daily_checks, build_standing_checks
from genie_assets.conversations import build_conversations
from genie_assets.daily_costs import build_costs
from genie_assets.daily_dashboard import build_dashboard, is_wanted
from genie_assets.daily_report import build_report
from genie_assets.daily_views import build_views
from genie_assets.evaluations import build_evaluations
from genie_assets.jobs import build_jobs
from genie_assets.old_runs import Ours
from genie_assets.placement import placed
from genie_assets.reconciliation import build_reconciliation
from genie_assets.resources import build_resources
from genie_assets.schedules import build_schedules
from genie_assets.sensors import build_sensors
from genie_assets.setting_names import log_misspelt
from genie_assets.settings import load_settings


def build_defs(
    *,
    key_prefix: str | Sequence[str] = (),
    owners: Sequence[str] | None = None,
    group: str | None = None,
    executor: dg.ExecutorDefinition | None = None,
    **overrides: Any,
) -> dg.Definitions:
    """The definitions.

    Args:
        key_prefix: What the key of every asset begins with, sources included: parts, or a text with slashes.
        owners: Owners of the assets, as Dagster wants them: addresses, or `team:` and a name.
        group: The group of all assets; by default `genie`, and `databricks` for what they read.
        executor: What runs assets that are selected without a job. Only one of the definitions that are merged
            may say so; our jobs have their own in any case.
        overrides: Resources that replace ours: `databricks`, `genie`, `system_tables`, `lake`, `budget`, `clock`.

    Raises:
        SettingsError: a setting in the environment is wrong.
        TypeError: a resource is none of these.
    """
    today = dt.datetime.now(dt.UTC).date()
    log_misspelt()
    settings = load_settings()
    place = placed(settings, today=today, key_prefix=key_prefix, owners=owners, group=group)
    with warnings.catch_warnings():
        # Partitioned asset checks are a preview in Dagster 1.13; a test pins the behaviour that we rely on.
        warnings.filterwarnings("ignore", category=dg.PreviewWarning)
        warnings.filterwarnings("ignore", category=dg.BetaWarning)
        made = [
            *build_conversations(place),
            build_evaluations(place),
            build_reconciliation(place),
            build_costs(place),
            build_views(place),
            build_report(place),
        ]
        assets, specs = [*build_assets(place), *made], build_specs(place)
        if is_wanted(settings):
            assets.append(build_dashboard(place))
        if daily_sql_alert.is_wanted(settings):
            assets.append(daily_sql_alert.build_sql_alert(place))
        daily, standing = build_daily_checks(place), build_standing_checks(place)
        ours = Ours(
            assets=frozenset([asset.key for asset in assets] + [spec.key for spec in specs]),
            checks=frozenset(key for check in [*daily, *standing] for key in check.check_keys),
        )
        jobs = build_jobs(place, daily, standing, ours)
        return dg.Definitions(
            assets=[*specs, *assets],
            asset_checks=[*daily, *standing],
            jobs=list(jobs.values()),
            schedules=build_schedules(place, jobs),
            sensors=[
                *build_sensors(place, jobs),
                *new_rows.build_sensors(place, jobs),
                build_alerts(jobs, daily, standing),
            ],
            resources=build_resources(**overrides),
            executor=executor,
        )


# Assets that are selected in the UI run in one process here, too: one per step would only add seconds to each.
defs = build_defs(executor=dg.in_process_executor)
