"""The asset `genie_evaluation_runs`: evaluations of spaces, kept before their details vanish."""

import dagster as dg

from genie_assets.assets import EVERY_DAY, REST_API, asset_of
from genie_assets.domain.tables import GENIE_EVALUATION_RUNS, beside
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.pipeline.day_inspection import row_counts
from genie_assets.pipeline.genie_evaluation_runs import keep_evaluations
from genie_assets.placement import Placement
from genie_assets.pool import GENIE_API_POOL
from genie_assets.reporting import evaluations_metadata
from genie_assets.run_notes import noted_pace
from genie_assets.runs import known_pace, run_of
from genie_assets.table_events import tell_of_tables
from genie_assets.wiring import Clock, RunBudget

NAME, JOB = "genie_evaluation_runs", "genie_evaluations"


def genie_evaluation_runs(
    context: dg.AssetExecutionContext,
    genie_system_tables: dg.ResourceParam[SystemTables],
    genie_api: dg.ResourceParam[GenieApi],
    genie_lake: dg.ResourceParam[Lakehouse],
    genie_clock: dg.ResourceParam[Clock],
    genie_budget: dg.ResourceParam[RunBudget],
) -> dg.MaterializeResult:
    """List the evaluations of spaces with benchmark questions; read the results that are not kept yet.

    So many parameters, because Dagster hands in every resource by its name.
    """
    genie_api.expect_pace(known_pace(context))
    run = run_of(context, genie_clock, genie_budget)
    report = keep_evaluations(run, system_tables=genie_system_tables, genie=genie_api, lake=genie_lake)
    if report.spaces:
        tell_of_tables(context, row_counts(genie_lake, beside(GENIE_EVALUATION_RUNS)))
    return dg.MaterializeResult(metadata=evaluations_metadata(report) | noted_pace(genie_api.settled_pace()))


def build_evaluations(place: Placement) -> dg.AssetsDefinition:
    """The asset of evaluations."""
    deps = [place.key("genie_space_details"), place.key(*REST_API)]
    return asset_of(
        genie_evaluation_runs,
        GENIE_EVALUATION_RUNS,
        place,
        deps,
        pool=GENIE_API_POOL,
        freshness_policy=EVERY_DAY,
    )
