"""Late days from the look at the audit log to the run: real jobs, a real Dagster instance, a world in memory."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from genie_assets.late_days import Look
from genie_assets.run_notes import LateDay
from genie_assets.sensors import LATE_DAYS_AT_ONCE, late_days_to_run
from genie_assets_tests.day_runs import back, evaluations, run_day, standing, standing_run, ticked, today
from genie_assets_tests.pipeline.world import HOUR, World

pytestmark = pytest.mark.slow

# The checks that look for each region by itself.
MISS_A_REGION = ("audit_is_fresh", "every_day_is_loaded", "no_day_is_late")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Each of the last forty days has a message; nothing was loaded."""
    world = World(tmp_path / "lake")
    world.now = dt.datetime.now(dt.UTC)
    for days in range(40):
        at = world.now - dt.timedelta(days=days)
        world.event(f"m{days}", f"c{days}", day=at.date(), at=at)
        world.message(f"m{days}", f"c{days}", created_timestamp=int(at.timestamp() * 1000))
    return world


def look(world: World, instance: dg.DagsterInstance) -> None:
    world.now = dt.datetime.now(dt.UTC)
    assert run_day(world, instance, "genie_late_days").success


def tick(world: World, instance: dg.DagsterInstance, later: dt.timedelta = dt.timedelta(0)) -> list[dg.RunRequest]:
    class Later:
        def now(self) -> dt.datetime:
            return dt.datetime.now(dt.UTC) + later

    return list(ticked("load_late_days", instance, clock=Later()).run_requests or [])


def test_the_last_days_load_themselves_the_newest_first_and_then_there_is_peace(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing noticed a day that no schedule had come to: a first start, or a daemon that was off for ten days."""
    monkeypatch.setenv("GENIE_LOOKBACK_DAYS", "4")
    assert tick(world, instance) == []
    assert not standing(world, "every_day_is_loaded").passed
    look(world, instance)
    asked: list[dt.date] = []
    for _ in range(20):
        requests = tick(world, instance)
        if not requests:
            break
        assert len(requests) <= LATE_DAYS_AT_ONCE
        for request in requests:
            asked.append(dt.date.fromisoformat(str(request.partition_key)))
            assert request.tags["genie/reason"] == "late"
            assert run_day(world, instance, day=asked[-1]).success
    assert asked == [back(days) for days in range(1, 5)], "today is not among them: it is loaded every hour"
    look(world, instance)
    assert tick(world, instance) == []
    assert standing(world, "every_day_is_loaded").passed


def forget_events(world: World, days: Collection[dt.date]) -> None:
    """Nobody asked anything on these days."""
    world.system_tables.events = [row for row in world.system_tables.events if row["event_date"] not in days]


def load_each_on_the_day_after(world: World, days: Iterable[dt.date], monkeypatch: pytest.MonkeyPatch) -> None:
    """Load these days while they are new, with a lookback of a week."""
    monkeypatch.setenv("GENIE_LOOKBACK_DAYS", "7")
    monkeypatch.setenv("GENIE_FIRST_DAY", back(40).isoformat())
    now = world.now
    for day in days:
        world.now = dt.datetime.combine(day, dt.time(12), dt.UTC) + dt.timedelta(days=1)
        world.discover(day)
    world.now = now


def test_days_that_became_too_old_while_nobody_loaded_anything_are_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that was off for longer than GENIE_LOOKBACK_DAYS: it loads the last days, and all looked well."""
    by_hand, new = (back(30), back(9)), (back(20), back(19), *map(back, range(1, 8)))
    asked = [back(days) for days in range(18, 7, -1) if days not in (9, 12)]
    forget_events(world, [back(12)])
    load_each_on_the_day_after(world, [back(20), back(19)], monkeypatch)
    for day in (*by_hand, *new):
        world.discover(day)
    told = standing(world, "every_day_is_loaded")
    assert (told.passed, told.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (
        "9 days before GENIE_LOOKBACK_DAYS were never loaded, though earlier ones were: "
        f"{', '.join(map(str, asked))}. Nothing loads them by itself any more: "
        f"`genie-assets load --from {back(18)} --to {back(8)}` does"
    ) in (told.description or "")
    monkeypatch.setenv("GENIE_FIRST_DAY", back(8).isoformat())
    assert f"1 day before GENIE_LOOKBACK_DAYS was never loaded, though earlier ones were: {back(8)}. " in (
        standing(world, "every_day_is_loaded").description or ""
    )
    world.discover(back(8))
    assert standing(world, "every_day_is_loaded").passed


def test_of_days_on_which_nobody_asks_nothing_is_told_though_they_are_never_loaded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon was off for some of them: nothing was late, and so nothing loaded them."""
    forget_events(world, [back(18), back(17), back(16)])
    load_each_on_the_day_after(world, map(back, (20, 19, *range(15, 0, -1))), monkeypatch)
    assert standing(world, "every_day_is_loaded").passed


def test_a_row_that_comes_twenty_days_late_is_found_told_and_loaded(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENIE_FIRST_DAY", back(21).isoformat())
    for days in range(1, 22):
        world.discover(back(days))
    look(world, instance)
    assert tick(world, instance) == []
    world.event("m20", "c20", day=back(20), action="updateConversationMessageFeedback", at=world.now - 480 * HOUR)
    told = standing(world, "every_day_is_loaded")
    assert (told.passed, told.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert f"1 day was never loaded, or the audit log holds more by now: {back(20)}." in (told.description or "")
    look(world, instance)
    (request,) = tick(world, instance)
    assert request.partition_key == back(20).isoformat()
    assert run_day(world, instance, day=back(20)).success
    look(world, instance)
    assert tick(world, instance) == []


def test_a_late_row_is_told_once_it_should_have_been_loaded_or_nobody_looks(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows come late every day and are loaded within the hour: a check in between must not raise an alarm."""

    def told() -> tuple[bool, object]:
        check = standing(world, "every_day_is_loaded", instance)
        return check.passed, check.metadata["late_days_about_to_be_loaded"].value

    monkeypatch.setenv("GENIE_LOOKBACK_DAYS", "5")
    for days in range(1, 6):
        world.discover(back(days))
    look(world, instance)
    world.event("m3", "c3", day=back(3), action="updateConversationMessageFeedback", at=world.now - 72 * HOUR)
    assert told() == (True, 1), "the next look will find it"
    world.now += 4 * HOUR
    assert told() == (False, 0), "there was none for hours"
    look(world, instance)
    assert told() == (True, 1), "it was found just now"
    monkeypatch.setattr("genie_assets.domain.day_loads.HEALS_WITHIN", dt.timedelta(0))
    assert told() == (False, 0), "found long ago, and not loaded"


def test_a_run_that_reads_no_log_does_not_count_as_the_load_of_a_late_day(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the day was due just after the look, and its retry hid for a day that rows had come."""
    monkeypatch.setenv("GENIE_LOOKBACK_DAYS", "1")
    look(world, instance)
    assert run_day(world, instance, "genie_retry", day=back(1)).success
    (request,) = tick(world, instance)
    assert request.partition_key == back(1).isoformat()


def test_a_day_that_cannot_be_loaded_is_asked_for_ever_more_rarely(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENIE_LOOKBACK_DAYS", "1")
    look(world, instance)
    (first,) = tick(world, instance)
    world.system_tables.failure = RuntimeError("away")
    assert not run_day(world, instance, day=back(1)).success
    assert tick(world, instance) == [], "the look does not know of the run yet"
    look(world, instance)
    (again,) = tick(world, instance, HOUR)
    assert again.run_key != first.run_key


def test_a_missing_yesterday_is_red_while_old_days_are_loaded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A freshness policy sees the latest load of any day, and a backfill of last month keeps it green."""
    evening, morning = (
        dt.datetime.combine(day, dt.time(hour), dt.UTC) for day, hour in ((back(1), 23), (today(), 6))
    )
    monkeypatch.setenv("GENIE_SETTLED_DAYS", "3")
    world.now = evening
    world.load(back(1))
    world.now = morning
    for day in (back(2), back(3), back(30)):
        world.load(day)
    red = standing(world, "no_day_is_late")
    assert (red.passed, red.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert f"1 of the last days was not loaded since the day's end: {back(1)}." in (red.description or "")
    assert str(evening.date()) in str(red.metadata["late"].value), "when it was last loaded"
    world.load(back(1))
    assert standing(world, "no_day_is_late").passed
    # The night's runs come a few hours after midnight, and may wait for others.
    world.now = morning + dt.timedelta(hours=22)
    assert standing(world, "no_day_is_late").passed
    world.now += dt.timedelta(hours=2)
    assert str(today()) in (standing(world, "no_day_is_late").description or "")


def test_a_region_that_is_missing_or_silent_is_told_by_its_name_though_the_others_are_well(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its days were loaded, on time and by good runs, and the log grew: everything looked as it should."""
    monkeypatch.setenv("GENIE_SETTLED_DAYS", "2")
    monkeypatch.setenv("GENIE_LOOKBACK_DAYS", "2")
    world.system_tables.regions = {"home": None, "us": "No warehouse | there.", "ap": None}
    world.system_tables.newest_events = {"home": world.now, "ap": None}
    for days in (1, 2):
        world.discover(back(days))
    told = evaluations(standing_run(world, *MISS_A_REGION))
    fresh = told["audit_is_fresh"]
    assert (fresh.passed, fresh.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "Region us: its audit log cannot be read: `No warehouse ¦ there.`" in (fresh.description or "")
    assert "Region ap: the audit log shows no event of the last two days" in (fresh.description or "")
    assert "Region home" not in (fresh.description or "")
    world.now = dt.datetime.combine(today(), dt.time(6), dt.UTC)
    late = standing(world, "no_day_is_late")
    assert f"2 of the last days were loaded without the region us: {back(1)}, {back(2)}." in (
        late.description or ""
    )
    assert "The audit log of the region us cannot be read now" in (told["every_day_is_loaded"].description or "")
    world.system_tables.regions = {"home": None, "ap": None}
    assert standing(world, "no_day_is_late").passed, "a region that was taken out of the setting is none any more"

    world.system_tables.regions = dict.fromkeys(("home", "us", "ap"))
    world.system_tables.newest_events = dict.fromkeys(("home", "us", "ap"), world.now)
    assert not standing(world, "no_day_is_late").passed, "these days are not whole before they are loaded"
    look(world, instance)
    assert [request.partition_key for request in tick(world, instance)] == [str(back(1)), str(back(2))]
    for days in (1, 2):
        world.discover(back(days))
    world.system_tables.newest_events = dict.fromkeys(("home", "us", "ap"), world.now)
    told = evaluations(standing_run(world, *MISS_A_REGION))
    assert [name for name, check in told.items() if not check.passed] == []


def test_late_days_wait_for_what_is_under_way_and_grow_rarer() -> None:
    noon = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
    days = {dt.date(2026, 3, day): LateDay("s", noon - HOUR) for day in range(1, 10)}
    seen = Look(noon, days)
    chosen = late_days_to_run(seen, [], lambda day: None, noon)
    assert [day.day for day in chosen] == [9, 8, 7]
    chosen = late_days_to_run(seen, ["2026-03-09", "2026-03-10"], lambda day: None, noon)
    assert [day.day for day in chosen] == [8]
    # The ninth was run since the look; the eighth failed ten minutes before it, after fifty minutes of waiting.
    starts = {"2026-03-09": noon + HOUR / 60, "2026-03-08": noon - HOUR / 6}
    for later, expected in ((0.25, [7, 6, 5]), (0.75, [8, 7, 6])):
        chosen = late_days_to_run(seen, [], starts.get, noon + later * HOUR)
        assert [day.day for day in chosen] == expected
