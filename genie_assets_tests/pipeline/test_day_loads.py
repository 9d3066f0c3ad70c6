"""Days that were never loaded, or of which rows came after their load: found by comparing the log with itself."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.day_loads import fingerprints
from genie_assets.domain.tables import GENIE_DAY_LOADS
from genie_assets.pipeline.day_loads import late_days
from genie_assets_tests.pipeline.world import HOUR, MONDAY, TUESDAY, WEDNESDAY, World

DAYS = [MONDAY, TUESDAY, WEDNESDAY]


def late(world: World) -> list[dt.date]:
    return sorted(late_days(DAYS, world.system_tables, world.lake))


def test_a_day_is_late_until_it_is_loaded_and_again_when_the_log_has_more_of_it(world: World) -> None:
    """A vote changes no count of messages, and a row may come weeks later."""
    world.ask("m1", day=MONDAY)
    world.ask("m2", day=TUESDAY)
    assert late(world) == [MONDAY, TUESDAY], "a day without events has nothing to load"
    world.load(TUESDAY)
    assert late(world) == [MONDAY]
    world.load(MONDAY)
    assert late(world) == []
    world.event("m1", day=MONDAY, action="updateConversationMessageFeedback", at=world.now - HOUR)
    assert late(world) == [MONDAY]
    world.load(MONDAY)
    assert late(world) == []
    world.system_tables.events[-1]["action_name"] = "genieSendMessageFeedback"
    assert late(world) == [MONDAY], "as many events, at the same times: only the hash tells"
    world.load(MONDAY)
    world.delete(None, "c1", day=TUESDAY)
    assert late(world) == [TUESDAY], "a deleted conversation names no message"


def test_a_load_that_finds_the_log_as_it_was_writes_nothing(world: World) -> None:
    world.ask("m1")
    world.load()
    before = world.versions(GENIE_DAY_LOADS)
    world.now += HOUR
    world.load()
    assert world.versions(GENIE_DAY_LOADS) == before
    assert late(world) == []


def test_rows_that_come_while_a_day_is_being_read_are_late(world: World) -> None:
    world.ask("m1")
    read = world.system_tables.message_events

    def slowly(event_date: dt.date):
        events = read(event_date)
        world.event("m2", "c2")
        return events

    world.system_tables.message_events = slowly  # type: ignore[method-assign]
    world.discover()
    assert late(world) == [MONDAY]


def test_what_the_log_has_forgotten_is_no_reason_to_load_a_day(world: World) -> None:
    world.ask("m1")
    world.load()
    world.system_tables.events.clear()
    assert late(world) == []
    world.load()
    assert late(world) == []


_rows = st.lists(
    st.tuples(st.sampled_from(DAYS), st.sampled_from(["1", "2"]), st.integers(1, 9), st.integers(0, 2**62)),
    unique_by=lambda row: row[:2],
)


@given(_rows, st.randoms())
def test_the_order_of_workspaces_makes_no_difference(rows, rng) -> None:
    names = ("event_date", "workspace_id", "event_count", "events_sum")
    days = [dict(zip(names, row, strict=True)) for row in rows]
    days = [{**day, "message_count": 1, "newest_event_time": day["event_count"]} for day in days]
    shuffled = list(days)
    rng.shuffle(shuffled)
    assert fingerprints(days) == fingerprints(shuffled)
