"""`audit_messages` against a real lakehouse."""

from typing import Any, NoReturn

import pytest

from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH as REFERENCES
from genie_assets.domain.tables import GENIE_SPACE_EVENTS, MESSAGE_FETCH_ERRORS, TABLES
from genie_assets.pipeline.errors_by_hand import close
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, MONDAY, NOON, TUESDAY, URL, World


def test_all_tables_exist_after_the_first_day_be_they_empty(world: World) -> None:
    world.discover()
    assert [table.name for table in TABLES if not world.lake.exists(table)] == []


def test_a_day_is_stored_and_finding_it_again_commits_nothing(world: World) -> None:
    world.event("m1")
    world.event("m2", action="getConversationMessage")
    found = world.discover()
    assert (found.messages, found.new, found.deleted, found.workspaces, found.changed) == (2, 1, 0, 1, True)
    version = world.lake.version(REFERENCES)
    world.now += HOUR
    assert world.discover().changed is False
    assert world.lake.version(REFERENCES) == version
    assert [(row["message_id"], row["workspace_url"]) for row in world.rows(REFERENCES)] == [
        ("m1", URL),
        ("m2", URL),
    ]


def test_late_events_replace_the_day_and_leave_others(world: World) -> None:
    world.event("m1")
    world.event("t1", day=TUESDAY)
    world.discover(MONDAY)
    world.discover(TUESDAY)
    world.event("late")
    assert world.discover(MONDAY).changed is True
    assert [row["message_id"] for row in world.rows(REFERENCES, days=[MONDAY])] == ["late", "m1"]
    assert [row["message_id"] for row in world.rows(REFERENCES, days=[TUESDAY])] == ["t1"]


def test_a_failed_read_leaves_the_day_as_it_was(world: World) -> None:
    world.event("m1")
    world.discover()
    before = world.rows(REFERENCES)
    world.system_tables.failure = RuntimeError("warehouse is down")
    world.event("m2")
    with pytest.raises(RuntimeError, match="warehouse"):
        world.discover()
    assert world.rows(REFERENCES) == before


def test_deleting_a_conversation_touches_the_messages_of_earlier_days_only(world: World) -> None:
    """Later days must not matter: loading them first would give another Tuesday than loading them last."""
    world.event("monday")
    world.event("other", "c2")
    world.event("later", day=TUESDAY.replace(day=5))
    for day in (MONDAY, TUESDAY.replace(day=5)):
        world.discover(day)
    world.now = NOON + 24 * HOUR
    world.delete(None, "c1", day=TUESDAY)
    found = world.discover(TUESDAY)
    assert (found.messages, found.deleted) == (1, 1)
    (row,) = world.rows(REFERENCES, days=[TUESDAY])
    assert (row["message_id"], row["actions"], row["is_new"]) == ("monday", ["deleteConversation"], False)
    assert (row["last_change_time"], row["user_email"]) == (world.now, None)
    assert world.discover(TUESDAY).changed is False
    assert world.discover(MONDAY).deleted == 1


def test_a_day_that_the_log_has_forgotten_stays(world: World) -> None:
    """Databricks drops events after a year: loading all days again must not empty the old ones."""
    world.event("m1")
    world.discover()
    world.system_tables.events.clear()
    world.now += 400 * 24 * HOUR
    assert not world.discover().changed
    assert [row["message_id"] for row in world.rows(REFERENCES)] == ["m1"]


@pytest.mark.parametrize("workspace_id", ["0", "w2"])
def test_what_belongs_to_no_workspace_that_is_looked_at_goes_with_its_errors(
    world: World, workspace_id: str
) -> None:
    """They were kept as if the log had forgotten them, and asked for in vain for ever."""
    for message_id, workspace in (("m1", "w1"), ("m2", workspace_id)):
        world.ask(message_id)
        world.genie.errors[message_id] = BROKEN
        world.system_tables.events[-1]["workspace_id"] = workspace
    as_it_was_stored = [
        {"event_date": MONDAY, "workspace_id": workspace_id, "message_id": "m2", "space_id": "s1"},
    ]
    world.lake.replace_day(REFERENCES, MONDAY, REFERENCES.frame(as_it_was_stored))
    error = {"workspace_id": workspace_id, "message_id": "m2", "event_date": MONDAY, "resolved": False}
    due = {"error_class": "CONFIG", "error_timestamp": world.now, "next_retry_timestamp": world.now}
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame([error | due]))
    world.system_tables.chosen_workspaces = {"w1"} if workspace_id == "w2" else set()
    world.load()
    assert [row["message_id"] for row in world.rows(REFERENCES)] == ["m1"]
    assert world.genie.asked == ["m1"]
    closed = world.row(MESSAGE_FETCH_ERRORS, "m2")
    assert (closed["resolved"], closed["resolution"]) == (True, "LEFT_OUT")
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolved"] is False
    versions = world.versions(REFERENCES, MESSAGE_FETCH_ERRORS)
    world.discover()
    assert world.versions(REFERENCES, MESSAGE_FETCH_ERRORS) == versions


def test_errors_of_a_workspace_that_is_looked_at_again_are_tried_again_and_those_closed_by_hand_are_not(
    world: World,
) -> None:
    """They counted as closed by hand: what had failed before it was left out was never asked for again."""
    world.system_tables.others = [
        {"workspace_id": "w2", "workspace_name": "Two", "workspace_url": URL, "status": "RUNNING"}
    ]
    for message_id, workspace_id in (("m1", "w1"), ("m2", "w2"), ("by hand", "w2")):
        world.ask(message_id, conversation_id=message_id)
        world.system_tables.events[-1]["workspace_id"] = workspace_id
        world.genie.errors[message_id] = FORBIDDEN
    world.load()
    close(world.lake, [world.row(MESSAGE_FETCH_ERRORS, "by hand")], world.now)
    world.genie.errors.clear()
    world.system_tables.chosen_workspaces = {"w1"}
    world.now += 48 * HOUR
    world.load()
    world.genie.requests.clear()
    world.now += 48 * HOUR
    world.load()
    assert world.genie.asked == []
    assert world.state().accounting().lost == 0
    world.system_tables.chosen_workspaces = set()
    world.discover(TUESDAY)  # of whichever day
    again = world.row(MESSAGE_FETCH_ERRORS, "m2")
    assert (again["resolved"], again["next_retry_timestamp"], again["event_date"]) == (False, world.now, MONDAY)
    world.load()
    assert world.genie.asked == ["m2"]
    assert {each: world.row(MESSAGE_FETCH_ERRORS, each)["resolution"] for each in ("m1", "m2", "by hand")} == {
        "m1": "FETCHED",
        "m2": "FETCHED",
        "by hand": "CLOSED",
    }


def _refuse(event_date: object) -> NoReturn:
    raise AssertionError(f"the events of {event_date} were read")


def test_events_are_read_again_only_if_something_changed_and_the_numbers_are_told_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.event("m1")
    world.delete("m2")
    first = world.discover()
    monkeypatch.setattr(world.system_tables, "message_events", _refuse)
    again = world.discover()
    assert (again.messages, again.new, again.deleted, again.workspaces) == (
        (first.messages, first.new, first.deleted, first.workspaces)
    )
    assert (again.changed, again.unnamed) == (False, None)
    world.event("m3")
    with pytest.raises(AssertionError, match="were read"):
        world.discover()


@pytest.mark.parametrize("what", ["a name", "a choice", "a later deletion"])
def test_what_else_a_day_goes_by_is_noticed_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    world.event("m1")
    world.discover()
    if what == "a name":
        world.system_tables.name = "Production"
    elif what == "a choice":
        world.system_tables.chosen_workspaces = {"w1"}
    else:
        world.delete(None, "c1", day=TUESDAY)
    monkeypatch.setattr(world.system_tables, "message_events", _refuse)
    with pytest.raises(AssertionError, match="were read"):
        world.discover()


def test_a_day_that_another_run_stored_as_it_was_before_is_read_again(world: World) -> None:
    """It read the log first, was paused, and stored what it had read when the other one had noted its load."""
    world.event("m1")
    world.discover()
    stale = world.rows(REFERENCES)
    world.now += HOUR
    world.event("m2")
    world.discover()
    world.lake.replace_day(REFERENCES, MONDAY, REFERENCES.frame(stale))
    assert world.discover().changed
    assert [row["message_id"] for row in world.rows(REFERENCES)] == ["m1", "m2"]


def test_a_reload_does_not_move_when_a_message_was_first_seen(world: World) -> None:
    world.event("m1")
    world.discover()
    world.now += HOUR
    world.event("m1", action="updateConversationMessageFeedback")
    world.event("m2")
    world.discover()
    times = {
        row["message_id"]: (row["first_seen_timestamp"], row["ingestion_timestamp"])
        for row in world.rows(REFERENCES)
    }
    assert times == {"m1": (NOON, NOON + HOUR), "m2": (NOON + HOUR, NOON + HOUR)}
    world.now += HOUR
    world.event("m3")
    world.discover()
    assert world.row(REFERENCES, "m1")["ingestion_timestamp"] == NOON + HOUR, "it is as it was"


def test_changes_of_spaces_are_kept_once_and_stay_when_the_log_forgets_them(world: World) -> None:
    world.event("m1")
    changed: dict[str, Any] = {"action": "updateSpace", "actor": "bob@example.com"}
    world.event(None, None, space_event_id="e1", **changed)
    assert world.discover().changed_spaces == (("w1", "s1"),)
    (row,) = world.rows(GENIE_SPACE_EVENTS)
    assert (row["space_id"], row["event"], row["actor"], row["event_time"]) == (
        "s1",
        "UPDATED",
        changed["actor"],
        NOON,
    )
    world.now += HOUR
    world.event(None, None, space_event_id="e2", **changed)
    assert world.discover().changed_spaces == (("w1", "s1"),)
    world.system_tables.events = [each for each in world.system_tables.events if each["message_id"]]
    world.event("m2")
    assert world.discover().changed_spaces == ()
    assert [each["event_id"] for each in world.rows(GENIE_SPACE_EVENTS)] == ["e1", "e2"]
    version = world.lake.version(GENIE_SPACE_EVENTS)
    world.event("m3")
    world.event(None, None, space_event_id="e1", **changed)
    world.discover()
    assert world.lake.version(GENIE_SPACE_EVENTS) == version
