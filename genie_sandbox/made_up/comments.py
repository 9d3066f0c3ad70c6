"""What colleagues write about messages: comments, replies to them, and some that are taken back."""

import random

from genie_sandbox.account import Comment
from genie_sandbox.made_up.audit_rows import AuditLog
from genie_sandbox.made_up.drafts import Draft
from genie_sandbox.made_up.world import Person
from genie_sandbox.randomness import MINUTE, SECOND, genie_id

_TEXTS = (
    "Please check the join: orders without a customer are missing",
    "Passt, aber bitte ohne Stornos",
    'Net or gross? It says "revenue"; I\'d say net | see the wiki',
    "確認をお願いします",
    "Fixed 🙏",
)
# As the UI calls it, and as the API would.
_CREATED = ("createConversationMessageComment", "genieCreateMessageComment")
_DELETED = ("deleteConversationMessageComment", "genieDeleteMessageComment")


class Commentators:
    """Write what was commented; `audit` gets the rows of what happens besides."""

    def __init__(self, rng: random.Random, audit: AuditLog, anchor: int) -> None:
        self._rng, self._audit, self._anchor = rng, audit, anchor

    def write(self, draft: Draft) -> None:
        """The comments on a message, while it is there: some are answered, some taken back."""
        rng = self._rng
        for at, person in draft.commented:
            end = min(draft.deleted_at or self._anchor, self._anchor) - 2 * MINUTE
            reply, taken_back = rng.random() < 0.5, rng.random() < 0.4
            self._add(draft, at, person, type_="REQUEST_REVIEW")
            if reply and at + MINUTE < end:
                at = rng.randint(at + MINUTE, min(end, at + 90 * MINUTE))
                self._audit.touch(at, draft, draft.plan.person, rng.choice(_CREATED))
                self._add(draft, at, draft.plan.person)
                self._audit.touch(at + SECOND, draft, draft.plan.person, "listConversationMessageComments")
            if taken_back and at + MINUTE < end:
                at = rng.randint(at + MINUTE, end)
                self._audit.touch(at, draft, person, rng.choice(_DELETED))
                first = draft.comments[0]
                draft.comments[0] = Comment(first.at, first.body, deleted_at=at)

    def _add(self, draft: Draft, at: int, person: Person, type_: str | None = None) -> None:
        body = {
            **draft.ids,
            "message_comment_id": genie_id(self._rng),
            "content": self._rng.choice(_TEXTS),
            "user_id": person.user_id,
            "created_timestamp": at,
            **({"comment_type": type_} if type_ else {}),
        }
        draft.comments.append(Comment(at, body))
