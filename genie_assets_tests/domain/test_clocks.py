"""When two clocks are too far apart, and what is said of it."""

import datetime as dt

import pytest

from genie_assets.domain.clocks import skew_problem

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("seconds", [0, 60, -60, None])
def test_a_minute_is_nothing_to_speak_of(seconds: int | None) -> None:
    theirs = None if seconds is None else NOON + dt.timedelta(seconds=seconds)
    assert skew_problem(NOON, theirs) is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(-61, "1 minutes ahead of"), (300, "5 minutes behind"), (5400, "90 minutes behind")]
)
def test_more_is_said(seconds: int, said: str) -> None:
    assert f"Our clock is {said} Databricks'" in str(skew_problem(NOON, NOON + dt.timedelta(seconds=seconds)))
