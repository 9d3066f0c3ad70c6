"""Old runs on a real instance: which go, which stay, and that nothing else changes."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from genie_assets.definitions import build_defs
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.runs import PARTITION_TAG
from genie_assets_tests.day_runs import QUIET, ClockOf, note_run, run_day
from genie_assets_tests.pipeline.world import FORBIDDEN, MONDAY, TUESDAY, WEDNESDAY, World

pytestmark = pytest.mark.slow

RUN_KEY = "dagster/run_key"
DAYS = [MONDAY, TUESDAY, WEDNESDAY]


class FreshAudit:
    def latest_audit_event(self, *, since: dt.date) -> dt.datetime:
        return dt.datetime.combine(MONDAY, dt.time(11), dt.UTC)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Messages on three days; those of Wednesday cannot be read at all."""
    world = World(tmp_path / "lake")
    world.genie.spaces = {"s1": {"space_id": "s1", "title": "Sales"}}
    world.ask("m1", day=MONDAY)
    world.ask("m2", day=TUESDAY)
    for number in range(20):
        world.event(f"w{number}", f"c{number}", day=WEDNESDAY)
        world.genie.errors[f"w{number}"] = FORBIDDEN
    return world


def make_old(instance: dg.DagsterInstance, home: Path, run_ids: list[str]) -> None:
    with sqlite3.connect(home / "history/runs.db") as runs:
        for run_id in run_ids:
            runs.execute(
                "UPDATE runs SET create_timestamp = datetime('now', '-40 days') WHERE run_id = ?", [run_id]
            )


def shown(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What the UI shows of our assets, partitions and checks."""
    definitions = build_defs()
    graph = definitions.resolve_asset_graph()
    seen: dict[str, Any] = {}
    for key in graph.get_all_asset_keys():
        name, partitions = key.to_user_string(), graph.get(key).partitions_def
        if partitions is not None:
            days = [day.isoformat() for day in DAYS]
            seen[name] = dict(instance.get_status_by_partition(key, days, partitions) or {})
        latest = instance.get_latest_materialization_event(key)
        observed = instance.fetch_observations(key, limit=1).records
        seen[f"latest of {name}"] = latest and (latest.run_id, latest.timestamp)
        seen[f"observed of {name}"] = [record.run_id for record in observed]
    keys = sorted(graph.asset_check_keys, key=str)
    for info in instance.event_log_storage.get_asset_check_partition_info(keys):
        verdict = (info.latest_execution_status, info.latest_planned_run_id, info.is_current)
        seen[f"{info.check_key.to_user_string()} {info.partition_key}"] = verdict
    return seen


def prune(instance: dg.DagsterInstance, world: World, **config: int) -> dict[str, Any]:
    """Run the maintenance job; what its second op tells."""
    job = build_defs(lake=world.lake, clock=ClockOf(world)).resolve_job_def("genie_maintenance")
    result = job.execute_in_process(
        instance=instance, run_config=QUIET | {"ops": {"prune_runs": {"config": config}}}
    )
    (output,) = [e for e in result.all_events if e.is_successful_output and e.step_key == "prune_runs"]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def test_only_what_is_the_latest_of_nothing_goes_and_the_ui_shows_the_same(
    instance: dg.DagsterInstance, world: World, tmp_path: Path
) -> None:
    def ran(job: str = "genie_daily", **options: Any) -> str:
        return str(run_day(world, instance, job, **options).run_id)

    no_folder = tmp_path / "file"
    no_folder.touch()
    broken = open_lakehouse(str(no_folder / "lake"))
    hourly = {RUN_KEY: "hourly/2026-03-02T11", "genie/reason": "hourly"}
    goes = {
        "a day that was run again": ran(tags=hourly),
        "and again": ran("genie_retry", tags={RUN_KEY: "retry/2026-03-02/985656"}),
        "a failed attempt before another": ran(day=WEDNESDAY),
        "spaces of yesterday": ran("genie_spaces"),
        "checks of yesterday": ran("genie_standing_checks", system_tables=FreshAudit()),
        "maintenance, the latest until it is done again": ran("genie_maintenance"),
    }
    stays = {
        "Monday's latest": ran(tags={RUN_KEY: "hourly/2026-03-02T12"}),
        "Tuesday's latest success, and verdicts": ran(day=TUESDAY),
        "Tuesday's latest attempt": ran(day=TUESDAY, lake=broken),
        "Wednesday's latest attempt": ran(day=WEDNESDAY),
        "the latest spaces": ran("genie_spaces"),
        "the latest checks": ran("genie_standing_checks", system_tables=FreshAudit()),
        "a job of others by the same name": ran_by_others(instance, "genie_daily"),
        "their assets": ran_by_others(instance, "__ASSET_JOB"),
        "one that is queued": queued(instance),
    }
    young = ran(day=MONDAY, lake=broken)  # a failed attempt: Monday's latest now
    make_old(instance, tmp_path / "home", [*goes.values(), *stays.values()])
    before = shown(instance)
    assert prune(instance, world, at_most=2)["runs_deleted"] == 2
    assert prune(instance, world)["runs_deleted"] == len(goes) - 2
    left = {run.run_id for run in instance.get_runs()}
    assert {name for name, run_id in goes.items() if run_id in left} == set()
    assert {name for name, run_id in stays.items() if run_id not in left} == set()
    assert young in left
    now = shown(instance)
    assert {name: now[name] for name in before if not name.startswith("observed")} == {
        name: value for name, value in before.items() if not name.startswith("observed")
    }
    files = {path.name.partition(".")[0] for path in (tmp_path / "home").rglob("*") if path.is_file()}
    folders = {path.name for path in (tmp_path / "home").rglob("*") if path.is_dir()}
    assert set(goes.values()) & (files | folders) == set()
    assert set(stays.values()) - {stays["one that is queued"]} <= files
    assert prune(instance, world, at_most=0)["runs_deleted"] == 0


def ran_by_others(instance: dg.DagsterInstance, job_name: str) -> str:
    """A run of another code location on the same instance."""

    @dg.asset
    def theirs() -> None: ...

    jobs = [] if job_name == "__ASSET_JOB" else [dg.define_asset_job(job_name, [theirs])]
    repository = dg.Definitions(assets=[theirs], jobs=jobs).get_repository_def()
    result = repository.get_job(job_name).execute_in_process(instance=instance, run_config=QUIET)
    return str(result.run_id)


def queued(instance: dg.DagsterInstance) -> str:
    day = {PARTITION_TAG: MONDAY.isoformat()}
    return note_run(instance, "genie_daily", dg.DagsterRunStatus.QUEUED, day).run_id


def test_neither_schedules_nor_sensors_ask_again_for_what_is_deleted(
    instance: dg.DagsterInstance, world: World, tmp_path: Path
) -> None:
    """Deleting a run frees its run key: none may be asked for again, not even by a sensor that lost its cursor."""
    world.genie.requests_allowed = 0
    world.ask("m3", conversation_id="c3", day=MONDAY)
    keys = ["continue/1", "settled/2026-03-03/2026-03-02", "hourly/2026-03-02T11", "retry/2026-03-02/985656"]
    ran = [run_day(world, instance, tags={RUN_KEY: key}).run_id for key in keys]
    world.genie.requests_allowed = 100
    ran.append(run_day(world, instance).run_id)
    make_old(instance, tmp_path / "home", ran)
    assert prune(instance, world)["runs_deleted"] == len(keys)
    definitions = build_defs(lake=world.lake, clock=ClockOf(world))
    repository = definitions.get_repository_def()
    asked: list[str | None] = []
    for sensor in repository.sensor_defs:
        resources = {"genie_lake": world.lake, "genie_clock": ClockOf(world)}
        with dg.build_sensor_context(instance=instance, definitions=definitions, resources=resources) as context:
            asked += [request.run_key for request in sensor.evaluate_tick(context).run_requests or []]
    for schedule in repository.schedule_defs:
        at = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
        with dg.build_schedule_context(
            instance=instance, scheduled_execution_time=at, repository_def=repository
        ) as tick:
            asked += [request.run_key for request in schedule.evaluate_tick(tick).run_requests or []]
    assert asked
    assert None not in asked
    assert set(asked) & set(keys) == set()
