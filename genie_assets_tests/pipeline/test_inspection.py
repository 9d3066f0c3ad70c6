"""What the checks and the sensor read, from a real lakehouse."""

import datetime as dt
from typing import Any

from genie_assets.domain.tables import MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets.pipeline.inspection import enrichment_states, open_errors
from genie_assets.pipeline.waiting import due_days, left_behind, lost
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, MONDAY, NOON, TUESDAY, World


def test_the_account_tells_where_each_message_is(world: World) -> None:
    world.ask("stored")
    world.ask("stored and deleted", conversation_id="c2")
    world.delete("stored and deleted", "c2", day=TUESDAY)
    world.event("failing", "c3")
    world.genie.errors["failing"] = BROKEN
    world.event("deleted", "c4")
    world.delete("deleted", "c4")
    world.load()
    state = world.state()
    accounting = state.accounting()
    # The second one is deleted too: known to be so before it could be asked for.
    assert (accounting.discovered, accounting.stored, accounting.open_errors, accounting.deleted) == (4, 1, 1, 2)
    assert accounting.lost == 0
    assert open_errors(world.lake).by_class == {"SERVER": 1}
    assert state.rates() == {"w1": (1, 2)}


def test_a_message_that_went_missing_is_noticed(world: World) -> None:
    world.ask("m1", "m2")
    world.load()
    row = world.row(MESSAGE_DETAILS, "m1")
    frame = MESSAGE_DETAILS.frame([row])
    world.lake.merge(MESSAGE_DETAILS, MESSAGE_DETAILS.frame([]), delete=frame)
    assert world.state().accounting().lost == 1, "it was read: it is not waiting for that"
    world.now += 25 * HOUR
    assert left_behind(world.lake, [MONDAY, TUESDAY]) == {MONDAY: NOON}
    assert lost(world.lake, world.now, [MONDAY]) == {MONDAY: 1}
    assert lost(world.lake, world.now, [TUESDAY]) == lost(world.lake, NOON + HOUR, [MONDAY]) == {}


def test_a_stored_message_with_an_open_error_is_stored_but_not_readable(world: World) -> None:
    world.ask("m1", "m2")
    world.load()
    world.now += HOUR
    world.event("m1", action="executeQuery")
    world.genie.errors["m1"] = FORBIDDEN
    world.load()
    assert world.state().rates() == {"w1": (1, 2)}
    assert world.state().accounting().stored == 2


def test_enrichment_is_counted_per_day(world: World) -> None:
    attachments = [{"query": {"query": "SELECT 1", "statement_id": "st-1"}}]
    world.ask("m1", "m2", attachments=attachments)
    world.ask("m3", conversation_id="c2")
    world.load()
    assert enrichment_states(MONDAY, world.lake) == {"PENDING": 2, "NOT_APPLICABLE": 1}
    assert enrichment_states(TUESDAY, world.lake) == {}


def error(message_id: str, day: dt.date = MONDAY, due: dt.datetime | None = NOON, **cells: Any) -> dict[str, Any]:
    row = {
        "workspace_id": "w1",
        "message_id": message_id,
        "error_class": "SERVER",
        "event_date": day,
        "next_retry_timestamp": due,
        "resolved": False,
    }
    return row | cells


def test_open_errors_are_those_not_resolved(world: World) -> None:
    rows = [error("open"), error("other", error_class="TIMEOUT"), error("done", resolved=True)]
    rows += [error("parked", due=None), error("parked too", due=None)]
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows))
    found = open_errors(world.lake, sample=9)
    assert (found.by_class, found.total, found.parked) == ({"SERVER": 3, "TIMEOUT": 1}, 4, 2)
    assert {each.message_id for each in found.sample[:2]} == {"parked", "parked too"}
    assert {each.message_id for each in found.sample[2:]} == {"open", "other"}


def test_parked_errors_are_shown_before_others(world: World) -> None:
    """They are the ones that wait for somebody."""
    rows = [error(f"open {n}") for n in range(5)] + [error("parked", TUESDAY, due=None)]
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows))
    found = open_errors(world.lake, sample=3)
    assert (len(found.sample), found.sample[0].message_id, found.total) == (3, "parked", 6)


def test_days_are_due_when_one_of_their_open_errors_is(world: World) -> None:
    assert due_days(world.lake, NOON) == {}
    rows = [
        error("a"),
        error("b"),
        error("c", TUESDAY, NOON + HOUR),
        error("d", TUESDAY, None),
        error("e", TUESDAY, NOON, resolved=True),
    ]
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows))
    assert due_days(world.lake, NOON - HOUR) == {}
    assert due_days(world.lake, NOON) == {MONDAY: 2}
    assert due_days(world.lake, NOON + HOUR) == {MONDAY: 2, TUESDAY: 1}
