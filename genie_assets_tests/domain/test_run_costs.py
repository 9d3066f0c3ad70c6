"""What an endpoint is called, what is noted of costs, and which days are told."""

import datetime as dt

import pytest

from genie_assets.domain.budget import Budget, last_whole_days, problems
from genie_assets.domain.run_costs import (
    STATEMENTS,
    Costs,
    NotedCosts,
    Traffic,
    endpoint_of,
    from_text,
    noted,
    rows_of_run,
    shortened,
    to_text,
)

MONDAY = dt.date(2026, 3, 2)
_FEW = '{"requests":1,"statements":0,"statement_ms":0,"rows":0,"result_bytes":0,"endpoints":{"GET x":[1,2]}}'


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/api/2.0/sql/statements/", STATEMENTS),
        ("GET", "/api/2.0/sql/statements/01ef-ab/result/chunks/12", "GET sql/statements/_/result/chunks/_"),
        (
            "GET",
            "/api/2.0/genie/spaces/01ef/conversations/c1/messages/m%2F1",
            "GET genie/spaces/_/conversations/_/messages/_",
        ),
        ("PUT", "/api/2.0/fs/files/Volumes/main/Who%20earns/the%20most.html", "PUT fs/files"),
        ("GET", "/api/2.1/unity-catalog/tables/main.secret.salaries", "GET unity-catalog/tables/_"),
        ("GET", "/api/2.0/something/new", "GET _/_"),
    ],
)
def test_an_endpoint_is_named_without_ids(method: str, path: str, name: str) -> None:
    assert endpoint_of(method, path) == name


def test_parts_of_a_run_are_added_up_and_survive_as_text() -> None:
    one = Costs({"GET genie/spaces": Traffic(3, 1, 1, 500, retries=2)}, statement_ms=12, rows=4, result_bytes=90)
    one.traffic["GET genie/spaces"].times.update({10: 2, 40: 1})
    two = Costs({STATEMENTS: Traffic(2, bytes=7), "GET genie/spaces": Traffic(1)}, statement_ms=8)
    two.traffic["GET genie/spaces"].times[20] = 1
    both = noted(one).and_also(noted(two))
    assert (both.requests, both.statements, both.statement_ms, both.rows, both.result_bytes) == (6, 2, 20, 4, 90)
    spaces = {
        "requests": 4,
        "answered_429": 1,
        "failed": 1,
        "bytes": 500,
        "p50_ms": 20,
        "p95_ms": 40,
        "retries": 2,
    }
    assert both.endpoints["GET genie/spaces"] == spaces
    assert from_text(to_text(both)) == both


def test_costs_of_very_many_endpoints_are_cut_to_what_every_storage_keeps_and_lose_no_request() -> None:
    many = {f"GET {n:040}": Traffic(n + 1, failed=1, bytes=10, retries=1) for n in range(99)}
    costs = noted(Costs({**many, STATEMENTS: Traffic(1)}))
    short, gone = shortened(costs)
    text = to_text(short)
    assert len(text) <= 2_000
    assert from_text(text) == short
    rows = {row["endpoint"]: row for row in rows_of_run({}, short)}
    assert sum(row["requests"] for row in rows.values()) == costs.requests
    assert rows[STATEMENTS]["statements"] == 1, "statements stay, though they are the fewest"
    assert sorted(gone) == sorted(costs.endpoints.keys() - rows.keys()) == sorted(many)[: len(gone)]
    others = {"requests": sum(range(len(gone) + 1)), "failed": len(gone), "retries": len(gone)}
    assert others.items() <= rows["others"].items()
    assert "p95_ms" not in rows["others"], "nobody knows it of several endpoints together"
    again, further = shortened(short.and_also(noted(Costs({"GET new": Traffic(1)}))))
    assert (len(to_text(again)) <= 2_000, again.requests) == (True, costs.requests + 1)
    assert further, "what is cut a second time is told"
    assert shortened(noted(Costs({STATEMENTS: Traffic(1)})))[1] == []


def test_sums_of_one_part_that_an_older_version_noted_are_not_taken_for_endpoints_of_a_run() -> None:
    summed_up = from_text('{"requests":200,"statements":3,"statement_ms":9,"rows":0,"result_bytes":0}')
    later = noted(Costs({STATEMENTS: Traffic(2)}))
    assert summed_up is not None
    for run in (summed_up.and_also(later), later.and_also(summed_up)):
        (row,) = rows_of_run({"run_id": "r"}, run)
        assert (row["endpoint"], row["requests"], row["statements"], row["statement_ms"]) == ("all", 202, 5, 9)
        assert "retries" not in row
    assert NotedCosts().and_also(later) == later


@pytest.mark.parametrize(
    ("numbers", "retries"), [("9,2,2,700,10,40", None), ("9,2,2,700,10,40,2", 2), ("9,2,2,700,10,40,2,5", 2)]
)
def test_notes_of_versions_before_and_after_are_read_and_what_they_do_not_say_is_not_known(
    numbers: str, retries: int | None
) -> None:
    told = from_text(_FEW.replace("[1,2]", f"[{numbers}]"))
    assert told is not None
    (row,) = rows_of_run({}, told)
    assert (row["requests"], row["p95_ms"], row.get("retries")) == (9, 40, retries)
    both = told.and_also(noted(Costs({"GET x": Traffic(1, retries=1)})))
    assert both.endpoints["GET x"].get("retries") == (None if retries is None else retries + 1)


@pytest.mark.parametrize("text", ["", "[]", "{}", "no", '{"requests": "x"}', "null", _FEW])
def test_what_another_version_noted_is_no_cost(text: str) -> None:
    assert from_text(text) is None


def test_each_day_and_limit_that_is_passed_is_told_with_the_jobs_that_did_it() -> None:
    days = {
        MONDAY: {"genie_daily": NotedCosts(requests=900, statement_ms=50_000), "genie_spaces": NotedCosts(200)},
        MONDAY - dt.timedelta(days=1): {"genie_daily": NotedCosts(requests=1_000, statement_ms=60_500)},
    }
    assert problems(days, Budget(60, 1_000)) == [
        "2026-03-02: 1,100 requests to Databricks, which is more than GENIE_BUDGET_REQUESTS allows (1,000). Most "
        "of it: genie_daily 900, genie_spaces 200.",
        "2026-03-01: 60.5 seconds of the warehouse, which is more than GENIE_BUDGET_WAREHOUSE_SECONDS allows "
        "(60). Most of it: genie_daily 60.5.",
    ]
    assert problems(days, Budget()) == []


def test_the_day_that_has_not_ended_is_not_judged() -> None:
    now = dt.datetime(2026, 3, 3, 0, 1, tzinfo=dt.UTC)
    assert last_whole_days(now) == [MONDAY - dt.timedelta(days=back) for back in range(3)]
