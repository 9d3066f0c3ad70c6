"""`genie-assets dev`: the Dagster UI, of the account or of the demo."""

from typing import NoReturn

import click

from genie_assets.commands.extras import require
from genie_assets.commands.places import (
    DEMO_FOLDER,
    absolute,
    configured_lake,
    dagster_home,
    naming_files,
    read_settings,
    refuse_the_other_kind,
)
from genie_assets.commands.sentences import one_sentence
from genie_assets.domain.sql_names import schema_in


@click.command(short_help="Open the Dagster UI.")
@click.option("--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Port, on loopback.")
@click.option("--demo", "of_demo", is_flag=True, help="That of the demo, although settings name an account.")
@one_sentence
def dev(port: int, of_demo: bool) -> None:
    """Open the Dagster UI of the account that the settings name, or of the demo if they name none.

    Its runs and tables are those of `genie-assets load`, or of `genie-assets demo`.
    """
    require("dev", "ui")
    if of_demo:
        _serve_demo(port, "The demo's UI")
    settings = read_settings()
    if not (settings.databricks_host or settings.databricks_config_profile or settings.databricks_config_file):
        _serve_demo(port, "No account is named (DATABRICKS_HOST, here or in .env), so this is the demo's UI")
    _serve_account(port)


def _serve_account(port: int) -> NoReturn:
    from genie_assets.commands.locks import taken
    from genie_assets.commands.report_server import served_report
    from genie_assets.commands.ui import prepare, require_port, serve_ui

    settings = read_settings()
    host, home, lakehouse = settings.databricks().home_url, dagster_home(), absolute(settings.genie_lakehouse)
    require_port(port)
    lake = configured_lake()
    if schema_in(lakehouse) is None:  # a look there would start a warehouse; the runs will look
        refuse_the_other_kind(lake)
    click.echo(f"The UI of {host}; tables in {lakehouse}, runs in {home}.")
    prepare(home)
    # Two daemons on one home would disturb each other.
    with naming_files(home), taken(home, "dev"), served_report(lakehouse) as served:
        serve_ui(home, port, {"GENIE_LAKEHOUSE": lakehouse, **served})


def _serve_demo(port: int, title: str) -> NoReturn:
    require("dev", "sandbox")
    from genie_assets.commands.demo_place import DemoPlace, only, settings_of
    from genie_assets.commands.report_server import served_report
    from genie_assets.commands.ui import prepare, require_port, serve_ui

    place = DemoPlace(DEMO_FOLDER.absolute())
    tables = place.last_tables()
    require_port(port)
    with naming_files(place.folder), place.taken("dev"):
        place.require_room()
        click.echo(f"{title}; tables in {tables.lakehouse}.")
        if not place.result.exists():
            click.echo("No demo has run here yet: `genie-assets demo` fills the tables.")
        made_up = place.account()
        with only({}), place.sandbox() as sandbox, only(sandbox.environment() | settings_of(tables, made_up)):
            home = place.dagster_home()
            prepare(home)
            with served_report(tables.lakehouse) as served:
                serve_ui(home, port, served)
