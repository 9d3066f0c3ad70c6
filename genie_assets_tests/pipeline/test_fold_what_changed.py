"""A fold of today costs what has changed, and nothing if nothing has; what was left out is found in the tables."""

import pytest

from genie_assets.domain.tables import GENIE_DAY_LOADS, MESSAGE_ATTACHMENTS, MESSAGE_DETAILS
from genie_assets.pipeline.enriched_message_details import FoldReport
from genie_assets_tests.pipeline.world import FORBIDDEN, HOUR, MONDAY, TUESDAY, World

MINUTE = HOUR / 60
MESSAGES = [f"m{number}" for number in range(6)]


def folded(world: World) -> FoldReport:
    """An hour later: what the day's job folds."""
    world.now += HOUR
    world.discover()
    world.fetch()
    world.now += MINUTE
    return world.fold()


@pytest.fixture
def loaded(world: World) -> World:
    """Today with some messages, each in a conversation of its own, all of them folded."""
    for message_id in MESSAGES:
        world.ask(message_id, conversation_id=f"c {message_id}")
    assert folded(world).messages == len(MESSAGES)
    return world


def test_nothing_is_folded_if_nothing_has_changed_and_the_day_is_told_all_the_same(loaded: World) -> None:
    before = loaded.versions(GENIE_DAY_LOADS, MESSAGE_DETAILS)
    report = folded(loaded)
    assert (report.messages, report.statements) == (0, 0)
    assert report.statuses == {"COMPLETED": len(MESSAGES)}
    assert report.enrichment == {"NOT_APPLICABLE": len(MESSAGES)}
    assert loaded.versions(GENIE_DAY_LOADS, MESSAGE_DETAILS) == before


@pytest.mark.parametrize("what", ["an answer", "a follow-up", "a failed look", "a deletion", "a lost row"])
def test_only_what_changed_is_folded(loaded: World, what: str) -> None:
    folded(loaded)
    loaded.now += HOUR
    expected = 1
    if what == "an answer":
        loaded.event("m1", "c m1", action="updateConversationMessageFeedback")
        loaded.message("m1", "c m1", feedback={"rating": "POSITIVE"})
    elif what == "a follow-up":
        loaded.ask("m1 again", conversation_id="c m1", created_timestamp=1)
        expected = 2  # the other one's position
    elif what == "a failed look":
        loaded.event("m1", "c m1", action="executeQuery")
        loaded.genie.errors["m1"] = FORBIDDEN
    elif what == "a deletion":
        loaded.delete("m1", "c m1")
    else:
        row = loaded.row(MESSAGE_DETAILS, "m1")
        loaded.lake.merge(MESSAGE_DETAILS, MESSAGE_DETAILS.frame([]), delete=MESSAGE_DETAILS.frame([row]))
    assert folded(loaded).messages == expected
    row = loaded.row(MESSAGE_DETAILS, "m1")
    assert (row["feedback_rating"] == "POSITIVE") == (what == "an answer")
    assert row["conversation_position"] == (2 if what == "a follow-up" else 1)
    assert row["api_fetch_status"] == ("PERMISSION" if what == "a failed look" else "SUCCESS")
    assert row["is_deleted"] == (what == "a deletion")
    loaded.now += 2 * HOUR
    folded(loaded)
    assert folded(loaded).messages == 0


def test_what_a_run_stored_and_did_not_fold_is_folded_by_a_later_one(loaded: World) -> None:
    """It died in between, and nothing has changed since."""
    loaded.ask("m9", conversation_id="c m9")
    loaded.now += HOUR
    loaded.discover()
    loaded.fetch()
    loaded.now += 5 * HOUR
    assert folded(loaded).messages == 1
    assert loaded.row(MESSAGE_DETAILS, "m9")["status"] == "COMPLETED"


def test_a_statement_that_comes_later_is_found_though_nothing_else_changes(world: World) -> None:
    query = {"attachment_id": "a1", "query": {"query": "SELECT 1", "statement_id": "s1"}}
    world.ask("m1", attachments=[query])
    world.ask("m2", conversation_id="c2")
    folded(world)
    assert folded(world).messages == 1, "it waits"
    world.statement("s1")
    assert folded(world).statements_found == 1
    assert world.row(MESSAGE_ATTACHMENTS, "m1")["query_execution_status"] == "FINISHED"
    folded(world)
    assert folded(world).messages == 0


def test_a_closed_day_is_folded_as_a_whole_once_a_day(loaded: World) -> None:
    """What history says by now is found then."""
    loaded.now += 24 * HOUR
    assert loaded.now.date() == TUESDAY
    assert folded(loaded).messages == len(MESSAGES)
    assert folded(loaded).messages == 0
    loaded.ask("m9", conversation_id="c m9", day=MONDAY)
    assert folded(loaded).messages == len(MESSAGES) + 1
