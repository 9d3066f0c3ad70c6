"""What the checks of a day read at once is what each part says alone, and is read once per run."""

from genie_assets.domain import ledger
from genie_assets.domain.tables import MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets.pipeline.day_inspection import inspect_day, inspected
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
