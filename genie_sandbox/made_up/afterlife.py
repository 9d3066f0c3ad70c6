"""What happens to messages after the answer: reads, feedback, regeneration, re-execution, comments, deletion."""

import random
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from genie_sandbox.made_up.answers import answer_again
from genie_sandbox.made_up.attachments import AttachmentMaker
from genie_sandbox.made_up.audit_rows import AuditLog
from genie_sandbox.made_up.drafts import Draft
from genie_sandbox.made_up.world import Person, World
from genie_sandbox.randomness import DAY, HOUR, MINUTE, SECOND, genie_id

_T = TypeVar("_T")
_COMMENTS = (
    "Ignores cancelled orders",
    "Exactly what I needed 👍",
    "Wrong month: it's O'Brien's \"fiscal\" July",
    "Die Währung fehlt",
    "很好",
)
_QUIET_ROLES = frozenset({"plain", "long", "midnight"})


class Afterlife:
    """Lets things happen to finished messages; everything happens before the anchor."""

    def __init__(self, rng: random.Random, world: World, audit: AuditLog, anchor: int) -> None:
        self._rng = rng
        self._world = world
        self._audit = audit
        self._anchor = anchor

    def poll(self, draft: Draft) -> None:
        """The asker's own reads while the answer comes, and of its result."""
        rng, person, end = self._rng, draft.plan.person, draft.updated
        read = "genieGetConversationMessage" if person.by_api else "getConversationMessage"
        self._audit.touch(end + rng.randrange(100, 2000), draft, person, read)
        if draft.kind == "cancelled":
            self._audit.touch(end - 150, draft, person, "cancelMessage")
        if draft.statements and rng.random() < 0.5:
            result = "genieGetMessageAttachmentQueryResult" if person.by_api else "getMessageAttachmentQueryResult"
            params = {"attachment_id": genie_id(rng)}
            self._audit.touch(end + rng.randrange(2000, 4000), draft, person, result, params=params)

    def feedback(self, draft: Draft) -> None:
        """A rating, in one of both vocabularies, by the UI or the API; some take it back."""
        rng, at = self._rng, self._later(draft)
        rating, thumb = rng.choice(
            (("POSITIVE", "THUMBS_UP"), ("POSITIVE", "THUMBS_UP"), ("NEGATIVE", "THUMBS_DOWN"))
        )
        spelled = rng.choice((rating, thumb, f"FEEDBACK_RATING_{rating}"))
        feedback = {"rating": spelled}
        if rng.random() < 0.35:
            feedback["comment"] = rng.choice(_COMMENTS)
        elif rng.random() < 0.1:
            feedback["comment"] = ""
        action = rng.choice(("updateConversationMessageFeedback", "genieSendMessageFeedback"))
        params = {"feedback_rating": spelled}
        self._event(at, draft, draft.plan.person, action, params=params)
        draft.change(at, feedback=feedback)
        if rng.random() < 0.05 and at + 5 * MINUTE < self._anchor:
            self._event(at + 4 * MINUTE, draft, draft.plan.person, action, params={"feedback_rating": "NONE"})
            draft.change(at + 4 * MINUTE, feedback={"rating": "NONE"})

    def regenerate(self, draft: Draft) -> None:
        """Another answer to the same question."""
        at = self._later(draft)
        self._event(at, draft, draft.plan.person, "regenerateConversationMessage")
        answer_again(self._rng, draft, at)

    def execute_again(self, draft: Draft) -> None:
        """The query is run again, days later: a new statement takes the place of the first."""
        rng, at = self._rng, self._later(draft)
        action = rng.choice(
            ("executeMessageAttachmentQuery", "genieExecuteMessageAttachmentQuery", "executeMessageQuery")
        )
        first, *others = draft.body["attachments"]
        params = {"attachment_id": first["attachment_id"]}
        self._event(at, draft, draft.plan.person, action, params=params)
        maker = AttachmentMaker(rng, draft, at)
        statement = maker.run(first["query"]["query"], 4)
        query = {**first["query"], "statement_id": statement.statement_id, "last_updated_timestamp": statement.end}
        attachments = [{**first, "query": query}, *others]
        draft.change(statement.end, attachments=attachments, last_updated_timestamp=statement.end)

    def comment(self, draft: Draft) -> None:
        """A colleague's comment; the message itself stays as it is."""
        params = {"comment_type": "REQUEST_REVIEW"}
        at, colleague = self._later(draft), self._colleague()
        self._event(at, draft, colleague, "createConversationMessageComment", params=params)
        draft.commented.append((at, colleague))

    def read_again(self, draft: Draft) -> None:
        """A colleague looks at it later."""
        self._event(self._later(draft), draft, self._colleague(), "getConversationMessage")

    def refused_change(self, draft: Draft) -> None:
        """Somebody tries to change it and may not: it exists, and nothing changed."""
        error = "PERMISSION_DENIED: not the author"
        action = "updateConversationMessageFeedback"
        self._event(self._later(draft), draft, self._colleague(), action, status=403, error=error)

    def invalid_change(self, draft: Draft) -> None:
        """A request with wrong parameters: no evidence of anything."""
        error = "INVALID_PARAMETER_VALUE"
        self._event(self._later(draft), draft, self._colleague(), "executeMessageQuery", status=400, error=error)

    def unknown_action(self, draft: Draft) -> None:
        """An action that comes with a later release; it may have changed the message."""
        self._event(self._later(draft), draft, draft.plan.person, "pinConversationMessage")

    def delete(self, draft: Draft, *, at: int | None = None, late: bool = False, logged: bool = True) -> None:
        """The message is deleted, at `at` or some time later; not `logged`: gone without a trace."""
        draft.deleted_at = at or self._later(draft)
        if logged:
            actor = draft.plan.person
            self._audit.touch(draft.deleted_at, draft, actor, "deleteConversationMessage", late=late)

    def delete_conversation(self, drafts: list[Draft], *, at: int | None = None, late: bool = False) -> None:
        """All messages go; the event names the conversation only."""
        last = max(drafts, key=lambda draft: draft.last_event)
        at = at or self._later(last)
        for draft in drafts:
            draft.deleted_at = at
        plan, ids = last.plan, last.ids
        params = {"space_id": ids["space_id"], "conversation_id": ids["conversation_id"]}
        self._audit.add(at, plan.room.workspace_id, plan.person, "deleteConversation", params, late=late)

    def has_room(self, draft: Draft) -> bool:
        """There is time left before the anchor for something to happen."""
        return draft.last_event + HOUR < self._anchor

    def _later(self, draft: Draft) -> int:
        """Minutes, hours or days after the last event, and early enough before the anchor."""
        delay = self._rng.choice((8 * MINUTE, 3 * HOUR, 20 * HOUR, 3 * DAY)) * self._rng.uniform(0.7, 1.3)
        last = max(draft.last_event, draft.updated)
        end = self._anchor - 2 * MINUTE
        return min(last + int(delay), max(last + SECOND, end - self._rng.randrange(20 * MINUTE)))

    def _event(self, at: int, draft: Draft, actor: Person, action: str, **more: Any) -> None:
        """An event of an old message; some of the recent ones arrive late."""
        late = at > self._anchor - 60 * HOUR and self._rng.random() < 0.08
        self._audit.touch(at, draft, actor, action, late=late, **more)

    def _colleague(self) -> Person:
        return self._rng.choice(self._world.people)


def _answered(draft: Draft) -> bool:
    return draft.body["status"] == "COMPLETED" and draft.plan.role in _QUIET_ROLES


def _ordinary(draft: Draft) -> bool:
    return draft.kind == "plain" and draft.plan.role in _QUIET_ROLES


def _old(draft: Draft) -> bool:
    return draft.plan.role in _QUIET_ROLES


# What happens, to which share of the messages, and to which of them it can happen. Deletions come last.
_HAPPENINGS: tuple[tuple[str, float, Callable[[Draft], bool]], ...] = (
    ("regenerate", 0.008, _ordinary),
    ("execute_again", 0.012, _ordinary),
    ("feedback", 0.08, _answered),
    ("comment", 0.008, _old),
    ("read_again", 0.03, _old),
    ("refused_change", 0.002, _old),
    ("invalid_change", 0.002, _old),
    ("unknown_action", 0.001, _old),
)


def live_on(
    afterlife: Afterlife, rng: random.Random, conversations: list[list[Draft]], messages: int
) -> dict[str, list[Draft]]:
    """Let the shares of messages be rated, changed, read and deleted; returns which had what happen."""
    drafts = [draft for conversation in conversations for draft in conversation if draft.late == ""]
    happened: dict[str, list[Draft]] = {}
    for name, share, fits in _HAPPENINGS:
        for draft in _some(rng, (one for one in drafts if fits(one) and afterlife.has_room(one)), share, messages):
            getattr(afterlife, name)(draft)
            happened.setdefault(name, []).append(draft)
    happened.update(_delete(afterlife, rng, conversations, messages))
    return happened


def _delete(
    afterlife: Afterlife, rng: random.Random, conversations: list[list[Draft]], messages: int
) -> dict[str, list[Draft]]:
    """Deletions of messages and whole conversations, known, unlogged or arriving late."""
    calm = [
        one
        for one in conversations
        if one[0].plan.role == "plain" and len(one) < 12 and all(afterlife.has_room(draft) for draft in one)
    ]
    whole = _some(rng, calm, 0.0015, messages)
    for conversation in whole:
        afterlife.delete_conversation(conversation)
    untouched = [draft for one in calm if one[0].deleted_at is None for draft in one]
    single = _some(rng, untouched, 0.004, messages)
    for draft in single:
        afterlife.delete(draft)
    vanished = _some(rng, (draft for draft in untouched if draft.deleted_at is None), 0.001, messages)
    for draft in vanished:
        afterlife.delete(draft, logged=False)
    return {
        "delete_conversation": [draft for one in whole for draft in one],
        "delete_message": single,
        "vanished": vanished,
    }


def _some(rng: random.Random, candidates: Iterable[_T], share: float, messages: int) -> list[_T]:
    """At least one of the candidates, if there are any, and about `share` of `messages`."""
    candidates = list(candidates)
    return rng.sample(candidates, min(len(candidates), max(1, round(share * messages))))
