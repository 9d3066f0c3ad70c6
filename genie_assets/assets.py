"""The assets: each body reads like the sentence that describes it. What they do is in `pipeline`.

Every table is an asset: four have a step, the others are filled by the same steps, which tell what they hold.
What is not here: rules, requests, writes, and where the assets are placed (`placement.py`).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.measures import measures_of_fetch
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_APPLIES,
    GENIE_SPACE_DETAILS,
    MESSAGE_DETAILS,
    TABLES,
    Table,
)
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.meanings import column_schema, described, explained
from genie_assets.pipeline.audit_messages import discover
from genie_assets.pipeline.chosen_spaces import ChosenSpaces
from genie_assets.pipeline.day_inspection import inspected, row_counts
from genie_assets.pipeline.enriched_message_details import fold_day
from genie_assets.pipeline.genie_api_messages import fetch
from genie_assets.pipeline.genie_space_details import back_up_spaces
from genie_assets.placement import Placement
from genie_assets.pool import GENIE_API_POOL
from genie_assets.reporting import day_metadata, discovery_metadata, fetch_metadata, fold_metadata, spaces_metadata
from genie_assets.run_notes import noted_pace
from genie_assets.runs import clock_metadata, known_of_answers, known_pace, run_of
from genie_assets.table_events import tell_of_day, tell_of_tables
from genie_assets.telemetry import send_if_wanted
from genie_assets.wiring import Clock, RunBudget

GROUP, GROUP_OF_SOURCES = "genie", "databricks"

OF_SPACES = tuple(table for table in TABLES if table.asset == GENIE_SPACE_DETAILS.asset)

# Dead man's switches, for whoever has switched the schedules on: they see that some day was loaded, not which one.
# That yesterday is missing while old days are loaded, the check `no_day_is_late` tells.
EVERY_HOUR = dg.FreshnessPolicy.time_window(warn_window=dt.timedelta(hours=3), fail_window=dt.timedelta(hours=6))
EVERY_DAY = dg.FreshnessPolicy.time_window(warn_window=dt.timedelta(hours=26), fail_window=dt.timedelta(hours=36))

# What the assets read: names by which they are known, and what they know.
AUDIT_LOG = ("system", "access", "audit")
QUERY_HISTORY = ("system", "query", "history")
REST_API = ("databricks", "genie")
SOURCES = {
    AUDIT_LOG: "Databricks' audit log: knows that a message exists, not what it says.",
    QUERY_HISTORY: "Databricks' query history: knows how each SQL statement ran.",
    REST_API: "The Genie REST API: knows what each message says, and every space's configuration.",
}


def audit_messages(
    context: dg.AssetExecutionContext,
    genie_system_tables: dg.ResourceParam[SystemTables],
    genie_lake: dg.ResourceParam[Lakehouse],
    genie_clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """Replace the day with every message that the audit log shows was touched on it."""
    found = discover(run_of(context, genie_clock), system_tables=genie_system_tables, lake=genie_lake)
    return dg.MaterializeResult(metadata=discovery_metadata(found))


def genie_api_messages(
    context: dg.AssetExecutionContext,
    genie_system_tables: dg.ResourceParam[SystemTables],
    genie_api: dg.ResourceParam[GenieApi],
    genie_lake: dg.ResourceParam[Lakehouse],
    genie_clock: dg.ResourceParam[Clock],
    genie_budget: dg.ResourceParam[RunBudget],
) -> dg.MaterializeResult:
    """Fetch the day's new, changed, unsettled and due messages; append answers, keep the error ledger true.

    So many parameters, because Dagster hands in every resource by its name.
    """
    genie_api.expect_pace(known_pace(context))
    run = run_of(context, genie_clock, genie_budget)
    report = fetch(run, genie_system_tables.chosen_workspaces, genie=genie_api, lake=genie_lake)
    metadata = fetch_metadata(report) | clock_metadata(context, genie_clock.now(), genie_api.told_time())
    metadata |= noted_pace(genie_api.settled_pace())
    send_if_wanted(context, measures_of_fetch(report.asked, report.seconds))
    if report.nothing_worked:
        # The ledger already knows each failure. Trying the step again at once would only repeat them.
        raise dg.Failure(
            "None of the messages that were asked for could be read.", metadata=metadata, allow_retries=False
        )
    return dg.MaterializeResult(metadata=metadata)


def enriched_message_details(
    context: dg.AssetExecutionContext,
    genie_system_tables: dg.ResourceParam[SystemTables],
    genie_api: dg.ResourceParam[GenieApi],
    genie_lake: dg.ResourceParam[Lakehouse],
    genie_clock: dg.ResourceParam[Clock],
    genie_budget: dg.ResourceParam[RunBudget],
) -> dg.MaterializeResult:
    """Fold the conversations that the day touches into message_details, with their statements' history.

    So many parameters, because Dagster hands in every resource by its name.
    """
    run = run_of(context, genie_clock, genie_budget)
    report = fold_day(run, system_tables=genie_system_tables, genie=genie_api, lake=genie_lake)
    known = known_of_answers(context) if not report.messages else {}
    # The checks of the run go by the same look.
    found = inspected(run.day, genie_lake, genie_clock.now(), run_id=context.run.run_id, with_answers=not known)
    tell_of_day(context, run.day, found)
    answers = day_metadata(found.answers) if found.answers else known
    return dg.MaterializeResult(metadata=explained("enriched_message_details", fold_metadata(report) | answers))


class SpacesToLookAt(dg.Config):
    """Which spaces a run looks at.

    Attributes:
        only: Pairs of a workspace's id and a space's; none stands for all.
        but_read_since: An ISO time; spaces that were read whole since then are not read again.
    """

    only: list[list[str]] = Field(default_factory=list)
    but_read_since: str | None = None


def only_these_spaces(place: Placement, spaces: Iterable[SpaceKey]) -> dict[str, Any]:
    """The configuration of a run that looks at these spaces only."""
    return _spaces_config(place, only=[list(key) for key in spaces])


def but_for_those_read_since(place: Placement, since: dt.datetime) -> dict[str, Any]:
    """The configuration of a run that looks at all spaces but those that have been read whole since then."""
    return _spaces_config(place, but_read_since=since.isoformat())


def _spaces_config(place: Placement, **config: Any) -> dict[str, Any]:
    step = place.table_key(GENIE_SPACE_DETAILS).to_python_identifier()
    return {"ops": {step: {"config": config}}}


def genie_space_details(
    context: dg.AssetExecutionContext,
    config: SpacesToLookAt,
    genie_system_tables: dg.ResourceParam[SystemTables],
    genie_api: dg.ResourceParam[GenieApi],
    genie_lake: dg.ResourceParam[Lakehouse],
    genie_clock: dg.ResourceParam[Clock],
    genie_budget: dg.ResourceParam[RunBudget],
) -> dg.MaterializeResult:
    """Read every known space's configuration; keep the latest good one and the history of distinct ones.

    So many parameters, because Dagster hands in every resource by its name.
    """
    run = run_of(context, genie_clock, genie_budget)
    only = {SpaceKey(*key) for key in config.only}
    since = dt.datetime.fromisoformat(config.but_read_since) if config.but_read_since else None
    chosen = ChosenSpaces(only, since)
    report = back_up_spaces(run, chosen, system_tables=genie_system_tables, genie=genie_api, lake=genie_lake)
    tell_of_tables(context, row_counts(genie_lake, OF_SPACES))
    return dg.MaterializeResult(metadata=spaces_metadata(report))


def build_assets(place: Placement) -> list[dg.AssetsDefinition]:
    """The four assets that runs make."""
    audit_log, rest_api, query_history = (place.key(*path) for path in (AUDIT_LOG, REST_API, QUERY_HISTORY))
    discovered, fetched, folded = map(
        place.key, ("audit_messages", "genie_api_messages", "enriched_message_details")
    )
    # Those that call the Genie API take its pool; the third one reads titles of spaces of which none is known.
    daily, calling = {"partitions_def": place.days, "freshness_policy": EVERY_HOUR}, {"pool": GENIE_API_POOL}
    every_day = {"freshness_policy": EVERY_DAY}
    return [
        asset_of(audit_messages, GENIE_MESSAGES_TO_FETCH, place, [audit_log], **daily),
        asset_of(genie_api_messages, GENIE_API_MESSAGES, place, [discovered, rest_api], **daily, **calling),
        asset_of(enriched_message_details, MESSAGE_DETAILS, place, [fetched, query_history], **daily, **calling),
        # The days only come before it in the graph: a space is read whole, whatever happened on which day.
        asset_of(genie_space_details, GENIE_SPACE_DETAILS, place, [folded, rest_api], **calling, **every_day),
    ]


def asset_of(
    body: Any, table: Table, place: Placement, deps: Sequence[dg.AssetKey], **options: Any
) -> dg.AssetsDefinition:
    """The asset that fills a table.

    Args:
        body: What a run of it does.
        table: The table.
        place: Where the assets are.
        deps: What it reads.
        options: What else is said of it, as `dagster.asset` takes it.
    """
    return dg.asset(
        key=place.table_key(table),
        deps=deps,
        group_name=place.group or GROUP,
        owners=list(place.owners),
        kinds={"deltalake", "databricks"},
        metadata=_table_metadata(table),
        description=described(table.asset, table),
        **options,
    )(body)


def build_specs(place: Placement) -> list[dg.AssetSpec]:
    """What the assets read, and the tables that their steps fill besides their own (see `table_events`)."""
    sources = [
        dg.AssetSpec(
            place.key(*path),
            description=description,
            group_name=place.group or GROUP_OF_SOURCES,
            kinds={"databricks"},
        )
        for path, description in SOURCES.items()
    ]
    tables = [
        dg.AssetSpec(
            place.table_key(table),
            deps=[place.key(table.asset)],
            description=f"{table.description}\n\n{_made_by(table)}",
            group_name=place.group or GROUP,
            owners=list(place.owners),
            kinds={"deltalake"},
            metadata=_table_metadata(table),
            partitions_def=place.days if table.partitioned_by is not None else None,
        )
        for table in TABLES
        if place.table_key(table) != place.key(table.asset)
    ]
    return sources + tables


def _made_by(table: Table) -> str:
    if table is GENIE_SPACE_APPLIES:
        return "Written by `genie-assets spaces apply`, and counted by runs of `genie_space_details`."
    return f"Filled by runs of `{table.asset}`, which tell how many rows it has: materialize that one to renew it."


def _table_metadata(table: Table) -> dict[str, object]:
    return {"dagster/table_name": f"genie_analytics.{table.name}", "dagster/column_schema": column_schema(table)}
