"""Evaluations of spaces, from the real API of the sandbox: pages, refusals, what vanishes, broken-off runs."""

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.evaluations import spaces_to_ask
from genie_assets.domain.keys import Row
from genie_assets.domain.requests import EvaluationsOfSpace
from genie_assets.domain.tables import (
    EVALUATION_FETCH_ERRORS,
    GENIE_EVALUATION_RESULTS,
    GENIE_EVALUATION_RUNS,
    TABLES,
    Table,
)
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.meanings import MEANINGS
from genie_assets.pipeline.genie_evaluation_runs import EvaluationsReport, look_at_evaluations
from genie_assets.pipeline.run import Run
from genie_assets_tests.e2e.pipelines import (
    ClockThatStands,
    Pipeline,
    metadata_of,
    point_at,
    recent_anchor,
    sandbox_of,
)
from genie_assets_tests.sandbox.tiny import DAY, HOUR, NOW, account_of, utc
from genie_assets_tests.views.golden_evaluations import evaluation_trend
from genie_assets_tests.views.world import ask
from genie_assets_tests.views.world import differences as differences_of_view
from genie_sandbox.account import Account, Evaluation, EvaluationResult, Space
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate
from genie_sandbox.truth.comparison import differences
from genie_sandbox.truth.tables import truth_of_evaluations

_TREND = "SELECT * FROM evaluation_trend"
SECRET = "Who earns the most?"
ROWS = "a row that nobody may read"
MANY = 25


def result(number: int, assessment: str = "GOOD") -> EvaluationResult:
    body = {"result_id": f"r{number}", "benchmark_question_id": f"q{number}", "question": SECRET, "status": "DONE"}
    answer = {"response": "SELECT 1", "response_type": "SQL", "sql_execution_result": {"data": [[ROWS]]}}
    details = {"actual_response": [answer], "assessment": assessment, "manual_assessment": False}
    return EvaluationResult(body, details)


def evaluation(run_id: str, results: int, at: int = NOW - HOUR, takes: int = 60_000) -> Evaluation:
    body = {
        "eval_run_id": run_id,
        "eval_run_status": "DONE",
        "created_timestamp": at,
        "last_updated_timestamp": at + takes,
        "num_questions": results,
        "num_done": results,
        "num_correct": results,
        "run_by_user": 7,
    }
    return Evaluation(at, at + takes, body, tuple(result(number) for number in range(results)))


def space(space_id: str, *runs: Evaluation, **more: Any) -> Space:
    return Space("1", space_id, {"space_id": space_id, "title": "Sales"}, evaluations=runs, **more)


SPACES = (
    space("many", *(evaluation(f"m{number}", 1) for number in range(MANY))),
    space("one", evaluation("o1", 3), evaluation("running", 1, takes=3 * DAY)),
    space("old", evaluation("gone", 5, at=NOW - 10 * DAY), evaluation("ancient", 5, at=NOW - 90 * DAY)),
    space("never"),
    space("refused", evaluation("x", 1), access="run"),
)


class World:
    """Spaces with evaluations, and what is kept of them."""

    def __init__(self, sandbox: SandboxProcess, folder: Path) -> None:
        self.sandbox, self.lake, self.now = sandbox, open_lakehouse(str(folder)), utc(NOW)
        workspaces = Workspaces(sandbox.host, token=sandbox.token, policy=HostPolicy(["127.0.0.1"]))
        retries = Retries(attempts=1, first_wait=0.01)
        self.genie = GenieApi(workspaces, threads=4, pacer_of=lambda _: Pacer(5000), retries=retries)

    def keep(self, *space_ids: str) -> EvaluationsReport:
        self.sandbox.reset_requests()
        run = Run(self.now.date(), "run", lambda: self.now)
        asked = [EvaluationsOfSpace("1", self.sandbox.urls["1"], each) for each in space_ids]
        return look_at_evaluations(asked, genie=self.genie, lake=self.lake, run=run)

    @property
    def asked(self) -> dict[str, int]:
        found: dict[str, int] = self.sandbox.requests()["by_route"]
        return found

    def wait(self, **time: int) -> None:
        self.now += dt.timedelta(**time)
        self.sandbox.set_clock(max(self.sandbox.now_ms(), round(self.now.timestamp() * 1000)))

    def all_of(self, table: Table) -> list[Row]:
        kept = [name for name in table.column_names if name not in table.bookkeeping]
        rows = [{name: row[name] for name in kept} for row in self.lake.records(table)]
        return sorted(rows, key=lambda row: [str(row[name]) for name in table.key])

    def runs(self) -> dict[str, Row]:
        return {row["eval_run_id"]: row for row in self.all_of(GENIE_EVALUATION_RUNS)}

    def results(self, run_id: str) -> list[Row]:
        return [row for row in self.all_of(GENIE_EVALUATION_RESULTS) if row["eval_run_id"] == run_id]

    def errors(self) -> dict[str, Row]:
        return {row["thing_id"]: row for row in self.lake.records(EVALUATION_FETCH_ERRORS)}


@pytest.fixture(scope="module")
def account() -> Account:
    return replace(account_of(), spaces=SPACES)


@pytest.fixture
def world(account: Account, tmp_path: Path) -> Iterator[World]:
    with sandbox_of(account, tmp_path / "account", sql=False) as sandbox:
        yield World(sandbox, tmp_path / "lake")


def test_details_that_vanish_after_a_week_are_there_after_a_month(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.sandbox.faults({"effect": "max_page_size", "limit": 20})
    report = world.keep("many", "one", "old", "never", "refused", "unknown")
    assert (report.runs, report.results, report.details) == (MANY + 4, MANY + 3 + 5, MANY + 3)
    assert {name: (row["of_what"], row["error_class"]) for name, row in world.errors().items()} == {
        "refused": ("RUNS", "PERMISSION"),
        "unknown": ("RUNS", "NOT_FOUND"),
    }
    # Two pages and the four others; of the old run one result was asked for, which was gone; none of the ancient.
    assert world.asked["list_evaluations"] == 2 + 5
    assert world.asked["list_evaluation_results"] == MANY + 2
    assert world.asked["get_evaluation_result"] == MANY + 3 + 1
    assert (world.runs()["ancient"]["results_kept_timestamp"], world.results("ancient")) == (None, [])
    assert [row["has_details"] for row in world.results("gone")] == [False] * 5
    first = world.results("o1")
    assert [(row["assessment"], row["question"]) for row in first] == [("GOOD", SECRET)] * 3
    assert '"response":"SELECT 1"' in first[0]["actual_response"]
    assert ROWS not in str(world.all_of(GENIE_EVALUATION_RESULTS)), "rows of the asked tables are not kept"

    # A quiet day: one request per space, two for a list of two pages, and nothing is written.
    before = {table: world.lake.records(table) for table in TABLES if table.asset == "genie_evaluation_runs"}
    report = world.keep("many", "one", "old", "never")
    assert (report.runs, report.results, world.asked) == (0, 0, {"list_evaluations": 5})
    assert {table: world.lake.records(table) for table in before} == before

    # Days later, the one that was running has ended.
    world.wait(days=3)
    report = world.keep("one")
    assert (report.runs, report.details, world.runs()["running"]["status"]) == (1, 1, "DONE")

    # After a month nothing shows the details any more, and they are as they were.
    world.wait(days=30)
    assert world.keep("many", "one", "old").tallies[1].requests == 0
    assert world.results("o1") == first
    assert len([row for row in world.all_of(GENIE_EVALUATION_RESULTS) if row["has_details"]]) == MANY + 4
    assert SECRET not in caplog.text
    assert ROWS not in caplog.text


def test_one_bad_result_stops_no_other_and_is_asked_for_alone_when_it_is_due(world: World) -> None:
    path = {"effect": "status", "status": 500, "route": "get_evaluation_result", "every": 3}
    world.sandbox.faults(path)
    report = world.keep("one")
    assert (report.details, world.errors()["o1"]["error_class"]) == (2, "SERVER")
    assert world.runs()["o1"]["results_kept_timestamp"] is None
    assert sum(row["has_details"] for row in world.results("o1")) == 2
    world.keep("one")
    assert "list_evaluation_results" not in world.asked, "its time has not come"
    world.wait(days=1)
    world.keep("one")
    assert (world.asked["get_evaluation_result"], world.errors()["o1"]["resolution"]) == (1, "FETCHED")
    assert world.runs()["o1"]["results_kept_timestamp"] is not None
    assert all(row["has_details"] for row in world.results("o1"))

    # The right to edit is lost: nothing that is known is touched.
    kept = world.runs(), world.all_of(GENIE_EVALUATION_RESULTS)
    world.sandbox.faults({"effect": "status", "status": 403, "route": "list_evaluations"})
    world.keep("one")
    assert (world.runs(), world.all_of(GENIE_EVALUATION_RESULTS)) == kept
    assert world.errors()["one"]["error_class"] == "PERMISSION"


def test_details_that_a_young_evaluation_does_not_show_yet_are_asked_for_again(world: World) -> None:
    world.sandbox.faults({"effect": "status", "status": 404, "route": "get_evaluation_result", "every": 3})
    report = world.keep("one")
    assert (report.details, report.errors_by_class) == (2, {})
    assert world.runs()["o1"]["results_kept_timestamp"] is None
    world.sandbox.clear_faults()
    world.wait(days=1)
    world.keep("one")
    assert world.asked["get_evaluation_result"] == 1
    assert all(row["has_details"] for row in world.results("o1"))
    assert world.runs()["o1"]["results_kept_timestamp"] is not None


@pytest.mark.parametrize("writes", [1, 2])
def test_a_run_that_is_killed_between_two_writes_is_made_good_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    store = world.lake.store
    done: list[Any] = []

    def killed(*args: Any, **more: Any) -> Any:
        if len(done) == writes:
            raise KeyboardInterrupt
        done.append(args)
        return store(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(world.lake, "store", killed)
        with pytest.raises(KeyboardInterrupt):
            world.keep("one")
    assert world.runs()["o1"]["results_kept_timestamp"] is None
    report = world.keep("one")
    assert report.details == (3 if writes == 1 else 0), "details that were stored are not asked for again"
    assert world.runs()["o1"]["results_kept_timestamp"] is not None
    assert len(world.results("o1")) == 3


def test_only_spaces_that_can_have_evaluations_are_asked() -> None:
    def row(space_id: str, hashes: str | None, status: str = "SUCCESS", *, trashed: bool = False) -> Row:
        key = {"workspace_id": "1", "space_id": space_id, "section_hashes": hashes}
        return {**key, "api_fetch_status": status, "is_trashed": trashed}

    rows = [
        row("benchmarks", '{"benchmarks": "ab"}'),
        row("none", '{"tables": "ab"}'),
        row("older", None),
        row("not read", None, "PERMISSION"),
        row("trashed", '{"benchmarks": "ab"}', trashed=True),
        row("..", '{"benchmarks": "ab"}'),
        {**row("other", None), "workspace_id": "2"},
    ]
    found = spaces_to_ask(rows, {"1": "https://w.example"}, {"1"})
    assert [(each.space_id, each.workspace_url) for each in found] == [
        ("benchmarks", "https://w.example"),
        ("older", "https://w.example"),
    ]


def trend_of(account: Account, looked: dt.datetime) -> list[Row]:
    """What `evaluation_trend` must say after one look at the spaces and one at their evaluations.

    By which hash we know a configuration, no account tells.
    """
    rows = truth_of_evaluations(account, at=account.anchor)
    results = [{"has_details": False, **row} for row in rows[GENIE_EVALUATION_RESULTS.name]]
    versions = [
        {
            "workspace_id": each.workspace_id,
            "space_id": each.space_id,
            "valid_from": looked,
            "update_time": dt.datetime.fromisoformat(told) if (told := each.body.get("update_time")) else None,
        }
        for each in account.spaces
    ]
    titles = {(each.workspace_id, each.space_id): each.body["title"] for each in account.spaces}
    found = evaluation_trend(versions, rows[GENIE_EVALUATION_RUNS.name], results, titles)
    return [{name: value for name, value in row.items() if name != "config_hash"} for row in found]


@pytest.mark.parametrize("lakehouse", ["files", pytest.param("unity", marks=pytest.mark.long)])
def test_the_tables_are_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lakehouse: str) -> None:
    place: Any = "uc://main.genie_analytics" if lakehouse == "unity" else tmp_path / "lake"
    account = generate(seed=11, anchor=recent_anchor(), days=2, messages=20)
    with sandbox_of(account, tmp_path / "account") as sandbox:
        point_at(sandbox, place, monkeypatch)
        pipeline = Pipeline()
        found = metadata_of(pipeline.run("genie_evaluations"), GENIE_EVALUATION_RUNS.name)
        assert found["requests"] == 0, "no configuration is known yet"
        looked = dt.datetime.now(dt.UTC)
        pipeline.run("genie_spaces", clock=ClockThatStands(looked))
        found = metadata_of(pipeline.run("genie_evaluations"), GENIE_EVALUATION_RUNS.name)
        assert not {name for name in found if "/" not in name} - set(MEANINGS[GENIE_EVALUATION_RUNS.name])
        expected = truth_of_evaluations(account, at=account.anchor)
        for table in (GENIE_EVALUATION_RUNS, GENIE_EVALUATION_RESULTS):
            assert differences(table, expected[table.name], pipeline.rows(table)) == []
            assert expected[table.name]
        trend = trend_of(account, looked)
        assert any(row["share_correct"] for row in trend)
        assert differences_of_view("evaluation_trend", ask(pipeline.lake, _TREND), trend) == []
        questions = {row["question"] for row in pipeline.rows(GENIE_EVALUATION_RESULTS)}
        assert not any(question in str(found) for question in questions)
        sandbox.reset_requests()
        again = metadata_of(pipeline.run("genie_evaluations"), GENIE_EVALUATION_RUNS.name)
        assert again["requests"] == again["spaces"] == found["spaces"] > 0
        if lakehouse == "unity":
            assert sandbox.requests(0)["by_call"].get("POST statements", 0) <= 10
