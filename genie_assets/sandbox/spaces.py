"""The Genie spaces of the sandbox: those of the account plus what was created, changed or trashed since."""

import datetime as dt
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from genie_assets.sandbox.account import Space
from genie_assets.sandbox.files import replace_text
from genie_assets.sandbox.responses import ApiError

_WRITABLE = ("title", "description", "warehouse_id", "parent_path", "serialized_space")


class Spaces:
    """Every space by workspace; changes are kept in `folder`, if there is one, and found again after a restart."""

    def __init__(self, spaces: Iterable[Space], folder: Path | None = None) -> None:
        self._spaces = {(space.workspace_id, space.space_id): space for space in spaces}
        self._changed: dict[tuple[str, str], Space] = {}
        self._file = folder / "spaces.json" if folder else None
        if self._file and self._file.exists():
            for item in json.loads(self._file.read_text(encoding="utf-8")):
                self._remember(Space(**item))

    def readable(self, workspace_id: str, space_id: str, at_ms: int) -> Space:
        """The space, if our principal may see it.

        Raises:
            ApiError: 404 when it is unknown or trashed, 403 when our principal has no access.
        """
        space = self._spaces.get((workspace_id, space_id))
        if space is None or _is_trashed(space, at_ms):
            raise ApiError(404, f"Genie space {space_id} does not exist.")
        if space.access == "none":
            raise ApiError(403, f"You do not have permission to view Genie space {space_id}.")
        return space

    def managed(self, workspace_id: str, space_id: str, at_ms: int) -> Space:
        """The space, if our principal may manage it.

        Raises:
            ApiError: as `readable`, and 403 when our principal may only run it.
        """
        space = self.readable(workspace_id, space_id, at_ms)
        if space.access != "manage":
            raise ApiError(403, f"You do not have permission to manage Genie space {space_id}.")
        return space

    def listed(self, workspace_id: str, at_ms: int) -> list[Space | None]:
        """The workspace's spaces in a fixed order, None in place of those that are not to be seen."""
        return [
            None if space.access == "none" or _is_trashed(space, at_ms) else space
            for (owner, _), space in self._spaces.items()
            if owner == workspace_id
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

    def update(self, workspace_id: str, space_id: str, wanted: dict[str, Any], at_ms: int) -> Space:
        """Replace the fields that are given; the rest stays.

        Raises:
            ApiError: as `managed`; 400 for unusable values; 409 when `etag` is not the space's current one.
        """
        space = self.managed(workspace_id, space_id, at_ms)
        if wanted.get("etag") is not None and wanted["etag"] != space.body.get("etag"):
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
        self._save(replace(self.managed(workspace_id, space_id, at_ms), trashed_at=at_ms))

    def _save(self, space: Space) -> Space:
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


def _is_trashed(space: Space, at_ms: int) -> bool:
    return space.trashed_at is not None and space.trashed_at <= at_ms


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


def _new_etag() -> str:
    return secrets.token_urlsafe(12)


def _rfc3339(at_ms: int) -> str:
    moment = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
