"""Query history that cannot be read: messages are folded all the same, and nothing is given up unseen."""

import datetime as dt
import logging
from collections.abc import Iterator

import pytest

from genie_assets.domain.tables import MESSAGE_DETAILS
from genie_assets.gateways.sql.errors import WarehouseError, refused_statement
from genie_assets.reporting import fold_metadata
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.pipeline.world import HOUR, MONDAY, NOON, World

DAY = dt.timedelta(days=1)
REFUSAL = refused_statement(
    "BAD_REQUEST", "[INSUFFICIENT_PERMISSIONS] User does not have SELECT on system.query.history.", "1a2b"
)
NOT_THERE = refused_statement("BAD_REQUEST", "[TABLE_OR_VIEW_NOT_FOUND] system.query.history", "1a2b")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.fixture(params=["delta", pytest.param("unity", marks=pytest.mark.long)])
def on_both(request: pytest.FixtureRequest, world: World) -> World:
    if request.param == "unity":
        world.lake = request.getfixturevalue("server").new_lake()
    return world


def ask(world: World, message_id: str, statement_id: str, day: dt.date = MONDAY) -> None:
    created = int(NOON.timestamp() * 1000) + (day - MONDAY).days * 86_400_000
    query = {"query": {"query": "SELECT 1", "statement_id": statement_id}}
    world.ask(message_id, conversation_id=message_id, day=day, created_timestamp=created, attachments=[query])


def statuses(world: World) -> dict[str, str]:
    return {row["message_id"]: row["enrichment_status"] for row in world.rows(MESSAGE_DETAILS)}


def test_without_a_grant_statements_are_waited_for_until_they_can_be_looked_for(
    on_both: World, caplog: pytest.LogCaptureFixture
) -> None:
    world, later = on_both, MONDAY + 30 * DAY
    world.system_tables.history_failure = REFUSAL
    world.statement("found")
    ask(world, "m1", "found")
    ask(world, "m2", "never")
    with caplog.at_level(logging.WARNING):
        world.discover()
        world.fetch()
        report = world.fold()
    assert statuses(world) == {"m1": "PENDING", "m2": "PENDING"}
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [each.count("SELECT on it") for each in said] == [1]
    assert "SELECT on system.query.history" in fold_metadata(report)["query_history"].value
    assert len(world.system_tables.windows) == 1

    # A month later nothing has been given up, nor was it read again and again.
    world.now = NOON + 30 * DAY
    ask(world, "m3", "new", day=later)
    world.load(later)
    assert set(statuses(world).values()) == {"PENDING"}
    assert len(world.system_tables.windows) == 2

    world.system_tables.history_failure = None
    world.statement("new", start_time=world.now)
    report = world.fold(later)
    assert statuses(world) == {"m1": "COMPLETE", "m2": "EXPIRED", "m3": "COMPLETE"}
    assert "query_history" not in fold_metadata(report)
    versions = world.versions(MESSAGE_DETAILS)
    world.system_tables.history_failure = NOT_THERE
    world.fold()
    world.fold(later)
    assert world.versions(MESSAGE_DETAILS) == versions


def test_a_warehouse_that_fails_is_no_missing_grant(world: World) -> None:
    world.system_tables.history_failure = WarehouseError("It broke.", condition="INTERNAL_ERROR", passing=True)
    ask(world, "m1", "found")
    with pytest.raises(WarehouseError):
        world.load()
    world.system_tables.history_failure = None
    world.statement("found")
    world.now += HOUR
    world.load()
    assert statuses(world) == {"m1": "COMPLETE"}


def test_what_could_not_be_looked_for_in_every_region_is_not_given_up(world: World) -> None:
    """A statement may be in the history of the region that is away; what another one shows is known at once."""
    world.system_tables.regions = {"home": None, "us": "It is away."}
    world.statement("found")
    ask(world, "m1", "found")
    ask(world, "m2", "elsewhere")
    world.load()
    assert statuses(world) == {"m1": "COMPLETE", "m2": "PENDING"}
    world.now, looks = NOON + 4 * DAY, len(world.system_tables.windows)
    world.event("m2", "m2", action="updateConversationMessageFeedback", at=NOON + HOUR)
    world.discover()
    world.fetch()
    report = world.fold()
    assert len(world.system_tables.windows) > looks
    assert statuses(world)["m2"] == "PENDING", "it was given up unseen"
    assert fold_metadata(report)["regions_unread"] == 1
    assert "`It is away.`" in fold_metadata(report)["unread"].value
    world.system_tables.regions = {"home": None, "us": None}
    world.event("m2", "m2", action="updateConversationMessageFeedback", at=NOON + 2 * HOUR)
    world.discover()
    world.fetch()
    assert "unread" not in fold_metadata(world.fold())
    assert statuses(world)["m2"] == "EXPIRED"
