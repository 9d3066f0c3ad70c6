"""The steps of a day with tables in Unity Catalog, for `benchmarks.warehouse`: each in a process of its own."""

import datetime as dt
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from genie_assets.gateways.lakehouse import Lakehouse
from genie_assets.pipeline.discovery import discover
from genie_assets.pipeline.fetching import fetch
from genie_assets.pipeline.folding import enrich
from genie_assets.pipeline.inspection import day_state, duplicate_keys, enrichment_states, outdated_errors
from genie_assets.resources import open_genie_api, open_lake, open_system_tables
from genie_assets.settings import load_settings

Spec = Mapping[str, Any]
_DEADLINE_SECONDS = 7200


def unity_step(spec: Spec) -> dict[str, Any]:
    """Do one step of a day as the asset of that name does it."""
    os.environ.update(spec["environment"])
    _STEPS[spec["step"]](dt.date.fromisoformat(spec["day"]))
    return {}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _lake() -> Lakehouse:
    return open_lake(load_settings())


def _discover(day: dt.date) -> None:
    settings = load_settings()
    tables = open_system_tables(settings, settings.databricks())
    discover(day, system_tables=tables, lake=_lake(), now=_now())


def _fetch(day: dt.date) -> None:
    settings = load_settings()
    genie = open_genie_api(settings, settings.databricks())
    deadline = time.monotonic() + _DEADLINE_SECONDS
    fetch(day, genie=genie, lake=_lake(), run_id="benchmark", clock=_now, deadline=deadline)


def _fold(day: dt.date) -> None:
    settings = load_settings()
    connection = settings.databricks()
    genie, tables = open_genie_api(settings, connection), open_system_tables(settings, connection)
    enrich(day, system_tables=tables, genie=genie, lake=_lake(), run_id="benchmark", clock=_now)


def _check(day: dt.date) -> None:
    lake = _lake()
    day_state(day, lake).rates()
    outdated_errors(day, lake)
    day_state(day, lake).accounting(pending=0)
    duplicate_keys(day, lake)
    enrichment_states(day, lake)


_STEPS: Mapping[str, Callable[[dt.date], None]] = {
    "audit_messages": _discover,
    "genie_api_messages": _fetch,
    "enriched_message_details": _fold,
    "checks": _check,
}
