"""What runs note for sensors and alerts is a table for people, and means the same when it is read again."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets import run_notes
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.waiting import Wait
from genie_assets.run_notes import LateDay

DAY = dt.date(2026, 11, 27)
NOON = dt.datetime(2026, 11, 27, 12, 30, 15, 123456, dt.UTC)
TIMES = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2040, 1, 1))
TEXTS = st.text(max_size=20)


def stored(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """Metadata as the database gives them back."""
    event = dg.AssetMaterialization("of", metadata=metadata)
    return dg.deserialize_value(dg.serialize_value(event), dg.AssetMaterialization).metadata


def under(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


@settings(max_examples=30)
@given(
    waits=st.dictionaries(DAYS, st.builds(Wait, *[st.none() | TIMES] * 3), max_size=4),
    late=st.dictionaries(DAYS, st.builds(LateDay, TEXTS, TIMES), max_size=4),
    spaces=st.lists(st.builds(SpaceKey, TEXTS, TEXTS), max_size=4),
    causes=st.dictionaries(TEXTS, st.integers(1, 10**9), max_size=4),
    at=TIMES,
    pace=st.dictionaries(TEXTS, st.floats(0.01, 1e6).map(lambda rate: round(rate, 2)), max_size=4),
)
def test_what_is_noted_is_read_again(
    waits: dict[dt.date, Wait],
    late: dict[dt.date, LateDay],
    spaces: list[SpaceKey],
    causes: dict[str, int],
    at: dt.datetime,
    pace: dict[str, float],
) -> None:
    found = stored(
        under("waiting", run_notes.noted_waits_of_days(waits))
        | under("late_days", run_notes.noted_late_days(late))
        | run_notes.noted_changed_spaces(spaces)
        | run_notes.noted_causes(causes)
        | run_notes.noted_pace(pace)
    )
    # None of it is JSON that a person would have to read.
    assert {type(each) for each in found.values()} == {dg.TableMetadataValue}
    assert run_notes.waits_of_days(found["waiting"].value) == waits
    assert run_notes.late_days_of(found["late_days"].value) == late
    assert run_notes.changed_spaces_of(found) == spaces
    assert run_notes.causes_of(found) == causes
    assert run_notes.time_of(stored({"at": run_notes.noted_time(at)})["at"]) == at
    assert run_notes.pace_of(found["pace"].value if pace else None) == pace


READ_OF_OLD: list[tuple[Callable[[Any], Any], Any, Any]] = [
    (
        run_notes.waits_of_days,
        {"2026-11-27": [NOON.isoformat(), None, None]},
        {DAY: Wait(NOON, None, None)},
    ),
    (run_notes.late_days_of, {"2026-11-27": ["hash", NOON.isoformat()]}, {DAY: LateDay("hash", NOON)}),
    (run_notes.pace_of, {"w1": 12.5, "w2": "fast", "w3": 0}, {"w1": 12.5}),
    (lambda value: run_notes.time_of(dg.MetadataValue.text(value)), NOON.isoformat(), NOON),
    (lambda value: run_notes.pace_of([value]), {"w1": 12.5}, {}),
    (
        lambda value: run_notes.causes_of({"causes": dg.MetadataValue.json(value)}),
        {"QUOTA": 3, "none": 0, "text": "3"},
        {"QUOTA": 3},
    ),
    (lambda value: run_notes.causes_of({"causes": dg.MetadataValue.json([value])}), {"QUOTA": 3}, {}),
    (
        lambda value: run_notes.changed_spaces_of({"changed_spaces": dg.MetadataValue.json(value)}),
        [["w1", "s1"]],
        [SpaceKey("w1", "s1")],
    ),
]


@pytest.mark.parametrize(("read", "noted", "meant"), READ_OF_OLD)
def test_what_a_version_before_has_noted_is_read_too(read: Callable[[Any], Any], noted: Any, meant: Any) -> None:
    assert read(noted) == meant


def test_a_person_reads_times_and_what_is_not_known() -> None:
    (row,) = run_notes.noted_waits_of_days({DAY: Wait(NOON.replace(microsecond=0), None, None)}).records
    assert list(row.data.values()) == ["2026-11-27", "2026-11-27 12:30:15", "–", "–"]
    counted = run_notes.noted_causes({"QUOTA": 1, "PERMISSION": 7})["causes"].records
    assert [list(each.data.values()) for each in counted] == [["PERMISSION", 7], ["QUOTA", 1]]
