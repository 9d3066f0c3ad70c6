"""Reading statements on Delta files: DuckDB runs them in this process, in the words that it has for them.

Nothing is downloaded, no file is opened by a name that a statement gives, and nothing is kept: each statement has
a database of its own, in memory, which sees the tables through Arrow. Views are made when they are asked for.
"""

from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from genie_assets.domain.tables import TABLES, Table
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.frames import arrow_schema
from genie_assets.gateways.lakehouse.reading import Reading, parsed

_SAFE = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "enable_external_access": "false",
}
_TABLES = {table.name: table for table in TABLES}
_BATCH = 10_000
_BY_ZERO = "Division by zero"
# What Spark has and DuckDB has not, or in another way.
_MACROS = (
    "CREATE MACRO timestamp_seconds(s) AS make_timestamptz(CAST(s AS BIGINT) * 1000000)",
    "CREATE MACRO timestamp_millis(ms) AS make_timestamptz(CAST(ms AS BIGINT) * 1000)",
    "CREATE MACRO timestamp_micros(us) AS make_timestamptz(CAST(us AS BIGINT))",
    "CREATE MACRO spark_json(text, path) AS CASE WHEN json_valid(text) THEN json_extract_string(text, path) END",
    f"CREATE MACRO spark_divisor(d) AS CASE WHEN d = 0 THEN error('{_BY_ZERO}') ELSE d END",
    "CREATE MACRO array_union(a, b) AS list_distinct(list_concat(a, b))",
)

Source = Callable[[Table], Any]
"""Gives the stored columns of a table as something that Arrow scans, in any number of passes."""


def answer(reading: Reading, source: Source, limit: int) -> pa.Table:
    """The rows that a statement gives, at most `limit` of them and one more.

    Args:
        reading: The statement.
        source: Where a table's rows come from.
        limit: How many rows are wanted.

    Raises:
        LakehouseError: DuckDB cannot run it.
    """
    with duckdb.connect(config=_SAFE) as database:
        database.execute("SET TimeZone = 'UTC'")
        for macro in _MACROS:
            database.execute(macro)
        for name in reading.tables:
            _show(database, _TABLES[name], source(_TABLES[name]))
        for view in reading.views:
            database.execute(f'CREATE VIEW "{view.name}" AS {in_duckdb(parsed(view.query))}')
        database.execute("SET lock_configuration = true")
        try:
            return _first(database.sql(in_duckdb(reading.tree)), limit + 1)
        except duckdb.Error as problem:
            raise LakehouseError(_told(problem)) from None


def in_duckdb(tree: exp.Expression) -> str:
    """A statement of Databricks SQL as DuckDB writes it."""
    return tree.copy().transform(_as_duckdb_does).sql(dialect="duckdb", comments=False)


def _as_duckdb_does(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.JSONExtractScalar | exp.JSONExtract):
        path = node.expression
        text = path.sql(dialect="duckdb").strip("'") if isinstance(path, exp.JSONPath) else path.name
        return exp.Anonymous(this="spark_json", expressions=[node.this, exp.Literal.string(text)])
    if isinstance(node, exp.Div | exp.Mod | exp.IntDiv) and not _is_never_zero(node.expression):
        node.set("expression", exp.Anonymous(this="spark_divisor", expressions=[node.expression]))
    if isinstance(node, exp.DayOfWeek) and not isinstance(node.parent, exp.Add):
        return exp.Paren(this=exp.Add(this=node.copy(), expression=exp.Literal.number(1)))
    return node


def _is_never_zero(divisor: exp.Expression) -> bool:
    inner = divisor.unnest()
    if isinstance(inner, exp.Anonymous) and inner.name == "spark_divisor":
        return True
    return isinstance(inner, exp.Nullif) or (inner.is_number and bool(inner.to_py()))


def _show(database: duckdb.DuckDBPyConnection, table: Table, rows: Any) -> None:
    """Show a table under its name, with all columns of its definition."""
    hidden = f"stored {table.name}"
    database.register(hidden, rows)
    stored = set(rows.schema.names)
    empty = f"definition of {table.name}"
    database.register(empty, arrow_schema(table).empty_table())
    cells = ", ".join(f'"{name}"' for name in table.column_names if name in stored)
    database.execute(
        f'CREATE VIEW "{table.name}" AS SELECT * FROM "{empty}" UNION ALL BY NAME SELECT {cells} FROM "{hidden}"'  # noqa: S608 - names of ours
    )


def _first(found: duckdb.DuckDBPyRelation, count: int) -> pa.Table:
    reader = found.to_arrow_reader(min(count, _BATCH))
    batches, rows = [], 0
    for batch in reader:
        batches.append(batch.slice(0, count - rows))
        rows += batch.num_rows
        if rows >= count:
            break
    return pa.Table.from_batches(batches, schema=reader.schema)


def _told(problem: duckdb.Error) -> str:
    """What is wrong. Only what is said of the statement is passed on: what is said of rows may quote a value."""
    text = (str(problem).splitlines() or [""])[0].partition("Error: ")[2]
    if isinstance(problem, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        return text or "The statement cannot be understood."
    if text == _BY_ZERO:
        return f"{_BY_ZERO}: TRY_DIVIDE(a, b) gives NULL instead."
    if isinstance(problem, duckdb.ConversionException):
        return "A value is not of the type that it is cast to: TRY_CAST gives NULL instead."
    if isinstance(problem, duckdb.OutOfMemoryException):
        return "There is not enough memory for it: ask for fewer days or columns."
    return f"The statement failed on a row ({type(problem).__name__})."
