"""Made-up events of the audit log, and what becomes of them on a Monday."""

import datetime as dt
from typing import Any

import pandas as pd

from genie_assets.domain.audit import (
    empty_known_messages,
    messages_to_fetch,
)

MONDAY = dt.date(2026, 3, 2)
TUESDAY = dt.date(2026, 3, 3)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
EVENT = (
    "workspace_id",
    "action_name",
    "actor",
    "is_refused",
    "is_agents",
    "space_id",
    "conversation_id",
    "message_id",
    "first_event_time",
    "last_event_time",
    "event_count",
)
DELETION = (
    "event_date",
    "workspace_id",
    "action_name",
    "space_id",
    "conversation_id",
    "message_id",
    "first_event_time",
    "last_event_time",
    "event_count",
)
WORKSPACE = ("workspace_id", "workspace_name", "workspace_url")
ASKS = ["createConversationMessage", "genieCreateConversationMessage", "genieStartConversationMessage"]
CHANGES = [
    "regenerateConversationMessage",
    "updateConversationMessage",
    "updateMessageAttachment",
    "executeMessageQuery",
    "genieExecuteMessageQuery",
    "executeMessageAttachmentQuery",
    "genieExecuteMessageAttachmentQuery",
    "executeQuery",
    "executeFullQueryResult",
    "cancelMessage",
    "updateConversationMessageFeedback",
    "genieSendMessageFeedback",
    "createConversationMessageComment",
    "deleteConversationMessageComment",
    "deleteConversationMessage",
    "deleteConversation",
    "someActionThatComesNextYear",
]
READS = [
    "getConversationMessage",
    "genieGetConversationMessage",
    "GENIEGETMESSAGE",
    "listConversationMessages",
    "genieListConversationMessages",
    "listConversationMessageComments",
    "summarizeMessage",
    "generateDownloadFullQueryResult",
    "genieGenerateDownloadFullQueryResult",
]


def at(minute: int) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minute)


def event(action: str = "createConversationMessage", minute: int = 0, **cells: Any) -> dict[str, Any]:
    return {
        "workspace_id": "w1",
        "action_name": action,
        "actor": "ann@example.com",
        "is_refused": False,
        "is_agents": False,
        "space_id": "s1",
        "conversation_id": "c1",
        "message_id": "m1",
        "first_event_time": at(minute),
        "last_event_time": at(minute),
        "event_count": 1,
    } | cells


def deletion(day: dt.date = MONDAY, minute: int = 30, **cells: Any) -> dict[str, Any]:
    return {
        "event_date": day,
        "workspace_id": "w1",
        "action_name": "deleteConversation",
        "space_id": "s1",
        "conversation_id": "c1",
        "message_id": None,
        "first_event_time": at(minute),
        "last_event_time": at(minute),
        "event_count": 1,
    } | cells


def known(message_id: str, **cells: Any) -> dict[str, Any]:
    return {"workspace_id": "w1", "space_id": "s1", "conversation_id": "c1", "message_id": message_id} | cells


def frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in columns})


def discovered(
    events: list[dict[str, Any]],
    deletions: list[dict[str, Any]] | None = None,
    known_messages: list[dict[str, Any]] | None = None,
    workspaces: list[dict[str, Any]] | None = None,
) -> dict[tuple[str, str], dict[str, Any]]:
    columns = tuple(empty_known_messages().columns)
    rows = messages_to_fetch(
        MONDAY,
        frame(events, EVENT),
        frame(deletions or [], DELETION),
        frame(known_messages or [], columns),
        frame(workspaces or [], WORKSPACE),
    )
    found = {(row["workspace_id"], row["message_id"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def the_row(*args: Any, **kwargs: Any) -> dict[str, Any]:
    (row,) = discovered(*args, **kwargs).values()
    return row
