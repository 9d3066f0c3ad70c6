"""Reading Delta tables: the rows that a question is about, looked up in other tables where it says so."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
from deltalake import DeltaTable

from genie_assets.domain.questions import Exists, Filter, In, Newest, Rows, lookups_of, near_and_far
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.delta.choices import at_most, counted, distinct, gathered, newest
from genie_assets.gateways.lakehouse.delta.conditions import (
    CellCondition,
    Condition,
    conditions,
    keep,
    mask_of_all,
    of_days,
)
from genie_assets.gateways.lakehouse.delta.counterparts import HasCounterpart
from genie_assets.gateways.lakehouse.delta.pruning import LONGEST_LIST, days_sql
from genie_assets.gateways.lakehouse.delta.writes import DeltaStore
from genie_assets.gateways.lakehouse.frames import arrow_schema
from genie_assets.gateways.lakehouse.identities import telling_name
from genie_assets.gateways.lakehouse.refusals import COUNT

_COUNT = pa.field(COUNT, pa.int64())
# Comparing with many values takes a hash table of them for every batch, so batches are joined, up to this size.
_BULK_BYTES = 32 * 1024 * 1024


class Selection:
    """The rows of one version of a table that meet conditions."""

    def __init__(self, store: DeltaStore, rows: Rows, flags: Mapping[str, Filter] | None = None) -> None:
        """Open the table and look up what the conditions say about other tables.

        Args:
            store: where the tables are.
            rows: what is asked about.
            flags: further conditions, for `count` to tell rows apart by.

        Raises:
            LakehouseError: a condition makes no sense for its table, or a table cannot be read.
        """
        self._store = store
        self._table = rows.table
        self._flags = flags or {}
        self._lookups = [exists for each in (*rows.where, *self._flags.values()) for exists in lookups_of(each)]
        self._values: dict[str, pa.Array] = {}
        self._others: dict[Hashable, pa.Table] = {}
        near, far = near_and_far(rows.where)
        self._near = (*of_days(rows.table, rows.days), *conditions(rows.table, near))
        with store.failures_named(rows.table):
            self._delta = store.open(rows.table)
        self._wanted = (*self._near, *conditions(rows.table, far, self._look_up))

    def rows(
        self, columns: Sequence[str], *, choice: Newest | None = None, once: bool = False, limit: int | None = None
    ) -> pa.Table:
        """Rows with these columns; `once` leaves out repetitions, and the rest is as in `Lakehouse.read`."""
        schema = arrow_schema(self._table, columns)
        if choice is not None:
            needed = arrow_schema(self._table, _joined(columns, choice.per, choice.by))
            found = gathered(self._batches(needed.names), needed, lambda rows: newest(rows, choice))
            batches: Iterable[pa.RecordBatch] = found.select(schema.names).to_batches()
        else:
            batches = self._batches(schema.names)
        if once:
            batches = gathered(batches, schema, distinct).to_batches()
        return gathered(batches if limit is None else at_most(batches, limit), schema)

    def count(self, by: Sequence[str]) -> pa.Table:
        """Rows counted by columns and flags: these, and `count`."""
        schema = arrow_schema(self._table, by)
        for name in self._flags:
            schema = schema.append(pa.field(name, pa.bool_()))
        typed = {name: conditions(self._table, [flag], self._look_up) for name, flag in self._flags.items()}
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
        with self._store.failures_named(self._table):
            yield from () if self._delta is None else scan(self._delta, self._table, names, self._wanted)

    def _look_up(self, exists: Exists) -> Condition:
        if self._near:
            return HasCounterpart(exists, self._possible_counterparts(exists))
        # All our rows are asked about: theirs are read first, and tell which of our files are worth opening.
        theirs = Selection(self._store, exists.rows).rows(_columns_of(exists), once=True)
        last = telling_name(exists)
        return HasCounterpart(exists, theirs, narrowing=conditions(self._table, [In(last, theirs[last])]))

    def _possible_counterparts(self, exists: Exists) -> pa.Table:
        """What `exists` compares, of those of its rows that have a value of ours in the column that tells most.

        With our rows' values the other table's files are pruned. What several conditions ask of one table is read
        once.
        """
        place, rows, last = _place_of(exists), exists.rows, telling_name(exists)
        if place not in self._others:
            alike = [each for each in self._lookups if _place_of(each) == place]
            needed = _joined(*map(_columns_of, alike), *map(_columns_of_conditions, alike))
            where = rows.where if len(alike) == 1 else ()
            candidates = replace(rows, where=[*where, In(last, self._candidates(last))])
            self._others[place] = Selection(self._store, candidates).rows(needed)
        found, (near, _) = self._others[place], near_and_far(rows.where)
        wanted = conditions(rows.table, near)
        kept = [keep(batch, wanted) for batch in found.to_batches()]
        return pa.Table.from_batches(kept, schema=found.schema).select(_columns_of(exists))

    def _candidates(self, name: str) -> pa.Array:
        """Distinct values of a column in the rows that meet all conditions on this table."""
        if name not in self._values:
            schema = arrow_schema(self._table, [name])
            with self._store.failures_named(self._table):
                batches = [] if self._delta is None else scan(self._delta, self._table, [name], self._near)
                self._values[name] = gathered(batches, schema, distinct)[name].combine_chunks()
        return self._values[name]


def _place_of(exists: Exists) -> Hashable:
    """Equal for two conditions whose rows can be read together."""
    rows = exists.rows
    if near_and_far(rows.where)[1]:
        return id(exists)
    return rows.table.name, None if rows.days is None else frozenset(rows.days), telling_name(exists)


def _columns_of(exists: Exists) -> list[str]:
    """Columns of the other table that are compared with ours."""
    return _joined(exists.key, [exists.since[0]] if exists.since else [])


def _columns_of_conditions(exists: Exists) -> list[str]:
    """Columns of the other table by which its rows are chosen."""
    near, _ = near_and_far(exists.rows.where)
    return _joined(*(condition.needs for condition in conditions(exists.rows.table, near)))


def _joined(*names: Collection[str]) -> list[str]:
    return list(dict.fromkeys(name for part in names for name in part))


def scan(
    delta: DeltaTable, table: Table, names: Sequence[str], wanted: Sequence[Condition]
) -> Iterator[pa.RecordBatch]:
    """Rows that meet all conditions, with exactly the columns `names`; those that are not stored are NULL."""
    stored = {field.name for field in delta.schema().fields}
    needed = _joined(names, *(condition.needs for condition in wanted))
    readable = [name for name in needed if name in stored]
    sqls = [sql for condition in _narrowing(wanted) for sql in _sqls(delta, table, condition, stored)]
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


def _narrowing(wanted: Sequence[Condition]) -> Iterator[Condition]:
    for condition in wanted:
        yield condition
        if isinstance(condition, HasCounterpart):
            yield from condition.narrowing


def _sqls(delta: DeltaTable, table: Table, condition: Condition, stored: Collection[str]) -> Iterator[str]:
    """What spares the engine files and rows."""
    if (sql := condition.sql(stored)) is not None:
        yield sql
    if table.partitioned_by and isinstance(condition, CellCondition) and condition.size > LONGEST_LIST:
        # A list that is sent as ranges skips fewer files than its values could.
        files = pa.table(delta.get_add_actions(flatten=True))
        days = days_sql(files, table.partitioned_by, condition.column, condition.values)
        if days is not None:
            yield days


def _in_bulk(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of at least `rows`, as far as they are small enough to be held."""
    waiting: list[pa.RecordBatch] = []
    waiting_rows = waiting_bytes = 0
    for batch in batches:
        waiting.append(batch)
        waiting_rows += batch.num_rows
        waiting_bytes += batch.nbytes
        if waiting_rows >= rows or waiting_bytes >= _BULK_BYTES:
            yield from _joined_batches(waiting)
            waiting, waiting_rows, waiting_bytes = [], 0, 0
    yield from _joined_batches(waiting)


def _joined_batches(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    return batches if len(batches) < 2 else pa.Table.from_batches(batches).combine_chunks().to_batches()
