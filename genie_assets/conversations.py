"""The asset `message_comments`: what is said around messages. It asks only where there is some."""

import dagster as dg

from genie_assets.assets import EVERY_DAY
from genie_assets.domain.tables import MESSAGE_COMMENTS, TABLES, Table
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.meanings import column_schema, described
from genie_assets.pipeline.day_inspection import row_counts
from genie_assets.pipeline.message_comments import keep_comments
from genie_assets.placement import Placement
from genie_assets.pool import GENIE_API_POOL
from genie_assets.reporting import comments_metadata
from genie_assets.runs import known_pace, pace_metadata, run_of
from genie_assets.table_events import tell_of_tables
from genie_assets.wiring import Clock, RunBudget

COMMENTS, JOB = "message_comments", "genie_conversations"


def build_comments(place: Placement) -> dg.AssetsDefinition:
    """The asset of comments."""

    @dg.asset(
        key=place.key(COMMENTS),
        deps=[place.key("audit_messages"), place.key("databricks", "genie")],
        group_name=place.group or "genie",
        owners=list(place.owners),
        kinds={"deltalake", "databricks"},
        pool=GENIE_API_POOL,
        freshness_policy=EVERY_DAY,
        description=described(COMMENTS, MESSAGE_COMMENTS),
        metadata={
            "dagster/table_name": f"genie_analytics.{MESSAGE_COMMENTS.name}",
            "dagster/column_schema": column_schema(MESSAGE_COMMENTS),
        },
    )
    def message_comments(
        context: dg.AssetExecutionContext,
        genie_system_tables: dg.ResourceParam[SystemTables],
        genie_api: dg.ResourceParam[GenieApi],
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
        genie_budget: dg.ResourceParam[RunBudget],
    ) -> dg.MaterializeResult:
        """List the comments on messages of which the audit log shows that somebody commented on them since.

        So many parameters, because Dagster hands in every resource by its name.
        """
        genie_api.expect_pace(known_pace(context))
        run = run_of(context, genie_clock, genie_budget)
        chosen = genie_system_tables.chosen_workspaces
        report = keep_comments(run, chosen, genie=genie_api, lake=genie_lake)
        if report.messages:
            tell_of_tables(context, row_counts(genie_lake, _beside(MESSAGE_COMMENTS)))
        return dg.MaterializeResult(metadata=comments_metadata(report) | pace_metadata(genie_api.settled_pace()))

    return message_comments


def _beside(main: Table) -> list[Table]:
    """The tables that the asset of a table fills besides it."""
    return [table for table in TABLES if table.asset == main.asset and table is not main]
