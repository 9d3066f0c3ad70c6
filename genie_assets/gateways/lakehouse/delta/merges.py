"""What a write changes in a Delta table, decided once it is open: in the cheapest commit, never twice.

Rows that are only inserted are appended, for a MERGE would rewrite files. But delta-rs lets appends pass each
other, so two writers could both find a key missing and both insert it. Every commit that depends on which keys are
stored therefore carries an application transaction for each of its days: of two that touch the same day at once,
delta-rs refuses the second, which is then decided anew.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.table import TableMerger

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.delta.commits import Change
from genie_assets.gateways.lakehouse.delta.conditions import CellCondition, Condition, of_days
from genie_assets.gateways.lakehouse.delta.pruning import quoted
from genie_assets.gateways.lakehouse.delta.reads import scan
from genie_assets.gateways.lakehouse.delta.writes import WRITER
from genie_assets.gateways.lakehouse.differences import Differences, differences, keys_of
from genie_assets.gateways.lakehouse.frames import known_column
from genie_assets.gateways.lakehouse.identities import days_of, identity_of, telling_column
from genie_assets.gateways.lakehouse.literals import day_literal, days_literal
from genie_assets.gateways.lakehouse.results import MergeResult

# Says what to do with a source row of a merge; no table has such a column.
_ACTION = "__action"
# The log keeps every name of a transaction for ever, so days share names. Days this far apart are hardly ever
# written at the same moment, and if they are, one write is only repeated.
_TRANSACTION_NAMES = 32


def _holds_exactly(delta: DeltaTable, table: Table, day: date, rows: pa.Table) -> bool:
    """Whether these rows, and no others, are stored in a partition; bookkeeping columns are left aside."""
    found = _compared(delta, table, rows, of_days(table, [day]))
    return bool(found.stored_rows == rows.num_rows and found.stored.all() and not found.differs.any())


def replaced(delta: DeltaTable, table: Table, day: date, rows: pa.Table) -> Change[bool]:
    """Make a day hold these rows and no others; False if it does already."""
    if _holds_exactly(delta, table, day, rows):
        return Change(False)
    partition = f"{quoted(str(table.partitioned_by))} = {day_literal(day)}"
    return Change(True, partial(_write, delta, rows, partition), once_at_a_time(delta, [day]))


def appended(delta: DeltaTable, rows: pa.Table) -> Change[None]:
    """Add rows, whatever is stored."""
    return Change(None, partial(_write, delta, rows, None))


def merged(delta: DeltaTable, table: Table, rows: pa.Table, gone: pa.Table) -> Change[MergeResult]:
    """Insert or update `rows` and delete `gone`, which has the columns of the identity, in at most one commit."""
    gone_keys = keys_of(gone, identity_of(table))
    wanted = (*of_days(table, days_of(table, rows, gone)), *with_keys_of(table, rows, gone))
    found = _compared(delta, table, rows, wanted, find=frozenset(gone_keys))
    result = MergeResult(
        inserted=int((~found.stored).sum()),
        updated=int(found.differs.sum()),
        deleted=len(found.found),
    )
    if result.updated or result.deleted:
        removed = gone.filter(pa.array([key in found.found for key in gone_keys], pa.bool_()))
        source = _source(rows, found, removed)
        return Change(result, partial(_rewrite, delta, table, source), _once(delta, table, source))
    if result.inserted:
        new = rows.filter(pa.array(~found.stored))
        return Change(result, partial(_write, delta, new, None), _once(delta, table, new))
    return Change(result)


def filled(delta: DeltaTable, table: Table, rows: pa.Table, column: str) -> Change[None]:
    """Give the stored ones of these rows what they have beside the identity, where they lack `column`."""
    return Change(None, partial(_fill, delta, table, rows, column), _once(delta, table, rows))


def _fill(delta: DeltaTable, table: Table, rows: pa.Table, column: str, commit: CommitProperties) -> None:
    values = _but({name: f"s.{quoted(name)}" for name in rows.schema.names}, identity_of(table))
    _merge_into(delta, table, rows, commit).when_matched_update(values, f"t.{quoted(column)} IS NULL").execute()


def _write(delta: DeltaTable, rows: pa.Table, instead_of: str | None, commit: CommitProperties) -> None:
    """Append rows, or put them in place of those that `instead_of` names."""
    data = _as_stored(delta, rows)
    if instead_of is None:
        write_deltalake(delta, data, mode="append", writer_properties=WRITER, commit_properties=commit)
    else:
        write_deltalake(
            delta,
            data,
            mode="overwrite",
            predicate=instead_of,
            writer_properties=WRITER,
            commit_properties=commit,
        )


def _compared(
    delta: DeltaTable, table: Table, rows: pa.Table, wanted: Sequence[Condition], **sought: Any
) -> Differences:
    identity = identity_of(table)
    stored = scan(delta, table, list(dict.fromkeys([*identity, *table.content])), wanted)
    return differences(stored, rows, identity=identity, content=table.content, **sought)


def with_keys_of(table: Table, *sources: pa.Table) -> tuple[Condition, ...]:
    """The condition that spares the engine most rows of a day: those of other things than these rows'."""
    if (column := telling_column(table)) is None:
        return ()
    values = pa.chunked_array([chunk for rows in sources for chunk in rows[column.name].chunks], pa.string())
    return (CellCondition(column, values=values.unique()),)


def _once(delta: DeltaTable, table: Table, rows: pa.Table) -> list[Transaction]:
    return once_at_a_time(delta, days_of(table, rows))


def once_at_a_time(delta: DeltaTable, days: Collection[date] | None) -> list[Transaction]:
    """What makes a commit fail if another such commit was made on one of these days since `delta` was opened."""
    names = {"merge"} if days is None else {f"merge/{day.toordinal() % _TRANSACTION_NAMES}" for day in days}
    versions = {name: delta.transaction_version(name) for name in sorted(names)}
    return [Transaction(name, 0 if version is None else version + 1) for name, version in versions.items()]


def transaction_names() -> list[str]:
    """The names of all transactions that `once_at_a_time` makes."""
    return ["merge", *(f"merge/{number}" for number in range(_TRANSACTION_NAMES))]


def _as_stored(delta: DeltaTable, rows: pa.Table) -> pa.Table:
    """The rows with NULL in every column that only a newer version of the table has."""
    for field in pa.schema(delta.schema().to_arrow()):
        if field.name not in rows.schema.names:
            rows = rows.append_column(pa.field(field.name, field.type), pa.nulls(rows.num_rows, field.type))
    return rows


def _source(rows: pa.Table, found: Differences, removed: pa.Table) -> pa.Table:
    """The rows that change something, each with what to do."""
    actions = np.where(found.stored, np.where(found.differs, "update", ""), "insert")
    changed = rows.append_column(_ACTION, pa.array(actions, pa.string())).filter(pa.array(actions != ""))
    removed = removed.append_column(_ACTION, pa.array(["delete"] * removed.num_rows, pa.string()))
    return pa.concat_tables([changed, removed], promote_options="default")


def _rewrite(delta: DeltaTable, table: Table, source: pa.Table, commit: CommitProperties) -> None:
    values: dict[str, str] = {name: f"s.{quoted(name)}" for name in table.column_names}
    (
        _merge_into(delta, table, source, commit)
        .when_matched_delete(f"s.{_ACTION} = 'delete'")
        .when_matched_update(_but(values, identity_of(table)), f"s.{_ACTION} = 'update'")
        .when_not_matched_insert(values, f"s.{_ACTION} = 'insert'")
        .execute()
    )


def _merge_into(delta: DeltaTable, table: Table, source: pa.Table, commit: CommitProperties) -> TableMerger:
    return delta.merge(
        source,
        predicate=_predicate(table, days_of(table, source)),
        source_alias="s",
        target_alias="t",
        # Streaming would hide the source's range of keys, by which files are skipped.
        streamed_exec=False,
        writer_properties=WRITER,
        commit_properties=commit,
    )


def _but(values: Mapping[str, str], left_out: Sequence[str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in left_out}


def _predicate(table: Table, days: Collection[date] | None) -> str:
    parts: list[str] = []
    if days is not None:
        # Literal days, or the merge reads the whole table and conflicts with every other writer.
        parts.append(f"t.{quoted(str(table.partitioned_by))} IN ({days_literal(days)})")
    for name in identity_of(table):
        ours, theirs = f"t.{quoted(name)}", f"s.{quoted(name)}"
        equal = f"{ours} = {theirs}"
        if known_column(table, name).nullable:
            equal = f"({equal} OR ({ours} IS NULL AND {theirs} IS NULL))"
        parts.append(equal)
    return " AND ".join(parts)
