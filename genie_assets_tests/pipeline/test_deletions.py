"""Deletions reach other days: whatever is loaded first, the tables are the same, row by row."""

import datetime as dt
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_DAY_LOADS,
    GENIE_DELETIONS,
    GENIE_FETCH_RUNS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ATTEMPTS,
    MESSAGE_FETCH_ERRORS,
    TABLES,
)
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.lakehouse_in_memory import LakehouseInMemory
from genie_assets_tests.overtaken import Overtaken
from genie_assets_tests.pipeline.world import MONDAY, NOON, TUESDAY, WEDNESDAY, World

ONE_DAY = dt.timedelta(days=1)
DAYS = [MONDAY + number * ONE_DAY for number in range(7)]
# Which run wrote a row, and which day it ran for, is not what the row says.
OF_THE_RUN = {"ingestion_batch_id", "ingestion_timestamp"}
OF_THE_DAY = {
    GENIE_API_MESSAGES.name: {"event_date", "api_endpoint"},
    MESSAGE_FETCH_ERRORS.name: {"event_date"},
    # What a fold noted of what it went by: rows of other days are among that.
    GENIE_DAY_LOADS.name: {"folded_hash", "folded_timestamp", "folded_answers"},
}


def happens(world: World, day: int, minute: int = 0) -> dt.date:
    """Let it be that minute of a day."""
    world.now = NOON + day * ONE_DAY + dt.timedelta(minutes=minute)
    return DAYS[day]


def touch(
    world: World, message_id: str, conversation_id: str | None, *, day: int, action: str, minute: int
) -> None:
    world.event(message_id, conversation_id, day=happens(world, day, minute), action=action)


def a_week(path: Path) -> World:
    """Conversations and messages that are deleted days after they were asked, and some that show up again."""
    world = World(path)
    world.genie.spaces["s1"] = {"space_id": "s1", "title": "Sales", "serialized_space": "{}"}
    change, read = "updateConversationMessage", "getConversationMessage"
    for number, conversation_id in enumerate(("whole", "twice", "back", "kept")):
        for day in (0, 1, 3):
            happens(world, day, number)
            world.ask(f"{conversation_id}{day}", conversation_id=conversation_id, day=DAYS[day])
    touch(world, "whole0", None, day=2, action=read, minute=0)
    touch(world, "whole1", "whole", day=4, action=change, minute=1)
    for conversation_id, day in (("whole", 4), ("twice", 2), ("twice", 5), ("back", 4), ("never asked", 3)):
        world.delete(None, conversation_id, day=happens(world, day, 30))
    touch(world, "back0", "back", day=4, action=change, minute=45)
    touch(world, "back1", "back", day=6, action=change, minute=0)
    for day, message_id in ((1, "kept0"), (5, "kept1")):
        world.delete(message_id, "kept", day=happens(world, day, 50))
    touch(world, "kept0", "kept", day=6, action=change, minute=0)
    for gone in ("whole0", "whole1", "whole3", "twice0", "twice1", "twice3", "back3", "kept1"):
        del world.genie.messages[gone]
    world.now = NOON + 20 * ONE_DAY
    return world


def contents(world: World) -> dict[str, list[Any]]:
    found = {}
    for table in (
        each for each in TABLES if each not in (GENIE_FETCH_RUNS, MESSAGE_FETCH_ATTEMPTS)
    ):  # it tells of runs, not of messages
        left_out = OF_THE_RUN | OF_THE_DAY.get(table.name, set())
        # What was tried in vain, and how it ended, depends on what was known then; what is open must not.
        rows = [row for row in world.rows(table) if not row.get("resolved")]
        rows = [{name: row[name] for name in row if name not in left_out} for row in rows]
        found[table.name] = sorted(rows, key=repr)
    return found


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = a_week(tmp_path_factory.mktemp("in order"))
    for day in DAYS:
        world.load(day)
    return world


@pytest.mark.parametrize(
    "order",
    [[6, 5, 4, 3, 2, 1, 0], pytest.param([4, 0, 6, 2, 1, 5, 3], marks=pytest.mark.long)],
    ids=["newest first", "mixed"],
)
def test_days_in_any_order_come_to_the_same_rows(in_order: World, tmp_path: Path, order: list[int]) -> None:
    world = a_week(tmp_path)
    for day in order:
        world.load(DAYS[day])
    expected = contents(in_order)
    for name, rows in contents(world).items():
        assert rows == expected[name], name


def test_ids_that_another_day_tells_come_to_the_same_rows_whichever_is_loaded_last(tmp_path: Path) -> None:
    """The deletion's day came last: it knew no message of its conversation, as only a later day named that."""
    found = []
    for order in ([0, 1, 2, 3], [0, 3, 2, 1]):
        world = World(tmp_path)
        world.lake = LakehouseInMemory({})
        touch(world, "named late", None, day=0, action="getConversationMessage", minute=0)
        for day, space_id in enumerate((None, "s1")):
            world.event("placed late", "c2", day=happens(world, day, 1), space_id=space_id)
        for conversation_id in ("c1", "c2"):
            world.delete(None, conversation_id, day=happens(world, 2))
            world.system_tables.deleted[-1]["space_id"] = None
        touch(world, "named late", "c1", day=3, action="updateConversationMessage", minute=0)
        world.now = NOON + 20 * ONE_DAY
        for day in order:
            world.discover(DAYS[day])
        found.append(
            {name: contents(world)[name] for name in (GENIE_MESSAGES_TO_FETCH.name, GENIE_DELETIONS.name)}
        )
    assert found[0] == found[1]
    touched = [row for row in found[0][GENIE_MESSAGES_TO_FETCH.name] if row["event_date"] == DAYS[2]]
    assert {row["message_id"]: row["space_id"] for row in touched} == {"named late": "s1", "placed late": "s1"}


@pytest.mark.long
def test_in_unity_catalog_days_loaded_newest_first_come_to_the_same_rows_as_in_files_oldest_first(
    in_order: World, tmp_path: Path
) -> None:
    with UnityServer(tmp_path / "warehouse") as server:
        world = a_week(tmp_path)
        world.lake = server.new_lake()
        for day in reversed(DAYS):
            world.discover(day)  # to fetch and fold them as well takes a minute
        expected, found = contents(in_order), contents(world)
        for table in (GENIE_MESSAGES_TO_FETCH, GENIE_DELETIONS):
            assert found[table.name] == expected[table.name]
            assert found[table.name]


def test_what_is_deleted_and_what_shows_up_again(in_order: World) -> None:
    deleted = {row["message_id"] for row in in_order.rows(GENIE_MESSAGES_TO_FETCH) if row["is_deleted"]}
    assert deleted == {*(f"{each}{day}" for each in ("whole", "twice") for day in (0, 1, 3)), "back3", "kept1"}
    assert all(not row["is_deleted"] for row in in_order.rows(MESSAGE_DETAILS))
    said = {(row["event_date"], row["deleted_type"], row["deleted_id"]) for row in in_order.rows(GENIE_DELETIONS)}
    assert (DAYS[3], "CONVERSATION", "never asked") in said
    assert len(said) == 7


def test_deletions_are_asked_for_only_if_there_can_be_others(tmp_path: Path) -> None:
    """A quiet day paid for that statement with every run."""
    world = World(tmp_path)
    world.ask("m1", "m2", day=MONDAY)
    world.discover(MONDAY)
    asked = world.system_tables.looks_at_deletions
    world.discover(MONDAY)
    assert world.system_tables.looks_at_deletions == asked
    world.delete("m1", day=TUESDAY)
    world.discover(MONDAY)
    assert world.system_tables.looks_at_deletions == asked + 1
    gone = {row["message_id"] for row in world.rows(GENIE_MESSAGES_TO_FETCH) if row["is_deleted"]}
    assert gone == {"m1"}
    world.ask("m3", day=MONDAY)
    world.discover(MONDAY)
    assert world.system_tables.looks_at_deletions == asked + 2
    world.system_tables.chosen_workspaces = {"w1"}
    world.discover(MONDAY)
    assert world.system_tables.looks_at_deletions == asked + 3


def test_a_second_load_of_any_day_commits_nothing(in_order: World) -> None:
    tables = [table for table in TABLES if table is not GENIE_DAY_LOADS]
    versions = in_order.versions(*tables)
    asked = len(in_order.genie.requests)
    for day in DAYS:
        in_order.load(day)
    assert in_order.versions(*tables) == versions
    settled = in_order.versions(GENIE_DAY_LOADS)
    for day in DAYS:
        in_order.load(day)
    # Each day has been folded since the last of them changed anything: there is nothing to note any more.
    assert in_order.versions(GENIE_DAY_LOADS) == settled
    assert len(in_order.genie.requests) == asked


def test_the_log_is_read_ahead_for_a_month_and_later_deletions_come_from_our_own_table(world: World) -> None:
    """A year's backfill read what was deleted in all the days that followed, once for each of them."""
    asked: list[tuple[dt.date, dt.date]] = []
    deletions = world.system_tables.deletions

    def counted(since: dt.date, until: dt.date) -> Any:
        asked.append((since, until))
        return deletions(since, until)

    world.system_tables.deletions = counted  # type: ignore[method-assign]
    much_later = MONDAY + 90 * ONE_DAY
    world.ask("m1")
    world.event("m2")
    world.delete(None, day=much_later)
    world.discover(much_later)
    world.discover(MONDAY)
    assert asked == [(much_later, much_later + 30 * ONE_DAY), (MONDAY, MONDAY + 30 * ONE_DAY)]
    assert [(row["event_date"], row["is_deleted"]) for row in world.rows(GENIE_MESSAGES_TO_FETCH)] == [
        (MONDAY, True),
        (MONDAY, True),
        (much_later, True),
        (much_later, True),
    ]


def test_a_deletion_that_the_log_has_forgotten_stays(world: World) -> None:
    world.ask("m1")
    world.delete("m1", day=TUESDAY)
    for _ in range(2):
        for day in (MONDAY, TUESDAY, WEDNESDAY):
            world.discover(day)
        world.system_tables.deleted.clear()
        world.system_tables.events = [row for row in world.system_tables.events if row["event_date"] == MONDAY]
    assert [row["is_deleted"] for row in world.rows(GENIE_MESSAGES_TO_FETCH)] == [True, True]
    assert [row["deleted_id"] for row in world.rows(GENIE_DELETIONS)] == ["m1"]


def test_a_day_whose_deletion_touches_no_known_message_can_be_loaded_again(world: World) -> None:
    """The log tells of it, and it is stored: it was both, twice the same key, and the whole day failed."""
    world.delete(None, "unknown")
    world.discover()
    before = world.rows(GENIE_DELETIONS)
    world.event("m1", "c9", workspace_id="w9")
    world.discover()
    assert world.rows(GENIE_DELETIONS) == before
    assert [row["deleted_id"] for row in before] == ["unknown"]


@pytest.mark.parametrize(("first", "second"), [(0, 4), pytest.param(4, 0, marks=pytest.mark.long)])
def test_two_days_loaded_at_once_come_to_the_same_rows_wherever_one_overtakes(
    in_order: World, tmp_path: Path, first: int, second: int
) -> None:
    """A conversation of the first day is deleted on the fifth. Each of them went by what the other one stored."""
    tables = (GENIE_MESSAGES_TO_FETCH, GENIE_DELETIONS)
    alone = a_week(tmp_path / "alone")
    for day in (first, second):
        alone.discover(DAYS[day])
    expected = {table.name: contents(alone)[table.name] for table in tables}
    calls, before = 1, 1
    while before <= calls:
        world = a_week(tmp_path / str(before))
        plain = world.lake
        overtaken: Any = Overtaken(plain, before, partial(discover_beside, world, plain, DAYS[second]))
        world.lake = overtaken
        world.discover(DAYS[first])
        calls, world.lake, before = overtaken.calls, plain, before + 1
        world.discover(DAYS[first])
        world.discover(DAYS[second])
        found = contents(world)
        assert {name: found[name] for name in expected} == expected, f"overtaken before call {before - 1}"
    assert calls > 5


def discover_beside(world: World, lake: Any, day: dt.date) -> None:
    """Another process discovers a day in the plain tables."""
    ours, world.lake = world.lake, lake
    world.discover(day)
    world.lake = ours
