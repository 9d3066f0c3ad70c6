"""From audit events to message references."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.actions import is_ask, may_change
from genie_assets.domain.audit import forgotten_by_the_log, unnamed_events
from genie_assets.domain.deletions import with_times
from genie_assets_tests.domain.events import (
    ASKS,
    CHANGES,
    EVENT,
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


def test_a_workspace_that_is_not_listed_any_more_keeps_its_name_and_loses_its_address() -> None:
    listed = [{"workspace_id": "w1", "workspace_name": "Prod", "workspace_url": "https://w1"}]
    (stored,) = with_times([the_row([event()], workspaces=listed)], [], at(0))
    (row,) = with_times([the_row([event()])], [stored], at(1))
    assert (row["workspace_name"], row["workspace_url"]) == ("Prod", None)
    (again,) = with_times([the_row([event()])], [row], at(2))
    assert again["ingestion_timestamp"] == at(1), "nothing has changed"
    (renamed,) = with_times([the_row([event()], workspaces=[listed[0] | {"workspace_name": "New"}])], [row], at(2))
    assert renamed["workspace_name"] == "New"


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
    found = unnamed_events(frame(events, EVENT))
    assert found.asked_of_agents == {"createAgentResponse": 3}
    assert found.unknown == {"askSomethingNew": 3, "genieStartConversationMessage": 1}
    assert list(discovered(events)) == [("w1", "m1")]


def test_questions_of_whose_message_the_log_shows_no_id_are_told() -> None:
    """An account whose log held no responses looked like one in which nobody asks. Requests may be rows alone."""
    nameless: dict[str, Any] = {"message_id": None, "conversation_id": None}
    pairs = [event("genieStartConversationMessage", event_count=5)]
    pairs += [event("genieStartConversationMessage", **nameless, event_count=5)]
    refused = [event("createConversationMessage", **nameless, is_refused=True, event_count=9)]
    assert unnamed_events(frame([*pairs, *refused], EVENT)).unknown == {}
    elsewhere = [event("genieStartConversationMessage", **nameless, workspace_id="w2", event_count=2)]
    lost = [*elsewhere, event("createConversationMessage", **nameless, event_count=3)]
    found = unnamed_events(frame([*pairs, *refused, *lost], EVENT)).unknown
    assert found == {"genieStartConversationMessage": 2, "createConversationMessage": 3}


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
