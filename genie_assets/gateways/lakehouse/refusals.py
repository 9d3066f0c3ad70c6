"""What both engines refuse before they ask or write anything."""

from collections.abc import Iterable, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse import LakehouseError
from genie_assets.gateways.lakehouse.differences import keys_of
from genie_assets.gateways.lakehouse.schema import known_column

COUNT = "count"


def identity_of(table: Table) -> list[str]:
    """Columns that find a row: the key, and the partition in which it lies."""
    partition = [table.partitioned_by] if table.partitioned_by and table.partitioned_by not in table.key else []
    return [*table.key, *partition]


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
