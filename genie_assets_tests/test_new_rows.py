"""New rows of the audit log within minutes: real jobs, a real Dagster instance, a world in memory."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from genie_assets.definitions import build_defs
from genie_assets.domain.tables import GENIE_API_MESSAGES, records
from genie_assets_tests.day_runs import back, run_day, ticked, today
from genie_assets_tests.pipeline.world import World

pytestmark = pytest.mark.slow

MINUTES = 5


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """One message of today, which is loaded."""
    monkeypatch.setenv("GENIE_NEW_ROWS_MINUTES", str(MINUTES))
    world = World(tmp_path / "lake")
    world.now = dt.datetime.now(dt.UTC)
    ask(world, "m1")
    return world


def ask(world: World, message_id: str, day: dt.date | None = None) -> None:
    world.event(message_id, f"c-{message_id}", day=day or today(), at=world.now)
    world.message(message_id, f"c-{message_id}", created_timestamp=int(world.now.timestamp() * 1000))


def look(world: World, instance: dg.DagsterInstance) -> None:
    world.now = dt.datetime.now(dt.UTC)
    assert run_day(world, instance, "genie_new_rows").success


def tick(world: World, instance: dg.DagsterInstance, later: float = 0) -> list[dg.RunRequest]:
    """What a tick asks for that comes so many minutes later."""

    class Later:
        def now(self) -> dt.datetime:
            return world.now + dt.timedelta(minutes=later)

    return list(ticked("load_new_rows", instance, clock=Later()).run_requests or [])


def loads(requests: list[dg.RunRequest]) -> list[tuple[str | None, str | None]]:
    return [(each.partition_key, each.run_key) for each in requests if each.job_name == "genie_daily"]


def test_nobody_watches_the_log_who_was_not_asked_to() -> None:
    definitions = build_defs()
    assert "load_new_rows" not in {sensor.name for sensor in definitions.sensors or []}
    assert "genie_new_rows" not in {job.name for job in definitions.jobs or []}


def test_the_log_is_looked_at_once_in_so_many_minutes(world: World, instance: dg.DagsterInstance) -> None:
    keys = [tick(world, instance, minute)[-1].run_key for minute in range(2 * MINUTES + 1)]
    assert all(tick(world, instance, minute)[-1].job_name == "genie_new_rows" for minute in range(3))
    assert len(set(keys)) == 3


def test_a_new_question_is_loaded_by_the_next_tick_and_only_once(
    world: World, instance: dg.DagsterInstance
) -> None:
    assert loads(tick(world, instance)) == []
    look(world, instance)
    ((day, first_key),) = loads(tick(world, instance))
    assert day == today().isoformat()
    assert run_day(world, instance, day=today()).success
    assert loads(tick(world, instance)) == [], "it was run since the look"
    look(world, instance)
    assert loads(tick(world, instance)) == [], "the log holds nothing else"
    ask(world, "m2")
    look(world, instance)
    ((_, second_key),) = loads(tick(world, instance))
    assert second_key != first_key
    assert loads(tick(world, instance, 60)) == [(day, second_key)], "Dagster makes one run of one key"
    assert run_day(world, instance, day=today()).success
    assert {row["message_id"] for row in records(world.lake.read(GENIE_API_MESSAGES))} == {"m1", "m2"}


def test_yesterday_is_watched_and_no_day_before_the_first(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    yesterday = back(1)
    ask(world, "late", yesterday)
    look(world, instance)
    assert [day for day, _ in loads(tick(world, instance))] == [today().isoformat(), yesterday.isoformat()]
    monkeypatch.setenv("GENIE_FIRST_DAY", today().isoformat())
    assert [day for day, _ in loads(tick(world, instance))] == [today().isoformat()]
