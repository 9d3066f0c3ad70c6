"""Who changed a space, and which of its versions that made."""

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.actions import may_change
from genie_assets.domain.space_events import (
    CHANGES_A_SPACE,
    Fate,
    Origin,
    fate,
    kind_of,
    origins,
    space_events,
)
from genie_assets.gateways.sql.texts import sql_text

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def at(minute: int) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minute)


def version(minute: int, told: int | None = None) -> dict[str, Any]:
    return {"valid_from": at(minute), "update_time": None if told is None else at(told)}


def event(minute: int, kind: str = "UPDATED", who: str | None = "ann") -> dict[str, Any]:
    return {
        "event_time": at(minute),
        "event_id": f"e{minute}",
        "event": kind,
        "actor": who,
        "action_name": "updateSpace",
    }


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("createSpace", "CREATED"),
        ("genieCreateSpace", "CREATED"),
        ("cloneSpace", "CREATED"),
        ("genieUpdateSpace", "UPDATED"),
        ("updateGenieColumnConfigs", "UPDATED"),
        ("updateSampleQuestions", "UPDATED"),
        ("deleteInstruction", "UPDATED"),
        ("createCuratedQuestion", "UPDATED"),
        ("createFile", "UPDATED"),
        ("genieTrashSpace", "TRASHED"),
        ("deleteSpace", "DELETED"),
        ("restoreSpace", "RESTORED"),
        ("untrashSpace", "RESTORED"),
        ("getSpace", None),
        ("genieListSpaces", None),
        ("listInstructions", None),
        ("createConversation", None),
        ("executeFullQueryResult", None),
        ("createEvaluationRun", None),
        ("updateConversationMessage", None),
    ],
)
def test_an_action_does_to_a_space_what_its_name_says(action: str, kind: str | None) -> None:
    assert kind_of(action) == kind
    assert kind is None or may_change(action)


@pytest.mark.parametrize("statement", ["audit_message_events", "audit_days"])
def test_the_statements_look_at_what_the_rule_takes(statement: str) -> None:
    assert f"'{CHANGES_A_SPACE}'" in sql_text(statement)


def test_events_that_name_no_space_are_none_of_a_space() -> None:
    row = {"workspace_id": "w", "action_name": "updateSpace", "first_event_time": NOON, "actor": None}
    assert space_events([{**row, "space_id": None, "space_event_id": "e"}]) == []
    assert space_events([{**row, "space_id": "s", "space_event_id": None}]) == []
    (found,) = space_events([{**row, "space_id": "s", "space_event_id": "e"}])
    assert (found["event"], found["actor"], found["event_time"]) == ("UPDATED", None, NOON)


def test_a_version_is_of_who_changed_last_before_the_look() -> None:
    found = origins([version(0), version(60), version(120)], [event(10), event(20, who="bob"), event(130)])
    assert found == [
        Origin(None, at(0)),
        Origin(at(0), at(60), at(20), "bob", "updateSpace", 2),
        Origin(at(60), at(120)),
    ]


def test_what_was_done_after_the_time_that_the_space_tells_was_not_seen() -> None:
    """A space may be shown as it was for a while; the clocks of the log and the API differ a little."""
    found = origins([version(0), version(60, told=10)], [event(11), event(50, who="bob")])
    assert (found[1].author, found[1].changes) == ("ann", 1)


def test_a_space_that_tells_a_time_at_the_end_of_the_calendar_has_a_history_all_the_same() -> None:
    """A minute later there is no time."""
    told = version(10) | {"update_time": dt.datetime.max.replace(tzinfo=dt.UTC)}
    (origin,) = origins([told], [event(5)])
    assert origin.changed_at == at(5)


def test_a_space_that_was_only_put_into_the_trash_got_no_version_by_it() -> None:
    assert origins([version(0), version(60)], [event(10, "TRASHED")])[1].changed_at is None


@given(
    looks=st.lists(st.integers(0, 500), min_size=1, unique=True).map(sorted),
    events=st.lists(st.integers(0, 500), unique=True),
)
@settings(max_examples=60, deadline=None)
def test_no_change_makes_two_versions_and_none_is_later_than_its_look(looks: list[int], events: list[int]) -> None:
    found = origins([version(each) for each in looks], [event(each) for each in reversed(events)])
    assert sum(each.changes for each in found) == sum(each <= looks[-1] for each in events)
    times = [each.changed_at for each in found if each.changed_at]
    assert all(one < other for one, other in pairwise(times))
    assert all(each.changed_at is None or each.changed_at <= each.until for each in found)


def test_what_became_of_a_space_is_told_by_the_latest_of_each_kind() -> None:
    events = [event(3, "TRASHED", "bob"), event(1, "CREATED"), event(2, "UPDATED"), event(1, "TRASHED")]
    assert fate(events) == Fate(created_at=at(1), created_by="ann", trashed_at=at(3), trashed_by="bob")
    assert fate([]) == Fate()
