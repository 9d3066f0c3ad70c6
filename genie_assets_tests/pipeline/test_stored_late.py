"""What a paused process stores is dated before the last fold of today: the next fold takes it up all the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.reconciliation import Seen, entered
from genie_assets.domain.tables import GENIE_DAY_LOADS, GENIE_MESSAGES_TO_FETCH, MESSAGE_DETAILS
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.overtaken import Overtaken
from genie_assets_tests.pipeline.world import FORBIDDEN, HOUR, MONDAY, World

MINUTE = HOUR / 60
RATED = "updateConversationMessageFeedback"


def told_of_a_deletion(world: World) -> None:
    world.delete("m1", "c1")
    world.discover()


def told_of_a_failure(world: World) -> None:
    world.event("m1", "c1", action=RATED)
    world.genie.errors["m1"] = FORBIDDEN
    world.discover()
    world.fetch()


def told_that_it_is_over(world: World) -> None:
    """The message itself is as it was."""
    del world.genie.errors["m1"]
    world.fetch()


def a_new_day(world: World, *, has_failed: bool) -> None:
    """Two messages are folded; of the second one something is known since that is not folded yet."""
    world.ask("m1", conversation_id="c1")
    world.ask("m2", conversation_id="c2")
    world.load()
    world.now += HOUR
    if has_failed:
        told_of_a_failure(world)
        world.fold()
        world.now += 2 * HOUR
    world.event("m2", "c2", action=RATED)
    world.discover()
    world.now += MINUTE


@pytest.mark.parametrize(
    ("step", "column", "expected", "places"),
    [
        (told_of_a_deletion, "is_deleted", True, (2,)),
        (told_of_a_failure, "api_fetch_status", "PERMISSION", (12,)),
        (told_that_it_is_over, "api_fetch_status", "SUCCESS", (7,)),
    ],
    ids=["deletion", "failure", "end"],
)
def test_today_is_folded_by_what_was_stored_late(
    tmp_path: Path, step: Callable[[World], object], column: str, expected: object, places: tuple[int, ...]
) -> None:
    """Another process folds something else meanwhile; from then on only what is dated later would be looked at."""
    for number in places:
        path = tmp_path / str(number)
        world = World(path)
        a_new_day(world, has_failed=step is told_that_it_is_over)
        ours = world.lake

        def fold_beside(world: World = world, path: Path = path) -> None:
            beside, world.lake = world.lake, open_lakehouse(str(path))
            world.now += MINUTE
            world.fold()
            world.lake = beside

        paused: Any = Overtaken(open_lakehouse(str(path)), number, fold_beside)
        world.lake = paused
        step(world)
        world.lake = ours
        assert paused.calls >= number
        world.now += HOUR
        world.fold()
        assert world.row(MESSAGE_DETAILS, "m1")[column] == expected, f"overtaken before call {number}"
        assert world.fold().messages == 0


def test_a_message_that_a_paused_walk_enters_late_is_again_what_the_log_says_of_it(tmp_path: Path) -> None:
    """By then the log had shown it; its row was overwritten, and stayed so, as the day seemed to be unchanged."""
    world = World(tmp_path)
    world.ask("m1", "m2")
    began, world.now = world.now, world.now + MINUTE
    world.load()
    row = {**entered(Seen("w1", "s1", "c1", "m1", MONDAY), None), "ingestion_timestamp": began}
    world.lake.store(GENIE_MESSAGES_TO_FETCH, GENIE_MESSAGES_TO_FETCH.frame([row]))
    world.now += HOUR
    world.discover()
    told = world.row(GENIE_MESSAGES_TO_FETCH, "m1")
    assert (told["event_count"], told["user_email"]) == (1, "ann@example.com")
    before = world.versions(GENIE_DAY_LOADS, GENIE_MESSAGES_TO_FETCH)
    world.discover()
    assert world.versions(GENIE_DAY_LOADS, GENIE_MESSAGES_TO_FETCH) == before
