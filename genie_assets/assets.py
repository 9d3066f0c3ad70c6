"""The assets: each body reads like the sentence that describes it. What they do is in `pipeline`."""

import dagster as dg

from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    MESSAGE_DETAILS,
    Table,
)
from genie_assets.gateways.genie_api import GenieApi
from genie_assets.gateways.lakehouse import Lakehouse
from genie_assets.gateways.system_tables import SystemTables
from genie_assets.partitions import CREATED_DATE
from genie_assets.pipeline.discovery import discover
from genie_assets.pipeline.fetching import fetch
from genie_assets.pipeline.folding import enrich
from genie_assets.pipeline.spaces import back_up_spaces
from genie_assets.reporting import column_schema, day_of, fetch_metadata, fold_metadata, run_name
from genie_assets.resources import Clock, RunBudget

GROUP = "genie"
OWNERS = ["team:data-platform"]
# Everything that calls the Genie API takes this pool, so that one caller at a time owns the request budget.
GENIE_API_POOL = "genie_api"

SYSTEM_ACCESS_AUDIT = dg.AssetSpec(
    ["system", "access", "audit"],
    description="Databricks' audit log: knows that a message exists, not what it says.",
    group_name="databricks",
    kinds={"databricks"},
)
SYSTEM_QUERY_HISTORY = dg.AssetSpec(
    ["system", "query", "history"],
    description="Databricks' query history: knows how each SQL statement ran.",
    group_name="databricks",
    kinds={"databricks"},
)
GENIE_REST_API = dg.AssetSpec(
    ["databricks", "genie"],
    description="The Genie REST API: knows what each message says, and every space's configuration.",
    group_name="databricks",
    kinds={"databricks"},
)
SOURCES = [SYSTEM_ACCESS_AUDIT, SYSTEM_QUERY_HISTORY, GENIE_REST_API]


def _table_metadata(table: Table) -> dict[str, object]:
    return {"dagster/table_name": f"genie_analytics.{table.name}", "dagster/column_schema": column_schema(table)}


@dg.asset(
    partitions_def=CREATED_DATE,
    deps=[SYSTEM_ACCESS_AUDIT],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake", "databricks"},
    metadata=_table_metadata(GENIE_MESSAGES_TO_FETCH),
    description=GENIE_MESSAGES_TO_FETCH.description,
)
def audit_messages(
    context: dg.AssetExecutionContext,
    system_tables: dg.ResourceParam[SystemTables],
    lake: dg.ResourceParam[Lakehouse],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """Replace the day with every message that the audit log shows was touched on it."""
    found = discover(day_of(context), system_tables=system_tables, lake=lake, now=clock.now())
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": found.messages,
            "new": found.new,
            "deleted": found.deleted,
            "workspaces": found.workspaces,
            "changed": found.changed,
        }
    )


@dg.asset(
    partitions_def=CREATED_DATE,
    deps=[audit_messages, GENIE_REST_API],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake", "databricks"},
    pool=GENIE_API_POOL,
    metadata=_table_metadata(GENIE_API_MESSAGES),
    description=GENIE_API_MESSAGES.description,
)
def genie_api_messages(
    context: dg.AssetExecutionContext,
    genie: dg.ResourceParam[GenieApi],
    lake: dg.ResourceParam[Lakehouse],
    clock: dg.ResourceParam[Clock],
    budget: dg.ResourceParam[RunBudget],
) -> dg.MaterializeResult:
    """Fetch the day's new, changed, unsettled and due messages; append answers, keep the error ledger true."""
    report = fetch(
        day_of(context),
        genie=genie,
        lake=lake,
        run_id=run_name(context),
        clock=clock.now,
        deadline=budget.deadline(),
    )
    metadata = fetch_metadata(report)
    if report.nothing_worked:
        # The ledger already knows each failure. Trying the step again at once would only repeat them.
        raise dg.Failure(
            "None of the messages that were asked for could be read.", metadata=metadata, allow_retries=False
        )
    return dg.MaterializeResult(metadata=metadata)


@dg.asset(
    partitions_def=CREATED_DATE,
    deps=[genie_api_messages, SYSTEM_QUERY_HISTORY],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake"},
    # It reads the title of a space that was never looked at before.
    pool=GENIE_API_POOL,
    metadata=_table_metadata(MESSAGE_DETAILS),
    description=MESSAGE_DETAILS.description,
)
def enriched_message_details(
    context: dg.AssetExecutionContext,
    system_tables: dg.ResourceParam[SystemTables],
    genie: dg.ResourceParam[GenieApi],
    lake: dg.ResourceParam[Lakehouse],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """Fold the conversations that the day touches into message_details, with their statements' history."""
    report = enrich(
        day_of(context),
        system_tables=system_tables,
        genie=genie,
        lake=lake,
        run_id=run_name(context),
        clock=clock.now,
    )
    return dg.MaterializeResult(metadata=fold_metadata(report))


@dg.asset(
    # The days only come before it in the graph: a space is read whole, whatever happened on which day.
    deps=[enriched_message_details, GENIE_REST_API],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake", "databricks"},
    pool=GENIE_API_POOL,
    metadata=_table_metadata(GENIE_SPACE_DETAILS),
    description=GENIE_SPACE_DETAILS.description,
)
def genie_space_details(
    context: dg.AssetExecutionContext,
    system_tables: dg.ResourceParam[SystemTables],
    genie: dg.ResourceParam[GenieApi],
    lake: dg.ResourceParam[Lakehouse],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """Read every known space's configuration; keep the latest good one and the history of distinct ones."""
    report = back_up_spaces(
        system_tables=system_tables, genie=genie, lake=lake, run_id=run_name(context), clock=clock.now
    )
    return dg.MaterializeResult(metadata={**report.numbers(), "dagster/row_count": report.spaces})


ASSETS = [audit_messages, genie_api_messages, enriched_message_details, genie_space_details]
