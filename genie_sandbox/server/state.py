"""The sandbox's clock, and what the Genie API knows about conversations at a moment of that clock."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genie_sandbox.account import AgentConversation, Comment, Message
from genie_sandbox.files import replace_text
from genie_sandbox.responses import to_json

_TITLE_LENGTH = 80


class Clock:
    """The sandbox's time in ms UTC: it stands still until it is moved, and only moves forward.

    Answers tell the time of the machine, or that of the sandbox if it `tells_itself`, wrong by `skew_ms`.
    """

    tells_itself = False
    skew_ms = 0

    def __init__(self, start_ms: int, folder: Path | None = None) -> None:
        """Begin at `start_ms`, or later where `folder` remembers that the clock had been moved further."""
        self._file = folder / "clock.json" if folder else None
        self.now_ms = start_ms
        if self._file and self._file.exists():
            self.now_ms = max(start_ms, int(json.loads(self._file.read_text(encoding="utf-8"))["now_ms"]))

    def told(self) -> int:
        """What answers say the time is (ms UTC)."""
        return (self.now_ms if self.tells_itself else int(time.time() * 1000)) + self.skew_ms

    def move_to(self, at_ms: int) -> None:
        """Set the clock.

        Raises:
            ValueError: when `at_ms` lies in the past.
        """
        if at_ms < self.now_ms:
            raise ValueError(f"the clock stands at {self.now_ms} and cannot go back to {at_ms}")
        self.now_ms = at_ms
        if self._file:
            replace_text(self._file, json.dumps({"now_ms": at_ms}))


@dataclass(slots=True)
class StoredMessage:
    """A message over time. Each state's body is turned into bytes when it is first served, and kept so."""

    message_id: str
    times: list[int]
    bodies: list[dict[str, Any] | bytes]
    deleted_at: int | None
    returns_at: int | None
    readable: bool
    comments: tuple[Comment, ...] = ()

    def visible(self, at_ms: int) -> bool:
        """Whether the message had been asked and was not deleted at `at_ms`."""
        if self.times[0] > at_ms:
            return False
        gone = self.deleted_at is not None and self.deleted_at <= at_ms
        return not gone or (self.returns_at is not None and self.returns_at <= at_ms)

    def body(self, at_ms: int) -> bytes:
        """The JSON of the latest state at `at_ms`; the message must be visible then."""
        index = len(self.times) - 1
        while self.times[index] > at_ms:
            index -= 1
        body = self.bodies[index]
        if not isinstance(body, bytes):
            body = self.bodies[index] = to_json(body)
        return body


@dataclass(slots=True)
class Conversation:
    """The messages of a conversation, oldest first."""

    conversation_id: str
    messages: list[StoredMessage] = field(default_factory=list)
    by_id: dict[str, StoredMessage] = field(default_factory=dict)
    first: dict[str, Any] | None = None
    agent: AgentConversation | None = None

    def visible(self, at_ms: int) -> bool:
        """Whether anything of the conversation can be seen at `at_ms`."""
        return any(message.visible(at_ms) for message in self.messages)

    def summary(self) -> dict[str, Any]:
        """The conversation as the list of conversations shows it."""
        first = self._first_message()
        created = first.get("created_timestamp")
        return {
            "conversation_id": self.conversation_id,
            "title": str(first.get("content") or "New conversation")[:_TITLE_LENGTH],
            "created_timestamp": self.messages[0].times[0] if created is None else created,
            "agent_type": f"GENIE_CONVERSATION_TYPE_{'AGENT' if self.agent else 'CHAT'}",
        }

    def owner(self) -> str:
        """The user id of who asked first."""
        return str(self._first_message().get("user_id"))

    def _first_message(self) -> dict[str, Any]:
        if self.first is None:
            body = self.messages[0].bodies[0]
            message = json.loads(body) if isinstance(body, bytes) else body
            self.first = {name: message.get(name) for name in ("content", "created_timestamp", "user_id")}
        return self.first


class Conversations:
    """All conversations of the account, by workspace and space."""

    def __init__(self, messages: Iterable[Message], agents: Iterable[AgentConversation] = ()) -> None:
        self._by_space: dict[tuple[str, str], dict[str, Conversation]] = {}
        for message in messages:
            self._add(message)
        for space in self._by_space.values():
            for conversation in space.values():
                conversation.messages.sort(key=lambda message: message.times[0])

        for agent in agents:
            found = self.find(agent.workspace_id, agent.space_id, agent.conversation_id)
            if found is not None:
                found.agent = agent

    def find(self, workspace_id: str, space_id: str, conversation_id: str) -> Conversation | None:
        """The conversation, visible or not."""
        return self._by_space.get((workspace_id, space_id), {}).get(conversation_id)

    def of_space(self, workspace_id: str, space_id: str) -> list[Conversation]:
        """Every conversation of a space, visible or not, in a fixed order."""
        return list(self._by_space.get((workspace_id, space_id), {}).values())

    def another_id(self, workspace_id: str, message_id: str) -> str:
        """The id of some other message of the workspace, or a made-up one if there is no other."""
        others = (message.message_id for message in self._of_workspace(workspace_id))
        return next((other for other in others if other != message_id), message_id[::-1] + "0")

    def _of_workspace(self, workspace_id: str) -> Iterator[StoredMessage]:
        for (owner, _), space in self._by_space.items():
            if owner == workspace_id:
                for conversation in space.values():
                    yield from conversation.messages

    def _add(self, message: Message) -> None:
        states = sorted(message.states, key=lambda state: state.at)
        if not states:
            return
        space = self._by_space.setdefault((message.workspace_id, message.space_id), {})
        conversation = space.get(message.conversation_id)
        if conversation is None:
            conversation = space[message.conversation_id] = Conversation(message.conversation_id)
        stored = StoredMessage(
            message.message_id,
            [state.at for state in states],
            [state.body for state in states],
            message.deleted_at,
            message.returns_at,
            message.access != "none",
            message.comments,
        )
        conversation.messages.append(stored)
        conversation.by_id[message.message_id] = stored
