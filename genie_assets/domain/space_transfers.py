"""Bringing a space to where it shall be: which space there is meant, what is wanted of it, and what to tell of it.

What a plan is stands in `space_plans`, and how names are mapped in `space_mapping`. Who asks for the spaces that
are there does not belong here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.keys import Row
from genie_assets.domain.space_mapping import mapped, references
from genie_assets.domain.space_plans import PlanError

_MOST_NAMES = 30


@dataclass(frozen=True)
class Destination:
    """Where a space shall be, and what is other there.

    Attributes:
        workspace_id: The workspace.
        into: Id or title of the space that is to be changed; by default the one of the same title, or a new one.
        warehouse_id: Its warehouse; by default the one that the space there has.
        folder: Where a new space is made; by default where the source is.
        renames: New beginnings of names of tables and functions, by old ones.
    """

    workspace_id: str
    into: str | None = None
    warehouse_id: str | None = None
    folder: str | None = None
    renames: Mapping[str, str] = field(default_factory=dict)


def meant_space(source: Row, to: Destination, listed: Iterable[Mapping[str, Any]]) -> str | None:
    """The id of the space that is to be changed; None if a new one is to be made.

    It is the one that is named, else the space itself in its own workspace, else the one of the same title.

    Args:
        source: The columns of a space.
        to: Where to.
        listed: What the workspace there lists.

    Raises:
        PlanError: several may be meant, or the one that is named is not there.
    """
    by_id = {str(body["space_id"]): body for body in listed}
    own = source["space_id"] if source["workspace_id"] == to.workspace_id else None
    for space_id in (to.into, None if to.into else own):
        if space_id in by_id:
            return space_id
    wanted = to.into or source.get("title")
    same = sorted(space_id for space_id, body in by_id.items() if body.get("title") == wanted)
    if len(same) > 1:
        raise PlanError(f"{wanted} may mean {', '.join(same)} in {to.workspace_id}: choose one with --into ID.")
    if to.into and not same:
        raise PlanError(f"Workspace {to.workspace_id} shows no space {to.into}.")
    return same[0] if same else None


def wanted_of_a_new_one(source: Row, to: Destination, text: str) -> Row:
    """What a space shall be that is made there.

    Args:
        source: The columns of a space.
        to: Where to; a warehouse belongs to its workspace, and so does not come along.
        text: The configuration as it is to be sent.
    """
    wanted = {**source, "serialized_space": text}
    wanted |= {"warehouse_id": to.warehouse_id} if to.workspace_id != source["workspace_id"] else {}
    wanted |= {"parent_path": to.folder} if to.folder else {}
    return wanted | ({"warehouse_id": to.warehouse_id} if to.warehouse_id else {})


def wanted_of_an_old_one(source: Row, to: Destination, text: str) -> Row:
    """What a space that is there shall be; it keeps what is left out, and its title if it was named.

    Args:
        source: The columns of a space.
        to: Where to.
        text: The configuration as it is to be sent.
    """
    wanted: Row = {"description": source.get("description"), "serialized_space": text}
    wanted |= {"title": source.get("title")} if to.into is None else {}
    return wanted | ({"warehouse_id": to.warehouse_id} if to.warehouse_id else {})


def for_writing(source: Row, renames: Mapping[str, str]) -> tuple[str, list[str]]:
    """The configuration as it is to be sent, and what a reviewer has to know of it.

    Args:
        source: The columns of a space.
        renames: New beginnings of names of tables and functions, by old ones.

    Raises:
        PlanError: there is none, or it cannot be mapped.
    """
    text = source.get("serialized_space")
    if not text:
        raise PlanError("There is nothing to write: the configuration of that space was never read.")
    try:
        made = mapped(text, renames)
        names = references(made.text)
    except ValueError:
        if renames:
            raise PlanError(
                "The configuration is no JSON that can be kept, so that no name in it can be mapped."
            ) from None
        return text, []
    notes = [f"{old} becomes {new}." for old, new in sorted(made.renamed.items())]
    notes += [
        f"Left over: {name} is still named in a text, but is no table or function of the space."
        for name in made.left_over
    ]
    if unused := sorted(
        old for old in renames if not any(f"{name}.".startswith(f"{old}.") for name in made.renamed)
    ):
        notes.append(f"Nothing is named {', '.join(unused)}.")
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        shown = ", ".join(names[:_MOST_NAMES]) + more
        notes.append(f"It needs these tables and functions, and Databricks takes it without them: {shown}.")
    return made.text, notes
