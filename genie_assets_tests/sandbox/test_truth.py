"""The truth: literal rows for hand-written accounts, and invariants for every generated one."""

import datetime as dt
import hashlib
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genie_assets.domain.tables import TABLES
from genie_assets.sandbox.account import (
    Account,
    ArrivingRow,
    Message,
    MessageState,
    Principal,
    Space,
    Workspace,
)
from genie_assets.sandbox.generator import generate
from genie_assets.sandbox.truth import comparable, counts, possible_extras, truth

HOUR = 3_600_000
DAY = 24 * HOUR
START = int(dt.datetime(2026, 3, 2, tzinfo=dt.UTC).timestamp() * 1000)
NOW = START + 3 * DAY
ANCHOR = dt.datetime(2026, 8, 20, 14, 30, tzinfo=dt.UTC)
few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _at(moment: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(moment / 1000, dt.UTC)


def _row(number: int, at: int, action: str, params: dict[str, str], **more: Any) -> ArrivingRow:
    """An audit row that arrives ten minutes later; `more` overrides its parts."""
    return ArrivingRow(
        more.get("arrives_at", at + 600_000),
        {
            "event_id": f"event-{number}",
            "event_time": at,
            "event_date": _at(at).date().isoformat(),
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


def _ids(message_id: str, conversation_id: str = "c1") -> dict[str, str]:
    return {"space_id": "s1", "conversation_id": conversation_id, "message_id": message_id}


def _message(message_id: str, at: int = START, **fields: Any) -> Message:
    conversation_id = fields.pop("conversation_id", "c1")
    body = {**_ids(message_id, conversation_id), "created_timestamp": at, "status": "COMPLETED", **fields}
    return Message("1", "s1", conversation_id, message_id, (MessageState(at, body),))


def _account(
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


def _fetch_rows(*audit: ArrivingRow, at: int = NOW) -> dict[tuple[str, str], dict[str, Any]]:
    rows = truth(_account(audit=audit), at=at, urls={"1": "https://one"})["genie_messages_to_fetch"]
    by_key = {(str(row["event_date"]), row["message_id"]): row for row in rows}
    assert len(by_key) == len(rows)
    return by_key


# Audit log


def test_a_day_row_joins_the_events_of_the_day() -> None:
    ask = {"spaceId": "s1", "conversationId": "c1"}
    rows = _fetch_rows(
        _row(1, START, "genieCreateConversationMessage", ask, result='{"messageId": "m1"}'),
        _row(2, START + 5000, "getConversationMessage", _ids("m1"), email="bo@x.example"),
        _row(2, START + 5000, "getConversationMessage", _ids("m1"), email="bo@x.example"),
        _row(3, START + 9000, "genieGetConversationMessage", _ids("m1")),
        _row(4, START + DAY, "getConversationMessage", _ids("m1"), email="bo@x.example"),
    )
    assert rows["2026-03-02", "m1"] == {
        "event_date": dt.date(2026, 3, 2),
        "workspace_id": "1",
        "workspace_name": "One",
        "workspace_url": "https://one",
        **_ids("m1"),
        "user_email": "ana@x.example",
        "first_event_time": _at(START),
        "last_event_time": _at(START + 9000),
        "last_change_time": _at(START),
        "is_new": True,
        "is_deleted": False,
        "actions": ["genieCreateConversationMessage", "genieGetConversationMessage", "getConversationMessage"],
        "event_count": 3,
    }
    second = rows["2026-03-03", "m1"]
    assert (second["is_new"], second["user_email"], second["last_change_time"]) == (False, None, None)
    assert len(rows) == 2


def test_what_is_no_evidence_makes_no_row() -> None:
    rows = _fetch_rows(
        _row(1, START, "genieGetConversationMessage", _ids("m1"), email="APP-1"),
        _row(2, START, "genieGetConversationMessage", _ids("m2"), email=None, subject="app-1"),
        _row(3, START, "getConversationMessage", _ids("m3"), status=404),
        _row(4, START, "executeMessageQuery", _ids("m4"), status=400),
        _row(5, START, "createGenieChatResponse", _ids("m5"), service="genieChat"),
        _row(6, START, "createConversationMessage", {"space_id": "s1"}, status=429),
        _row(7, START, "createConversationMessage", {"space_id": "s1"}, result='{"message_id": "m7'),
        _row(8, START, "createConversationMessage", {"space_id": "s1"}, result='["message_id"]'),
        _row(9, START, "createConversationMessage", _ids("m9"), arrives_at=NOW + 1),
    )
    assert rows == {}


def test_a_refused_change_proves_the_message_and_changes_nothing() -> None:
    row = _fetch_rows(_row(1, START, "createConversationMessage", _ids("m1"), status=403))["2026-03-02", "m1"]
    assert (row["is_new"], row["user_email"], row["last_change_time"]) == (False, None, None)


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        ("updateConversationMessageFeedback", True),
        ("actionOfTheFuture", True),
        ("genieActionOfTheFuture", True),
        ("summarizeSqlExecutionResults", False),
        ("genieGenerateDownloadFullQueryResult", False),
        ("listConversationMessageComments", False),
    ],
)
def test_every_action_that_does_not_read_is_a_change(action: str, changes: bool) -> None:
    row = _fetch_rows(_row(1, START, action, _ids("m1")))["2026-03-02", "m1"]
    assert (row["last_change_time"] is not None) is changes


def test_a_deleted_message_is_deleted_on_its_earlier_days_too() -> None:
    rows = _fetch_rows(
        _row(1, START, "createConversationMessage", _ids("m1")),
        _row(2, START, "createConversationMessage", _ids("m2")),
        _row(3, START + DAY, "deleteConversationMessage", _ids("m1")),
        _row(4, START + DAY, "deleteConversationMessage", _ids("m2"), status=403),
    )
    deleted = {key: row["is_deleted"] for key, row in rows.items()}
    assert deleted == {
        ("2026-03-02", "m1"): True,
        ("2026-03-03", "m1"): True,
        ("2026-03-02", "m2"): False,
        ("2026-03-03", "m2"): False,
    }


def test_a_deleted_conversation_touches_the_messages_known_by_then() -> None:
    gone = {"space_id": "s1", "conversation_id": "c1"}
    rows = _fetch_rows(
        _row(1, START, "createConversationMessage", _ids("m1")),
        _row(2, START + DAY, "createConversationMessage", _ids("m2")),
        _row(3, START + DAY + HOUR, "deleteConversation", gone),
        _row(4, START, "createConversationMessage", _ids("m3", "c2")),
        _row(5, START + 2 * DAY, "getConversationMessage", _ids("m4")),
    )
    first = rows["2026-03-03", "m1"]
    assert first["actions"] == ["deleteConversation"]
    assert (first["is_new"], first["is_deleted"], first["user_email"]) == (False, True, None)
    assert first["last_change_time"] == first["first_event_time"] == _at(START + DAY + HOUR)
    second = rows["2026-03-03", "m2"]
    assert second["actions"] == ["createConversationMessage", "deleteConversation"]
    assert (second["is_new"], second["event_count"], second["user_email"]) == (True, 2, "ana@x.example")
    assert rows["2026-03-02", "m1"]["is_deleted"]
    assert not rows["2026-03-02", "m3"]["is_deleted"]
    assert not rows["2026-03-04", "m4"]["is_deleted"]
    assert len(rows) == 5


# Messages


def _details(
    message: Message, *history: tuple[int, dict[str, Any]], at: int = NOW
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    ask = _row(1, message.states[0].at, "createConversationMessage", _ids(message.message_id))
    found = truth(_account(audit=(ask,), messages=(message,), history=history), at=at)
    (row,) = found["message_details"]
    return row, found["message_attachments"]


def _run(statement_id: str, **more: Any) -> dict[str, Any]:
    return {
        "workspace_id": "1",
        "statement_id": statement_id,
        "execution_status": "FINISHED",
        "start_time": START + 1000,
        "end_time": START + 2000,
        "update_time": START + 3000,
        "compute": {"warehouse_id": "w"},
        "total_duration_ms": 1000,
        "waiting_for_compute_duration_ms": None,
        "waiting_at_capacity_duration_ms": None,
        "compilation_duration_ms": 100,
        "execution_duration_ms": 850,
        "result_fetch_duration_ms": 50,
        "read_rows": 7,
        "read_bytes": 70,
        "from_result_cache": False,
        "error_message": None,
        **more,
    }


def _query(statement_id: str | None = None, sql: str | None = None, **more: Any) -> dict[str, Any]:
    query = {**more, **({"statement_id": statement_id} if statement_id else {}), **({"query": sql} if sql else {})}
    return {"attachment_id": f"a-{statement_id}", "query": query}


def test_the_last_query_with_sql_speaks_for_the_message() -> None:
    attachments = [
        _query("q1", "SELECT 1", title="one"),
        {"text": {"content": "First.", "purpose": "TEXT_ATTACHMENT_PURPOSE_ANSWER"}},
        _query("q2", "SELECT 2", title="two", query_result_metadata={"row_count": "12"}),
        {"text": {"content": "hm", "phase": "RESPONSE_PHASE_THINKING"}},
        {"text": {"content": "Second.", "purpose": "ANSWER"}},
        {"text": {"content": "Which one?", "purpose": "FOLLOW_UP_QUESTION"}},
        _query(description="nothing to run"),
        {"novelty": {}},
        {"suggested_questions": {"questions": []}},
        {"viz": {}},
    ]
    message = _message(
        "m1", attachments=attachments, user_id=2**60, last_updated_timestamp=str(START + 4000), content="?"
    )
    older = _run("q2", update_time=START + 1, total_duration_ms=5)
    row, rows = _details(message, (NOW, _run("q2", waiting_at_capacity_duration_ms=9)), (NOW, older))
    expected = {
        "query_sql": "SELECT 2",
        "query_title": "two",
        "statement_id": "q2",
        "query_row_count": 12,
        "statements_count": 2,
        "attachments_count": 10,
        "answer_text": "First.\n\nSecond.",
        "user_id": str(2**60),
        "user_email": "ana@x.example",
        "response_time_ms": 4000,
        "enrichment_status": "EXPIRED",
        "query_duration_ms": 1000,
        "query_wait_ms": 9,
        "query_warehouse_id": "w",
        "query_start_time": _at(START + 1000),
        "space_name": "Sales",
        "workspace_name": "One",
        "conversation_position": 1,
        "created_date": dt.date(2026, 3, 2),
    }
    assert {name: row[name] for name in expected} == expected
    assert [one["attachment_type"] for one in rows] == [
        *("QUERY", "TEXT", "QUERY", "TEXT", "TEXT", "TEXT", "QUERY", "OTHER", "SUGGESTED_QUESTIONS", "VIZ")
    ]
    assert [one["statement_id"] for one in rows] == ["q1", None, "q2", *[None] * 7]
    assert [one["query_duration_ms"] for one in rows] == [None, None, 1000, *[None] * 7]


def test_enrichment_waits_three_days_for_statements() -> None:
    message = _message("m1", attachments=[_query("q1", "SELECT 1")])
    history = (START + 10 * DAY, _run("q1"))
    statuses = [
        _details(message, history, at=at)[0]["enrichment_status"]
        for at in (START + 72 * HOUR - 1, START + 72 * HOUR, START + 10 * DAY)
    ]
    assert statuses == ["PENDING", "EXPIRED", "COMPLETE"]
    assert _details(_message("m1", attachments=[]))[0]["enrichment_status"] == "NOT_APPLICABLE"


def test_legacy_messages_take_what_they_lack_from_their_result() -> None:
    result = {"statement_id": "q9", "row_count": 4}
    message = _message("m1", attachments=[_query(None, "SELECT 0"), _query(None, "SELECT 1")], query_result=result)
    row, rows = _details(message, (NOW, _run("q9")))
    assert (row["statement_id"], row["query_row_count"], row["enrichment_status"]) == ("q9", 4, "COMPLETE")
    assert [(one["statement_id"], one["row_count"]) for one in rows] == [(None, None), ("q9", 4)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (None, None, None)),
        ({"attachments": None}, (None, None, None)),
        ({"attachments": []}, (0, "[]", 0)),
    ],
)
def test_unknown_attachments_are_not_none_of_them(fields: dict[str, Any], expected: tuple[Any, ...]) -> None:
    row, _ = _details(_message("m1", **fields))
    assert (row["attachments_count"], row["attachments_json"], row["statements_count"]) == expected


def test_negative_durations_and_redacted_texts_are_unknown() -> None:
    run = _run("q1", total_duration_ms=-4, compilation_duration_ms=-1, error_message="<REDACTED>")
    row, (attachment,) = _details(_message("m1", attachments=[_query("q1", "SELECT 1")]), (NOW, run))
    assert (row["query_duration_ms"], row["query_compile_ms"], row["query_error_message"]) == (None, None, None)
    assert (row["query_execution_ms"], row["query_fetch_ms"], row["query_wait_ms"]) == (850, 50, None)
    assert attachment["query_duration_ms"] is None


@pytest.mark.parametrize(
    ("rating", "expected"),
    [
        ("POSITIVE", "POSITIVE"),
        ("FEEDBACK_RATING_THUMBS_UP", "POSITIVE"),
        ("THUMBS_DOWN", "NEGATIVE"),
        ("FEEDBACK_RATING_NEGATIVE", "NEGATIVE"),
        ("NONE", None),
        ("SO_SO", None),
    ],
)
def test_both_vocabularies_of_ratings_mean_the_same(rating: str, expected: str | None) -> None:
    row, _ = _details(_message("m1", feedback={"rating": rating, "comment": ""}))
    assert (row["feedback_rating"], row["feedback_comment"]) == (expected, None)


def test_response_time_is_unknown_while_running_or_negative() -> None:
    running = _message("m1", status="ASKING_AI", last_updated_timestamp=START + 5)
    backwards = _message("m1", last_updated_timestamp=START - 5)
    assert _details(running)[0]["response_time_ms"] is None
    assert _details(backwards)[0]["response_time_ms"] is None


def test_each_message_is_in_exactly_one_drawer() -> None:
    """Stored, open error of its class, or deleted."""
    asks = [
        _row(number, START, "createConversationMessage", _ids(message_id, f"c-{message_id}"))
        for number, message_id in enumerate(("ok", "denied", "gone", "deleted", "locked", "nowhere"))
    ]
    odd = _row(20, START, "getConversationMessage", {"space_id": "s1", "message_id": "half"})
    dots = _row(21, START, "getConversationMessage", {**_ids("dots"), "conversation_id": ".."})
    delete = _row(22, START + 5, "deleteConversationMessage", _ids("deleted", "c-deleted"))
    elsewhere = replace(asks[5], row={**asks[5].row, "workspace_id": "2"})
    messages = [_message(one, conversation_id=f"c-{one}") for one in ("ok", "denied", "gone", "deleted", "locked")]
    messages[1] = replace(messages[1], access="none")
    messages[2] = replace(messages[2], deleted_at=START + 1)
    messages[3] = replace(messages[3], deleted_at=START + 5)
    messages[4] = replace(messages[4], space_id="s2")
    locked = replace(asks[4], row={**asks[4].row, "request_params": {**_ids("locked", "c"), "space_id": "s2"}})
    account = _account(audit=(*asks[:4], locked, elsewhere, odd, dots, delete), messages=tuple(messages))
    account = replace(
        account,
        workspaces=(*account.workspaces, Workspace("2", "Two", listed=False)),
        spaces=(*account.spaces, Space("1", "s2", {"title": "Secret"}, access="none")),
    )
    found = truth(account, at=NOW)
    assert [row["message_id"] for row in found["message_details"]] == ["ok"]
    errors = {row["message_id"]: (row["error_class"], row["error_type"]) for row in found["message_fetch_errors"]}
    assert errors == {
        "denied": ("PERMISSION", "AUTH_ERROR"),
        "locked": ("PERMISSION", "AUTH_ERROR"),
        "gone": ("NOT_FOUND", "FAILED"),
        "nowhere": ("CONFIG", "FAILED"),
        "half": ("BAD_REFERENCE", "FAILED"),
        "dots": ("BAD_REFERENCE", "FAILED"),
    }
    assert counts(account, NOW) == {
        "messages_expected": 8,
        "messages_stored": 1,
        "open_errors": 6,
        "deleted": 1,
        "pending": 0,
    }
    spaces = {
        (row["workspace_id"], row["space_id"]): row["api_fetch_status"] for row in found["genie_space_details"]
    }
    assert spaces == {("1", "s1"): "SUCCESS", ("1", "s2"): "PERMISSION", ("2", "s1"): "CONFIG"}


def test_spaces_show_what_may_be_read() -> None:
    body = {
        "title": "Sales",
        "serialized_space": '{"version": 2, "b": {"ü": 1}}',
        "create_time": "2026-02-03T09:00:00.5Z",
    }
    account = replace(
        _account(audit=(_row(1, START, "getConversationMessage", {**_ids("m1"), "space_id": "trashed"}),)),
        spaces=(
            Space("1", "whole", body),
            Space("1", "run", body, access="run"),
            Space("1", "hidden", body, access="none"),
            Space("1", "trashed", body, trashed_at=START),
        ),
    )
    rows = {row["space_id"]: row for row in truth(account, at=NOW)["genie_space_details"]}
    canonical = '{"b":{"ü":1},"version":2}'
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    facts = ("title", "serialized_space", "config_hash", "create_time", "api_fetch_status")
    created = dt.datetime(2026, 2, 3, 9, 0, 0, 500_000, tzinfo=dt.UTC)
    assert {space_id: tuple(row[name] for name in facts) for space_id, row in rows.items()} == {
        "whole": ("Sales", canonical, digest, created, "SUCCESS"),
        "run": ("Sales", None, None, created, "PERMISSION"),
        "trashed": (None, None, None, None, "NOT_FOUND"),
    }


# Every generated account


@few
@given(seed=st.integers(0, 10**6), messages=st.integers(40, 150), hours=st.integers(-200, 30))
def test_discovered_messages_are_stored_or_errors_or_deleted(seed: int, messages: int, hours: int) -> None:
    account = generate(seed=seed, anchor=ANCHOR, days=6, messages=messages, unlisted_workspaces=seed % 2)
    at = account.anchor + hours * HOUR
    count, found = counts(account, at), truth(account, at=at)
    assert count["messages_expected"] == sum(count.values()) - count["messages_expected"]
    assert count["pending"] == 0
    discovered = {(row["workspace_id"], row["message_id"]) for row in found["genie_messages_to_fetch"]}
    stored = {(row["workspace_id"], row["message_id"]) for row in found["message_details"]}
    errors = {(row["workspace_id"], row["message_id"]) for row in found["message_fetch_errors"]}
    deleted = {
        (row["workspace_id"], row["message_id"]) for row in found["genie_messages_to_fetch"] if row["is_deleted"]
    }
    assert len(discovered) == count["messages_expected"]
    assert stored | errors | deleted == discovered
    assert len(stored) + len(errors) + len(deleted) == len(discovered)
    for table in TABLES:
        keys = [tuple(row.get(name) for name in table.key) for row in found.get(table.name, [])]
        assert len(keys) == len(set(keys)) or table.name == "genie_api_messages"
        assert all(set(row) <= set(table.column_names) for row in found.get(table.name, []))


@few
@given(seed=st.integers(0, 10**6), messages=st.integers(40, 150))
def test_late_rows_bring_the_rest_and_nothing_else_changes(seed: int, messages: int) -> None:
    """A lower bound at the anchor, the whole a day later, and every possible extra lies between."""
    account = generate(seed=seed, anchor=ANCHOR, days=6, messages=messages)
    early, late = (
        {(row["workspace_id"], row["message_id"]): row for row in truth(account, at=at)["message_details"]}
        for at in (account.anchor, account.anchor + DAY)
    )
    extras = possible_extras(account, account.anchor)
    assert early.keys() < late.keys()
    assert extras <= late.keys() - early.keys()
    assert extras
    assert late.keys() - early.keys() - extras
    assert possible_extras(account, account.anchor + DAY) == set()
    for key, row in early.items():
        assert row["conversation_position"] == late[key]["conversation_position"]
        assert row["attachments_json"] == late[key]["attachments_json"]
    readable = {
        (message.workspace_id, message.message_id)
        for message in account.messages
        if message.deleted_at is None
        and message.access == "ok"
        and next(one for one in account.spaces if one.space_id == message.space_id).access != "none"
    }
    assert late.keys() == readable


def test_default_account_has_every_outcome() -> None:
    account = generate(seed=7, anchor=ANCHOR)
    early, late = (truth(account, at=at) for at in (account.anchor, account.anchor + DAY))
    classes = Counter(row["error_class"] for row in late["message_fetch_errors"])
    assert set(classes) == {"PERMISSION", "NOT_FOUND", "BAD_REFERENCE"}
    assert len(early["message_fetch_errors"]) > len(late["message_fetch_errors"])  # late news of deletions
    assert sum(classes.values()) < 40
    assert {row["enrichment_status"] for row in early["message_details"]} == {
        *("COMPLETE", "NOT_APPLICABLE", "PENDING", "EXPIRED")
    }
    assert {row["api_fetch_status"] for row in late["genie_space_details"]} == {
        *("SUCCESS", "PERMISSION", "NOT_FOUND")
    }
    assert sum(not row["is_settled"] for row in late["genie_api_messages"]) == 6
    assert counts(account, account.anchor + DAY)["deleted"] > 15


def test_comparable_makes_equal_what_means_the_same() -> None:
    arrow = {
        "attachments_json": '[{"b": 1, "a": "\\ud83d"}]',
        "content": "x\ufffdy",
        "query_start_time": pd.Timestamp("2026-03-02T00:00:01Z"),
        "query_read_rows": pd.NA,
        "error_type": float("nan"),
        "actions": pd.Series(["a", "b"]).to_numpy(),
        "attachments_count": pd.Series([3], dtype="Int32").to_numpy()[0],
    }
    expected = {
        "attachments_json": json.dumps([{"a": "\ufffd", "b": 1}]),
        "content": "x\ud83dy",
        "query_start_time": dt.datetime(2026, 3, 2, 0, 0, 1, tzinfo=dt.UTC),
        "query_read_rows": None,
        "error_type": None,
        "actions": ["a", "b"],
        "attachments_count": 3,
    }
    assert comparable(arrow) == comparable(expected)
    assert comparable({"content": "a"}) != comparable({"content": "b"})
