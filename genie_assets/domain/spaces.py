"""Spaces: one canonical form of a configuration, the latest good state, and the history of distinct ones."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.messages import as_text, parse_time
from genie_assets.domain.outcomes import ErrorClass, FetchError

Row = dict[str, Any]

# A good look is noted at most this often, so that looks that find nothing new rewrite nothing.
_LAST_SEEN_RESOLUTION = dt.timedelta(hours=12)
_CONFIGURATION = ("title", "description", "warehouse_id", "parent_path", "config_hash")
_STATE = (
    "title",
    "description",
    "warehouse_id",
    "parent_path",
    "etag",
    "serialized_space",
    "config_hash",
    "create_time",
    "update_time",
)


@dataclass(frozen=True)
class SpaceLook:
    """One look at a space: its body, or why it could not be read.

    Both are set where the space could be read but not exported: `body` then lacks `serialized_space`.
    """

    workspace_id: str
    space_id: str
    body: Mapping[str, Any] | None
    error: FetchError | None = None


def canonical_json(serialized_space: str) -> str:
    """The configuration with sorted keys and no white space; text that is no JSON stays as it is."""
    try:
        parsed = json.loads(serialized_space)
    except (ValueError, RecursionError):
        return serialized_space
    return json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def config_hash(canonical: str) -> str:
    """SHA-256 of a canonical configuration, as 64 hex digits."""
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def after_look(previous: Mapping[str, Any] | None, look: SpaceLook, now: dt.datetime) -> Row:
    """The row of `genie_space_details` after a look.

    A failed look changes only what it says about itself: the last good configuration stays. A space that was read
    before and is not found any more is in the trash.
    """
    row: Row = dict(previous) if previous else {"is_trashed": None, "first_seen_timestamp": now}
    row.update(workspace_id=look.workspace_id, space_id=look.space_id)
    row.update(api_fetch_status="SUCCESS", api_fetch_error=None)
    if look.error:
        row.update(api_fetch_status=str(look.error.error_class), api_fetch_error=look.error.message)
    if look.body is not None:
        row.update(_state(look.body, previous or {}), is_trashed=False)
        row["last_seen_timestamp"] = _seen(row.get("last_seen_timestamp"), now)
    elif look.error and look.error.error_class is ErrorClass.NOT_FOUND and row.get("last_seen_timestamp"):
        row["is_trashed"] = True
    return row


def new_versions(previous: Mapping[str, Any] | None, row: Mapping[str, Any], now: dt.datetime) -> list[Row]:
    """Rows of `genie_space_versions` to write after a look: the closed version and the one that replaces it.

    Args:
        previous: The version in force so far (valid_to is NULL), if there is one.
        row: The space's row of `genie_space_details` after the look.
        now: The time of the look, UTC.
    """
    if row.get("config_hash") is None:
        return []
    if previous and all(previous[name] == row.get(name) for name in _CONFIGURATION):
        return []
    version: Row = {"workspace_id": row["workspace_id"], "space_id": row["space_id"], "valid_from": now}
    version.update({name: row.get(name) for name in _STATE}, valid_to=None)
    return [{**previous, "valid_to": now}, version] if previous else [version]


def _state(body: Mapping[str, Any], previous: Mapping[str, Any]) -> Row:
    """The columns that a good answer fills; an answer without export keeps the last exported configuration."""
    exported = as_text(body.get("serialized_space"))
    canonical = canonical_json(exported) if exported else previous.get("serialized_space")
    return {
        "title": as_text(body.get("title")),
        "description": as_text(body.get("description")),
        "warehouse_id": as_text(body.get("warehouse_id")),
        "parent_path": as_text(body.get("parent_path")),
        "etag": as_text(body.get("etag")),
        "serialized_space": canonical,
        "config_hash": config_hash(canonical) if canonical else None,
        "create_time": parse_time(body.get("create_time")),
        "update_time": parse_time(body.get("update_time")),
    }


def _seen(last_seen: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    return now if last_seen is None or now - last_seen >= _LAST_SEEN_RESOLUTION else last_seen
