"""Evaluations: what is known stays known, whatever less a later look shows, in whatever order."""

import datetime as dt
import itertools
from typing import Any

import pytest

from genie_assets.domain.evaluations import (
    ResultsLook,
    RunsLook,
    kept_whole,
    may_lack_results,
    result_rows,
    results_to_ask,
    run_rows,
)
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.requests import ResultsOfEvaluation
from genie_assets.domain.tables import GENIE_EVALUATION_RESULTS, GENIE_EVALUATION_RUNS
from genie_assets_tests.gateways.lakehouse.meanings import holds

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
NOON_MS = 1_772_452_800_000
HOUR_MS = 3_600_000
DAY = dt.timedelta(days=1)


def run_body(status: str, updated: int = 0, **more: Any) -> dict[str, Any]:
    times = {"created_timestamp": NOON_MS, "last_updated_timestamp": NOON_MS + updated}
    return {"eval_run_id": "r", "eval_run_status": status, **times, **more}


def after(*bodies: dict[str, Any]) -> Row:
    """The run's row after it was listed so, one after the other."""
    stored: list[Row] = []
    for number, body in enumerate(bodies):
        stored = run_rows(RunsLook(SpaceKey("w", "s"), (body,), NOON + number * DAY), stored) or stored
    (row,) = stored
    return row


def test_an_older_or_poorer_list_takes_nothing_from_a_run() -> None:
    done = run_body("DONE", HOUR_MS, num_questions=4, num_correct=3, run_by_user=2**60)
    row = after(done)
    assert set(row) | {*GENIE_EVALUATION_RUNS.bookkeeping} == set(GENIE_EVALUATION_RUNS.column_names)
    assert (row["num_correct"], row["num_needs_review"], row["run_by_user"]) == (3, None, str(2**60))
    for order in itertools.permutations([done, run_body("RUNNING"), run_body("NOT_STARTED")]):
        assert after(*order)["status"] == "DONE"
    for less in ({"eval_run_id": "r"}, run_body("RUNNING", HOUR_MS), run_body("DONE", HOUR_MS, num_correct=None)):
        assert after(done, less) == row
    assert after(done, run_body("RUNNING", 2 * HOUR_MS))["status"] == "RUNNING", "it was resumed"
    assert after(done, run_body("AN_END_THAT_IS_NEW", 2 * HOUR_MS))["num_correct"] == 3
    assert run_rows(RunsLook(SpaceKey("w", "s"), (), NOON), [row]) == [], "what is listed no more stays"
    # One answer that told the year 9999 made all later ones older, for ever.
    assert after(run_body("RUNNING", 253_402_300_799_999 - NOON_MS), done)["status"] == "DONE"
    odd: tuple[dict[str, Any], ...] = (
        {"eval_run_id": ".."},
        {"eval_run_id": 7},
        {},
        {"eval_run_id": "odd", "num_done": "many"},
    )
    assert [each["eval_run_id"] for each in run_rows(RunsLook(SpaceKey("w", "s"), odd, NOON), [])] == ["odd"]


def test_a_run_that_was_changed_is_read_again_and_no_other() -> None:
    done = run_body("DONE", HOUR_MS, num_correct=3)
    row = {**after(done), "results_kept_timestamp": NOON}
    look = RunsLook(SpaceKey("w", "s"), (done,), NOON)
    assert run_rows(look, [row]) == []
    judged = RunsLook(SpaceKey("w", "s"), (run_body("DONE", 2 * HOUR_MS, num_correct=4),), NOON)
    (again,) = run_rows(judged, [row])
    assert (again["results_kept_timestamp"], again["num_correct"]) == (None, 4)
    kept = [
        {**row, "result_id": name, "has_details": has, "run_updated_timestamp": NOON_MS + updated}
        for name, has, updated in (("a", True, HOUR_MS), ("b", True, 2 * HOUR_MS), ("c", False, 2 * HOUR_MS))
    ]
    (request,) = results_to_ask([again], kept, {"w": "https://w.example"}, NOON)
    assert request == ResultsOfEvaluation("w", "https://w.example", "s", "r", NOON_MS + 2 * HOUR_MS, ("b",))


@pytest.mark.parametrize(
    ("status", "days", "expected"),
    [
        ("DONE", 0, [False]),
        ("DONE", 8, [True]),
        ("DONE", 31, []),
        ("RUNNING", 0.5, []),
        ("RUNNING", 2, [False]),  # stuck: its results would vanish
        ("EVALUATION_FAILED", 0, [False]),
        ("AN_END_THAT_IS_NEW", 0, [False]),
    ],
)
def test_results_are_asked_for_once_a_run_has_ended(status: str, days: float, expected: list[bool]) -> None:
    found = results_to_ask([after(run_body(status))], [], {}, NOON + days * DAY)
    assert [each.is_old for each in found] == expected


def test_results_of_an_earlier_state_than_their_run_are_asked_for_while_there_are_details() -> None:
    run = {**after(run_body("DONE", HOUR_MS)), "results_kept_timestamp": NOON}
    ids = {name: run[name] for name in ("workspace_id", "space_id", "eval_run_id")}
    updated = run["last_updated_timestamp"]
    fresh, old = (
        {**ids, "result_id": name, "has_details": True, "run_updated_timestamp": at}
        for name, at in (("a", updated), ("b", updated - 1))
    )
    for kept, days, asked in (([fresh, old], 6, 1), ([fresh, old], 8, 0), ([fresh], 6, 0), ([], 6, 0)):
        found = results_to_ask([run], kept, {}, NOON + days * DAY)
        assert len(found) == asked
        assert all(each.known == ("a",) for each in found), "only what is old is read again"
    assert holds(may_lack_results(NOON + 6 * DAY), run, {})
    assert not holds(may_lack_results(NOON + 8 * DAY), run, {})
    assert holds(may_lack_results(NOON + 8 * DAY), {**run, "results_kept_timestamp": None}, {})


def test_a_run_is_kept_whole_only_as_it_was_listed() -> None:
    row = after(run_body("DONE", HOUR_MS))
    request = ResultsOfEvaluation("w", None, "s", "r", NOON_MS + HOUR_MS)
    whole = kept_whole(row, ResultsLook(request, (), NOON, is_whole=True))
    assert whole == {**row, "results_kept_timestamp": NOON}
    assert kept_whole(row, ResultsLook(request, (), NOON, is_whole=False)) is None
    changed = {**row, "last_updated_timestamp": NOON_MS + 2 * HOUR_MS}
    assert kept_whole(changed, ResultsLook(request, (), NOON, is_whole=True)) is None
    assert kept_whole({**row, "status": "RUNNING"}, ResultsLook(request, (), NOON, is_whole=True)) is None


def results(*pairs: tuple[dict[str, Any], dict[str, Any] | None]) -> ResultsLook:
    return ResultsLook(ResultsOfEvaluation("w", None, "s", "r", NOON_MS), pairs, NOON, is_whole=True)


def test_details_that_are_gone_or_poorer_take_nothing_away_and_rows_of_tables_are_never_kept() -> None:
    body = {"result_id": "a", "question": "Why?", "benchmark_answer": [{"format": "SQL"}], "status": "DONE"}
    answer = {"response": "SELECT 1", "response_type": "SQL", "sql_execution_result": {"data": [["secret"]]}}
    details = {
        "actual_response": [answer, "odd"],
        "assessment": "BAD",
        "manual_assessment": False,
        "assessment_reasons": ["EMPTY_RESULT", "COLUMN_TYPE_DIFFERENCE", 7],
    }
    (row,) = result_rows(results((body, details)), [])
    assert set(row) | {*GENIE_EVALUATION_RESULTS.bookkeeping} == set(GENIE_EVALUATION_RESULTS.column_names)
    assert row["actual_response"] == '[{"response":"SELECT 1","response_type":"SQL"}]'
    assert row["assessment_reasons"] == ["COLUMN_TYPE_DIFFERENCE", "EMPTY_RESULT"]
    assert row["benchmark_answer"] == '[{"format":"SQL"}]'
    poorer: list[dict[str, Any] | None] = [None, {}, {"assessment": "BAD"}, {"actual_response": []}]
    for less in poorer:
        assert result_rows(results((body, less)), [row]) == []
    assert result_rows(results(({"result_id": "a"}, None)), [row]) == []
    assert result_rows(results(), [row]) == []
    (judged,) = result_rows(results((body, {"assessment": "GOOD", "manual_assessment": True})), [row])
    assert (judged["assessment"], judged["is_manual_assessment"]) == ("GOOD", True)
    assert judged["assessment_reasons"] is None, "the reasons were those of the other judgement"
    assert judged["actual_response"] == row["actual_response"]
    (late,) = result_rows(results((body, None)), [])
    assert (late["has_details"], late["run_updated_timestamp"], late["assessment"]) == (False, None, None)
    assert result_rows(results(({"question": "without an id"}, None)), []) == []
