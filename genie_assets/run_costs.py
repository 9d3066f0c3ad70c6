"""What runs cost, noted at each run as it ends, whether it succeeds or not: in its tags, its log, and as metrics.

No table is written for it and nothing is asked: a quiet run stays as cheap as it is. A run whose process is killed
notes nothing.
"""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable

import dagster as dg

from genie_assets.domain.run_costs import Costs, NotedCosts, from_text, measures_of_costs, noted, to_text
from genie_assets.gateways.telemetry import TelemetryError, send
from genie_assets.settings import load_settings
from genie_assets.wiring import take_costs

COSTS_TAG, COST_DAY_TAG, COSTS_OF_TAG = "genie/costs", "genie/cost_day", "genie/costs_of"
"""The tags of a run: what it cost, the UTC day on which it ended, and its id.

Dagster gives a run that does another one again the tags of that: what they say must not be counted twice.
"""

_log = logging.getLogger(__name__)


Noting = dg.InitResourceContext | dg.AssetExecutionContext


def note_costs(context: Noting) -> None:
    """Note what a run cost, as its resources are given back. Whatever goes wrong here fails no run."""
    costs = take_costs()
    if context.run is None or context.instance is None or not costs.requests:
        return
    try:
        _note(context.instance, context.run.run_id, costs)
        send_costs(costs, context.run.job_name)
    except TelemetryError as problem:
        _say(context, f"What this run cost was not sent (GENIE_TELEMETRY): {problem}.")
    except Exception as problem:  # noqa: BLE001 - the run's work is done
        _say(context, f"What this run cost could not be noted: {type(problem).__name__}.")


def _note(instance: dg.DagsterInstance, run_id: str, costs: Costs) -> None:
    run = instance.get_run_by_id(run_id)
    before = _noted_by(run) if run is not None else None
    # Steps in processes of their own, and a lakehouse with a login of its own, note one after the other.
    total = noted(costs) if before is None else before.and_also(noted(costs))
    day = dt.datetime.now(dt.UTC).date()
    tags = {COSTS_TAG: to_text(total), COST_DAY_TAG: day.isoformat(), COSTS_OF_TAG: run_id}
    instance.add_run_tags(run_id, tags)


def _noted_by(run: dg.DagsterRun) -> NotedCosts | None:
    """What a run noted itself; None if it noted nothing."""
    is_its_own = run.tags.get(COSTS_OF_TAG) == run.run_id
    return from_text(run.tags.get(COSTS_TAG, "")) if is_its_own else None


def send_costs(costs: Costs, job: str) -> None:
    """Send what a run cost, if it shall.

    Raises:
        TelemetryError: it was not taken.
    """
    if load_settings().genie_telemetry:
        send(measures_of_costs(costs, job))


def _say(context: Noting, sentence: str) -> None:
    log = context.log or _log
    log.warning(sentence)


def costs_of_days(instance: dg.DagsterInstance, days: Iterable[dt.date]) -> dict[dt.date, dict[str, NotedCosts]]:
    """What these UTC days cost, by job, as far as Dagster still has their runs."""
    found: dict[dt.date, dict[str, NotedCosts]] = {}
    for day in days:
        jobs: defaultdict[str, NotedCosts] = defaultdict(NotedCosts)
        for run, costs in noted_of_day(instance, day):
            jobs[run.job_name] = jobs[run.job_name].and_also(costs)
        found[day] = dict(jobs)
    return found


def noted_of_day(instance: dg.DagsterInstance, day: dt.date) -> list[tuple[dg.DagsterRun, NotedCosts]]:
    """The runs that ended on a UTC day, each with what it noted."""
    runs = instance.get_runs(dg.RunsFilter(tags={COST_DAY_TAG: day.isoformat()}))
    noted_costs = ((run, _noted_by(run)) for run in runs)
    return [(run, costs) for run, costs in noted_costs if costs is not None]
