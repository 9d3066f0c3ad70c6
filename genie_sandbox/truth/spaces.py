"""What `genie_space_details` must say, worked out from an account's own data."""

import datetime as dt
import hashlib
import json
from collections.abc import Collection
from typing import Any

from genie_sandbox.account import Account, Space
from genie_sandbox.truth.audit import Key

_TEXTS = ("title", "description", "warehouse_id", "parent_path", "etag")
_TIMES = ("create_time", "update_time")
_NAMES = {"id", "identifier", "column_name", "column"}


def space_rows(account: Account, at: int, references: Collection[Key]) -> list[dict[str, Any]]:
    """Expected rows: the spaces that a LIST shows at `at`, and those that messages in the audit log refer to."""
    listed = {place.workspace_id for place in account.workspaces if place.listed}
    running = {place.workspace_id for place in account.workspaces if place.listed and place.is_running}
    spaces = {(space.workspace_id, space.space_id): space for space in account.spaces}
    shown = {
        key
        for key, space in spaces.items()
        if key[0] in running and space.state(at).access != "none" and not space.state(at).trashed
    }
    by_people = {key for key in shown if not spaces[key].is_companion}
    rows = []
    for key in sorted(shown.union(references)):
        space = spaces.get(key)
        if key[0] not in listed:
            rows.append(_row(key, "CONFIG"))
        elif key[0] not in running:
            rows.append(_row(key, "NOT_RUNNING"))
        elif space is None or space.state(at).trashed:
            rows.append(_row(key, "NOT_FOUND"))
        elif space.state(at).access == "none":
            rows.append(_row(key, "PERMISSION"))
        elif space.state(at).access == "run":
            # Its tags are told, though its configuration is not.
            besides = _besides(space, by_people)
            rows.append({**_row(key, "PERMISSION"), **_facts(space.body), **besides})
        else:
            besides = _besides(space, by_people)
            rows.append({**_row(key, "SUCCESS"), **_facts(space.body), **_configuration(space.body), **besides})
    return rows


def _besides(space: Space, by_people: Collection[Key]) -> dict[str, Any]:
    """What two lists tell of who made it: where the newer one shows nothing, it says nothing. And its tags."""
    made_by: str | None = "PEOPLE"
    if space.is_companion:
        made_by = "UNLISTED" if any(place == space.workspace_id for place, _ in by_people) else None
    tags = json.dumps(space.tags, sort_keys=True, ensure_ascii=False)
    return {"made_by": made_by, "tags": tags}


def _row(key: Key, status: str) -> dict[str, Any]:
    unknown = dict.fromkeys((*_TEXTS, *_TIMES, "serialized_space", "config_hash"))
    return {"workspace_id": key[0], "space_id": key[1], **unknown, "api_fetch_status": status}


def _facts(body: dict[str, Any]) -> dict[str, Any]:
    times = {name: dt.datetime.fromisoformat(body[name]) if body.get(name) else None for name in _TIMES}
    return {**{name: body.get(name) for name in _TEXTS}, **times}


def _configuration(body: dict[str, Any]) -> dict[str, Any]:
    if not body.get("serialized_space"):
        return {}
    text = body["serialized_space"]
    said = json.dumps(_without_order(json.loads(text)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"serialized_space": text, "config_hash": hashlib.sha256(said.encode()).hexdigest()}


def _without_order(part: Any) -> Any:
    """A part of a configuration as it counts: nothing empty, and named objects in whatever order."""
    if isinstance(part, dict):
        counted = {name: _without_order(value) for name, value in part.items()}
        return {name: value for name, value in counted.items() if value is not None and value not in ("", [], {})}
    if isinstance(part, list):
        counted_items = [_without_order(item) for item in part]
        is_named = all(isinstance(item, dict) and _NAMES & set(item) for item in part)
        return (
            sorted(counted_items, key=lambda each: json.dumps(each, sort_keys=True)) if is_named else counted_items
        )
    return part
