"""`genie_space_details` against a real lakehouse."""

import json
from typing import Any

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import GENIE_SPACE_DETAILS, GENIE_SPACE_VERSIONS
from genie_assets.pipeline.spaces import SpacesReport, back_up_spaces
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, NOON, NOT_FOUND, URL, World


def space(config: str = "A", space_id: str = "s1", **fields: Any) -> dict[str, Any]:
    body = {"space_id": space_id, "title": f"Space {space_id}", "serialized_space": json.dumps({"config": config})}
    return body | fields


def back_up(world: World) -> SpacesReport:
    return back_up_spaces(
        system_tables=world.system_tables,  # type: ignore[arg-type]
        genie=world.genie,  # type: ignore[arg-type]
        lake=world.lake,
        run_id="r1",
        clock=world.clock,
    )


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
    assert report.requests == 4  # one list and one look at each
    assert {key: row["title"] for key, row in details(world).items()} == {
        "s1": "Space s1",
        "quiet": "Space quiet",
        "hidden": "Space hidden",
    }


def test_looking_again_writes_nothing(world: World) -> None:
    world.event("m1")
    world.discover()
    world.genie.spaces = {"s1": space(), "closed": FORBIDDEN}
    back_up(world)
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
        assert (report.readable, dict(report.errors_by_class)) == (0, {str(error.error_class): 1})
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
    assert (report.readable, report.exported, report.requests) == (1, 0, 3)
    row = details(world)["s1"]
    assert (row["title"], row["serialized_space"], row["api_fetch_status"]) == ("Space s1", None, "PERMISSION")
    assert not world.rows(GENIE_SPACE_VERSIONS)


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


def test_without_any_message_there_is_nothing_to_look_at(world: World) -> None:
    assert back_up(world) == SpacesReport()


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
