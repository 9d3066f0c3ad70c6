"""SHOW and DESCRIBE, answered from the catalog."""

from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from genie_assets.sandbox.sql.catalog import Catalog, Name
from genie_assets.sandbox.sql.dml import arrow_schema
from genie_assets.sandbox.sql.errors import SqlError, not_found, unsupported
from genie_assets.sandbox.sql.phrases import Phrase
from genie_assets.sandbox.sql.results import type_text


class Shower:
    """Answers what there is."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def show(self, phrase: Phrase) -> pa.Table:
        """SHOW CATALOGS, SCHEMAS, TABLES, VIEWS or VOLUMES."""
        if phrase.accept("CATALOGS"):
            phrase.end()
            return _strings(catalog=sorted({catalog for catalog, _ in self._catalog.schemas()}))
        if phrase.accept("SCHEMAS") or phrase.accept("DATABASES"):
            catalog = phrase.session.catalog.lower()
            if phrase.accept("IN") or phrase.accept("FROM"):
                catalog = phrase.parts()[0].lower()
            phrase.end()
            return _strings(databaseName=[schema for owner, schema in self._catalog.schemas() if owner == catalog])
        for kind, list_names in (
            ("TABLES", lambda: sorted([*self._catalog.tables(), *self._catalog.views()])),
            ("VIEWS", self._catalog.views),
            ("VOLUMES", self._catalog.volumes),
        ):
            if phrase.accept(kind):
                return self._objects(phrase, kind, list_names())
        raise unsupported(f"SHOW {phrase.rest()}")

    def _objects(self, phrase: Phrase, kind: str, names: list[Name]) -> pa.Table:
        asked = phrase.session.catalog.lower(), phrase.session.schema.lower()
        if phrase.accept("IN") or phrase.accept("FROM"):
            asked = phrase.schema()
        phrase.end()
        if not self._catalog.has_schema(*asked):
            raise SqlError("SCHEMA_NOT_FOUND", f"The schema `{asked[0]}`.`{asked[1]}` cannot be found.")
        inside = [name for name in names if (name.catalog, name.schema) == asked]
        column = {"TABLES": "tableName", "VIEWS": "viewName", "VOLUMES": "volume_name"}[kind]
        owner = "database" if kind == "VOLUMES" else "database" if kind == "TABLES" else "namespace"
        return _strings(**{owner: [name.schema for name in inside], column: [name.name for name in inside]})

    def describe(self, phrase: Phrase) -> pa.Table:
        """DESCRIBE [TABLE] [EXTENDED] t."""
        phrase.accept("TABLE")
        phrase.accept("EXTENDED")
        name = phrase.name()
        phrase.end()
        entry = self._catalog.table(name)
        if entry is None:
            raise not_found(str(name))
        table = DeltaTable(entry.location)
        partitions = table.metadata().partition_columns
        schema = arrow_schema(table)
        rows = [_described(field) for field in schema]
        if partitions:
            rows += [("# Partition Information", "", ""), ("# col_name", "data_type", "comment")]
            rows += [_described(schema.field(column)) for column in partitions]
        if entry.clustered_by:
            rows += [("# Clustering Information", "", ""), ("# col_name", "data_type", "comment")]
            rows += [_described(schema.field(column)) for column in entry.clustered_by]
        columns = list(zip(*rows, strict=True))
        return _strings(col_name=columns[0], data_type=columns[1], comment=columns[2])


def _described(field: pa.Field) -> tuple[str, str, str | None]:
    comment = (field.metadata or {}).get(b"comment")
    return field.name, type_text(field.type).lower(), comment.decode() if comment else None


def _strings(**columns: Any) -> pa.Table:
    return pa.table({name: pa.array(list(values), pa.string()) for name, values in columns.items()})
