"""Which spaces a command speaks of: those of a lakehouse, the demo's or ours, a version of one, or a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genie_assets.commands.errors import chosen_lake

if TYPE_CHECKING:
    from genie_assets.domain.keys import Row
    from genie_assets.pipeline.space_library import SpaceLibrary

_NO_SPACES = "`genie-assets load` backs spaces up into it; the demo's are shown with --demo."


def of_the_demo(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option by which the demo's spaces are chosen."""
    return click.option("--demo", is_flag=True, help="Spaces of the demo, which has tables of its own.")(command)


def library(demo: bool = False) -> "SpaceLibrary":
    """The stored spaces. A lakehouse without any is none that was ever backed up to.

    Raises:
        click.ClickException: there are none.
    """
    from genie_assets.domain.tables import GENIE_SPACE_DETAILS
    from genie_assets.pipeline.space_library import SpaceLibrary

    lake, place = chosen_lake(demo)
    if not lake.exists(GENIE_SPACE_DETAILS):
        raise click.ClickException(f"No spaces are kept at {place}. Is GENIE_LAKEHOUSE right? {_NO_SPACES}")
    return SpaceLibrary(lake)


def state(known: "SpaceLibrary | None", reference: str) -> "tuple[str, Row]":
    """A space, a version of one, or an exported folder: what to call it, and what it says.

    Raises:
        SpaceNameError: it means nothing, or several spaces.
        click.ClickException: the folder holds no space.
    """
    from genie_assets.commands.space_files import is_space_folder, read_folder

    if known is None or is_space_folder(reference):
        return reference, read_folder(Path(reference))
    return known.state(reference)
