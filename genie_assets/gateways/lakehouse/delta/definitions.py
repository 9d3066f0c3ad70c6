"""Table definitions as delta-rs takes them: a new table's columns and properties, and what an older one lacks.

Where tables lie, and how they are opened and written, does not belong here.
"""

import logging
from collections.abc import Mapping

from deltalake import DeltaTable
from deltalake.schema import ArrayType, Field, PrimitiveType, Schema

from genie_assets.domain.schema_text import STATISTICS, statistics_columns
from genie_assets.domain.tables import Column, ColumnType, Table
from genie_assets.gateways.lakehouse.refusals import refuse_other_types

logger = logging.getLogger(__name__)

_DELTA_TYPES: Mapping[ColumnType, PrimitiveType | ArrayType] = {
    "STRING": PrimitiveType("string"),
    "LONG": PrimitiveType("long"),
    "INT": PrimitiveType("integer"),
    "BOOLEAN": PrimitiveType("boolean"),
    "DATE": PrimitiveType("date"),
    "TIMESTAMP": PrimitiveType("timestamp"),
    "ARRAY<STRING>": ArrayType(PrimitiveType("string"), contains_null=True),
}
_LOG_KEPT = "delta.logRetentionDuration"
# Every write opens the table and reads all commits since the last checkpoint, about 0.4 ms each. With the default
# of 100 that was half of what a fetched message cost.
_COMMITS_PER_CHECKPOINT = 20
# Every write also lists the log, about 10 µs an entry: a backfill's ten thousand commits of a hundred rows would
# make it ten times as slow. Whoever takes longer than this, and is overtaken meanwhile, starts again; `commits`
# sees to it that nothing is lost. An object store lists from the last checkpoint on.
_LOG_OF_APPENDS_KEPT = "interval 1 minute"
# For so long a commit can be recognized by its signature (`commits`).
_SIGNATURES_KEPT = "interval 7 days"


def schema_of(table: Table) -> Schema:
    """All columns of a new table."""
    return Schema([_delta_field(column) for column in table.columns])


def properties_of(table: Table, *, on_disk: bool) -> dict[str, str]:
    """The properties of a new table, on a disk of this machine or in an object store."""
    return {
        STATISTICS: statistics_columns(table, "partitioned"),
        "delta.checkpointInterval": str(_COMMITS_PER_CHECKPOINT),
        _LOG_KEPT: _LOG_OF_APPENDS_KEPT if table.append_only and on_disk else "interval 7 days",
        "delta.deletedFileRetentionDuration": "interval 2 days",
        "delta.setTransactionRetentionDuration": _SIGNATURES_KEPT,
    }


def extended(table: Table, delta: DeltaTable, *, on_disk: bool) -> DeltaTable:
    """The table with the columns and properties that an older version of it lacks.

    Columns are added as nullable, also where the table forbids NULL, because the rows that are there have no
    value. What somebody has chosen for a property stays.

    Raises:
        LakehouseError: a stored column has another type.
    """
    stored = {field.name: field.type for field in delta.schema().fields}
    refuse_other_types(table, stored, _DELTA_TYPES)
    wanted, found = properties_of(table, on_disk=on_disk), delta.metadata().configuration
    changed = {name: value for name, value in wanted.items() if name not in found}
    if not on_disk and found.get(_LOG_KEPT) == _LOG_OF_APPENDS_KEPT:
        changed[_LOG_KEPT] = wanted[_LOG_KEPT]
    missing = [column for column in table.columns if column.name not in stored]
    if missing:
        logger.info("%s: adding columns %s", table.name, [column.name for column in missing])
        delta.alter.add_columns([_delta_field(column, nullable=True) for column in missing])
        changed[STATISTICS] = wanted[STATISTICS]
    if changed:
        delta.alter.set_table_properties(changed)
    return delta


def _delta_field(column: Column, *, nullable: bool | None = None) -> Field:
    return Field(
        column.name,
        _DELTA_TYPES[column.type],
        nullable=column.nullable if nullable is None else nullable,
        metadata={"comment": column.description},
    )
