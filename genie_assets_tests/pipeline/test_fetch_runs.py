"""What runs leave of themselves: a row per run that asked for something, and when things were first seen."""

import datetime as dt
import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.fetch_runs import Asked, rows_of_run
from genie_assets.domain.tables import (
    GENIE_DAY_LOADS,
    GENIE_FETCH_RUNS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
)
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, MONDAY, NOON, World

DAY = dt.timedelta(days=1)
NUMBERS = (
    *("discovered", "stored", "open_errors", "closed", "deleted", "pending"),
    *("wanted", "failed", "requests", "answered_429"),
)


def noted(world: World) -> list[dict[str, object]]:
    rows = sorted(world.rows(GENIE_FETCH_RUNS), key=lambda row: row["started_timestamp"])
    return [{name: row[name] for name in NUMBERS} for row in rows]


def ask_with_sql(world: World, message_id: str = "m1", statement_id: str = "st-1") -> None:
    query = {"query": {"query": "SELECT 1", "statement_id": statement_id}}
    world.ask(message_id, attachments=[query])


def test_a_run_that_asked_leaves_one_row_and_a_quiet_one_none(world: World) -> None:
    world.ask("m1", "m2", "m3")
    world.event("gone", "c2")
    world.delete("gone", "c2")
    world.genie.errors["m2"] = BROKEN
    world.load()
    (row,) = world.rows(GENIE_FETCH_RUNS)
    assert noted(world) == [
        dict(zip(NUMBERS, (4, 2, 1, 0, 1, 0, 3, 1, len(world.genie.requests), 0), strict=True))
    ]
    assert (row["event_date"], row["workspace_id"], row["run_id"]) == (MONDAY, "w1", "run1")
    assert json.loads(row["failures"]) == {"SERVER": 1}
    world.load()
    assert len(noted(world)) == 1, "the error is not due yet, so nothing is asked"
    world.now += HOUR
    del world.genie.errors["m2"]
    world.load()
    assert noted(world)[1] == dict(zip(NUMBERS, (4, 3, 0, 0, 1, 0, 1, 0, 1, 0), strict=True))


def test_a_run_that_had_no_time_says_what_is_left(world: World) -> None:
    world.ask("m1", conversation_id="c1")
    world.ask("m2", conversation_id="c2")
    world.genie.requests_allowed = 1
    world.load()
    assert noted(world) == [dict(zip(NUMBERS, (2, 1, 0, 0, 0, 1, 2, 0, 1, 0), strict=True))]


def test_probes_are_requests_too(world: World) -> None:
    for number in range(4):
        world.ask(f"m{number}", conversation_id=f"c{number}")
    world.genie.errors = dict.fromkeys(world.genie.messages, FORBIDDEN)
    world.genie.forbidden.add("s1")
    world.load()
    world.now += 2 * DAY
    report = world.load()
    assert world.genie.probes == ["s1"]
    assert noted(world)[-1]["requests"] == report.requests


def test_a_row_that_is_written_twice_is_there_once_however_it_is_counted(world: World) -> None:
    """Two runs at once, or one that is tried again, are two rows: each says what it did itself."""
    world.ask("m1")
    world.load()
    (row,) = world.rows(GENIE_FETCH_RUNS)
    assert {name for name in GENIE_FETCH_RUNS.key if row[name] is not None} == set(GENIE_FETCH_RUNS.key)
    world.now += HOUR
    world.event("m1", at=world.now)
    world.load()
    assert len({GENIE_FETCH_RUNS.key_of(row) for row in world.rows(GENIE_FETCH_RUNS)}) == 2


def test_a_reload_moves_no_time_at_which_something_was_first_seen(world: World) -> None:
    ask_with_sql(world)
    world.load()
    (row,) = world.rows(MESSAGE_DETAILS)
    assert row["query_first_seen_timestamp"] is None, "history did not have it"
    world.now += HOUR
    world.statement("st-1")
    world.load()
    seen = world.now
    for later in (HOUR, 40 * DAY):
        world.now = seen + later
        # What changes the rows, so that they are written anew.
        world.system_tables.history[0] |= {"read_rows": later.days, "update_time": world.now}
        world.event("m1", action="updateConversationMessageFeedback", at=world.now)
        world.message(
            "m1",
            feedback={"rating": "POSITIVE", "comment": str(later)},
            attachments=[{"query": {"query": "SELECT 1", "statement_id": "st-1"}}],
        )
        world.load()
        for table in (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS):
            (row,) = world.rows(table)
            assert row["query_first_seen_timestamp"] == seen, table.name
            assert row["query_read_rows"] == later.days
    (reference,) = world.rows(GENIE_MESSAGES_TO_FETCH)
    assert reference["first_seen_timestamp"] == NOON
    (load,) = world.rows(GENIE_DAY_LOADS)
    assert (load["first_load_timestamp"], load["last_load_timestamp"]) == (NOON, seen + 40 * DAY)


def test_what_an_older_version_found_was_first_seen_nobody_knows_when(world: World) -> None:
    ask_with_sql(world)
    world.statement("st-1")
    world.load()
    for table in (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS):
        rows = [row | {"query_first_seen_timestamp": None, "query_read_rows": 1} for row in world.rows(table)]
        world.lake.merge(table, table.frame(rows))
    (load,) = world.rows(GENIE_DAY_LOADS)
    world.lake.merge(GENIE_DAY_LOADS, GENIE_DAY_LOADS.frame([load | {"first_load_timestamp": None}]))
    world.now += HOUR
    world.event("m1", action="updateConversationMessageFeedback", at=world.now)
    world.message("m1", content="Other?", attachments=[{"query": {"query": "SELECT 1", "statement_id": "st-1"}}])
    world.load()
    assert {row["query_first_seen_timestamp"] for row in world.rows(MESSAGE_DETAILS)} == {None}
    assert {row["first_load_timestamp"] for row in world.rows(GENIE_DAY_LOADS)} == {None}


def test_a_day_is_noted_as_loaded_once_a_day_though_nothing_changes(world: World) -> None:
    world.ask("m1")
    world.load()
    for later, expected in ((HOUR, NOON), (DAY, NOON + DAY), (DAY + HOUR, NOON + DAY)):
        world.now = NOON + later
        world.load()
        (load,) = world.rows(GENIE_DAY_LOADS)
        assert (load["first_load_timestamp"], load["last_load_timestamp"]) == (NOON, expected)


_places = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["stored", "open_errors", "closed", "deleted", "pending"]),
        st.integers(0, 9),
    )
)


@given(
    _places,
    st.sets(st.sampled_from(["1", "2"])),
    st.dictionaries(
        st.tuples(st.sampled_from(["1", "2"]), st.sampled_from(["SERVER", "TIMEOUT"])), st.integers(1, 9)
    ),
)
def test_every_message_of_a_workspace_that_was_asked_is_counted_once(
    places: list[tuple[str, str, int]], asked: set[str], failures: dict[tuple[str, str], int]
) -> None:
    rows = rows_of_run({}, Asked(requests=Counter(asked), failures=Counter(failures)), places)
    assert {row["workspace_id"] for row in rows} == asked | {workspace_id for workspace_id, _ in failures}
    for row in rows:
        of_it = [count for workspace_id, _, count in places if workspace_id == row["workspace_id"]]
        parts = ("stored", "open_errors", "closed", "deleted", "pending")
        assert row["discovered"] == sum(of_it) == sum(row[name] for name in parts)
        assert row["failed"] == sum(json.loads(row["failures"] or "{}").values())
