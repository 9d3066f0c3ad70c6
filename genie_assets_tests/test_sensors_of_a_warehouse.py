"""Where tables lie in Unity Catalog, no tick asks them: it goes by what the look and the runs have left."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from genie_assets.domain import ledger
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS
from genie_assets.placement import placed
from genie_assets.runs import noted_waits
from genie_assets.settings import load_settings
from genie_assets_tests.day_runs import run_day, ticked, today
from genie_assets_tests.pipeline.world import BROKEN, HOUR, World

pytestmark = pytest.mark.slow

MINUTE = HOUR / 60


class Asleep:
    """A lakehouse that must not be asked."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # Dagster looks for marks of its own
            raise AttributeError(name)
        raise AssertionError(f"the warehouse was asked for {name}")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "lake")
    world.now = dt.datetime.now(dt.UTC)
    return world


def tick(world: World, instance: dg.DagsterInstance, sensor: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    class Later:
        def now(self) -> dt.datetime:
            return world.now

    with monkeypatch.context() as settings:
        settings.setenv("GENIE_LAKEHOUSE", "uc://main.genie_analytics")
        asked = ticked(sensor, instance, lake=Asleep(), clock=Later()).run_requests or []
    return [str(request.partition_key) for request in asked]


def test_errors_and_unfinished_messages_are_tried_again_when_the_last_run_said_they_would_be_due(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask("running", conversation_id="c1", day=today(), status="EXECUTING_QUERY")
    world.ask("failing", conversation_id="c2", day=today())
    world.genie.errors["failing"] = BROKEN
    assert tick(world, instance, "retry_open_errors", monkeypatch) == []
    run_day(world, instance, day=today())
    assert tick(world, instance, "retry_open_errors", monkeypatch) == []
    world.now += HOUR
    assert tick(world, instance, "retry_open_errors", monkeypatch) == [str(today())]
    assert tick(world, instance, "continue_pending", monkeypatch) == []
    world.genie.errors.clear()
    world.message("failing", "c2")
    world.message("running", "c1", status="COMPLETED")
    run_day(world, instance, day=today())
    world.now += 3 * HOUR
    assert tick(world, instance, "retry_open_errors", monkeypatch) == []


def test_what_a_run_had_no_time_for_is_gone_on_with(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        world.ask(f"m{number}", conversation_id=f"c{number}", day=today())
    world.genie.requests_allowed = 2
    run_day(world, instance, day=today())
    assert tick(world, instance, "continue_pending", monkeypatch) == [str(today())]
    world.genie.requests_allowed = 9
    run_day(world, instance, day=today())
    assert tick(world, instance, "continue_pending", monkeypatch) == []


def test_what_was_made_due_by_hand_is_known_after_the_hourly_look(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command changes the tables, perhaps on another machine: no run tells of it."""
    world.ask("m1", day=today())
    world.genie.errors["m1"] = BROKEN
    run_day(world, instance, day=today())
    (row,) = world.rows(MESSAGE_FETCH_ERRORS)
    later = row | {"next_retry_timestamp": world.now + 40 * HOUR}
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame([later]))
    run_day(world, instance, "genie_late_days")
    world.now += 2 * HOUR
    assert tick(world, instance, "retry_open_errors", monkeypatch) == []
    requeued = [ledger.requeued(later, world.now)]
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(requeued))
    run_day(world, instance, "genie_late_days")
    assert tick(world, instance, "retry_open_errors", monkeypatch) == [str(today())]


def test_what_becomes_due_before_the_next_look_is_due_a_quarter_of_an_hour_later_at_most(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = {"workspace_id": "w1", "message_id": "m1", "error_class": "SERVER", "event_date": today()}
    due = error | {"resolved": False, "next_retry_timestamp": world.now + 40 * MINUTE}
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame([due]))
    run_day(world, instance, "genie_late_days")
    assert noted_waits(instance, placed(load_settings(), today=today()), None, {}) == {}
    for later, asked in ((39 * MINUTE, []), (16 * MINUTE, [str(today())])):
        world.now += later
        assert tick(world, instance, "retry_open_errors", monkeypatch) == asked


def changed_spaces_run(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> dg.RunRequest | None:
    """What the sensor asks for, on tables that must not be asked."""

    class Later:
        def now(self) -> dt.datetime:
            return world.now

    with monkeypatch.context() as settings:
        settings.setenv("GENIE_LAKEHOUSE", "uc://main.genie_analytics")
        asked = ticked("look_at_changed_spaces", instance, clock=Later()).run_requests or []
    return next(iter(asked), None)


def test_a_space_is_looked_at_once_soon_after_its_change_was_seen_and_no_other_one(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {"title": "Desk", "serialized_space": "{}"}
    world.genie.spaces = {each: {"space_id": each, **whole} for each in ("s1", "s2")}
    world.event(None, None, day=today(), action="getSpace")
    run_day(world, instance, day=today())
    assert changed_spaces_run(world, instance, monkeypatch) is None
    world.event(None, None, day=today(), action="updateSpace", space_id="s2", space_event_id="e1")
    run_day(world, instance, day=today())
    asked = changed_spaces_run(world, instance, monkeypatch)
    assert asked is not None
    again = changed_spaces_run(world, instance, monkeypatch)
    assert again is not None
    assert again.run_key == asked.run_key  # which Dagster runs once
    world.genie.space_looks.clear()
    assert run_day(world, instance, "genie_spaces", config=asked.run_config).success
    assert world.genie.space_looks == ["s2"]
    assert changed_spaces_run(world, instance, monkeypatch) is None
    assert run_day(world, instance, "genie_spaces").success
    assert world.genie.space_looks == ["s2", "s1", "s2"]
