"""Genie message JSON to facts."""

import datetime as dt
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.messages import (
    Message,
    as_json,
    as_text,
    content_hash,
    is_settled,
    message_id_of,
    parse_message,
    rating,
    utc_date,
)

# Surrogates included: JSON can spell them.
texts = st.text(st.characters(exclude_categories=()), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
_times = st.sampled_from(
    [
        *(0, -1, 1, 10**18, 2**63 - 1, 2**63, 1e30, math.nan, math.inf, "9" * 18, "9" * 5000),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-02", "24:00"),
    ]
)
_queries = st.fixed_dictionaries(
    {},
    optional={
        "query": json_values | st.just("SELECT 1"),
        "statement_id": json_values | st.just("st-1"),
        "title": json_values,
        "description": json_values,
        "query_result_metadata": json_values | st.fixed_dictionaries({"row_count": json_values}),
    },
)
_attachments = st.lists(
    json_values
    | st.fixed_dictionaries({"query": json_values | _queries})
    | st.fixed_dictionaries({"text": json_values | st.fixed_dictionaries({"content": json_values})}),
    max_size=3,
)
bodies = st.dictionaries(texts, json_values, max_size=3).flatmap(
    lambda rest: st.fixed_dictionaries(
        {},
        optional={
            "message_id": json_values,
            "id": json_values,
            "user_id": json_values,
            "content": json_values,
            "status": json_values | st.sampled_from(["COMPLETED", "ASKING_AI"]),
            "created_timestamp": json_values | _times,
            "last_updated_timestamp": json_values | _times,
            "attachments": json_values | _attachments,
            "query_result": json_values | _queries,
            "feedback": json_values | st.fixed_dictionaries({"rating": json_values, "comment": json_values}),
            "error": json_values | st.fixed_dictionaries({"type": json_values, "error": json_values}),
        },
    ).map(lambda known: rest | known)
)


def message(**fields: Any) -> Message:
    return parse_message({"message_id": "m1", "status": "COMPLETED", **fields})


def query(sql: str | None = "SELECT 1", statement_id: str | None = None, **fields: Any) -> dict[str, Any]:
    body = {"query": sql, "statement_id": statement_id, **fields}
    return {"query": {name: value for name, value in body.items() if value is not None}}


def text(content: str, purpose: str | None = "TEXT_ATTACHMENT_PURPOSE_FINAL_ANSWER") -> dict[str, Any]:
    return {"text": {"content": content} | ({"purpose": purpose} if purpose else {})}


@given(bodies)
@settings(deadline=None, max_examples=150)
def test_whatever_the_api_sends_is_read_and_its_times_are_times(body: dict[str, Any]) -> None:
    """One strange message must not stop the messages beside it, now or when it is read again."""
    parsed = parse_message(body)
    for ms in (parsed.created_timestamp, parsed.last_updated_timestamp):
        if ms is not None:
            assert dt.datetime.fromtimestamp(ms / 1000, dt.UTC) > dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
            assert utc_date(ms) is not None
    assert (parsed.attachments is None) == (not isinstance(body.get("attachments"), list))
    assert all(
        count is None or isinstance(count, int) for count in (a.row_count for a in parsed.attachments or ())
    )
    again = parse_message(json.loads(as_json(body)))
    assert (again.content, again.status, again.message_id) == (parsed.content, parsed.status, parsed.message_id)
    assert again.created_timestamp == parsed.created_timestamp


@given(json_values)
@settings(deadline=None, max_examples=100)
def test_stored_json_is_strict_utf8_and_says_the_same(value: Any) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    stored = as_json(value)
    stored.encode("utf-8")
    assert json.loads(stored, parse_constant=refuse) == json.loads(
        json.dumps(value), parse_constant=lambda _: None
    )


def test_readable_text_stays_readable() -> None:
    assert as_json({"q": "Wie groß? 日本"}) == '{"q":"Wie groß? 日本"}'
    assert as_json({"q": "half \ud83d"}) == '{"q":"half \\ud83d"}'
    assert as_json([math.nan, math.inf, "NaN"]) == '[null,null,"NaN"]'


def _shuffled(value: Any) -> Any:
    """The same JSON with every object's keys the other way round."""
    if isinstance(value, dict):
        return {key: _shuffled(value[key]) for key in reversed(value)}
    return [_shuffled(item) for item in value] if isinstance(value, list) else value


@given(bodies, texts)
@settings(deadline=None, max_examples=100)
def test_the_same_answer_has_the_same_hash(body: dict[str, Any], signature: str) -> None:
    signed = {**body, "download_id_signature": signature, "nested": [{"x_signature": signature}]}
    resigned = {**body, "nested": [{"x_signature": "another"}]}
    assert content_hash(_shuffled(signed)) == content_hash(resigned)
    assert len(content_hash(body)) == 64


def test_another_answer_has_another_hash() -> None:
    answers: list[dict[str, Any]] = [
        {"content": "a"},
        {"content": "b"},
        {"content": None},
        {},
        {"attachments": []},
        {"attachments": [{"text": {"content": "a"}}, {"text": {"content": "b"}}]},
        {"attachments": [{"text": {"content": "b"}}, {"text": {"content": "a"}}]},
        {"content": "\ud800"},
        {"signature_of": "a"},
    ]
    assert len({content_hash(answer) for answer in answers}) == len(answers)


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED", "QUERY_RESULT_EXPIRED"])
def test_a_terminal_status_is_settled(status: str) -> None:
    assert is_settled(status)
    assert message(status=status).is_settled


@pytest.mark.parametrize(
    "status", ["SUBMITTED", "EXECUTING_QUERY", "ASKING_AI", "BRAND_NEW", "completed", "", None, 7]
)
def test_any_other_status_may_still_change(status: Any) -> None:
    """A status that is added later must be looked at again, not taken for the end."""
    assert not message(status=status).is_settled


def test_no_attachments_yet_differs_from_an_empty_answer() -> None:
    assert message().attachments is None
    assert message(attachments=None).attachments is None
    assert message(attachments={}).attachments is None
    assert message(attachments=[]).attachments == ()


def test_attachments_are_numbered_and_named_by_their_key() -> None:
    items = [query(), text("t"), {"viz": {}}, {"suggested_questions": {"questions": []}}, {"new": {}}, "odd", None]
    attachments = message(attachments=items).attachments
    assert attachments is not None
    assert [(a.ordinal, a.attachment_type) for a in attachments] == [
        (1, "QUERY"),
        (2, "TEXT"),
        (3, "VIZ"),
        (4, "SUGGESTED_QUESTIONS"),
        (5, "OTHER"),
        (6, "OTHER"),
        (7, "OTHER"),
    ]
    assert [a.body for a in attachments] == items


def test_a_query_attachment_is_read_whole() -> None:
    item = {
        "attachment_id": "a1",
        "query": {
            "query": "SELECT 1",
            "title": "One",
            "description": "Just one",
            "statement_id": "st-1",
            "query_result_metadata": {"row_count": "9007199254740993"},
        },
    }
    (attachment,) = message(attachments=[item]).attachments or ()
    assert (attachment.attachment_id, attachment.query_sql, attachment.query_title) == ("a1", "SELECT 1", "One")
    assert (attachment.query_description, attachment.statement_id) == ("Just one", "st-1")
    assert attachment.row_count == 9_007_199_254_740_993


def test_the_query_of_a_message_is_the_last_one_with_sql() -> None:
    parsed = message(attachments=[query("SELECT 1", "a"), query("SELECT 2", "b"), query("", "c"), text("t")])
    assert parsed.query is not None
    assert (parsed.query.query_sql, parsed.query.statement_id) == ("SELECT 2", "b")
    assert parsed.statement_ids == ("a", "b", "c")
    assert message(attachments=[text("t")]).query is None


def test_the_legacy_result_completes_only_the_last_query() -> None:
    legacy = {"statement_id": "old", "row_count": 5}
    parsed = message(attachments=[query("SELECT 1"), query("SELECT 2"), query(None)], query_result=legacy)
    assert [(a.statement_id, a.row_count) for a in parsed.attachments or ()] == [
        (None, None),
        ("old", 5),
        (None, None),
    ]


def test_the_legacy_result_replaces_nothing_that_is_known() -> None:
    """A result of 0 rows is known."""
    item = query("SELECT 1", "own", query_result_metadata={"row_count": 0})
    parsed = message(attachments=[item], query_result={"statement_id": "old", "row_count": 5})
    assert parsed.query is not None
    assert (parsed.query.statement_id, parsed.query.row_count) == ("own", 0)
    assert message(attachments=[text("t")], query_result={"statement_id": "old"}).statement_ids == ()


def test_a_negative_row_count_stands_for_an_unknown_one() -> None:
    parsed = [message(attachments=[query("SELECT 1", "own", query_result_metadata={"row_count": -1})])]
    parsed += [message(attachments=[query("SELECT 1", "own")], query_result={"row_count": "-1"})]
    assert [each.query and each.query.row_count for each in parsed] == [None, None]


def test_the_legacy_result_belongs_to_the_query_that_names_its_statement() -> None:
    """Else the SQL of one attachment would be shown with the execution of another."""
    legacy = {"statement_id": "x", "row_count": 5}
    parsed = message(attachments=[query("SELECT 1", "x"), query("SELECT 2")], query_result=legacy)
    assert [(a.statement_id, a.row_count) for a in parsed.attachments or ()] == [("x", 5), (None, None)]
    parsed = message(attachments=[query("SELECT 1"), query("SELECT 2", "y")], query_result=legacy)
    assert [(a.statement_id, a.row_count) for a in parsed.attachments or ()] == [(None, None), ("y", None)]
    parsed = message(attachments=[query("SELECT 2", "y")], query_result={"row_count": 5})
    assert [(a.statement_id, a.row_count) for a in parsed.attachments or ()] == [("y", 5)]


def test_the_answer_is_the_text_marked_as_answer() -> None:
    parsed = message(
        attachments=[
            text("First.", "FINAL_ANSWER"),
            text("What do you mean?", "FOLLOW_UP_QUESTION"),
            text("unmarked", None),
            text("Second.", "text_attachment_purpose_answer"),
            text("", "ANSWER"),
        ]
    )
    assert parsed.answer_text == "First.\n\nSecond."
    assert message(attachments=[text("x", "FOLLOW_UP_QUESTION")]).answer_text is None
    assert message().answer_text is None


def named(content: str, purpose: str | None = None, **more: Any) -> dict[str, Any]:
    item = text(content, purpose)
    return {"attachment_id": f"id of {content}", "text": {**item["text"], **more}}


@pytest.mark.parametrize(
    ("attachments", "answer"),
    [
        ([query("SELECT 1"), text("Ten.", None)], "Ten."),
        ([named("Ten."), query("SELECT 1")], "Ten."),
        ([named("Which one?", "FOLLOW_UP_QUESTION"), text("Ten.", None)], "Ten."),
        ([named("Perhaps ten."), text("Ten.", None)], "Ten."),
        ([named("Ten.", "ANSWER"), named("Ask me more.")], "Ten."),
        ([named("First.", "ANSWER"), query("SELECT 1"), named("Last.", "ANSWER")], "First.\n\nLast."),
        ([query("SELECT 1"), named("Nine.", "ANSWER"), query("SELECT 2"), named("Ten.", "ANSWER")], "Ten."),
        ([query("SELECT 1"), named("Nine."), query("SELECT 2"), named("Ten.")], "Ten."),
        ([named("Hm.", phase="RESPONSE_PHASE_THINKING"), query("SELECT 1"), named("Ten.")], "Ten."),
        ([named("Sure?", phase="RESPONSE_PHASE_VERIFYING")], None),
        ([named("Ten.", "TEXT_ATTACHMENT_PURPOSE_ANSWER", phase="RESPONSE_PHASE_VERIFYING")], "Ten."),
        ([named("Of a purpose that comes later.", "SOMETHING_NEW")], None),
        ([query("SELECT 1"), named("Nine."), query("SELECT 2")], None),
        ([], None),
    ],
)
def test_the_answer_is_found_where_nothing_is_marked_and_tries_are_superseded(
    attachments: list[dict[str, Any]], answer: str | None
) -> None:
    assert message(attachments=attachments).answer_text == answer


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("POSITIVE", "POSITIVE"),
        ("GENIE_FEEDBACK_RATING_POSITIVE", "POSITIVE"),
        ("THUMBS_UP", "POSITIVE"),
        ("thumbs_up", "POSITIVE"),
        ("NEGATIVE", "NEGATIVE"),
        ("FEEDBACK_RATING_THUMBS_DOWN", "NEGATIVE"),
        ("NONE", None),
        ("GENIE_FEEDBACK_RATING_UNSPECIFIED", None),
        ("", None),
        (None, None),
        (1, None),
        ({}, None),
    ],
)
def test_ratings_of_every_vocabulary_become_two(value: Any, expected: str | None) -> None:
    assert rating(value) == expected
    assert message(feedback={"rating": value}).feedback_rating == expected


def test_empty_texts_are_unknown() -> None:
    parsed = message(content="", feedback={"comment": ""}, error={"type": "", "error": ""})
    assert (parsed.content, parsed.feedback_comment, parsed.error_type, parsed.error_message) == (None,) * 4
    values: tuple[Any, ...] = ("", None, 0, [], " ")
    assert [as_text(value) for value in values] == [None, None, None, None, " "]


def test_an_error_is_read_whenever_present() -> None:
    parsed = message(status="COMPLETED", error={"type": "TIMEOUT", "error": "Too slow"})
    assert (parsed.error_type, parsed.error_message) == ("TIMEOUT", "Too slow")


def test_the_legacy_id_stands_in_for_the_message_id() -> None:
    assert message_id_of({"message_id": "new", "id": "old"}) == "new"
    assert message_id_of({"message_id": "", "id": "old"}) == "old"
    assert message_id_of({"message_id": 5}) is None


def test_a_user_id_that_is_no_number_is_kept() -> None:
    assert message(user_id="ann").user_id == "ann"
    assert message(user_id=None).user_id is None
