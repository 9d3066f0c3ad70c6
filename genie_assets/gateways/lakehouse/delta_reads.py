"""Reading Delta tables: the rows that a question is about, looked up in other tables where it says so."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
from deltalake import DeltaTable

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse import Exists, Filter, In, LakehouseError, Newest, Not, Rows
from genie_assets.gateways.lakehouse.choices import at_most, counted, distinct, gathered, newest
from genie_assets.gateways.lakehouse.conditions import (
    CellCondition,
    Condition,
    conditions,
    keep,
    mask_of_all,
    of_days,
)
from genie_assets.gateways.lakehouse.counterparts import HasCounterpart, refuse_unlike_columns
from genie_assets.gateways.lakehouse.delta_writes import DeltaStore, failures_named
from genie_assets.gateways.lakehouse.pruning import LONGEST_LIST, days_sql
from genie_assets.gateways.lakehouse.schema import arrow_schema, known_column

_COUNT = pa.field("count", pa.int64())
# Comparing with many values takes a hash table of them for every batch, so batches are joined, up to this size.
_BULK_BYTES = 32 * 1024 * 1024


class Selection:
    """The rows of one version of a table that meet conditions."""

    def __init__(self, store: DeltaStore, rows: Rows) -> None:
        """Open the table and look up what the conditions say about other tables.

        Raises:
            LakehouseError: a condition makes no sense for its table, or a table cannot be read.
        """
        self._store = store
        self._table = rows.table
        self._values: dict[str, pa.Array] = {}
        far = [each for each in rows.where if _looks_elsewhere(each)]
        near = conditions(rows.table, (each for each in rows.where if not _looks_elsewhere(each)))
        self._near = (*of_days(rows.table, rows.days), *near)
        with failures_named(rows.table):
            self._delta = store.open(rows.table)
        self._wanted = (*self._near, *conditions(rows.table, far, self._look_up))

    def rows(
        self, columns: Sequence[str], *, choice: Newest | None = None, once: bool = False, limit: int | None = None
    ) -> pa.Table:
        """Rows with these columns; `once` leaves out repetitions, and the rest is as in `Lakehouse.read`."""
        schema = arrow_schema(self._table, columns)
        if choice is not None:
            needed = arrow_schema(self._table, _joined(columns, choice.per, choice.by))
            _refuse_lists(self._table, (*choice.per, *choice.by))
            found = gathered(self._batches(needed.names), needed, lambda rows: newest(rows, choice))
            batches: Iterable[pa.RecordBatch] = found.select(schema.names).to_batches()
        else:
            batches = self._batches(schema.names)
        if once:
            batches = gathered(batches, schema, distinct).to_batches()
        return gathered(batches if limit is None else at_most(batches, limit), schema)

    def count(self, by: Sequence[str], flags: Mapping[str, Filter]) -> pa.Table:
        """Rows counted by columns and flags: these, and `count`."""
        schema = arrow_schema(self._table, by)
        for name in flags:
            if name in self._table.column_names or name == _COUNT.name:
                raise LakehouseError(f"{self._table.name}: a flag cannot be called {name!r}")
            schema = schema.append(pa.field(name, pa.bool_()))
        typed = {name: conditions(self._table, [flag], self._look_up) for name, flag in flags.items()}
        parts = self._counted_parts(by, typed, schema.append(_COUNT))
        return gathered(parts, schema.append(_COUNT), counted)

    def _counted_parts(
        self, by: Sequence[str], flags: Mapping[str, Sequence[Condition]], schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        needed = _joined(by, *(condition.needs for flag in flags.values() for condition in flag))
        # Rows have no number without a column; the partition's costs nothing to read.
        for batch in self._batches(needed or [self._table.partitioned_by or self._table.key[0]]):
            columns = [batch.column(name) for name in by]
            columns += [mask_of_all(batch, flag) for flag in flags.values()]
            ones = pa.repeat(pa.scalar(1, pa.int64()), batch.num_rows)
            part = counted(pa.table([*columns, ones], schema=schema))
            yield from part.combine_chunks().to_batches()

    def _batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with failures_named(self._table):
            yield from () if self._delta is None else scan(self._delta, self._table, names, self._wanted)

    def _look_up(self, exists: Exists) -> Condition:
        refuse_unlike_columns(self._table, exists)
        last = exists.key[-1]
        # The last column of a key tells most: with our rows' values the other table's files are pruned.
        where = (*exists.rows.where, In(last, self._candidates(last)))
        theirs = Selection(self._store, replace(exists.rows, where=where))
        if exists.since is None:
            return HasCounterpart(exists, theirs.rows(exists.key, once=True))
        latest = Newest(per=exists.key, by=[exists.since[0]])
        return HasCounterpart(exists, theirs.rows(_joined(exists.key, latest.by), choice=latest))

    def _candidates(self, name: str) -> pa.Array:
        """Distinct values of a column in the rows that meet all conditions on this table."""
        if name not in self._values:
            schema = arrow_schema(self._table, [name])
            with failures_named(self._table):
                batches = [] if self._delta is None else scan(self._delta, self._table, [name], self._near)
                self._values[name] = gathered(batches, schema, distinct)[name].combine_chunks()
        return self._values[name]


def _looks_elsewhere(each: Filter) -> bool:
    match each:
        case Exists():
            return True
        case Not(conditions=inner):
            return any(map(_looks_elsewhere, inner))
        case _:
            return False


def _joined(*names: Collection[str]) -> list[str]:
    return list(dict.fromkeys(name for part in names for name in part))


def _refuse_lists(table: Table, names: Sequence[str]) -> None:
    for name in names:
        if known_column(table, name).type == "ARRAY<STRING>":
            raise LakehouseError(f"{table.name}.{name}: lists cannot be compared")


def scan(
    delta: DeltaTable, table: Table, names: Sequence[str], wanted: Sequence[Condition]
) -> Iterator[pa.RecordBatch]:
    """Rows that meet all conditions, with exactly the columns `names`; those that are not stored are NULL."""
    stored = {field.name for field in delta.schema().fields}
    needed = _joined(names, *(condition.needs for condition in wanted))
    readable = [name for name in needed if name in stored]
    sqls = [sql for condition in wanted if (sql := condition.sql(stored)) is not None]
    sqls += [sql for condition in wanted if (sql := _days_sql(delta, table, condition)) is not None]
    predicate = " AND ".join(f"({sql})" for sql in sqls)
    # Only `scan` will do: the pyarrow ways of reading abort the process at its end.
    reader = pa.RecordBatchReader.from_stream(
        delta.scan(columns=readable, predicate=predicate or None), schema=arrow_schema(table, readable)
    )
    for batch in _in_bulk(reader, sum(condition.size for condition in wanted)):
        cells = {name: batch.column(name) for name in readable}
        whole = pa.record_batch(
            [cells.get(field.name, pa.nulls(batch.num_rows, field.type)) for field in arrow_schema(table, needed)],
            schema=arrow_schema(table, needed),
        )
        yield keep(whole, wanted).select(list(names))


def _days_sql(delta: DeltaTable, table: Table, condition: Condition) -> str | None:
    if table.partitioned_by is None or not isinstance(condition, CellCondition) or condition.values is None:
        return None
    if len(condition.values) <= LONGEST_LIST:
        return None  # the list itself skips as much
    files = pa.table(delta.get_add_actions(flatten=True))
    return days_sql(files, table.partitioned_by, condition.column, condition.values)


def _in_bulk(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of at least `rows`, as far as they are small enough to be held."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(each.num_rows for each in waiting) >= rows or sum(each.nbytes for each in waiting) >= _BULK_BYTES:
            yield from _joined_batches(waiting)
            waiting = []
    yield from _joined_batches(waiting)


def _joined_batches(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    return batches if len(batches) < 2 else pa.Table.from_batches(batches).combine_chunks().to_batches()
