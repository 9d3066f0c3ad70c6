"""The assets `message_comments` and `agent_items`: children of messages and conversations."""

import dagster as dg

from genie_assets.assets import EVERY_DAY, REST_API, asset_of
from genie_assets.domain.tables import AGENT_ITEMS, MESSAGE_COMMENTS, Table, beside
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.pipeline.agent_items import keep_items
from genie_assets.pipeline.day_inspection import row_counts
from genie_assets.pipeline.message_comments import keep_comments
from genie_assets.pipeline.whole_lists import ListsReport
from genie_assets.placement import Placement
from genie_assets.pool import GENIE_API_POOL
from genie_assets.reporting import lists_metadata
from genie_assets.run_notes import noted_pace
from genie_assets.runs import known_pace, run_of
from genie_assets.table_events import tell_of_tables
from genie_assets.wiring import Clock, RunBudget

COMMENTS, ITEMS, JOB = "message_comments", "agent_items", "genie_conversations"


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


def build_conversations(place: Placement) -> list[dg.AssetsDefinition]:
    """Both assets."""
    deps = [place.key("audit_messages"), place.key(*REST_API)]
    options = {"pool": GENIE_API_POOL, "freshness_policy": EVERY_DAY}
    return [
        asset_of(message_comments, MESSAGE_COMMENTS, place, deps, **options),
        asset_of(agent_items, AGENT_ITEMS, place, deps, **options),
    ]


def _told(
    context: dg.AssetExecutionContext, table: Table, report: ListsReport, lake: Lakehouse, api: GenieApi
) -> dg.MaterializeResult:
    """What a run tells; of the tables beside only if it had something to ask: a quiet one asks for nothing."""
    if report.wanted:
        tell_of_tables(context, row_counts(lake, beside(table)))
    return dg.MaterializeResult(metadata=lists_metadata(table.asset, report) | noted_pace(api.settled_pace()))
