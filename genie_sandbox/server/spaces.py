"""The Genie spaces of the sandbox: those of the account plus what was created, changed or trashed since."""

import datetime as dt
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from genie_sandbox.account import Principal, Space, SpaceState, space_of
from genie_sandbox.files import replace_text
from genie_sandbox.responses import ApiError
from genie_sandbox.server.access import access_list, granted

_LEVELS = ("CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
# What a level lets its holder do, as an account says it.
_ACCESS = {"CAN_VIEW": "run", "CAN_RUN": "run", "CAN_EDIT": "edit", "CAN_MANAGE": "manage"}
_LEVEL = {"run": "CAN_RUN", "edit": "CAN_EDIT", "manage": "CAN_MANAGE"}
_FROM_LESS_TO_MORE = ("none", "run", "edit", "manage")
_WRITABLE = ("title", "description", "warehouse_id", "parent_path", "serialized_space")


class Spaces:
    """Every space by workspace; changes are kept in `folder`, if there is one, and found again after a restart.

    What our `principal` may do is what the account says, until a level on the space is granted to it by name; and
    what is granted to its groups, if that is more.
    """

    def __init__(
        self, spaces: Iterable[Space], folder: Path | None = None, principal: Principal | None = None
    ) -> None:
        self._principal = principal.application_id if principal else ""
        self._groups = {"users", *(principal.groups if principal else ())}
        self._spaces = {(space.workspace_id, space.space_id): space for space in spaces}
        self._changed: dict[tuple[str, str], Space] = {}
        self._before: dict[tuple[str, str], Space | None] = {}  # what a reader that lags behind sees
        self._file = folder / "spaces.json" if folder else None
        if self._file and self._file.exists():
            for item in json.loads(self._file.read_text(encoding="utf-8")):
                self._remember(space_of(item))

    def readable(self, workspace_id: str, space_id: str, at_ms: int, *, stale: bool = False) -> Space:
        """The space, if our principal may see it; when `stale`, as it was before its last change.

        Raises:
            ApiError: 404 when it is unknown or trashed, 403 when our principal has no access.
        """
        space = self._there(workspace_id, space_id, at_ms, stale=stale)
        if self._access(space, at_ms) == "none":
            raise ApiError(403, f"You do not have permission to view Genie space {space_id}.")
        return space

    def editable(self, workspace_id: str, space_id: str, at_ms: int, *, stale: bool = False) -> Space:
        """The space, if our principal may export and change it; when `stale`, as before its last change.

        Raises:
            ApiError: as `readable`, and 403 when our principal may only run it.
        """
        space = self.readable(workspace_id, space_id, at_ms, stale=stale)
        if self._access(space, at_ms) not in ("manage", "edit"):
            raise ApiError(403, f"You do not have permission to edit Genie space {space_id}.")
        return space

    def managed(self, workspace_id: str, space_id: str, at_ms: int, *, stale: bool = False) -> Space:
        """The space, if our principal may manage it; when `stale`, as it was before its last change.

        Raises:
            ApiError: as `readable`, and 403 when our principal may only run or edit it.
        """
        space = self.readable(workspace_id, space_id, at_ms, stale=stale)
        if self._access(space, at_ms) != "manage":
            raise ApiError(403, f"You do not have permission to manage Genie space {space_id}.")
        return space

    def may_export(self, space: Space, at_ms: int) -> bool:
        """Whether our principal may see the configuration of a space that it may see."""
        return self._access(space, at_ms) in ("manage", "edit")

    def _there(self, workspace_id: str, space_id: str, at_ms: int, *, stale: bool = False) -> Space:
        space = self._seen((workspace_id, space_id), stale)
        if space is None or space.state(at_ms).trashed:
            raise ApiError(404, f"Genie space {space_id} does not exist.")
        return space

    def _access(self, space: Space, at_ms: int) -> str:
        ours = [level for _, name, level in space.grants if name.lower() == self._principal.lower()]
        own = _ACCESS[ours[0]] if ours else space.state(at_ms).access
        by_group = [
            _ACCESS[level] for kind, name, level in space.grants if kind == "group_name" and name in self._groups
        ]
        return max(own, *by_group, key=_FROM_LESS_TO_MORE.index) if by_group else own

    def listed(self, workspace_id: str, at_ms: int, *, stale: bool = False) -> list[Space | None]:
        """The workspace's spaces in a fixed order, None in place of those that are not to be seen."""
        seen = [self._seen(key, stale) for key in self._spaces if key[0] == workspace_id]
        return [
            space if space and self._access(space, at_ms) != "none" and not space.state(at_ms).trashed else None
            for space in seen
        ]

    def create(self, workspace_id: str, wanted: dict[str, Any], at_ms: int) -> Space:
        """Make a new space with a new id.

        Raises:
            ApiError: 400 when `warehouse_id` or `serialized_space` is missing or unusable.
        """
        for name in ("warehouse_id", "serialized_space"):
            if not wanted.get(name):
                raise ApiError(400, f"Field '{name}' is required.")
        body = {"space_id": secrets.token_hex(16), "title": "New Space"} | _writable(wanted)
        body |= {"etag": _new_etag(), "create_time": _rfc3339(at_ms), "update_time": _rfc3339(at_ms)}
        return self._save(Space(workspace_id, body["space_id"], body))

    def update(
        self, workspace_id: str, space_id: str, wanted: dict[str, Any], at_ms: int, *, weakly: bool = False
    ) -> Space:
        """Replace the fields that are given; the rest stays.

        Args:
            workspace_id: Its workspace.
            space_id: The space.
            wanted: The request's body.
            at_ms: The time.
            weakly: The etag guards the configuration only: title and description change before it is compared.

        Raises:
            ApiError: as `editable`; 400 for unusable values; 409 when `etag` is not the space's current one.
        """
        space = self.editable(workspace_id, space_id, at_ms)
        if wanted.get("etag") is not None and wanted["etag"] != space.body.get("etag"):
            if weakly:
                told = {name: wanted[name] for name in ("title", "description") if name in wanted}
                self._save(replace(space, body=space.body | told))
            raise ApiError(
                409, f"Genie space {space_id} was changed by someone else: its etag differs.", "ABORTED"
            )
        body = space.body | _writable(wanted) | {"etag": _new_etag(), "update_time": _rfc3339(at_ms)}
        return self._save(replace(space, body=body))

    def trash(self, workspace_id: str, space_id: str, at_ms: int) -> None:
        """Move the space to the trash: from now on it and all below answer 404.

        Raises:
            ApiError: as `managed`.
        """
        space = self.managed(workspace_id, space_id, at_ms)
        until_now = tuple(one for one in space.later if one.at <= at_ms)
        self._save(replace(space, trashed_at=at_ms, later=(*until_now, SpaceState(at_ms, trashed=True))))

    def permissions(self, workspace_id: str, space_id: str, at_ms: int) -> dict[str, Any]:
        """Who may do what with a space.

        Raises:
            ApiError: 404 when it is unknown or trashed.
        """
        space = self._there(workspace_id, space_id, at_ms)
        level = _LEVEL.get(space.state(at_ms).access)
        is_named = any(name.lower() == self._principal.lower() for _, name, _ in space.grants)
        own = [("service_principal_name", self._principal, level)] if level and not is_named else []
        return {
            "object_id": f"/genie/{space_id}",
            "object_type": "genie",
            "access_control_list": access_list((*own, *space.grants), [("group_name", "admins", "CAN_MANAGE")]),
        }

    def grant(self, workspace_id: str, space_id: str, entries: Any, at_ms: int, *, only: bool) -> None:
        """Grant levels on a space to principals, and with `only` take all others away.

        Raises:
            ApiError: 404 when it is unknown or trashed; 400 and 404 for entries that cannot be granted.
        """
        space = self._there(workspace_id, space_id, at_ms)
        self._save(replace(space, grants=granted(space.grants, entries, levels=_LEVELS, only=only)))

    def _seen(self, key: tuple[str, str], stale: bool) -> Space | None:
        return self._before[key] if stale and key in self._before else self._spaces.get(key)

    def _save(self, space: Space) -> Space:
        key = (space.workspace_id, space.space_id)
        self._before[key] = self._spaces.get(key)
        self._remember(space)
        if self._file:
            replace_text(self._file, json.dumps([asdict(changed) for changed in self._changed.values()]))
        return space

    def _remember(self, space: Space) -> None:
        key = (space.workspace_id, space.space_id)
        self._spaces[key] = self._changed[key] = space


def without_export(space: Space) -> dict[str, Any]:
    """The space's JSON without its configuration."""
    return {name: value for name, value in space.body.items() if name != "serialized_space"}


def _writable(wanted: dict[str, Any]) -> dict[str, Any]:
    given = {name: wanted[name] for name in _WRITABLE if wanted.get(name) is not None}
    for name, value in given.items():
        if not isinstance(value, str):
            raise ApiError(400, f"Field '{name}' must be a string.")
    if "serialized_space" in given:
        _check_configuration(given["serialized_space"])
    return given


def _check_configuration(text: str) -> None:
    try:
        configuration = json.loads(text)
    except ValueError as error:
        raise ApiError(400, f"Field 'serialized_space' is not valid JSON: {error}") from error
    if not isinstance(configuration, dict) or not isinstance(configuration.get("version"), int):
        raise ApiError(400, "Field 'serialized_space' must be an object with an integer 'version'.")
    _check_order(configuration, "serialized_space")


def _check_order(value: Any, path: str) -> None:
    """Lists of named objects must be sorted by name, and no name may stand twice."""
    if isinstance(value, dict):
        for name, part in value.items():
            _check_order(part, f"{path}.{name}")
    if isinstance(value, list) and value:
        for part in value:
            _check_order(part, path)
        for name in ("id", "identifier", "column_name"):
            if all(isinstance(part, dict) and isinstance(part.get(name), str) for part in value):
                names = [part[name] for part in value]
                if names != sorted(set(names)):
                    raise ApiError(400, f"{path} must be sorted by {name}, each once.")
                return


def _new_etag() -> str:
    return secrets.token_urlsafe(12)


def _rfc3339(at_ms: int) -> str:
    moment = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
