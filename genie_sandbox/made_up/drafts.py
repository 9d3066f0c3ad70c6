"""A message in the making, before it becomes part of the account."""

from dataclasses import dataclass, field
from typing import Any

from genie_sandbox.account import Comment, Message, MessageState
from genie_sandbox.made_up.questions import Question
from genie_sandbox.made_up.timetable import Plan
from genie_sandbox.made_up.world import Person


@dataclass
class Statement:
    """A SQL statement that Genie ran."""

    statement_id: str
    text: str
    start: int
    total_ms: int
    rows: int
    status: str = "FINISHED"  # as query history spells it
    error: str | None = None

    @property
    def end(self) -> int:
        """When it was done, ms."""
        return self.start + self.total_ms


@dataclass
class Draft:
    """A message, its answer so far and what happens to it."""

    plan: Plan
    conversation_id: str
    message_id: str
    position: int  # 1 = first of its conversation
    created: int
    question: Question
    kind: str = "plain"
    variant: int = 0  # counts the messages of a kind, so that all its variants get their turn
    late: str = ""  # "all": every event arrives after the anchor; "ask": only the ask does
    states: list[MessageState] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    deleted_at: int | None = None
    last_event: int = 0
    commented: list[tuple[int, Person]] = field(default_factory=list)  # when, and by whom
    comments: list[Comment] = field(default_factory=list)

    @property
    def body(self) -> dict[str, Any]:
        """The answer as it is now."""
        return self.states[-1].body

    @property
    def updated(self) -> int:
        """When the answer last changed, ms."""
        return self.states[-1].at

    @property
    def ids(self) -> dict[str, str]:
        """Its three ids, spelled as request parameters."""
        return {
            "space_id": self.plan.room.space.space_id,
            "conversation_id": self.conversation_id,
            "message_id": self.message_id,
        }

    def change(self, at: int, **fields: Any) -> None:
        """From `at` on the answer has these fields."""
        self.states.append(MessageState(at, {**self.body, **fields}))

    def message(self) -> Message:
        """The finished message."""
        return Message(
            self.plan.room.workspace_id,
            self.plan.room.space.space_id,
            self.conversation_id,
            self.message_id,
            states=tuple(self.states),
            deleted_at=self.deleted_at,
            access="none" if self.plan.role == "denied" else "ok",
            comments=tuple(self.comments),
        )
