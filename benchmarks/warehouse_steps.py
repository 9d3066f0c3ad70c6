"""The steps of a day with tables in Unity Catalog, for `benchmarks.warehouse`: each in a process of its own."""

import datetime as dt
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from genie_assets.domain.tables import TABLES
from genie_assets.domain.waiting import last_days
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.audit_messages import discover
from genie_assets.pipeline.day_inspection import inspect_day
from genie_assets.pipeline.day_loads import later_than, loads_of
from genie_assets.pipeline.days_not_loaded import not_loaded
from genie_assets.pipeline.enriched_message_details import fold_day
from genie_assets.pipeline.genie_api_messages import fetch
from genie_assets.pipeline.genie_space_details import back_up_spaces
from genie_assets.pipeline.inspection import open_errors
from genie_assets.pipeline.left_out import left_out
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.waiting import lost_lately, what_waits
from genie_assets.settings import load_settings
from genie_assets.wiring import open_genie_api, open_lake, open_system_tables, open_workspaces

Spec = Mapping[str, Any]
_DEADLINE_SECONDS = 7200


def unity_step(spec: Spec) -> dict[str, Any]:
    """Do one step of a day as the asset of that name does it; at another time than now, if the spec says so.

    Returns:
        How many `messages` were folded.
    """
    os.environ.update(spec["environment"])
    at = dt.datetime.fromisoformat(spec["at"]) if "at" in spec else None
    return {"messages": _STEPS[spec["step"]](_run(dt.date.fromisoformat(spec["day"]), at=at))}


def unity_job(spec: Spec) -> dict[str, Any]:
    """Do what a job does, on one connection as its run does it; some days later, if the spec says so."""
    os.environ.update(spec["environment"])
    later = dt.timedelta(days=spec.get("days_later", 0))
    _JOBS[spec["job"]](_run(dt.date.fromisoformat(spec["day"]), later))
    return {}


def _run(day: dt.date, later: dt.timedelta = dt.timedelta(0), *, at: dt.datetime | None = None) -> Run:
    deadline, began = time.monotonic() + _DEADLINE_SECONDS, dt.datetime.now(dt.UTC)
    shift = later if at is None else at - began
    return Run(day, f"run{time.time_ns()}", lambda: dt.datetime.now(dt.UTC) + shift, deadline)


def _daily(run: Run) -> None:
    settings, lake = load_settings(), _lake()
    connection = settings.databricks()
    genie, tables = open_genie_api(settings, connection), open_system_tables(settings, connection)
    discover(run, system_tables=tables, lake=lake)
    fetch(run, genie=genie, lake=lake)
    fold_day(run, system_tables=tables, genie=genie, lake=lake)
    inspect_day(run.day, lake, run.clock())


def _late_days(run: Run) -> None:
    settings = load_settings()
    tables = open_system_tables(settings, settings.databricks())
    days = last_days(run.clock(), settings.genie_lookback_days)
    _, besides = what_waits(_lake(), run.clock(), days, noted=loads_of(days))
    later_than(besides["noted"], days, tables)


def _standing_checks(run: Run) -> None:
    settings, lake = load_settings(), _lake()
    tables, now = open_system_tables(settings, settings.databricks()), run.clock()
    days = last_days(now, settings.genie_lookback_days)
    open_errors(lake, sample=20)
    left_out(lake, first_day=settings.genie_first_day, today=now.date())
    lost_lately(lake, now, settings.genie_lookback_days)
    tables.latest_audit_event(since=now.date())
    not_loaded(days, tables, lake, settings.genie_lookback_days)


def _spaces(run: Run) -> None:
    settings = load_settings()
    connection = settings.databricks()
    genie, tables = open_genie_api(settings, connection), open_system_tables(settings, connection)
    back_up_spaces(run, system_tables=tables, genie=genie, lake=_lake())


def _maintenance(run: Run) -> None:
    lake = _lake()
    for table in TABLES:
        lake.maintain(table, today=run.clock().date())


def _lake() -> Lakehouse:
    return open_lake(load_settings())


def _discover(run: Run) -> int:
    settings = load_settings()
    tables = open_system_tables(settings, settings.databricks())
    discover(run, system_tables=tables, lake=_lake())
    return 0


def _fetch(run: Run) -> int:
    settings = load_settings()
    workspaces = open_workspaces(settings, settings.databricks())
    # When a message was read is told by the same clock.
    genie = GenieApi(workspaces, pacer_of=lambda _workspace_id: Pacer(1000.0), now=run.clock)
    fetch(run, genie=genie, lake=_lake())
    return 0


def _fold(run: Run) -> int:
    settings = load_settings()
    connection = settings.databricks()
    genie, tables = open_genie_api(settings, connection), open_system_tables(settings, connection)
    return fold_day(run, system_tables=tables, genie=genie, lake=_lake()).messages


def _check(run: Run) -> int:
    inspect_day(run.day, _lake(), run.clock())
    return 0


_STEPS: Mapping[str, Callable[[Run], int]] = {
    "audit_messages": _discover,
    "genie_api_messages": _fetch,
    "enriched_message_details": _fold,
    "checks": _check,
}

_JOBS: Mapping[str, Callable[[Run], None]] = {
    "genie_daily": _daily,
    "genie_late_days": _late_days,
    "genie_standing_checks": _standing_checks,
    "genie_spaces": _spaces,
    "genie_maintenance": _maintenance,
}
