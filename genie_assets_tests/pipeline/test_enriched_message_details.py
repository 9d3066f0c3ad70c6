"""`enriched_message_details` against a real lakehouse."""

import datetime as dt
from typing import Any

import pytest

from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_SPACE_DETAILS,
    GENIE_SPACE_VERSIONS,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.pipeline.errors_by_hand import close, open_rows
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, MONDAY, NOON, TUESDAY, World

DAY_MS = 86_400_000
ONE_DAY = dt.timedelta(days=1)
NOON_MS = int(NOON.timestamp() * 1000)
TABLES = (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS, GENIE_SPACE_DETAILS, GENIE_SPACE_VERSIONS)


def sql(*statement_ids: str) -> list[dict[str, Any]]:
    return [{"query": {"query": f"SELECT {each}", "statement_id": each}} for each in statement_ids]


def test_a_message_gets_its_names_its_asker_and_its_statement(world: World) -> None:
    world.genie.spaces["s1"] = {"space_id": "s1", "title": "Sales", "serialized_space": "{}"}
    world.ask("m1", attachments=sql("st-1"))
    world.statement("st-1", read_rows=7)
    world.load()
    row = world.row(MESSAGE_DETAILS, "m1")
    assert (row["space_name"], row["workspace_name"], row["user_email"]) == ("Sales", "Prod", "ann@example.com")
    assert (row["query_sql"], row["query_read_rows"], row["enrichment_status"]) == ("SELECT st-1", 7, "COMPLETE")
    (attachment,) = world.rows(MESSAGE_ATTACHMENTS)
    assert (attachment["attachment_ordinal"], attachment["query_read_rows"]) == (1, 7)
    (window,) = world.system_tables.windows
    assert window[0] <= NOON - HOUR
    assert window[1] >= NOON + HOUR


def test_folding_twice_commits_nothing_the_second_time(world: World) -> None:
    world.genie.spaces["s1"] = {"space_id": "s1", "title": "Sales"}
    world.ask("m1", "m2", attachments=sql("st-1", "st-2"), content="half \ud83d and \u0000 and 'quoted'")
    world.ask("m3", conversation_id="c2", attachments=[])
    world.statement("st-1")
    world.load()
    versions = world.versions(*TABLES)
    world.now += HOUR
    report = world.fold()
    assert (report.details.changed, report.attachments.changed, report.space_requests) == (0, 0, 0)
    assert world.versions(*TABLES) == versions


def test_statements_that_arrive_late_are_filled_in_without_asking_the_api(world: World) -> None:
    world.ask("m1", attachments=sql("st-1"))
    world.load()
    assert world.row(MESSAGE_DETAILS, "m1")["enrichment_status"] == "PENDING"
    world.statement("st-1")
    asked = len(world.genie.requests)
    world.now += 24 * HOUR
    world.load()
    row = world.row(MESSAGE_DETAILS, "m1")
    assert (row["enrichment_status"], row["query_duration_ms"]) == ("COMPLETE", 900)
    assert len(world.genie.requests) == asked
    world.system_tables.history.clear()
    assert world.fold().details.changed == 0


def test_a_message_moves_to_its_day_when_that_becomes_known(world: World) -> None:
    """Leaving the old row behind would show the message on two days."""
    world.ask("m1", created_timestamp=None, status="SUBMITTED", attachments=sql("st-1", "st-2"))
    world.load()
    assert world.row(MESSAGE_DETAILS, "m1")["created_date"] == MONDAY
    world.now += HOUR
    world.message("m1", created_timestamp=NOON_MS - DAY_MS, attachments=sql("st-1"))
    world.load()
    sunday = MONDAY - dt.timedelta(days=1)
    assert world.row(MESSAGE_DETAILS, "m1")["created_date"] == sunday
    assert [(a["created_date"], a["attachment_ordinal"]) for a in world.rows(MESSAGE_ATTACHMENTS)] == [(sunday, 1)]
    assert world.fold().details.changed == 0


def test_a_day_that_is_known_stays_known(world: World) -> None:
    world.ask("m1", status="SUBMITTED", day=TUESDAY)
    world.load(TUESDAY)
    world.now += HOUR
    world.message("m1", created_timestamp=None)
    world.load(TUESDAY)
    row = world.row(MESSAGE_DETAILS, "m1")
    assert (row["created_date"], row["status"]) == (MONDAY, "COMPLETED")


def test_attachments_that_a_newer_answer_lacks_go_away(world: World) -> None:
    world.ask("m1", attachments=sql("st-1", "st-2", "st-3"))
    world.load()
    world.now += HOUR
    world.event("m1", action="regenerateConversationMessage")
    world.message("m1", attachments=sql("st-9"))
    world.load()
    assert [(a["attachment_ordinal"], a["statement_id"]) for a in world.rows(MESSAGE_ATTACHMENTS)] == [(1, "st-9")]


def test_a_message_of_another_day_renumbers_its_whole_conversation(world: World) -> None:
    world.ask("m2", day=TUESDAY, created_timestamp=NOON_MS + DAY_MS)
    world.load(TUESDAY)
    assert world.row(MESSAGE_DETAILS, "m2")["conversation_position"] == 1
    world.ask("m1", day=MONDAY, created_timestamp=NOON_MS)
    world.load(MONDAY)
    assert world.row(MESSAGE_DETAILS, "m1")["conversation_position"] == 1
    assert world.row(MESSAGE_DETAILS, "m2")["conversation_position"] == 2
    assert world.row(MESSAGE_DETAILS, "m2")["user_email"] == "ann@example.com"


def test_the_order_of_days_does_not_matter(world: World, tmp_path: Any) -> None:
    other = World(tmp_path / "other lake")
    for each in (world, other):
        each.ask("m1", attachments=sql("st-1"), day=MONDAY)
        each.ask("m2", day=TUESDAY, created_timestamp=NOON_MS + DAY_MS)
        each.event("m1", day=TUESDAY, action="getConversationMessage")
        each.ask("x", conversation_id="c2", day=TUESDAY, created_timestamp=NOON_MS + DAY_MS)
        each.statement("st-1")
    for day in (MONDAY, TUESDAY):
        world.load(day)
    for day in (TUESDAY, MONDAY, TUESDAY):
        other.load(day)
    for table in (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS):
        names = [name for name in table.content if name != "api_fetch_timestamp"]
        assert world.rows(table, columns=names) == other.rows(table, columns=names)


def test_a_deleted_conversation_marks_its_messages_and_keeps_them(world: World) -> None:
    world.ask("m1", "m2")
    world.load()
    world.delete(None, "c1", day=TUESDAY)
    world.load(TUESDAY)
    assert [(row["is_deleted"], row["content"] is None) for row in world.rows(MESSAGE_DETAILS)] == [
        (True, False)
    ] * 2
    assert world.state().accounting().lost == 0
    assert world.state(TUESDAY).accounting().lost == 0


def test_an_error_that_blocks_a_newer_look_is_shown_beside_the_last_answer(world: World) -> None:
    world.ask("m1")
    world.load()
    world.now += HOUR
    world.event("m1", action="executeQuery")
    world.genie.errors["m1"] = FORBIDDEN
    world.load()
    row = world.row(MESSAGE_DETAILS, "m1")
    assert (row["api_fetch_status"], row["api_fetch_error"], row["content"]) == (
        "PERMISSION",
        "Not allowed.",
        "Question m1?",
    )


def test_a_space_that_cannot_be_read_is_tried_once_and_leaves_the_name_open(world: World) -> None:
    world.genie.spaces["s1"] = BROKEN
    world.ask("m1")
    world.load()
    world.fold()
    assert world.row(MESSAGE_DETAILS, "m1")["space_name"] is None
    assert len(world.genie.space_looks) == 1


def test_a_day_on_which_nothing_happened_folds_to_nothing(world: World) -> None:
    world.discover()
    report = world.fold()
    assert (report.messages, report.details.changed, report.statements) == (0, 0, 0)


def test_attachments_that_the_answer_has_lost_are_removed(world: World) -> None:
    """A regenerated message runs again, without attachments: the old answer must not stay beside it."""
    world.ask("m1", attachments=[{"text": {"content": "old"}}, {"text": {"content": "older"}}])
    world.load()
    assert len(world.rows(MESSAGE_ATTACHMENTS)) == 2
    world.message("m1", status="EXECUTING_QUERY", attachments=None)
    world.event("m1", action="regenerateConversationMessage", at=world.now + HOUR)
    world.now += 2 * HOUR
    world.load()
    assert world.rows(MESSAGE_ATTACHMENTS) == []


def test_a_statement_that_arrives_late_is_found_by_the_fold_of_any_day(world: World) -> None:
    """Late rows must not depend on whether their own day is loaded once more."""
    query = {"query": {"query": "SELECT 1", "statement_id": "late"}}
    world.ask("m1", attachments=[query])
    world.load()
    assert world.row(MESSAGE_DETAILS, "m1")["enrichment_status"] == "PENDING"
    world.statement("late")
    world.now += 24 * HOUR
    world.load(TUESDAY)
    assert world.row(MESSAGE_DETAILS, "m1")["enrichment_status"] == "COMPLETE"


def test_who_asked_is_known_whichever_day_is_folded(world: World) -> None:
    """Asked on Monday, unreadable; read on Tuesday through another event that does not say who asked."""
    world.ask("m1")
    world.genie.errors["m1"] = BROKEN
    world.load()
    world.now += 2 * HOUR
    del world.genie.errors["m1"]
    world.event("m1", day=TUESDAY, action="getConversationMessage", actor="bob@example.com")
    world.load(TUESDAY)
    assert world.row(MESSAGE_DETAILS, "m1")["user_email"] == "ann@example.com"


@pytest.mark.parametrize("created", ["9999-12-31T23:59:59.999Z", 253_402_300_799_999, 253_402_214_400_000])
def test_a_message_dated_at_the_end_of_the_calendar_stops_nothing(world: World, created: str | int) -> None:
    """It has no day after it."""
    world.ask("m1", created_timestamp=created, attachments=sql("st-1"))
    world.ask("m2", conversation_id="c2", attachments=sql("st-2"))
    world.statement("st-2")
    world.load()
    rows = {row["message_id"]: row for row in world.rows(MESSAGE_DETAILS)}
    assert (rows["m1"]["created_date"], rows["m2"]["created_date"]) == (dt.date.max, MONDAY)
    assert rows["m2"]["enrichment_status"] == "COMPLETE"
    assert [row["created_date"] for row in world.rows(MESSAGE_ATTACHMENTS)] == [dt.date.max, MONDAY]
    world.now += HOUR
    report = world.fold()
    assert (report.details.changed, report.attachments.changed, report.set_aside) == (0, 0, 0)


@pytest.mark.parametrize(("created", "from_time"), [(253_402_300_799_999, NOON), (10**11, NOON - 365 * ONE_DAY)])
def test_of_a_message_of_an_odd_time_history_is_read_where_its_statement_can_be(
    world: World, created: int, from_time: dt.datetime
) -> None:
    """Not from the year 9999 on, and not of fifty years, though it says so of itself."""
    world.ask("m1", created_timestamp=created, attachments=sql("st-1"))
    world.statement("st-1")
    world.load()
    assert world.system_tables.windows == [(from_time - ONE_DAY, NOON + ONE_DAY)]
    assert world.row(MESSAGE_DETAILS, "m1")["enrichment_status"] == "COMPLETE"


def break_answer(world: World, message_id: str) -> None:
    """Let the log hold something that is no message, as its latest answer."""
    row = next(row for row in world.rows(GENIE_API_MESSAGES) if row["message_id"] == message_id)
    row |= {"raw_json": "{", "content_hash": f"broken at {world.now}", "api_fetch_timestamp": world.now}
    world.lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame([row]))
    world.now += HOUR


def test_a_record_that_breaks_the_fold_is_set_aside_with_its_reason(world: World) -> None:
    world.ask("m1", "m2")
    world.discover()
    world.fetch()
    world.now += HOUR
    break_answer(world, "m1")
    assert world.fold().set_aside == 1
    assert [row["message_id"] for row in world.rows(MESSAGE_DETAILS)] == ["m2"]
    error = world.row(MESSAGE_FETCH_ERRORS, "m1")
    assert (error["error_class"], error["resolved"]) == ("BAD_PAYLOAD", False)
    assert error["error_message"] == "The stored answer cannot be folded: JSONDecodeError."
    assert world.state().accounting().lost == 0
    versions = world.versions(*TABLES, MESSAGE_FETCH_ERRORS)
    assert world.fold().set_aside == 1
    assert world.versions(*TABLES, MESSAGE_FETCH_ERRORS) == versions
    world.now += 4 * HOUR
    world.load()
    assert [row["message_id"] for row in world.rows(MESSAGE_DETAILS)] == ["m1", "m2"]
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "FETCHED"


def test_of_a_message_that_breaks_the_fold_the_last_good_row_stays(world: World) -> None:
    world.ask("m1", attachments=sql("st-1"))
    world.load()
    before = world.row(MESSAGE_DETAILS, "m1"), world.rows(MESSAGE_ATTACHMENTS)
    world.now += HOUR
    break_answer(world, "m1")
    assert world.fold().set_aside == 1
    assert (world.row(MESSAGE_DETAILS, "m1"), world.rows(MESSAGE_ATTACHMENTS)) == before


def test_what_breaks_the_fold_and_was_closed_by_hand_stays_closed(world: World) -> None:
    world.ask("m1")
    world.discover()
    world.fetch()
    world.now += HOUR
    break_answer(world, "m1")
    world.fold()
    close(world.lake, open_rows(world.lake), world.now)
    assert world.fold().set_aside == 1
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "CLOSED"


def test_what_breaks_the_fold_again_after_each_look_is_not_looked_at_for_ever(world: World) -> None:
    world.ask("m1")
    world.discover()
    world.fetch()
    world.now += HOUR
    counts = []
    for _ in range(3):
        break_answer(world, "m1")
        world.fold()
        counts.append(world.row(MESSAGE_FETCH_ERRORS, "m1")["retry_count"])
        world.now += 48 * HOUR
        world.fetch()
        world.now += HOUR
    assert counts == [0, 1, 2]


def test_the_day_of_a_message_without_a_time_does_not_depend_on_what_was_loaded_first(
    world: World, tmp_path: Any
) -> None:
    """Asked on Tuesday; the list of its conversation brings it to Monday's load, too."""
    other = World(tmp_path / "other lake")
    for each, days in ((world, (MONDAY, TUESDAY)), (other, (TUESDAY, MONDAY))):
        each.ask("m1", "m2", day=MONDAY)
        each.ask("m3", day=TUESDAY, created_timestamp=None, attachments=sql("st-1"))
        each.ask("m4", day=TUESDAY, conversation_id="c2", created_timestamp=None)
        each.event("m4", "c2", day=MONDAY, action="getConversationMessage")
        for day in days:
            each.load(day)
            each.now += HOUR
        versions = each.versions(MESSAGE_DETAILS, MESSAGE_ATTACHMENTS)
        each.load(MONDAY)
        each.load(TUESDAY)
        assert each.versions(MESSAGE_DETAILS, MESSAGE_ATTACHMENTS) == versions
    found = {row["message_id"]: row["created_date"] for row in world.rows(MESSAGE_DETAILS)}
    assert found == {"m1": MONDAY, "m2": MONDAY, "m3": TUESDAY, "m4": TUESDAY}
    for table in (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS):
        names = [name for name in table.content if name != "api_fetch_timestamp"]
        assert world.rows(table, columns=names) == other.rows(table, columns=names)


def test_a_message_of_which_only_reads_are_known_lives_on_the_day_of_the_first(
    world: World, tmp_path: Any
) -> None:
    other = World(tmp_path / "other lake")
    for each, days in ((world, (MONDAY, TUESDAY)), (other, (TUESDAY, MONDAY))):
        each.message("m1", created_timestamp=None)
        for day in (MONDAY, TUESDAY):
            each.event("m1", day=day, action="getConversationMessage")
        for day in days:
            each.load(day)
        assert [row["created_date"] for row in each.rows(MESSAGE_DETAILS)] == [MONDAY]


def test_a_later_vote_makes_no_answer_slower(world: World) -> None:
    world.ask("m1", last_updated_timestamp=NOON_MS + 4_000)
    world.load()
    world.now += HOUR
    world.event("m1", action="updateConversationMessageFeedback")
    world.message("m1", last_updated_timestamp=NOON_MS + 900_000, feedback={"rating": "POSITIVE"})
    world.load()
    row = world.row(MESSAGE_DETAILS, "m1")
    assert (row["feedback_rating"], row["response_time_ms"]) == ("POSITIVE", 4_000)


def test_a_title_that_becomes_known_reaches_every_row_that_lacks_it(world: World) -> None:
    """Messages of a private space, read after the grant on whichever day: all of them get its name."""
    world.genie.spaces["s1"] = FORBIDDEN
    world.ask("m1", attachments=sql("st-1"))
    world.ask("m2", day=TUESDAY, conversation_id="c2", created_timestamp=NOON_MS + DAY_MS)
    world.load()
    world.load(TUESDAY)
    assert [row["space_name"] for row in world.rows(MESSAGE_DETAILS)] == [None, None]
    world.genie.spaces["s1"] = {"space_id": "s1", "title": "Sales"}
    world.now += 48 * HOUR
    world.back_up()
    assert [row["space_name"] for row in world.rows(MESSAGE_DETAILS)] == ["Sales", "Sales"]
    versions = world.versions(*TABLES)
    world.back_up()
    assert world.fold().details.changed == 0
    assert world.versions(*TABLES) == versions
    # A fold that had looked before the title was known stores its rows after it was given to all others.
    late = {**world.row(MESSAGE_DETAILS, "m1"), "space_name": None}
    world.lake.merge(MESSAGE_DETAILS, MESSAGE_DETAILS.frame([late]))
    world.back_up()
    assert [row["space_name"] for row in world.rows(MESSAGE_DETAILS)] == ["Sales", "Sales"]


def test_a_fold_looks_again_at_a_space_that_could_not_be_read(world: World) -> None:
    world.genie.spaces["s1"] = FORBIDDEN
    world.ask("m1")
    world.load()
    world.ask("m2", day=TUESDAY, conversation_id="c2", created_timestamp=NOON_MS + DAY_MS)
    world.genie.spaces["s1"] = {"space_id": "s1", "title": "Sales"}
    world.now += 48 * HOUR
    world.load(TUESDAY)
    assert [row["space_name"] for row in world.rows(MESSAGE_DETAILS)] == ["Sales", "Sales"]
