"""Conversations with agents: the steps behind the answers, and what the audit log shows of them."""

import json
import random
from collections.abc import Iterator
from typing import Any

from genie_sandbox.account import AgentConversation, AgentItem
from genie_sandbox.made_up.audit_rows import AuditLog
from genie_sandbox.made_up.drafts import Draft
from genie_sandbox.randomness import SECOND, genie_id

_SHARE = 0.02  # of the conversations
# As the UI calls it, and as the API would.
_ASKED = ("createAgentResponse", "genieCreateAgentResponse")
_TABLE = "| region | orders |\n| --- | --- |\n| EMEA \\| UK | 1,204 |\n| APAC | 98 |"


class Agents:
    """Put ordinary conversations into agent mode; `audit` gets the rows that name the agent and no message."""

    def __init__(self, rng: random.Random, audit: AuditLog, anchor: int) -> None:
        self._rng, self._audit, self._anchor = rng, audit, anchor

    def some_of(self, conversations: list[list[Draft]]) -> tuple[AgentConversation, ...]:
        """Conversations with agents, at least one."""
        plain = [one for one in conversations if one[0].plan.role == "plain" and not any(d.late for d in one)]
        # Of a conversation whose messages are all deleted nothing is there any more, its steps included.
        there = [one for one in plain if any(draft.deleted_at is None for draft in one)]
        chosen = self._rng.sample(there, min(len(there), max(1, round(_SHARE * len(conversations)))))
        return tuple(map(self._with_steps, chosen))

    def _with_steps(self, drafts: list[Draft]) -> AgentConversation:
        first, items = drafts[0], list[AgentItem]()
        for draft in drafts:
            response_id = genie_id(self._rng)
            names = {"agent_id": draft.ids["space_id"], "conversation_id": draft.conversation_id}
            params = {**names, "response_id": response_id}
            workspace_id, person = draft.plan.room.workspace_id, draft.plan.person
            at = min(draft.created + self._rng.randrange(200, 900), self._anchor)
            self._audit.add(at, workspace_id, person, self._rng.choice(_ASKED), params)
            self._audit.add(at + SECOND, workspace_id, person, "listAgentConversationItems", names)
            steps = self._steps(draft, response_id)
            items += [AgentItem(min(at + n, self._anchor), body) for n, body in enumerate(steps)]
        return AgentConversation(
            first.plan.room.workspace_id, first.ids["space_id"], first.conversation_id, tuple(items)
        )

    def _steps(self, draft: Draft, response_id: str) -> Iterator[dict[str, Any]]:
        body, call_id = draft.body, f"call_{genie_id(self._rng)}"
        own = {"response_id": response_id, "created_at": draft.created // 1000}
        question = [{"type": "input_text", "text": str(body.get("content") or "")}]
        yield {"id": genie_id(self._rng), "type": "message", "role": "user", "content": question, **own}
        thought = [{"type": "summary_text", "text": "Look at the orders by region."}]
        yield {"id": genie_id(self._rng), "type": "reasoning", "summary": thought, **own}
        for statement in draft.statements[:1]:
            arguments = json.dumps({"sql": statement.text})
            called = {"call_id": call_id, "name": "execute_sql", "arguments": arguments, "status": "completed"}
            yield {"id": call_id, "type": "function_call", **called, **own}
            output = {"call_id": call_id, "output": _TABLE}
            yield {"id": f"{call_id}_output", "type": "function_call_output", **output, **own}
        answer = [
            {"type": "output_text", "text": "EMEA has the most."},
            {"type": "output_text", "text": "APAC: 98"},
        ]
        yield {"id": genie_id(self._rng), "type": "message", "role": "assistant", "content": answer, **own}
