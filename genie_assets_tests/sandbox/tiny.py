"""Accounts of a few lines, written by hand."""

import datetime as dt
from typing import Any

from genie_sandbox.account import Account, ArrivingRow, Message, MessageState, Principal, Space, Workspace

HOUR = 3_600_000
DAY = 24 * HOUR
START = int(dt.datetime(2026, 3, 2, tzinfo=dt.UTC).timestamp() * 1000)
NOW = START + 3 * DAY


def utc(moment: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(moment / 1000, dt.UTC)


def audit_row(number: int, at: int, action: str, params: dict[str, str], **more: Any) -> ArrivingRow:
    """An audit row that arrives ten minutes later; `more` overrides its parts."""
    return ArrivingRow(
        more.get("arrives_at", at + 600_000),
        {
            "event_id": f"event-{number}",
            "event_time": at,
            "event_date": utc(at).date().isoformat(),
            "workspace_id": "1",
            "service_name": more.get("service", "aibiGenie"),
            "action_name": action,
            "user_identity": {"email": more.get("email", "ana@x.example"), "subject_name": more.get("subject")},
            "request_params": params,
            "response": {
                "status_code": more.get("status", 200),
                "error_message": None,
                "result": more.get("result"),
            },
        },
    )


def ids_of(message_id: str, conversation_id: str = "c1") -> dict[str, str]:
    return {"space_id": "s1", "conversation_id": conversation_id, "message_id": message_id}


def message_of(message_id: str, at: int = START, **fields: Any) -> Message:
    conversation_id = fields.pop("conversation_id", "c1")
    body = {**ids_of(message_id, conversation_id), "created_timestamp": at, "status": "COMPLETED", **fields}
    return Message("1", "s1", conversation_id, message_id, (MessageState(at, body),))


def account_of(
    *, audit: tuple[ArrivingRow, ...] = (), messages: tuple[Message, ...] = (), history: tuple[Any, ...] = ()
) -> Account:
    return Account(
        account_id="a",
        anchor=NOW,
        first_day="2026-03-02",
        last_day="2026-03-05",
        warehouse_id="w",
        principal=Principal("App-1", "secret", "token", 9),
        workspaces=(Workspace("1", "One"),),
        spaces=(Space("1", "s1", {"space_id": "s1", "title": "Sales"}),),
        messages=messages,
        audit=audit,
        query_history=tuple(ArrivingRow(at, row) for at, row in history),
    )
