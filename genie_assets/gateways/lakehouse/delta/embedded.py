"""Reading statements on Delta files: DuckDB runs them in this process, in the words that it has for them.

Nothing is downloaded, and no file is opened by a name that a statement gives. Each session has a database of its
own, which sees the tables through Arrow as they were when they were first asked, and makes views when they are
asked for. What does not fit into memory goes into a folder that only we may read and that ends with the session.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from genie_assets.domain.tables import TABLES, Table
from genie_assets.domain.views import View
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.frames import arrow_schema
from genie_assets.gateways.lakehouse.interface import Kept
from genie_assets.gateways.lakehouse.reading import Reading, mentioned, narrowed, parsed

_SAFE = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}
_KEPT = "kept"
_TABLES = {table.name: table for table in TABLES}
_BATCH = 10_000
# A pattern that means itself.
_PLAIN = re.compile(r"[A-Za-z0-9 ,;:-]")
_BY_ZERO = "Division by zero"
# What Spark has and DuckDB has not, or in another way.
_MACROS = (
    "CREATE MACRO timestamp_seconds(s) AS make_timestamptz(CAST(s AS BIGINT) * 1000000)",
    "CREATE MACRO timestamp_millis(ms) AS make_timestamptz(CAST(ms AS BIGINT) * 1000)",
    "CREATE MACRO timestamp_micros(us) AS make_timestamptz(CAST(us AS BIGINT))",
    "CREATE MACRO spark_json(text, path) AS CASE WHEN json_valid(text) THEN json_extract_string(text, path) END",
    f"CREATE MACRO spark_divisor(d) AS CASE WHEN d = 0 THEN error('{_BY_ZERO}') ELSE d END",
    "CREATE MACRO array_union(a, b) AS "
    "CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN list_distinct(list_concat(a, b)) END",
)

Source = Callable[[Table, frozenset[str] | None], Any]
"""Gives a table's rows, for the columns of these names or for all, as something that Arrow scans: in any number of
passes, or as a reader in one."""


@dataclass(frozen=True)
class Room:
    """How much a session works on at a time.

    Attributes:
        memory: What the engine holds in memory. Beside it, Arrow holds what is being read, and Python the
            libraries. With less than this, the key figures of a year of 3 million messages do not fit.
        rows_at_once: Rows of a table from which a part of a kept view is worked out.
    """

    memory: str = "640MiB"
    rows_at_once: int = 500_000


class Session:
    """Statements, one after the other, over one state of each table. Made by `session`."""

    def __init__(self, database: duckdb.DuckDBPyConnection, source: Source, kept: Kept, room: Room) -> None:
        self._database = database
        self._source = source
        self._wanted = kept
        self._room = room
        self._kept: set[str] = set()
        self._shown: dict[str, frozenset[str] | None] = {}

    def __call__(self, reading: Reading, *, limit: int) -> pa.Table:
        """The rows that a statement gives, at most `limit` of them and one more.

        Raises:
            LakehouseError: DuckDB cannot run it.
        """
        left = narrowed(reading, self._kept)
        names = mentioned(left)
        try:
            for name in left.tables:
                self._show(_TABLES[name], names)
            for view in left.views:
                self._define(view)
            return _first(self._database.sql(in_duckdb(left.tree)), limit + 1)
        except duckdb.Error as problem:
            raise LakehouseError(_told(problem)) from None

    def _define(self, view: View) -> None:
        query = in_duckdb(parsed(view.query))
        if view.name in self._wanted:
            kept = f'{_KEPT}."{view.name}"'
            self._fill(kept, query, self._wanted[view.name])
            self._kept.add(view.name)
            query = f"FROM {kept}"
        self._database.execute(f'CREATE OR REPLACE VIEW "{view.name}" AS {query}')

    def _fill(self, kept: str, query: str, table: Table | None) -> None:
        """Work a view out: some days after the other, if a table says how much there is of each."""
        parts = [] if table is None else self._days_at_once(table)
        if len(parts) < 2:
            self._database.execute(f"CREATE TABLE {kept} AS {query}")
            return
        whole = f"FROM ({query}) AS whole"
        self._database.execute(f"CREATE TABLE {kept} AS {whole} LIMIT 0")
        for days in parts:
            self._database.execute(f"INSERT INTO {kept} {whole} WHERE day BETWEEN ? AND ?", [days[0], days[-1]])

    def _days_at_once(self, table: Table) -> list[list[dt.date]]:
        """The table's days in parts that are small enough to be worked on in memory."""
        counted = self._database.execute(
            f'FROM "{table.name}" SELECT "{table.partitioned_by}" AS day, COUNT(*) GROUP BY day ORDER BY day'
        ).fetchall()
        parts: list[list[dt.date]] = []
        rows = self._room.rows_at_once
        for day, count in counted:
            if rows + count > self._room.rows_at_once:
                parts.append([])
                rows = 0
            parts[-1].append(day)
            rows += count
        return parts

    def _show(self, table: Table, names: frozenset[str] | None) -> None:
        """Show a table under its name, with all columns of its definition."""
        if table.name in self._shown and _holds(self._shown[table.name], names):
            return
        rows = self._source(table, names)
        hidden, empty = f"stored {table.name}", f"definition of {table.name}"
        if isinstance(rows, pa.RecordBatchReader):
            # It can be read once: what is read is held, in memory or in the session's folder.
            self._database.register("read once", rows)
            self._database.execute(f'CREATE OR REPLACE TEMP TABLE "{hidden}" AS FROM "read once"')
            self._database.unregister("read once")
            self._shown[table.name] = names
        else:
            self._database.register(hidden, rows)
            self._shown[table.name] = None
        self._database.register(empty, arrow_schema(table).empty_table())
        stored = set(rows.schema.names)
        cells = ", ".join(f'"{name}"' for name in table.column_names if name in stored)
        both = f'FROM "{empty}" UNION ALL BY NAME SELECT {cells} FROM "{hidden}"'  # noqa: S608 - names of ours
        self._database.execute(f'CREATE OR REPLACE VIEW "{table.name}" AS {both}')


@contextmanager
def session(
    source: Source,
    kept: Kept = MappingProxyType({}),
    room: Room = Room(),
) -> Iterator[Session]:
    """A database for some statements.

    Args:
        source: Where tables' rows come from.
        kept: As for `Lakehouse.session`.
        room: How much is worked on at a time.
    """
    with (
        TemporaryDirectory(prefix="genie-assets-") as folder,
        duckdb.connect(config={**_SAFE, "memory_limit": room.memory, "temp_directory": folder}) as database,
    ):
        database.execute("SET TimeZone = 'UTC'")
        if kept:
            # In a file, unlike in memory, rows are stored in a small form.
            database.execute(f"ATTACH '{Path(folder, 'kept.duckdb').as_posix()}' AS {_KEPT}")
            database.execute("SET preserve_insertion_order = false")
        database.execute("SET enable_external_access = false")
        for macro in _MACROS:
            database.execute(macro)
        database.execute("SET lock_configuration = true")
        yield Session(database, source, kept, room)


def _holds(shown: frozenset[str] | None, names: frozenset[str] | None) -> bool:
    """Whether a table that is shown with some columns has these."""
    return shown is None or (names is not None and names <= shown)


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
    if isinstance(
        node, exp.Quantile
    ):  # PERCENTILE lies between two values; DuckDB's word for it takes one of them
        return exp.Anonymous(this="quantile_cont", expressions=[node.this, node.args["quantile"]])
    if isinstance(node, exp.RegexpSplit) and node.expression.is_string and _PLAIN.fullmatch(node.expression.name):
        # Without a pattern, that takes a fifth of the time.
        return exp.Split(this=node.this, expression=node.expression)
    if isinstance(node, exp.DayOfWeek) and not isinstance(node.parent, exp.Add):
        return exp.Paren(this=exp.Add(this=node.copy(), expression=exp.Literal.number(1)))
    return node


def _is_never_zero(divisor: exp.Expression) -> bool:
    inner = divisor.unnest()
    if isinstance(inner, exp.Anonymous) and inner.name == "spark_divisor":
        return True
    return isinstance(inner, exp.Nullif) or (inner.is_number and bool(inner.to_py()))


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
