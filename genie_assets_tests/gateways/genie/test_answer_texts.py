"""What is kept of an answer: of an error only Databricks' own words, of a message every number, and valid JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.messages import as_json, content_hash, parse_message
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.databricks.exchange import HttpAnswer
from genie_assets.gateways.databricks.http_answers import answer_error, json_object
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.scrubbing import one_line
from genie_assets.gateways.sql.errors import refused_statement
from genie_assets_tests.gateways.databricks.test_retries import NOW

QUESTION = "What does Ann in accounting earn?"


def error_of(body, status=400, content_type="application/json", **headers):
    data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return answer_error(HttpAnswer(status, {"Content-Type": content_type, **headers}, data), NOW).error


@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        (f"<html><title>{QUESTION}</title>{QUESTION}</html>", "text/html; charset=utf-8", "bytes of text/html"),
        (f"upstream failed for: {QUESTION}", "text/plain", "bytes of text/plain"),
        (f"ERROR: {QUESTION}", "text/plain", "bytes of text/plain"),
        ({"question": QUESTION}, "application/json", "bytes of application/json"),
        ({"message": QUESTION}, "application/json", "bytes of application/json"),
        ({"error": QUESTION}, "application/json", "bytes of application/json"),
        ({"error_code": QUESTION, "message": QUESTION}, "application/json", "bytes of application/json"),
        ([QUESTION], "application/json", "bytes of application/json"),
        (QUESTION, QUESTION, "bytes of no known type"),
        ("x", "text/\x1b[31mred", "bytes of no known type"),
        ("", "text/html", "it is empty"),
        (b"\xff\xfe" + QUESTION.encode("utf-16-le"), "text/plain", "bytes of text/plain"),
    ],
)
def test_of_any_other_body_only_its_kind_and_size_are_told(body, content_type, told):
    """It may be a stranger's page, or quote what a user asked: it lands in a table and in the UI."""
    error = error_of(body, 502, content_type)
    assert "accounting" not in repr(error)
    assert error.message.startswith("502 Bad Gateway: ")
    assert error.message.endswith(told)
    assert error.error_code is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error_code": "BAD_REQUEST", "message": "no good"}, "400 BAD_REQUEST: no good"),
        ({"errorCode": "BAD_REQUEST", "message": "no good"}, "400 BAD_REQUEST: no good"),
        ({"error_code": "SOMETHING_NEW", "message": "no good"}, "400 SOMETHING_NEW: no good"),
        ({"error_code": 403, "message": "no good"}, "400 403: no good"),
        ({"detail": "no good", "status": "400", "schemas": []}, "400 Bad Request: no good"),
        ({"error": "invalid_scope", "error_description": "no good"}, "400 Bad Request: invalid_scope: no good"),
        ("BAD_REQUEST: no good", "400 BAD_REQUEST: no good"),
        ({"error_code": "BAD_REQUEST", "message": {"a": 1}}, "400 BAD_REQUEST"),
        ({"error_code": "BAD_REQUEST"}, "400 BAD_REQUEST"),
    ],
)
def test_databricks_own_words_are_kept(body, message):
    assert error_of(body).message == message


def test_they_are_one_short_line_without_anything_invisible():
    hostile = "no\x00\x1b[31m good\r\n# heading\u202e\u200b![x](http://evil)" + "y" * 5000
    error = error_of({"error_code": "BAD_REQUEST", "message": hostile})
    assert error.message.isprintable()
    assert error.message.startswith("400 BAD_REQUEST: no[31m good # heading![x](http://evil)yyy")
    assert len(error.message) < 350
    problem = str(refused_statement("BAD_REQUEST", hostile, "w1"))
    assert problem.isprintable()
    assert len(problem) < 1200


@given(st.text(), st.integers(1, 50))
def test_one_line_is_one_line(text, most):
    line = one_line(text, most)
    assert line.isprintable()
    assert len(line) <= most


def parsed(text):
    return json_object(HttpAnswer(200, {}, text if isinstance(text, bytes) else text.encode()))


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        ("1e400", "1e400"),
        ("-1e400", "-1e400"),
        ("1E+400", "1E+400"),
        ("9" * 5000, "9" * 5000),
        ("1.5e-400", 0.0),
        ("1.5", 1.5),
        ("9223372036854775808", 9223372036854775808),
        ("9" * 4000, int("9" * 4000)),
    ],
    ids=lambda value: str(value)[:10] if len(str(value)) < 20 else "long",
)
def test_a_number_that_nothing_can_hold_is_kept_as_its_own_text(number, kept):
    """Read as a float it is Infinity, and stored as such nothing else could read the row. Nothing else is lost."""
    body = parsed(f'{{"message_id": "m", "created_timestamp": {number}, "content": "x"}}')
    assert body == {"message_id": "m", "created_timestamp": kept, "content": "x"}
    stored = as_json(body)

    def refuse(name):
        raise AssertionError(name)

    assert json.loads(stored, parse_constant=refuse, parse_int=str) is not None
    assert content_hash(body) == content_hash(parsed(stored))
    assert parse_message(body).message_id == "m"


def test_what_is_no_json_at_all_is_refused():
    for text in ('{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": 0x1}', "{'a': 1}", '{"a": 1}}', ""):
        with pytest.raises(CallError) as caught:
            parsed(text)
        assert caught.value.error.error_class is ErrorClass.BAD_PAYLOAD


def test_of_a_key_that_stands_twice_the_last_value_counts():
    assert parsed('{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', b'{"a": "\xed\xa0\x80"}'])
def test_half_a_character_survives_in_its_escaped_form(text):
    assert as_json(parsed(text)) == '{"a":"\\ud800"}'
