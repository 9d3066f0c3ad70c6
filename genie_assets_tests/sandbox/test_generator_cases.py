"""The generated account holds every special case."""

import json
from collections import Counter, defaultdict
from typing import Any

import pytest

from genie_assets_tests.sandbox.generated import (
    DAY,
    HOUR,
    attachments_of,
    bodies_of,
    message_id_of,
    statement_ids_of,
)
from genie_sandbox.account import Account

# Special cases


@pytest.mark.parametrize(
    "status",
    ["COMPLETED", "FAILED", "CANCELLED", "QUERY_RESULT_EXPIRED", "EXECUTING_QUERY", "AWAITING_APPROVAL"],
)
def test_each_status_occurs(account: Account, status: str) -> None:
    assert any(body["status"] == status for body in bodies_of(account))


_BODY_CASES: dict[str, Any] = {
    "several query attachments": lambda b: sum("query" in one for one in b.get("attachments") or []) > 1,
    "no attachments though completed": lambda b: b["status"] == "COMPLETED" and "attachments" not in b,
    "null attachments": lambda b: b.get("attachments", 0) is None,
    "empty attachments": lambda b: b.get("attachments") == [],
    "int64 as text": lambda b: isinstance(b["created_timestamp"], str) and isinstance(b["user_id"], str),
    "legacy id": lambda b: "message_id" not in b and "query_result" in b,
    "missing optional fields": lambda b: "last_updated_timestamp" not in b and "user_id" not in b,
    "user id above 2^53": lambda b: int(b.get("user_id", 0)) > 2**53,
    "failed with an error": lambda b: b["status"] == "FAILED" and b["error"]["type"] and b["error"]["error"],
    "rating with a comment": lambda b: b.get("feedback", {}).get("comment"),
    "rating without a comment": lambda b: "comment" not in b.get("feedback", {"comment": 1}),
    "thumbs": lambda b: "THUMBS" in b.get("feedback", {}).get("rating", ""),
    "positive or negative": lambda b: b.get("feedback", {}).get("rating") in ("POSITIVE", "NEGATIVE"),
    "NUL": lambda b: "\0" in b["content"],
    "script tag": lambda b: "</script>" in b["content"],
    "right to left": lambda b: "\u202e" in b["content"],
    "SQL injection": lambda b: "DROP TABLE" in b["content"],
    "lone surrogate": lambda b: "\ud83d " in b["content"],
    "200 KB": lambda b: len(json.dumps(b)) > 200_000,
}


@pytest.mark.parametrize("case", _BODY_CASES)
def test_each_special_answer_occurs(account: Account, case: str) -> None:
    assert any(_BODY_CASES[case](body) for body in bodies_of(account))


_ATTACHMENT_CASES: dict[str, Any] = {
    "answer": lambda a: a.get("text", {}).get("purpose") == "TEXT_ATTACHMENT_PURPOSE_ANSWER",
    "follow-up": lambda a: a.get("text", {}).get("purpose", "").endswith("FOLLOW_UP_QUESTION"),
    "thinking": lambda a: a.get("text", {}).get("phase") == "RESPONSE_PHASE_THINKING",
    "viz": lambda a: "viz" in a,
    "suggestions without id": lambda a: "suggested_questions" in a and "attachment_id" not in a,
    "unknown kind": lambda a: not set(a) & {"query", "text", "viz", "suggested_questions"},
    "parameters": lambda a: ":start_day" in a.get("query", {}).get("query", "") and a["query"]["parameters"],
    "thoughts": lambda a: a.get("query", {}).get("thoughts"),
    "query without SQL": lambda a: "query" in a and "query" not in a["query"],
}


@pytest.mark.parametrize("case", _ATTACHMENT_CASES)
def test_each_kind_of_attachment_occurs(account: Account, case: str) -> None:
    assert any(_ATTACHMENT_CASES[case](attachment) for attachment in attachments_of(account))


_ROW_CASES: dict[str, Any] = {
    "start by the API": lambda r: r["action_name"] == "genieStartConversationMessage" and message_id_of(r),
    "ask by the API": lambda r: r["action_name"] == "genieCreateConversationMessage" and message_id_of(r),
    "camelCase": lambda r: "messageId" in r["request_params"],
    "refused for the rate": lambda r: r["response"]["status_code"] == 429 and not message_id_of(r),
    "refused for permission": lambda r: r["response"]["status_code"] == 403 and not message_id_of(r),
    "refused change": lambda r: r["response"]["status_code"] == 403 and message_id_of(r),
    "invalid change": lambda r: r["response"]["status_code"] == 400 and message_id_of(r),
    "nonsense": lambda r: r["response"]["status_code"] == 404,
    "no e-mail": lambda r: r["user_identity"]["email"] is None and r["user_identity"]["subject_name"],
    "unicode name": lambda r: "李娜" in (r["user_identity"]["email"] or ""),
    "account level": lambda r: r["workspace_id"] == "0" and r["audit_level"] == "ACCOUNT_LEVEL",
    "cut result": lambda r: (r["response"]["result"] or "").endswith("... truncated"),
    "regenerated": lambda r: r["action_name"] == "regenerateConversationMessage",
    "executed again": lambda r: "xecuteMessage" in r["action_name"],
    "cancelled": lambda r: r["action_name"] == "cancelMessage",
    "comment": lambda r: r["action_name"] == "createConversationMessageComment",
    "feedback by the UI": lambda r: r["action_name"] == "updateConversationMessageFeedback",
    "feedback by the API": lambda r: r["action_name"] == "genieSendMessageFeedback",
    "trashed space": lambda r: r["action_name"] == "trashSpace",
    "unknown action with ids": lambda r: r["action_name"] == "pinConversationMessage",
    "unknown action without": lambda r: r["action_name"] == "previewAgentMemory",
    "foreign with ids": lambda r: r["service_name"] == "genieChat" and message_id_of(r),
    "conversation deleted": lambda r: r["action_name"] == "deleteConversation" and not message_id_of(r),
}


@pytest.mark.parametrize("case", _ROW_CASES)
def test_each_special_audit_row_occurs(account: Account, case: str) -> None:
    assert any(_ROW_CASES[case](arriving.row) for arriving in account.audit)


def test_unfinished_messages_are_twenty_hours_old(account: Account) -> None:
    running = [m for m in account.messages if m.states[-1].body["status"] == "EXECUTING_QUERY"]
    assert len(running) >= 2
    assert all(19 * HOUR < account.anchor - m.states[0].at < 21 * HOUR for m in running)


def test_our_own_reads_are_in_the_log_in_every_spelling(account: Account) -> None:
    application_id = account.principal.application_id
    identities = [arriving.row["user_identity"] for arriving in account.audit]
    assert {"email": application_id, "subject_name": None} in identities
    assert {"email": None, "subject_name": application_id} in identities
    assert {"email": application_id.upper(), "subject_name": None} in identities


def test_rows_are_delivered_twice_and_request_and_answer_may_be_two_rows(account: Account) -> None:
    events = Counter(arriving.row["event_id"] for arriving in account.audit)
    assert max(events.values()) > 1
    requests = defaultdict(set)
    for arriving in account.audit:
        requests[arriving.row["request_id"]].add(arriving.row["event_id"])
    assert any(len(ids) > 1 for ids in requests.values())


def test_permissions_and_deletions_are_all_there(account: Account) -> None:
    assert {space.access for space in account.spaces} == {"manage", "run", "none"}
    assert sum(message.access == "none" for message in account.messages) >= 2
    trashed = next(space for space in account.spaces if space.trashed_at is not None)
    emptied = [message for message in account.messages if message.space_id == trashed.space_id]
    assert emptied
    assert all(m.deleted_at is not None and m.deleted_at < trashed.trashed_at for m in emptied)
    logged = Counter(a.row["action_name"] for a in account.audit if a.row["action_name"].startswith("deleteC"))
    assert logged["deleteConversation"] >= 4
    assert logged["deleteConversationMessage"] >= 5
    ages = [m.deleted_at - m.states[0].at for m in account.messages if m.deleted_at is not None]
    assert min(ages) < 6 * HOUR
    assert max(ages) > 2 * DAY


def test_statements_have_their_special_cases(account: Account) -> None:
    rows = [arriving.row for arriving in account.query_history]
    linked = {one for body in bodies_of(account) for one in statement_ids_of(body)}
    assert {row["execution_status"] for row in rows} == {"FINISHED", "FAILED", "CANCELED"}
    assert all(row["error_message"] for row in rows if row["execution_status"] == "FAILED")
    assert any(row["total_duration_ms"] < 0 for row in rows)
    assert any(row["statement_text"] == "<REDACTED>" for row in rows)
    assert any(row["query_source"]["genie_space_id"] and row["statement_id"] not in linked for row in rows)
    assert any(row["query_source"]["genie_space_id"] is None for row in rows)
    assert max(Counter(row["statement_id"] for row in rows).values()) == 2
    assert any(arriving.arrives_at > account.anchor for arriving in account.query_history)
    assert 0 < len(linked - {row["statement_id"] for row in rows}) < 40
