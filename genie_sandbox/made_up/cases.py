"""A case in the making: messages, events, statements and a space of its own that are added to an account."""

import json
from dataclasses import replace
from hashlib import md5
from typing import Any, Self

from genie_sandbox.account import Account, ArrivingRow, Message, MessageState, Space, SpaceState
from genie_sandbox.made_up.audit_rows import iso_date
from genie_sandbox.randomness import MINUTE, SECOND

ASK = "createConversationMessage"
NEVER = 253_402_214_400_000
"""9999-12-31, ms."""
_ANSWER_TIME = 7 * SECOND
_ARRIVAL = 20 * MINUTE


class Case:
    """Collects what a scenario adds. Names are the scenario's own; ids are made from them, the same every time.

    Args:
        account: what is added to.
        name: of the scenario.
        at: when it begins, ms.
        workspace_id: where it happens; default: in the first running workspace with a space that we manage.
        actor: who does things, as the audit log names them.
    """

    def __init__(
        self,
        account: Account,
        name: str,
        at: int,
        *,
        workspace_id: str | None = None,
        actor: str = "case.worker@polaris.example",
    ) -> None:
        self._account = account
        self._name = name
        self._at = at
        self._actor = actor
        home = _managed_space(account)
        self._workspace_id = workspace_id or home.workspace_id
        self.space_id = home.space_id if workspace_id is None else self.id("space")
        self._messages: dict[str, Message] = {}
        self._rows: list[ArrivingRow] = []
        self._statements: list[ArrivingRow] = []
        self._spaces: list[Space] = []

    def id(self, name: str) -> str:
        """The id of something."""
        return md5(f"{self._name}/{name}".encode(), usedforsecurity=False).hexdigest()

    def space(self, later: tuple[SpaceState, ...]) -> Self:
        """Let the case happen in a space of its own."""
        self.space_id = self.id("space")
        body = {
            "space_id": self.space_id,
            "title": f"Space of the case {self._name}",
            "warehouse_id": self._account.warehouse_id,
            "etag": self._name,
            "serialized_space": '{"version":2}',
        }
        self._spaces.append(Space(self._workspace_id, self.space_id, body, later=later))
        return self

    def message(self, name: str, at: int, *, conversation: str = "c", **fields: Any) -> Self:
        """A message that is asked at `at`, and answered at once unless `fields` of its body say otherwise."""
        deleted_at = fields.pop("deleted_at", None)
        body = {
            **self._ids(name, conversation),
            "user_id": 4_200_000_000_000_001,
            "content": f"What about the case {self._name}, {name}?",
            "status": "COMPLETED",
            "created_timestamp": at,
            "last_updated_timestamp": at + _ANSWER_TIME,
            "attachments": [text("t", f"All about {name}.")],
            **fields,
        }
        body = {field: value for field, value in body.items() if value is not None}
        state = MessageState(at, body)
        ids = (self._workspace_id, self.space_id, self.id(conversation), self.id(name))
        self._messages[name] = Message(*ids, (state,), deleted_at=deleted_at)
        return self

    def change(self, name: str, at: int, **fields: Any) -> Self:
        """From `at` on the message has these fields; None takes one away. When it changed is told, too."""
        message = self._messages[name]
        body = {**message.states[-1].body, "last_updated_timestamp": at, **fields}
        body = {field: value for field, value in body.items() if value is not None}
        self._messages[name] = replace(message, states=(*message.states, MessageState(at, body)))
        return self

    def restore(self, name: str, at: int) -> Self:
        """A deleted message is there again."""
        self._messages[name] = replace(self._messages[name], returns_at=at)
        return self

    def ask(self, name: str, at: int, *, late: int = _ARRIVAL) -> Self:
        """The event that asks a message: its id stands in the answer."""
        ids = self._ids_of(name)
        params = {field: ids[field] for field in ("space_id", "conversation_id")}
        return self._row(at, ASK, params, result=json.dumps(ids), late=late)

    def event(
        self,
        name: str | None,
        at: int,
        action: str,
        *,
        params: dict[str, str] | None = None,
        late: int = _ARRIVAL,
    ) -> Self:
        """An event about a message or, without a name, about the space; `late` is how long its row needs."""
        ids = {"space_id": self.space_id} if name is None else self._ids_of(name)
        return self._row(at, action, {**ids, **(params or {})}, late=late)

    def statement(self, statement_id: str, sql: str, at: int) -> Self:
        """A statement that Genie ran."""
        row = {
            "account_id": self._account.account_id,
            "workspace_id": self._workspace_id,
            "statement_id": statement_id,
            "statement_text": sql,
            "execution_status": "FINISHED",
            "compute": {"type": "WAREHOUSE", "warehouse_id": self._account.warehouse_id},
            "total_duration_ms": 900,
            "start_time": at,
            "end_time": at + 900,
            "update_time": at + 1000,
            "query_source": {"genie_space_id": self.space_id},
        }
        self._statements.append(ArrivingRow(at + _ARRIVAL, row))
        return self

    def account(self) -> Account:
        """The account with all of it."""
        audit = sorted((*self._account.audit, *self._rows), key=lambda one: one.arrives_at)
        history = sorted((*self._account.query_history, *self._statements), key=lambda one: one.arrives_at)
        return replace(
            self._account,
            spaces=(*self._account.spaces, *self._spaces),
            messages=(*self._account.messages, *self._messages.values()),
            audit=tuple(audit),
            query_history=tuple(history),
        )

    def _ids(self, name: str, conversation: str) -> dict[str, str]:
        return {
            "space_id": self.space_id,
            "conversation_id": self.id(conversation),
            "message_id": self.id(name),
        }

    def _ids_of(self, name: str) -> dict[str, str]:
        message = self._messages.get(name)
        ids = self._ids(name, "c")
        return ids if message is None else {**ids, "conversation_id": message.conversation_id}

    def _row(
        self, at: int, action: str, params: dict[str, str], *, result: str | None = None, late: int = _ARRIVAL
    ) -> Self:
        number = len(self._rows)
        row = {
            "account_id": self._account.account_id,
            "workspace_id": self._workspace_id,
            "version": "2.0",
            "event_time": at,
            "event_date": iso_date(at),
            "user_identity": {"email": self._actor, "subject_name": None},
            "service_name": "aibiGenie",
            "action_name": action,
            "request_id": self.id(f"request {number}"),
            "request_params": params,
            "response": {"status_code": 200, "error_message": None, "result": result},
            "audit_level": "ACCOUNT_LEVEL" if self._workspace_id == "0" else "WORKSPACE_LEVEL",
            "event_id": self.id(f"event {number}"),
        }
        self._rows.append(ArrivingRow(at + late, row))
        return self


def text(attachment_id: str, content: str, **more: str) -> dict[str, Any]:
    """A text attachment; its purpose only if it is given."""
    return {"attachment_id": attachment_id, "text": {"content": content, **more}}


def query(attachment_id: str, sql: str, statement_id: str | None = None) -> dict[str, Any]:
    """A query attachment, without a statement unless one is given."""
    inner = {"query": sql, "title": f"Title of {attachment_id}"}
    return {
        "attachment_id": attachment_id,
        "query": inner | ({"statement_id": statement_id} if statement_id else {}),
    }


def _managed_space(account: Account) -> Space:
    running = {place.workspace_id for place in account.workspaces if place.is_running and place.listed}
    return next(
        space
        for space in account.spaces
        if space.workspace_id in running and space.access == "manage" and space.trashed_at is None
    )
