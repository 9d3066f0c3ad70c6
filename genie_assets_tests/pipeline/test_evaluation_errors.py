"""What becomes of an evaluation's error that nothing would ask about again: none stays open for good."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pandas as pd

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer, EvaluationsOfSpace, FetchResult
from genie_assets.domain.tables import EVALUATION_FETCH_ERRORS, GENIE_EVALUATION_RUNS, GENIE_SPACE_DETAILS
from genie_assets.pipeline.genie_evaluation_runs import keep_evaluations
from genie_assets.pipeline.run import Run
from genie_assets_tests.lakehouse_in_memory import LakehouseInMemory

NOON, DAY = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC), dt.timedelta(days=1)
NOON_MS = 1_772_452_800_000
BROKEN = FetchError(ErrorClass.SERVER, "It broke.", http_status=500)
WITH, WITHOUT = '{"benchmarks": "ab"}', '{"tables": "ab"}'


class Account:
    """A space with one evaluation, in the API and as it is kept."""

    chosen_workspaces: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.now, self.asked = NOON, 0
        self.lake = LakehouseInMemory({})
        self.problems: dict[str, FetchError] = {}
        self.space()

    def workspaces(self) -> pd.DataFrame:
        return pd.DataFrame([{"workspace_id": "w1", "workspace_url": "https://w1"}])

    def space(self, section_hashes: str = WITH, *, is_trashed: bool = False) -> None:
        """What the look at the space has found."""
        row = {"workspace_id": "w1", "space_id": "s1", "section_hashes": section_hashes, "is_trashed": is_trashed}
        frame = GENIE_SPACE_DETAILS.frame([{**row, "api_fetch_status": "SUCCESS"}])
        self.lake.store(GENIE_SPACE_DETAILS, frame)

    def fetch(self, requests: Any, **_: Any) -> Iterator[FetchResult[Any]]:
        for request in requests:
            self.asked += 1
            (thing_id,) = request.wanted
            run = {"eval_run_id": "e1", "eval_run_status": "DONE", "created_timestamp": NOON_MS}
            is_list = isinstance(request, EvaluationsOfSpace)
            body: dict[str, Any] = {"eval_runs": [run]} if is_list else {"results": (), "is_whole": True}
            failed = {each: problem for each, problem in self.problems.items() if each == thing_id}
            answers = {} if failed else {thing_id: Answer(body, "LIST", self.now)}
            yield FetchResult(request, answers, failed, requests_made=1)

    def keep(self, *failing: str, days: int = 1) -> int:
        """Keep its evaluations, some days later; how often was asked."""
        self.now, self.asked, self.problems = self.now + days * DAY, 0, dict.fromkeys(failing, BROKEN)
        api: Any = self
        run = Run(self.now.date(), "run", lambda: self.now)
        keep_evaluations(run, system_tables=api, genie=api, lake=self.lake)
        return self.asked

    def states(self) -> dict[str, str | None]:
        """How each of its errors ended."""
        return {row["thing_id"]: row["resolution"] for row in self.lake.records(EVALUATION_FETCH_ERRORS)}


def test_errors_of_a_space_without_benchmarks_any_more_are_tried_again() -> None:
    account = Account()
    account.keep("e1")
    account.keep("s1", "e1")
    account.space(WITHOUT)
    assert account.states() == {"e1": None, "s1": None}
    assert (account.keep(), account.states()) == (2, {"e1": "FETCHED", "s1": "FETCHED"})
    assert account.keep() == 0


def test_errors_end_with_their_space_and_it_is_asked_anew_when_it_is_back() -> None:
    account = Account()
    account.keep("e1")
    account.keep("s1", "e1")
    account.space(is_trashed=True)
    assert (account.keep(), account.states()) == (0, {"e1": "DELETED", "s1": "DELETED"})
    account.space()
    assert (account.keep(), account.states()) == (2, {"e1": "FETCHED", "s1": "FETCHED"})


def test_the_error_of_an_evaluation_ends_when_its_results_are_too_old_to_be_asked_for() -> None:
    account = Account()
    account.keep("e1")
    assert account.states() == {"e1": None}
    assert (account.keep(days=30), account.states()) == (1, {"e1": "DELETED"})


def test_the_error_of_results_that_were_kept_by_a_run_that_died_ends_with_the_next_one() -> None:
    """The results are stored before the ledger: nobody asked for them again, and the error stayed open."""
    account = Account()
    account.keep("e1")
    (run,) = account.lake.records(GENIE_EVALUATION_RUNS)
    account.lake.store(
        GENIE_EVALUATION_RUNS, GENIE_EVALUATION_RUNS.frame([{**run, "results_kept_timestamp": NOON}])
    )
    assert (account.keep(), account.states()) == (1, {"e1": "FETCHED"})
