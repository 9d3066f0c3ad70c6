"""The code location: everything put together, and nothing else."""

import warnings
from typing import Any

import dagster as dg

# Partitioned asset checks are a preview in Dagster 1.13; a test pins the behaviour that we rely on.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
warnings.filterwarnings("ignore", category=dg.BetaWarning)

from genie_assets.assets import ASSETS, SOURCES  # noqa: E402
from genie_assets.checks import DAILY_CHECKS, STANDING_CHECKS  # noqa: E402
from genie_assets.jobs import JOBS  # noqa: E402
from genie_assets.resources import (  # noqa: E402
    Clock,
    GenieApiResource,
    LakehouseResource,
    RunBudgetResource,
    SystemTablesResource,
    databricks_from_environment,
)
from genie_assets.schedules import SCHEDULES  # noqa: E402
from genie_assets.sensors import SENSORS  # noqa: E402


def build_defs(**overrides: Any) -> dg.Definitions:
    """The definitions.

    Args:
        overrides: Resources by name that replace ours: `databricks`, `genie`, `system_tables`, `lake`, `budget`,
            `clock`.

    Raises:
        TypeError: if a name is none of these.
    """
    databricks = overrides.pop("databricks", None) or databricks_from_environment()
    resources = {
        "databricks": databricks,
        "genie": GenieApiResource(databricks=databricks),
        "system_tables": SystemTablesResource(databricks=databricks),
        "lake": LakehouseResource(databricks=databricks),
        "budget": RunBudgetResource(),
        "clock": Clock(),
    }
    unknown = overrides.keys() - resources.keys()
    if unknown:
        raise TypeError(f"build_defs() knows no resource called {', '.join(sorted(unknown))}")
    return dg.Definitions(
        assets=[*SOURCES, *ASSETS],
        asset_checks=[*DAILY_CHECKS, *STANDING_CHECKS],
        jobs=JOBS,
        schedules=SCHEDULES,
        sensors=SENSORS,
        resources=resources | overrides,
        # The assets are one chain and wait in threads: a process per step would only add seconds to each.
        executor=dg.in_process_executor,
    )


defs = build_defs()
