"""An account whose messages, conversations and spaces go through whatever a seed says, told late and in disorder.

What becomes of a message is told by the audit log, if late: a change that nothing tells is no pipeline's to know.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from genie_sandbox.account import Account, ArrivingRow, Comment, Message, MessageState, Space, SpaceState
from genie_sandbox.made_up.audit_rows import camel_case, iso_date
from genie_sandbox.made_up.cases import NEVER, query, text
from genie_sandbox.made_up.world import Person, World, build_world
from genie_sandbox.randomness import DAY, HOUR, MINUTE, SECOND, dashed_id, genie_id

ASK, UPDATE = "createConversationMessage", "updateConversationMessage"
VOTES = ("POSITIVE", "NEGATIVE", "NONE", "THUMBS_UP", "new in 2027")
# What the API may say in place of what it says of others.
ODD_BODIES: tuple[dict[str, Any], ...] = (
    {"created_timestamp": NEVER},
    {"created_timestamp": None},
    {"created_timestamp": "soon", "last_updated_timestamp": [1]},
    {"content": "a\x00b \ud83d"},
    {"content": "ä" * 200_000},
    {"attachments": {"query": {}}},
    {"attachments": [None, 7, {"query": []}, {"text": "no object"}]},
    {"feedback": ["POSITIVE"], "user_id": {"id": 1}},
    {"last_updated_timestamp": NEVER},
)


@dataclass
class Talk:
    """A message in the making."""

    room: Space
    person: Person
    ids: dict[str, str]
    states: list[MessageState]
    last: int  # when something happened to it last, ms
    deleted_at: int | None = None
    returns_at: int | None = None
    comments: list[Comment] = field(default_factory=list)

    @property
    def body(self) -> dict[str, Any]:
        """The answer as it is now."""
        return self.states[-1].body

    def message(self) -> Message:
        """The finished message."""
        return Message(
            workspace_id=self.room.workspace_id,
            **self.ids,
            states=tuple(self.states),
            deleted_at=self.deleted_at,
            returns_at=self.returns_at,
            comments=tuple(self.comments),
        )

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer, and the message."""
        return self.body["status"] == "COMPLETED" and self.deleted_at is None


class Life:
    """Makes an account up.

    Args:
        seed: Another seed gives another account.
        begins: The first moment, ms.
        days: For so long people ask.
    """

    def __init__(self, seed: int, begins: int, days: int) -> None:
        self.rng = random.Random(f"life {seed}")
        self.begins, self.ends = begins, begins + days * DAY
        self.world: World = build_world(seed % 7, workspaces=3)
        self.audit: list[ArrivingRow] = []
        self.history: list[ArrivingRow] = []
        rooms = [room.space for room in self.world.rooms if room.space.access == "manage"]
        self.spaces = [replace(space, later=self._later()) for space in rooms[:5]]

    def account(self, conversations: int) -> Account:
        """The account with so many conversations."""
        talks = [talk for _ in range(conversations) for talk in self._conversation()]
        self._strange_rows(talks)
        messages = tuple(talk.message() for talk in talks)
        first, second, third = self.world.workspaces
        if self.rng.random() < 0.3:
            second = replace(second, listed_from=self.begins + 2 * DAY)
        return Account(
            account_id=self.world.account_id,
            anchor=self.begins,
            first_day=iso_date(self.begins),
            last_day=iso_date(self.ends),
            warehouse_id=self.world.warehouse_id,
            principal=self.world.principal,
            workspaces=tuple(replace(each, url_style="full") for each in (first, second, third)),
            spaces=tuple(self.spaces),
            messages=messages,
            audit=tuple(sorted(self.audit, key=lambda one: one.arrives_at)),
            query_history=tuple(sorted(self.history, key=lambda one: one.arrives_at)),
        )

    def _later(self) -> tuple[SpaceState, ...]:
        """Private or trashed for a while, in a part of the spaces; two of them are there again."""
        if self.rng.random() < 0.5:
            return ()
        at, states = self.begins, []
        for _ in range(self.rng.choice((1, 2))):
            at += self.rng.randrange(6 * HOUR, 2 * DAY)
            how = self.rng.choice(({"access": "none"}, {"trashed": True}, {"access": "run"}))
            states.append(SpaceState(at, **how))
            at += self.rng.randrange(6 * HOUR, 2 * DAY)
            states.append(SpaceState(at))
        return tuple(states)

    def _conversation(self) -> list[Talk]:
        rng = self.rng
        room, person = rng.choice(self.spaces), rng.choice(self.world.people)
        conversation_id, at, talks = genie_id(rng), rng.randrange(self.begins, self.ends), []
        for _ in range(rng.choice((1, 2, 3, 4, 6))):
            talks.append(self._message(room, person, conversation_id, at))
            at += rng.choice((30 * SECOND, 5 * MINUTE, 3 * HOUR, 20 * HOUR))
        if rng.random() < 0.15 and all(talk.deleted_at is None for talk in talks):
            self._delete_all(talks)
        return talks

    def _message(self, room: Space, person: Person, conversation_id: str, at: int) -> Talk:
        rng = self.rng
        ids = {"space_id": room.space_id, "conversation_id": conversation_id, "message_id": genie_id(rng)}
        body = {
            **ids,
            "user_id": person.user_id,
            "content": f"Question {len(self.audit)}?",
            "status": "SUBMITTED",
            "created_timestamp": at,
            "last_updated_timestamp": at,
        }
        if rng.random() < 0.08:
            body |= dict(rng.choice(ODD_BODIES).items())
        talk = Talk(room, person, ids, [MessageState(at, {k: v for k, v in body.items() if v is not None})], at)
        if rng.random() < 0.95:
            self._told(talk, at + 500, ASK)
        ends = at + rng.choice((4 * SECOND, 40 * SECOND, 90 * SECOND, 3 * HOUR, 2 * DAY, 4000 * DAY))
        status = rng.choice(("COMPLETED",) * 6 + ("FAILED", "CANCELLED"))
        self._answered(talk, at, ends, status)
        for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
            self._happens(talk)
        return talk

    def _answered(self, talk: Talk, asked: int, ends: int, status: str) -> None:
        if self.rng.random() < 0.5:
            self._change(talk, min(asked + 2 * SECOND, ends), status="EXECUTING_QUERY")
        more: dict[str, Any] = {"error": {"type": "SQL", "error": "It broke."}} if status == "FAILED" else {}
        if "attachments" not in talk.body:
            more["attachments"] = self._attachments(talk, asked)
        self._change(talk, ends, status=status, last_updated_timestamp=ends, **more)
        talk.last = ends

    def _attachments(self, talk: Talk, at: int) -> list[dict[str, Any]]:
        rng, found = self.rng, [text(genie_id(self.rng), f"It is {self.rng.randrange(100)}.")]
        for _ in range(rng.choice((0, 1, 1, 2))):
            statement_id, sql = dashed_id(rng), f"SELECT {rng.randrange(1000)}"
            found.insert(0, query(genie_id(rng), sql, statement_id if rng.random() < 0.9 else None))
            self._ran(talk, statement_id, sql, at + SECOND)
        return found

    def _ran(self, talk: Talk, statement_id: str, sql: str, at: int) -> None:
        rng = self.rng
        row = {
            "account_id": self.world.account_id,
            "workspace_id": talk.room.workspace_id,
            "statement_id": statement_id,
            "statement_text": sql,
            "execution_status": "FINISHED",
            "compute": {"type": "WAREHOUSE", "warehouse_id": self.world.warehouse_id},
            "total_duration_ms": 900,
            "start_time": at,
            "end_time": at + 900,
            "update_time": at + 1000,
            "query_source": {"genie_space_id": talk.room.space_id},
        }
        arrives = at + rng.choice((10 * MINUTE, HOUR, 7 * HOUR, 30 * HOUR, 60 * HOUR))
        if rng.random() < 0.95:
            self.history.append(ArrivingRow(arrives, row))
        if rng.random() < 0.2:
            later = {**row, "update_time": at + 9000, "total_duration_ms": 8000, "read_rows": 5}
            self.history.append(ArrivingRow(arrives + rng.choice((-HOUR, HOUR, 9 * HOUR)), later))

    def _change(self, talk: Talk, at: int, **fields: Any) -> None:
        body = {name: value for name, value in {**talk.body, **fields}.items() if value is not None}
        talk.states.append(MessageState(at, body))

    def _happens(self, talk: Talk) -> None:
        """Something that changes a message, or somebody reads it; told by the log."""
        if talk.last > self.ends + 3 * DAY:
            return
        at = talk.last + self.rng.choice((SECOND, 10 * MINUTE, 2 * HOUR, 9 * HOUR, 30 * HOUR))
        if talk.deleted_at is not None:
            self._restored(talk, at)
            return
        happenings: list[Callable[[Talk, int], None]] = [self._voted, self._read, self._commented, self._deleted]
        if talk.is_answered:
            happenings += [self._asked_anew, self._withheld, self._expired, self._ran_again, self._voted]
        self.rng.choice(happenings)(talk, at)
        talk.last = max(talk.last, at)

    def _voted(self, talk: Talk, at: int) -> None:
        feedback = {"rating": self.rng.choice(VOTES), "comment": self.rng.choice((None, "", "Well."))}
        self._change(talk, at, feedback=feedback, last_updated_timestamp=at)
        self._told(talk, at, self.rng.choice(("updateConversationMessageFeedback", "genieSendMessageFeedback")))

    def _read(self, talk: Talk, at: int) -> None:
        self._told(talk, at, "getConversationMessage")

    def _commented(self, talk: Talk, at: int) -> None:
        body = {"message_comment_id": genie_id(self.rng), "content": "Look.", "created_timestamp": at}
        talk.comments.append(Comment(at, body))
        self._told(talk, at, "createConversationMessageComment")

    def _deleted(self, talk: Talk, at: int) -> None:
        talk.deleted_at = at
        if self.rng.random() < 0.8:
            self._told(talk, at, "deleteConversationMessage")

    def _restored(self, talk: Talk, at: int) -> None:
        if talk.returns_at is None and talk.deleted_at is not None:
            talk.returns_at = talk.last = max(at, talk.deleted_at + SECOND)
            self._told(talk, talk.returns_at + SECOND, UPDATE)

    def _asked_anew(self, talk: Talk, at: int) -> None:
        self._told(talk, at, "regenerateConversationMessage")
        self._change(talk, at, status="ASKING_AI", attachments=None, last_updated_timestamp=at)
        ends = at + self.rng.choice((5 * SECOND, 2 * MINUTE, 5 * HOUR))
        found = self._attachments(talk, at)
        self._change(talk, ends, status="COMPLETED", attachments=found, last_updated_timestamp=ends)
        talk.last = ends

    def _withheld(self, talk: Talk, at: int) -> None:
        whole = talk.body.get("attachments")
        self._change(talk, at, attachments=self.rng.choice((None, [])), last_updated_timestamp=at)
        self._told(talk, at, UPDATE)
        if self.rng.random() < 0.5:
            talk.last = at + self.rng.choice((HOUR, DAY))
            self._change(talk, talk.last, attachments=whole, last_updated_timestamp=talk.last)
            self._told(talk, talk.last, UPDATE)

    def _expired(self, talk: Talk, at: int) -> None:
        self._change(talk, at, status="QUERY_RESULT_EXPIRED", last_updated_timestamp=at)
        self._told(talk, at, UPDATE)

    def _ran_again(self, talk: Talk, at: int) -> None:
        self._change(talk, at, attachments=self._attachments(talk, at - 2 * SECOND), last_updated_timestamp=at)
        self._told(talk, at, "executeMessageAttachmentQuery")

    def _delete_all(self, talks: list[Talk]) -> None:
        """The conversation goes, and may come back; the log names no message."""
        at = max(talk.last for talk in talks) + self.rng.choice((MINUTE, 9 * HOUR))
        for talk in talks:
            talk.deleted_at = at
        ids = {name: talks[0].ids[name] for name in ("space_id", "conversation_id")}
        self._row(talks[0], at, "deleteConversation", ids)
        if self.rng.random() < 0.4:
            for talk in talks:
                talk.returns_at = at + 2 * HOUR
                self._told(talk, at + 2 * HOUR + SECOND, UPDATE)

    def _told(self, talk: Talk, at: int, action: str) -> None:
        """The log's row of what happened to a message: its ids stand here or there, and not always all of them."""
        rng, params, result = self.rng, dict(talk.ids), None
        if rng.random() < 0.3:
            result = json.dumps({"message_id": params.pop("message_id")})
        if rng.random() < 0.1 and action != ASK:
            params.pop(rng.choice(("space_id", "conversation_id")), None)
        params = camel_case(params) if rng.random() < 0.1 else params
        self._row(talk, at, action, params, result)

    def _row(self, talk: Talk, at: int, action: str, params: dict[str, str], result: str | None = None) -> None:
        rng = self.rng
        row = {
            "account_id": self.world.account_id,
            "workspace_id": talk.room.workspace_id,
            "version": "2.0",
            "event_time": at,
            "event_date": iso_date(at),
            "user_identity": rng.choice(talk.person.identities),
            "service_name": "aibiGenie",
            "action_name": action,
            "request_id": dashed_id(rng),
            "request_params": params,
            "response": {"status_code": 200, "error_message": None, "result": result},
            "audit_level": "WORKSPACE_LEVEL",
            "event_id": dashed_id(rng),
        }
        usual, hours, days = (
            rng.randrange(MINUTE, HOUR),
            rng.randrange(HOUR, 12 * HOUR),
            rng.randrange(DAY, 20 * DAY),
        )
        late = rng.choices((usual, hours, days), (70, 18, 12))[0]
        self.audit.append(ArrivingRow(at + late, row))
        if rng.random() < 0.1:
            self.audit.append(ArrivingRow(at + late + rng.choice((0, HOUR, 2 * DAY)), row))

    def _strange_rows(self, talks: list[Talk]) -> None:
        """Rows that name a message that nobody knows, or no message, or what cannot be asked for."""
        rng = self.rng
        for _ in range(rng.choice((1, 2, 4))):
            talk = rng.choice(talks)
            ids = dict(talk.ids)
            ids["message_id"] = rng.choice(("nobody's", "a/../b", "..", "x" * 300, "z\x00"))
            if rng.random() < 0.5:
                ids.pop("conversation_id")
            self._row(talk, rng.randrange(self.begins, self.ends), rng.choice((ASK, UPDATE)), ids)
        agent = {"agent_id": talks[0].room.space_id, "response_id": genie_id(rng)}
        self._row(talks[0], rng.randrange(self.begins, self.ends), "createAgentResponse", agent)
