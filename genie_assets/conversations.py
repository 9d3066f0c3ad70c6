"""The assets `message_comments` and `agent_items`: children of messages and conversations."""

from typing import Any

import dagster as dg

from genie_assets.assets import EVERY_DAY
from genie_assets.domain.tables import AGENT_ITEMS, MESSAGE_COMMENTS, TABLES, Table
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.meanings import column_schema, described
from genie_assets.pipeline.agent_items import keep_items
from genie_assets.pipeline.day_inspection import row_counts
from genie_assets.pipeline.message_comments import keep_comments
from genie_assets.pipeline.whole_lists import ListsReport
from genie_assets.placement import Placement
from genie_assets.pool import GENIE_API_POOL
from genie_assets.reporting import lists_metadata
from genie_assets.runs import known_pace, pace_metadata, run_of
from genie_assets.table_events import tell_of_tables
from genie_assets.wiring import Clock, RunBudget

COMMENTS, ITEMS, JOB = "message_comments", "agent_items", "genie_conversations"


def build_comments(place: Placement) -> dg.AssetsDefinition:
    """The asset of comments."""

    @dg.asset(
        deps=[place.key("audit_messages"), place.key("databricks", "genie")], **_placed(place, MESSAGE_COMMENTS)
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
        report = keep_comments(run, genie_system_tables.chosen_workspaces, genie=genie_api, lake=genie_lake)
        return _told(context, MESSAGE_COMMENTS, report, genie_lake, genie_api)

    return message_comments


def build_items(place: Placement) -> dg.AssetsDefinition:
    """The asset of agents' steps."""

    @dg.asset(deps=[place.key("audit_messages"), place.key("databricks", "genie")], **_placed(place, AGENT_ITEMS))
    def agent_items(
        context: dg.AssetExecutionContext,
        genie_system_tables: dg.ResourceParam[SystemTables],
        genie_api: dg.ResourceParam[GenieApi],
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
        genie_budget: dg.ResourceParam[RunBudget],
    ) -> dg.MaterializeResult:
        """List the steps of conversations with agents in which something happened since they were last listed.

        So many parameters, because Dagster hands in every resource by its name.
        """
        genie_api.expect_pace(known_pace(context))
        run = run_of(context, genie_clock, genie_budget)
        report = keep_items(run, genie_system_tables.chosen_workspaces, genie=genie_api, lake=genie_lake)
        return _told(context, AGENT_ITEMS, report, genie_lake, genie_api)

    return agent_items


def _placed(place: Placement, table: Table) -> dict[str, Any]:
    """What is the same for both assets."""
    return {
        "key": place.key(table.asset),
        "group_name": place.group or "genie",
        "owners": list(place.owners),
        "kinds": {"deltalake", "databricks"},
        "pool": GENIE_API_POOL,
        "freshness_policy": EVERY_DAY,
        "description": described(table.asset, table),
        "metadata": {
            "dagster/table_name": f"genie_analytics.{table.name}",
            "dagster/column_schema": column_schema(table),
        },
    }


def _told(
    context: dg.AssetExecutionContext, table: Table, report: ListsReport, lake: Lakehouse, api: GenieApi
) -> dg.MaterializeResult:
    """What a run tells; of the tables beside only if it had something to ask: a quiet one asks for nothing."""
    if report.wanted:
        tell_of_tables(context, row_counts(lake, _beside(table)))
    return dg.MaterializeResult(metadata=lists_metadata(table.asset, report) | pace_metadata(api.settled_pace()))


def _beside(main: Table) -> list[Table]:
    """The tables that the asset of a table fills besides it."""
    return [table for table in TABLES if table.asset == main.asset and table is not main]
