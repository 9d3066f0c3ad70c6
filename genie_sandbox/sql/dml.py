"""MERGE, UPDATE and DELETE by Sail; INSERT by delta-rs from rows that Sail computes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from sqlglot import exp

from genie_sandbox.sql.binding import Parameters, text_literal
from genie_sandbox.sql.catalog import Catalog, Name, Session, TableEntry
from genie_sandbox.sql.conflicts import ALL_READ, NOTHING_READ, Reads
from genie_sandbox.sql.errors import SqlError, unsupported
from genie_sandbox.sql.partitions import conditions_on
from genie_sandbox.sql.results import type_text
from genie_sandbox.sql.rewriting import DIALECT, OWN_FILE, Rewriter, table_name, to_text
from genie_sandbox.sql.sail import Sail
from genie_sandbox.sql.transactions import Transaction, Transactions

_LONGEST_LITERAL = 16 << 10
_METRICS = {
    "updated": ("numTargetRowsUpdated", "numUpdatedRows"),
    "deleted": ("numTargetRowsDeleted", "numDeletedRows"),
    "inserted": ("numTargetRowsInserted",),
}


class Writer:
    """Changes rows of tables, for several statements at once."""

    def __init__(
        self, catalog: Catalog, rewriter: Rewriter, sail: Sail, transactions: Transactions, scratch: Path
    ) -> None:
        self._catalog = catalog
        self._rewriter = rewriter
        self._sail = sail
        self._transactions = transactions
        self._scratch = scratch

    def change(
        self, statement: exp.Merge | exp.Update | exp.Delete, session: Session, parameters: Parameters
    ) -> pa.Table:
        """Run a MERGE, UPDATE or DELETE; the answer counts the rows that it touched.

        Raises:
            SqlError: if it cannot run.
        """
        name, entry = self._target(statement.this, session)
        staged: list[Path] = []
        with self._transactions.begin(name, entry, statement.key.upper()) as transaction:
            try:
                parameters.inline(statement, lambda value: self._literal(value, staged))
                reads = _reads(statement, transaction)
                ready = self._rewriter.rewrite(statement, session, self._sail.columns)
                transaction.redirect(ready)
                if not isinstance(ready, exp.Merge):
                    self._compute_subqueries(ready.args.get("where"))
                self._sail.change(to_text(ready), transaction.is_written)
            finally:
                for path in staged:
                    path.unlink(missing_ok=True)
            return _touched(transaction.commit(reads), statement)

    def insert(self, statement: exp.Insert, session: Session, parameters: Parameters) -> pa.Table:
        """Run an INSERT; the answer counts its rows.

        Raises:
            SqlError: if it cannot run.
        """
        target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
        if target.args.get("partition"):
            raise unsupported("INSERT … PARTITION")
        name, entry = self._target(target, session)
        predicate = statement.args.get("where")
        replaces = bool(predicate or statement.args.get("overwrite"))
        with self._transactions.begin(name, entry, "REPLACE" if replaces else "INSERT") as transaction:
            condition = _predicate(predicate, parameters)
            rows, reads_itself = self._rows_to_insert(statement, transaction, session, parameters)
            append_rows(transaction.folder, rows, "overwrite" if replaces else "append", condition)
            reads = ALL_READ if reads_itself or (replaces and not predicate) else NOTHING_READ
            transaction.commit(reads if reads is ALL_READ or not replaces else _reads(statement, transaction))
        return _counts(num_affected_rows=rows.num_rows, num_inserted_rows=rows.num_rows)

    def truncate(self, statement: exp.TruncateTable, session: Session) -> pa.Table:
        """Remove all rows of a table."""
        name, entry = self._target(statement.expressions[0], session)
        with self._transactions.begin(name, entry, "DELETE") as transaction:
            transaction.table().delete()
            transaction.commit(ALL_READ)
        return pa.table({})

    def _rows_to_insert(
        self, statement: exp.Insert, transaction: Transaction, session: Session, parameters: Parameters
    ) -> tuple[pa.Table, bool]:
        """The rows, and whether the query that gives them reads the table itself."""
        schema = arrow_schema(transaction.before)
        source = statement.expression
        if source is None:
            raise unsupported("INSERT without rows or a query")
        if isinstance(source, exp.Values):
            source = exp.select("*").from_(exp.alias_(source.copy(), "rows", table=True))
        if statement.args.get("with_"):
            source.set("with_", statement.args["with_"])
        values = parameters.keep(source)
        ready = self._rewriter.rewrite(source, session, lambda sql: self._sail.columns(sql, values))
        reads_itself = transaction.redirect(ready)
        given = self._sail.columns(to_text(ready), values)
        named = list(statement.this.expressions) if isinstance(statement.this, exp.Schema) else []
        names = [item.name for item in named] or (given if statement.args.get("by_name") else [])
        targets = _target_fields(names, len(given), schema)
        labels = [f"c{index}" for index in range(len(given))]
        casts = ", ".join(
            f"CAST({label} AS {type_text(field.type)}) AS {_quoted(field.name)}"
            for label, field in zip(labels, targets, strict=True)
        )
        rows = self._sail.query(
            f"SELECT {casts} FROM ({to_text(ready)}) AS source({', '.join(labels)})",  # noqa: S608
            values,
        )
        return _completed(rows, schema), reads_itself

    def _target(self, table: exp.Expression, session: Session) -> tuple[Name, TableEntry]:
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            raise unsupported("writing to anything but a table")
        name = table_name(table, session)
        return name, self._catalog.writable_table(name, session)

    def _literal(self, value: str, staged: list[Path]) -> exp.Expression:
        if len(value) <= _LONGEST_LITERAL:
            return text_literal(value)
        # The engine's parser is slow on long literals.
        path = self._scratch / f"{uuid4().hex}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        staged.append(path)
        pq.write_table(pa.table({"value": [value.encode("utf-8", "replace").decode()]}), path)
        source = exp.table_(exp.to_identifier(str(path), quoted=True), db="parquet")
        source.meta[OWN_FILE] = True
        return exp.Subquery(this=exp.select("value").from_(source))

    def _compute_subqueries(self, where: exp.Expression | None) -> None:
        """Replace the subqueries of a condition by their values: the engine's UPDATE and DELETE take none."""
        outermost = [
            query for query in (where.find_all(exp.Query) if where else ()) if not query.find_ancestor(exp.Query)
        ]
        for query in outermost:
            rows = self._sail.query(to_text(query.unnest()))
            holder = query.parent
            if isinstance(holder, exp.Exists):
                holder.replace(exp.convert(rows.num_rows > 0))
            elif isinstance(holder, exp.Any | exp.All):
                raise unsupported("ANY and ALL of a subquery in UPDATE and DELETE")
            elif isinstance(holder, exp.In):
                _list_members(holder, [_value(value) for value in rows.column(0).to_pylist()])
            elif rows.num_rows > 1:
                raise SqlError("SCALAR_SUBQUERY_TOO_MANY_ROWS", "More than one row returned by a subquery.")
            else:
                query.replace(_value(rows.column(0)[0].as_py()) if rows.num_rows else exp.Null())


def _list_members(membership: exp.In, members: list[exp.Expression]) -> None:
    if members:
        membership.set("query", None)
        membership.set("expressions", members)
    else:
        membership.replace(exp.false())


def append_rows(location: str, rows: pa.Table, mode: Any, predicate: str | None = None) -> None:
    """Write rows to the Delta table at `location`; columns that `rows` lacks are NULL.

    Raises:
        SqlError: if the table's rules forbid them.
    """
    try:
        write_deltalake(location, rows, mode=mode, predicate=predicate)
    except DeltaError as error:
        raise SqlError("DELTA_WRITE_REFUSED", str(error)) from None


def arrow_schema(table: DeltaTable) -> pa.Schema:
    """The columns of a Delta table."""
    return pa.schema(table.schema().to_arrow())


def _value(value: Any) -> exp.Expression:
    if value is None:
        return exp.Null()
    if isinstance(value, str):
        return text_literal(value)
    return exp.convert(value)


def _target_fields(names: Sequence[str], given: int, schema: pa.Schema) -> list[pa.Field]:
    by_name = {field.name.lower(): field for field in schema}
    unknown = [name for name in names if name.lower() not in by_name]
    if unknown:
        raise SqlError("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", f"The table has no column `{unknown[0]}`.")
    fields = [by_name[name.lower()] for name in names] if names else list(schema)
    if len(fields) != given:
        kind = "NOT_ENOUGH_DATA_COLUMNS" if given < len(fields) else "TOO_MANY_DATA_COLUMNS"
        raise SqlError(
            f"INSERT_COLUMN_ARITY_MISMATCH.{kind}",
            f"Cannot write: {len(fields)} columns are expected and {given} are given.",
        )
    return fields


def _completed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows with all columns of the table, in its order; absent ones are NULL, generated ones are left out."""
    given = set(rows.column_names)
    fields = [
        field.with_nullable(True).remove_metadata()
        for field in schema
        if field.name in given or b"delta.generationExpression" not in (field.metadata or {})
    ]
    names = {field.name for field in fields}
    for field in schema:
        nulls = rows[field.name].null_count if field.name in given else rows.num_rows
        if field.name in names and not field.nullable and nulls:
            raise SqlError(
                "DELTA_NOT_NULL_CONSTRAINT_VIOLATED", f"NOT NULL constraint violated for column: {field.name}."
            )
    columns = [
        rows[field.name].cast(field.type) if field.name in given else pa.nulls(rows.num_rows, field.type)
        for field in fields
    ]
    return pa.table(columns, schema=pa.schema(fields))


def _predicate(where: exp.Expression | None, parameters: Parameters) -> str | None:
    if where is None:
        return None
    condition = where.this if isinstance(where, exp.Where) else where
    parameters.inline(condition, exp.Literal.string)
    # delta-rs reads standard SQL, in which only quotes are special within a literal.
    return str(condition.sql(dialect="postgres"))


def _reads(statement: exp.Expression, transaction: Transaction) -> Reads:
    """What a statement whose parameters are literals reads of its target, as far as partitions tell."""
    columns = transaction.before.metadata().partition_columns
    if isinstance(statement, exp.Merge):
        alias = statement.this.alias or statement.this.name
        return Reads(conditions=conditions_on(statement.args["on"], columns, alias))
    return Reads(conditions=conditions_on(statement.args.get("where"), columns))


def _touched(metrics: dict[str, Any], statement: exp.Expression) -> pa.Table:
    counts = {
        kind: next((int(metrics[key]) for key in keys if key in metrics), 0) for kind, keys in _METRICS.items()
    }
    total = sum(counts.values())
    if isinstance(statement, exp.Merge):
        return _counts(num_affected_rows=total, **{f"num_{kind}_rows": number for kind, number in counts.items()})
    return _counts(num_affected_rows=total)


def _counts(**counts: int) -> pa.Table:
    return pa.table({name: pa.array([number], pa.int64()) for name, number in counts.items()})


def _quoted(name: str) -> str:
    return str(exp.to_identifier(name, quoted=True).sql(dialect=DIALECT))
