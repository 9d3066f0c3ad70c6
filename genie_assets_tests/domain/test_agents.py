"""Conversations with agents: known by whatever names an agent, and listed again until a response has ended."""

import datetime as dt
import itertools
from typing import Any

from genie_assets.domain.agents import (
    AGENT_MODE,
    RESPONSE_TAKES,
    agent_conversations,
    items_look,
    listed_conversations,
    merged,
    new_conversations,
    requests_for,
)
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.requests import Answer, ItemsOfConversation
from genie_assets.domain.tables import AGENT_CONVERSATIONS, AGENT_ITEMS
from genie_assets.domain.whole_lists import ITEMS, changed_children

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
URLS = {"w": "https://w.example"}


def event(action: str = "createAgentResponse", at: dt.datetime = NOON, **cells: Any) -> Row:
    return {
        "workspace_id": "w",
        "action_name": action,
        "is_refused": False,
        "agent_id": "s",
        "conversation_id": "c",
        "message_id": None,
        "first_event_time": at,
        "last_event_time": at,
        **cells,
    }


def said(*items: dict[str, Any]) -> list[Row]:
    request = ItemsOfConversation("w", None, "s", "c", NOON)
    look = items_look(request, Answer({"data": list(items)}, "LIST", NOON + HOUR))
    return changed_children(ITEMS, look, [])


def test_only_events_that_name_an_agent_and_changed_something_show_a_conversation() -> None:
    nothing = [
        event(agent_id=None),
        event(conversation_id=None),
        event("listAgentConversationItems"),
        event(is_refused=True),
    ]
    assert agent_conversations(nothing, URLS) == []
    (row,) = agent_conversations([event(at=NOON + HOUR), event("steerAgent", message_id="m"), *nothing], URLS)
    assert row == {
        "workspace_id": "w",
        "workspace_url": "https://w.example",
        "space_id": "s",
        "conversation_id": "c",
        "first_event_time": NOON,
        "last_event_time": NOON + HOUR,
    }
    assert set(row) | {*AGENT_CONVERSATIONS.bookkeeping} == set(AGENT_CONVERSATIONS.column_names)


def test_whichever_day_or_list_is_seen_first_the_same_is_known() -> None:
    answers = {
        "c": Answer({"agent_type": AGENT_MODE}, "LIST", NOON),
        "d": Answer({"agent_type": "GENIE_CONVERSATION_TYPE_CHAT"}, "LIST", NOON),
        "e": Answer({}, "LIST", NOON),
    }
    (listed,) = listed_conversations(SpaceKey("w", "s"), "https://w.example", answers)
    (early,) = agent_conversations([event(agent_id="old")], {})
    (late,) = agent_conversations([event(at=NOON + HOUR)], URLS)
    found = []
    for order in itertools.permutations([listed, early, late]):
        stored: list[Row] = []
        for row in order:
            stored = new_conversations([row], stored) or stored
        found.append(stored)
    assert all(each == found[0] for each in found)
    ((row,),) = found[:1]
    assert (row["space_id"], row["first_event_time"], row["last_event_time"]) == ("s", NOON, NOON + HOUR)
    assert new_conversations([early, listed], found[0]) == []
    assert merged(listed, early)["workspace_url"] == "https://w.example"


def test_a_conversation_is_asked_for_once_for_the_latest_that_happened_in_it() -> None:
    (known,) = agent_conversations([event()], URLS)
    touched = {name: known[name] for name in ("workspace_id", "workspace_url", "space_id", "conversation_id")}
    turns = [{**touched, "last_change_time": NOON + n * HOUR} for n in (1, 2)]
    odd = [{**known, "conversation_id": ".."}, {**known, "space_id": None}, {**known, "workspace_id": "x"}]
    (request,) = requests_for([known, *odd], turns, {"w"})
    assert (request.conversation_id, request.asked_for) == ("c", NOON + 2 * HOUR)


def test_a_response_that_may_not_have_ended_is_listed_again() -> None:
    request = ItemsOfConversation("w", None, "s", "c", NOON)
    soon, later = (
        items_look(request, Answer({"data": []}, "LIST", NOON + after)) for after in (HOUR / 2, 2 * HOUR)
    )
    assert soon.event["event_time"] == NOON + HOUR / 2 - RESPONSE_TAKES < NOON
    assert later.event["event_time"] == NOON
    never = ItemsOfConversation("w", None, "s", "c")
    assert items_look(never, Answer({"data": []}, "LIST", NOON)).event["event_time"] is None


def test_steps_of_every_type_are_rows_and_what_is_not_known_stays_as_json() -> None:
    rows = said(
        {"id": "a", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "How many?"}]},
        {"id": "b", "type": "reasoning", "summary": [{"text": "First"}, {"text": "then"}, {"image": 1}]},
        {"id": "f", "type": "function_call", "name": "execute_sql", "arguments": '{"sql": "SELECT 1"}'},
        {
            "id": "f_output",
            "type": "function_call_output",
            "call_id": "f",
            "output": "| 1 |",
            "created_at": 1767225600,
        },
        {"type": "hologram", "depth": 3, "arguments": "no json", "content": {"odd": True}},
    )
    assert [row["item_ordinal"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["text_content"] for row in rows] == ["How many?", "First\nthen", None, "| 1 |", None]
    assert [row["query_sql"] for row in rows] == [None, None, "SELECT 1", None, None]
    assert rows[3]["created_timestamp"] == 1767225600000
    assert (rows[4]["item_type"], len(rows[4]["item_id"])) == ("hologram", 64)
    assert '"depth":3' in rows[4]["raw_json"]
    assert set(rows[0]) | {*AGENT_ITEMS.bookkeeping} == set(AGENT_ITEMS.column_names)
