"""Two processes without a common pool keep one evaluation: an older look that is stored later has no last word."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer, EvaluationsOfSpace, FetchResult
from genie_assets.domain.tables import GENIE_EVALUATION_RESULTS, GENIE_EVALUATION_RUNS
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.genie_evaluation_runs import look_at_evaluations
from genie_assets.pipeline.run import Run
from genie_assets_tests.mortal import KilledError, Mortal
from genie_assets_tests.overtaken import Overtaken

pytestmark = pytest.mark.slow  # real tables

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ASKED = [EvaluationsOfSpace("w1", "https://w1", "s1")]
BROKEN = FetchError(ErrorClass.SERVER, "It broke.", 500)


def ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)


class Evaluations:
    """One evaluation of a space with two results, of the API and as it is kept."""

    def __init__(self, path: Path) -> None:
        self.path, self.now = path, NOON
        self.is_broken = False
        self.judge("BAD")

    def judge(self, assessment: str) -> None:
        """Somebody judges the results anew."""
        self.now += HOUR
        self.assessment, self.updated = assessment, ms(self.now)

    def fetch(self, requests: Any, **_: Any) -> Iterator[FetchResult[Any]]:
        for request in requests:
            if isinstance(request, EvaluationsOfSpace):
                run = {"eval_run_id": "e1", "eval_run_status": "DONE", "created_timestamp": ms(NOON)}
                body: dict[str, Any] = {"eval_runs": [run | {"last_updated_timestamp": self.updated}]}
                yield FetchResult(request, {"s1": Answer(body, "LIST", self.now)}, requests_made=1)
                continue
            judged = {"assessment": self.assessment, "status": "DONE"}
            results = [({"result_id": each}, None if each in request.known else judged) for each in ("r1", "r2")]
            errors = {"e1": BROKEN} if self.is_broken else {}
            body = {"results": results, "is_whole": not errors}
            yield FetchResult(request, {"e1": Answer(body, "LIST", self.now)}, errors, requests_made=1)

    def keep(self, before: int = 0, work: Callable[[], object] = int, last: int = 0) -> int:
        """Keep them in a process of its own, and let another one work before the call of that number.

        With `last` it ends right after the call of that one.

        Returns:
            How many calls it took.
        """
        self.now += HOUR
        beside = Overtaken(open_lakehouse(str(self.path)), before, work)
        genie: Any = self
        lake: Any = Mortal(last)(beside)
        with suppress(KilledError):
            look_at_evaluations(ASKED, genie=genie, lake=lake, run=Run(NOON.date(), "run", lambda: self.now))
        return beside.calls


@pytest.mark.parametrize("is_broken", [False, True], ids=["whole", "in part"])
def test_older_results_that_are_stored_later_do_not_stay(tmp_path: Path, is_broken: bool) -> None:
    """The other process had noted that all results are kept: nobody read them again."""
    number = 1
    while True:
        there = Evaluations(tmp_path / str(number))
        there.is_broken = is_broken

        def overtake(there: Evaluations = there) -> None:
            there.is_broken = False
            there.judge("GOOD")
            there.keep()

        calls = there.keep(number, overtake)
        if calls < number:
            break
        there.now += 47 * HOUR
        there.keep()
        lake = open_lakehouse(str(there.path))
        (run,) = lake.records(GENIE_EVALUATION_RUNS)
        assert run["last_updated_timestamp"] == there.updated
        assert run["results_kept_timestamp"] is not None
        found = {row["result_id"]: row["assessment"] for row in lake.records(GENIE_EVALUATION_RESULTS)}
        assert found == {"r1": "GOOD", "r2": "GOOD"}, f"overtaken before call {number}"
        number += 1
    assert number > 8


@pytest.mark.long  # the rule alone is tested in the domain
def test_older_results_of_a_process_that_was_overtaken_and_died_are_read_again(tmp_path: Path) -> None:
    """It had stored them and not said so: they stood there as kept for good."""
    calls = Evaluations(tmp_path / "0").keep()
    half = 0
    for number in range(1, calls + 1):
        there = Evaluations(tmp_path / str(number))

        def overtake(there: Evaluations = there) -> None:
            there.judge("GOOD")
            there.keep()

        there.keep(number, overtake, last=number)
        lake = open_lakehouse(str(there.path))
        half += "BAD" in {row["assessment"] for row in lake.records(GENIE_EVALUATION_RESULTS)}
        there.now += 47 * HOUR
        there.keep()
        found = {row["result_id"]: row["assessment"] for row in lake.records(GENIE_EVALUATION_RESULTS)}
        assert found == {"r1": "GOOD", "r2": "GOOD"}, f"it ended after call {number}"
        assert all(row["results_kept_timestamp"] for row in lake.records(GENIE_EVALUATION_RUNS))
    assert half, "it never ended in between"
