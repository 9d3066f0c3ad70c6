"""Comments on messages: whose are to be listed, and what a list says of each."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.keys import MESSAGE, MESSAGE_IDS, MessageKey, Row
from genie_assets.domain.ledger import DELETED_ROWS, ENDED_ROWS, OPEN
from genie_assets.domain.messages import as_json, as_text, content_hash, epoch_ms, id_text
from genie_assets.domain.questions import Equals, Exists, Filter, IsNull, Not, Rows
from genie_assets.domain.requests import Answer, CommentsOfMessage
from genie_assets.domain.tables import (
    COMMENT_FETCH_ERRORS,
    GENIE_API_MESSAGES,
    GENIE_MESSAGE_LOOKS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_COMMENT_LOOKS,
)
from genie_assets.domain.whole_lists import ListLook
from genie_assets.domain.workspaces import is_looked_at

# That a message was lost by the log says that comments on it may have been, too: they are asked for once.
_LOST_BY_THE_LOG = Equals("event_count", 0)

# What asked for a list may be gone before the list could be read: the log has come to show a lost message.
_COULD_NOT_BE_LISTED = Exists(Rows(COMMENT_FETCH_ERRORS, OPEN), MESSAGE)

_WAS_READ_SINCE = Not(
    [
        Not([Exists(Rows(table), MESSAGE, since=("api_fetch_timestamp", "resolved_timestamp"))])
        for table in (GENIE_API_MESSAGES, GENIE_MESSAGE_LOOKS)
    ]
)
# A message that was deleted and can be read again has its comments again.
_ENDED = Rows(COMMENT_FETCH_ERRORS, [*ENDED_ROWS, Not([*DELETED_ROWS, _WAS_READ_SINCE])])

TO_LIST: tuple[Filter, ...] = (
    Not([IsNull("last_comment_time"), Not([_LOST_BY_THE_LOG]), Not([_COULD_NOT_BE_LISTED])]),
    Not([Equals("is_deleted", True)]),
    Not([Exists(Rows(MESSAGE_COMMENT_LOOKS), MESSAGE, since=("event_comment_time", "last_comment_time"))]),
    # Found deleted since, or given up by hand: whoever comments on it later shows it again.
    Not([Exists(_ENDED, MESSAGE, since=("error_timestamp", "last_comment_time"))]),
)
"""References of messages whose comments may have changed since they were listed, and of those that only
reconciliation found. A look is compared by the event that it was made for: its own time is another clock's."""

GONE: tuple[Filter, ...] = (*OPEN, Exists(Rows(GENIE_MESSAGES_TO_FETCH, [Equals("is_deleted", True)]), MESSAGE))
"""Open errors of comments on messages that were deleted since, by the log: nobody asks for those again."""

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
            latest[MessageKey.of(row)] = max(before, row, key=_lateness)
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


def _lateness(row: Row) -> tuple[bool, Any]:
    at = row["last_comment_time"]
    return (at is not None, at or 0)


def comments_look(request: CommentsOfMessage, answer: Answer) -> ListLook:
    """A look at the comments on a message."""
    return ListLook(
        ids={name: getattr(request, name) for name in MESSAGE_IDS},
        event={"event_comment_time": request.asked_for},
        children={comment_id_of(body): _said(body) for body in answer.body["comments"]},
        at=answer.requested_at,
    )


def comment_id_of(body: Mapping[str, Any]) -> str:
    """The id of a comment; where the API names none, a hash of the whole."""
    return as_text(body.get("message_comment_id")) or as_text(body.get("comment_id")) or content_hash(body)


def _said(body: Mapping[str, Any]) -> Row:
    return {
        "user_id": id_text(body.get("user_id")),
        "content": as_text(body.get("content")),
        "comment_type": as_text(body.get("comment_type")),
        "created_timestamp": epoch_ms(body.get("created_timestamp")),
        "raw_json": as_json(body),
    }
