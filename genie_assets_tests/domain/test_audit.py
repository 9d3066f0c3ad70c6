"""From audit events to message references."""

import datetime as dt
import itertools
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.audit import (
    conversations_deleted_on,
    deletes_conversation,
    deletes_message,
    empty_known_messages,
    forgotten_by_the_log,
    is_ask,
    may_change,
    messages_to_fetch,
    unnamed_events,
)

MONDAY = dt.date(2026, 3, 2)
TUESDAY = dt.date(2026, 3, 3)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)

_EVENT = (
    "workspace_id",
    "action_name",
    "actor",
    "is_refused",
    "is_agents",
    "space_id",
    "conversation_id",
    "message_id",
    "first_event_time",
    "last_event_time",
    "event_count",
)
_DELETION = (
    "event_date",
    "workspace_id",
    "action_name",
    "space_id",
    "conversation_id",
    "message_id",
    "first_event_time",
    "last_event_time",
    "event_count",
)
_WORKSPACE = ("workspace_id", "workspace_name", "workspace_url")


def at(minute: int) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minute)


def event(action: str = "createConversationMessage", minute: int = 0, **cells: Any) -> dict[str, Any]:
    return {
        "workspace_id": "w1",
        "action_name": action,
        "actor": "ann@example.com",
        "is_refused": False,
        "is_agents": False,
        "space_id": "s1",
        "conversation_id": "c1",
        "message_id": "m1",
        "first_event_time": at(minute),
        "last_event_time": at(minute),
        "event_count": 1,
    } | cells


def deletion(day: dt.date = MONDAY, minute: int = 30, **cells: Any) -> dict[str, Any]:
    return {
        "event_date": day,
        "workspace_id": "w1",
        "action_name": "deleteConversation",
        "space_id": "s1",
        "conversation_id": "c1",
        "message_id": None,
        "first_event_time": at(minute),
        "last_event_time": at(minute),
        "event_count": 1,
    } | cells


def known(message_id: str, **cells: Any) -> dict[str, Any]:
    return {"workspace_id": "w1", "space_id": "s1", "conversation_id": "c1", "message_id": message_id} | cells


def frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in columns})


def discovered(
    events: list[dict[str, Any]],
    deletions: list[dict[str, Any]] | None = None,
    known_messages: list[dict[str, Any]] | None = None,
    workspaces: list[dict[str, Any]] | None = None,
) -> dict[tuple[str, str], dict[str, Any]]:
    columns = tuple(empty_known_messages().columns)
    rows = messages_to_fetch(
        MONDAY,
        frame(events, _EVENT),
        frame(deletions or [], _DELETION),
        frame(known_messages or [], columns),
        frame(workspaces or [], _WORKSPACE),
    )
    found = {(row["workspace_id"], row["message_id"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def the_row(*args: Any, **kwargs: Any) -> dict[str, Any]:
    (row,) = discovered(*args, **kwargs).values()
    return row


ASKS = ["createConversationMessage", "genieCreateConversationMessage", "genieStartConversationMessage"]
CHANGES = [
    "regenerateConversationMessage",
    "updateConversationMessage",
    "updateMessageAttachment",
    "executeMessageQuery",
    "genieExecuteMessageQuery",
    "executeMessageAttachmentQuery",
    "genieExecuteMessageAttachmentQuery",
    "executeQuery",
    "executeFullQueryResult",
    "cancelMessage",
    "updateConversationMessageFeedback",
    "genieSendMessageFeedback",
    "createConversationMessageComment",
    "deleteConversationMessageComment",
    "deleteConversationMessage",
    "deleteConversation",
    "someActionThatComesNextYear",
]
READS = [
    "getConversationMessage",
    "genieGetConversationMessage",
    "GENIEGETMESSAGE",
    "listConversationMessages",
    "genieListConversationMessages",
    "listConversationMessageComments",
    "summarizeMessage",
    "generateDownloadFullQueryResult",
    "genieGenerateDownloadFullQueryResult",
]


@pytest.mark.parametrize("action", ASKS)
def test_an_ask_makes_a_message_new_and_changed(action: str) -> None:
    assert is_ask(action)
    row = the_row([event(action)])
    assert row["is_new"] is True
    assert row["user_email"] == "ann@example.com"
    assert row["last_change_time"] == NOON


@pytest.mark.parametrize("action", CHANGES)
def test_whatever_is_no_plain_read_counts_as_a_change(action: str) -> None:
    """An action that Databricks adds later must not leave a stale row behind."""
    assert may_change(action)
    assert not is_ask(action)
    row = the_row([event(action)])
    assert row["is_new"] is False
    assert row["user_email"] is None
    assert row["last_change_time"] == NOON


@pytest.mark.parametrize("action", READS)
def test_a_read_names_a_message_but_changes_nothing(action: str) -> None:
    assert not may_change(action)
    row = the_row([event(action)])
    assert row["last_change_time"] is None
    assert row["is_new"] is False
    assert row["last_event_time"] == NOON


def test_only_deletions_delete() -> None:
    names = [*ASKS, *CHANGES, *READS, "genieDeleteConversation", "genieDeleteConversationMessage"]
    assert {n for n in names if deletes_conversation(n)} == {"deleteConversation", "genieDeleteConversation"}
    assert {n for n in names if deletes_message(n)} == {
        "deleteConversationMessage",
        "genieDeleteConversationMessage",
    }


@pytest.mark.parametrize("action", [*ASKS, "executeQuery", "deleteConversationMessage"])
def test_a_refused_event_proves_that_the_message_exists_and_nothing_more(action: str) -> None:
    row = the_row([event(action, is_refused=True)])
    assert row["last_change_time"] is None
    assert row["is_new"] is False
    assert row["user_email"] is None
    assert row["is_deleted"] is False
    assert (row["event_count"], row["actions"]) == (1, [action])


def test_the_events_of_a_message_become_one_row() -> None:
    row = the_row(
        [
            event(minute=5, event_count=1),
            event("getConversationMessage", 1, last_event_time=at(50), event_count=7),
            event("executeQuery", 20, actor="bob@example.com", event_count=2),
        ],
        workspaces=[
            {"workspace_id": "w1", "workspace_name": "Sales", "workspace_url": "https://sales.example.com"},
            {"workspace_id": "w2", "workspace_name": "Other", "workspace_url": None},
        ],
    )
    assert row == {
        "event_date": MONDAY,
        "workspace_id": "w1",
        "workspace_name": "Sales",
        "workspace_url": "https://sales.example.com",
        "space_id": "s1",
        "conversation_id": "c1",
        "message_id": "m1",
        "user_email": "ann@example.com",
        "first_event_time": at(1),
        "last_event_time": at(50),
        "last_change_time": at(20),
        "is_new": True,
        "is_deleted": False,
        "actions": ["createConversationMessage", "executeQuery", "getConversationMessage"],
        "event_count": 10,
        "last_comment_time": None,
    }


def test_a_workspace_that_is_not_listed_has_neither_name_nor_address() -> None:
    row = the_row([event()])
    assert (row["workspace_name"], row["workspace_url"]) == (None, None)


def test_the_same_message_id_in_two_workspaces_is_two_messages() -> None:
    rows = discovered([event(), event(workspace_id="w2", actor="bob@example.com")])
    assert {key: row["user_email"] for key, row in rows.items()} == {
        ("w1", "m1"): "ann@example.com",
        ("w2", "m1"): "bob@example.com",
    }


def test_the_first_to_ask_is_the_asker() -> None:
    asks = [event(minute=9, actor="late@example.com"), event(minute=3, actor="first@example.com")]
    refused = event(minute=1, actor="refused@example.com", is_refused=True)
    assert the_row([*asks, refused])["user_email"] == "first@example.com"


def test_ids_come_from_any_event_that_has_them_and_the_latest_one_wins() -> None:
    """`createConversationMessage` names its message only in the response, and not always with all ids."""
    row = the_row(
        [
            event(minute=1, space_id="old", conversation_id=None),
            event("getConversationMessage", 2, space_id="new", conversation_id="c1"),
            event("executeQuery", 3, space_id=None, conversation_id=None),
        ]
    )
    assert (row["space_id"], row["conversation_id"]) == ("new", "c1")


def test_an_event_without_an_id_does_not_shield_an_older_id_from_a_newer_one() -> None:
    groups = [
        event("getConversationMessage", 1, space_id="old"),
        event("executeQuery", 9, space_id=None),
        event("getMessage", 5, space_id="new"),
    ]
    assert {the_row(list(order))["space_id"] for order in itertools.permutations(groups)} == {"new"}


def test_a_message_whose_ids_no_event_tells_is_still_a_row() -> None:
    row = the_row([event(space_id=None, conversation_id=None)])
    assert (row["space_id"], row["conversation_id"]) == (None, None)


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
    assert conversations_deleted_on(MONDAY, frame(rows, _DELETION)) == ["a", "b"]


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


def test_events_that_name_no_message_are_counted_and_unknown_ones_told_apart() -> None:
    """Questions to an agent were invisible: no message, no row, no word. Steps of a conversation are listed."""
    agents: dict[str, Any] = {"message_id": None, "conversation_id": None, "is_agents": True}
    events = [
        event("createAgentResponse", **agents, event_count=2),
        event("createAgentResponse", **agents, workspace_id="w2"),
        event("createAgentResponse", **{**agents, "conversation_id": "c1"}),
        event("askSomethingNew", message_id=None, event_count=3),
        event("askSomethingElse", message_id=None, is_refused=True),
        *(event(name, message_id=None) for name in ("createSpace", "genieUpdateSpace", "listSomething")),
        event("genieStartConversationMessage", message_id=None),
        event("askWithAMessage"),
    ]
    found = unnamed_events(frame(events, _EVENT))
    assert found.asked_of_agents == {"createAgentResponse": 3}
    assert found.unknown == {"askSomethingNew": 3}
    assert list(discovered(events)) == [("w1", "m1")]


def test_a_quiet_day_has_no_rows() -> None:
    assert discovered([]) == {}


_groups = st.lists(
    st.builds(
        lambda action, minute, length, **cells: event(
            action, minute, last_event_time=at(minute + length), **cells
        ),
        st.sampled_from([*ASKS, "executeQuery", "getConversationMessage", "deleteConversationMessage"]),
        st.integers(0, 3),
        st.integers(0, 2),
        message_id=st.sampled_from(["m1", "m2"]),
        workspace_id=st.sampled_from(["w1", "w2"]),
        actor=st.sampled_from(["ann@example.com", "bob@example.com", None]),
        is_refused=st.booleans(),
        space_id=st.sampled_from(["s1", "s2", None]),
        conversation_id=st.sampled_from(["c1", "c2", None]),
        event_count=st.integers(1, 3),
    ),
    max_size=7,
)
_deletions = st.lists(
    st.builds(
        deletion,
        st.sampled_from([MONDAY, TUESDAY]),
        st.integers(0, 3),
        workspace_id=st.sampled_from(["w1", "w2"]),
        conversation_id=st.sampled_from(["c1", "c2"]),
        message_id=st.sampled_from(["m1", None, None]),
        action_name=st.sampled_from(
            ["deleteConversation", "genieDeleteConversation", "deleteConversationMessage"]
        ),
    ),
    max_size=3,
)


@given(_groups, _deletions, st.data())
@settings(deadline=None, max_examples=60)
def test_the_order_of_events_does_not_matter(
    groups: list[dict[str, Any]], gone: list[dict[str, Any]], data: st.DataObject
) -> None:
    """A warehouse returns rows in any order; a day that looks different each time is rewritten each time."""
    messages = [known("m1"), known("m3"), known("m4", conversation_id="c2")]
    expected = discovered(groups, gone, messages)
    shuffled = discovered(
        data.draw(st.permutations(groups)), data.draw(st.permutations(gone)), data.draw(st.permutations(messages))
    )
    assert shuffled == expected


@given(_groups, st.data())
@settings(deadline=None, max_examples=40)
def test_a_repeated_group_adds_nothing_but_to_the_count(groups: list[dict[str, Any]], data: st.DataObject) -> None:
    """The statement counts distinct events; seeing a group twice must change no fact."""
    again = data.draw(st.lists(st.sampled_from(groups), max_size=3)) if groups else []
    once, twice = discovered(groups), discovered([*groups, *again])
    for rows in (once, twice):
        for row in rows.values():
            del row["event_count"]
    assert twice == once


@pytest.mark.parametrize(("chosen", "kept"), [((), ["w2"]), (("w2",), ["w2"]), (("w1",), [])])
def test_what_the_log_has_forgotten_stays_where_its_workspace_is_looked_at(
    chosen: tuple[str, ...], kept: list[str]
) -> None:
    stored = [{"workspace_id": each} for each in ("w1", "w2", "0")]
    assert [row["workspace_id"] for row in forgotten_by_the_log(stored, {"w1"}, chosen)] == kept
