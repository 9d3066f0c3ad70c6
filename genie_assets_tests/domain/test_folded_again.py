"""Which messages are folded again: the rule in plain words and the questions to the tables say the same."""

import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.folded_again import (
    PENDING_DAYS,
    Traces,
    asked_on,
    in_parts,
    is_folded_again,
    is_merely_read,
    merely_read,
    named_by_the_log,
    nameless,
    touches_its_conversation,
    touching,
)
from genie_assets.domain.questions import Rows
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets_tests.gateways.lakehouse.meanings import World, holds, selected

DAY, BEFORE = dt.date(2026, 3, 2), dt.date(2026, 3, 1)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
LONG_AGO = DAY - dt.timedelta(days=PENDING_DAYS)

_days = st.sampled_from([DAY, BEFORE, LONG_AGO, LONG_AGO + dt.timedelta(days=1)])
_references = st.fixed_dictionaries(
    {
        "event_date": st.just(DAY),
        "last_change_time": st.none() | st.just(NOON),
        "is_deleted": st.booleans() | st.none(),
        "conversation_id": st.none() | st.just("named"),
    }
)
_answers = st.fixed_dictionaries({"created_date": _days, "event_date": _days})
_errors = st.fixed_dictionaries({"event_date": _days, "resolved": st.booleans()})
_folded = st.fixed_dictionaries(
    {
        "created_date": _days,
        "created_timestamp": st.none() | st.just(1),
        "enrichment_status": st.sampled_from(["PENDING", "COMPLETE", "EXPIRED", None]),
    }
)
_traces = st.builds(
    Traces,
    answers=st.lists(_answers, max_size=2),
    reference=st.none() | _references,
    error=st.none() | _errors,
    folded=st.none() | _folded,
)


def world_of(messages: list[Traces]) -> World:
    """The tables that hold these messages, each in a conversation of its own."""
    tables: dict[str, list[dict[str, Any]]] = {
        table.name: []
        for table in (GENIE_MESSAGES_TO_FETCH, GENIE_API_MESSAGES, MESSAGE_FETCH_ERRORS, MESSAGE_DETAILS)
    }
    for number, message in enumerate(messages):
        ids = {"workspace_id": "w1", "message_id": f"m{number}", "conversation_id": f"c{number}"}
        found = [(GENIE_API_MESSAGES, answer) for answer in message.answers]
        found += [
            (table, row)
            for table, row in (
                (GENIE_MESSAGES_TO_FETCH, message.reference),
                (MESSAGE_FETCH_ERRORS, message.error),
                (MESSAGE_DETAILS, message.folded),
            )
            if row is not None
        ]
        for table, row in found:
            conversation_id = ids["conversation_id"] if row.get("conversation_id", "named") else None
            partition = row.get(table.partitioned_by or "")
            tables[table.name].append({**row, **ids, "conversation_id": conversation_id, "day": partition})
    return tables


@given(st.lists(_traces, max_size=5))
@settings(deadline=None)
def test_the_questions_find_the_conversations_that_the_rule_calls_touched(messages: list[Traces]) -> None:
    world = world_of(messages)
    ids = [row["message_id"] for row in selected(nameless(DAY), world)]
    asked: list[Rows] = [asked_on(DAY), *touching(DAY, DAY), named_by_the_log(ids)]
    found = {row["conversation_id"] for rows in asked for row in selected(rows, world)} - {None}
    assert found == {
        f"c{number}"
        for number, message in enumerate(messages)
        if touches_its_conversation(message, DAY, today=DAY)
    }


@given(st.lists(_traces, max_size=5))
@settings(deadline=None)
def test_what_is_merely_read_is_the_same_in_plain_words_and_as_a_question(messages: list[Traces]) -> None:
    world = world_of(messages)
    for row in world[GENIE_MESSAGES_TO_FETCH.name]:
        message = messages[int(row["message_id"][1:])]
        assert all(holds(each, row, world) for each in merely_read(DAY)) == is_merely_read(message, DAY)


HEADER = {"created_date": BEFORE, "created_timestamp": 1, "api_fetch_timestamp": NOON}
RIGHT = {**HEADER, "conversation_position": 2, "enrichment_status": "COMPLETE"}


def test_a_message_whose_row_is_right_is_left_alone() -> None:
    assert not is_folded_again(Traces([HEADER], folded=RIGHT), 2, DAY)
    undated = {**HEADER, "created_timestamp": None, "created_date": LONG_AGO}
    assert not is_folded_again(Traces([undated], folded=RIGHT), 2, DAY)


def test_a_message_is_folded_again_for_each_reason_alone() -> None:
    reference, error = {"event_date": DAY}, {"event_date": BEFORE}
    wrong: list[dict[str, Any]] = [{"created_date": DAY}, {"conversation_position": 1}]
    wrong += [{"enrichment_status": "PENDING"}, {"api_fetch_timestamp": NOON - dt.timedelta(hours=1)}]
    reasons = [Traces([HEADER], folded=row) for row in [None, *({**RIGHT, **cells} for cells in wrong)]]
    reasons += [Traces([HEADER], reference, folded=RIGHT), Traces([HEADER], error=error, folded=RIGHT)]
    reasons.append(Traces([HEADER | {"created_date": DAY}], folded=RIGHT | {"created_date": DAY}))
    assert [is_folded_again(message, 2, DAY) for message in reasons] == [True] * len(reasons)


@settings(deadline=None, max_examples=25)
@given(st.dictionaries(st.text(max_size=3), st.integers(1, 10_000), max_size=30))
def test_parts_hold_every_conversation_once_and_no_part_is_empty(conversations: dict[str, int]) -> None:
    parts = list(in_parts(conversations))
    assert [each for part in parts for each in part] == sorted(conversations)
    assert all(parts)
