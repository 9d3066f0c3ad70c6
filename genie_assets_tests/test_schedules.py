"""The schedules at fixed instants."""

import datetime as dt
from collections.abc import Iterator

import dagster as dg
import pytest

from genie_assets.domain.tables import TABLES
from genie_assets.runs import PARTITION_TAG, REASON
from genie_assets_tests.day_runs import note_run, ours
from genie_assets_tests.e2e.daemon_days import kept_instance


def schedules() -> list[dg.ScheduleDefinition]:
    return list(ours().get_repository_def().schedule_defs)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """One that is kept somewhere: a schedule opens its own anew."""
    with kept_instance(tmp_path_factory.mktemp("schedules")) as instance:
        yield instance


def tick(name: str, at: str, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """What a schedule asks for at a UTC instant."""
    definitions = ours()
    schedule = definitions.resolve_schedule_def(name)
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC),
        repository_def=definitions.get_repository_def(),
    ) as context:
        return list(schedule.evaluate_tick(context).run_requests or [])


def test_a_walk_that_found_nothing_left_is_done_for_the_day(instance: dg.DagsterInstance) -> None:
    """A slice that has nothing to do asks a warehouse twice, and every hour of a Sunday did."""
    now = dt.datetime.now(dt.UTC)
    # Who knows no space yet has not walked them.
    for known, due, asked in ((5, 3, 1), (5, 0, 0), (5, 1, 1), (0, 0, 1)):
        metadata = {"spaces_known": known, "spaces_due": due}
        made = dg.AssetMaterialization("reconciled_conversations", metadata=metadata)
        instance.report_runless_asset_event(made)
        for name in ("reconciliation_nightly", "reconciliation_weekly"):
            today, tomorrow = now, now + dt.timedelta(days=1)
            assert len(tick(name, f"{today:%Y-%m-%dT%H:35}", instance)) == asked
            assert len(tick(name, f"{tomorrow:%Y-%m-%dT%H:35}", instance)) == 1


def test_every_hour_asks_for_today(instance: dg.DagsterInstance) -> None:
    (request,) = tick("today_hourly", "2026-03-02T14:15", instance)
    assert (request.partition_key, request.run_key) == ("2026-03-02", "hourly/2026-03-02T14")
    assert request.tags["genie/reason"] == "hourly"


@pytest.mark.parametrize(("at", "day"), [("2026-03-02T23:15", "2026-03-02"), ("2026-03-03T00:15", "2026-03-03")])
def test_the_hour_after_midnight_belongs_to_the_new_day(at: str, day: str, instance: dg.DagsterInstance) -> None:
    (request,) = tick("today_hourly", at, instance)
    assert request.partition_key == day
    partitions = ours().resolve_job_def("genie_daily").partitions_def
    assert partitions is not None
    assert day in partitions.get_partition_keys(dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("first_day", "settled", "today"),
    [
        ("2026-02-28", ["2026-03-01", "2026-02-28"], ["2026-03-02"]),
        ("2026-03-02", [], ["2026-03-02"]),
        ("2026-03-03", [], []),
    ],
)
def test_days_before_the_first_are_not_asked_for(
    first_day: str,
    settled: list[str],
    today: list[str],
    monkeypatch: pytest.MonkeyPatch,
    instance: dg.DagsterInstance,
) -> None:
    """One request for a day that is no partition would fail the whole tick, and those of the days that are."""
    monkeypatch.setenv("GENIE_FIRST_DAY", first_day)
    monkeypatch.delenv("GENIE_SETTLED_DAYS", raising=False)
    assert [
        request.partition_key for request in tick("settled_days_daily", "2026-03-02T03:30", instance)
    ] == settled
    assert [request.partition_key for request in tick("today_hourly", "2026-03-02T14:15", instance)] == today


def test_closed_days_are_looked_at_again_today_is_not(
    monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    monkeypatch.delenv("GENIE_SETTLED_DAYS", raising=False)
    requests = tick("settled_days_daily", "2026-03-02T03:30", instance)
    assert [request.partition_key for request in requests] == ["2026-03-01", "2026-02-28", "2026-02-27"]
    assert requests[0].run_key == "settled/2026-03-02/2026-03-01"
    tomorrow = tick("settled_days_daily", "2026-03-03T03:30", instance)
    assert not {r.run_key for r in requests} & {r.run_key for r in tomorrow}


def test_how_many_closed_days_is_a_setting_read_at_the_tick(
    monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    monkeypatch.setenv("GENIE_SETTLED_DAYS", "7")
    assert len(tick("settled_days_daily", "2026-03-02T03:30", instance)) == 7


@pytest.mark.parametrize(
    ("name", "job", "at"),
    [
        ("conversations_daily", "genie_conversations", "2026-03-02T04:45"),
        ("spaces_daily", "genie_spaces", "2026-03-02T05:00"),
        ("evaluations_daily", "genie_evaluations", "2026-03-02T05:30"),
        ("reconciliation_nightly", "genie_reconciliation", "2026-03-02T05:35"),
        ("reconciliation_weekly", "genie_reconciliation", "2026-03-01T06:35"),
        ("costs_daily", "genie_costs", "2026-03-02T05:20"),
        ("views_daily", "genie_views", "2026-03-02T05:15"),
        ("standing_checks_daily", "genie_standing_checks", "2026-03-02T06:00"),
        ("maintenance_weekly", "genie_maintenance", "2026-03-01T04:00"),
    ],
)
def test_jobs_without_partitions_run_once_per_tick(
    name: str, job: str, at: str, instance: dg.DagsterInstance
) -> None:
    (request,) = tick(name, at, instance)
    assert request.partition_key is None
    assert request.run_key is not None
    assert at[:10] in request.run_key
    assert ours().resolve_schedule_def(name).job_name == job


def test_each_table_is_maintained_once_a_week_and_no_day_has_many_more_than_another(
    instance: dg.DagsterInstance,
) -> None:
    week = [tick("maintenance_weekly", f"2026-03-{day:02d}T04:00", instance)[0].run_config for day in range(2, 9)]
    tables = [config["ops"]["maintain_tables"]["config"]["tables"] for config in week]
    assert sorted(name for some in tables for name in some) == sorted(table.name for table in TABLES)
    assert max(map(len, tables)) - min(map(len, tables)) <= 1
    job = ours().resolve_job_def("genie_maintenance")
    assert all(dg.validate_run_config(job, config) for config in week)


def test_a_tick_evaluated_twice_asks_for_the_same_runs(instance: dg.DagsterInstance) -> None:
    """A daemon that restarts in the middle of a tick evaluates it again: equal keys make one run."""
    for schedule in schedules():
        first, second = (tick(schedule.name, "2026-03-01T04:00", instance) for _ in range(2))
        assert [r.run_key for r in first] == [r.run_key for r in second]
        assert all(r.run_key for r in first)


@pytest.mark.parametrize(
    ("name", "job", "tags"),
    [
        ("today_hourly", "genie_daily", {REASON: "hourly", PARTITION_TAG: "2026-03-01"}),
        ("late_days_hourly", "genie_late_days", {REASON: "late_days_hourly"}),
        ("reconciliation_weekly", "genie_reconciliation", {REASON: "reconciliation_weekly"}),
    ],
)
def test_no_run_is_asked_for_while_the_last_one_of_its_kind_waits_in_the_queue(
    name: str, job: str, tags: dict[str, str], instance: dg.DagsterInstance
) -> None:
    """Where runs took longer than an hour, twelve looks for late days were queued before a day with messages."""
    at = "2026-03-01T06:35"
    (request,) = tick(name, at, instance)
    assert request.tags[REASON] == tags[REASON]
    of_yesterday = {PARTITION_TAG: "2026-02-28"} if PARTITION_TAG in tags else {REASON: "by hand"}
    note_run(instance, job, dg.DagsterRunStatus.QUEUED, tags | of_yesterday)
    note_run(instance, job, dg.DagsterRunStatus.STARTED, tags)
    assert len(tick(name, at, instance)) == 1
    waiting = note_run(instance, job, dg.DagsterRunStatus.QUEUED, tags)
    assert tick(name, at, instance) == []
    instance.report_run_canceled(waiting)
    assert len(tick(name, at, instance)) == 1


def test_each_days_tables_are_maintained_though_another_days_wait(instance: dg.DagsterInstance) -> None:
    reason = {REASON: "maintenance_weekly"}
    waiting = note_run(instance, "genie_maintenance", dg.DagsterRunStatus.QUEUED, reason)
    assert len(tick("maintenance_weekly", "2026-03-02T04:00", instance)) == 1
    instance.report_run_canceled(waiting)


def test_everything_is_in_utc_and_off_until_switched_on() -> None:
    assert {schedule.execution_timezone for schedule in schedules()} == {"UTC"}
    assert {schedule.default_status for schedule in schedules()} == {dg.DefaultScheduleStatus.STOPPED}
    assert {schedule.name: schedule.cron_schedule for schedule in schedules()} == {
        "today_hourly": "15 * * * *",
        "late_days_hourly": "15 * * * *",
        "settled_days_daily": "30 3 * * *",
        "conversations_daily": "45 4 * * *",
        "spaces_daily": "0 5 * * *",
        "evaluations_daily": "30 5 * * *",
        "reconciliation_nightly": "35 0-5 * * *",
        "reconciliation_weekly": "35 6-23 * * 0",
        "costs_daily": "20 5 * * *",
        "views_daily": "15 5 * * *",
        "report_daily": "30 5 * * *",
        "standing_checks_daily": "0 6 * * *",
        "maintenance_weekly": "0 4 * * *",
    }
