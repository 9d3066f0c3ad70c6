"""The sensors, with a real Dagster instance, real run records and a real error ledger."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from genie_assets.domain.tables import MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets.domain.waiting import is_worth_a_run
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.placement import placed
from genie_assets.runs import PARTITION_TAG, last_start
from genie_assets.sensors import BUCKET, MAX_DAYS_PER_TICK, days_to_run
from genie_assets.settings import load_settings
from genie_assets_tests.day_runs import ClockOf, note_run, ours, run_day, ticked, today
from genie_assets_tests.pipeline.world import FORBIDDEN, World

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


def evaluate(lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    return ticked("retry_open_errors", instance, cursor=cursor, lake=lake, clock=clock)


def tick(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance, cursor: str | None = None
) -> list[dg.RunRequest]:
    return list(evaluate(lake, clock, instance, cursor).run_requests or [])


def run(
    instance: dg.DagsterInstance,
    status: str,
    day: str,
    run_key: str | None = None,
    job_name: str = "genie_daily",
    asset: str | None = None,
) -> None:
    tags = {PARTITION_TAG: day} | ({"dagster/run_key": run_key} if run_key else {})
    note_run(instance, job_name, dg.DagsterRunStatus[status], tags, [asset] if asset else [])


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


def test_runs_of_others_do_not_block_a_day_and_runs_of_our_assets_do(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance
) -> None:
    """An instance may be shared: the tag of a day says nothing about what is run for it."""
    note(lake, error(MONDAY), error(TUESDAY), error("2026-03-04"))
    run(instance, "STARTED", MONDAY, job_name="their_daily_job")
    run(instance, "STARTED", TUESDAY, job_name="__ASSET_JOB", asset="theirs")
    run(instance, "STARTED", "2026-03-04", job_name="__ASSET_JOB", asset="genie_api_messages")
    assert days(tick(lake, clock, instance)) == [TUESDAY, MONDAY]


def test_days_without_a_partition_are_never_asked_for_and_told(
    lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One such request would fail the whole tick, and every tick after it; silence would look like health."""
    monkeypatch.setenv("GENIE_FIRST_DAY", "2026-01-01")
    note(lake, error("2025-12-31"), error("2026-01-01"), error("2026-03-10"), error("2026-03-11"))
    assert days(tick(lake, clock, instance)) == ["2026-03-10", "2026-01-01"]
    note(lake, error("2026-03-10", NOON, resolved=True), error("2026-01-01", NOON, resolved=True))
    nothing = evaluate(lake, clock, instance)
    assert not nothing.run_requests
    assert nothing.skip_message == (
        "Errors of 2 days are due that no run can be asked for, from 2025-12-31 on: partitions begin on "
        "2026-01-01 (GENIE_FIRST_DAY) and end today."
    )


def test_a_tick_asks_for_few_days(lake: Lakehouse, clock: FixedClock, instance: dg.DagsterInstance) -> None:
    note(lake, *(error(f"2026-02-{day:02}") for day in range(1, 29)))
    assert days(tick(lake, clock, instance)) == [f"2026-02-{28 - n}" for n in range(MAX_DAYS_PER_TICK)]


def test_days_under_way_do_not_use_up_the_few() -> None:
    due = {dt.date(2026, 2, day): NOON for day in range(1, 21)}
    busy = [day.isoformat() for day in list(due)[-5:]]
    chosen = days_to_run(due, busy, lambda day: None, NOON)
    assert chosen == [f"2026-02-{15 - n:02}" for n in range(MAX_DAYS_PER_TICK)]


def test_an_error_that_stays_due_whatever_is_run_is_asked_for_ever_more_rarely() -> None:
    """Such a state is a defect of a rule; it must not cost a run every half hour for ever."""
    due, now, asked = NOON, NOON, [-BUCKET]
    last: dt.datetime | None = None
    while now < NOON + dt.timedelta(days=60):
        if is_worth_a_run(due, last, now) and now - NOON - asked[-1] >= BUCKET:
            asked.append(now - NOON)
            last = now + dt.timedelta(seconds=30)
        now += dt.timedelta(minutes=1)
    hours = [round(each / HOUR, 1) for each in asked[1:]]
    assert hours[:6] == [0.0, 0.5, 1.0, 2.0, 4.1, 8.2]
    assert len(hours) == 13, "in two months, not 2,880"
    # One more that becomes due, by itself or by hand, is not kept waiting by them.
    assert last is not None
    assert is_worth_a_run(last + dt.timedelta(minutes=1), last, last + dt.timedelta(minutes=1))


@pytest.mark.parametrize("outcome", ["SUCCESS", "FAILURE"])
def test_the_distance_comes_from_the_runs_of_the_day_and_from_the_ledger(
    outcome: str, tmp_path: Path, clock: FixedClock, instance: dg.DagsterInstance
) -> None:
    """Whoever ran the day, and however that run ended; nothing is remembered in a cursor."""
    world = World(tmp_path / "world")
    for number in range(20):
        world.ask(f"m{number}", conversation_id=f"c{number}")
        if outcome == "FAILURE":
            world.genie.errors[f"m{number}"] = FORBIDDEN
    ended = run_day(world, instance)
    record = instance.get_run_record_by_id(ended.run_id)
    assert record is not None
    assert record.dagster_run.status.value == outcome
    assert record.start_time is not None
    began = dt.datetime.fromtimestamp(record.start_time, dt.UTC)

    lake = open_lakehouse(str(tmp_path / "ledger"))
    note(lake, error(MONDAY, began - HOUR))
    for later, asked in ((HOUR * 0.9, []), (HOUR * 1.1, [MONDAY])):
        clock.time = began + later
        assert days(tick(lake, clock, instance)) == asked
    note(lake, error(MONDAY, began + HOUR / 4, "requeued by hand"))
    clock.time = began + HOUR / 4
    assert days(tick(lake, clock, instance)) == [MONDAY]


def test_an_unfinished_message_is_looked_at_until_it_has_ended(
    tmp_path: Path, clock: FixedClock, instance: dg.DagsterInstance
) -> None:
    """It was looked at while its day was run, which is four days, and then stayed as it was for good."""
    world = World(tmp_path / "world")
    world.ask("m1", conversation_id="c1", status="EXECUTING_QUERY")
    world.ask("m2", conversation_id="c2")
    world.load()
    looks = 0
    asked_at = world.now
    while world.now < asked_at + dt.timedelta(days=9):
        first_day = world.now < asked_at + dt.timedelta(days=1)
        world.now = clock.time = world.now + (2 * HOUR if first_day else 8 * HOUR)
        if days(tick(world.lake, clock, instance)) == [MONDAY]:
            looks += 1
            if world.now > asked_at + dt.timedelta(days=7):
                world.message("m1", "c1", status="COMPLETED")
            world.fetch()
            world.fold()
    assert world.row(MESSAGE_DETAILS, "m1")["status"] == "COMPLETED"
    assert 8 <= looks <= 20, "at first soon, later every day, and never again"
    asked = [each for request in world.genie.requests for each in request.message_ids]
    assert (asked.count("m1"), asked.count("m2")) == (looks + 1, 1)


def test_a_message_that_never_ends_is_let_be_after_the_last_of_the_days(
    tmp_path: Path, clock: FixedClock, instance: dg.DagsterInstance
) -> None:
    world = World(tmp_path / "world")
    world.ask("m1", "gone", status="EXECUTING_QUERY")
    world.load()
    world.delete("gone")
    world.load()
    for later, asks in ((1, True), (30, True), (31, False)):
        clock.time = world.now + dt.timedelta(days=later)
        assert days(tick(world.lake, clock, instance)) == ([MONDAY] if asks else [])
    clock.time = world.now + dt.timedelta(days=1)
    world.delete("m1")
    world.load()
    assert tick(world.lake, clock, instance) == []


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
    definitions = ours()
    sensor = definitions.resolve_sensor_def("retry_open_errors")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    assert sensor.job_name == "genie_retry"
    partitions = definitions.resolve_job_def("genie_retry").partitions_def
    assert partitions is not None
    assert partitions.has_partition_key(MONDAY)


def left(tmp_path: Path, *, asked: int = 9, allowed: int = 3) -> World:
    """A world in which the audit log shows more than the first run has the time to fetch, by Dagster's clock."""
    world = World(tmp_path / "world")
    world.now = dt.datetime.now(dt.UTC)
    for number in range(asked):
        world.ask(f"m{number}", conversation_id=f"c{number}", day=today())
    world.genie.requests_allowed = allowed
    return world


def run_today(world: World, instance: dg.DagsterInstance, job: str = "genie_daily") -> bool:
    world.now = dt.datetime.now(dt.UTC)
    return run_day(world, instance, job, day=today()).success


def go_on(world: World, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    return list(ticked("continue_pending", instance, lake=world.lake, clock=ClockOf(world)).run_requests or [])


def test_a_day_that_was_cut_short_goes_on_until_nothing_is_left(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """At once, however long it takes: a run that got somewhere is not kept waiting by its predecessors."""
    world, keys = left(tmp_path, allowed=4), set()
    for remaining in (5, 1):
        assert run_today(world, instance)
        assert world.state(today()).accounting().pending == remaining
        (request,) = go_on(world, instance)
        assert (request.partition_key, request.tags["genie/reason"]) == (today().isoformat(), "continue")
        keys.add(request.run_key)
    assert len(keys) == 2
    assert run_today(world, instance, "genie_retry")
    assert go_on(world, instance) == []


def test_one_failed_run_does_not_let_a_day_be_forgotten(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """A cursor had passed over the day: 89 of 94 messages stayed pending for good."""
    world = left(tmp_path)
    assert run_today(world, instance)
    (first,) = go_on(world, instance)
    seen = world.now
    world.system_tables.failure = RuntimeError("away")
    assert not run_today(world, instance)
    began = last_start(instance, placed(load_settings(), today=today()), today().isoformat())
    assert began is not None
    world.now = began + (began - seen) * 0.9
    assert go_on(world, instance) == []
    world.now = began + BUCKET
    (second,) = go_on(world, instance)
    assert second.partition_key == first.partition_key
    assert second.run_key != first.run_key


def test_a_changed_message_that_the_time_did_not_suffice_for_is_left_behind_too(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    world = left(tmp_path, asked=2, allowed=9)
    assert run_today(world, instance)
    assert go_on(world, instance) == []
    at = world.now + dt.timedelta(milliseconds=1)
    world.event("m0", "c0", day=today(), action="updateConversationMessageFeedback", at=at)
    world.genie.requests_allowed = 0
    assert run_today(world, instance)
    world.now += HOUR
    assert days(go_on(world, instance)) == [today().isoformat()]
    world.genie.requests_allowed = 9
    assert run_today(world, instance)
    assert go_on(world, instance) == []


def test_a_day_that_is_no_partition_any_more_is_not_gone_on_with(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = left(tmp_path)
    world.discover(today())
    assert days(go_on(world, instance)) == [today().isoformat()]
    monkeypatch.setenv("GENIE_FIRST_DAY", (today() + dt.timedelta(days=1)).isoformat())
    assert go_on(world, instance) == []
