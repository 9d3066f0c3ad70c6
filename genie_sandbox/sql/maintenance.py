"""OPTIMIZE, VACUUM and what Delta's log tells, by delta-rs."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from sqlglot import exp

from genie_sandbox.sql.catalog import Catalog, Name, TableEntry
from genie_sandbox.sql.conflicts import NOTHING_READ
from genie_sandbox.sql.errors import SqlError, not_found, unsupported
from genie_sandbox.sql.phrases import Phrase
from genie_sandbox.sql.transactions import Transactions

_TIME = pa.timestamp("us", "UTC")
_COUNTS = pa.map_(pa.string(), pa.string())
_OPERATORS: Mapping[type[exp.Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
_HISTORY = pa.schema(
    [
        ("version", pa.int64()),
        ("timestamp", _TIME),
        ("operation", pa.string()),
        ("operationParameters", _COUNTS),
        ("operationMetrics", _COUNTS),
        ("engineInfo", pa.string()),
    ]
)
_DETAIL = pa.schema(
    [
        ("format", pa.string()),
        ("id", pa.string()),
        ("name", pa.string()),
        ("description", pa.string()),
        ("location", pa.string()),
        ("createdAt", _TIME),
        ("lastModified", _TIME),
        ("partitionColumns", pa.list_(pa.string())),
        ("clusteringColumns", pa.list_(pa.string())),
        ("numFiles", pa.int64()),
        ("sizeInBytes", pa.int64()),
        ("properties", _COUNTS),
        ("minReaderVersion", pa.int32()),
        ("minWriterVersion", pa.int32()),
    ]
)


class Maintainer:
    """Runs the statements about a Delta table's files and log."""

    def __init__(self, catalog: Catalog, transactions: Transactions) -> None:
        self._catalog = catalog
        self._transactions = transactions

    def optimize(self, phrase: Phrase) -> pa.Table:
        """OPTIMIZE t [FULL] [WHERE …] [ZORDER BY (…)]."""
        name = phrase.name()
        entry = self._catalog.writable_table(name, phrase.session)
        table = DeltaTable(entry.location)
        phrase.accept("FULL")
        filters = None
        if phrase.accept("WHERE"):
            if entry.clustered_by:
                raise SqlError(
                    "DELTA_CLUSTERING_WITH_PARTITION_PREDICATE",
                    "OPTIMIZE with a WHERE clause is not supported for tables with liquid clustering.",
                )
            filters = _partition_filters(phrase.condition("ZORDER"), table.metadata().partition_columns)
        order = list(entry.clustered_by)
        if phrase.accept("ZORDER", "BY"):
            if order:
                raise SqlError(
                    "DELTA_CLUSTERING_WITH_ZORDER_BY", "OPTIMIZE with ZORDER BY is for tables without clustering."
                )
            order = phrase.names_in_brackets()
        phrase.end()
        with self._transactions.begin(name, entry, "OPTIMIZE") as transaction:
            optimize = transaction.table().optimize
            try:
                metrics = (
                    optimize.z_order(order, partition_filters=filters)
                    if order
                    else optimize.compact(partition_filters=filters)
                )
            except (DeltaError, ValueError) as error:
                raise SqlError("DELTA_OPTIMIZE_REFUSED", str(error)) from None
            transaction.commit(NOTHING_READ)  # what it rewrites it also removes, and that is looked at
        return _optimized(entry, metrics)

    def vacuum(self, phrase: Phrase) -> pa.Table:
        """VACUUM t [FULL | LITE] [RETAIN n HOURS] [DRY RUN]."""
        name = phrase.name()
        entry = self._catalog.writable_table(name, phrase.session)
        lite = phrase.accept("LITE")
        if not lite:
            phrase.accept("FULL")
        hours = None
        if phrase.accept("RETAIN"):
            hours = int(phrase.number())
            phrase.expect("HOURS")
        dry_run = phrase.accept("DRY", "RUN")
        phrase.end()
        try:
            with self._transactions.alone(entry.location):
                removed = DeltaTable(entry.location).vacuum(retention_hours=hours, dry_run=dry_run, full=not lite)
        except DeltaError as error:
            raise SqlError("DELTA_VACUUM_REFUSED", str(error)) from None
        paths = [f"{entry.location}/{path}" for path in removed] if dry_run else [entry.location]
        return pa.table({"path": pa.array(paths, pa.string())})

    def history(self, phrase: Phrase) -> pa.Table:
        """DESCRIBE HISTORY t [LIMIT n]."""
        _, entry = self._readable(phrase)
        limit = int(phrase.number()) if phrase.accept("LIMIT") else None
        phrase.end()
        rows = [
            {
                "version": commit.get("version"),
                "timestamp": _time(commit.get("timestamp")),
                "operation": commit.get("operation"),
                "operationParameters": _texts(commit.get("operationParameters")),
                "operationMetrics": _texts(commit.get("operationMetrics")),
                "engineInfo": commit.get("engineInfo"),
            }
            for commit in DeltaTable(entry.location).history(limit)
        ]
        return pa.Table.from_pylist(rows, _HISTORY)

    def detail(self, phrase: Phrase) -> pa.Table:
        """DESCRIBE DETAIL t."""
        name, entry = self._readable(phrase)
        phrase.end()
        table = DeltaTable(entry.location)
        metadata, protocol = table.metadata(), table.protocol()
        files = pa.table(table.get_add_actions(flatten=True))
        row = {
            "format": "delta",
            "id": str(metadata.id),
            "name": f"{name.catalog}.{name.schema}.{name.name}",
            "description": metadata.description,
            "location": entry.location,
            "createdAt": _time(metadata.created_time),
            "lastModified": _time(table.history(1)[0].get("timestamp")),
            "partitionColumns": metadata.partition_columns,
            "clusteringColumns": list(entry.clustered_by),
            "numFiles": files.num_rows,
            "sizeInBytes": sum(files["size_bytes"].to_pylist()),
            "properties": _texts(metadata.configuration),
            "minReaderVersion": protocol.min_reader_version,
            "minWriterVersion": protocol.min_writer_version,
        }
        return pa.Table.from_pylist([row], _DETAIL)

    def _readable(self, phrase: Phrase) -> tuple[Name, TableEntry]:
        name = phrase.name()
        self._catalog.require_readable(phrase.session, name)
        entry = self._catalog.table(name)
        if entry is None:
            raise not_found(str(name))
        return name, entry


def _partition_filters(condition: exp.Expression, columns: list[str]) -> list[tuple[str, str, Any]]:
    """A conjunction of comparisons of partition columns with constants, the way delta-rs takes it."""
    filters: list[tuple[str, str, Any]] = []
    for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        term = part.unnest()
        column = term.this.name if isinstance(term.this, exp.Column) else ""
        if column not in columns:
            raise SqlError(
                "DELTA_NON_PARTITION_COLUMN_REFERENCE",
                f"OPTIMIZE … WHERE takes partition columns only, not {part.sql()}.",
            )
        if isinstance(term, exp.In) and term.expressions:
            filters.append((column, "in", [_constant(item) for item in term.expressions]))
        elif isinstance(term, exp.Between):
            filters.append((column, ">=", _constant(term.args["low"])))
            filters.append((column, "<=", _constant(term.args["high"])))
        elif type(term) in _OPERATORS:
            filters.append((column, _OPERATORS[type(term)], _constant(term.expression)))
        else:
            raise unsupported(f"OPTIMIZE … WHERE {part.sql()}")
    return filters


def _constant(node: exp.Expression) -> str:
    inner = node.this if isinstance(node, exp.Cast) else node
    if not isinstance(inner, exp.Literal):
        raise unsupported(f"OPTIMIZE … WHERE with {node.sql()}, which is not a constant")
    return str(inner.this)


def _optimized(entry: TableEntry, metrics: Mapping[str, Any]) -> pa.Table:
    numbers = {name: value for name, value in metrics.items() if type(value) is int}
    described = pa.struct([(name, pa.int64()) for name in numbers])
    return pa.table({"path": [entry.location], "metrics": pa.array([numbers], described)})


def _time(milliseconds: Any) -> dt.datetime | None:
    return None if milliseconds is None else dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)


def _texts(values: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    return [
        (key, value if isinstance(value, str) else json.dumps(value))
        for key, value in (values or {}).items()
        if value is not None
    ]
