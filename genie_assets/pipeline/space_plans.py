"""Making plans for spaces: what is wanted is read from our tables or a folder, what is there from Databricks.

Nothing is written here, neither there nor in our tables. What a plan is stands in `domain.space_plans`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.space_mapping import mapped, references
from genie_assets.domain.space_plans import Plan, PlanError, creation_plan, update_plan
from genie_assets.domain.spaces import NOT_EXPORTED
from genie_assets.pipeline.ports import LiveSpaces

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


def restore_plan(version: Row, live: LiveSpaces) -> Plan:
    """The plan to make a space again what a version of it, or its last good state, says.

    Raises:
        PlanError: the space cannot be read now, or there is nothing to restore.
    """
    key = SpaceKey.of(version)
    text, notes = _for_writing(version, {})
    since = version.get("valid_from")
    source = (
        f"space {key.space_id}@{key.workspace_id}, {f'version of {since:%Y-%m-%dT%H:%M:%SZ}' if since else 'last'}"
    )
    now = live.read(key)
    if isinstance(now, FetchError) and now.error_class is ErrorClass.NOT_FOUND:
        gone = f"Space {key.space_id} is in the trash or deleted. If it is in the trash, restore it there instead."
        wanted = {**version, "serialized_space": text}
        return creation_plan("restore", source, key.workspace_id, wanted, [gone, *notes])
    wanted = {name: version.get(name) for name in ("title", "description", "warehouse_id")}
    return update_plan("restore", source, _exported(key, now), {**wanted, "serialized_space": text}, notes)


def transfer_plan(action: str, source: Row, to: Destination, live: LiveSpaces) -> Plan:
    """The plan to bring a space to a workspace, with other names where it is wanted.

    Args:
        action: promote or import.
        source: The columns of a space, with its configuration.
        to: Where to.
        live: The spaces as they are now.

    Raises:
        PlanError: the workspace cannot be read, or several spaces there may be meant.
    """
    text, notes = _for_writing(source, to.renames)
    words = f"space {source['space_id']}@{source['workspace_id']}"
    found = _found(source, to, live)
    if found is None:
        wanted = {**source, "serialized_space": text}
        wanted |= {"warehouse_id": to.warehouse_id} if to.workspace_id != source["workspace_id"] else {}
        wanted |= {"parent_path": to.folder} if to.folder else {}
        wanted |= {"warehouse_id": to.warehouse_id} if to.warehouse_id else {}
        return creation_plan(action, words, to.workspace_id, wanted, notes)
    key = SpaceKey(to.workspace_id, found)
    wanted = {"description": source.get("description"), "serialized_space": text}
    wanted |= {"title": source.get("title")} if to.into is None else {}
    wanted |= {"warehouse_id": to.warehouse_id} if to.warehouse_id else {}
    return update_plan(action, words, _exported(key, live.read(key)), wanted, notes)


def _found(source: Row, to: Destination, live: LiveSpaces) -> str | None:
    """The id of the space that is to be changed; None if a new one is to be made."""
    listed = live.listed(to.workspace_id)
    if isinstance(listed, FetchError):
        raise PlanError(f"The spaces of workspace {to.workspace_id} cannot be listed: {listed.message}")
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


def _exported(key: SpaceKey, now: Mapping[str, Any] | FetchError) -> Row:
    """The space as it is, if all of it may be seen."""
    if not isinstance(now, FetchError) and isinstance(now.get("serialized_space"), str):
        return {**now, **key._asdict()}
    problem = now if isinstance(now, FetchError) else NOT_EXPORTED
    raise PlanError(f"Space {key.space_id}@{key.workspace_id} cannot be read as it is now: {problem.message}")


def _for_writing(source: Row, renames: Mapping[str, str]) -> tuple[str, list[str]]:
    """The configuration as it is to be sent, and what a reviewer has to know of it."""
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
        notes.append(f"Neither this program nor Databricks checks that these are there: {shown}.")
    return made.text, notes
