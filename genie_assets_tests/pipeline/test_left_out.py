"""What waits in a workspace that `GENIE_WORKSPACES` leaves out wakes nobody, and goes on when it comes back."""

from pathlib import Path

import pytest

from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, MESSAGE_FETCH_ERRORS, SPACE_FETCH_ERRORS
from genie_assets.pipeline.space_backups import not_backed_up
from genie_assets.pipeline.waiting import due_days, due_looks, left_behind, lost, what_waits
from genie_assets_tests.pipeline.world import FORBIDDEN, HOUR, MONDAY, TUESDAY, URL, World

pytestmark = pytest.mark.long  # loads a day six times

DAYS = [MONDAY, TUESDAY]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two workspaces: on Monday all is w2's, of which one message still runs and one was never asked for."""
    world = World(tmp_path)
    world.system_tables.others = [
        {"workspace_id": "w2", "workspace_name": "Two", "workspace_url": URL, "status": "RUNNING"}
    ]
    world.genie.spaces["s1"] = FORBIDDEN
    world.ask("running", conversation_id="c1", status="EXECUTING_QUERY")
    world.ask("ended", conversation_id="c2")
    _of_w2(world)
    world.load()
    world.ask("pending", conversation_id="c3")
    _of_w2(world)
    world.discover()
    world.genie.requests.clear()
    world.genie.space_looks.clear()
    return world


def _of_w2(world: World) -> None:
    for event in world.system_tables.events:
        event["workspace_id"] = "w2"


def _is_quiet(world: World) -> bool:
    found = (
        due_days(world.lake, world.now),
        due_looks(world.lake, world.now, DAYS),
        left_behind(world.lake, DAYS),
    )
    return not (any(found) or what_waits(world.lake, world.now, DAYS)[0] or lost(world.lake, world.now, DAYS))


@pytest.mark.parametrize("day_is_loaded_again", [False, True])
def test_what_waits_in_a_workspace_that_is_left_out_is_not_asked_for_until_it_is_looked_at_again(
    world: World, day_is_loaded_again: bool
) -> None:
    """It was asked for, as only what had failed was closed; a day of nothing else is not even loaded again."""
    world.system_tables.chosen_workspaces = {"w1"}
    world.now += 48 * HOUR
    if day_is_loaded_again:
        world.discover()
        assert world.rows(GENIE_MESSAGES_TO_FETCH) == []
    report = world.fetch()
    assert (world.genie.requests, report.wanted, report.tally.failed) == ([], 0, 0)
    assert _is_quiet(world)
    world.fold()
    assert world.genie.space_looks == []
    assert world.state().accounting().lost == 0
    assert not_backed_up(world.lake, world.now + 96 * HOUR, {"w1"}) == []
    version = world.versions(MESSAGE_FETCH_ERRORS)
    world.now += 48 * HOUR
    world.load()
    assert (world.genie.requests, world.versions(MESSAGE_FETCH_ERRORS)) == ([], version)

    world.system_tables.chosen_workspaces = set()
    world.message("running", "c1", status="COMPLETED")
    world.load()
    assert world.genie.asked == ["pending", "running"]
    assert {row["message_id"]: row["resolution"] for row in world.rows(MESSAGE_FETCH_ERRORS)} in (
        {"pending": "FETCHED", "running": "FETCHED"},
        {"pending": "FETCHED"},
    )
    assert _is_quiet(world)
    assert len(world.rows(SPACE_FETCH_ERRORS)) == 1
