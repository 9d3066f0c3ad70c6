"""What the checks of a day read at once is what each part says alone, and is read once per run."""

from genie_assets.domain import ledger
from genie_assets.domain.tables import MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets.pipeline.day_inspection import COUNTED, AnswersOfDay, inspect_day, inspected
from genie_assets.pipeline.inspection import enrichment_states, outdated_errors
from genie_assets.pipeline.twins import duplicate_keys
from genie_assets_tests.pipeline.world import BROKEN, HOUR, MONDAY, TUESDAY, World


def test_the_inspection_of_a_day_is_what_its_parts_say(world: World) -> None:
    world.ask("m1", "m2", "m3")
    world.genie.errors["m3"] = BROKEN
    world.load()
    twin = world.row(MESSAGE_DETAILS, "m1") | {"created_date": TUESDAY}
    world.lake.append(MESSAGE_DETAILS, MESSAGE_DETAILS.frame([twin]))
    (error,) = [row for row in world.rows(MESSAGE_FETCH_ERRORS) if ledger.is_open(row)]
    died = [error | {"message_id": "m2"}, error | {"message_id": "m1", "error_timestamp": world.now + HOUR}]
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(died))
    found = inspect_day(MONDAY, world.lake, world.now)
    assert found.state == world.state()
    assert found.state.accounting().stored == 2
    assert found.outdated == len(outdated_errors(MONDAY, world.lake)) == 1
    assert found.duplicates == duplicate_keys(MONDAY, world.lake)
    assert found.duplicates["message_details"] == 1
    assert found.enrichment == enrichment_states(MONDAY, world.lake)
    for table in COUNTED:
        day = table.partitioned_by
        rows = [row for row in world.rows(table) if day is None or row[day] == MONDAY]
        assert found.rows[table.name] == len(rows), table.name
    assert found.rows["message_fetch_errors"] == 3


def answers_of(world: World) -> AnswersOfDay:
    found = inspect_day(MONDAY, world.lake, world.now, with_answers=True).answers
    assert found is not None
    return found


def test_response_times_and_spaces_of_a_day_are_those_of_its_answers(world: World) -> None:
    """What was deleted, failed or is withheld has no response time, and a deleted message did not fail."""
    world.ask("m1", "m2", "m3", "m4")
    world.load()
    rows = [world.row(MESSAGE_DETAILS, f"m{number}") for number in (1, 2, 3, 4)]
    shown = {"status": "COMPLETED", "attachments_count": 1}
    rows[0] |= {**shown, "response_time_ms": 1_000}
    rows[1] |= {**shown, "response_time_ms": 9_000}
    rows[2] |= {**shown, "response_time_ms": 99_000, "attachments_count": None}
    rows[3] |= {**shown, "response_time_ms": 99_000, "status": "FAILED"}
    world.lake.merge(MESSAGE_DETAILS, MESSAGE_DETAILS.frame(rows))
    found = answers_of(world)
    assert found.response_times == {1_000: 1, 9_000: 1}
    assert (found.response_ms(50), found.response_ms(95)) == (1_000, 9_000)
    (space,) = found.spaces
    assert (space.messages, space.failed) == (4, 1)
    world.lake.merge(MESSAGE_DETAILS, MESSAGE_DETAILS.frame([row | {"is_deleted": True} for row in rows]))
    found = answers_of(world)
    assert (found.response_times, found.response_ms(95), found.spaces[0].failed) == ({}, None, 0)


def test_checks_of_a_run_share_one_look_until_something_is_written(world: World) -> None:
    world.ask("m1")
    world.load()
    first = inspected(MONDAY, world.lake, world.now, run_id="1")
    assert inspected(MONDAY, world.lake, world.now + HOUR, run_id="1") is first
    assert inspected(MONDAY, world.lake, world.now, run_id="2") is not first
    again = inspected(MONDAY, world.lake, world.now, run_id="1")
    world.ask("m2")
    world.load()
    assert inspected(MONDAY, world.lake, world.now, run_id="1") != again
