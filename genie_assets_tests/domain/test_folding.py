"""The fold."""

import datetime as dt
import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain import ledger
from genie_assets.domain.evidence import Evidence, parse_answers
from genie_assets.domain.executions import HISTORY_TIME_LIMIT
from genie_assets.domain.folding import Folded, conversation_positions, fold
from genie_assets.domain.messages import parse_message
from genie_assets.domain.richer import shown_by
from genie_assets.domain.tables import MESSAGE_ATTACHMENTS, MESSAGE_DETAILS, records

MONDAY = dt.date(2026, 3, 2)
ASKED = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
ASKED_MS = int(ASKED.timestamp() * 1000)
HOUR = dt.timedelta(hours=1)
SOON = ASKED + HOUR


def query(statement_id: str | None = "st-1", sql: str = "SELECT 1") -> dict[str, Any]:
    return {"query": {"query": sql, "statement_id": statement_id}}


def answer(message_id: str = "m1", conversation_id: str = "c1", **body: Any) -> dict[str, Any]:
    body = {"message_id": message_id, "status": "COMPLETED", "created_timestamp": ASKED_MS} | body
    return {
        "workspace_id": "w1",
        "space_id": "s1",
        "conversation_id": conversation_id,
        "message_id": message_id,
        "created_timestamp": body["created_timestamp"],
        "created_date": MONDAY,
        "last_updated_timestamp": body.get("last_updated_timestamp"),
        "status": body["status"],
        "is_settled": body["status"] != "ASKING_AI",
        "api_fetch_timestamp": SOON,
        "raw_json": json.dumps(body),
    }


def statement(statement_id: str = "st-1", **cells: Any) -> dict[str, Any]:
    return {
        "workspace_id": "w1",
        "statement_id": statement_id,
        "execution_status": "FINISHED",
        "total_duration_ms": 900,
        "waiting_for_compute_duration_ms": 100,
        "waiting_at_capacity_duration_ms": 20,
        "compilation_duration_ms": 80,
        "execution_duration_ms": 600,
        "result_fetch_duration_ms": 50,
        "from_result_cache": False,
        "start_time": ASKED,
        "end_time": ASKED + dt.timedelta(seconds=1),
        "update_time": ASKED + dt.timedelta(seconds=2),
        "warehouse_id": "wh-1",
        "read_rows": 10,
        "read_bytes": 1000,
        "error_message": None,
    } | cells


def folded(
    answers: list[dict[str, Any]],
    history: list[dict[str, Any]] = [],  # noqa: B006 - never changed
    *,
    before: Folded | None = None,
    looks: list[dict[str, Any]] | None = None,
    now: dt.datetime = SOON,
    **known: Any,
) -> Folded:
    """Fold, and see the result as it is stored."""
    evidence = Evidence(
        parse_answers(answers)[0],
        conversation_positions(answers),
        answers if looks is None else looks,
        history=history,
        details=before.details if before else [],
        attachments=before.attachments if before else [],
        **known,
    )
    result = fold(evidence, now)
    return Folded(
        records(MESSAGE_DETAILS.frame(result.details)), records(MESSAGE_ATTACHMENTS.frame(result.attachments))
    )


def reference(message_id: str = "m1", **cells: Any) -> dict[str, Any]:
    return {
        "event_date": MONDAY,
        "workspace_id": "w1",
        "message_id": message_id,
        "user_email": None,
        "workspace_name": None,
        "is_new": False,
        "is_deleted": False,
        "last_change_time": None,
        "actions": [],
    } | cells


def the_row(*args: Any, **kwargs: Any) -> dict[str, Any]:
    (row,) = folded(*args, **kwargs).details
    return row


def test_a_message_with_its_query_becomes_one_wide_row() -> None:
    body: dict[str, Any] = {
        "content": "How many?",
        "last_updated_timestamp": ASKED_MS + 4000,
        "user_id": 9007199254740993,
        "feedback": {"rating": "POSITIVE", "comment": "Nice"},
        "attachments": [
            {"attachment_id": "a1", "text": {"content": "Ten.", "purpose": "FINAL_ANSWER"}},
            {"attachment_id": "a2", **query()},
        ],
    }
    result = folded(
        [answer(**body)],
        [statement()],
        references=[reference(user_email="ann@example.com", workspace_name="Prod")],
        space_names={("w1", "s1"): "Sales"},
    )
    (row,) = result.details
    shown = {name: value for name, value in row.items() if value is not None}
    assert json.loads(shown.pop("attachments_json")) == body["attachments"]
    assert shown == {
        "workspace_id": "w1",
        "space_id": "s1",
        "conversation_id": "c1",
        "message_id": "m1",
        "created_date": MONDAY,
        "space_name": "Sales",
        "workspace_name": "Prod",
        "content": "How many?",
        "status": "COMPLETED",
        "created_timestamp": ASKED_MS,
        "updated_timestamp": ASKED_MS + 4000,
        "query_sql": "SELECT 1",
        "statement_id": "st-1",
        "attachments_count": 2,
        "query_execution_status": "FINISHED",
        "query_duration_ms": 900,
        "query_start_time": ASKED,
        "query_end_time": ASKED + dt.timedelta(seconds=1),
        "query_warehouse_id": "wh-1",
        "query_read_rows": 10,
        "query_read_bytes": 1000,
        "api_fetch_timestamp": SOON,
        "api_fetch_status": "SUCCESS",
        "user_id": "9007199254740993",
        "user_email": "ann@example.com",
        "conversation_position": 1,
        "answer_text": "Ten.",
        "statements_count": 1,
        "response_time_ms": 4000,
        "query_wait_ms": 120,
        "query_compile_ms": 80,
        "query_execution_ms": 600,
        "query_fetch_ms": 50,
        "query_from_cache": False,
        "feedback_rating": "POSITIVE",
        "feedback_comment": "Nice",
        "enrichment_status": "COMPLETE",
        "is_deleted": False,
        "content_withheld": False,
        "query_first_seen_timestamp": SOON,
    }
    assert [
        (a["attachment_ordinal"], a["attachment_type"], a["query_duration_ms"]) for a in result.attachments
    ] == [
        (1, "TEXT", None),
        (2, "QUERY", 900),
    ]


def test_unknown_attachments_differ_from_none() -> None:
    columns = ("attachments_count", "attachments_json", "statements_count")
    assert [the_row([answer()])[name] for name in columns] == [None, None, None]
    assert [the_row([answer(attachments=[])])[name] for name in columns] == [0, "[]", 0]


def test_positions_are_ranks_by_time_and_then_id() -> None:
    answers = [
        answer("m9", created_timestamp=ASKED_MS),
        answer("m2", created_timestamp=ASKED_MS + 5),
        answer("m1", created_timestamp=ASKED_MS + 5),
        answer("m5", created_timestamp=None),
        answer("other", "c2", created_timestamp=ASKED_MS + 9),
    ]
    assert conversation_positions(answers) == {
        ("w1", "m9"): 1,
        ("w1", "m1"): 2,
        ("w1", "m2"): 3,
        ("w1", "m5"): 4,
        ("w1", "other"): 1,
    }


@given(st.permutations(range(6)))
@settings(deadline=None, max_examples=12)
def test_the_order_of_answers_does_not_matter(order: list[int]) -> None:
    answers = [
        answer(f"m{n}", created_timestamp=ASKED_MS + n // 2, attachments=[query(f"st-{n}")]) for n in range(6)
    ]
    history = [statement(f"st-{n}") for n in range(4)]

    def by_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(rows, key=lambda row: row["message_id"])

    shuffled = folded([answers[n] for n in order], history[::-1])
    assert by_id(shuffled.details) == by_id(folded(answers, history).details)
    assert by_id(shuffled.attachments) == by_id(folded(answers, history).attachments)


_statement_ids = st.sampled_from([None, "st-1", "st-2", "st-3"])
_bodies: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"created_timestamp": st.sampled_from([ASKED_MS, None])},
    optional={
        "content": st.text(st.characters(exclude_categories=()), max_size=5),
        "status": st.sampled_from(["COMPLETED", "ASKING_AI"]),
        "attachments": st.lists(st.builds(query, _statement_ids) | st.just({"viz": {}}), max_size=3),
    },
)


@given(st.lists(_bodies, max_size=3), st.sets(st.sampled_from(["st-1", "st-2", "st-3"])))
@settings(deadline=None, max_examples=20)
def test_folding_again_changes_nothing_even_when_history_has_expired(
    bodies: list[dict[str, Any]], found: set[str]
) -> None:
    """Query history is kept for a year and names may become unreadable: what was known must not become NULL."""
    answers = [answer(f"m{n}", **body) for n, body in enumerate(bodies)]
    said = {"user_email": "ann@example.com", "workspace_name": "Prod", "is_deleted": True}
    first = folded(
        answers,
        [statement(each) for each in sorted(found)],
        references=[reference(row["message_id"], **said) for row in answers],
        space_names={("w1", "s1"): "Sales"},
    )
    assert folded(answers, before=first) == first


def test_names_are_replaced_by_newer_ones() -> None:
    first = folded([answer()], space_names={("w1", "s1"): "Old"})
    assert the_row([answer()], before=first)["space_name"] == "Old"
    assert the_row([answer()], before=first, space_names={("w1", "s1"): "New"})["space_name"] == "New"


def test_the_latest_reference_names_the_asker_whatever_the_order() -> None:
    early = reference(user_email="old@example.com", workspace_name="Old")
    late = reference(event_date=MONDAY + dt.timedelta(days=1), user_email="new@example.com", workspace_name="New")
    for references in ([early, late], [late, early]):
        row = the_row([answer()], references=references)
        assert (row["user_email"], row["workspace_name"]) == ("new@example.com", "New")


def test_a_deleted_message_stays_deleted() -> None:
    found_deleted = {("w1", "m1"): {"resolved": True, "resolution": ledger.DELETED}}
    for said in ({"references": [reference(is_deleted=True)]}, {"errors": found_deleted}):
        first = folded([answer()], **said)
        assert the_row([answer()], before=first)["is_deleted"] is True


def test_what_happens_after_a_deletion_shows_the_message_again() -> None:
    """It was deleted for ever, whatever was seen of it later."""
    noon, day = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC), dt.timedelta(days=1)
    asked = reference(is_deleted=True, is_new=True, last_change_time=noon)
    gone = reference(is_deleted=True, last_change_time=noon + day, actions=["deleteConversationMessage"])
    back = reference(last_change_time=noon + 2 * day)
    first = folded([answer()], references=[asked, gone])
    assert the_row([answer()], before=first, references=[asked, gone])["is_deleted"] is True
    assert the_row([answer()], before=first, references=[asked, gone, back])["is_deleted"] is False
    for hours, is_deleted in ((0, True), (1, True), (2, False)):
        seen = {**answer(), "api_fetch_timestamp": noon + day + dt.timedelta(hours=hours)}
        assert the_row([seen], before=first, references=[asked, gone])["is_deleted"] is is_deleted
    fetched = {("w1", "m1"): {"resolved": True, "resolution": ledger.FETCHED}}
    assert the_row([answer()], before=first, references=[back], errors=fetched)["is_deleted"] is False


def test_an_open_error_is_shown_and_goes_away_with_it() -> None:
    error = {"resolved": False, "resolution": None, "error_class": "PERMISSION", "error_message": "No grant."}
    first = folded([answer()], errors={("w1", "m1"): error})
    assert [first.details[0][name] for name in ("api_fetch_status", "api_fetch_error")] == [
        "PERMISSION",
        "No grant.",
    ]
    row = the_row([answer()], before=first)
    assert (row["api_fetch_status"], row["api_fetch_error"]) == ("SUCCESS", None)
    healed = {("w1", "m1"): error | {"resolved": True, "resolution": ledger.FETCHED}}
    assert the_row([answer()], errors=healed)["api_fetch_status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("waited", "status"),
    [
        (dt.timedelta(0), "PENDING"),
        (HISTORY_TIME_LIMIT - dt.timedelta(milliseconds=1), "PENDING"),
        (HISTORY_TIME_LIMIT, "EXPIRED"),
        (dt.timedelta(days=300), "EXPIRED"),
    ],
)
def test_a_missing_statement_is_waited_for_three_days(waited: dt.timedelta, status: str) -> None:
    answers, now = [answer(attachments=[query("st-1"), query("st-2")])], ASKED + waited
    assert HISTORY_TIME_LIMIT.total_seconds() == 72 * 3600
    assert the_row(answers, [statement("st-1")], now=now)["enrichment_status"] == status
    assert the_row(answers, [statement("st-1"), statement("st-2")], now=now)["enrichment_status"] == "COMPLETE"


@pytest.mark.parametrize("told", [None, -5, 0])
def test_a_message_that_does_not_tell_when_it_was_asked_waits_from_its_first_look_on(told: int | None) -> None:
    """Its statement was given up at once."""
    late = answer(attachments=[query()], created_timestamp=told) | {"api_fetch_timestamp": SOON + dt.timedelta(9)}
    looks = [late | {"api_fetch_timestamp": SOON}, late]
    for waited, status in ((HISTORY_TIME_LIMIT / 2, "PENDING"), (HISTORY_TIME_LIMIT, "EXPIRED")):
        assert the_row([late], looks=looks, now=SOON + waited)["enrichment_status"] == status


def test_a_statement_that_came_later_than_its_message_is_waited_for_since_it_came() -> None:
    """A message that ran anew after three days, or ran for so long, was given up at the first look."""
    late = ASKED + dt.timedelta(days=5)

    def look(at: dt.datetime, *attachments: dict[str, Any], **body: Any) -> dict[str, Any]:
        row = answer(attachments=list(attachments), **body) | {"api_fetch_timestamp": at}
        return row | {"attachments_shown": shown_by(parse_message(json.loads(row["raw_json"])))}

    def status(looks: list[dict[str, Any]], waited: dt.timedelta, history: tuple[str, ...] = ()) -> str:
        found = [statement(each) for each in history]
        return str(the_row(looks[-1:], found, looks=looks, now=late + waited)["enrichment_status"])

    first = look(SOON, query("st-1"))
    both = [query("st-1"), query("st-2")]
    anew = [first, look(late, *both), look(late + HOUR, *both, content="?")]
    assert status(anew, HISTORY_TIME_LIMIT - HOUR, ("st-1",)) == "PENDING"
    assert status(anew, HISTORY_TIME_LIMIT, ("st-1",)) == "EXPIRED"
    assert status(anew, HISTORY_TIME_LIMIT - HOUR, ("st-2",)) == "EXPIRED", "that was there from the start"
    ended = int((late - HOUR).timestamp() * 1000)
    running = look(SOON, status="ASKING_AI")
    long = [running, look(late + 9 * HOUR, query("st-1"), last_updated_timestamp=ended)]
    assert status(long, HISTORY_TIME_LIMIT - 2 * HOUR) == "PENDING"
    assert status(long, HISTORY_TIME_LIMIT - HOUR) == "EXPIRED", "it ended an hour earlier"
    unmarked = [{**first, "attachments_shown": '{"0c0ffee0":"s"}'}, anew[1]]
    assert status(unmarked, HOUR, ("st-1",)) == "EXPIRED", "nobody knows which statements older versions saw"


def test_a_message_without_statements_has_nothing_to_wait_for() -> None:
    for attachments in (None, [], [query(None)], [{"text": {"content": "t"}}]):
        assert the_row([answer(attachments=attachments)])["enrichment_status"] == "NOT_APPLICABLE"


def test_the_wide_row_shows_the_last_query_and_attachments_show_each() -> None:
    result = folded(
        [answer(attachments=[query("st-1"), query("st-2", "SELECT 2")])],
        [statement("st-1", total_duration_ms=1), statement("st-2", total_duration_ms=2)],
    )
    assert (result.details[0]["query_sql"], result.details[0]["query_duration_ms"]) == ("SELECT 2", 2)
    assert result.details[0]["statements_count"] == 2
    assert [row["query_duration_ms"] for row in result.attachments] == [1, 2]


def test_the_same_statement_id_in_another_workspace_is_another_statement() -> None:
    row = the_row([answer(attachments=[query()])], [statement(workspace_id="w2")])
    assert (row["query_execution_status"], row["enrichment_status"]) == (None, "PENDING")


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_newest_row_of_a_statement_counts(newest_first: bool) -> None:
    """History may show a statement while it runs and again when it has ended, in any order, with pandas' times."""
    rows = [
        statement(execution_status="QUEUED", update_time=None, start_time=None),
        statement(execution_status="RUNNING", update_time=pd.Timestamp(ASKED), total_duration_ms=None),
        statement(execution_status="FINISHED", update_time=pd.Timestamp(SOON)),
    ]
    row = the_row([answer(attachments=[query()])], rows[::-1] if newest_first else rows)
    assert row["query_execution_status"] == "FINISHED"


def test_negative_numbers_and_redacted_texts_are_unknown() -> None:
    run = statement(
        total_duration_ms=-1,
        waiting_for_compute_duration_ms=None,
        waiting_at_capacity_duration_ms=None,
        compilation_duration_ms=-5,
        read_rows=-1,
        read_bytes=-1,
        error_message="<REDACTED>",
    )
    row = the_row([answer(attachments=[query()])], [run])
    names = ("query_duration_ms", "query_wait_ms", "query_compile_ms", "query_read_rows", "query_read_bytes")
    assert {row[name] for name in (*names, "query_error_message")} == {None}
    assert the_row([answer(attachments=[query()])], [statement(error_message="")])["query_error_message"] is None


@pytest.mark.parametrize(
    ("compute", "capacity", "wait"), [(0, None, 0), (None, 7, 7), (-1, 7, 7), (-1, None, None)]
)
def test_waits_add_up_where_they_are_known(compute: int | None, capacity: int | None, wait: int | None) -> None:
    run = statement(waiting_for_compute_duration_ms=compute, waiting_at_capacity_duration_ms=capacity)
    assert the_row([answer(attachments=[query()])], [run])["query_wait_ms"] == wait


def test_what_history_redacts_later_stays_known() -> None:
    """An error text that was read is not taken back because a later look may not see it any more."""
    answers = [answer(attachments=[query()])]
    first = folded(answers, [statement(error_message="Table not found")])
    later = statement(error_message="<REDACTED>", execution_status="FAILED", update_time=SOON, read_rows=None)
    row = the_row(answers, [later], before=first)
    assert (row["query_error_message"], row["query_read_rows"]) == ("Table not found", 10)
    assert row["query_execution_status"] == "FAILED"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"status": "COMPLETED", "created_timestamp": ASKED_MS, "last_updated_timestamp": ASKED_MS + 7}, 7),
        ({"status": "FAILED", "created_timestamp": ASKED_MS, "last_updated_timestamp": ASKED_MS}, 0),
        ({"status": "COMPLETED", "created_timestamp": ASKED_MS, "last_updated_timestamp": ASKED_MS - 1}, None),
        ({"status": "ASKING_AI", "created_timestamp": ASKED_MS, "last_updated_timestamp": ASKED_MS + 7}, None),
        ({"status": "QUERY_RESULT_EXPIRED", "last_updated_timestamp": ASKED_MS + 7}, None),
        ({"status": "COMPLETED", "created_timestamp": ASKED_MS}, None),
        ({"status": "COMPLETED", "created_timestamp": None, "last_updated_timestamp": ASKED_MS}, None),
    ],
)
def test_the_response_time_is_known_once_settled(body: dict[str, Any], expected: int | None) -> None:
    assert the_row([answer(**body)])["response_time_ms"] == expected


@pytest.mark.parametrize(
    "later",
    [
        {"status": "COMPLETED", "last_updated_timestamp": ASKED_MS + 900_000, "feedback": {"rating": "POSITIVE"}},
        {"status": "QUERY_RESULT_EXPIRED", "last_updated_timestamp": ASKED_MS + 900_000},
    ],
)
@pytest.mark.parametrize("newest_first", [True, False])
def test_a_vote_or_the_end_of_a_result_makes_no_answer_slower(later: dict[str, Any], newest_first: bool) -> None:
    running = answer(status="ASKING_AI", last_updated_timestamp=ASKED_MS + 5)
    ended = answer(last_updated_timestamp=ASKED_MS + 7) | {"api_fetch_timestamp": SOON + dt.timedelta(hours=1)}
    latest = answer(**later) | {"api_fetch_timestamp": SOON + dt.timedelta(hours=2)}
    looks = [running, ended, latest]
    row = the_row([latest], looks=looks[::-1] if newest_first else looks)
    assert (row["response_time_ms"], row["updated_timestamp"]) == (7, ASKED_MS + 900_000)


def test_a_message_that_does_not_say_when_lives_on_the_day_of_its_ask_event() -> None:
    sunday, tuesday = MONDAY - dt.timedelta(days=1), MONDAY + dt.timedelta(days=1)
    undated = answer(created_timestamp=None)
    asked, read = reference(event_date=tuesday, is_new=True), reference(event_date=sunday)
    assert the_row([undated], references=[asked, read])["created_date"] == tuesday
    assert the_row([undated], references=[read, reference()])["created_date"] == sunday
    assert the_row([undated])["created_date"] == MONDAY
    assert the_row([answer()], references=[asked])["created_date"] == MONDAY
    # What an earlier answer told stays known.
    assert the_row([undated], looks=[answer(), undated], references=[asked])["created_date"] == MONDAY
    # Also where a run stored the later answer that knew nothing of the earlier one: two may run at once.
    elsewhere = undated | {"created_date": tuesday, "api_fetch_timestamp": SOON + dt.timedelta(hours=1)}
    for looks in ([answer(), elsewhere], [elsewhere, answer()]):
        assert the_row([elsewhere], looks=looks, references=[asked])["created_date"] == MONDAY


def test_attachments_live_on_the_day_of_their_message() -> None:
    asked = reference(event_date=MONDAY + dt.timedelta(days=1), is_new=True)
    result = folded([answer(created_timestamp=None, attachments=[query()])], references=[asked])
    days = [row["created_date"] for row in (*result.details, *result.attachments)]
    assert days == [asked["event_date"]] * 2


@pytest.mark.parametrize("raw", ["{", "[]", '{"attachments": [{"text": 1}], "content": 7}', "null", None])
def test_a_poisonous_message_is_set_aside_and_the_others_are_folded(raw: str | None) -> None:
    answers, unreadable = parse_answers([answer("m1"), answer("m2") | {"raw_json": raw}, answer("m3")])
    looks = [answer(f"m{n}") for n in (1, 2, 3)]
    result = fold(Evidence(answers, conversation_positions(looks), looks, unreadable), SOON)
    aside = [each.answer["message_id"] for each in result.set_aside]
    assert sorted([*aside, *(row["message_id"] for row in result.details)]) == ["m1", "m2", "m3"]
    assert {row["message_id"] for row in result.details} >= {"m1", "m3"}


def test_a_deletion_at_the_end_of_the_calendar_is_one() -> None:
    """An hour later there is no time."""
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    gone = reference(is_deleted=True, last_change_time=never, actions=["deleteConversationMessage"])
    assert the_row([answer()], references=[gone])["is_deleted"] is True


def test_a_message_whose_place_is_not_known_is_set_aside() -> None:
    """Whatever it is that breaks."""
    answers, _ = parse_answers([answer("m1"), answer("m2")])
    result = fold(Evidence(answers, conversation_positions([answer("m1")])), SOON)
    assert [row["message_id"] for row in result.details] == ["m1"]
    assert [(each.answer["message_id"], each.problem) for each in result.set_aside] == [("m2", "KeyError")]
