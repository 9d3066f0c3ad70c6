"""Spaces: canonical form, latest good state, versions."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.spaces import SpaceLook, after_look, canonical_json, config_hash, new_versions
from genie_assets.domain.tables import GENIE_SPACE_DETAILS

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
FORBIDDEN = FetchError(ErrorClass.PERMISSION, "Not allowed.")
NOT_FOUND = FetchError(ErrorClass.NOT_FOUND, "Gone.")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


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


def _reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed_keys(value[key]) for key in reversed(value)}
    return [_reversed_keys(item) for item in value] if isinstance(value, list) else value


@given(json_values, st.sampled_from([None, 2, "\t"]))
def test_spelling_does_not_make_another_configuration(value: Any, indent: Any) -> None:
    one = canonical_json(json.dumps(value))
    other = canonical_json(json.dumps(_reversed_keys(value), indent=indent, ensure_ascii=False))
    assert one == other
    assert json.loads(one) == value
    assert canonical_json(one) == one


def test_the_hash_is_that_of_the_stored_text() -> None:
    assert config_hash("{}") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert canonical_json('{"b": 1, "a": "ä"}') == '{"a":"ä","b":1}'
    assert len(config_hash(canonical_json('{"a": "\\ud800"}'))) == 64


def test_a_configuration_that_is_no_json_is_kept_as_it_is() -> None:
    assert canonical_json("not json {") == "not json {"
    assert canonical_json("[" * 100_000) == "[" * 100_000


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
        "serialized_space": '{"config":"A"}',
        "config_hash": config_hash('{"config":"A"}'),
        "create_time": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "update_time": None,
        "is_trashed": False,
        "first_seen_timestamp": NOON,
        "last_seen_timestamp": NOON,
        "api_fetch_status": "SUCCESS",
        "api_fetch_error": None,
    }
    assert set(row) == set(GENIE_SPACE_DETAILS.content)


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
        '{"config":"B"}',
    )
