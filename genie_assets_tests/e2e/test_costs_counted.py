"""What each job's run notes of its costs is what the server received; and days that cost too much are told."""

import datetime as dt
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from genie_assets.domain.run_costs import STATEMENTS, NotedCosts, from_text, to_text
from genie_assets.domain.tables import GENIE_RUN_COSTS, MESSAGE_FETCH_ERRORS
from genie_assets.pipeline.errors_by_hand import open_rows, requeue
from genie_assets.run_costs import COST_DAY_TAG, COSTS_TAG
from genie_assets.wiring import take_costs
from genie_assets_tests.e2e.pipelines import (
    ClockAt,
    Pipeline,
    days_of,
    last_night,
    metadata_of,
    point_at,
    sandbox_of,
)
from genie_assets_tests.test_telemetry import Receiver, receiving
from genie_sandbox.made_up.generator import generate

pytestmark = pytest.mark.slow

_CONVERSATIONS = "genie/spaces/_/conversations"
_EVALUATIONS = "genie/spaces/_/eval-runs"
# What the sandbox calls what we call an endpoint; it counts several of ours as one where it answers them alike.
CALLS = {
    "GET genie/spaces": "GET list_spaces",
    "GET genie/spaces/_": "GET get_space",
    f"GET {_CONVERSATIONS}": "GET list_conversations",
    f"GET {_CONVERSATIONS}/_/messages": "GET list_messages",
    f"GET {_CONVERSATIONS}/_/messages/_": "GET get_message",
    f"GET {_CONVERSATIONS}/_/messages/_/comments": "GET list_comments",
    "GET genie/agents/_/conversations/_/items": "GET list_items",
    f"GET {_EVALUATIONS}": "GET list_evaluations",
    f"GET {_EVALUATIONS}/_/results": "GET list_evaluation_results",
    f"GET {_EVALUATIONS}/_/results/_": "GET get_evaluation_result",
    "GET permissions/genie/_": "GET space_permissions",
    "GET genie/agents": "GET list_agents",
    "GET entity-tag-assignments/geniespaces/_/tags": "GET list_tags",
    "POST sql/statements": "POST statements",
    "GET sql/statements/_": "GET statements",
    "GET sql/statements/_/result/chunks/_": "GET statements",
    "GET result link": "GET presigned",
    "GET preview/scim/v2/Me": "GET me",
    "GET unity-catalog/current-metastore-assignment": "GET metastore",
    **{f"{verb} fs/{kind}": f"{verb} files" for verb in ("GET", "PUT") for kind in ("files", "directories")},
    "DELETE fs/directories": "DELETE files",
    "DELETE fs/files": "DELETE files",
    "POST log-in": "POST token",
    "GET log-in": "GET discovery",
}
# And what begins so, whatever follows.
ROUTES = {
    "lakeview/": "dashboards",
    "workspace/": "workspace_objects",
    "permissions/dashboards": "dashboard_permissions",
    "alerts": "alerts",
}
# Those of one day: the second one asks for what the first one could not read.
DAILY = ("genie_daily", "genie_retry")
JOBS = (
    "genie_new_rows",
    "genie_spaces",
    "genie_conversations",
    "genie_evaluations",
    "genie_reconciliation",
    "genie_late_days",
)
OF_A_WAREHOUSE = ("genie_views", "genie_dashboard", "genie_sql_alert", "genie_report", "genie_maintenance")
# What asks nothing of an account without comments and conversations with agents, where tables are files.
ASK_NOTHING = {"genie_conversations"}
# What fails in passing: before a token is had, for a message list, and for a statement.
FAULTS = (
    {"effect": "status", "status": 503, "route": "token", "times": 1},
    {"effect": "status", "status": 429, "route": "list_messages", "retry_after": 0, "times": 2},
    {"effect": "status", "status": 503, "route": "statements", "times": 1},
)


NOTHING = "–"
AGAIN = {"POST log-in": 1, f"GET {_CONVERSATIONS}/_/messages": 2, STATEMENTS: 1}


def costs_of(pipeline: Pipeline, result: dg.ExecuteInProcessResult) -> NotedCosts:
    run = pipeline.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags[COST_DAY_TAG] == str(dt.datetime.now(dt.UTC).date())
    costs = from_text(run.tags[COSTS_TAG])
    assert costs is not None
    return costs


def as_the_server_counts(costs: NotedCosts) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, numbers in costs.endpoints.items():
        verb, path = name.split(" ", 1)
        (route,) = [of for begin, of in ROUTES.items() if path.startswith(begin)] or [None]
        found[f"{verb} {route}" if route else CALLS[name]] += numbers["requests"]
    return found


def received(asked: dict[str, Any]) -> Counter[str]:
    return Counter(asked["by_call"])


@pytest.mark.long
@pytest.mark.parametrize("lakehouse", ["files", "unity"])
def test_every_job_notes_the_requests_and_statements_that_the_server_received(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lakehouse: str
) -> None:
    place: Any = "uc://main.genie_analytics" if lakehouse == "unity" else tmp_path / "lake"
    account = generate(seed=11, anchor=last_night(), days=1, messages=20)
    jobs = [*DAILY, *JOBS, "genie_standing_checks", *(OF_A_WAREHOUSE if lakehouse == "unity" else [])]
    with sandbox_of(account, tmp_path / "account") as sandbox, receiving(monkeypatch) as receiver:
        point_at(sandbox, place, monkeypatch)
        monkeypatch.setenv("GENIE_DASHBOARD_FOLDER", "/Shared")
        monkeypatch.setenv("GENIE_NEW_ROWS_MINUTES", "5")
        monkeypatch.setenv("GENIE_SQL_ALERT_EMAILS", '["team@example.com"]')
        sandbox.advance(hours=24)
        take_costs()  # of other tests of this process
        pipeline, total, told = Pipeline(), NotedCosts(), dict[str, NotedCosts]()
        silent = set(jobs)
        for job in jobs:
            if job == "genie_retry":
                _make_due(pipeline)
            sandbox.reset_requests()
            if job == "genie_daily":
                sandbox.faults(*FAULTS)
            if job == "genie_evaluations":
                monkeypatch.setenv("GENIE_TELEMETRY", "true")
            result = pipeline.run(job, days_of(account)[-1] if job in DAILY else None)
            asked = sandbox.requests(0)
            if not received(asked):
                continue
            silent.remove(job)
            if job == "genie_daily":
                assert sum(each["fired"] for each in sandbox.fault_report()) == sum(AGAIN.values())
            costs = costs_of(pipeline, result)
            assert as_the_server_counts(costs) == received(asked), job
            assert costs.requests == received(asked).total()
            assert costs.statements == asked["by_call"].get("POST statements", 0)
            refused_here = sum(each["answered_429"] for each in costs.endpoints.values())
            assert refused_here == asked["rate_limited"] == (2 if job == "genie_daily" else 0)
            assert sum(each["failed"] for each in costs.endpoints.values()) == sum(
                each["count"] for each in asked["counts"] if not 200 <= each["status"] < 300
            )
            again = {name: each["retries"] for name, each in costs.endpoints.items() if each["retries"]}
            assert again == (AGAIN if job == "genie_daily" else {}), job
            assert from_text(to_text(costs)) == costs, "the numbers of all endpoints fit"
            if job == "genie_evaluations":
                monkeypatch.delenv("GENIE_TELEMETRY")
                _sent(receiver, costs)
            total = total.and_also(costs)
            told[result.run_id[:8]] = costs
        assert silent <= ASK_NOTHING
        assert (total.statements > 0, total.statement_ms > 0, total.rows > 0) == (True, True, True)
        _budget(pipeline, total, monkeypatch)
        _kept(pipeline, told)


def _make_due(pipeline: Pipeline) -> None:
    """Have errors tried again at once: an hour on, when they are due, may be of another day with its own costs."""
    errors = open_rows(pipeline.lake, MESSAGE_FETCH_ERRORS)
    assert requeue(pipeline.lake, errors, dt.datetime.now(dt.UTC))
    take_costs()  # of these statements, which no run asks


def _sent(receiver: Receiver, costs: NotedCosts) -> None:
    """The metrics of a run are the same numbers."""
    points: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (name, where), point in receiver.points().items():
        assert dict(where)["dagster.job"] == "genie_evaluations"
        is_duration = name.endswith(".duration")
        points[name][dict(where).get("databricks.endpoint", "")] = point.count if is_duration else point.as_int
    assert points["genie_assets.warehouse.statements"] == {"": costs.statements}
    assert points["genie_assets.warehouse.time"] == {"": costs.statement_ms}
    sent = {name: numbers["requests"] for name, numbers in costs.endpoints.items()}
    assert points["genie_assets.api.requests"] == points["genie_assets.api.request.duration"] == sent
    assert sent["POST log-in"] > 0


def _kept(pipeline: Pipeline, told: dict[str, NotedCosts]) -> None:
    """The table has the same, once the day is over, and once."""
    for days in (1, 0):
        result = pipeline.run("genie_costs")  # by the clock of the day after
        assert metadata_of(result, "genie_run_costs")["runs"] == (len(told) if days else 0)
        rows = pipeline.rows(GENIE_RUN_COSTS)
        assert len(rows) == sum(len(costs.endpoints) for costs in told.values())
    requests: Counter[str] = Counter()
    for row in rows:
        requests[row["run_id"]] += row["requests"]
        is_statement = row["endpoint"] == STATEMENTS
        costs = told[row["run_id"]]
        assert row["statement_ms"] == (costs.statement_ms if is_statement else None)
        assert row["result_rows"] == (costs.rows if is_statement else None)
        assert row["statements"] == (costs.statements if is_statement else None)
        assert row["retries"] == costs.endpoints[row["endpoint"]]["retries"]
        assert row["cost_date"] == dt.datetime.now(dt.UTC).date()
    assert requests == {run_id: costs.requests for run_id, costs in told.items()}


def _budget(pipeline: Pipeline, spent: NotedCosts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day is over: it is judged by what its runs noted, and nothing is asked for it."""
    tomorrow = ClockAt(dt.timedelta(days=1))
    monkeypatch.setattr("genie_assets_tests.e2e.pipelines.build_defs", lambda **_: _defs_at(tomorrow))
    monkeypatch.setattr("genie_assets_tests.e2e.pipelines.ours", lambda: _defs_at(tomorrow))
    assert pipeline.check("budget_is_kept", asset="genie_run_costs").passed, "no limit is set"
    monkeypatch.setenv("GENIE_BUDGET_REQUESTS", str(spent.requests))
    assert pipeline.check("budget_is_kept", asset="genie_run_costs").passed, "as much as it may"
    monkeypatch.setenv("GENIE_BUDGET_REQUESTS", str(spent.requests - 1))
    monkeypatch.setenv("GENIE_BUDGET_WAREHOUSE_SECONDS", "100000")
    told = pipeline.check("budget_is_kept", asset="genie_run_costs")
    assert (told.passed, told.severity) == (False, dg.AssetCheckSeverity.WARN)
    today = dt.datetime.now(dt.UTC).date()
    assert (told.description or "").startswith(
        f"{today}: {spent.requests:,} requests to Databricks, which is more than GENIE_BUDGET_REQUESTS allows "
        f"({spent.requests - 1:,}). Most of it: "
    )
    assert "GENIE_BUDGET_WAREHOUSE_SECONDS allows" not in (told.description or "")
    days = told.metadata["days"]
    assert isinstance(days, dg.TableMetadataValue)
    assert [each.data["statements"] for each in days.records] == [spent.statements, NOTHING, NOTHING]


def _defs_at(clock: ClockAt) -> dg.Definitions:
    from genie_assets.definitions import build_defs

    return build_defs(clock=clock)
