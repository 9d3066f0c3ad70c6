"""`genie-assets doctor`: what `check` looks at and the Dagster instance, each with the lines that mend it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genie_assets.commands.findings import of_unread
from genie_assets.commands.places import read_settings, read_settings_and_unread
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.terminal import paragraph, readable
from genie_assets.settings import Settings

if TYPE_CHECKING:
    from genie_assets.commands.findings import Finding

_COLOURS = {"failed": "red", "warning": "yellow"}
_WIDTH = 80


@click.command(short_help="Say what is missing, and the lines that mend it.")
@click.option(
    "--write", is_flag=True, help="Also try the lakehouse with a table of its own, which is removed again."
)
@click.option(
    "--contract", is_flag=True, help="Instead, hold what we take for true of Databricks against the account."
)
@click.option(
    "--record",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Instead, write examples of its answers with every text, id and number replaced.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document: a list of findings.")
@one_sentence
def doctor(write: bool, contract: bool, folder: Path | None, as_json: bool) -> None:
    """Look at all that runs need, at every space and at Dagster; print the lines that mend what is missing.

    Nothing is changed, but for a file that is written to the lakehouse and removed, and with --write a table.
    Exit code 1: something failed.
    """
    if write + contract + (folder is not None) > 1:
        raise click.UsageError("Give one of --write, --contract and --record: each is a look of its own.")
    if contract:
        from genie_assets.commands.doctor_contract import tell_contract

        tell_contract(read_settings(), as_json=as_json)
        return
    if folder is not None:
        from genie_assets.commands.doctor_record import record

        record(read_settings(), folder, as_json=as_json)
        return
    found = []
    for finding in _findings(write):
        found.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        click.echo(json.dumps([_document(finding) for finding in found], indent=2))
    if any(finding.ok is False for finding in found):
        sys.exit(1)


def _findings(write: bool) -> Iterator["Finding"]:
    from genie_assets.commands.findings import Finding
    from genie_assets.settings import SettingsError

    try:
        settings, unread = read_settings_and_unread()
    except SettingsError as problem:
        yield Finding(ok=False, text=str(problem), name="settings")
        yield Finding(ok=None, text="Not looked at, as settings say where it is: all else", name="the rest")
        return
    yield from of_unread(unread)
    yield from _beyond_settings(settings, write)


def _beyond_settings(settings: Settings, write: bool) -> Iterator["Finding"]:
    from genie_assets.commands.doctor_instance import instance_findings
    from genie_assets.commands.preflight import preflight

    found = []
    for finding in preflight(settings, every_space=True):
        found.append(finding)
        yield finding
    yield from instance_findings()
    if write:
        from genie_assets.commands.doctor_write import write_findings

        yield from write_findings(settings, found)


def _print(finding: "Finding") -> None:
    status = finding.status
    text = paragraph(readable(finding.text), first=f"{status:<9}", others=" " * 9, piped=_WIDTH)
    click.secho(text, fg=_COLOURS.get(status))
    for line in finding.cure:
        click.echo(f"{'':9}{readable(line)}")  # whole, to be copied


def _document(finding: "Finding") -> dict[str, object]:
    return {
        "name": finding.name,
        "status": finding.status,
        "seen": readable(finding.text),
        "cure": [readable(line) for line in finding.cure],
    }
