"""Which spaces a command speaks of: those of a lakehouse, the demo's or ours, a version of one, or a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genie_assets.commands.errors import chosen_lake
from genie_assets.commands.places import text_of
from genie_assets.commands.terminal import readable

if TYPE_CHECKING:
    from genie_assets.domain.keys import Row
    from genie_assets.domain.space_access import AccessChange, Levels
    from genie_assets.pipeline.space_library import SpaceLibrary

_NO_DEMO = "`genie-assets demo` makes them."
_NO_SPACES = (
    "Is GENIE_LAKEHOUSE right? `genie-assets load` backs spaces up into it; the demo's are shown with --demo."
)


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
        raise click.ClickException(f"No spaces are kept at {place}. {_NO_DEMO if demo else _NO_SPACES}")
    return SpaceLibrary(lake)


def state(known: "SpaceLibrary | None", reference: str) -> "tuple[str, Row]":
    """A space, a version of one, an exported folder or a plan: what to call it, and what it says.

    A plan says what the space shall be; with `:before` behind its name, what the space was when it was reviewed.

    Raises:
        SpaceNameError: it means nothing, or several spaces.
        PlanError: the file holds no plan.
        click.ClickException: the folder holds no space.
    """
    from genie_assets.commands.space_files import is_space_folder, read_folder
    from genie_assets.domain.inventory import SpaceNameError

    if is_plan(reference):
        return reference, _of_plan(reference)
    if known is None or is_space_folder(reference):
        return reference, read_folder(Path(reference))
    try:
        title, row = known.state(reference)
    except SpaceNameError:
        if "/" not in reference and not reference.removesuffix(_BEFORE).endswith(".json"):
            raise
        what = f"There is no space {readable(reference)}, nor a folder of an export or a plan of that name."
        raise click.ClickException(what) from None
    return (reference if "@" in reference and title in reference else title), row


_BEFORE = ":before"
_MOST_BYTES = 128 * 2**20


def is_plan(reference: str) -> bool:
    """Whether this names the file of a plan, not a space."""
    return reference.removesuffix(_BEFORE).endswith(".json") and Path(reference.removesuffix(_BEFORE)).is_file()


def is_on_disk(reference: str) -> bool:
    """Whether this names a file or folder with a space, so that no lakehouse is needed to know it."""
    from genie_assets.commands.space_files import is_space_folder

    return is_plan(reference) or is_space_folder(reference)


def _of_plan(reference: str) -> "Row":
    from genie_assets.domain.space_plans import plan_of

    plan = plan_of(text_of(Path(reference.removesuffix(_BEFORE)), most_bytes=_MOST_BYTES, what="plan"))
    is_before = reference.endswith(_BEFORE)
    said = plan.before if is_before else plan.after
    levels = (plan.access.before if is_before else plan.access.after) if plan.access else None
    place = {"workspace_id": plan.workspace_id, "space_id": plan.space_id, "permissions": levels}
    return {"serialized_space": None, **said, **place}


def access_changes(known: "SpaceLibrary | None", earlier: "Row", later: "Row") -> "tuple[AccessChange, ...] | str":
    """What differs in whom two states grant what, if one of them tells it; else why that is not known."""
    from genie_assets.domain.space_access import changes_of

    levels = [_levels(known, row) for row in (earlier, later)]
    told = [row.get("permissions") is not None for row in (earlier, later)]
    if not any(told):
        return ()
    before, after = levels
    if before is None or after is None:
        return "only one of the two tells who may use the space"
    return changes_of(before, after)


def _levels(known: "SpaceLibrary | None", row: "Row") -> "Levels | None":
    """Whom a state grants what; of a stored space, what the last look found; of a version nothing is told."""
    from genie_assets.domain.keys import SpaceKey

    if row.get("permissions") is not None or known is None or "valid_from" in row or "permissions" in row:
        return row.get("permissions")
    wanted = known.access(SpaceKey.of(row))
    return None if isinstance(wanted, str) else wanted.levels
