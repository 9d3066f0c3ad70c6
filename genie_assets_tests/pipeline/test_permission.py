"""Waiting for permission, and errors closed by hand."""

import datetime as dt

from genie_assets.domain.tables import MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets.domain.worklist import Verdict
from genie_assets.pipeline.errors_by_hand import close, open_rows, requeue
from genie_assets.pipeline.waiting import due_days
from genie_assets_tests.pipeline.world import FORBIDDEN, HOUR, MONDAY, TUESDAY, WEDNESDAY, World


def _forbid(world: World, *message_ids: str, space_id: str = "s1") -> None:
    world.genie.errors.update(dict.fromkeys(message_ids, FORBIDDEN))
    world.genie.forbidden.add(space_id)


def _grant(world: World) -> None:
    world.genie.errors.clear()
    world.genie.forbidden.clear()


def test_one_probe_finds_out_that_a_space_is_still_forbidden(world: World) -> None:
    """Ten forbidden conversations must not cost ten requests each time they are due."""
    names = [f"m{n}" for n in range(10)]
    for n, name in enumerate(names):
        world.ask(name, conversation_id=f"c{n}")
    _forbid(world, *names)
    world.load()
    asked = len(world.genie.requests)
    world.now += 2 * HOUR
    report = world.fetch()
    # The probe, and one message all the same: reading may be granted where listing is not.
    assert (report.verdicts[Verdict.RETRY], report.requests, report.tally.failed) == (10, 2, 10)
    assert (world.genie.probes, len(world.genie.requests)) == (["s1"], asked + 1)
    assert {row["retry_count"] for row in world.rows(MESSAGE_FETCH_ERRORS)} == {1}


def test_a_grant_is_found_out_and_releases_what_waits_on_other_days(world: World) -> None:
    world.ask("m1", conversation_id="c1")
    world.ask("m2", conversation_id="c2", day=TUESDAY)
    _forbid(world, "m1", "m2")
    world.load()
    world.now += dt.timedelta(minutes=50)
    world.load(TUESDAY)
    world.now += dt.timedelta(minutes=30)
    assert due_days(world.lake, world.now) == {MONDAY: 1}
    _grant(world)
    assert world.load().released == 1
    assert due_days(world.lake, world.now) == {TUESDAY: 1}
    world.load(TUESDAY)
    assert {row["resolution"] for row in world.rows(MESSAGE_FETCH_ERRORS)} == {"FETCHED"}
    assert len(world.rows(MESSAGE_DETAILS)) == 2


def test_a_grant_brings_the_title_of_the_space_with_the_same_run(world: World) -> None:
    """The space was looked at while it was forbidden, and would have been looked at again a day later."""
    world.ask("m1")
    _forbid(world, "m1")
    world.genie.spaces["s1"] = FORBIDDEN
    world.load()
    for _ in range(6):
        world.back_up()
        world.now += 30 * HOUR
    world.back_up()
    world.now += HOUR
    _grant(world)
    world.genie.spaces["s1"] = {"space_id": "s1", "title": "Sales", "serialized_space": "{}"}
    world.load()
    assert world.row(MESSAGE_DETAILS, "m1")["space_name"] == "Sales"


def test_a_private_conversation_is_not_released_again_and_again(world: World) -> None:
    """It stays forbidden when its space is granted: then it waits by its own backoff."""
    world.ask("m1", conversation_id="c1")
    world.ask("private", conversation_id="c2", day=TUESDAY)
    _forbid(world, "m1", "private")
    world.load()
    world.load(TUESDAY)
    world.now += 2 * HOUR
    _grant(world)
    _forbid(world, "private")
    world.genie.forbidden.clear()
    world.load()
    world.load(TUESDAY)
    waits_until = world.row(MESSAGE_FETCH_ERRORS, "private")["next_retry_timestamp"]
    assert waits_until > world.now + HOUR
    world.ask("m3", conversation_id="c3", day=WEDNESDAY)
    world.load(WEDNESDAY)
    assert world.row(MESSAGE_FETCH_ERRORS, "private")["next_retry_timestamp"] == waits_until


def test_a_closed_error_is_not_asked_for_again_unless_the_message_changes(world: World) -> None:
    world.ask("m1")
    _forbid(world, "m1")
    world.load()
    assert len(close(world.lake, open_rows(world.lake, message_ids=["m1"]), world.now)) == 1
    world.now += 48 * HOUR
    assert world.load().verdicts == {Verdict.CLOSED: 1}
    accounting = world.state().accounting()
    assert (accounting.closed, accounting.lost) == (1, 0)
    _grant(world)
    world.event("m1", action="regenerateConversationMessage", day=TUESDAY)
    assert world.load(TUESDAY).tally.stored == 1


def test_a_requeued_error_is_due_now_with_all_its_attempts(world: World) -> None:
    world.event("gone")
    world.load()
    for _ in range(5):
        world.now += 48 * HOUR
        world.load()
    error = world.row(MESSAGE_FETCH_ERRORS, "gone")
    assert (error["resolution"], error["resolved"], error["next_retry_timestamp"]) == ("GAVE_UP", False, None)
    assert world.fetch().wanted == 0
    assert len(requeue(world.lake, open_rows(world.lake, error_class="NOT_FOUND"), world.now)) == 1
    world.message("gone")
    assert world.load().tally.stored == 1
    assert world.row(MESSAGE_FETCH_ERRORS, "gone")["resolution"] == "FETCHED"
