"""What both engines refuse before they ask or write anything.

What only one engine's storage refuses belongs to that engine.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.questions import Exists, Filter, Rows, lookups_of
from genie_assets.domain.tables import ColumnType, Table
from genie_assets.gateways.lakehouse.differences import keys_of
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.frames import known_column
from genie_assets.gateways.lakehouse.identities import identity_of

COUNT = "count"


def refuse_duplicates(table: Table, rows: pa.Table) -> None:
    """LakehouseError if a key occurs twice."""
    doubled = rows.num_rows - len(set(keys_of(rows, table.key)))
    if doubled:
        raise LakehouseError(f"{table.name}: {doubled} rows repeat the key {table.key} of another row")


def refuse_other_days(table: Table, day: date, rows: pa.Table) -> None:
    """LakehouseError if the table has no days, or a row does not lie in `day`."""
    if table.partitioned_by is None:
        raise LakehouseError(f"{table.name} has no partitions, so no day can be replaced")
    if pc.unique(rows[table.partitioned_by]).to_pylist() not in ([], [day]):
        raise LakehouseError(f"{table.name}: a row to put into {day} belongs to another day")


def refuse_both(table: Table, rows: pa.Table, gone: pa.Table) -> None:
    """LakehouseError if a row is to be stored and deleted."""
    identity = identity_of(table)
    if not set(keys_of(gone, identity)).isdisjoint(keys_of(rows, identity)):
        raise LakehouseError(f"{table.name}: a row is to be both merged and deleted")


def refuse_lists(table: Table, names: Sequence[str]) -> None:
    """LakehouseError if a column holds lists, which have no order."""
    for name in names:
        if known_column(table, name).type == "ARRAY<STRING>":
            raise LakehouseError(f"{table.name}.{name}: lists cannot be compared")


def refuse_names_of_columns(table: Table, flags: Iterable[str]) -> None:
    """LakehouseError if a flag could be taken for a column of the answer."""
    for name in flags:
        if name in table.column_names or name == COUNT:
            raise LakehouseError(f"{table.name}: a flag cannot be called {name!r}")


def refuse_other_types(table: Table, stored: Mapping[str, object], types: Mapping[ColumnType, object]) -> None:
    """LakehouseError if a stored column has another type than the table's definition says.

    Args:
        table: the definition.
        stored: the type of each stored column, as the engine calls it.
        types: what the engine calls each type.
    """
    for column in table.columns:
        found = stored.get(column.name)
        if found is not None and found != types[column.type]:
            raise LakehouseError(f"{table.name}.{column.name} is stored as {found} and should be {column.type}")


def refuse_senseless(rows: Rows, flags: Iterable[Filter] = ()) -> None:
    """Check that rows can be chosen by days, and compared with those of other tables, at any depth.

    Raises:
        LakehouseError: a table with days to choose has no partitions, or columns to compare are unlike.
    """
    if rows.days is not None and rows.table.partitioned_by is None:
        raise LakehouseError(f"{rows.table.name} has no partitions, so no days can be chosen")
    for each in (*rows.where, *flags):
        for exists in lookups_of(each):
            _refuse_unlike_columns(rows.table, exists)
            refuse_senseless(exists.rows)


def _refuse_unlike_columns(table: Table, exists: Exists) -> None:
    """Check that rows of `table` can be compared with those of `exists`.

    Raises:
        LakehouseError: a column is unknown, is a list, or has another type in the other table.
    """
    if not exists.key:
        raise LakehouseError(f"{table.name}: a counterpart in {exists.rows.table.name} needs a key")
    pairs = [(name, name) for name in exists.key] + ([exists.since] if exists.since else [])
    for theirs, ours in pairs:
        types = {known_column(exists.rows.table, theirs).type, known_column(table, ours).type}
        if len(types) > 1 or "ARRAY<STRING>" in types:
            raise LakehouseError(
                f"{table.name}.{ours} cannot be compared with {exists.rows.table.name}.{theirs}: "
                f"they are {' and '.join(sorted(types))}"
            )
