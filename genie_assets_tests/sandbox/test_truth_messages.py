"""The truth of the message tables: literal values for hand-written messages."""

import datetime as dt
from typing import Any

import pytest

from genie_assets_tests.sandbox.tiny import (
    DAY,
    HOUR,
    NOW,
    START,
    account_of,
    audit_row,
    ids_of,
    message_of,
    utc,
)
from genie_sandbox.account import Message
from genie_sandbox.truth.tables import truth


def _details(
    message: Message, *history: tuple[int, dict[str, Any]], at: int = NOW
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    ask = audit_row(1, message.states[0].at, "createConversationMessage", ids_of(message.message_id))
    found = truth(account_of(audit=(ask,), messages=(message,), history=history), at=at)
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
    message = message_of(
        "m1", attachments=attachments, user_id=2**60, last_updated_timestamp=str(START + 4000), content="?"
    )
    older = _run("q2", update_time=START + 1, total_duration_ms=5)
    history = (NOW, _run("q2", waiting_at_capacity_duration_ms=9)), (NOW, older)
    # Three days after its last change: whoever saw it run waits for its statements until then.
    row, rows = _details(message, *history, at=NOW + HOUR)
    expected = {
        "query_sql": "SELECT 2",
        "query_title": "two",
        "statement_id": "q2",
        "query_row_count": 12,
        "statements_count": 2,
        "attachments_count": 10,
        "answer_text": "Second.",
        "user_id": str(2**60),
        "user_email": "ana@x.example",
        "response_time_ms": 4000,
        "enrichment_status": "EXPIRED",
        "query_duration_ms": 1000,
        "query_wait_ms": 9,
        "query_warehouse_id": "w",
        "query_start_time": utc(START + 1000),
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


def _text(content: str, purpose: str | None = None, **more: Any) -> dict[str, Any]:
    return {"text": {"content": content, **({"purpose": purpose} if purpose else {}), **more}}


@pytest.mark.parametrize(
    ("attachments", "answer"),
    [
        ([_text("Old."), _query("q", "SELECT 1")], "Old."),
        ([_text("Intro."), _query("q", "SELECT 1"), _text("Sum.")], "Intro.\n\nSum."),
        (
            [_text("A."), _query("q", "SELECT 1"), _text("Wrong."), _query("p", "SELECT 2"), _text("Right.")],
            "A.\n\nRight.",
        ),
        ([_text("And which year?", "FOLLOW_UP_QUESTION"), _text("Sum.")], "Sum."),
        ([_text("Hm.", phase="RESPONSE_PHASE_THINKING"), _text("Sum.", "ANSWER")], "Sum."),
        ([_text("Which one?", "TEXT_ATTACHMENT_PURPOSE_FOLLOW_UP_QUESTION")], None),
        ([], None),
    ],
)
def test_the_answer_is_what_genie_wrote_in_the_end(attachments: list[dict[str, Any]], answer: str | None) -> None:
    row, _ = _details(message_of("m1", attachments=attachments))
    assert row["answer_text"] == answer


def test_a_statement_that_is_anothers_is_not_given_to_the_last_query() -> None:
    message = message_of(
        "m1",
        attachments=[_query("X", "SELECT 1"), _query(None, "SELECT 2")],
        query_result={"statement_id": "X", "row_count": 5},
    )
    row, rows = _details(message, (NOW, _run("X")))
    assert (row["query_sql"], row["statement_id"], row["query_duration_ms"]) == ("SELECT 2", None, None)
    assert [(one["statement_id"], one["row_count"]) for one in rows] == [("X", 5), (None, None)]


def test_enrichment_waits_three_days_for_statements() -> None:
    message = message_of("m1", attachments=[_query("q1", "SELECT 1")])
    history = (START + 10 * DAY, _run("q1"))
    statuses = [
        _details(message, history, at=at)[0]["enrichment_status"]
        for at in (START + 72 * HOUR - 1, START + 72 * HOUR, START + 10 * DAY)
    ]
    assert statuses == ["PENDING", "EXPIRED", "COMPLETE"]
    assert _details(message_of("m1", attachments=[]))[0]["enrichment_status"] == "NOT_APPLICABLE"


def test_legacy_messages_take_what_they_lack_from_their_result() -> None:
    result = {"statement_id": "q9", "row_count": 4}
    message = message_of(
        "m1", attachments=[_query(None, "SELECT 0"), _query(None, "SELECT 1")], query_result=result
    )
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
    row, _ = _details(message_of("m1", **fields))
    assert (row["attachments_count"], row["attachments_json"], row["statements_count"]) == expected


def test_negative_durations_and_redacted_texts_are_unknown() -> None:
    run = _run("q1", total_duration_ms=-4, compilation_duration_ms=-1, error_message="<REDACTED>")
    row, (attachment,) = _details(message_of("m1", attachments=[_query("q1", "SELECT 1")]), (NOW, run))
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
    row, _ = _details(message_of("m1", feedback={"rating": rating, "comment": ""}))
    assert (row["feedback_rating"], row["feedback_comment"]) == (expected, None)


def test_response_time_is_unknown_while_running_or_negative() -> None:
    running = message_of("m1", status="ASKING_AI", last_updated_timestamp=START + 5)
    backwards = message_of("m1", last_updated_timestamp=START - 5)
    assert _details(running)[0]["response_time_ms"] is None
    assert _details(backwards)[0]["response_time_ms"] is None
