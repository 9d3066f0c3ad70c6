"""`genie-assets load`: days that cannot be loaded, and what it says of one that was."""

import datetime as dt
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from genie_assets.commands.cli import main
from genie_assets.commands.load import told, told_of_the_fold, told_of_the_log
from genie_assets.domain.keys import MessageKey
from genie_assets.domain.worklist import Verdict
from genie_assets.pipeline.enriched_message_details import FoldReport
from genie_assets.pipeline.fetch_report import FetchReport
from genie_assets.pipeline.things import Tally
from genie_assets.reporting import fetch_metadata, fold_metadata
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


@pytest.mark.parametrize("command", ["load", "report"])
@pytest.mark.parametrize(
    ("typed", "expected"),
    [("2026-13-01", "there is no day 2026-13-01."), ("1.2.2026", "1.2.2026 is no day: write it as YYYY-MM-DD")],
)
def test_what_is_no_day_is_told_in_the_words_of_the_help(command, typed, expected):
    """It `does not match the format '%Y-%m-%d'`, said the one, and the other's help named it so."""
    done = CliRunner().invoke(main, [command, "--to", typed])
    assert done.exit_code == 2
    assert expected in done.output
    assert "--to YYYY-MM-DD" in CliRunner().invoke(main, [command, "--help"]).output


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


def test_a_day_tells_what_became_of_each_wanted_message():
    """`wanted 35, stored 28, failed 0` left open where seven were, and hid what time did not suffice for."""
    quiet = FetchReport({}, 2, 0, 0, 0, 0.1, 0, Tally(stored=2))
    assert _told_of(quiet) == "wanted 2, stored 2, failed 0"
    left: list[tuple[Any, ...]] = [MessageKey("w", "m1"), MessageKey("w", "m2")]
    tally = Tally(stored=37, extra=9, unchanged=4, deleted=1, failed=3, not_attempted=left)
    assert _told_of(FetchReport({Verdict.NEW: 35, Verdict.BAD_REFERENCE: 3}, 35, 0, 0, 0, 0.1, 0, tally)) == (
        "wanted 35, stored 28, failed 3 (3 cannot be asked for); 4 stored before; 1 deleted; "
        "2 left for the next run; 9 brought along"
    )


def test_a_load_tells_once_that_query_history_could_not_be_read():
    """It ended with no word of it, as the check fails only once a day has waited; then each day had the words."""
    said: set[str] = set()
    refused = fold_metadata(FoldReport(history_refusal="No USE SCHEMA on system.query."))
    nothing_was_asked_of_it = fold_metadata(FoldReport())
    told_now = [told_of_the_fold(day, said) for day in (nothing_was_asked_of_it, refused, refused)]
    told_now += [told_of_the_fold(day, said) for day in (nothing_was_asked_of_it, refused)]
    assert told_now == ["", "; query history cannot be read (said once: see `genie-assets doctor`)", "", "", ""]


def test_a_load_tells_of_questions_that_the_log_does_not_name():
    """A day of an account whose log holds no responses looked like one on which nobody asked."""
    told_now = [told_of_the_log(numbers) for numbers in ({}, {"unknown": 0}, {"unknown": 1}, {"unknown": 1200})]
    assert told_now == [
        *("", "", "; 1 event that may ask something names no message"),
        "; 1,200 events that may ask something name no message",
    ]


def _told_of(report: FetchReport) -> str:
    """As it comes back from a run's events."""
    noted = dg.AssetMaterialization("genie_api_messages", metadata=fetch_metadata(report)).metadata
    return told({name: each.value for name, each in noted.items()})
