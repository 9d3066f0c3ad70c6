"""`genie_space_details` against a real lakehouse."""

import json
from typing import Any

import pytest

from genie_assets.domain import ledger
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import (
    AGENT_FETCH_ERRORS,
    COMMENT_FETCH_ERRORS,
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    GENIE_SPACE_VERSIONS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    SPACE_FETCH_ERRORS,
    Table,
)
from genie_assets.pipeline.chosen_spaces import ChosenSpaces
from genie_assets.pipeline.genie_space_details import SpacesReport, look_at_spaces
from genie_assets_tests.lakehouse_in_memory import LakehouseInMemory
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, MONDAY, NOON, NOT_FOUND, TUESDAY, URL, World


def space(config: str = "A", space_id: str = "s1", **fields: Any) -> dict[str, Any]:
    body = {"space_id": space_id, "title": f"Space {space_id}", "serialized_space": json.dumps({"config": config})}
    return body | fields


def back_up(world: World) -> SpacesReport:
    return world.back_up()


def details(world: World) -> dict[str, dict[str, Any]]:
    return {row["space_id"]: row for row in world.rows(GENIE_SPACE_DETAILS)}


def test_listed_and_referenced_spaces_are_read(world: World) -> None:
    world.event("m1")
    world.event("m2", space_id="hidden")
    world.event("m3", space_id=None)
    world.discover()
    world.genie.spaces = {"s1": space(), "quiet": space(space_id="quiet"), "hidden": space(space_id="hidden")}
    world.genie.unlisted = {"hidden"}
    report = back_up(world)
    assert (report.spaces, report.readable, report.exported, report.changed) == (3, 3, 3, 3)
    assert report.requests == 7  # one list, one look at each, and one at its access list
    assert {key: row["title"] for key, row in details(world).items()} == {
        "s1": "Space s1",
        "quiet": "Space quiet",
        "hidden": "Space hidden",
    }


def test_what_the_days_of_a_load_have_read_is_not_read_again_at_its_end(world: World) -> None:
    world.genie.spaces = {
        "old": space(space_id="old"),
        "s1": space(),
        "poor": space(space_id="poor", no_export=True),
        "quiet": space(space_id="quiet"),
    }
    world.genie.unlisted = {"s1", "poor", "quiet"}
    back_up(world)
    world.now += HOUR
    began = world.now
    world.ask("m1")
    world.event("m2", space_id="poor")
    world.message("m2", space_id="poor")
    world.load()
    world.genie.unlisted = {"poor"}
    world.genie.space_looks.clear()
    world.now += HOUR / 4
    report = world.back_up(ChosenSpaces(but_read_since=began))
    assert sorted(world.genie.space_looks) == ["old", "quiet"]
    assert report.permissions.read + report.permissions.unknown == len(report.read)
    assert (report.spaces, report.readable, report.exported, report.waiting) == (3, 3, 3, 1)
    assert report.titles.keys() == {SpaceKey("w1", name) for name in ("old", "s1", "quiet")}


def test_looking_again_writes_nothing(world: World) -> None:
    world.event("m1")
    world.discover()
    world.genie.spaces = {"s1": space(), "closed": FORBIDDEN}
    world.genie.agents, world.genie.tags = ["s1"], {"s1": {"owner": "ann"}}
    back_up(world)
    assert (details(world)["s1"]["made_by"], details(world)["s1"]["tags"]) == ("PEOPLE", '{"owner": "ann"}')
    versions = world.versions(GENIE_SPACE_DETAILS, GENIE_SPACE_VERSIONS)
    world.now += HOUR
    world.genie.spaces["s1"] = space(serialized_space='{ "config" : "A" }')
    assert back_up(world).changed == 0
    assert world.versions(GENIE_SPACE_DETAILS, GENIE_SPACE_VERSIONS) == versions


def test_configurations_make_a_history(world: World) -> None:
    world.event("m1")
    world.discover()
    for hour, config in enumerate("ABA"):
        world.now = NOON + hour * HOUR
        world.genie.spaces["s1"] = space(config)
        assert back_up(world).changed == 1
    rows = sorted(world.rows(GENIE_SPACE_VERSIONS), key=lambda row: row["valid_from"])
    assert [(json.loads(row["serialized_space"])["config"], row["valid_to"]) for row in rows] == [
        ("A", NOON + HOUR),
        ("B", NOON + 2 * HOUR),
        ("A", None),
    ]
    assert json.loads(details(world)["s1"]["serialized_space"]) == {"config": "A"}


def test_a_failed_look_keeps_the_last_good_configuration(world: World) -> None:
    world.event("m1")
    world.discover()
    world.genie.spaces["s1"] = space()
    back_up(world)
    good = details(world)["s1"]
    for error in (BROKEN, FORBIDDEN, NOT_FOUND):
        world.now += 24 * HOUR
        world.genie.spaces["s1"] = error
        report = back_up(world)
        assert (report.readable, report.gone) == (0, int(error is NOT_FOUND))
        assert dict(report.errors_by_class) == ({} if report.gone else {str(error.error_class): 1})
        row = details(world)["s1"]
        assert row["api_fetch_status"] == error.error_class
        kept = ("title", "serialized_space", "config_hash", "last_seen_timestamp")
        assert [row[name] for name in kept] == [good[name] for name in kept]
    assert details(world)["s1"]["is_trashed"] is True
    assert len(world.rows(GENIE_SPACE_VERSIONS)) == 1


def test_a_space_that_may_be_read_but_not_exported_shows_its_title(world: World) -> None:
    world.event("m1")
    world.discover()
    world.genie.spaces["s1"] = space(no_export=True)
    report = back_up(world)
    assert (report.readable, report.exported, report.requests) == (1, 0, 4)
    row = details(world)["s1"]
    assert (row["title"], row["serialized_space"], row["api_fetch_status"]) == ("Space s1", None, "PERMISSION")
    assert not world.rows(GENIE_SPACE_VERSIONS)


def test_a_configuration_that_is_too_big_leaves_the_title(world: World) -> None:
    world.event("m1")
    world.discover()
    world.genie.spaces["s1"] = space(no_export=True)
    world.genie.export_error = FetchError(ErrorClass.TOO_BIG, "The answer is bigger than 16 MiB.", 200)
    assert back_up(world).errors_by_class == {"TOO_BIG": 1}
    row = details(world)["s1"]
    assert (row["title"], row["api_fetch_status"]) == ("Space s1", "TOO_BIG")
    assert row["api_fetch_error"] == "The answer is bigger than 16 MiB."


def test_a_workspace_that_cannot_be_listed_loses_no_known_space(world: World) -> None:
    world.event("m1")
    world.discover()
    world.genie.spaces = {"s1": space(), "quiet": space(space_id="quiet")}
    back_up(world)
    world.genie.list_error = FetchError(ErrorClass.PERMISSION, "No.")
    report = back_up(world)
    assert (report.unlisted_workspaces, report.spaces, report.readable) == (1, 2, 2)


def test_spaces_that_nobody_touched_for_long_are_still_read(world: World) -> None:
    world.event("m1")
    world.discover()
    world.genie.spaces = {"s1": space()}
    back_up(world)
    world.now += 40 * 24 * HOUR
    world.genie.spaces = {"s1": space("B")}
    assert back_up(world).changed == 1


def test_spaces_of_workspaces_without_any_message_are_backed_up(world: World) -> None:
    """Of a workspace that does not run and of which nothing is known there is nothing to ask."""
    world.genie.spaces = {"quiet": space(space_id="quiet")}
    world.system_tables.others = [
        {"workspace_id": "new", "workspace_url": "https://new.example.com", "status": None},
        {"workspace_id": "shut", "workspace_url": "https://shut.example.com", "status": "BANNED"},
        {"workspace_id": "0", "workspace_url": None, "status": "RUNNING"},
    ]
    report = back_up(world)
    assert (report.spaces, report.exported, report.changed) == (2, 2, 2)
    assert {row["workspace_id"] for row in world.rows(GENIE_SPACE_DETAILS)} == {"w1", "new"}
    assert world.genie.addresses == {URL, "https://new.example.com"}


@pytest.mark.parametrize(("workspace_id", "kept"), [("0", False), ("out", True)])
def test_what_belongs_to_no_workspace_that_is_looked_at_is_not_asked_for(
    world: World, workspace_id: str, kept: bool
) -> None:
    """Earlier versions asked the account for spaces, for ever, and kept what never was."""
    with_errors = look_at_spaces(
        {SpaceKey("before", "s1")},
        {},
        genie=world.genie,
        lake=world.lake,
        run=world.run(),
    )
    assert with_errors.spaces == 1
    for table in (GENIE_SPACE_DETAILS, SPACE_FETCH_ERRORS):
        rows = world.rows(table)
        world.lake.merge(
            table, table.frame({**row, "workspace_id": workspace_id} for row in rows), delete=table.frame(rows)
        )
    world.system_tables.status = "BANNED"
    world.system_tables.chosen_workspaces = {"w1"}
    world.now += 48 * HOUR
    report = back_up(world)
    assert (report, world.genie.addresses) == (SpacesReport(), set())
    assert len(world.rows(GENIE_SPACE_DETAILS)) == kept
    assert [row["resolution"] for row in world.rows(SPACE_FETCH_ERRORS)] == ["LEFT_OUT"]


def test_spaces_of_a_workspace_that_has_been_silent_for_long_are_still_read(world: World) -> None:
    """Only recent messages tell an address; without one the backup of a quiet workspace would stop."""
    world.event("m1")
    world.discover()
    world.genie.spaces["s1"] = space()
    back_up(world)
    world.now += 24 * 60 * HOUR
    world.genie.spaces["s1"] = space("B")
    world.genie.addresses.clear()
    assert back_up(world).changed == 1
    assert world.genie.addresses == {URL}


def resolutions(world: World) -> dict[str, str | None]:
    return {row["message_id"]: row["resolution"] for row in world.rows(MESSAGE_FETCH_ERRORS)}


def due(world: World) -> set[str]:
    return {row["message_id"] for row in world.rows(MESSAGE_FETCH_ERRORS) if ledger.is_due(row, world.now)}


def test_a_space_that_returns_from_the_trash_releases_its_messages(world: World) -> None:
    """They were found gone with it, and were never asked for again."""
    world.ask("m1")
    world.event("elsewhere", "c9", space_id="s2")
    world.message("elsewhere", "c9", space_id="s2")
    world.genie.spaces = {"s1": space(), "s2": space(space_id="s2")}
    world.discover()
    world.fetch()
    back_up(world)
    world.now += HOUR
    kept = dict(world.genie.messages)
    world.event("unseen")
    world.event("m1", action="executeQuery")
    world.event("elsewhere", "c9", action="executeQuery", space_id="s2")
    world.genie.messages.clear()
    world.genie.spaces["s1"] = NOT_FOUND
    world.discover()
    for _ in range(5):
        world.fetch()
        world.now += 48 * HOUR
    back_up(world)
    assert due(world) == {"elsewhere"}, "its space may have been away"
    world.fetch()
    world.fold()
    assert world.row(MESSAGE_DETAILS, "m1")["is_deleted"] is True
    gone = {"m1": "DELETED", "elsewhere": "DELETED", "unseen": "GAVE_UP"}
    assert (resolutions(world), due(world)) == (gone, set())
    world.genie.messages.update(kept)
    world.message("unseen")
    world.genie.spaces["s1"] = space()
    world.now += 48 * HOUR
    back_up(world)
    assert due(world) == {"m1", "unseen"}
    assert world.fetch().tally.answered == 2
    assert resolutions(world) == {"m1": "FETCHED", "elsewhere": "DELETED", "unseen": "FETCHED"}
    world.fold()
    assert {row["message_id"]: row["is_deleted"] for row in world.rows(MESSAGE_DETAILS)} == {
        "m1": False,
        "elsewhere": True,
        "unseen": False,
    }
    back_up(world)
    assert due(world) == set()


@pytest.mark.parametrize("failed_before", [False, True])
def test_what_was_found_gone_between_two_looks_at_its_space_is_asked_for_once_more(
    world: World, failed_before: bool
) -> None:
    """The space had been in the trash in between, which nobody saw: its messages stayed deleted for good."""
    world.lake = LakehouseInMemory({})
    world.ask("back", "gone")
    world.genie.spaces = {"s1": space()}
    world.discover()
    world.fetch()
    kept = dict(world.genie.messages)
    for message_id in kept:
        world.event(message_id, action="executeQuery", at=world.now + HOUR)
    world.now += HOUR
    world.discover()
    if failed_before:
        world.genie.errors = dict.fromkeys(kept, BROKEN)
        world.fetch()
        world.genie.errors = {}
        world.now += HOUR
    back_up(world)
    world.now += HOUR
    world.genie.messages.clear()
    world.fetch()
    assert resolutions(world) == {"back": "DELETED", "gone": "DELETED"}
    world.genie.messages["back"] = kept["back"]
    world.now += 24 * HOUR
    back_up(world)
    world.fetch()
    assert resolutions(world) == {"back": "FETCHED", "gone": "DELETED"}
    for _ in range(2):
        world.now += 24 * HOUR
        back_up(world)
        assert due(world) == set(), "once is enough"


def test_a_space_that_returns_releases_comments_and_steps_but_not_of_what_the_log_calls_deleted(
    world: World,
) -> None:
    """Comments on its messages were listed never again."""
    world.lake = LakehouseInMemory({})
    world.ask("m1", "gone")
    world.delete("gone")
    world.genie.spaces = {"s1": space()}
    world.discover()
    back_up(world)
    ids = {"workspace_id": "w1", "space_id": "s1", "conversation_id": "c1"}
    named: dict[Table, list[dict[str, str]]] = {
        COMMENT_FETCH_ERRORS: [{"message_id": "m1"}, {"message_id": "gone"}],
        AGENT_FETCH_ERRORS: [{}],
    }
    for table, things in named.items():
        failed = [
            ledger.failed({**ids, **each}, NOT_FOUND, previous=None, event_date=MONDAY, now=world.now, jitter=0.5)
            for each in things
        ]
        rows = [ledger.resolved(table.part(row), ledger.DELETED, world.now) for row in failed]
        world.lake.store(table, table.frame(rows))
    for seen in (NOT_FOUND, space()):
        world.now += 24 * HOUR
        world.genie.spaces["s1"] = seen
        back_up(world)
    opened = {table: [row for row in world.rows(table) if ledger.is_open(row)] for table in named}
    assert [row["message_id"] for row in opened[COMMENT_FETCH_ERRORS]] == ["m1"]
    assert [row["conversation_id"] for row in opened[AGENT_FETCH_ERRORS]] == ["c1"]


def test_a_space_that_is_listed_again_is_read_at_once_though_its_404_would_wait(world: World) -> None:
    """So are its messages, which a read of their space releases."""
    world.ask("m1")
    world.discover()
    world.genie.spaces["s1"], world.genie.unlisted = NOT_FOUND, {"s1"}
    assert back_up(world).readable == 0
    assert back_up(world).waiting == 1, "nothing shows it"
    world.genie.spaces["s1"] = space()
    assert back_up(world).waiting == 1
    world.genie.unlisted = set()
    assert back_up(world).readable == 1


def test_the_name_of_a_workspace_that_becomes_known_reaches_all_its_messages(world: World) -> None:
    world.system_tables.name = None
    world.ask("m1")
    world.ask("m2", conversation_id="c2", day=TUESDAY)
    world.load()
    world.load(TUESDAY)
    back_up(world)
    written = [row["ingestion_timestamp"] for row in world.rows(GENIE_MESSAGES_TO_FETCH)]
    world.now += HOUR
    world.system_tables.name = "Prod"
    back_up(world)
    for table in (MESSAGE_DETAILS, GENIE_MESSAGES_TO_FETCH):
        assert [row["workspace_name"] for row in world.rows(table)] == ["Prod", "Prod"]
    assert [row["ingestion_timestamp"] for row in world.rows(GENIE_MESSAGES_TO_FETCH)] == written
    versions = world.versions(MESSAGE_DETAILS, GENIE_MESSAGES_TO_FETCH)
    back_up(world)
    assert world.versions(MESSAGE_DETAILS, GENIE_MESSAGES_TO_FETCH) == versions
