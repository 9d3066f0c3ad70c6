"""Conditions on rows, twice: as SQL that spares the engine files, and exactly, on Arrow batches.

The SQL only prunes. Which rows are returned is decided by `keep`, so no way of quoting a value can let a wrong row
through.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.questions import Between, Equals, Exists, Filter, In, IsNull, Not
from genie_assets.domain.tables import Column, Table
from genie_assets.gateways.lakehouse.delta.pruning import literals, quoted, values_sql
from genie_assets.gateways.lakehouse.frames import arrow_values, known_column


class Condition(Protocol):
    """A filter whose values have the types of the table's columns."""

    @property
    def needs(self) -> frozenset[str]:
        """Names of the columns on which it depends."""

    @property
    def size(self) -> int:
        """With how many values rows are compared. Deciding on a single row takes time in proportion."""

    def sql(self, stored: Collection[str]) -> str | None:
        """An expression on `stored` columns that holds for every row that meets it; None if none would help."""

    def mask(self, rows: pa.RecordBatch) -> pa.BooleanArray:
        """For each row whether it meets the condition, never NULL."""


@dataclass(frozen=True)
class CellCondition:
    """A condition on one column: `values` to be in, or bounds, or neither for IS NULL."""

    column: Column
    values: pa.Array | None = None
    low: pa.Array | None = None
    high: pa.Array | None = None

    @property
    def needs(self) -> frozenset[str]:
        """The column's name."""
        return frozenset([self.column.name])

    @property
    def size(self) -> int:
        """The number of `values`."""
        return 0 if self.values is None else len(self.values)

    def sql(self, stored: Collection[str]) -> str | None:
        """An expression that holds for every row that meets the condition, and for few others."""
        if self.column.name not in stored:
            return None
        if self.values is not None:
            return values_sql(self.column, self.values)
        name = quoted(self.column.name)
        bounds = [
            f"{name} {operator} {literals(self.column, bound)[0]}"
            for operator, bound in ((">=", self.low), ("<=", self.high))
            if bound is not None
        ]
        return " AND ".join(bounds) or f"{name} IS NULL"

    def mask(self, rows: pa.RecordBatch) -> pa.BooleanArray:
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
        return pc.fill_null(masks[0] if len(masks) == 1 else pc.and_(*masks), False)


@dataclass(frozen=True)
class NotAll:
    """Rows that miss at least one of the conditions."""

    conditions: tuple[Condition, ...]

    @property
    def needs(self) -> frozenset[str]:
        """The columns of all its conditions."""
        return frozenset().union(*(condition.needs for condition in self.conditions))

    @property
    def size(self) -> int:
        """That of all its conditions."""
        return sum(condition.size for condition in self.conditions)

    def sql(self, stored: Collection[str]) -> str | None:  # noqa: ARG002 - conditions hold for too many rows to negate
        """Nothing."""
        return None

    def mask(self, rows: pa.RecordBatch) -> pa.BooleanArray:
        """For each row whether it misses one."""
        return pc.invert(mask_of_all(rows, self.conditions))


def of_days(table: Table, days: Collection[date] | None) -> tuple[Condition, ...]:
    """The condition that a row lies in one of these partitions; none if `days` is None, or the table has none.

    Raises:
        LakehouseError: a value is no day.
    """
    if days is None or table.partitioned_by is None:
        return ()
    return conditions(table, [In(table.partitioned_by, days)])


def _nothing_to_look_up(_exists: Exists) -> Condition:
    raise TypeError("This place has no other table to look into")


def conditions(
    table: Table, filters: Iterable[Filter], look_up: Callable[[Exists], Condition] = _nothing_to_look_up
) -> tuple[Condition, ...]:
    """Filters as conditions with typed values.

    Args:
        table: the table on whose rows the filters are.
        filters: what a row must meet.
        look_up: turns an `Exists`, at any depth, into a condition.

    Raises:
        LakehouseError: a column is unknown, or a value does not fit its column.
    """
    return tuple(condition for each in filters for condition in _conditions(table, each, look_up))


def _conditions(table: Table, each: Filter, look_up: Callable[[Exists], Condition]) -> Iterator[Condition]:
    match each:
        case Exists():
            yield look_up(each)
        case Not(conditions=inner):
            yield NotAll(conditions(table, inner, look_up))
        case _:
            yield from _on_a_cell(table, known_column(table, each.column), each)


def _on_a_cell(table: Table, column: Column, each: Equals | In | Between | IsNull) -> Iterator[Condition]:
    match each:
        case Equals(value=value):
            yield CellCondition(column, values=arrow_values(table, column, [value]))
        case In(values=values):
            yield CellCondition(column, values=arrow_values(table, column, list(values)).unique())
        case Between(low=None, high=None):
            pass
        case Between(low=low, high=high):
            yield CellCondition(column, low=_bound(table, column, low), high=_bound(table, column, high))
        case IsNull():
            yield CellCondition(column)


def _bound(table: Table, column: Column, value: Any) -> pa.Array | None:
    return None if value is None else arrow_values(table, column, [value])


def mask_of_all(rows: pa.RecordBatch, wanted: Sequence[Condition]) -> pa.BooleanArray:
    """For each row whether it meets every condition."""
    mask = pa.repeat(pa.scalar(True), rows.num_rows)
    for condition in wanted:
        mask = pc.and_(mask, condition.mask(rows))
    return mask


def keep(rows: pa.RecordBatch, wanted: Sequence[Condition]) -> pa.RecordBatch:
    """The rows that meet every condition."""
    for condition in wanted:
        rows = rows.filter(condition.mask(rows))
    return rows
