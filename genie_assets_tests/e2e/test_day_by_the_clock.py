"""Twenty-four hours of real processes by a clock that runs fast, each of them killed again and again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from genie_assets_tests.e2e.day_by_the_clock import library

pytestmark = [pytest.mark.rare, pytest.mark.timeout(2400)]


@pytest.mark.skipif(library() is None and not os.environ.get("CI"), reason="no libfaketime on this machine")
def test_a_day_of_kills_loses_nothing_and_nothing_is_asked_for_ever(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "genie_assets_tests.e2e.day_by_the_clock", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    day = json.loads(done.stdout.splitlines()[-1])
    assert day["problems"] == [], day
    assert day["killed"] >= 10
    # Hourly runs, those of the night, and what had to be done again: no more.
    assert 40 <= sum(day["runs"].values()) <= 160, day["runs"]
