"""The lakehouse as Delta files, on a disk or in an object store, written and read by delta-rs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse import Filter, Lakehouse, LakehouseError, MaintenanceReport, MergeResult
from genie_assets.gateways.lakehouse.conditions import Condition, conditions, day_literal, keep
from genie_assets.gateways.lakehouse.delta_writes import WRITER, DeltaStore, failures_named
from genie_assets.gateways.lakehouse.differences import differences, keys_of
from genie_assets.gateways.lakehouse.maintenance import maintain
from genie_assets.gateways.lakehouse.schema import arrow_schema, known_column, to_arrow, to_frame

_OBJECT_STORES = ("s3", "abfss", "gs")
# delta-rs decodes a percent sign twice, cuts its log's address at # and ?, and aborts on brackets.
_UNUSABLE_IN_PATHS = frozenset("%#?[]\\^|") | frozenset(map(chr, range(32))) | {"\x7f"}
# Says what to do with a source row of a merge; no table has such a column.
_ACTION = "__action"


def delta_root(uri: str) -> str:
    """The root folder's URI for delta-rs, without a slash at its end.

    Raises:
        LakehouseError: delta-rs serves no such URI.
    """
    scheme = urlsplit(uri).scheme if "://" in uri else ""
    if scheme in _OBJECT_STORES:
        return uri.rstrip("/")
    if scheme not in ("", "file") or not uri.strip():
        raise LakehouseError(
            f"GENIE_LAKEHOUSE: cannot use {scheme or 'an empty value'}; "
            "give a path or a file://, s3://, abfss:// or gs:// URI"
        )
    path = unquote(urlsplit(uri).path) if scheme == "file" else uri
    if unusable := sorted(_UNUSABLE_IN_PATHS.intersection(path)):
        raise LakehouseError(f"GENIE_LAKEHOUSE: the path must not contain any of {unusable}")
    return Path(path).expanduser().absolute().as_uri().rstrip("/")


class DeltaLakehouse(Lakehouse):
    """Tables as Delta files under `<root>/genie_analytics/<table>`."""

    def __init__(self, root: str, storage_options: Mapping[str, str] | None = None) -> None:
        self._store = DeltaStore(root, storage_options)

    def exists(self, table: Table) -> bool:
        """Whether the table was ever written."""
        return self.version(table) is not None

    def prepare(self, table: Table) -> None:
        """Make the table exist with all columns of this version."""
        self._store.commit(table, lambda _delta: None)

    def version(self, table: Table) -> int | None:
        """Number of the table's latest commit; None if it does not exist."""
        with failures_named(table):
            delta = self._store.open(table)
            return None if delta is None else delta.version()

    def read(
        self,
        table: Table,
        *,
        columns: Sequence[str] | None = None,
        days: Collection[date] | None = None,
        where: Sequence[Filter] = (),
    ) -> pd.DataFrame:
        """Rows of a table; see `Lakehouse.read`."""
        schema = arrow_schema(table, columns)
        wanted = conditions(table, days, where)
        with failures_named(table):
            delta = self._store.open(table)
            batches = [] if delta is None else list(_scan(delta, table, schema.names, wanted))
            return to_frame(pa.Table.from_batches(batches, schema=schema))

    def append(self, table: Table, frame: pd.DataFrame, *, once: tuple[str, int] | None = None) -> int:
        """Add rows in one atomic commit; see `Lakehouse.append`."""
        rows = to_arrow(table, frame)
        if not rows.num_rows:
            return 0

        def write(delta: DeltaTable) -> int:
            if once is not None and _already_done(delta, once):
                return 0
            transactions = None if once is None else [Transaction(*once)]
            write_deltalake(
                delta,
                _as_stored(delta, rows),
                mode="append",
                writer_properties=WRITER,
                commit_properties=CommitProperties(app_transactions=transactions),
            )
            return rows.num_rows

        return self._store.commit(table, write)

    def replace_day(self, table: Table, day: date, frame: pd.DataFrame) -> bool:
        """Make one partition equal to the frame; see `Lakehouse.replace_day`."""
        if table.partitioned_by is None:
            raise LakehouseError(f"{table.name} has no partitions, so no day can be replaced")
        rows = to_arrow(table, frame)
        _refuse_duplicates(table, rows)
        if pc.unique(rows[table.partitioned_by]).to_pylist() not in ([], [day]):
            raise LakehouseError(f"{table.name}: a row to put into {day} belongs to another day")
        wanted = conditions(table, [day], ())
        partition = f'"{table.partitioned_by}" = {day_literal(day)}'

        def write(delta: DeltaTable) -> bool:
            identity = _identity(table)
            stored = _scan(delta, table, _compared(table), wanted)
            found = differences(stored, rows, identity=identity, content=table.content)
            if found.stored_rows == rows.num_rows and found.stored.all() and not found.differs.any():
                return False
            write_deltalake(
                delta,
                _as_stored(delta, rows),
                mode="overwrite",
                predicate=partition,
                writer_properties=WRITER,
            )
            return True

        if not rows.num_rows and not self.exists(table):
            return False
        return self._store.commit(table, write)

    def merge(self, table: Table, frame: pd.DataFrame, *, delete: pd.DataFrame | None = None) -> MergeResult:
        """Insert, update and delete rows by key; see `Lakehouse.merge`."""
        rows = to_arrow(table, frame)
        _refuse_duplicates(table, rows)
        identity = _identity(table)
        gone = to_arrow(table, table.frame(()) if delete is None else delete, identity)
        gone_keys = frozenset(keys_of(gone, identity))
        if gone_keys and not gone_keys.isdisjoint(keys_of(rows, identity)):
            raise LakehouseError(f"{table.name}: a row is to be both merged and deleted")
        if not rows.num_rows and (not gone_keys or not self.exists(table)):
            return MergeResult()
        wanted = _touched_days(table, rows, gone)

        def write(delta: DeltaTable) -> MergeResult:
            stored = _scan(delta, table, _compared(table), wanted)
            found = differences(stored, rows, identity=identity, content=table.content, find=gone_keys)
            result = MergeResult(
                inserted=int((~found.stored).sum()),
                updated=int(found.differs.sum()),
                deleted=len(found.found),
            )
            if result.changed:
                actions = np.where(found.stored, np.where(found.differs, "update", ""), "insert")
                removed = [key in found.found for key in keys_of(gone, identity)]
                _merge(delta, table, _merge_source(rows, actions, gone.filter(pa.array(removed, pa.bool_()))))
            return result

        return self._store.commit(table, write)

    def maintain(self, table: Table, *, today: date) -> MaintenanceReport:
        """Compact closed days, vacuum, shorten the log; see `Lakehouse.maintain`."""
        return maintain(self._store, table, today)


def _scan(
    delta: DeltaTable, table: Table, names: Sequence[str], wanted: Sequence[Condition]
) -> Iterator[pa.RecordBatch]:
    """Rows that meet all conditions, with exactly the columns `names`; those that are not stored are NULL."""
    stored = {field.name for field in delta.schema().fields}
    needed = list(dict.fromkeys([*names, *(condition.column.name for condition in wanted)]))
    readable = [name for name in needed if name in stored]
    predicate = " AND ".join(f"({condition.sql()})" for condition in wanted if condition.column.name in stored)
    # Only `scan` will do: the pyarrow ways of reading abort the process at its end.
    reader = pa.RecordBatchReader.from_stream(
        delta.scan(columns=readable, predicate=predicate or None), schema=arrow_schema(table, readable)
    )
    for batch in reader:
        cells = {name: batch.column(name) for name in readable}
        whole = pa.record_batch(
            [cells.get(field.name, pa.nulls(batch.num_rows, field.type)) for field in arrow_schema(table, needed)],
            schema=arrow_schema(table, needed),
        )
        yield keep(whole, wanted).select(list(names))


def _already_done(delta: DeltaTable, once: tuple[str, int]) -> bool:
    # Delta only refuses two such commits at once; that an earlier one exists is ours to notice.
    application, number = once
    done = delta.transaction_version(application)
    return done is not None and done >= number


def _as_stored(delta: DeltaTable, rows: pa.Table) -> pa.Table:
    """The rows with NULL in every column that only a newer version of the table has."""
    for field in pa.schema(delta.schema().to_arrow()):
        if field.name not in rows.schema.names:
            rows = rows.append_column(pa.field(field.name, field.type), pa.nulls(rows.num_rows, field.type))
    return rows


def _identity(table: Table) -> list[str]:
    """Columns that find a row: the key, and the partition in which it lies."""
    partition = [table.partitioned_by] if table.partitioned_by and table.partitioned_by not in table.key else []
    return [*table.key, *partition]


def _compared(table: Table) -> list[str]:
    return list(dict.fromkeys([*_identity(table), *table.content]))


def _refuse_duplicates(table: Table, rows: pa.Table) -> None:
    doubled = rows.num_rows - len(set(keys_of(rows, table.key)))
    if doubled:
        raise LakehouseError(f"{table.name}: {doubled} rows repeat the key {table.key} of another row")


def _touched_days(table: Table, *sources: pa.Table) -> tuple[Condition, ...]:
    if table.partitioned_by is None:
        return ()
    days = {day for rows in sources for day in pc.unique(rows[table.partitioned_by]).to_pylist()}
    return conditions(table, days, ())


def _merge_source(rows: pa.Table, actions: np.ndarray, gone: pa.Table) -> pa.Table:
    """The rows that change something, each with what to do."""
    changed = rows.append_column(_ACTION, pa.array(actions, pa.string())).filter(pa.array(actions != ""))
    removed = gone.append_column(_ACTION, pa.array(["delete"] * gone.num_rows, pa.string()))
    return pa.concat_tables([changed, removed], promote_options="default")


def _merge(delta: DeltaTable, table: Table, source: pa.Table) -> None:
    values: dict[str, str] = {name: f's."{name}"' for name in table.column_names}
    (
        delta.merge(
            source,
            predicate=_merge_predicate(table, source),
            source_alias="s",
            target_alias="t",
            # Streaming would hide the source's range of keys, by which files are skipped.
            streamed_exec=False,
            writer_properties=WRITER,
        )
        .when_matched_delete(f"s.{_ACTION} = 'delete'")
        .when_matched_update(_but(values, _identity(table)), f"s.{_ACTION} = 'update'")
        .when_not_matched_insert(values, f"s.{_ACTION} = 'insert'")
        .execute()
    )


def _but(values: Mapping[str, str], left_out: Sequence[str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in left_out}


def _merge_predicate(table: Table, source: pa.Table) -> str:
    parts: list[str] = []
    if table.partitioned_by is not None:
        # Literal days, or the merge reads the whole table and conflicts with every other writer.
        days: list[Any] = sorted(pc.unique(source[table.partitioned_by]).to_pylist())
        parts.append(f't."{table.partitioned_by}" IN ({", ".join(map(day_literal, days))})')
    for name in _identity(table):
        equal = f't."{name}" = s."{name}"'
        if known_column(table, name).nullable:
            equal = f'({equal} OR (t."{name}" IS NULL AND s."{name}" IS NULL))'
        parts.append(equal)
    return " AND ".join(parts)
