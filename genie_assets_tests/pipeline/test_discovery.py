"""`audit_messages` against a real lakehouse."""

import pytest

from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH as REFERENCES
from genie_assets.domain.tables import TABLES
from genie_assets_tests.pipeline.world import HOUR, MONDAY, NOON, TUESDAY, URL, World


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
