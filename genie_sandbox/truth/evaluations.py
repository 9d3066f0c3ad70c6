"""What the tables of evaluations must say after one look, worked out from an account's own data."""

from typing import Any

from genie_sandbox.account import Account, Evaluation, EvaluationResult, Space

_ASKED_FOR_MS = 30 * 86_400_000


def evaluation_rows(account: Account, at: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Expected rows of runs and of results, by looks from the anchor until `at` (ms) at spaces that we may edit.

    Details that are not shown any more at `at` may have been seen before: nothing is said of them.
    """
    listed = {place.workspace_id for place in account.workspaces if place.listed and place.is_running}
    open_ = [
        space
        for space in account.spaces
        if space.workspace_id in listed and space.state(at).access == "manage" and not space.state(at).trashed
    ]
    runs = [(space, run) for space in open_ for run in space.evaluations if run.at <= at]
    return (
        [_run(space, run, at) for space, run in runs],
        [
            _result(space, run, result, at)
            for space, run in runs
            if run.has_ended(at) and account.anchor - run.at <= _ASKED_FOR_MS
            for result in run.results
        ],
    )


def _run(space: Space, run: Evaluation, at: int) -> dict[str, Any]:
    body = run.body
    row = {
        "status": body["eval_run_status"] if run.has_ended(at) else "RUNNING",
        "created_timestamp": run.at,
        "last_updated_timestamp": body["last_updated_timestamp"] if run.has_ended(at) else run.at,
        "num_questions": body["num_questions"],
        "num_done": body["num_done"] if run.has_ended(at) else 0,
        "num_correct": body["num_correct"] if run.has_ended(at) else None,
        "num_needs_review": body["num_needs_review"] if run.has_ended(at) else None,
        "run_by_user": str(body["run_by_user"]),
    }
    return {**_key(space, run), **row}


def _result(space: Space, run: Evaluation, result: EvaluationResult, at: int) -> dict[str, Any]:
    body, details = result.body, result.details
    row = {name: body[name] for name in ("result_id", "benchmark_question_id", "question", "benchmark_answer")}
    if not run.shows_details(at):
        return {**_key(space, run), **row}
    shown = {
        "status": details["eval_run_status"],
        "assessment": details["assessment"],
        "is_manual_assessment": details.get("manual_assessment"),
        "assessment_reasons": details.get("assessment_reasons"),
        "has_details": True,
    }
    return {**_key(space, run), **row, **shown}


def _key(space: Space, run: Evaluation) -> dict[str, Any]:
    ids = {"workspace_id": space.workspace_id, "space_id": space.space_id}
    return {**ids, "eval_run_id": run.body["eval_run_id"]}
