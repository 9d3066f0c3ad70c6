"""What is noted of each region of a day, and when that is a reason to load the day again."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import pytest

from genie_assets.domain.regions import (
    beside_the_stored,
    counted_once,
    held_back,
    is_late_in_a_region,
    notes_by_day,
    regions_of_load,
    unread_of,
)

DAY = dt.date(2026, 3, 2)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(hours=1)
BOTH = {"home": None, "us": None}
WITHOUT_US = {"home": None, "us": "It is away."}


def row(region: str, workspace_id: str, events: int = 3, total: int = 7) -> dict[str, Any]:
    return {
        "event_date": DAY,
        "region": region,
        "workspace_id": workspace_id,
        "event_count": events,
        "message_count": 1,
        "newest_event_time": NOON,
        "events_sum": total,
    }


def load(
    rows: list[dict[str, Any]], noted: str | None, regions: Mapping[str, str | None], at=NOON
) -> dict[str, Any]:
    return regions_of_load(notes_by_day(rows).get(DAY, {}), noted, regions, at)


def late(rows: list[dict[str, Any]], noted: str | None, read: list[str]) -> bool:
    return is_late_in_a_region(notes_by_day(rows).get(DAY, {}), noted, read)


def test_one_region_notes_nothing() -> None:
    assert load([], None, {}) == {"regions": None}


def test_what_an_unread_region_held_stays_noted_and_since_when_it_is_missing() -> None:
    whole = load([row("home", "1"), row("us", "2", events=5)], None, BOTH)
    assert (whole["event_count"], whole["message_count"], whole["newest_event_time"]) == (8, 2, NOON)
    missing = load([row("home", "1", events=4)], whole["regions"], WITHOUT_US, LATER)
    assert missing["event_count"] == 9
    assert unread_of(missing["regions"]) == {"us": LATER}
    again = load([row("home", "1", events=4)], missing["regions"], WITHOUT_US, LATER + dt.timedelta(hours=1))
    assert again == missing, "a second load that finds the same notes the same"
    back = load([row("home", "1"), row("us", "2", events=5)], again["regions"], BOTH)
    assert back == whole


def test_events_that_two_regions_show_alike_are_counted_once() -> None:
    assert load([row("home", "1"), row("us", "1")], None, BOTH)["event_count"] == 3
    assert load([row("home", "1"), row("us", "1", total=8)], None, BOTH)["event_count"] == 6


def event(event_id: str, regions: str, **cells: Any) -> dict[str, Any]:
    named = {"message_id": "m1", "conversation_id": "c1", "space_event_id": None, "is_agents": False}
    told = {"workspace_id": "moved", "action_name": "updateConversationMessage", "is_refused": False}
    return {"event_id": event_id, "event_count": 1, "region": regions, **named, **told, **cells}


NAMELESS = {"message_id": None, "conversation_id": None}
OF_AN_AGENT = {"message_id": None, "is_agents": True}
EVENTS = [
    event("1", "home"),
    event("2", "home,us"),
    event("3", "us"),
    event("4", "us,home", message_id="m2"),
    event("5", "home,us", **NAMELESS, action_name="deleteConversation"),
    event("6", "home,us", **NAMELESS, space_event_id="6"),
    event("7", "home,us", **OF_AN_AGENT),
    # These name nothing that a load stores.
    event("8", "home,us", **NAMELESS),
    event("9", "home,us", **OF_AN_AGENT, is_refused=True),
    event("10", "home,us", **OF_AN_AGENT, action_name="listConversations"),
]


def test_what_two_regions_show_of_a_workspace_that_moved_is_counted_once_even_if_each_shows_something_else() -> (
    None
):
    rows = [{**row("home", "moved", 6, 1), "message_count": 2}, {**row("us", "moved", 6, 2), "message_count": 2}]
    rows += [row("us", "2", events=5)]
    once = counted_once(load(rows, None, BOTH), EVENTS)
    assert (once["event_count"], once["message_count"]) == (7 + 5, 2 + 1)
    assert load(rows, once["regions"], BOTH) == once, "nobody has to read the events again to know"
    assert not late(rows, once["regions"], ["home", "us"])
    missing = counted_once(load(rows[:1], once["regions"], WITHOUT_US, LATER), EVENTS[:1])
    assert (missing["event_count"], missing["message_count"]) == (12, 3), "as it was when it could be read"
    grown = [{**rows[0], "event_count": 8, "events_sum": 3}, *rows[1:]]
    assert load(grown, once["regions"], BOTH)["regions"] != once["regions"], "these events are to be read"
    assert counted_once(load([row("us", "2")], None, {}), EVENTS) == {"regions": None}


def test_a_day_is_late_if_a_region_holds_more_or_was_missed_but_not_for_what_cannot_be_read() -> None:
    rows = [row("home", "1"), row("us", "2")]
    noted = load(rows, None, BOTH)["regions"]
    assert not late(rows, noted, ["home", "us"])
    assert late(rows, None, ["home", "us"]), "loaded when there was one region"
    assert late([rows[0], row("us", "2", total=9)], noted, ["home", "us"])
    assert not late([rows[0]], noted, ["home"]), "of the other one nothing is known"
    assert not late([rows[0]], noted, ["home", "us"]), "what the log has forgotten is no reason"
    missed = load([rows[0]], noted, WITHOUT_US)["regions"]
    assert not late([rows[0]], missed, ["home"])
    assert late(rows, missed, ["home", "us"]), "it may have had more in between, or not: only a load can tell"
    silent = load([rows[0]], None, WITHOUT_US)["regions"]
    assert late([rows[0]], silent, ["home", "us"]), "and so if it shows nothing of the day"


def test_what_is_stored_of_a_workspace_stays_while_a_region_is_unread_that_showed_it() -> None:
    noted = load([row("home", "moved"), row("us", "moved"), row("home", "1")], None, BOTH)["regions"]
    assert held_back(noted, WITHOUT_US) == {"moved"}
    assert held_back(noted, BOTH) == set()
    held = {"moved"}
    old, new = ({"workspace_id": "moved", "message_id": each} for each in ("old", "new"))
    elsewhere = {"workspace_id": "1", "message_id": "old"}
    assert beside_the_stored([old, new, elsewhere], [old, elsewhere], held) == [new, elsewhere]


@pytest.mark.parametrize(
    "edited",
    [
        "us",
        "[]",
        '{"us": null}',
        '{"us": {"workspaces": {"2": [5]}, "newest": null, "unread_since": null}}',
        '{"us": {"workspaces": {}, "newest": null, "unread_since": "yesterday"}}',
        '{"us": {"workspaces": {}, "newest": "2026-03-02T12:00:00", "unread_since": null}}',
    ],
)
def test_what_somebody_else_wrote_there_stops_nothing_and_has_the_day_loaded_again(edited: str) -> None:
    assert unread_of(edited) == {}
    assert held_back(edited, WITHOUT_US) == set()
    rows = [row("home", "1"), row("us", "2")]
    assert late(rows, edited, ["home", "us"])
    assert load(rows, edited, WITHOUT_US) == load(rows, None, WITHOUT_US)


def test_notes_can_be_read_by_people() -> None:
    noted = json.loads(load([row("us", "2")], None, BOTH)["regions"])
    assert noted["us"]["workspaces"] == {"2": [3, 1, 7]}
