"""The sensors, with a real Dagster instance, real run records and a real error ledger."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from genie_assets.definitions import build_defs
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS
from genie_assets.gateways.lakehouse import Lakehouse, open_lakehouse
from genie_assets.sensors import BUCKET, MAX_DAYS_PER_TICK, PARTITION_TAG, days_to_run

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MONDAY, TUESDAY = "2026-03-02", "2026-03-03"
UNENDED = ["NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING"]
ENDED = ["SUCCESS", "FAILURE", "CANCELED"]


class FixedClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> dt.datetime:
        return self.time


@pytest.fixture
def lake(tmp_path: Path) -> Lakehouse:
    return open_lakehouse(str(tmp_path / "lake"))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def error(day: str, due: dt.datetime | None = NOON, message_id: str = "m1", **cells: Any) -> dict[str, Any]:
    row = {
        "workspace_id": "w1",
        "message_id": f"{day}/{message_id}",
        "error_class": "SERVER",
        "event_date": dt.date.fromisoformat(day),
        "next_retry_timestamp": due,
        "resolved": False,
    }
    return row | cells


def note(lake: Lakehouse, *rows: dict[str, Any]) -> None:
    lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows))


def tick(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance, cursor: str | None = None
) -> list[dg.RunRequest]:
    definitions = build_defs(lake=lake, clock=clock)
    context = dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        definitions=definitions,
        resources={"lake": lake, "clock": clock},
    )
    with context:
        return list(definitions.resolve_sensor_def("retry_open_errors").evaluate_tick(context).run_requests or [])


def run(instance: dg.DagsterInstance, status: str, day: str, run_key: str | None = None) -> None:
    tags = {PARTITION_TAG: day} | ({"dagster/run_key": run_key} if run_key else {})
    # Dagster refuses to record a queued run that does not say where its job is.
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("genie_assets"), "__repository__")
    record = dg.DagsterRun(
        job_name="genie_daily",
        status=dg.DagsterRunStatus[status],
        tags=tags,
        remote_job_origin=RemoteJobOrigin(repository, "genie_daily"),
    )
    instance.add_run(record)


def days(requests: list[dg.RunRequest]) -> list[str | None]:
    return [request.partition_key for request in requests]


def test_without_due_errors_nothing_is_asked_for(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance
) -> None:
    assert tick(lake, clock, instance) == []
    note(
        lake, error(MONDAY, NOON + HOUR), error(MONDAY, None, "parked"), error(MONDAY, NOON, "done", resolved=True)
    )
    assert tick(lake, clock, instance) == []
    clock.time += HOUR
    assert days(tick(lake, clock, instance)) == [MONDAY]


def test_each_due_day_is_asked_for_once_the_newest_first(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance
) -> None:
    note(lake, error(MONDAY), error(MONDAY, NOON, "m2"), error("2026-03-09"), error("2026-03-08", NOON + HOUR))
    requests = tick(lake, clock, instance)
    assert days(requests) == ["2026-03-09", MONDAY]
    assert [request.tags["genie/reason"] for request in requests] == ["retry", "retry"]
    assert [request.tags["dagster/priority"] for request in requests] == ["-1", "-1"]


@pytest.mark.parametrize("status", UNENDED)
def test_a_day_whose_run_has_not_ended_is_left_alone(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance, status: str
) -> None:
    """Dagster's own constants of runs in progress lack those that are queued or not started."""
    note(lake, error(MONDAY), error("2026-03-03"))
    run(instance, status, MONDAY)
    assert days(tick(lake, clock, instance)) == ["2026-03-03"]


@pytest.mark.parametrize("status", ENDED)
def test_a_run_that_has_ended_does_not_block_its_day(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance, status: str
) -> None:
    note(lake, error(MONDAY))
    run(instance, status, MONDAY)
    assert days(tick(lake, clock, instance)) == [MONDAY]


def test_a_crashed_run_blocks_its_day_for_half_an_hour_not_for_good(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance
) -> None:
    """Dagster drops a request whose key any earlier run has, failed ones included."""
    note(lake, error(MONDAY))
    (first,) = tick(lake, clock, instance)
    run(instance, "FAILURE", MONDAY, first.run_key)
    clock.time += BUCKET - dt.timedelta(seconds=1)
    (same,) = tick(lake, clock, instance)
    assert same.run_key == first.run_key
    clock.time += dt.timedelta(seconds=1)
    (later,) = tick(lake, clock, instance)
    assert later.run_key != first.run_key


@pytest.mark.parametrize("cursor", [None, "", "garbage", "999999"])
def test_a_lost_or_odd_cursor_does_no_harm(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance, cursor: str | None
) -> None:
    note(lake, error(MONDAY))
    assert days(tick(lake, clock, instance, cursor)) == [MONDAY]


def test_days_without_a_partition_are_never_asked_for(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance
) -> None:
    """One such request would fail the whole tick, and every tick after it."""
    note(lake, error("2024-12-31"), error("2025-01-01"), error("2026-03-10"), error("2026-03-11"))
    assert days(tick(lake, clock, instance)) == ["2026-03-10", "2025-01-01"]
    note(lake, error("2026-03-10", NOON, resolved=True), error("2025-01-01", NOON, resolved=True))
    assert tick(lake, clock, instance) == []


def test_a_tick_asks_for_few_days(lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance) -> None:
    note(lake, *(error(f"2026-02-{day:02}") for day in range(1, 29)))
    assert days(tick(lake, clock, instance)) == [f"2026-02-{28 - n}" for n in range(MAX_DAYS_PER_TICK)]


def test_days_under_way_do_not_use_up_the_few() -> None:
    due = [dt.date(2026, 2, day) for day in range(1, 21)]
    busy = [day.isoformat() for day in due[-5:]]
    chosen = days_to_run(due, [day.isoformat() for day in due], busy)
    assert chosen == [f"2026-02-{15 - n:02}" for n in range(MAX_DAYS_PER_TICK)]


def test_a_hundred_thousand_open_errors_are_few_requests(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance
) -> None:
    count = 100_000
    numbers = pd.Series(range(count))
    frame = MESSAGE_FETCH_ERRORS.frame([error(MONDAY)]).loc[[0] * count].reset_index(drop=True)
    frame["message_id"] = "m" + numbers.astype(str)
    frame["event_date"] = [dt.date(2026, 2, 1) + dt.timedelta(days=n % 28) for n in numbers]
    lake.append(MESSAGE_FETCH_ERRORS, frame)
    requests = tick(lake, clock, instance)
    assert days(requests) == [f"2026-02-{28 - n}" for n in range(MAX_DAYS_PER_TICK)]


def test_what_the_sensor_asks_for_can_be_launched() -> None:
    definitions = build_defs()
    sensor = definitions.resolve_sensor_def("retry_open_errors")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    assert sensor.job_name == "genie_retry"
    partitions = definitions.resolve_job_def("genie_retry").partitions_def
    assert partitions is not None
    assert partitions.has_partition_key(MONDAY)


@pytest.mark.parametrize(
    ("metadata", "asks"),
    [({"not_attempted": 3}, True), ({"not_attempted": 0}, False), ({}, False)],
)
def test_a_day_that_was_cut_short_goes_on(
    instance: dg.DagsterInstance, metadata: dict[str, Any], asks: bool
) -> None:
    @dg.asset(name="genie_api_messages", partitions_def=dg.DailyPartitionsDefinition("2025-01-01"))
    def stand_in() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=metadata)

    for day in (MONDAY, TUESDAY):
        dg.materialize([stand_in], partition_key=day, instance=instance)
    definitions = build_defs()
    sensor = definitions.resolve_sensor_def("continue_pending")
    context = dg.build_sensor_context(instance=instance, definitions=definitions)
    tick = sensor.evaluate_tick(context)
    requests = tick.run_requests or []
    assert [r.partition_key for r in requests] == ([MONDAY, TUESDAY] if asks else [])
    assert len({r.run_key for r in requests}) == len(requests)
    # What was seen is not asked for again; a later fetch that left nothing ends it.
    again = dg.build_sensor_context(instance=instance, definitions=definitions, cursor=tick.cursor)
    assert not sensor.evaluate_tick(again).run_requests
