"""Numbers and times of Genie's messages, in every form in which the API has them."""

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.messages import (
    Message,
    as_int,
    epoch_ms,
    parse_message,
    parse_time,
    utc_date,
)

ASKED_MS = 1_772_452_800_000  # 2026-03-02T12:00:00Z
ASKED = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def message(**fields: Any) -> Message:
    return parse_message({"message_id": "m1", "status": "COMPLETED", **fields})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        ("7", 7),
        (" 7 ", 7),
        (7.0, 7),
        (0, 0),
        (-3, -3),
        (2**53 + 1, 2**53 + 1),
        (str(2**63 - 1), 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, None),
        (-(2**63) - 1, None),
        (7.5, None),
        (math.nan, None),
        (-math.inf, None),
        (1e300, None),
        (True, None),
        (None, None),
        ("", None),
        ("seven", None),
        ("7.0", None),
        ("9" * 10_000, None),
        ([7], None),
        ({}, None),
    ],
)
def test_an_int64_may_be_a_number_or_text_and_nothing_else(value: Any, expected: int | None) -> None:
    assert as_int(value) == expected


@given(st.integers(-(2**63), 2**63 - 1))
def test_an_int64_is_never_rounded(value: int) -> None:
    """User ids exceed 2^53: a detour through a float would make them another user's."""
    assert as_int(value) == as_int(str(value)) == value
    assert message(user_id=str(value)).user_id == message(user_id=value).user_id == str(value)


@pytest.mark.parametrize(
    "value",
    [
        ASKED_MS,
        str(ASKED_MS),
        float(ASKED_MS),
        ASKED_MS + 0.4,
        f" {ASKED_MS}.0 ",
        f"{ASKED_MS}.",
        f"{ASKED_MS / 1e12}e12",
        ASKED_MS / 1000,
        f"{ASKED_MS / 1000}",
        f"{ASKED_MS}000.0",
        ASKED_MS // 1000,
        ASKED_MS * 1000,
        "2026-03-02T12:00:00Z",
        "2026-03-02T12:00:00",
        "2026-03-02T13:30:00.000+01:30",
    ],
)
def test_a_time_is_recognised_in_every_unit(value: Any) -> None:
    assert epoch_ms(value) == ASKED_MS


@pytest.mark.parametrize("value", [10**14 + 1, 253_402_300_799_999, "253402214400000"])
def test_a_time_of_a_far_year_is_no_time_of_another_unit(value: Any) -> None:
    """Up to the end of the calendar; taken for µs, the year 9999 would be 1978."""
    assert epoch_ms(value) == int(value)


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        "",
        "soon",
        "-1.0",
        "1.7e99",
        "0.0",
        1e300,
        "nan",
        None,
        True,
        [],
        math.nan,
        2**63 - 1,
        10**18,
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_is_no_time_of_a_message_is_unknown(value: Any) -> None:
    """A time beyond the calendar, or the year 1 of an unset field, would stop every later run of its day."""
    assert epoch_ms(value) is None


def test_microseconds_are_kept_to_the_millisecond() -> None:
    assert epoch_ms("2026-03-02T12:00:00.123456Z") == ASKED_MS + 123


def test_times_are_utc_and_never_raise() -> None:
    assert parse_time("2026-03-02T12:00:00Z") == ASKED
    assert parse_time("2026-03-02T14:00:00+02:00") == ASKED
    assert [parse_time(value) for value in ("", "x", None, 5, "0001-01-01T00:00:00+14:00")] == [None] * 5


def test_a_message_lives_on_its_utc_day() -> None:
    midnight = 1_772_409_600_000
    assert [utc_date(ms) for ms in (midnight - 1, midnight)] == [dt.date(2026, 3, 1), dt.date(2026, 3, 2)]
    assert [utc_date(ms) for ms in (None, 2**62)] == [None, None]
