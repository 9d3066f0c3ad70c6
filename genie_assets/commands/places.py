"""Where a command finds its settings, and where things are kept in the working directory.

The account and the demo never share a folder: `.genie/lakehouse` and `.genie/dagster` are the account's, and what
the demo makes is below `.genie/demo`.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genie_assets.commands.settings_file import load_file
from genie_assets.commands.terminal import paragraph, readable

if TYPE_CHECKING:
    from genie_assets.gateways.lakehouse.interface import Lakehouse
    from genie_assets.settings import Settings

FOLDER = Path(".genie")
DEMO_FOLDER = FOLDER / "demo"
# In a Dagster home whose runs are the demo's: runs do not say which account they loaded.
MADE_UP_RUNS = "made_up.txt"
# Former versions kept the demo beside the account, without a mark on its tables, and wrote this when it had run.
FORMER_DEMO = FOLDER / "demo.json"


def read_settings() -> "Settings":
    """The settings, those of `.env` included; what the environment says wins. What is not read is told, once.

    Raises:
        SettingsError: with one sentence per wrong setting, or about a `.env` that cannot be read.
    """
    from genie_assets.setting_names import misspelt, news
    from genie_assets.settings import load_settings

    lines = load_file()
    for sentence in news([*lines, *misspelt()]):
        click.secho(paragraph(f"Warning: {sentence}", others=" " * 9), fg="yellow", err=True)
    return load_settings()


def read_settings_and_unread() -> "tuple[Settings, list[str]]":
    """The settings, and one sentence for each thing that is not read, for commands that have a place to tell it.

    Raises:
        SettingsError: as `read_settings`.
    """
    from genie_assets.setting_names import news, unknown_names
    from genie_assets.settings import load_settings

    unread = [*load_file(), *(each.sentence for each in unknown_names(os.environ))]
    news(unread)
    return load_settings(), unread


def configured_lake() -> "Lakehouse":
    """The lakehouse that the settings name.

    Raises:
        SettingsError: a setting is wrong, or the tables there may be a former demo's.
        LakehouseError: no engine serves the lakehouse.
    """
    from genie_assets.wiring import open_lake

    settings = read_settings()
    _refuse_former_demo(settings.genie_lakehouse)
    return open_lake(settings)


def refuse_the_other_kind(lake: "Lakehouse") -> None:
    """Look at a table that is there: the lakehouse refuses made-up ones for an account, and the other way round.

    So a command says so once, before it begins. What else is mixed is refused when it comes to it.

    Raises:
        LakehouseError: the tables are of the other kind, or cannot be looked at.
    """
    from genie_assets.domain.tables import TABLES

    next((table for table in TABLES if lake.exists(table)), None)


def _refuse_former_demo(lakehouse: str) -> None:
    """A former demo left no mark on its tables, but its result, which says where they are."""
    from genie_assets.settings import SettingsError

    if former_demo_lakehouse() == _resolved(lakehouse):
        raise SettingsError(
            f"The tables in {lakehouse} are, or are mixed with, those of the demo of a former version, as "
            f"{FORMER_DEMO} says: remove them together with {FORMER_DEMO} and {FOLDER / 'dagster'} "
            f"(what is an account's can be loaded again), or {FORMER_DEMO} alone if they hold no made-up rows."
        )


def former_demo_lakehouse() -> Path | None:
    """Where the demo of a former version left its tables, if it ran here and they are there still."""
    try:
        written = json.loads(FORMER_DEMO.read_text(encoding="utf-8"))["lakehouse"]
        folder = _resolved(str(written))
        return folder if folder.is_dir() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _resolved(lakehouse: str) -> Path:
    return Path(lakehouse.removeprefix("file://")).resolve()


def is_home_made() -> bool:
    """Whether there is a Dagster instance where an account's runs are kept; it may still be unusable.

    One that keeps them in a database server has no folder of theirs.
    """
    home = Path(os.environ.get("DAGSTER_HOME") or FOLDER / "dagster")
    return (home / "history").is_dir() or _names_a_storage(home / "dagster.yaml")


def _names_a_storage(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(r"^(storage|run_storage):", text, re.MULTILINE) is not None


def dagster_home() -> Path:
    """The folder of the Dagster instance whose runs are an account's; not made yet, if it is not there.

    Raises:
        click.ClickException: its runs are the demo's, or its path is relative.
    """
    chosen = os.environ.get("DAGSTER_HOME")
    if chosen and not Path(chosen).is_absolute():
        raise click.ClickException(
            f"DAGSTER_HOME is {chosen}: set it to an absolute path, as Dagster's own commands demand."
        )
    home = Path(chosen or FOLDER / "dagster").absolute()
    if (home / MADE_UP_RUNS).exists():
        raise click.ClickException(
            f"DAGSTER_HOME {home} holds the runs of the demo, which are not mixed with an account's: "
            "set it to another folder, or unset it."
        )
    if not chosen:
        private_folder(FOLDER)
    return home


def absolute(lakehouse: str) -> str:
    """The lakehouse as it is called from any working directory."""
    return lakehouse if "://" in lakehouse else os.path.abspath(lakehouse)  # noqa: PTH100 - without `..`, with links


@contextmanager
def naming_files(folder: Path) -> Iterator[None]:
    """Turn what the disk says in the block into one sentence.

    Raises:
        click.ClickException: instead of an OSError.
    """
    try:
        yield
    except OSError as problem:
        place = problem.filename if isinstance(problem.filename, str) else folder
        raise click.ClickException(f"{place} cannot be used: {reason(problem)}.") from None


def text_of(file: Path, *, most_bytes: int, what: str) -> str:
    """What a file of UTF-8 says.

    Args:
        file: The file.
        most_bytes: How big it may be.
        what: What it shall be, for the sentence that it is bigger than any.

    Raises:
        click.ClickException: it is too big, no UTF-8, or cannot be read.
    """
    with naming_files(file):
        if file.stat().st_size > most_bytes:
            raise click.ClickException(f"{readable(file)} is bigger than any {what}.")
        try:
            return file.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise click.ClickException(f"{readable(file)} is not UTF-8 text.") from None


def private_folder(folder: Path) -> Path:
    """Make a folder, and those above it that are missing, for its owner alone: it will hold people's questions.

    One that is there keeps its mode.

    Raises:
        click.ClickException: it cannot be made.
    """
    try:
        for each in reversed((folder, *folder.parents)):
            if not each.is_dir():
                each.mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise click.ClickException(f"The folder {folder.absolute()} cannot be made: {reason(problem)}.") from None
    return folder


def reason(problem: OSError) -> str:
    """What the system says, without number and path: `No space left on device`."""
    return problem.strerror or type(problem).__name__
