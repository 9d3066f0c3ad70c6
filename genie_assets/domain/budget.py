"""What a day of this pipeline may cost, and what is told of days that cost more."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from genie_assets.domain.run_costs import NotedCosts

LOOKED_AT_DAYS = 3
"""So many of the last whole days are judged: a check that could not run for a day or two still tells them."""


@dataclass(frozen=True)
class Budget:
    """What a UTC day may cost; None is no limit."""

    warehouse_seconds: float | None = None
    requests: int | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is a limit."""
        return self.warehouse_seconds is not None or self.requests is not None


def last_whole_days(now: dt.datetime) -> list[dt.date]:
    """The days that are judged at a time, UTC, the latest first."""
    return [now.date() - dt.timedelta(days=back) for back in range(1, LOOKED_AT_DAYS + 1)]


def problems(days: Mapping[dt.date, Mapping[str, NotedCosts]], budget: Budget) -> list[str]:
    """One sentence for each day and limit that was passed, the latest day first.

    Args:
        days: What each day cost, by job.
        budget: The limits.
    """
    found = []
    for day, jobs in sorted(days.items(), reverse=True):
        seconds = {job: costs.statement_ms / 1000 for job, costs in jobs.items()}
        requests = {job: float(costs.requests) for job, costs in jobs.items()}
        for name, what, limit, cost in (
            ("GENIE_BUDGET_WAREHOUSE_SECONDS", "seconds of the warehouse", budget.warehouse_seconds, seconds),
            ("GENIE_BUDGET_REQUESTS", "requests to Databricks", budget.requests, requests),
        ):
            if limit is not None and sum(cost.values()) > limit:
                most = sorted(cost, key=lambda job, cost=cost: (-cost[job], job))[:3]  # type: ignore[misc]
                jobs_text = ", ".join(f"{job} {_shown(cost[job])}" for job in most)
                found.append(
                    f"{day}: {_shown(sum(cost.values()))} {what}, which is more than {name} allows "
                    f"({_shown(limit)}). Most of it: {jobs_text}."
                )
    return found


def _shown(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")
