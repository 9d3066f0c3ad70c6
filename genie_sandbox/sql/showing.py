"""SHOW and DESCRIBE, answered from the catalog."""

import re
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from genie_sandbox.sql.catalog import Catalog, Name, Session, TableEntry, ViewEntry
from genie_sandbox.sql.dml import arrow_schema
from genie_sandbox.sql.errors import SqlError, not_found, unsupported
from genie_sandbox.sql.phrases import Phrase
from genie_sandbox.sql.privileges import catalog_of, schema_of
from genie_sandbox.sql.results import type_text


class Shower:
    """Answers what there is."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def show(self, phrase: Phrase) -> pa.Table:
        """SHOW CATALOGS, SCHEMAS, TABLES, VIEWS or VOLUMES; SHOW TBLPROPERTIES t [(name)]; SHOW TABLE EXTENDED."""
        if phrase.accept("TBLPROPERTIES"):
            return self._properties(phrase)
        if phrase.accept("TABLE", "EXTENDED"):
            return self._extended(phrase)
        if phrase.accept("CATALOGS"):
            phrase.end()
            return _strings(catalog=sorted({catalog for catalog, _ in self._catalog.schemas()}))
        if phrase.accept("SCHEMAS") or phrase.accept("DATABASES"):
            catalog = phrase.session.catalog.lower()
            if phrase.accept("IN") or phrase.accept("FROM"):
                catalog = phrase.parts()[0].lower()
            phrase.end()
            return _strings(databaseName=self._schemas(catalog, phrase.session))
        for kind, list_names in (
            ("TABLES", lambda: sorted([*self._catalog.tables(), *self._catalog.views()])),
            ("VIEWS", self._catalog.views),
            ("VOLUMES", self._catalog.volumes),
        ):
            if phrase.accept(kind):
                return self._objects(phrase, kind, list_names())
        raise unsupported(f"SHOW {phrase.rest()}")

    def _schemas(self, catalog: str, session: Session) -> list[str]:
        """The schemas of a catalog that whoever asks may use."""
        privileges, who = self._catalog.privileges, session.principal
        privileges.require(who, "USE CATALOG", catalog_of(catalog))
        inside = [schema for owner, schema in self._catalog.schemas() if owner == catalog]
        return [each for each in inside if privileges.holds(who, "USE SCHEMA", schema_of(catalog, each))]

    def _objects(self, phrase: Phrase, kind: str, names: list[Name]) -> pa.Table:
        asked = phrase.session.catalog.lower(), phrase.session.schema.lower()
        if phrase.accept("IN") or phrase.accept("FROM"):
            asked = phrase.schema()
        phrase.end()
        if not self._catalog.has_schema(*asked):
            raise SqlError("SCHEMA_NOT_FOUND", f"The schema `{asked[0]}`.`{asked[1]}` cannot be found.")
        inside = self._seen([name for name in names if _is_in(name, asked)], kind, phrase.session)
        column = {"TABLES": "tableName", "VIEWS": "viewName", "VOLUMES": "volume_name"}[kind]
        owner = "database" if kind == "VOLUMES" else "database" if kind == "TABLES" else "namespace"
        return _strings(**{owner: [name.schema for name in inside], column: [name.name for name in inside]})

    def _seen(self, names: list[Name], kind: str, session: Session) -> list[Name]:
        """Those of a schema that whoever asks may read.

        Raises:
            SqlError: if it may not use the schema.
        """
        privilege, kind = ("READ VOLUME", "VOLUME") if kind == "VOLUMES" else ("SELECT", "TABLE")
        privileges, who = self._catalog.privileges, session.principal
        for name in names[:1]:
            privileges.require_way(who, name.securable())
        return [name for name in names if privileges.holds(who, privilege, name.securable(kind))]

    def _properties(self, phrase: Phrase) -> pa.Table:
        name = phrase.name()
        self._catalog.require_readable(phrase.session, name)
        view = self._catalog.view(name)
        if view is not None:
            properties = dict(sorted(view.properties.items()))
        else:
            properties = _properties_of(DeltaTable(self._existing(name).location))
        if phrase.accept("("):
            wanted = phrase.property_name()
            phrase.expect(")")
            missing = f"Table {name.catalog}.{name.schema}.{name.name} does not have property: {wanted}"
            properties = {wanted: properties.get(wanted, missing)}
        phrase.end()
        return _strings(key=properties.keys(), value=properties.values())

    def _extended(self, phrase: Phrase) -> pa.Table:
        """SHOW TABLE EXTENDED [IN schema] LIKE pattern."""
        asked = phrase.session.catalog.lower(), phrase.session.schema.lower()
        if phrase.accept("IN") or phrase.accept("FROM"):
            asked = phrase.schema()
        phrase.expect("LIKE")
        patterns = [
            re.compile(each.strip().replace("*", ".*"), re.IGNORECASE) for each in phrase.string().split("|")
        ]
        phrase.end()
        if not self._catalog.has_schema(*asked):
            raise SqlError("SCHEMA_NOT_FOUND", f"The schema `{asked[0]}`.`{asked[1]}` cannot be found.")
        inside = [name for name in [*self._catalog.tables(), *self._catalog.views()] if _is_in(name, asked)]
        found = {
            name: self._information(name)
            for name in self._seen(sorted(inside), "TABLES", phrase.session)
            if any(each.fullmatch(name.name) for each in patterns)
        }
        shown = _strings(
            database=[name.schema for name in found],
            tableName=[name.name for name in found],
            information=found.values(),
        )
        return shown.add_column(2, "isTemporary", pa.array([False] * len(found), pa.bool_()))

    def _information(self, name: Name) -> str:
        """The text that tells of a table or a view: a fact a line, then the columns."""
        view = self._catalog.view(name)
        if view is not None:
            details = _described_view(name, view, extended=True)
            columns = [(column, type_, True) for column, type_ in view.fields]
        else:
            entry = self._existing(name)
            table = DeltaTable(entry.location)
            details = _details(name, entry, table)
            columns = [(each.name, type_text(each.type).lower(), each.nullable) for each in arrow_schema(table)]
        heading = [title for title, _, _ in details].index("# Detailed Table Information")
        facts = [f"{title}: {fact}" for title, fact, _ in details[heading + 1 :]]
        tree = [f" |-- {column}: {type_} (nullable = {str(null).lower()})" for column, type_, null in columns]
        return "\n".join([*facts, "Schema: root", *tree, ""])

    def _existing(self, name: Name) -> TableEntry:
        entry = self._catalog.table(name)
        if entry is None:
            raise not_found(str(name))
        return entry

    def describe(self, phrase: Phrase) -> pa.Table:
        """DESCRIBE [TABLE] [EXTENDED] of a table or a view."""
        phrase.accept("TABLE")
        extended = phrase.accept("EXTENDED")
        name = phrase.name()
        phrase.end()
        self._catalog.require_readable(phrase.session, name)
        view = self._catalog.view(name)
        if view is not None:
            return _rows(_described_view(name, view, extended=extended))
        entry = self._existing(name)
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
        if extended:
            rows += _details(name, entry, table)
        return _rows(rows)


def _is_in(name: Name, schema: tuple[str, str]) -> bool:
    return (name.catalog, name.schema) == schema


def _described(field: pa.Field) -> tuple[str, str, str | None]:
    comment = (field.metadata or {}).get(b"comment")
    return field.name, type_text(field.type).lower(), comment.decode() if comment else None


def _properties_of(table: DeltaTable) -> dict[str, str]:
    """Properties by name, in their order; Delta shows the protocol's versions among them."""
    protocol = table.protocol()
    versions = {
        "delta.minReaderVersion": str(protocol.min_reader_version),
        "delta.minWriterVersion": str(protocol.min_writer_version),
    }
    return dict(sorted({**table.metadata().configuration, **versions}.items()))


def _details(name: Name, entry: TableEntry, table: DeltaTable) -> list[tuple[str, str, str | None]]:
    """What EXTENDED adds."""
    properties = ",".join(f"{key}={value}" for key, value in _properties_of(table).items())
    facts = {
        "Catalog": name.catalog,
        "Database": name.schema,
        "Table": name.name,
        "Type": "MANAGED",
        "Comment": table.metadata().description or "",
        "Location": entry.location,
        "Provider": "delta",
        "Table Properties": f"[{properties}]",
    }
    heading = [("", "", ""), ("# Detailed Table Information", "", "")]
    return [*heading, *((title, fact, "") for title, fact in facts.items())]


def _described_view(name: Name, view: ViewEntry, *, extended: bool) -> list[tuple[str, str, str | None]]:
    rows = [(column, type_, view.column_comments.get(column.lower())) for column, type_ in view.fields]
    if not extended:
        return rows
    properties = ", ".join(f"{key}={value}" for key, value in sorted(view.properties.items()))
    facts = {
        "Catalog": name.catalog,
        "Database": name.schema,
        "Table": name.name,
        "Type": "VIEW",
        "Comment": view.comment or "",
        "View Text": view.sql,
        "Table Properties": f"[{properties}]",
    }
    heading = [("", "", ""), ("# Detailed Table Information", "", "")]
    return [*rows, *heading, *((title, fact, "") for title, fact in facts.items())]


def _rows(rows: list[tuple[str, str, str | None]]) -> pa.Table:
    columns = list(zip(*rows, strict=True))
    return _strings(col_name=columns[0], data_type=columns[1], comment=columns[2])


def _strings(**columns: Any) -> pa.Table:
    return pa.table({name: pa.array(list(values), pa.string()) for name, values in columns.items()})
