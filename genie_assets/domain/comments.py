"""Comments on messages: whose are to be listed, and what a list of them makes of what is stored.

A list is whole: what it lacks is gone. What was seen once stays, and says that it is gone.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.keys import MESSAGE, MESSAGE_IDS, MessageKey, Row
from genie_assets.domain.ledger import DELETED_ROWS
from genie_assets.domain.messages import as_json, as_text, content_hash, epoch_ms
from genie_assets.domain.questions import Equals, Exists, Filter, IsNull, Not, Rows
from genie_assets.domain.requests import CommentsOfMessage
from genie_assets.domain.table import storable
from genie_assets.domain.tables import COMMENT_FETCH_ERRORS, MESSAGE_COMMENT_LOOKS
from genie_assets.domain.workspaces import is_looked_at

TO_LIST: tuple[Filter, ...] = (
    Not([IsNull("last_comment_time")]),
    Not([Equals("is_deleted", True)]),
    Not([Exists(Rows(MESSAGE_COMMENT_LOOKS), MESSAGE, since=("event_comment_time", "last_comment_time"))]),
    # Found deleted since: whoever comments on it later shows it again.
    Not(
        [Exists(Rows(COMMENT_FETCH_ERRORS, DELETED_ROWS), MESSAGE, since=("error_timestamp", "last_comment_time"))]
    ),
)
"""References of messages whose comments may have changed since they were listed. The look is compared by the event
that it was made for, not by its own time: that is another clock's."""

OF_A_REFERENCE = (*MESSAGE_IDS, "workspace_url", "last_comment_time")


def requests_for(references: Iterable[Row], chosen: Collection[str]) -> list[CommentsOfMessage]:
    """What is asked for these references, one of each message.

    References without usable ids cannot be asked for; the ledger of messages says so already.

    Args:
        references: Rows of `genie_messages_to_fetch` that meet `TO_LIST`.
        chosen: Workspaces that are looked at; none stands for all.
    """
    latest: dict[MessageKey, Row] = {}
    for row in references:
        ids = (row["space_id"], row["conversation_id"], row["message_id"])
        if is_looked_at(row["workspace_id"], chosen) and all(map(is_usable_id, ids)):
            before = latest.setdefault(MessageKey.of(row), row)
            if row["last_comment_time"] > before["last_comment_time"]:
                latest[MessageKey.of(row)] = row
    return [
        CommentsOfMessage(
            row["workspace_id"],
            row["workspace_url"],
            row["space_id"],
            row["conversation_id"],
            row["message_id"],
            row["last_comment_time"],
        )
        for _, row in sorted(latest.items())
    ]


@dataclass(frozen=True)
class CommentsLook:
    """A whole list of the comments on a message.

    Attributes:
        request: What was asked.
        bodies: The comments as the API gave them.
        at: When they were asked for, UTC.
    """

    request: CommentsOfMessage
    bodies: tuple[Mapping[str, Any], ...]
    at: dt.datetime

    @property
    def key(self) -> MessageKey:
        """The message."""
        return MessageKey(self.request.workspace_id, self.request.message_id)

    @property
    def ids(self) -> Row:
        """Where the message is."""
        return {name: getattr(self.request, name) for name in MESSAGE_IDS}


def look_row(look: CommentsLook, noted: Row | None) -> Row | None:
    """The row of `message_comment_looks` after a look; None if a later one is noted, which then says all.

    Args:
        look: The look.
        noted: The message's row so far.
    """
    if noted is not None and noted["api_fetch_timestamp"] > look.at:
        return None
    return {
        **look.ids,
        "event_comment_time": look.request.asked_for,
        "comment_count": len({comment_id_of(body) for body in look.bodies}),
        "api_fetch_timestamp": look.at,
    }


def changed_comments(look: CommentsLook, stored: Iterable[Row]) -> list[Row]:
    """Rows of `message_comments` that a look makes, changes or marks as gone.

    Args:
        look: The look; no later one of its message is noted.
        stored: All stored comments on its message.
    """
    before = {row["comment_id"]: row for row in stored}
    seen = {comment_id_of(body): body for body in look.bodies}
    found = [_found(look, body, before.get(comment_id)) for comment_id, body in seen.items()]
    changed = [row for row in found if not _says_the_same(row, before.get(row["comment_id"]))]
    gone = [row for comment_id, row in before.items() if comment_id not in seen and not row["is_deleted"]]
    return changed + [{**row, "is_deleted": True, "deleted_seen_timestamp": look.at} for row in gone]


def comment_id_of(body: Mapping[str, Any]) -> str:
    """The id of a comment; where the API names none, a hash of the whole."""
    return as_text(body.get("message_comment_id")) or as_text(body.get("comment_id")) or content_hash(body)


def _found(look: CommentsLook, body: Mapping[str, Any], before: Row | None) -> Row:
    return {
        **look.ids,
        "comment_id": comment_id_of(body),
        "user_id": _id(body.get("user_id")),
        "content": as_text(body.get("content")),
        "comment_type": as_text(body.get("comment_type")),
        "created_timestamp": epoch_ms(body.get("created_timestamp")),
        "is_deleted": False,
        "deleted_seen_timestamp": None,
        "first_seen_timestamp": before["first_seen_timestamp"] if before else look.at,
        "raw_json": as_json(body),
    }


def _id(value: Any) -> str | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else as_text(value)


def _says_the_same(row: Row, before: Row | None) -> bool:
    return before is not None and all(storable(row[name]) == before[name] for name in row)
