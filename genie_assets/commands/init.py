"""`genie-assets init`: the files with which an account's deployment begins."""

import datetime as dt
import os
import re
from pathlib import Path

import click

from genie_assets.commands.places import dagster_home, private_folder, reason
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.settings_file import SETTINGS_FILE
from genie_assets.commands.shipped import ENVIRONMENT, INSTANCE, WORKSPACE, shipped

# Those that `genie-assets load` loads, today included.
_DAYS = 30
_NOTHING_SET = re.compile(r"^# GENIE_FIRST_DAY=.*$", re.MULTILINE)


@click.command(short_help="Write the files to begin with.")
@one_sentence
def init() -> None:
    """Write .env, workspace.yaml and dagster.yaml here, to begin with an account of your own.

    A file that is there already is left as it is.
    """
    home = private_folder(dagster_home())
    today = dt.datetime.now(dt.UTC).date()
    instance = _text(INSTANCE)
    first_day = f"GENIE_FIRST_DAY={today - dt.timedelta(days=_DAYS - 1)}"
    _write(SETTINGS_FILE, _NOTHING_SET.sub(first_day, _text(ENVIRONMENT)), "your settings", mode=0o600)
    _write(Path(WORKSPACE), _text(WORKSPACE), "the code location, for Dagster's own commands")
    _write(
        Path(INSTANCE), instance, "the settings of a Dagster instance: copy it to $DAGSTER_HOME where you deploy"
    )
    _write(home / INSTANCE, instance, "the same for the instance of our commands")
    click.echo(
        f"Next: fill in host, warehouse and credentials in {SETTINGS_FILE}, then run `genie-assets check`, "
        "`genie-assets load` and `genie-assets dev`."
    )


def _text(name: str) -> str:
    return shipped(name).read_text(encoding="utf-8")


def _write(path: Path, text: str, meaning: str, *, mode: int = 0o644) -> None:
    """Write a file unless there is one, and say which of both it was."""
    shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else path
    try:
        # "x" never takes the place of a file, nor of a link to nowhere, that came in between.
        with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            try:
                file.write(text)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError:
        click.echo(f"{shown}: was there, and is as it was")
    except OSError as problem:
        raise click.ClickException(f"{path.absolute()} cannot be written: {reason(problem)}.") from None
    else:
        click.echo(f"{shown}: {meaning}")
