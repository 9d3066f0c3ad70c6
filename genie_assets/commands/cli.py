"""The command line: thin. Every expected problem is one sentence on stderr and exit code 1, never a traceback.

What a command needs is imported when it runs: nobody waits for Dagster who only wants help.
"""

import os

import click

from genie_assets.commands.alerts import alerts
from genie_assets.commands.check import check
from genie_assets.commands.dashboard import dashboard
from genie_assets.commands.demo import demo
from genie_assets.commands.dev import dev
from genie_assets.commands.doctor import doctor
from genie_assets.commands.errors import errors
from genie_assets.commands.extras import require
from genie_assets.commands.init import init
from genie_assets.commands.load import load
from genie_assets.commands.report import report
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.spaces import spaces
from genie_assets.commands.sql import sql
from genie_assets.commands.terminal import Commands

_HELP_OPTIONS = ["-h", "--help"]


@click.group(cls=Commands, context_settings={"help_option_names": _HELP_OPTIONS})
@click.version_option(package_name="genie-assets")
def main() -> None:
    """What happens in your Databricks Genie spaces, as Delta tables."""
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")


main.add_command(demo)
main.add_command(dev)
main.add_command(init)
main.add_command(check)
main.add_command(doctor)
main.add_command(load)
main.add_command(errors)
main.add_command(alerts)
main.add_command(report)
main.add_command(spaces)
main.add_command(dashboard)
main.add_command(sql)


@main.command(
    short_help="Serve a made-up account on this machine.",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@one_sentence
def sandbox(arguments: tuple[str, ...]) -> None:
    """Serve a local Databricks account on loopback (see `genie-assets sandbox --help`)."""
    require("sandbox", "sandbox")
    from genie_sandbox.__main__ import main as serve

    serve(list(arguments), prog_name="genie-assets sandbox", help_option_names=_HELP_OPTIONS)
