"""Evaluations of a space, and the results of one with their details, as far as these are still shown."""

from collections.abc import Mapping
from typing import Any

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer, EvaluationsOfSpace, ResultsOfEvaluation
from genie_assets.gateways.databricks.retries import OutOfTimeError
from genie_assets.gateways.genie.asking import Asking, ask

_Results = list[tuple[Mapping[str, Any], Mapping[str, Any] | None]]


@ask.register
def ask_for_evaluations(request: EvaluationsOfSpace, asking: Asking[EvaluationsOfSpace]) -> None:
    """Every evaluation that the space lists; what came before a failure is kept, because none is taken as gone."""
    bodies: list[dict[str, Any]] = []
    first: list[Answer] = []

    def pages() -> None:
        for page in asking.calls.evaluations(asking.target, request.space_id):
            first.append(page)
            bodies.extend(page.body["eval_runs"])

    error = asking.guarded(pages)
    if first:
        asking.take(request.space_id, Answer({"eval_runs": bodies}, "LIST", first[0].requested_at))
    if error or not first:
        asking.fail(request.space_id, error)


@ask.register
def ask_for_results(request: ResultsOfEvaluation, asking: Asking[ResultsOfEvaluation]) -> None:
    """All results of an evaluation, then the details of each. Where time or room ends, the rest has to wait."""
    listed: list[Answer] = []

    def pages() -> None:
        listed.extend(asking.calls.evaluation_results(asking.target, request.space_id, request.eval_run_id))

    if error := asking.guarded(pages):
        asking.fail(request.eval_run_id, error)
        return
    details = _Details(asking)
    bodies = [body for page in listed for body in page.body["eval_results"]]
    results: _Results = [(body, details.of(body)) for body in bodies]
    body = {"results": results, "is_whole": not (details.is_cut or details.may_come)}
    asking.take(request.eval_run_id, Answer(body, "LIST", listed[0].requested_at, details.size))
    if details.error:
        asking.fail(request.eval_run_id, details.error)


class _Details:
    """The details of one evaluation's results, asked for one by one.

    Args:
        asking: The request under way.
    """

    def __init__(self, asking: Asking[ResultsOfEvaluation]) -> None:
        self._asking, self._request, self._known = asking, asking.request, set(asking.request.known)
        self._are_gone = False
        self.is_cut = False
        self.may_come = False  # some that a young run should still have are not there
        self.size = 0
        self.error: FetchError | None = None

    def of(self, result: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The details of a result; None if they are known, gone, or cannot be read now."""
        result_id = result.get("result_id")
        if not isinstance(result_id, str) or not is_usable_id(result_id):
            return None
        if self._are_gone or self.is_cut or result_id in self._known:
            return None
        found: list[Answer] = []

        def get() -> None:
            ids = (self._request.space_id, self._request.eval_run_id, result_id)
            found.append(self._asking.calls.evaluation_details(self._asking.target, *ids))

        try:
            error = self._asking.guarded(get)
        except OutOfTimeError:
            self.is_cut = True
            return None
        if error is None:
            self.size += found[0].size
            self.is_cut = self.size > self._asking.limits.wanted_bytes
            return found[0].body
        if error.was_sent and error.error_class is ErrorClass.NOT_FOUND:
            self._are_gone = self._request.is_old
            self.may_come = self.may_come or not self._request.is_old
        else:
            self.error = self.error or error  # one odd result does not hold up the others
        return None
