"""Every attempt at a message that fails is kept, and how it ended; what went well at once leaves nothing."""

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import MESSAGE_FETCH_ATTEMPTS, MESSAGE_FETCH_ERRORS
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, MONDAY, World


def attempts(world: World, message_id: str) -> list[tuple[object, ...]]:
    rows = [row for row in world.rows(MESSAGE_FETCH_ATTEMPTS) if row["message_id"] == message_id]
    return [
        (row["outcome"], row["http_status"], row["retry_count"])
        for row in sorted(rows, key=lambda row: row["attempt_timestamp"])
    ]


def test_each_attempt_is_there_until_the_one_that_ended_the_error(world: World) -> None:
    world.ask("m1", "m2", "m3")
    world.genie.errors |= {"m2": BROKEN, "m3": FORBIDDEN}
    world.load()
    (first,) = (row for row in world.rows(MESSAGE_FETCH_ERRORS) if row["message_id"] == "m2")
    world.load()
    assert len(world.rows(MESSAGE_FETCH_ATTEMPTS)) == 2, "an error that is not due is not tried"
    world.now += HOUR
    world.load()
    world.now += 2 * HOUR
    world.genie.errors.clear()
    world.load()
    world.load()
    assert attempts(world, "m1") == []
    assert attempts(world, "m2") == [
        ("SERVER", BROKEN.http_status, 0),
        ("SERVER", BROKEN.http_status, 1),
        ("FETCHED", None, 1),
    ]
    assert next(outcome for outcome, *_ in attempts(world, "m3")) == "PERMISSION"
    row = min(world.rows(MESSAGE_FETCH_ATTEMPTS), key=lambda row: (row["message_id"], row["attempt_timestamp"]))
    assert (row["event_date"], row["run_id"], row["next_retry_timestamp"]) == (
        MONDAY,
        "run1",
        first["next_retry_timestamp"],
    )


def test_what_was_put_off_or_cannot_be_asked_for_is_no_attempt(world: World) -> None:
    world.event("m1", None)
    world.ask("m2", conversation_id="c2")
    world.genie.errors["m2"] = FetchError(ErrorClass.NETWORK, "Put off.", was_asked=False)
    world.load()
    assert {row["error_class"] for row in world.rows(MESSAGE_FETCH_ERRORS)} == {"BAD_REFERENCE", "NETWORK"}
    assert world.rows(MESSAGE_FETCH_ATTEMPTS) == []
