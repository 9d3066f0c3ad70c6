"""`genie_evaluation_runs`: keep the evaluations of spaces before Databricks lets their details go.

Which spaces are asked, and what a look changes, is decided in `domain.evaluations`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from genie_assets.domain import ledger
from genie_assets.domain.evaluation_errors import end_of_results, of_trashed
from genie_assets.domain.evaluations import OF_A_SPACE, may_lack_results, results_to_ask, spaces_to_ask
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.questions import In, Rows, Wanted
from genie_assets.domain.requests import EvaluationsOfSpace
from genie_assets.domain.tables import (
    EVALUATION_FETCH_ERRORS,
    GENIE_EVALUATION_RESULTS,
    GENIE_EVALUATION_RUNS,
    GENIE_SPACE_DETAILS,
    records,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.batches import ask_for_due
from genie_assets.pipeline.error_ledger import end, end_gone, leave_out, left_out_question
from genie_assets.pipeline.evaluation_things import EvaluationResults, EvaluationRuns
from genie_assets.pipeline.ports import Genie, SystemTables
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.things import Tally


@dataclass(frozen=True)
class EvaluationsReport:
    """What one look at evaluations found."""

    spaces: int = 0  # that have benchmark questions
    runs: int = 0  # that are new, or not as they were
    results: int = 0  # the same
    details: int = 0  # of the results: those with details
    tallies: Sequence[Tally] = field(default_factory=tuple)

    @property
    def errors_by_class(self) -> Counter[str]:
        """Failures of spaces and runs."""
        return sum((tally.errors_by_class for tally in self.tallies), Counter[str]())


def keep_evaluations(run: Run, *, system_tables: SystemTables, genie: Genie, lake: Lakehouse) -> EvaluationsReport:
    """List the evaluations of every space with benchmark questions, and read the results that are not kept yet.

    Where no space has benchmark questions, nothing is asked.

    Args:
        run: The run.
        system_tables: Know the addresses of the workspaces.
        genie: The API.
        lake: The tables.
    """
    chosen = system_tables.chosen_workspaces
    found = lake.together(
        {
            "spaces": Wanted(Rows(GENIE_SPACE_DETAILS), (*OF_A_SPACE, "api_fetch_status")),
            "left out": left_out_question(EVALUATION_FETCH_ERRORS, chosen),
            "open": Wanted(Rows(EVALUATION_FETCH_ERRORS, ledger.OPEN), EVALUATION_FETCH_ERRORS.column_names),
        }
    )
    leave_out(lake, EVALUATION_FETCH_ERRORS, found["left out"], run.clock())
    end_gone(lake, EVALUATION_FETCH_ERRORS, of_trashed(found["open"], found["spaces"], chosen), run.clock())
    if not spaces_to_ask(found["spaces"], {}, chosen, found["open"]):
        return EvaluationsReport()
    workspaces = records(system_tables.workspaces())
    urls = {row["workspace_id"]: row["workspace_url"] for row in workspaces}
    spaces = spaces_to_ask(found["spaces"], urls, chosen, found["open"])
    return look_at_evaluations(spaces, found["open"], genie=genie, lake=lake, run=run)


def look_at_evaluations(
    spaces: Sequence[EvaluationsOfSpace],
    errors: Sequence[Row] = (),
    *,
    genie: Genie,
    lake: Lakehouse,
    run: Run,
) -> EvaluationsReport:
    """List the evaluations of these spaces, and read the results of those that are not kept yet.

    Args:
        spaces: What is asked of each space.
        errors: Open errors of evaluations, of these and other spaces.
        genie: The API.
        lake: The tables.
        run: The run.
    """
    urls = {each.workspace_id: each.workspace_url for each in spaces}
    runs, results = EvaluationRuns(lake), EvaluationResults(lake)
    listed = ask_for_due(spaces, runs, genie=genie, lake=lake, run=run)
    # Those of earlier runs, too, which found no time for them.
    waiting = lake.records(
        GENIE_EVALUATION_RUNS,
        where=[In("space_id", sorted({each.space_id for each in spaces})), may_lack_results(run.clock())],
    )
    _end_of_results(spaces, errors, waiting, lake, run)
    asked = results_to_ask(waiting, _kept(lake, waiting), urls, run.clock())
    read = ask_for_due(asked, results, genie=genie, lake=lake, run=run) if asked else Tally()
    return EvaluationsReport(len(spaces), runs.changed, results.changed, results.details, (listed, read))


def _end_of_results(
    spaces: Sequence[EvaluationsOfSpace], errors: Sequence[Row], waiting: Sequence[Row], lake: Lakehouse, run: Run
) -> None:
    """End errors of these spaces whose results nobody will ask for again."""
    listed, now = {SpaceKey(each.workspace_id, each.space_id) for each in spaces}, run.clock()
    mine = (row for row in errors if SpaceKey.of(row) in listed)
    ended = [(row, how) for row in mine if (how := end_of_results(row, waiting, now)) is not None]
    end(lake, EVALUATION_FETCH_ERRORS, ended, now)


def _kept(lake: Lakehouse, runs: Sequence[Row]) -> list[Row]:
    columns = (*GENIE_EVALUATION_RESULTS.key, "has_details", "run_updated_timestamp")
    of_these = Rows(GENIE_EVALUATION_RESULTS, [In("eval_run_id", sorted({row["eval_run_id"] for row in runs}))])
    return lake.together({"kept": Wanted(of_these, columns)})["kept"] if runs else []
