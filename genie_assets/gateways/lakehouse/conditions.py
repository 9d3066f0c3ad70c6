"""Conditions on rows, twice: as SQL that spares the engine files, and exactly, on Arrow batches.

The SQL only prunes. Which rows are returned is decided by `keep`, so no way of quoting a value can let a wrong row
through.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.tables import Column, Table
from genie_assets.gateways.lakehouse import Between, Equals, Filter, In, IsNull, LakehouseError
from genie_assets.gateways.lakehouse.schema import arrow_values, known_column

# Longer lists become a range: parsing 5,000 literals takes the engine longer (160 ms) than it saves.
_LONGEST_LIST = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Condition:
    """A filter whose values have the column's type: `values` to be in, or bounds, or neither for IS NULL."""

    column: Column
    values: pa.Array | None = None
    low: pa.Array | None = None
    high: pa.Array | None = None

    def sql(self) -> str:
        """An expression that holds for every row that meets the condition, and for few others."""
        name = f'"{self.column.name}"'
        if self.values is not None:
            return _values_sql(name, self.column, self.values)
        bounds = [
            f"{name} {operator} {literal(self.column, bound[0].as_py())}"
            for operator, bound in ((">=", self.low), ("<=", self.high))
            if bound is not None
        ]
        return " AND ".join(bounds) or f"{name} IS NULL"

    def mask(self, rows: pa.RecordBatch) -> pa.Array:
        """For each row whether it meets the condition."""
        cells = rows.column(self.column.name)
        if self.values is not None:
            return pc.is_in(cells, value_set=self.values)
        if self.low is None and self.high is None:
            return pc.is_null(cells)
        masks = [
            compare(cells, bound[0])
            for compare, bound in ((pc.greater_equal, self.low), (pc.less_equal, self.high))
            if bound is not None
        ]
        return masks[0] if len(masks) == 1 else pc.and_(*masks)


def _values_sql(name: str, column: Column, values: pa.Array) -> str:
    if not len(values):
        return "false"
    if len(values) <= _LONGEST_LIST:
        return f"{name} IN ({', '.join(literal(column, value) for value in values.to_pylist())})"
    ends = pc.min_max(values).as_py()
    return f"{name} >= {literal(column, ends['min'])} AND {name} <= {literal(column, ends['max'])}"


def conditions(table: Table, days: Collection[date] | None, where: Sequence[Filter]) -> tuple[Condition, ...]:
    """Partition days and filters as conditions with typed values.

    Raises:
        LakehouseError: a column is unknown, a value does not fit its column, or `days` is given for a table
            without partitions.
    """
    filters: list[Filter] = list(where)
    if days is not None:
        if table.partitioned_by is None:
            raise LakehouseError(f"{table.name} has no partitions, so no days can be chosen")
        filters.insert(0, In(table.partitioned_by, days))
    return tuple(condition for each in filters if (condition := _condition(table, each)) is not None)


def _condition(table: Table, each: Filter) -> Condition | None:
    column = known_column(table, each.column)
    match each:
        case Equals(value=value):
            return Condition(column, values=arrow_values(table, column, [value]))
        case In(values=values):
            return Condition(column, values=arrow_values(table, column, list(values)).unique())
        case Between(low=None, high=None):
            return None
        case Between(low=low, high=high):
            return Condition(column, low=_bound(table, column, low), high=_bound(table, column, high))
        case IsNull():
            return Condition(column)


def _bound(table: Table, column: Column, value: Any) -> pa.Array | None:
    return None if value is None else arrow_values(table, column, [value])


def keep(rows: pa.RecordBatch, wanted: Sequence[Condition]) -> pa.RecordBatch:
    """The rows that meet every condition."""
    for condition in wanted:
        rows = rows.filter(condition.mask(rows))
    return rows


def literal(column: Column, value: Any) -> str:
    """A non-NULL value of the column as a DataFusion literal."""
    match column.type:
        case "STRING":
            # Doubling is enough: in the dialect of `scan` a backslash means itself.
            return "'" + value.replace("'", "''") + "'"
        case "DATE":
            return day_literal(value)
        case "TIMESTAMP":
            # A TIMESTAMP literal counts nanoseconds, which end in the year 2262.
            ticks = (value - _EPOCH) // timedelta(microseconds=1)
            return f"""arrow_cast({ticks}, 'Timestamp(Microsecond, Some("UTC"))')"""
        case "BOOLEAN":
            return "true" if value else "false"
        case _:
            return str(int(value))


def day_literal(day: date) -> str:
    """A day as a DATE literal: the one form by which every delta-rs operation skips other partitions."""
    return f"DATE '{day.isoformat()}'"
