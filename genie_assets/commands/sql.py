"""`genie-assets sql`: one reading statement over the tables and views, shown for people or for programs."""

import sys
from typing import TYPE_CHECKING, Any

import click

from genie_assets.commands.extras import require
from genie_assets.commands.places import configured_lake, read_settings
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.terminal import readable, shown_place

if TYPE_CHECKING:
    import pyarrow as pa

    from genie_assets.gateways.lakehouse.interface import Lakehouse

_MOST_ROWS = 1_000
_EXAMPLE = 'genie-assets sql --demo "SELECT day, question FROM message_overview LIMIT 7"'
_NO_TABLES = "Is GENIE_LAKEHOUSE right? `genie-assets load` makes them; the demo's are asked with --demo."
_NO_DEMO = "`genie-assets demo` makes them."


@click.command(short_help="Ask the tables and views.")
@click.argument("statement", required=False)
@click.option("--demo", is_flag=True, help="Ask the demo's tables.")
@click.option(
    "--list", "lists", is_flag=True, help="Show all tables and views; of one that is named, its columns."
)
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000_000),
    default=_MOST_ROWS,
    show_default=True,
    help="Rows to show at most.",
)
@one_sentence
def sql(statement: str | None, demo: bool, lists: bool, form: str, limit: int) -> None:
    """Run one statement that reads tables and views, in the words of Databricks SQL, and show what it gives.

    STATEMENT is a text such as "SELECT * FROM message_overview LIMIT 10", or - to read it from the input.
    `genie-assets sql --list` shows what can be asked, and docs/questions.md has many examples.
    """
    if lists:
        _list(statement)
        return
    if statement is None:
        raise click.UsageError(f"Give a statement, such as:\n  {_EXAMPLE}\nor --list to see what there is.")
    require("sql", "sql")
    from genie_assets.commands.sql_output import show

    text = sys.stdin.read() if statement == "-" else statement
    rows = _answer(text, demo, limit)
    is_cut = rows.num_rows > limit
    show(rows.slice(0, limit), form)
    if is_cut:
        click.echo(f"There are more rows than these {limit:,}: see --limit.", err=True)


def _answer(text: str, demo: bool, limit: int) -> "pa.Table":
    from genie_assets.domain.tables import TABLES
    from genie_assets.gateways.lakehouse.errors import LakehouseError
    from genie_assets.gateways.lakehouse.reading import understood, unknown_column
    from genie_assets.gateways.sql.views import shipped_views

    tables, views = [table.name for table in TABLES], shipped_views()
    lake, place, schema = _lake(demo)
    reading = understood(text, tables, views, schema)
    if reading.tables and not any(lake.exists(table) for table in TABLES if table.name in reading.tables):
        raise click.ClickException(f"There are no tables at {place}. {_NO_DEMO if demo else _NO_TABLES}")
    try:
        return lake.ask(reading, limit=limit)
    except LakehouseError as problem:
        columns: dict[str, Any] = {table.name: table.column_names for table in TABLES}
        columns |= {name: [column.name for column in view.columns] for name, view in views.items()}
        raise click.ClickException(readable(unknown_column(reading, columns) or problem)) from None


def _lake(demo: bool) -> "tuple[Lakehouse, str, tuple[str, ...]]":
    """The lakehouse, where it is, and what its tables may be called by."""
    if demo:
        from genie_assets.commands.errors import demo_lake

        lake, uri = demo_lake()
        return lake, uri, _schema(uri)
    uri = read_settings().genie_lakehouse
    return configured_lake(), shown_place(uri), _schema(uri)


def _schema(uri: str) -> tuple[str, ...]:
    scheme, _, place = uri.partition("://")
    return tuple(place.rstrip("/").split(".")) if scheme.lower() == "uc" else ("genie_analytics",)


def _list(name: str | None) -> None:
    from genie_assets.commands import sql_output
    from genie_assets.domain.tables import TABLES
    from genie_assets.gateways.sql.views import shipped_views

    views = shipped_views()
    tables = {table.name: table for table in TABLES}
    if name is None:
        sql_output.overview(
            {name: table.description for name, table in tables.items()},
            {name: view.question for name, view in views.items()},
        )
    elif name in views:
        view = views[name]
        sql_output.columns(view.description, ((each.name, each.type, each.description) for each in view.columns))
    elif name in tables:
        table = tables[name]
        sql_output.columns(table.description, ((each.name, each.type, each.description) for each in table.columns))
    else:
        from difflib import get_close_matches

        close = get_close_matches(name, [*views, *tables], n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise click.ClickException(f"There is no table or view {readable(name)}.{hint}")
