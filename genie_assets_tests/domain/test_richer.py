"""Which answer is shown: the rule, and that the sandbox's truth, which was written without it, says the same."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.messages import content_hash, parse_message
from genie_assets.domain.richer import course, kept, shown_by, shows_all, the_shown_one, unmarked
from genie_sandbox.truth.looks import shown

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
Body = dict[str, Any]


def query(sql: str | None, statement_id: str | None = None, attachment_id: str | None = "q") -> Body:
    return {"attachment_id": attachment_id, "query": {"query": sql, "statement_id": statement_id}}


def text(content: str | None, attachment_id: str | None = "t") -> Body:
    return {"attachment_id": attachment_id, "text": {"content": content}}


def body(*attachments: Body, status: str = "COMPLETED", **fields: Any) -> Body:
    return {"status": status, "attachments": list(attachments), **fields}


def look(number: int, answer: Body) -> dict[str, Any]:
    """An answer as the log has it."""
    message = parse_message(answer)
    return {
        "is_settled": message.is_settled,
        "api_fetch_timestamp": NOON + dt.timedelta(hours=number),
        "content_hash": content_hash(answer),
        "attachments_shown": shown_by(message),
        "body": answer,
    }


def the_body_shown(answers: list[Body]) -> Body:
    looks = [look(number, answer) for number, answer in enumerate(answers)]
    chosen: Body = the_shown_one(course(looks[-1], parse_message(answers[-1]), looks[::-1]))["body"]
    return chosen


WHOLE = body(query("SELECT 1", "s1"), text("One."))
LEGACY = {**body(query("SELECT 1", None, None)), "query_result": {"statement_id": "s1"}}
RUNNING = body(status="EXECUTING_QUERY")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (WHOLE, body()),
        (WHOLE, {"status": "COMPLETED"}),
        (WHOLE, body(status="QUERY_RESULT_EXPIRED")),
        (WHOLE, body(text(None), query("SELECT 1", "s1"))),
        (WHOLE, body(query(None), text("One."))),
        (WHOLE, body({"attachment_id": "t"}, query("SELECT 1", "s1"))),
        (body(query("SELECT 1"), text("Sum.", None)), body(text(None, None), query("SELECT 1"))),
        (LEGACY, body(query("SELECT 1", None, None))),
        (LEGACY, body(query(None, None, None))),
    ],
)
def test_a_later_look_that_shows_less_takes_nothing_away(earlier: Body, later: Body) -> None:
    assert the_body_shown([earlier, later]) == earlier
    assert the_body_shown([earlier, later, RUNNING, later]) == earlier
    assert the_body_shown([later, earlier]) == earlier
    assert the_body_shown([later, RUNNING, later]) == later


@pytest.mark.parametrize(
    "later",
    [
        body(query("SELECT 2", "s2", "other")),
        body(query("SELECT 2")),
        body(text("Two.")),
        body(text("Two.", "other"), query(None, None, "third")),
        RUNNING,
        body(query("SELECT 1", "s1"), text("One."), feedback={"rating": "POSITIVE"}),
    ],
)
def test_another_answer_is_a_new_one(later: Body) -> None:
    assert the_body_shown([WHOLE, later]) == later


def test_a_look_at_a_running_message_is_no_measure_for_its_end() -> None:
    running = {**WHOLE, "status": "EXECUTING_QUERY"}
    assert the_body_shown([running, body()]) == body()


def test_status_rating_and_change_are_the_latest_ones_and_the_error_goes_with_the_status() -> None:
    failed = {**WHOLE, "status": "FAILED", "error": {"type": "T", "error": "It broke."}, "content": "How many?"}
    later = {"status": "FAILED", "feedback": {"rating": "POSITIVE"}, "last_updated_timestamp": 1_772_452_800_000}
    known = kept(parse_message(failed), parse_message(later))
    assert (known.content, known.error_message, len(known.attachments or ())) == ("How many?", "It broke.", 2)
    assert (known.status, known.feedback_rating) == ("FAILED", "POSITIVE")
    assert known.last_updated_timestamp == 1_772_452_800_000
    assert kept(parse_message(failed), parse_message({"status": "COMPLETED"})).error_message is None
    other = {"status": "COMPLETED", "error": {"error": "Another."}}
    assert kept(parse_message(failed), parse_message(other)).error_message == "Another."


def test_marks_are_short_and_hold_no_text() -> None:
    marks = shown_by(parse_message(body(query("SELECT secret", "s1", "a" * 256), text("secret"))))
    assert len(marks) < 64
    assert "secret" not in marks
    assert shown_by(parse_message({})) == shown_by(parse_message(body())) == "{}"
    assert json.loads(shown_by(parse_message(body(text("\ud83d", "\ud83d"))))) != {}


def test_what_older_versions_stored_is_read_only_if_it_can_be_richer() -> None:
    looks = [{**look(number, answer), "attachments_shown": None} for number, answer in enumerate([WHOLE, body()])]
    for latest, read in (
        (WHOLE, 0),
        (body({"viz": {}}), 0),
        (body(), 2),
        (body(query("SELECT 1")), 2),
        (RUNNING, 0),
    ):
        message = parse_message(latest)
        assert shows_all(message) is (read == 0 and latest is not RUNNING)
        assert len(unmarked(course(look(9, latest), message, looks), message)) == read


_attachments = st.builds(
    query, st.sampled_from([None, "SELECT 1"]), st.sampled_from([None, "s1"]), st.sampled_from([None, "a", "b"])
) | st.builds(text, st.sampled_from([None, "One."]), st.sampled_from([None, "a", "b"]))
_bodies = st.fixed_dictionaries(
    {"status": st.sampled_from(["COMPLETED", "COMPLETED", "QUERY_RESULT_EXPIRED", "EXECUTING_QUERY"])},
    optional={
        "attachments": st.none() | st.lists(_attachments, max_size=3),
        "query_result": st.just({"statement_id": "s1"}),
    },
)


@given(st.lists(_bodies, min_size=1, max_size=5))
def test_the_rule_and_the_truth_show_the_same(answers: list[Body]) -> None:
    assert the_body_shown(answers) == shown(answers).body
