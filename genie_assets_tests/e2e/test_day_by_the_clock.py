"""Real processes by a fast clock: a day in which each is killed again and again, and five minutes of load."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import unattended_day
from genie_assets_tests.e2e.day_by_the_clock import library

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(library() is None and not os.environ.get("CI"), reason="no libfaketime on this machine"),
]


def test_a_day_of_kills_loses_nothing_and_nothing_is_asked_for_ever(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "genie_assets_tests.e2e.day_by_the_clock", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    day = json.loads(done.stdout.splitlines()[-1])
    assert day["problems"] == [], day
    assert day["killed"] >= 10
    # Hourly runs, those of the night, and what had to be done again: no more.
    assert 40 <= sum(day["runs"].values()) <= 160, day["runs"]


def test_after_five_minutes_of_load_the_tables_are_the_truth_and_no_process_grows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The hours of a night in which all is run that is run daily. A young process grows a little still."""
    kept = list(unattended_day.measure(minutes=5, pace=48, begins=dt.time(2, 30), may_grow=1.4))
    assert len(kept) == 4
    assert all(kept), capsys.readouterr().out
