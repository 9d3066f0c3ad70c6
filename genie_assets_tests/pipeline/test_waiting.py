"""What waits for a run is found in the tables, on both lakehouses."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from genie_assets.pipeline.day_loads import days_loaded_since, late_days
from genie_assets.pipeline.waiting import due_days, due_looks, left_behind, lost, what_waits
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.pipeline.world import BROKEN, HOUR, MONDAY, NOON, TUESDAY, World

DAYS = [MONDAY, TUESDAY]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.fixture(params=["delta", pytest.param("unity", marks=pytest.mark.long)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    world = World(tmp_path / "lake")
    if request.param == "unity":
        server: UnityServer = request.getfixturevalue("server")
        world.lake = server.new_lake()
    return world


def test_what_waits_is_found_until_it_was_done(world: World) -> None:
    world.ask("done", conversation_id="c1")
    world.ask("running", conversation_id="c2", status="EXECUTING_QUERY")
    world.ask("failing", conversation_id="c3")
    world.genie.errors["failing"] = BROKEN
    world.ask("gone", conversation_id="c4")
    world.delete("gone", "c4")
    world.load()
    assert left_behind(world.lake, DAYS) == {}
    assert due_looks(world.lake, NOON, DAYS) == {}
    assert late_days(DAYS, world.system_tables, world.lake) == {}

    # Touched on the next day, of which only the log is read: a new message, and a vote on an old one.
    world.now = NOON + 25 * HOUR
    world.ask("new", conversation_id="c5", day=TUESDAY)
    world.event("done", "c1", day=TUESDAY, action="updateConversationMessageFeedback")
    world.event("running", "c2", day=TUESDAY, action="getConversationMessage")
    assert late_days(DAYS, world.system_tables, world.lake).keys() == {TUESDAY}
    world.discover(TUESDAY)
    assert late_days(DAYS, world.system_tables, world.lake) == {}
    assert left_behind(world.lake, DAYS) == {TUESDAY: world.now}
    assert lost(world.lake, world.now + 23 * HOUR, DAYS) == {}
    assert lost(world.lake, world.now + 25 * HOUR, DAYS) == {TUESDAY: 1}
    years = [TUESDAY - dt.timedelta(days=back) for back in range(-100, 100)]
    assert lost(world.lake, world.now + 25 * HOUR, years) == {TUESDAY: 1}
    assert days_loaded_since(world.now, world.lake) == {TUESDAY}
    # The unfinished one is looked at with the latest day that shows it.
    assert due_looks(world.lake, world.now, DAYS) == {TUESDAY: NOON + dt.timedelta(minutes=10)}
    assert due_looks(world.lake, world.now, [MONDAY]) == {MONDAY: NOON + dt.timedelta(minutes=10)}
    assert due_days(world.lake, world.now) == {MONDAY: 1}

    world.now += HOUR
    world.message("running", "c2", status="COMPLETED")
    world.fetch(TUESDAY)
    world.fold(TUESDAY)
    assert left_behind(world.lake, DAYS) == {}
    assert due_looks(world.lake, world.now + 48 * HOUR, DAYS) == {}
    assert lost(world.lake, world.now + 48 * HOUR, DAYS) == {}


def test_an_old_message_that_runs_anew_is_waited_for_though_it_was_asked_before_all_days_that_are_looked_at(
    world: World,
) -> None:
    """It was looked at as long as its day was run, and then stood there as running for ever."""
    world.ask("old", conversation_id="c1")
    world.load()
    world.now = NOON + 25 * HOUR
    world.event("old", "c1", day=TUESDAY, action="regenerateConversationMessage")
    world.message("old", "c1", status="EXECUTING_QUERY")
    world.load(TUESDAY)
    due = world.now + 25 * HOUR / 2  # half of its age
    assert due_looks(world.lake, due, [TUESDAY]) == {TUESDAY: due}
    waits, _ = what_waits(world.lake, due, [TUESDAY])
    assert waits[TUESDAY].due == due

    world.message("old", "c1", status="COMPLETED")
    world.now = due
    world.fetch(TUESDAY)
    assert due_looks(world.lake, due + 48 * HOUR, [TUESDAY]) == {}
