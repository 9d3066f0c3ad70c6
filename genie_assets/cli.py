"""The command line: thin. Every expected problem is one sentence on stderr and exit code 1, never a traceback."""

import datetime as dt
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from dotenv import load_dotenv
from rich.console import Console

if TYPE_CHECKING:
    from genie_assets.gateways.lakehouse import Lakehouse
    from genie_assets.running import Runner

FOLDER = Path(".genie")
# In the working directory, as for Dagster's own commands; by default it would be sought beside this file.
SETTINGS = Path(".env")


def _one_sentence(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors that a user can do something about into one sentence."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        from genie_assets.gateways.lakehouse import LakehouseError
        from genie_assets.gateways.retries import CallError
        from genie_assets.gateways.warehouse import WarehouseError
        from genie_assets.running import RunFailedError
        from genie_assets.settings import SettingsError

        try:
            return command(*args, **kwargs)
        except (
            SettingsError,
            WarehouseError,
            LakehouseError,
            CallError,
            RunFailedError,
            RuntimeError,
        ) as problem:
            raise click.ClickException(str(problem)) from None

    return guarded


@click.group()
@click.version_option(package_name="genie-assets")
def main() -> None:
    """What happens in your Databricks Genie spaces, as Delta tables."""
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")


@main.command()
@click.option("--messages", default=3000, show_default=True, help="About how many messages the account has.")
@_one_sentence
def demo(messages: int) -> None:
    """Run the whole pipeline against a made-up account; needs no Databricks."""
    from genie_assets.demo import run_demo, write_result
    from genie_assets.demo_output import ConsoleProgress, print_summary

    console = Console()
    with ConsoleProgress(console) as progress:
        result = run_demo(FOLDER.absolute(), progress, messages=messages)
    write_result(result, FOLDER / "demo.json")
    print_summary(result, console)
    if result.differences:
        sys.exit(1)


@main.command()
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First UTC day. Default: 30 days ago.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last UTC day. Default: today.")
@_one_sentence
def load(first: dt.datetime | None, last: dt.datetime | None) -> None:
    """Load days in this process, one after the other, and back up the spaces."""
    from genie_assets.preflight import check_connection
    from genie_assets.running import Runner, days_between
    from genie_assets.settings import load_settings

    _lake()  # a lakehouse that cannot be opened is said once, not once per day
    check_connection(load_settings())
    today = dt.datetime.now(dt.UTC).date()
    end = last.date() if last else today
    start = first.date() if first else end - dt.timedelta(days=29)
    if start > end:
        raise click.ClickException(f"--from {start} lies after --to {end}.")
    runner = Runner(Path(os.environ.get("DAGSTER_HOME") or FOLDER / "dagster").absolute())
    try:
        failed = [day for day in days_between(start, end) if not _load_day(runner, day)]
        numbers = runner.run("genie_spaces").metadata["genie_space_details"]
        click.echo(f"spaces      {numbers['spaces']}, readable {numbers['readable']}")
    finally:
        runner.close()
    if failed:
        raise click.ClickException(f"{len(failed)} days could not be loaded: {', '.join(map(str, failed))}")


def _load_day(runner: "Runner", day: dt.date) -> bool:
    """Load one day and say how it went; one that fails does not keep the next from being loaded."""
    from genie_assets.running import RunFailedError

    try:
        numbers = runner.run("genie_daily", day).metadata["genie_api_messages"]
    except RunFailedError as problem:
        click.secho(f"{day}  {problem}", fg="red", err=True)
        return False
    click.echo(f"{day}  wanted {numbers['wanted']}, stored {numbers['stored']}, failed {numbers['failed']}")
    return True


@main.command()
@_one_sentence
def check() -> None:
    """Check settings, credentials, warehouse, grants and lakehouse; say what is missing."""
    from genie_assets.preflight import preflight
    from genie_assets.settings import load_settings

    load_dotenv(SETTINGS)
    failed = False
    for finding in preflight(load_settings()):
        click.secho(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.text}", fg=None if finding.ok else "red")
        failed = failed or not finding.ok
    if failed:
        sys.exit(1)


@main.group()
def errors() -> None:
    """Show the messages that cannot be read, have them tried again, or close them."""


_MESSAGES = click.argument("message_ids", nargs=-1)
_CLASS = click.option("--class", "error_class", help="Only errors of this class, for example NOT_FOUND.")


@errors.command("list")
@_MESSAGES
@_CLASS
@_one_sentence
def list_errors(message_ids: tuple[str, ...], error_class: str | None) -> None:
    """Show open errors, the oldest first."""
    from genie_assets.pipeline.upkeep import open_rows

    rows = open_rows(_lake(), message_ids=message_ids, error_class=error_class)
    for row in rows:
        attempt = row["next_retry_timestamp"]
        when = f"next attempt {attempt:%Y-%m-%d %H:%M} UTC" if attempt else "parked"
        click.secho(f"{row['event_date']}  {row['error_class']}, {row['retry_count']} retries, {when}", bold=True)
        click.echo(f"  workspace {row['workspace_id']}  space {row['space_id']}  message {row['message_id']}")
        click.echo(f"  {row['error_message']}")
    click.echo(f"{len(rows)} open errors")


@errors.command("requeue")
@_MESSAGES
@_CLASS
@click.option("--all", "everything", is_flag=True, help="All open errors.")
@_one_sentence
def requeue_errors(message_ids: tuple[str, ...], error_class: str | None, everything: bool) -> None:
    """Make errors due now; the sensor retry_open_errors, or a run of their day, tries them again."""
    from genie_assets.pipeline.upkeep import open_rows, requeue

    if not (message_ids or error_class or everything):
        raise click.UsageError("Name messages, a --class, or --all.")
    lake = _lake()
    rows = open_rows(lake, message_ids=message_ids, error_class=error_class)
    click.echo(f"{requeue(lake, rows, dt.datetime.now(dt.UTC))} errors are due now.")


@errors.command("close")
@click.argument("message_ids", nargs=-1, required=True)
@_one_sentence
def close_errors(message_ids: tuple[str, ...]) -> None:
    """Close errors of messages that nobody misses: they are not asked for again unless they change."""
    from genie_assets.pipeline.upkeep import close, open_rows

    lake = _lake()
    closed = close(lake, open_rows(lake, message_ids=message_ids), dt.datetime.now(dt.UTC))
    click.echo(f"{closed} errors are closed.")


def _lake() -> "Lakehouse":
    from genie_assets.resources import open_lake
    from genie_assets.settings import load_settings

    load_dotenv(SETTINGS)
    return open_lake(load_settings())


@main.command()
@click.option("--port", default=3000, show_default=True, help="Port of the Dagster UI, on loopback.")
@_one_sentence
def dev(port: int) -> None:
    """Open the Dagster UI with a sandbox behind it; the tables and runs of the demo are there."""
    from genie_assets.demo import serve_ui

    sys.exit(serve_ui(FOLDER.absolute(), port))


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@_one_sentence
def sandbox(arguments: tuple[str, ...]) -> None:
    """Serve a local Databricks account on loopback (see `genie-assets sandbox --help`)."""
    from genie_assets.sandbox.__main__ import main as serve

    serve(list(arguments), prog_name="genie-assets sandbox")
