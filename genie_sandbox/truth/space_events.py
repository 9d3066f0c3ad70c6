"""What `genie_space_events` must say, worked out from an account's own audit rows."""

import json
import re
from collections.abc import Mapping
from typing import Any

from genie_sandbox.account import Account
from genie_sandbox.truth.audit import genie_rows, moment

# By what an action begins with and what it is about; the public API's actions begin with `genie`.
_VERBS = {
    "create": "CREATED",
    "clone": "CREATED",
    "copy": "CREATED",
    "import": "CREATED",
    "trash": "TRASHED",
    "delete": "DELETED",
    "restore": "RESTORED",
    "untrash": "RESTORED",
    **dict.fromkeys(("update", "rename", "move", "publish"), "UPDATED"),
}
_PARTS = ("instruction", "curatedquestion", "samplequestion", "columnconfig", "file")
_ACTION = re.compile(rf"(?:genie)?({'|'.join(_VERBS)})[a-z]*?(space|{'|'.join(_PARTS)})", re.IGNORECASE)
_MAKES_ONE = re.compile(r"(?:genie)?(?:create|clone|copy)space", re.IGNORECASE)


def space_event_rows(account: Account, at: int) -> list[dict[str, Any]]:
    """Expected rows: what has arrived by `at` (ms), was done, and is about a space and nothing in its talk."""
    return [row for event in genie_rows(account, at) if (row := _row(event)) is not None]


def _row(event: Mapping[str, Any]) -> dict[str, Any] | None:
    action = _ACTION.match(event["action_name"] or "")
    if action is None or (event["response"]["status_code"] or 200) >= 400:
        return None
    params, result = event["request_params"], _result(event["response"]["result"])
    of_its_talk = ("message_id", "messageId", "conversation_id", "conversationId")
    if any(source.get(name) for source in (params, result) for name in of_its_talk):
        return None
    sources = (result, params, result) if _MAKES_ONE.match(event["action_name"]) else (params, result)
    ids = (source.get(name) for source in sources for name in ("space_id", "spaceId"))
    space_id = next((each for each in ids if each), None)
    if space_id is None:
        return None
    kind = _VERBS[action[1].lower()] if action[2].lower() == "space" else "UPDATED"
    return {
        "workspace_id": event["workspace_id"],
        "space_id": space_id,
        "event_id": event["event_id"],
        "event_time": moment(event["event_time"]),
        "action_name": event["action_name"],
        "event": kind,
        "actor": event["user_identity"]["email"] or event["user_identity"]["subject_name"],
    }


def _result(text: str | None) -> Mapping[str, Any]:
    try:
        result = json.loads(text or "{}")
    except ValueError:
        return {}
    return result if isinstance(result, dict) else {}
