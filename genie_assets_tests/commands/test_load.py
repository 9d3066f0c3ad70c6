"""`genie-assets load` before anything runs: days that cannot be loaded."""

import datetime as dt

import pytest
from click.testing import CliRunner

from genie_assets.commands.cli import main
from genie_assets_tests.e2e.pipelines import forget_settings

TODAY = dt.datetime.now(dt.UTC).date()
LATER = TODAY + dt.timedelta(days=400)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--from", f"{LATER}"], f"--from {LATER} lies in the future"),
        (["--to", f"{LATER}"], f"--to {LATER} lies in the future"),
        (["--from", f"{LATER}", "--to", f"{LATER}"], f"--to {LATER} lies in the future"),
        (["--from", "2024-12-31"], "--from 2024-12-31 lies before 2025-01-01, the first day (GENIE_FIRST_DAY)"),
        (["--to", "2024-12-31"], "--to 2024-12-31 lies before 2025-01-01"),
        (["--from", "2025-02-02", "--to", "2025-02-01"], "--from 2025-02-02 lies after --to 2025-02-01"),
    ],
)
def test_days_that_cannot_be_loaded_are_refused_in_one_sentence(arguments, expected, tmp_path, monkeypatch):
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["load", *arguments])
    assert done.exit_code == 2
    assert expected in done.output
    assert done.output.count("\n") == 1
    # Before anything was made or asked.
    assert list(tmp_path.iterdir()) == []


def test_the_first_day_is_the_one_that_is_set(tmp_path, monkeypatch):
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENIE_FIRST_DAY", "2026-03-01")
    done = CliRunner().invoke(main, ["load", "--from", "2026-02-28"])
    assert done.exit_code == 2
    assert "lies before 2026-03-01" in done.output


def test_a_home_that_is_relative_is_refused(tmp_path, monkeypatch):
    """Dagster's own commands refuse it, and another working directory would be another home."""
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", "~/dagster")
    done = CliRunner().invoke(main, ["load"])
    assert done.exit_code == 1
    assert done.output == (
        "Error: DAGSTER_HOME is ~/dagster: set it to an absolute path, as Dagster's own commands demand.\n"
    )
    assert list(tmp_path.iterdir()) == []
