"""Two processes that share no pool fold at once: wherever one overtakes the other, the tables say what is so."""

import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_DAY_LOADS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
)
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.names import spread_titles, spread_workspace_names
from genie_assets.pipeline.twins import duplicate_keys
from genie_assets_tests.mortal import KilledError, Mortal
from genie_assets_tests.overtaken import Overtaken
from genie_assets_tests.pipeline.world import FORBIDDEN, HOUR, MONDAY, NOON, TUESDAY, World

Step = Callable[[World], object]
SPREAD: Mapping[str, Step] = {
    "title": lambda world: spread_titles({SpaceKey("w1", "s1"): "Sales"}, world.lake, world.run().stamp("names")),
    "workspace": lambda world: spread_workspace_names({"w1": "Prod"}, world.lake, world.run().stamp("names")),
}
WEEKS_LATER = NOON + timedelta(days=20)


def account(path: Path) -> World:
    """A conversation of two days, of which the first message was asked on Monday."""
    world = World(path)
    world.genie.spaces["s1"] = {"space_id": "s1", "title": "Sales", "serialized_space": "{}"}
    for message_id, at in (("m1", NOON), ("m2", NOON + 24 * HOUR)):
        created = int(at.timestamp() * 1000)
        world.event(message_id, day=at.date(), at=at)
        world.message(message_id, created_timestamp=created)
    world.now = WEEKS_LATER
    return world


def process(world: World, path: Path, step: Step, before: int = 0, work: Step | None = None) -> int:
    """Let a process of its own do something, and another one its work before the call of that number.

    Returns:
        How many calls it took.
    """
    ours = world.lake
    other = partial(process, world, path, work) if work is not None else partial(int)
    beside: Any = Overtaken(open_lakehouse(str(path)), before, other)
    world.now += HOUR
    world.lake = beside
    try:
        step(world)
    finally:
        world.lake = ours
    return int(beside.calls)


def positions(world: World) -> dict[str, int]:
    return {row["message_id"]: row["conversation_position"] for row in world.rows(MESSAGE_DETAILS)}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tuesday is fetched, and Monday is not."""
    path = tmp_path_factory.mktemp("before")
    world = account(path)
    for day in (MONDAY, TUESDAY):
        world.discover(day)
    # Reading the whole conversation would bring Monday's along.
    held = world.genie.messages.pop("m1")
    world.fetch(TUESDAY)
    world.genie.messages["m1"] = held
    return path


def load_monday(world: World) -> None:
    world.fetch(MONDAY)
    world.fold(MONDAY)


def load_both(world: World) -> None:
    load_monday(world)
    fold_tuesday(world)


def fold_tuesday(world: World) -> None:
    world.fold(TUESDAY)


SOME_PLACES = pytest.mark.parametrize("apart", [4, pytest.param(1, marks=pytest.mark.rare)])


@SOME_PLACES
def test_what_a_fold_saw_earlier_never_stays_over_what_is_newer(before: Path, tmp_path: Path, apart: int) -> None:
    """The second message of a conversation stayed its first for ever: by then the first one was stored."""
    calls = number = 2
    while number <= calls:
        path = tmp_path / str(number)
        shutil.copytree(before, path)
        world = account(path)
        calls = process(world, path, fold_tuesday, number, load_monday)
        if number <= calls:
            assert positions(world) == {"m1": 1, "m2": 2}, f"overtaken before call {number}"
        number += apart
    assert calls > 10


@SOME_PLACES
def test_a_fold_that_died_after_another_one_overtook_it_is_made_again(
    before: Path, tmp_path: Path, apart: int
) -> None:
    deaths, last = 0, 8
    while deaths == (last - 8) // apart:
        path = tmp_path / str(last)
        shutil.copytree(before, path)
        world = account(path)
        beside = Overtaken(open_lakehouse(str(path)), 8, partial(process, world, path, load_monday))
        ours, world.lake = world.lake, Mortal(last)(beside)
        try:
            world.fold(TUESDAY)
        except KilledError:
            deaths += 1
        finally:
            world.lake = ours
        process(world, path, fold_tuesday)
        assert positions(world) == {"m1": 1, "m2": 2}, f"died after call {last}"
        last += apart
    assert deaths * apart > 8


def test_a_day_whose_fold_died_is_quiet_after_two_more(before: Path, tmp_path: Path) -> None:
    """The next fold takes the announcement away of one that may still store something: so there is one more."""
    path = tmp_path / "lake"
    shutil.copytree(before, path)
    world = account(path)
    (row,) = [row for row in world.rows(GENIE_DAY_LOADS) if row["event_date"] == TUESDAY]
    world.lake.store(GENIE_DAY_LOADS, GENIE_DAY_LOADS.frame([{**row, "folded_hash": "begun by another one"}]))
    assert [world.fold(TUESDAY).messages for _ in range(3)] == [1, 1, 0]


@pytest.mark.rare
def test_one_that_dies_after_the_same_day_was_folded_beside_it_is_made_good(before: Path, tmp_path: Path) -> None:
    """The other one's note took its announcement away: the day was quiet with what the dead one had stored."""
    deaths = 0
    for last in range(8, 40):
        path = tmp_path / str(last)
        shutil.copytree(before, path)
        world = account(path)
        beside = Overtaken(open_lakehouse(str(path)), last, partial(process, world, path, load_both))
        ours, world.lake = world.lake, Mortal(last)(beside)
        try:
            world.fold(TUESDAY)
        except KilledError:
            deaths += 1
        else:
            break
        finally:
            world.lake = ours
        process(world, path, fold_tuesday)
        assert positions(world) == {"m1": 1, "m2": 2}, f"died after call {last}"
    assert deaths > 4


@SOME_PLACES
@pytest.mark.parametrize("known", ["title", pytest.param("workspace", marks=pytest.mark.rare)])
def test_a_name_that_becomes_known_while_a_fold_goes_on_reaches_its_messages(
    tmp_path: Path, known: str, apart: int
) -> None:
    """It was given to what lacked it, and then the fold stored its messages as it had known them."""

    def told(world: World) -> None:
        if known == "title":
            world.genie.spaces["s1"] = {"space_id": "s1", "title": "Sales", "serialized_space": "{}"}
        world.system_tables.name = "Prod"
        world.back_up()

    path = tmp_path / "before"
    world = account(path)
    if known == "title":
        world.genie.spaces["s1"] = FORBIDDEN
        world.back_up()
    else:
        world.system_tables.name = None
    world.discover()
    world.fetch()
    calls = number = 2
    while number <= calls:
        lake = tmp_path / str(number)
        shutil.copytree(path, lake)
        world = account(lake)
        world.system_tables.name = "Prod" if known == "title" else None
        world.genie.spaces["s1"] = FORBIDDEN if known == "title" else world.genie.spaces["s1"]
        calls = process(world, lake, lambda each: each.fold(), number, told)
        world.now += 24 * HOUR  # the next night
        process(world, lake, lambda each: each.back_up())
        row = world.row(MESSAGE_DETAILS, "m1")
        if number <= calls:
            assert (row["space_name"], row["workspace_name"]) == ("Sales", "Prod"), f"before call {number}"
        number += apart
    assert calls > 10


@pytest.mark.parametrize("known", ["title", pytest.param("workspace", marks=pytest.mark.long)])
def test_what_others_store_while_a_name_is_given_to_messages_stays(tmp_path: Path, known: str) -> None:
    """The rows were stored whole, as they had been read: a deleted message was there again, for good."""

    def deleted(world: World) -> None:
        world.delete("m1", "c1")
        world.discover()
        world.fold()

    path = tmp_path / "before"
    world = account(path)
    world.genie.spaces["s1"] = FORBIDDEN
    world.system_tables.name = None
    world.load()
    calls = number = 1
    while number <= calls:
        lake = tmp_path / str(number)
        shutil.copytree(path, lake)
        world = account(lake)
        world.genie.spaces["s1"], world.system_tables.name = FORBIDDEN, None
        calls = max(calls, process(world, lake, SPREAD[known], number, deleted))
        row, reference = world.row(MESSAGE_DETAILS, "m1"), world.row(GENIE_MESSAGES_TO_FETCH, "m1")
        assert (row["is_deleted"], reference["is_deleted"]) == (True, True), f"overtaken before call {number}"
        assert (row["space_name"], row["workspace_name"])[known == "workspace"] is not None
        number += 1
    assert calls >= 3


@SOME_PLACES
def test_two_processes_that_fetch_the_same_answer_store_it_once(before: Path, tmp_path: Path, apart: int) -> None:
    """On files it was in the log twice, and `keys_are_unique` failed for ever."""
    calls, number = 1, 1
    while number <= calls:
        path = tmp_path / str(number)
        shutil.copytree(before, path)
        world = account(path)
        calls = max(calls, process(world, path, lambda each: each.fetch(), number, lambda each: each.fetch()))
        assert not any(duplicate_keys(MONDAY, world.lake).values()), f"overtaken before call {number}"
        assert len(world.rows(GENIE_API_MESSAGES)) == 2
        number += apart
    assert calls > 5
