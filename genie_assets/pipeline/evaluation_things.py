"""Evaluations, and the results of each, as two kinds of things: what a look changes is decided in `domain`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from genie_assets.domain.evaluations import (
    RESULTS,
    RUNS,
    ResultsLook,
    RunsLook,
    kept_whole,
    result_rows,
    run_rows,
    to_be_read_again,
)
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import In
from genie_assets.domain.requests import Answer, Became, EvaluationsOfSpace, ResultsOfEvaluation
from genie_assets.domain.tables import (
    EVALUATION_FETCH_ERRORS,
    GENIE_EVALUATION_RESULTS,
    GENIE_EVALUATION_RUNS,
    Table,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.things import Look, Stored

RunKey = tuple[Any, ...]


class _OfEvaluations:
    """What both kinds share: the ledger, and the table whose rows they store.

    Args:
        lake: The tables.
    """

    errors = EVALUATION_FETCH_ERRORS

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake
        self.changed = 0

    def was_stored(self, key: Any) -> bool:  # noqa: ARG002 - the same for each
        """Whether it was ever read: the space with its configuration, the evaluation in a list of them."""
        return True

    def _store(self, table: Table, rows: Sequence[Row], stamp: Mapping[str, Any]) -> None:
        if rows:
            self._lake.store(table, table.frame({**row, **stamp} for row in rows))

    def _by_run(self, table: Table, column: str, ids: set[str]) -> dict[RunKey, list[Row]]:
        """Stored rows by the space or run that they belong to."""
        found: defaultdict[RunKey, list[Row]] = defaultdict(list)
        of = ("workspace_id", "space_id", column)
        for row in self._lake.records(table, where=[In(column, sorted(ids))]):
            found[tuple(row[name] for name in of)].append(row)
        return found


class EvaluationRuns(_OfEvaluations):
    """The evaluations that spaces list, as a kind of thing; it counts what it stores."""

    def ids(self, request: EvaluationsOfSpace, thing_id: str) -> Mapping[str, str | None]:
        """The space."""
        key = {"workspace_id": request.workspace_id, "space_id": request.space_id}
        return {**key, "of_what": RUNS, "thing_id": thing_id}

    def look(
        self, request: EvaluationsOfSpace, thing_id: str, answer: Answer | None, problem: FetchError | None
    ) -> Look[RunsLook]:
        """A look at the evaluations of a space."""
        ids = self.ids(request, thing_id)
        if answer is None:
            return Look(ids, problem=problem)
        key = SpaceKey(request.workspace_id, request.space_id)
        return Look(ids, RunsLook(key, tuple(answer.body["eval_runs"]), answer.requested_at), problem)

    def store(self, looks: Sequence[Look[RunsLook]], stamp: Mapping[str, Any]) -> Stored:
        """Store what is new or not as it was."""
        seen = [look.row for look in looks if look.row is not None]
        stored = self._by_run(GENIE_EVALUATION_RUNS, "space_id", {look.key.space_id for look in seen})
        changes = {look.key: run_rows(look, stored[(*look.key, look.key.space_id)]) for look in seen}
        rows = [row for each in changes.values() for row in each]
        self._store(GENIE_EVALUATION_RUNS, rows, stamp)
        self.changed += len(rows)
        return Stored({(*key, RUNS, key.space_id): Became.of(changed) for key, changed in changes.items()})


class EvaluationResults(_OfEvaluations):
    """The results of evaluations, as a kind of thing; it counts what it stores."""

    details = 0

    def ids(self, request: ResultsOfEvaluation, thing_id: str) -> Mapping[str, str | None]:
        """The evaluation."""
        key = {"workspace_id": request.workspace_id, "space_id": request.space_id}
        return {**key, "of_what": RESULTS, "thing_id": thing_id}

    def look(
        self, request: ResultsOfEvaluation, thing_id: str, answer: Answer | None, problem: FetchError | None
    ) -> Look[ResultsLook]:
        """A look at the results of an evaluation; what came is kept also where a part of it failed."""
        ids = self.ids(request, thing_id)
        if answer is None:
            return Look(ids, problem=problem)
        is_whole = answer.body["is_whole"] and problem is None
        seen = ResultsLook(request, tuple(answer.body["results"]), answer.requested_at, is_whole)
        return Look(ids, seen, problem, characters=answer.size)

    def store(self, looks: Sequence[Look[ResultsLook]], stamp: Mapping[str, Any]) -> Stored:
        """Store what is new; that a run is kept whole comes last: after a crash in between, it is read again.

        What another process has noted of the runs meanwhile is read after the results are stored.
        """
        seen = {_run_key(look.row): look.row for look in looks if look.row is not None}
        ids = {key[-1] for key in seen}
        stored = self._by_run(GENIE_EVALUATION_RESULTS, "eval_run_id", ids)
        changes = {key: result_rows(look, stored[key]) for key, look in seen.items()}
        rows = [row for each in changes.values() for row in each]
        self._store(GENIE_EVALUATION_RESULTS, rows, stamp)
        runs = self._by_run(GENIE_EVALUATION_RUNS, "eval_run_id", ids)
        noted = [
            kept_whole(row, look) or (to_be_read_again(row, look) if changes[key] else None)
            for key, look in seen.items()
            for row in runs[key]
        ]
        self._store(GENIE_EVALUATION_RUNS, [row for row in noted if row is not None], stamp)
        self.changed += len(rows)
        self.details += sum(row["has_details"] for row in rows)
        return Stored({(*key[:2], RESULTS, key[-1]): Became.of(changed) for key, changed in changes.items()})


def _run_key(look: ResultsLook) -> RunKey:
    return (look.request.workspace_id, look.request.space_id, look.request.eval_run_id)
