"""`genie-assets demo`: everything, against a made-up account."""

import sys

import click

from genie_assets.commands.extras import require
from genie_assets.commands.interrupts import under_way
from genie_assets.commands.places import DEMO_FOLDER, naming_files
from genie_assets.commands.sentences import one_sentence


@click.command(short_help="Try everything against a made-up account.")
@click.option("--messages", default=3000, show_default=True, help="About how many messages the account has.")
@click.option(
    "--lakehouse", help="Where the tables are made, such as uc://main.genie_demo. [default: .genie/demo]"
)
@click.option(
    "--layout",
    type=click.Choice(["partitioned", "liquid"]),
    default="partitioned",
    show_default=True,
    help="How tables in Unity Catalog are laid out.",
)
@one_sentence
def demo(messages: int, lakehouse: str | None, layout: str) -> None:
    """Run the whole pipeline against a made-up account; needs no Databricks.

    Its tables and runs are kept in .genie/demo, whatever the environment or .env say. A lakehouse such as
    uc://main.genie_demo is in the made-up account's own Unity Catalog.
    """
    require("demo", "sandbox")
    from rich.console import Console

    from genie_assets.commands.demo_output import ConsoleProgress, print_summary
    from genie_assets.commands.demo_place import DemoPlace
    from genie_assets.commands.demo_run import run_demo

    console = Console()
    place = DemoPlace(DEMO_FOLDER.absolute())
    tables = place.tables(lakehouse, layout)
    with naming_files(place.folder), place.taken("demo"), under_way("the demo"):
        place.require_room()
        with ConsoleProgress(console) as progress:
            result = run_demo(place, tables, progress, messages=messages)
        result.write(place.result)
    print_summary(result, console)
    if result.problems:
        sys.exit(1)
