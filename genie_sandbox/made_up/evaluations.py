"""Benchmark runs of the spaces: some a week, answered better from one to the next; the last one still runs."""

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from genie_sandbox.account import Evaluation, EvaluationResult, Space
from genie_sandbox.randomness import DAY, HOUR, MINUTE, genie_id

_RUNS = 4
_REASONS = ("RESULT_MISSING_ROWS", "RESULT_EXTRA_COLUMNS", "LLM_JUDGE_MISSING_FILTER")


def evaluated(rng: random.Random, spaces: Iterable[Space], anchor: int) -> tuple[Space, ...]:
    """The spaces with runs of their benchmarks before `anchor` (ms); every third space was never evaluated."""
    return tuple(
        replace(space, evaluations=_runs(rng, space, anchor)) if place % 3 else space
        for place, space in enumerate(spaces)
    )


def _runs(rng: random.Random, space: Space, anchor: int) -> tuple[Evaluation, ...]:
    questions = json.loads(space.body["serialized_space"])["benchmarks"]["questions"]
    starts = [anchor - (number + 1) * 5 * DAY - rng.randrange(HOUR) for number in range(_RUNS)]
    runs = [_run(rng, space, questions, at) for at in reversed(starts)]
    unfinished = _run(rng, space, questions, anchor - 2 * MINUTE)
    return (*runs, replace(unfinished, ends_at=anchor + 10 * MINUTE))


def _run(rng: random.Random, space: Space, questions: list[dict[str, Any]], at: int) -> Evaluation:
    ends_at = at + rng.randrange(2 * MINUTE, 9 * MINUTE)
    results = [_result(rng, space, question) for question in questions]
    assessed = [result.details["assessment"] for result in results]
    body = {
        "eval_run_id": genie_id(rng),
        "eval_run_status": "DONE",
        "created_timestamp": at,
        "last_updated_timestamp": ends_at,
        "num_questions": len(results),
        "num_done": len(results),
        "num_correct": assessed.count("GOOD"),
        "num_needs_review": assessed.count("NEEDS_REVIEW"),
        "run_by_user": 1000 + rng.randrange(9),
    }
    return Evaluation(at, ends_at, body, tuple(results))


def _result(rng: random.Random, space: Space, question: dict[str, Any]) -> EvaluationResult:
    answer = question["answer"][0]["content"][0]
    assessment = rng.choices(("GOOD", "BAD", "NEEDS_REVIEW"), (6, 3, 1))[0]
    body = {
        "result_id": genie_id(rng),
        "space_id": space.space_id,
        "benchmark_question_id": question["id"],
        "question": question["question"][0],
        "benchmark_answer": answer,
        "status": "DONE",
    }
    rows = {"data_array": [["private row"]]}
    given = answer if assessment == "GOOD" else f"{answer} -- or so"
    details = {
        "actual_response": [{"response": given, "response_type": "SQL", "sql_execution_result": rows}],
        "expected_response": [{"response": answer, "response_type": "SQL"}],
        "eval_run_status": "DONE",
        "assessment": assessment,
        "manual_assessment": assessment == "BAD" and rng.random() < 0.3,
        **({"assessment_reasons": [rng.choice(_REASONS)]} if assessment != "GOOD" else {}),
    }
    return EvaluationResult(body, details)
