"""`genie-assets doctor --record DIR`: examples of what the account answers, to be given away."""

import datetime as dt
import json
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from genie_assets.commands.account_sampling import take_samples
from genie_assets.commands.places import reason
from genie_assets.commands.terminal import readable
from genie_assets.domain.numbers import many
from genie_assets.domain.recording import TellsTooMuchError, documents
from genie_assets.settings import Settings


def record(settings: Settings, folder: Path, *, as_json: bool) -> None:
    """Take samples, replace all that they tell of the account, and write a file for each kind.

    Args:
        settings: Where the account is.
        folder: Where the files go; it must be empty or not there.
        as_json: Whether to tell of it as JSON.

    Raises:
        ClickException: the folder cannot be used, nothing was answered, or something would have been told.
    """
    _refuse_unfit(folder)
    taken = take_samples(settings, dt.datetime.now(dt.UTC), with_rows=True)
    if not any(sample.body is not None for sample in taken.samples.taken):
        raise click.ClickException("Nothing was answered: `genie-assets doctor` says what cannot be reached.")
    try:
        made = documents(taken.samples, _choose)
    except TellsTooMuchError as problem:
        raise click.ClickException(
            f"The example {problem} would have told something of the account, so that nothing was written: please "
            "report it."
        ) from None
    _write(folder, made)
    counts = {f"{kind}.json": len(document["answers"]) for kind, document in sorted(made.items())}
    if as_json:
        told = {"folder": str(folder), "requests": taken.requests, "statements": taken.statements, "files": counts}
        click.echo(json.dumps(told, indent=2))
        return
    for name, count in counts.items():
        click.echo(f"  {name}: {many(count, 'answer')}")
    click.echo(
        f"Written to {readable(folder)}: {many(len(counts), 'file')}, from {many(taken.requests, 'request')} and "
        f"{many(taken.statements, 'statement')}. Have a look at them before you give them away."
    )


def _choose(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))


def _refuse_unfit(folder: Path) -> None:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise click.ClickException(
                f"{readable(folder)} is not an empty folder: name one that is empty, or that is not there yet."
            )
    except OSError as problem:
        raise _unusable(folder, problem) from None


def _write(folder: Path, made: dict[str, dict[str, Any]]) -> None:
    """All files or none: they are written beside the folder, which is then put into its place."""
    try:
        folder = folder.absolute()
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # for its owner alone
        try:
            for kind, document in made.items():
                text = json.dumps(document, indent=1, ensure_ascii=False)
                (beside / f"{kind}.json").write_text(text + "\n", encoding="utf-8")
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as problem:
        raise _unusable(folder, problem) from None


def _unusable(folder: Path, problem: OSError) -> click.ClickException:
    return click.ClickException(f"{readable(folder)} cannot be used: {reason(problem)}. Name another folder.")
