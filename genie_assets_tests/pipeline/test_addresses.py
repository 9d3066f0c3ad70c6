"""Where a workspace is: known from any row, not only from the one at hand."""

from collections.abc import Iterator

import pytest

from genie_assets.domain.agents import AGENT_MODE, listed_conversations
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.requests import Answer, ConversationsOfSpace
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    SPACE_FETCH_ERRORS,
)
from genie_assets.pipeline.addresses import with_addresses
from genie_assets.pipeline.agent_items import keep_listed
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.pipeline.world import BROKEN, HOUR, MONDAY, NOON, TUESDAY, URL, WEDNESDAY, World

SALES = {"space_id": "s1", "title": "Sales", "serialized_space": "{}"}
ON_TUESDAY = int(NOON.timestamp() * 1000) + 86_400_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.fixture(params=["in files", "in Unity Catalog"])
def somewhere(request: pytest.FixtureRequest, world: World) -> World:
    if request.param == "in Unity Catalog":
        world.lake = request.getfixturevalue("server").new_lake()
    return world


def test_the_space_of_a_message_that_was_brought_along_is_asked_where_its_neighbours_say(world: World) -> None:
    """Of the message itself no audit row has come, and its neighbours are not folded again beside it."""
    world.genie.spaces["s1"] = BROKEN
    world.ask("m1", "m2")
    world.message("m3", created_timestamp=ON_TUESDAY)
    world.load()
    assert world.row(MESSAGE_DETAILS, "m3")["space_name"] is None
    world.genie.spaces["s1"] = SALES
    world.now += 48 * HOUR
    world.fold(TUESDAY)
    (error,) = world.rows(SPACE_FETCH_ERRORS)
    assert (error["error_class"], error["resolution"]) == ("SERVER", "FETCHED")
    assert world.row(MESSAGE_DETAILS, "m3")["space_name"] == "Sales"


def test_a_message_is_asked_for_where_another_day_says_its_workspace_is(world: World) -> None:
    """On its own day the workspace was not in the account's list yet, or not any more."""
    world.ask("m1", day=TUESDAY, conversation_id="c2")
    world.load(TUESDAY)
    world.ask("m2")
    world.discover()
    _forget_address(world, "m2")
    assert world.fetch().tally.stored == 1
    assert world.rows(MESSAGE_FETCH_ERRORS) == []


def test_an_open_error_of_no_reference_is_retried_where_another_row_says(world: World) -> None:
    world.ask("m1", "m2")
    world.genie.errors["m2"] = BROKEN
    world.load()
    world.system_tables.events = [row for row in world.system_tables.events if row["message_id"] == "m1"]
    world.load(WEDNESDAY)
    world.genie.errors.clear()
    world.now += 48 * HOUR
    world.load()
    (error,) = world.rows(MESSAGE_FETCH_ERRORS)
    assert error["resolution"] == "FETCHED"


def test_an_address_that_becomes_known_reaches_all_references_and_with_them_their_messages(world: World) -> None:
    world.ask("m1")
    world.discover()
    _forget_address(world, "m1")
    world.fetch()
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["error_class"] == ErrorClass.CONFIG
    world.now += 48 * HOUR
    world.back_up()
    assert world.row(GENIE_MESSAGES_TO_FETCH, "m1")["workspace_url"] == URL
    assert world.fetch().tally.stored == 1
    version = world.versions(GENIE_MESSAGES_TO_FETCH)
    world.back_up()
    assert world.versions(GENIE_MESSAGES_TO_FETCH) == version


def test_whichever_table_knows_is_asked_and_the_latest_reference_wins(somewhere: World) -> None:
    world = somewhere
    body = Answer({"agent_type": AGENT_MODE}, "LIST", NOON)
    for workspace_id in ("w1", "w7"):
        shown = listed_conversations(SpaceKey(workspace_id, "s7"), f"https://{workspace_id}.agents", {"c7": body})
        keep_listed(shown, world.lake, NOON)
    rows = [
        {"event_date": day, "workspace_id": "w1", "message_id": "m1", "workspace_url": url}
        for day, url in ((MONDAY, "https://old"), (TUESDAY, URL), (WEDNESDAY, None))
    ]
    world.lake.append(GENIE_MESSAGES_TO_FETCH, GENIE_MESSAGES_TO_FETCH.frame(rows))
    asked = [ConversationsOfSpace(each, None, "s7") for each in ("w1", "w7", "w8")]
    found = with_addresses([*asked, ConversationsOfSpace("w7", "https://its.own", "s8")], world.lake)
    assert [each.workspace_url for each in found] == [URL, "https://w7.agents", None, "https://its.own"]


def _forget_address(world: World, message_id: str) -> None:
    rows = [{**world.row(GENIE_MESSAGES_TO_FETCH, message_id), "workspace_url": None}]
    world.lake.store(GENIE_MESSAGES_TO_FETCH, GENIE_MESSAGES_TO_FETCH.frame(rows))
