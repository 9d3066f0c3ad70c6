"""What the graph shows of tables that no step is named after: the steps that write them say so, with their rows.

They are assets of their own and not outputs of the step: a ledger's checks speak of all days and would run once
per day of every backfill, and whoever selects one asset of a step with several has to select them all.
"""

import datetime as dt
from collections.abc import Mapping

import dagster as dg

from genie_assets.domain.tables import GENIE_API_MESSAGES, GENIE_SPACE_APPLIES, TABLES, Table
from genie_assets.pipeline.day_inspection import DayInspection
from genie_assets.placement import asset_of

ROWS, ROWS_OF_DAY = "dagster/row_count", "dagster/partition_row_count"


def tell_of_day(context: dg.AssetExecutionContext, day: dt.date, found: DayInspection) -> None:
    """Show at each table that a day's steps write how many rows it has; said by the last of them.

    The rows of the other two tables that a step is named after are its result.
    """
    for table in TABLES:
        if table.name in found.rows and (_stands_beside(table) or table is GENIE_API_MESSAGES):
            _tell(context, table, found.rows[table.name], day if table.partitioned_by else None)


def tell_of_tables(context: dg.AssetExecutionContext, rows: Mapping[str, int]) -> None:
    """Show at tables without days how many rows each has."""
    for table in TABLES:
        if table.name in rows and _stands_beside(table):
            _tell(context, table, rows[table.name], None)


def _tell(context: dg.AssetExecutionContext, table: Table, rows: int, day: dt.date | None) -> None:
    # A step has made it, and told so itself; a command writes what was applied. Their rows are only looked at.
    is_only_seen = table in (GENIE_API_MESSAGES, GENIE_SPACE_APPLIES)
    event = dg.AssetObservation if is_only_seen else dg.AssetMaterialization
    context.log_event(
        event(
            _asset_of(context, table),
            partition=day.isoformat() if day else None,
            metadata={ROWS_OF_DAY if day else ROWS: rows},
        )
    )


def _stands_beside(table: Table) -> bool:
    return asset_of(table) != table.asset


def _asset_of(context: dg.AssetExecutionContext, table: Table) -> dg.AssetKey:
    """The key of the asset that stands for a table beside this one, wherever both are placed."""
    return dg.AssetKey([*context.asset_key.path[:-1], asset_of(table)])
