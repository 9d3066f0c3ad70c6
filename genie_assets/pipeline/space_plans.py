"""Making plans for spaces: what is wanted is read from our tables or a folder, what is there from Databricks.

Nothing is written here, neither there nor in our tables. What a plan is stands in `domain.space_plans`, and what
is wanted of a space elsewhere in `domain.space_transfers`.
"""

from collections.abc import Mapping
from typing import Any

from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.space_plans import Plan, PlanError, creation_plan, update_plan
from genie_assets.domain.space_transfers import (
    Destination,
    for_writing,
    meant_space,
    wanted_of_a_new_one,
    wanted_of_an_old_one,
)
from genie_assets.domain.spaces import NOT_EXPORTED
from genie_assets.pipeline.ports import LiveSpaces


def restore_plan(version: Row, live: LiveSpaces) -> Plan:
    """The plan to make a space again what a version of it, or its last good state, says.

    Raises:
        PlanError: the space cannot be read now, or there is nothing to restore.
    """
    key = SpaceKey.of(version)
    text, notes = for_writing(version, {})
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
    text, notes = for_writing(source, to.renames)
    words = f"space {source['space_id']}@{source['workspace_id']}"
    listed = live.listed(to.workspace_id)
    if isinstance(listed, FetchError):
        raise PlanError(f"The spaces of workspace {to.workspace_id} cannot be listed: {listed.message}")
    found = meant_space(source, to, listed)
    if found is None:
        return creation_plan(action, words, to.workspace_id, wanted_of_a_new_one(source, to, text), notes)
    key = SpaceKey(to.workspace_id, found)
    wanted = wanted_of_an_old_one(source, to, text)
    return update_plan(action, words, _exported(key, live.read(key)), wanted, notes)


def _exported(key: SpaceKey, now: Mapping[str, Any] | FetchError) -> Row:
    """The space as it is, if all of it may be seen."""
    if not isinstance(now, FetchError) and isinstance(now.get("serialized_space"), str):
        return {**now, **key._asdict()}
    problem = now if isinstance(now, FetchError) else NOT_EXPORTED
    raise PlanError(f"Space {key.space_id}@{key.workspace_id} cannot be read as it is now: {problem.message}")
