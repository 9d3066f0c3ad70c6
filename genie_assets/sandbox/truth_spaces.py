"""What `genie_space_details` must say, worked out from an account's own data."""

import datetime as dt
import hashlib
import json
from collections.abc import Collection
from typing import Any

from genie_assets.sandbox.account import Account, Space
from genie_assets.sandbox.truth_audit import Key

_TEXTS = ("title", "description", "warehouse_id", "parent_path", "etag")
_TIMES = ("create_time", "update_time")


def space_rows(account: Account, at: int, references: Collection[Key]) -> list[dict[str, Any]]:
    """Expected rows: the spaces that a LIST shows at `at`, and those that messages in the audit log refer to."""
    listed = {place.workspace_id for place in account.workspaces if place.listed}
    audited = {arriving.row["workspace_id"] for arriving in account.audit if arriving.arrives_at <= at}
    spaces = {(space.workspace_id, space.space_id): space for space in account.spaces}
    shown = {
        key
        for key, space in spaces.items()
        if key[0] in listed & audited and space.access != "none" and not _is_trashed(space, at)
    }
    rows = []
    for key in sorted(shown.union(references)):
        space = spaces.get(key)
        if key[0] not in listed:
            rows.append(_row(key, "CONFIG"))
        elif space is None or _is_trashed(space, at):
            rows.append(_row(key, "NOT_FOUND"))
        elif space.access == "none":
            rows.append(_row(key, "PERMISSION"))
        elif space.access == "run":
            rows.append({**_row(key, "PERMISSION"), **_facts(space.body)})
        else:
            rows.append({**_row(key, "SUCCESS"), **_facts(space.body), **_configuration(space.body)})
    return rows


def _is_trashed(space: Space, at: int) -> bool:
    return space.trashed_at is not None and space.trashed_at <= at


def _row(key: Key, status: str) -> dict[str, Any]:
    unknown = dict.fromkeys((*_TEXTS, *_TIMES, "serialized_space", "config_hash"))
    return {"workspace_id": key[0], "space_id": key[1], **unknown, "api_fetch_status": status}


def _facts(body: dict[str, Any]) -> dict[str, Any]:
    times = {name: dt.datetime.fromisoformat(body[name]) if body.get(name) else None for name in _TIMES}
    return {**{name: body.get(name) for name in _TEXTS}, **times}


def _configuration(body: dict[str, Any]) -> dict[str, Any]:
    if not body.get("serialized_space"):
        return {}
    configuration = json.loads(body["serialized_space"])
    canonical = json.dumps(configuration, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"serialized_space": canonical, "config_hash": hashlib.sha256(canonical.encode()).hexdigest()}
