"""Reading statements on Unity Catalog: one statement for the warehouse, the views that it reads written into it.

So they need not have been made there, and say what this version says.
"""

from collections.abc import Collection, Mapping

import pyarrow as pa
from sqlglot import exp

from genie_assets.domain.sql_names import quoted
from genie_assets.domain.tables import TABLES, Table
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.reading import Reading, in_databricks
from genie_assets.gateways.lakehouse.unity.cells import sql_type
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.lakehouse.unity.ports import Warehouse
from genie_assets.gateways.lakehouse.unity.tables import UnityTables, failures_named
from genie_assets.gateways.sql.errors import WarehouseError

_TABLES = {table.name: table for table in TABLES}


def answer(reading: Reading, place: Place, tables: UnityTables, warehouse: Warehouse, limit: int) -> pa.Table:
    """The rows that a statement gives, at most `limit` of them and one more; see `Lakehouse.ask`.

    Raises:
        LakehouseError: the warehouse refuses it.
    """
    stored = {name: _columns(_TABLES[name], tables) for name in reading.tables}
    with failures_named("The statement", place):
        try:
            parts = list(warehouse.batches(statement(reading, place, stored, limit), by_links=True))
        except WarehouseError as problem:
            if (problem.condition or "").startswith(("UNRESOLVED_COLUMN", "MISSING_COLUMN")):
                raise LakehouseError("A column of the statement is not known.") from None
            raise
    return pa.concat_tables(
        [pa.Table.from_pandas(part, preserve_index=False) for part in parts], promote_options="permissive"
    )


def _columns(table: Table, tables: UnityTables) -> Collection[str] | None:
    """The stored columns, as what is told of all tables at once says, if that says all; None without a table."""
    columns = tables.columns(table)
    if columns is None or set(table.column_names) <= set(columns):
        return columns
    shape = tables.shape(table)
    return None if shape is None else shape.columns.keys()


def statement(reading: Reading, place: Place, stored: Mapping[str, Collection[str] | None], limit: int) -> str:
    """What is sent: tables and views as named queries, then the statement, cut after `limit` rows and one."""
    named = [(name, _table(_TABLES[name], place, stored[name])) for name in reading.tables]
    named += [(view.name, view.query) for view in reading.views]
    parts = [f"{name} AS (\n{query}\n)" for name, query in named]
    tree = _cut(reading.tree.copy(), limit + 1)
    own = tree.args.get("with_")
    tree.set("with_", None)
    parts += [in_databricks(each) for each in own.expressions] if own else []
    word = "WITH RECURSIVE" if own and own.args.get("recursive") else "WITH"
    return (f"{word} " + ",\n".join(parts) + "\n" if parts else "") + in_databricks(tree)


def _cut(tree: exp.Query, rows: int) -> exp.Query:
    limit = tree.args.get("limit")
    if limit is None or _more_than(limit, rows):
        return tree.limit(rows, copy=False)
    return tree


def _more_than(limit: exp.Expression, rows: int) -> bool:
    count = limit.args.get("expression")
    return isinstance(count, exp.Literal) and count.is_int and int(count.name) > rows


def _table(table: Table, place: Place, columns: Collection[str] | None) -> str:
    """The table with NULL in the columns that it lacks; without rows, if it does not exist."""
    stored = set(columns or ())
    cells = [
        quoted(column.name)
        if column.name in stored
        else f"CAST(NULL AS {sql_type(column)}) AS {quoted(column.name)}"
        for column in table.columns
    ]
    source = "WHERE FALSE" if columns is None else f"FROM {place.table(table)}"
    return f"SELECT {', '.join(cells)} {source}"
