"""A workspace that does not run loses nothing: its messages wait, its spaces keep what was known of them."""

import json

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import GENIE_SPACE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets.pipeline.genie_space_details import SpacesReport
from genie_assets_tests.pipeline.world import HOUR, URL, World

BANNED = FetchError(ErrorClass.NOT_RUNNING, "Workspace w1 is BANNED.")


def back_up(world: World) -> SpacesReport:
    return world.back_up()


def test_discovery_keeps_its_messages_and_names_it(world: World) -> None:
    world.event("m1")
    world.system_tables.status = "BANNED"
    found = world.discover()
    assert (found.messages, found.not_running) == (1, ("Prod (BANNED)",))
    world.system_tables.status = None
    assert world.discover().not_running == ()
    world.system_tables.status = "BANNED"
    world.system_tables.events.clear()
    assert world.discover(world.now.date().replace(day=20)).not_running == ()


def test_its_messages_are_open_errors_that_wait_and_come_when_it_runs(world: World) -> None:
    world.ask("m1", "m2")
    world.system_tables.status = "BANNED"
    world.genie.errors = {"m1": BANNED, "m2": BANNED}
    report = world.load()
    assert not report.nothing_worked
    rows = world.rows(MESSAGE_FETCH_ERRORS)
    assert [(row["error_class"], row["resolved"]) for row in rows] == [("NOT_RUNNING", False)] * 2
    # However long it takes, the next look stays due, at most a day and a bit apart.
    for _ in range(5):
        world.now = max(row["next_retry_timestamp"] for row in world.rows(MESSAGE_FETCH_ERRORS))
        before = world.now
        world.fetch()
        rows = world.rows(MESSAGE_FETCH_ERRORS)
        assert all(row["next_retry_timestamp"] - before <= 29 * HOUR for row in rows)
    # For weeks later the log shows nothing of that day any more: what is known has to do.
    world.system_tables.events.clear()
    world.genie.errors.clear()
    world.now = max(row["next_retry_timestamp"] for row in rows)
    assert world.fetch().tally.answered == 2
    assert {row["resolution"] for row in world.rows(MESSAGE_FETCH_ERRORS)} == {"FETCHED"}
    assert {request.workspace_url for request in world.genie.requests} == {URL}


def test_its_spaces_are_counted_and_keep_their_configuration(world: World) -> None:
    world.event("m1")
    world.discover()
    config = json.dumps({"config": "A"})
    world.genie.spaces["s1"] = {"space_id": "s1", "title": "Space", "serialized_space": config}
    assert back_up(world).requests == 3  # the list, the space, who may do what with it
    world.now += 24 * HOUR
    world.genie.spaces["s1"] = world.genie.list_error = BANNED
    report = back_up(world)
    assert (report.not_running_workspaces, report.unlisted_workspaces, report.requests) == (1, 0, 0)
    assert report.numbers()["workspaces_not_running"] == 1
    (row,) = world.rows(GENIE_SPACE_DETAILS)
    assert (row["api_fetch_status"], row["title"], row["is_trashed"]) == ("NOT_RUNNING", "Space", False)
    assert json.loads(row["serialized_space"]) == {"config": "A"}
