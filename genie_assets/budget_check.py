"""The check that days cost no more than they may. It reads what runs noted of themselves, and asks no table."""

import datetime as dt

import dagster as dg

from genie_assets.domain.budget import Budget, last_whole_days, problems
from genie_assets.domain.run_costs import NotedCosts, summed
from genie_assets.run_costs import costs_of_days
from genie_assets.settings import load_settings
from genie_assets.showing import rows_table
from genie_assets.wiring import Clock

_WHAT_TO_DO = (
    "See what these runs did: in Dagster, runs with the tag genie/cost_day, and what each cost in genie/costs. A "
    "backfill, or a month loaded anew, passes by itself; if every day is like this, load less often, or set the "
    "limit to what you want to spend."
)


def budget_is_kept(
    context: dg.AssetCheckExecutionContext, genie_clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """None of the last whole days cost more than GENIE_BUDGET_… allows, if that is set."""
    settings = load_settings()
    budget = Budget(settings.genie_budget_warehouse_seconds, settings.genie_budget_requests)
    days = costs_of_days(context.instance, last_whole_days(genie_clock.now()))
    found = problems(days, budget)
    rows = [_row(day, summed(jobs.values()) if jobs else None) for day, jobs in days.items()]
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join([*found, _WHAT_TO_DO]) if found else "",
        metadata={
            "days": rows_table(["day", "statements", "warehouse seconds", "requests", "MiB of results"], rows),
            **({} if budget.is_set else {"switched_off": "no GENIE_BUDGET_… is set"}),
        },
    )


def _row(day: dt.date, costs: NotedCosts | None) -> list[object]:
    # That no run has noted anything is not known to be thrift.
    if costs is None:
        return [day, None, None, None, None]
    seconds, size = round(costs.statement_ms / 1000, 1), round(costs.result_bytes / 2**20, 1)
    return [day, costs.statements, seconds, costs.requests, size]
