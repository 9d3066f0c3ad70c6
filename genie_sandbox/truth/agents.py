"""What `agent_items` must say, worked out from an account's own data."""

import json
from collections.abc import Mapping
from typing import Any

from genie_sandbox.account import Account, AgentConversation
from genie_sandbox.truth.audit import agents_named
from genie_sandbox.truth.messages import answers


def item_rows(account: Account, at: int) -> list[dict[str, Any]]:
    """Expected rows of the steps of every conversation with an agent that the log shows and that can be read."""
    named, shown = agents_named(account, at), _readable(account, at)
    reachable = {place.workspace_id for place in account.workspaces if place.listed and place.is_running}
    return [
        row
        for one in account.agents
        if (one.workspace_id, one.conversation_id) in named & shown and one.workspace_id in reachable
        for row in _rows(one, at)
    ]


def _readable(account: Account, at: int) -> set[tuple[str, str]]:
    """Conversations of which some message is shown."""
    found = answers(account, at).values()
    return {
        (message.workspace_id, message.conversation_id) for message, answer in found if isinstance(answer, dict)
    }


def _rows(one: AgentConversation, at: int) -> list[dict[str, Any]]:
    steps = [item.body for item in one.items if item.at <= at]
    return [
        {
            "workspace_id": one.workspace_id,
            "space_id": one.space_id,
            "conversation_id": one.conversation_id,
            "item_id": body["id"],
            "item_ordinal": ordinal,
            "item_type": body["type"],
            "item_role": body.get("role"),
            "item_status": body.get("status"),
            "response_id": body["response_id"],
            "call_id": body.get("call_id"),
            "function_name": body.get("name"),
            "query_sql": json.loads(body["arguments"])["sql"] if "arguments" in body else None,
            "text_content": _text(body),
            "created_timestamp": body["created_at"] * 1000,
            "is_deleted": False,
            "deleted_seen_timestamp": None,
            "raw_json": json.dumps(body),
        }
        for ordinal, body in enumerate(steps, start=1)
    ]


def _text(body: Mapping[str, Any]) -> str | None:
    if "output" in body:
        return str(body["output"])
    parts = body.get("content") or body.get("summary") or []
    return "\n".join(part["text"] for part in parts if part["text"]) or None
