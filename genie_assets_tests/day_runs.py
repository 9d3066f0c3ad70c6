"""A day run in Dagster, on a world of tests."""

import datetime as dt
import os
from collections.abc import Collection, Hashable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from genie_assets.definitions import build_defs
from genie_assets.resources import KEYS
from genie_assets.wiring import RunBudget
from genie_assets_tests.pipeline.world import MONDAY, World

DAILY = ["audit_messages", "genie_api_messages", "enriched_message_details"]


# The checks that the assets of a day bring along, and those of the tables that they fill.
CHECKS_OF_ASSETS = (
    {f"genie_api_messages:{name}" for name in ("api_success_rate", "ledger_is_true")}
    | {f"enriched_message_details:{name}" for name in ("nothing_is_lost", "enrichment_coverage")}
    | {f"{name}:keys_are_unique" for name in DAILY}
)
DAILY_CHECKS = CHECKS_OF_ASSETS | {
    f"{name}:keys_are_unique" for name in ("genie_deletions", "genie_message_looks", "message_attachments")
}


QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def today() -> dt.date:
    """Asked for when it is needed: a module that remembers the day breaks at midnight."""
    return dt.datetime.now(dt.UTC).date()


def back(days: int) -> dt.date:
    """The day that is so many days before today."""
    return today() - dt.timedelta(days=days)


def ours() -> dg.Definitions:
    """The definitions that the environment asks for. Those of each environment are made once: it takes a while."""
    settings = {name: value for name, value in os.environ.items() if name.startswith(("DATABRICKS_", "GENIE_"))}
    made = (today(), Path.cwd(), *sorted(settings.items()))
    if made not in _MADE:
        _MADE[made] = build_defs()
    return _MADE[made]


_MADE: dict[Hashable, dg.Definitions] = {}


def ticked(
    sensor: str, instance: dg.DagsterInstance, *, cursor: str | None = None, **resources: Any
) -> SensorExecutionData:
    """What a tick of a sensor answers, with these resources and no others."""
    definitions = ours()
    context = dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        definitions=definitions,
        resources={KEYS[name]: resource for name, resource in resources.items()},
    )
    with context:
        return definitions.resolve_sensor_def(sensor).evaluate_tick(context)


def run_day(
    world: World,
    instance: dg.DagsterInstance,
    job: str = "genie_daily",
    *,
    day: dt.date = MONDAY,
    tags: dict[str, str] | None = None,
    config: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> dg.ExecuteInProcessResult:
    """Run a job, of a day if it has days, against a world in memory."""
    resources: dict[str, Any] = {"system_tables": world.system_tables, "genie": world.genie, "lake": world.lake}
    resources |= {"clock": ClockOf(world), "budget": RunBudget(minutes=1)} | overrides
    definition = ours().resolve_job_def(job)
    return definition.execute_in_process(
        resources={KEYS[name]: resource for name, resource in resources.items()},
        instance=instance,
        partition_key=day.isoformat() if definition.partitions_def is not None else None,
        tags=tags,
        raise_on_error=False,
        run_config={**QUIET, **(config or {})},
    )


def standing_run(
    world: World, *names: str, instance: dg.DagsterInstance | None = None
) -> dg.ExecuteInProcessResult:
    """Run the standing checks of these names, or all of them."""
    job = ours().resolve_job_def("genie_standing_checks")
    if names:
        keys = {key for key in ours().resolve_asset_graph().asset_check_keys if key.name in names}
        job = job.get_subset(asset_check_selection=keys)
    resources = {"system_tables": world.system_tables, "lake": world.lake, "clock": ClockOf(world)}
    return job.execute_in_process(
        resources={KEYS[name]: resource for name, resource in resources.items()},
        instance=instance or dg.DagsterInstance.ephemeral(),
        run_config=QUIET,
    )


def standing(world: World, name: str, instance: dg.DagsterInstance | None = None) -> dg.AssetCheckEvaluation:
    """What one standing check says; the others are not run, as all of them take a second."""
    return evaluations(standing_run(world, name, instance=instance))[name]


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


class ClockOf:
    def __init__(self, world: World) -> None:
        self.now = world.clock


def note_run(
    instance: dg.DagsterInstance,
    job: str,
    status: dg.DagsterRunStatus,
    tags: Mapping[str, str],
    assets: Collection[str] = (),
) -> dg.DagsterRun:
    """A run that the instance knows and nobody carries out; of these assets, or of all that the job has."""
    # Dagster refuses to record a queued run that does not say where its job is.
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("genie_assets"), "__repository__")
    run = dg.DagsterRun(
        job_name=job,
        asset_selection=frozenset(map(dg.AssetKey, assets)) or None,
        status=status,
        tags=tags,
        remote_job_origin=RemoteJobOrigin(repository, job),
    )
    return instance.add_run(run)
