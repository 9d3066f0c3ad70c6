"""Rows of `system.access.audit`, and when they arrive there."""

import datetime as dt
import json
import math
import random
from functools import lru_cache
from typing import Any

from genie_sandbox.account import ArrivingRow
from genie_sandbox.made_up.drafts import Draft
from genie_sandbox.made_up.world import Person, World
from genie_sandbox.randomness import DAY, HOUR, MINUTE, dashed_id

_CAMEL = {
    "space_id": "spaceId",
    "conversation_id": "conversationId",
    "message_id": "messageId",
    "attachment_id": "attachmentId",
}


@lru_cache(maxsize=4096)
def _iso_day(day: int) -> str:
    return dt.datetime.fromtimestamp(day * DAY / 1000, dt.UTC).date().isoformat()


def iso_date(moment: int) -> str:
    """UTC date of a moment in ms, ISO."""
    return _iso_day(moment // DAY)


def camel_case(params: dict[str, str]) -> dict[str, str]:
    """The same parameters as a part of the rows spells them."""
    return {_CAMEL.get(name, name): value for name, value in params.items()}


def arrival(rng: random.Random, moment: int, anchor: int, *, late: bool) -> int:
    """When the row of something that happened at `moment` becomes visible (ms).

    Mostly 15 to 60 minutes later, sometimes hours; always at the anchor at the latest, unless it is `late`: then
    only after the anchor, within 20 hours.
    """
    if late:
        return anchor + int(rng.uniform(1 * MINUTE, 20 * HOUR))
    minutes = min(12 + rng.lognormvariate(math.log(18), 0.55), 75)
    if rng.random() < 0.05:
        minutes = rng.uniform(75, 9 * 60)
    return min(moment + int(minutes * MINUTE), anchor)


class AuditLog:
    """Collects the rows of the audit log; a share `repeats` of them is delivered twice."""

    def __init__(self, rng: random.Random, world: World, anchor: int, *, repeats: float = 0.006) -> None:
        self._repeats = repeats
        self._rng = rng
        self._account_id = world.account_id
        self._anchor = anchor
        self.rows: list[ArrivingRow] = []

    def add(
        self,
        at: int,
        workspace_id: str,
        actor: Person,
        action: str,
        params: dict[str, str],
        *,
        result: str | None = None,
        status: int = 200,
        error: str | None = None,
        service: str = "aibiGenie",
        late: bool = False,
        request_id: str | None = None,
    ) -> None:
        """Add the row of an event at `at` (ms)."""
        rng = self._rng
        identity = actor.identities[0] if len(actor.identities) == 1 else rng.choice(actor.identities)
        row: dict[str, Any] = {
            "account_id": self._account_id,
            "workspace_id": workspace_id,
            "version": "2.0",
            "event_time": at,
            "event_date": iso_date(at),
            "source_ip_address": actor.address,
            "user_agent": actor.user_agent,
            "session_id": actor.session_id,
            "user_identity": identity,
            "service_name": service,
            "action_name": action,
            "request_id": request_id or dashed_id(rng),
            "request_params": params,
            "response": {"status_code": status, "error_message": error, "result": result},
            "audit_level": "ACCOUNT_LEVEL" if workspace_id == "0" else "WORKSPACE_LEVEL",
            "event_id": dashed_id(rng),
            "identity_metadata": {"run_by": actor.name, "run_as": actor.name},
        }
        self.rows.append(ArrivingRow(arrival(rng, at, self._anchor, late=late), row))
        if rng.random() < self._repeats:
            again = arrival(rng, at, self._anchor, late=late)
            self.rows.append(ArrivingRow(max(again, self.rows[-1].arrives_at), row))

    def touch(
        self, at: int, draft: Draft, actor: Person, action: str, *, late: bool | None = None, **more: Any
    ) -> None:
        """Add an event about a message, its ids spelled in one of the usual ways.

        `more` goes to `add`; its `params` are added to the ids. A message that is late as a whole has only late
        events.
        """
        rng, params, result = self._rng, {**draft.ids, **more.pop("params", {})}, more.pop("result", None)
        spelling = rng.random()
        if spelling < 0.08:
            params = camel_case(params)
        elif spelling < 0.11 and result is None:
            result = json.dumps({"message_id": params.pop("message_id"), "status": "ok"})
        late = draft.late == "all" or bool(late)
        draft.last_event = max(draft.last_event, at)
        self.add(at, draft.plan.room.workspace_id, actor, action, params, result=result, late=late, **more)

    def ask(self, at: int, draft: Draft) -> None:
        """Add the event that asks the message; its ids are in the result, mostly there only."""
        rng, person, ids = self._rng, draft.plan.person, draft.ids
        result = json.dumps({"user_id": person.user_id, **ids})
        params = {"space_id": ids["space_id"]}
        if person.by_api:
            first = draft.position == 1
            action = "genieStartConversationMessage" if first else "genieCreateConversationMessage"
            if not first:
                params["conversation_id"] = ids["conversation_id"]
        else:
            action = "createConversationMessage"
            params["conversation_id"] = ids["conversation_id"]
            if rng.random() < 0.2:
                params["message_id"], result = ids["message_id"], json.dumps({"user_id": person.user_id})
        if rng.random() < 0.08:
            params, result = camel_case(params), json.dumps(camel_case(json.loads(result)))
        self._ask_row(at, draft, action, params, result)

    def _ask_row(self, at: int, draft: Draft, action: str, params: dict[str, str], result: str) -> None:
        """The row of an ask; now and then request and answer are two rows of one request."""
        rng, person, workspace_id = self._rng, draft.plan.person, draft.plan.room.workspace_id
        request_id, late = dashed_id(rng), draft.late != ""
        draft.last_event = max(draft.last_event, at)
        if rng.random() < 0.01:
            alone = {name: value for name, value in params.items() if "essage" not in name}
            self.add(at - 1, workspace_id, person, action, alone, late=late, request_id=request_id)
        self.add(at, workspace_id, person, action, params, result=result, late=late, request_id=request_id)
