"""What deletions in the audit log make of messages."""

import datetime as dt

import pytest

from genie_assets.domain.actions import deletes_conversation, deletes_message
from genie_assets.domain.audit import conversations_deleted_on
from genie_assets_tests.domain.events import (
    ASKS,
    CHANGES,
    DELETION,
    MONDAY,
    NOON,
    READS,
    TUESDAY,
    at,
    deletion,
    discovered,
    event,
    frame,
    known,
    the_row,
)


def test_only_deletions_delete() -> None:
    names = [*ASKS, *CHANGES, *READS, "genieDeleteConversation", "genieDeleteConversationMessage"]
    assert {n for n in names if deletes_conversation(n)} == {"deleteConversation", "genieDeleteConversation"}
    assert {n for n in names if deletes_message(n)} == {
        "deleteConversationMessage",
        "genieDeleteConversationMessage",
    }


@pytest.mark.parametrize("day", [MONDAY, TUESDAY, dt.date(2026, 4, 1)])
def test_a_message_deleted_on_its_day_or_later_is_deleted(day: dt.date) -> None:
    gone = deletion(day, message_id="m1", action_name="deleteConversationMessage")
    rows = discovered([event(), event(message_id="m2")], [gone])
    assert {key[1]: row["is_deleted"] for key, row in rows.items()} == {"m1": True, "m2": False}


def test_a_deletion_in_another_workspace_deletes_nothing_here() -> None:
    message_deletion = deletion(workspace_id="w2", message_id="m1", action_name="deleteConversationMessage")
    gone = [deletion(workspace_id="w2"), message_deletion]
    assert the_row([event()], gone)["is_deleted"] is False


def test_deleting_a_conversation_touches_its_messages_of_earlier_days() -> None:
    rows = discovered(
        [event(message_id="today")],
        [deletion(minute=30)],
        [known("today"), known("earlier"), known("elsewhere", conversation_id="c2")],
    )
    assert set(rows) == {("w1", "today"), ("w1", "earlier")}
    earlier, today = rows["w1", "earlier"], rows["w1", "today"]
    assert earlier == {
        "event_date": MONDAY,
        "workspace_id": "w1",
        "workspace_name": None,
        "workspace_url": None,
        "space_id": "s1",
        "conversation_id": "c1",
        "message_id": "earlier",
        "user_email": None,
        "first_event_time": at(30),
        "last_event_time": at(30),
        "last_change_time": at(30),
        "is_new": False,
        "is_deleted": True,
        "actions": ["deleteConversation"],
        "event_count": 1,
        "last_comment_time": None,
    }
    assert today["actions"] == ["createConversationMessage", "deleteConversation"]
    assert (today["is_new"], today["is_deleted"], today["event_count"]) == (True, True, 2)
    assert (today["user_email"], today["last_change_time"]) == ("ann@example.com", at(30))


def test_a_conversation_deleted_later_marks_messages_but_is_no_event_of_this_day() -> None:
    row = the_row([event()], [deletion(TUESDAY)], [known("earlier")])
    assert row["is_deleted"] is True
    assert row["actions"] == ["createConversationMessage"]
    assert row["last_change_time"] == NOON


def test_a_conversation_deleted_through_both_apis_counts_both_events() -> None:
    gone = [deletion(minute=30), deletion(minute=40, action_name="genieDeleteConversation")]
    for order in (gone, gone[::-1]):
        row = the_row([], order, [known("m1")])
        assert row["actions"] == ["deleteConversation", "genieDeleteConversation"]
        assert (row["first_event_time"], row["last_change_time"], row["event_count"]) == (at(30), at(40), 2)


def test_only_conversations_deleted_on_the_very_day_are_looked_up() -> None:
    rows = [
        deletion(MONDAY, conversation_id="b"),
        deletion(MONDAY, conversation_id="a"),
        deletion(MONDAY, conversation_id="a", action_name="genieDeleteConversation"),
        deletion(TUESDAY, conversation_id="later"),
        deletion(MONDAY, conversation_id="c", message_id="m", action_name="deleteConversationMessage"),
        deletion(MONDAY, conversation_id=None, message_id="m"),
    ]
    assert conversations_deleted_on(MONDAY, frame(rows, DELETION)) == ["a", "b"]


@pytest.mark.parametrize("action", ["deleteConversationMessage", "deleteConversation"])
def test_what_is_done_after_a_deletion_shows_the_message_again(action: str) -> None:
    message_id = "m1" if action == "deleteConversationMessage" else None
    gone = deletion(minute=30, action_name=action, message_id=message_id)
    for minute, is_deleted in ((29, True), (30, True), (31, False)):
        row = the_row([event(), event("updateConversationMessage", minute)], [gone])
        assert row["is_deleted"] is is_deleted
    assert the_row([event(), event("executeQuery", 31, is_refused=True)], [gone])["is_deleted"] is True


def test_deleting_one_message_leaves_its_conversation() -> None:
    """A message's deletion names its conversation too; without a message id it deletes nothing that is known."""
    events = [event(), event(message_id="m2"), event(message_id="m3", conversation_id=None)]
    gone = [
        deletion(action_name="deleteConversationMessage", message_id="m1"),
        deletion(action_name="deleteConversationMessage", message_id=None),
        deletion(action_name="deleteConversation", conversation_id=None, message_id="m9"),
    ]
    rows = discovered(events, gone, [known("m4")])
    assert {key[1]: row["is_deleted"] for key, row in rows.items()} == {"m1": True, "m2": False, "m3": False}
