"""What `message_comments` must say, worked out from an account's own data."""

import json
from typing import Any

from genie_sandbox.account import Comment, Message
from genie_sandbox.truth.audit import Known


def comment_rows(message: Message, known: Known, at: int) -> list[dict[str, Any]]:
    """Expected rows of the comments on a stored message that are there at `at`.

    Nobody asks for them unless the log shows that somebody commented. Whether one that is gone was seen before
    depends on when the pipeline looked.
    """
    if not any(event.is_comment for event in known.in_order):
        return []
    return [_row(message, comment) for comment in message.comments if comment.is_there(at)]


def _row(message: Message, comment: Comment) -> dict[str, Any]:
    body = comment.body
    return {
        "workspace_id": message.workspace_id,
        "space_id": message.space_id,
        "conversation_id": message.conversation_id,
        "message_id": message.message_id,
        "comment_id": body["message_comment_id"],
        "user_id": str(body["user_id"]),
        "content": body["content"],
        "comment_type": body.get("comment_type"),
        "created_timestamp": body["created_timestamp"],
        "is_deleted": False,
        "deleted_seen_timestamp": None,
        "raw_json": json.dumps(body),
    }
