"""Evaluations of spaces as whoever may edit them sees them: runs, results, and details for a week."""

from typing import Any

from genie_sandbox.account import Evaluation, EvaluationResult
from genie_sandbox.responses import Answer, ApiError, json_answer, list_answer
from genie_sandbox.server.paging import Page
from genie_sandbox.server.request import Request
from genie_sandbox.server.spaces import Spaces
from genie_sandbox.server.state import Clock


class Evaluations:
    """The evaluation routes. Nobody starts a run here: the account holds those that there are."""

    def __init__(self, spaces: Spaces, clock: Clock) -> None:
        self._spaces, self._clock = spaces, clock

    def answer(self, request: Request, page: Page) -> Answer:
        """The answer to a request of one of the evaluation routes.

        Raises:
            ApiError: 403 for whoever may not edit the space; 404 for what is not there, or not any more.
        """
        now = self._clock.now_ms
        space = self._spaces.managed(request.workspace_id, request.space_id, now)
        runs = {each.body["eval_run_id"]: each for each in reversed(space.evaluations) if each.at <= now}
        if request.route == "list_evaluations":
            rows, token = page.cut(list(runs.values()), lambda run: run_body(run, now))
            return list_answer("eval_runs", rows, token)
        run = runs.get(request.run_id)
        if run is None:
            raise ApiError(404, f"Evaluation run {request.run_id} does not exist.")
        if request.route == "get_evaluation":
            return json_answer(run_body(run, now))
        results = {each.body["result_id"]: each for each in run.results if run.has_ended(now)}
        if request.route == "list_evaluation_results":
            rows, token = page.cut(list(results.values()), _body)
            return list_answer("eval_results", rows, token)
        if request.result_id not in results or not run.shows_details(now):
            raise ApiError(404, f"Details of evaluation result {request.result_id} do not exist.")
        result = results[request.result_id]
        return json_answer(result.body | result.details)


def run_body(run: Evaluation, at: int) -> dict[str, Any]:
    """What is shown of a run at a moment (ms)."""
    if run.has_ended(at):
        return run.body
    begun = {name: run.body[name] for name in ("eval_run_id", "num_questions", "run_by_user")}
    return {
        **begun,
        "eval_run_status": "RUNNING",
        "num_done": 0,
        "created_timestamp": run.at,
        "last_updated_timestamp": run.at,
    }


def _body(result: EvaluationResult) -> dict[str, Any]:
    return result.body
