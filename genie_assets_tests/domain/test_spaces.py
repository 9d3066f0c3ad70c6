"""Spaces: latest good state, versions."""

import datetime as dt
import hashlib
import json
from typing import Any

import pytest

from genie_assets.domain.configurations import config_hash, section_hashes
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.space_facts import FACTS
from genie_assets.domain.spaces import SpaceLook, after_look, look_of, mended, new_versions
from genie_assets.domain.tables import GENIE_SPACE_DETAILS

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
FORBIDDEN = FetchError(ErrorClass.PERMISSION, "Not allowed.")
NOT_FOUND = FetchError(ErrorClass.NOT_FOUND, "Gone.")


def body(config: Any = "A", **fields: Any) -> dict[str, Any]:
    shown = {
        "space_id": "s1",
        "title": "Sales",
        "description": "All of it",
        "warehouse_id": "wh-1",
        "parent_path": "/Shared",
        "etag": "e1",
        "serialized_space": None if config is None else json.dumps({"config": config}),
        "create_time": "2026-01-01T00:00:00Z",
    }
    return {name: value for name, value in (shown | fields).items() if value is not None}


def look(
    previous: dict[str, Any] | None = None,
    shown: dict[str, Any] | None = None,
    error: FetchError | None = None,
    at: dt.datetime = NOON,
) -> dict[str, Any]:
    return after_look(previous, SpaceLook("w1", "s1", shown, error), at)


@pytest.mark.parametrize("text", ["not json \ud800", '{"a": 1e400, "b": "\ud800"}', '{"a": "\ud800"}'])
def test_what_is_hashed_is_what_a_table_keeps(text: str) -> None:
    """No table keeps half a character: whoever hashes the stored text must come to the stored hash."""
    row = look(None, body(serialized_space=text, title="half \ud83d"))
    assert row["serialized_space"].encode()
    assert row["config_hash"] == config_hash(row["serialized_space"])
    assert row["title"] == "half \ufffd"
    assert row["serialized_space"] == text.replace("\ud800", "\\ud800")
    assert row["is_escaped"] is True
    assert new_versions(row, look(row, body(serialized_space=text, title="half \ud83d")), NOON) == []


@pytest.mark.parametrize("broken", ['{"config": "B"', "not json", "[1]", "null", {"config": "B"}, 7])
def test_a_configuration_that_is_no_json_object_is_never_a_backup(broken: Any) -> None:
    """One that was cut off replaced the good one, as a version that nobody made and nothing restores."""
    cut_off = look_of(SpaceKey("w1", "s1"), body(serialized_space=broken, title="Renamed"), None)
    assert cut_off.error is not None
    assert cut_off.error.error_class is ErrorClass.BAD_PAYLOAD
    before = look(None, body())
    after = after_look(before, cut_off, NOON)
    assert after["title"] == "Renamed"
    assert [after[name] == before[name] for name in ("serialized_space", "config_hash")] == [True, True]
    assert after_look(None, cut_off, NOON)["config_hash"] is None
    for text in (
        '{"a": 1e400, "a": 2}',
        '{"a": ' + "9" * 5000 + "}",
        '{"a": ' + "[" * 20_000 + "]" * 20_000 + "}",
    ):
        assert look_of(SpaceKey("w1", "s1"), body(serialized_space=text), None).error is None


def test_a_good_look_fills_the_row() -> None:
    row = look(None, body())
    assert row == {
        "workspace_id": "w1",
        "space_id": "s1",
        "title": "Sales",
        "description": "All of it",
        "warehouse_id": "wh-1",
        "parent_path": "/Shared",
        "etag": "e1",
        "serialized_space": '{"config": "A"}',
        "is_escaped": False,
        "config_hash": config_hash('{"config": "A"}'),
        "section_hashes": json.dumps(section_hashes('{"config": "A"}')),
        "create_time": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "update_time": None,
        "is_trashed": False,
        "first_seen_timestamp": NOON,
        "last_seen_timestamp": NOON,
        "api_fetch_status": "SUCCESS",
        "api_fetch_error": None,
    }
    assert {*row, *FACTS} == set(GENIE_SPACE_DETAILS.content), "what a look at the space itself does not tell"


@pytest.mark.parametrize("error", [FORBIDDEN, NOT_FOUND, FetchError(ErrorClass.NETWORK, "Cut off.")])
def test_a_failed_look_keeps_the_last_good_configuration(error: FetchError) -> None:
    good = look(None, body())
    after = look(good, None, error, NOON + 24 * HOUR)
    changed = {name for name in after if after[name] != good[name]}
    assert changed - {"is_trashed"} == {"api_fetch_status", "api_fetch_error"}
    assert after["api_fetch_status"] == error.error_class
    assert after["is_trashed"] is (error is NOT_FOUND)


def test_a_space_without_a_title_can_be_trashed_too() -> None:
    """It was read before: that is what tells a space in the trash from one that never was."""
    assert look(look(None, body(title=None)), None, NOT_FOUND)["is_trashed"] is True


def test_a_space_that_was_never_read_is_not_known_to_be_trashed() -> None:
    row = look(None, None, NOT_FOUND)
    assert {name: value for name, value in row.items() if value is not None} == {
        "workspace_id": "w1",
        "space_id": "s1",
        "first_seen_timestamp": NOON,
        "api_fetch_status": "NOT_FOUND",
        "api_fetch_error": "Gone.",
    }


def test_a_space_that_comes_back_is_not_trashed_any_more() -> None:
    trashed = look(look(None, body()), None, NOT_FOUND)
    assert look(trashed, body())["is_trashed"] is False
    assert look(trashed, body())["api_fetch_status"] == "SUCCESS"


def test_losing_the_right_to_export_keeps_the_last_export() -> None:
    good = look(None, body("A"))
    after = look(good, body(None, title="Renamed"), FORBIDDEN)
    assert (after["title"], after["serialized_space"], after["config_hash"]) == (
        "Renamed",
        good["serialized_space"],
        good["config_hash"],
    )
    assert after["api_fetch_status"] == "PERMISSION"


POORER = [
    body(None),
    {"space_id": "s1", "title": "Sales"},
    {"space_id": "s1"},
    {"space_id": "s1", "title": "Sales", "warehouse_id": "", "serialized_space": ""},
]


@pytest.mark.parametrize("poorer", POORER)
def test_a_look_with_fewer_rights_takes_nothing_away_and_makes_no_version(poorer: dict[str, Any]) -> None:
    history = History()
    history.look(0, body("A", update_time="2026-02-01T00:00:00Z"))
    good = history.space
    assert history.look(1, poorer, FORBIDDEN) == 0
    assert good is not None
    assert history.space == good | {"api_fetch_status": "PERMISSION", "api_fetch_error": "Not allowed."}
    assert history.look(2, body("A")) == 0


def test_an_answer_that_is_behind_the_times_changes_nothing() -> None:
    """Right after a change, Databricks may still show what was before: A, B, A, B would be a history of four."""
    history = History()
    old, new = (body(each, update_time=f"2026-03-02T0{time}:00:00Z") for each, time in (("A", 1), ("B", 2)))
    for hour, shown in enumerate((old, new, old, new)):
        history.look(hour, shown)
    assert history.timeline() == [("A", 0, 1), ("B", 1, None)]
    history.look(4, body("A", update_time="2026-03-02T03:00:00Z"))
    assert history.timeline() == [("A", 0, 1), ("B", 1, 4), ("A", 4, None)]


def test_a_time_that_has_not_come_yet_freezes_no_space() -> None:
    """After one answer that told the year 9999, every later one was behind the times, for ever."""
    history = History()
    history.look(0, body("A", update_time="9999-12-31T23:59:59.999Z"))
    history.look(1, body("B", update_time="2026-03-02T13:00:00Z"))
    assert history.timeline() == [("A", 0, 1), ("B", 1, None)]


def test_a_description_that_was_taken_away_is_a_change() -> None:
    """Whoever may export sees everything: what is missing then is not there."""
    history = History()
    history.look(0, body("A"))
    assert history.look(1, {**body(None), "description": ""}, FORBIDDEN) == 2
    history.look(2, body("A"))
    assert history.look(3, body("A", description=None)) == 2
    assert history.space is not None
    assert history.space["description"] is None


def test_a_hash_of_an_older_form_makes_no_version() -> None:
    text = '{"config":{"tables":[{"id":"2"},{"id":"1"}],"empty":[]}}'
    shown = look(None, body(serialized_space=text))
    (version,) = new_versions(None, shown, NOON)
    older = hashlib.sha256(text.encode()).hexdigest()
    assert older != version["config_hash"]
    old_row, old_version = shown | {"config_hash": older}, version | {"config_hash": older}
    for again in (body(serialized_space=text), body(None)):
        assert new_versions(old_version, look(old_row, again), NOON + HOUR) == []
    closed, _ = new_versions(old_version, look(old_row, body("B")), NOON + HOUR)
    assert closed == old_version | {"valid_to": NOON + HOUR}


def test_the_text_stays_as_it_came_until_it_says_something_else() -> None:
    text = '{ "b" : [ {"id":"1"}, {"id":"2"} ],\n"a": 1.50, "a2": "\\u00e4" }'
    first = look(None, body(serialized_space=text))
    assert (first["serialized_space"], first["is_escaped"]) == (text, False)
    again = look(first, body(serialized_space='{"a":1.5,"a2":"ä","b":[{"id":"2"},{"id":"1"}],"c":[]}'))
    assert again == first
    other = look(first, body(serialized_space='{"a":1.5}'))
    assert other["serialized_space"] == '{"a":1.5}'


def test_the_history_says_which_sections_changed() -> None:
    history = History()
    for hour, (config, fields) in enumerate(
        [({"a": 1}, {}), ({"a": 1}, {"title": "New"}), ({"a": 1, "b": 2}, {"title": "Newer"})]
    ):
        history.look(hour, body(config, **fields))
    rows = sorted(history.rows.values(), key=lambda row: row["valid_from"])
    assert [row["changed_sections"] for row in rows] == [None, ["title"], ["title", "other"]]
    too_many = [*rows[:2], {**rows[1], "valid_from": rows[1]["valid_from"] + HOUR / 2}, rows[2]]
    assert mended(too_many) == (rows, too_many[2:3])


def test_looks_that_find_nothing_new_change_nothing_for_half_a_day() -> None:
    first = look(None, body())
    assert look(first, body(), at=NOON + 11 * HOUR) == first
    assert look(first, body(), at=NOON + 12 * HOUR) == first | {"last_seen_timestamp": NOON + 12 * HOUR}


class History:
    """Versions as they are stored: by key, later writes replace."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, dt.datetime], dict[str, Any]] = {}
        self.space: dict[str, Any] | None = None

    def look(self, hour: int, shown: dict[str, Any] | None, error: FetchError | None = None) -> int:
        at = NOON + hour * HOUR
        self.space = look(self.space, shown, error, at)
        in_force = [row for row in self.rows.values() if row["valid_to"] is None]
        assert len(in_force) <= 1
        written = new_versions(in_force[0] if in_force else None, self.space, at)
        self.rows |= {(row["config_hash"], row["valid_from"]): row for row in written}
        return len(written)

    def timeline(self) -> list[tuple[str, int, int | None]]:
        def hour(at: dt.datetime | None) -> int | None:
            return None if at is None else (at - NOON) // HOUR

        rows = sorted(self.rows.values(), key=lambda row: row["valid_from"])
        return [
            (json.loads(row["serialized_space"])["config"], hour(row["valid_from"]) or 0, hour(row["valid_to"]))
            for row in rows
        ]


def test_every_configuration_has_its_time_even_when_it_returns() -> None:
    history = History()
    for at, config in enumerate("AABBAB"):
        history.look(at, body(config))
    assert history.timeline() == [("A", 0, 2), ("B", 2, 4), ("A", 4, 5), ("B", 5, None)]


def test_failed_looks_and_lost_export_rights_make_no_version() -> None:
    history = History()
    assert history.look(0, None, FORBIDDEN) == 0
    assert history.look(1, body(None), FORBIDDEN) == 0
    assert history.look(2, body("A")) == 1
    assert history.look(3, None, NOT_FOUND) == 0
    assert history.look(4, body(None), FORBIDDEN) == 0
    assert history.look(5, body("A", etag="e2", update_time="2026-03-02T00:00:00Z")) == 0
    assert history.timeline() == [("A", 2, None)]


@pytest.mark.parametrize("name", ["title", "description", "warehouse_id", "parent_path"])
def test_what_users_see_of_a_space_is_part_of_its_configuration(name: str) -> None:
    history = History()
    history.look(0, body("A"))
    assert history.look(1, body("A", **{name: "changed"})) == 2
    assert history.timeline() == [("A", 0, 1), ("A", 1, None)]


def test_a_closed_version_keeps_what_it_said() -> None:
    first = look(None, body("A"))
    (version,) = new_versions(None, first, NOON)
    closed, opened = new_versions(version, look(first, body("B")), NOON + HOUR)
    assert closed == version | {"valid_to": NOON + HOUR}
    assert (opened["valid_from"], opened["valid_to"], opened["serialized_space"]) == (
        NOON + HOUR,
        None,
        '{"config": "B"}',
    )
    assert (version["changed_sections"], opened["changed_sections"]) == (None, ["other"])
