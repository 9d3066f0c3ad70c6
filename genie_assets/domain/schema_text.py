"""Tables and views as texts for people and engines: Spark SQL's DDL, and the data dictionary in Markdown."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from genie_assets.domain.markdown import markdown_table
from genie_assets.domain.sql_names import quoted
from genie_assets.domain.table import Source
from genie_assets.domain.tables import Column, Table
from genie_assets.domain.views import View

Layout = Literal["partitioned", "liquid"]

STATISTICS = "delta.dataSkippingStatsColumns"

# Delta keeps statistics of a clustering key's columns only, and of at most four keys.
_CLUSTERING_KEYS = ("workspace_id", "space_id")
_PROPERTIES = {
    # Without them, two merges that insert the same key at once conflict, and one is made again. With them,
    # Databricks compares merges row by row where a table has no partitions, and two new rows are different rows.
    "delta.enableDeletionVectors": "false",
    "delta.logRetentionDuration": "interval 7 days",
    "delta.deletedFileRetentionDuration": "interval 2 days",
}
# What the data dictionary calls the sources of values.
_SOURCES: Mapping[Source, str] = {
    "api": "API",
    "spaces": "API, the space",
    "audit": "audit log",
    "history": "query history",
    "ledger": "error ledger",
    "ours": "genie-assets",
}
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def spark_ddl(
    tables: Sequence[Table],
    *,
    catalog: str,
    schema: str,
    layout: Layout = "partitioned",
    views: Sequence[View] = (),
) -> str:
    """Statements that create the schema, the tables and views, each ended by a semicolon.

    Args:
        tables: What to create.
        catalog: The catalog's name; quoted where it needs to be.
        schema: The schema's name; quoted where it needs to be.
        layout: `partitioned` by day, with Z-order in maintenance, or `liquid` clustering. Spark refuses both in
            one table.
        views: Views over these tables alone.
    """
    place = f"{_identifier(catalog)}.{_identifier(schema)}"
    statements = [f"CREATE SCHEMA IF NOT EXISTS {place};"]
    statements += [create_table(_with_whole_keys(table), place, layout) + ";" for table in tables]
    places = {table.name: f"{place}.{_identifier(table.name)}" for table in tables}
    statements += [_create_view(view, place, places) for view in views]
    return "\n\n".join(statements) + "\n"


def clustering_columns(table: Table) -> tuple[str, ...]:
    """The keys of the liquid layout: day, workspace and space; empty for the small tables without days."""
    if table.partitioned_by is None:
        return ()
    return (table.partitioned_by, *(name for name in _CLUSTERING_KEYS if name in table.statistics))


def create_table(
    table: Table, place: str, layout: Layout, properties: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The statement, without a semicolon, that creates a table unless it exists.

    The primary key is named only where none of its columns may be NULL: Unity Catalog allows no NULL in one.

    Args:
        table: What to create.
        place: Catalog and schema, quoted.
        layout: As for `spark_ddl`.
        properties: Properties beside those that every table gets.
    """
    lines = [column_text(column, required=not column.nullable) for column in table.columns]
    if not any(table.column(name).nullable for name in table.key):
        lines.append(_primary_key(table))
    clauses = ["USING DELTA", f"COMMENT {_literal(table.description)}"]
    if layout == "partitioned" and table.partitioned_by:
        clauses.append(f"PARTITIONED BY ({_identifier(table.partitioned_by)})")
    if layout == "liquid" and clustering_columns(table):
        clauses.append(f"CLUSTER BY ({_list(clustering_columns(table))})")
    clauses.append(table_properties({STATISTICS: statistics_columns(table, layout), **_PROPERTIES, **properties}))
    return (
        f"-- One row per {table.row}.\n"
        f"CREATE TABLE IF NOT EXISTS {place}.{_identifier(table.name)} (\n  "
        + ",\n  ".join(lines)
        + "\n)\n"
        + "\n".join(clauses)
    )


def column_text(column: Column, *, required: bool) -> str:
    """A column as CREATE TABLE or ADD COLUMNS lists it; NOT NULL if it is `required`."""
    not_null = " NOT NULL" if required else ""
    return f"{_identifier(column.name)} {column.type}{not_null} COMMENT {_literal(column.description)}"


def table_properties(properties: Mapping[str, str]) -> str:
    """TBLPROPERTIES with these names and values."""
    lines = [f"  {_literal(name)} = {_literal(value)}" for name, value in properties.items()]
    return "TBLPROPERTIES (\n" + ",\n".join(lines) + "\n)"


def statistics_columns(table: Table, layout: Layout) -> str:
    """Columns to keep minimum and maximum of. Spark refuses to list the partition, liquid needs its keys."""
    names = [name for name in table.statistics if layout == "liquid" or name != table.partitioned_by]
    return ",".join(names)


def maintenance(table: Table, place: str, layout: Layout) -> str:
    """The statement, without a semicolon, that joins small files and sorts rows that are read together."""
    z_order = f" ZORDER BY ({_list(table.z_order_by)})" if table.z_order_by and layout == "partitioned" else ""
    return f"OPTIMIZE {place}.{_identifier(table.name)}{z_order}"


def data_dictionary_markdown(tables: Iterable[Table]) -> str:
    """A section per table: what a row is, who writes it, its key, its days, and every column."""
    return "\n\n".join(_dictionary_section(table) for table in tables) + "\n"


def views_markdown(views: Iterable[View]) -> str:
    """A section per view: its question, what a row is, what says what is known, and every column."""
    return "\n\n".join(_view_section(view) for view in views) + "\n"


def _view_section(view: View) -> str:
    rows = [[f"`{column.name}`", column.type, _cell(column.description)] for column in view.columns]
    facts = f"{view.grain[:1].upper()}{view.grain[1:]} What is known is told by: {view.coverage}."
    return "\n".join(
        [
            f"### `{view.name}`",
            "",
            view.question,
            "",
            facts,
            "",
            markdown_table(["column", "type", "meaning"], rows),
        ]
    )


def _may_be_null(table: Table, column: Column) -> bool:
    """Whether NULL is allowed: never in a key."""
    return column.nullable and column.name not in table.key


def _with_whole_keys(table: Table) -> Table:
    """The table with NOT NULL in all columns of its key."""
    columns = (replace(column, nullable=_may_be_null(table, column)) for column in table.columns)
    return replace(table, columns=tuple(columns))


def _primary_key(table: Table) -> str:
    return f"CONSTRAINT {_identifier('pk_' + table.name)} PRIMARY KEY ({_list(table.key)})"


def _create_view(view: View, place: str, places: Mapping[str, str]) -> str:
    columns = ",\n  ".join(
        f"{_identifier(column.name)} COMMENT {_literal(column.description)}" for column in view.columns
    )
    return (
        f"CREATE OR REPLACE VIEW {place}.{_identifier(view.name)} (\n  {columns}\n)\n"
        f"COMMENT {_literal(view.description)}\n"
        f"AS {view.query_in(places)};"
    )


def _identifier(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else quoted(name)


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_identifier, names))


def _literal(text: str) -> str:
    # Some clients split a script at every semicolon, even inside a text.
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace(";", ",") + "'"


def _dictionary_section(table: Table) -> str:
    facts = [
        f"{table.description}",
        "",
        f"One row per {table.row}. Key: {_names(table.key)}. "
        + (f"Partitioned by `{table.partitioned_by}`. " if table.partitioned_by else "Not partitioned. ")
        + (f"Z-ordered by {_names(table.z_order_by)}. " if table.z_order_by else "")
        + f"Written by the asset `{table.asset}`.",
    ]
    rows = [
        [
            f"`{column.name}`",
            column.type,
            "yes" if _may_be_null(table, column) else "no",
            _SOURCES[column.source],
            _cell(column.description),
        ]
        for column in table.columns
    ]
    columns = markdown_table(["column", "type", "NULL", "from", "meaning"], rows)
    return "\n".join([f"### `{table.name}`", "", *facts, "", columns])


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
