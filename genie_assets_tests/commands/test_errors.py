"""`genie-assets errors`, on real tables: what is shown, what is changed, and when it says that it cannot."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from genie_assets.commands.cli import main
from genie_assets.domain import ledger
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import COMMENT_FETCH_ERRORS, GENIE_SPACE_DETAILS, MESSAGE_FETCH_ERRORS, records
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.e2e.pipelines import forget_settings

DAY = dt.date(2026, 3, 2)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOSTILE = "first line\nFAIL \x1b[2J\x1b]0;title\x07 \u202egnp.exe"
PROGRAM = Path(sys.executable).parent / "genie-assets"


def error(message_id: str, error_class: ErrorClass = ErrorClass.PERMISSION, **cells: Any) -> dict[str, Any]:
    ids = {"workspace_id": "w1", "space_id": "s1", "conversation_id": "c1", "message_id": message_id}
    failure = FetchError(error_class, cells.pop("text", "Refused."))
    row = ledger.failed(ids, failure, previous=None, event_date=DAY, now=NOON, jitter=0.5)
    return row | cells


def store(path: Path, *rows: dict[str, Any]) -> Lakehouse:
    lake = open_lakehouse(str(path))
    lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows))
    return lake


def ledger_of(lake: Lakehouse) -> dict[str, dict[str, Any]]:
    return {row["message_id"]: row for row in records(lake.read(MESSAGE_FETCH_ERRORS))}


@pytest.fixture(autouse=True)
def lakehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENIE_LAKEHOUSE", "tables")
    return tmp_path / "tables"


def run(*arguments: str, color: bool = False) -> Result:
    done = CliRunner().invoke(main, ["errors", *arguments], color=color)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


def test_three_errors_are_shown_whole_with_what_to_do(lakehouse: Path) -> None:
    lake = store(lakehouse, error("m1"), error("m2", text=HOSTILE), error("m3", ErrorClass.BAD_REFERENCE))
    lake.merge(
        GENIE_SPACE_DETAILS,
        GENIE_SPACE_DETAILS.frame([{"workspace_id": "w1", "space_id": "s1", "title": "Sales\n\x1b[31m"}]),
    )
    done = run("list")
    assert done.exit_code == 0
    assert all(f"message {name}\n" in done.output for name in ("m1", "m2", "m3"))
    assert r"first line FAIL \x1b[2J\x1b]0;title\x07 \u202egnp.exe" in done.output
    assert {"\x1b", "\x07", "\u202e"}.isdisjoint(done.output)
    assert f"3 open errors in {lakehouse}" in done.output
    assert "grant CAN MANAGE" in done.output
    assert r"workspace w1  space s1  Sales \x1b[31m" in done.output
    assert "`genie-assets errors close --class BAD_REFERENCE`" in done.output


def test_thousands_of_errors_are_told_in_numbers(lakehouse: Path) -> None:
    store(lakehouse, *(error(f"m{n}", list(ErrorClass)[n % 5], space_id=f"s{n % 400}") for n in range(3000)))
    done = run("list")
    lines = done.output.splitlines()
    assert len(lines) < 100
    assert "... and 2,980 more: --limit shows more, --class and --workspace choose." in lines
    assert f"3,000 open errors in {lakehouse}" in lines
    assert any(line.startswith("  TIMEOUT: 600 in ") for line in lines)
    assert len(run("list", "--class", "timeout", "--limit", "50").output.splitlines()) > 150


def test_a_class_may_be_written_in_any_case_and_an_unknown_one_is_a_usage_error(lakehouse: Path) -> None:
    """Both were no error of that class: 0 open errors, exit code 0."""
    store(lakehouse, error("m1"), error("m2", ErrorClass.SERVER))
    for spelling in ("permission", "Permission", "PERMISSION"):
        done = run("list", "--class", spelling)
        assert (done.exit_code, "1 open error in" in done.output) == (0, True)
    for command in ("list", "requeue", "close"):
        done = run(command, "--class", "BOGUS")
        assert done.exit_code == 2
        assert all(name in done.output for name in ("BOGUS", *ErrorClass))


@pytest.mark.parametrize("command", [["list"], ["requeue", "--all"], ["close", "--class", "SERVER"]])
def test_a_place_without_a_ledger_is_no_place_without_errors(lakehouse: Path, command: list[str]) -> None:
    """A mistyped folder had 0 open errors."""
    done = run(*command)
    assert done.exit_code == 1
    assert f"at {lakehouse}: none of our tables is there. Is GENIE_LAKEHOUSE right?" in done.output
    lake = open_lakehouse(str(lakehouse))
    lake.merge(GENIE_SPACE_DETAILS, GENIE_SPACE_DETAILS.frame([{"workspace_id": "w1", "space_id": "s1"}]))
    done = run(*command)
    assert (done.exit_code, "only genie_space_details are there" in done.output) == (1, True)
    assert not lake.exists(MESSAGE_FETCH_ERRORS)


def test_an_empty_ledger_says_where_it_is(lakehouse: Path) -> None:
    store(lakehouse, ledger.resolved(error("m1"), ledger.FETCHED, NOON))
    done = run("list")
    assert (done.exit_code, done.output) == (0, f"No such open errors in {lakehouse}.\n")


def test_what_can_be_tried_again_is_due_and_the_rest_is_named(lakehouse: Path) -> None:
    """Due without ids, an error ran its day every half hour, for ever."""
    parked = error("m2", ErrorClass.BAD_REFERENCE, conversation_id=None)
    lake = store(lakehouse, error("m1", ErrorClass.SERVER, event_date=dt.date(2026, 3, 1)), parked)
    done = run("requeue", "--all")
    assert done.exit_code == 1
    assert "Due now: 1 error of 1 day (1 SERVER)." in done.output
    assert "genie-assets load --from 2026-03-01 --to 2026-03-01" in done.output
    assert "1 more cannot be tried again" in done.output
    assert "`genie-assets errors close --class BAD_REFERENCE`" in done.output
    after = ledger_of(lake)
    assert after["m1"]["next_retry_timestamp"] > NOON
    assert (after["m2"]["next_retry_timestamp"], after["m2"]["resolution"]) == (None, "GAVE_UP")


def test_what_no_run_would_ever_try_does_not_become_due(lakehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be due for ever, of a day that is no partition: nothing would happen, and nothing would say so."""
    monkeypatch.setenv("GENIE_FIRST_DAY", "2026-03-02")
    early = error("early", ErrorClass.SERVER, event_date=dt.date(2026, 3, 1))
    odd = error("odd", ErrorClass.SERVER, event_date=None)
    lake = store(lakehouse, early, odd, error("m1", ErrorClass.SERVER))
    assert run("list").exit_code == 0
    done = run("requeue", "--all")
    assert done.exit_code == 1
    assert "Due now: 1 error of 1 day (1 SERVER)." in done.output
    assert "2 more are of days before GENIE_FIRST_DAY (2026-03-02)" in done.output
    assert ledger_of(lake)["early"]["next_retry_timestamp"] == early["next_retry_timestamp"]


def test_the_demos_errors_are_shown_when_they_are_asked_for(lakehouse: Path, tmp_path: Path) -> None:
    """What the demo's failing check recommends must work beside an account, and touch nothing of it."""
    store(lakehouse, error("m1"))
    assert "`genie-assets demo` makes them" in run("list", "--demo").output
    made_up = open_lakehouse(str(tmp_path / ".genie/demo/lakehouse"), made_up=True)
    made_up.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame([error("m2", ErrorClass.SERVER)]))
    assert "message m2" in run("list", "--demo").output
    assert "genie-assets dev --demo" in run("requeue", "--demo", "--class", "SERVER").output
    assert "Closed: 1 error" in run("close", "--demo", "m2").output
    assert "message m1" in run("list").output


def test_errors_are_closed_by_class_by_workspace_or_by_name(lakehouse: Path) -> None:
    rows = [error("m1"), error("m2", ErrorClass.SERVER), error("m3", ErrorClass.SERVER, workspace_id="w2")]
    lake = store(lakehouse, *rows, error("m4", ErrorClass.NOT_FOUND), error("m5"))
    assert "Closed: 1 error of 1 day (1 NOT_FOUND)." in run("close", "--class", "not_found").output
    assert "Closed: 1 error of 1 day (1 SERVER)." in run("close", "--workspace", "w2").output
    assert "Closed: 1 error of 1 day (1 PERMISSION)." in run("close", "m1").output
    closed = {name for name, row in ledger_of(lake).items() if row["resolution"] == ledger.CLOSED}
    assert closed == {"m1", "m3", "m4"}
    assert run("close").exit_code == run("requeue").exit_code == 2


def test_what_lies_around_messages_has_the_same_commands(lakehouse: Path) -> None:
    """A check says that comments cannot be read: its advice must not end at the ledger of messages."""
    lake = store(lakehouse, error("m1"))
    parked = {"next_retry_timestamp": None, "resolution": "GAVE_UP"}
    comments = [error("m2", ErrorClass.SERVER, **parked), error("m3")]
    lake.merge(COMMENT_FETCH_ERRORS, COMMENT_FETCH_ERRORS.frame(map(COMMENT_FETCH_ERRORS.part, comments)))
    shown = run("list", "--of", "comments").output
    assert "message m2" in shown
    assert "2026-03-02  SERVER, 1 failure, parked" in shown
    assert "`genie-assets errors requeue --of comments --class SERVER`" in shown
    assert "m1" not in shown
    assert (
        "next run of the job genie_conversations" in run("requeue", "--of", "comments", "--class", "SERVER").output
    )
    assert "Closed: 1 error" in run("close", "--of", "comments", "m3").output
    rows = {row["message_id"]: row for row in lake.records(COMMENT_FETCH_ERRORS)}
    assert (rows["m2"]["resolved"], rows["m2"]["next_retry_timestamp"] is None) == (False, False)
    assert rows["m3"]["resolution"] == ledger.CLOSED
    assert ledger_of(lake)["m1"]["resolved"] is False
    assert "No such open errors" in run("list", "--of", "agents").output
    refused = run("close", "--of", "evaluations", "--class", "SERVER")
    assert (refused.exit_code, "each run of genie_evaluations looks at them again" in refused.output) == (1, True)


@pytest.mark.parametrize("command", ["list", "requeue", "close"])
def test_a_message_without_an_open_error_is_named(lakehouse: Path, command: str) -> None:
    store(lakehouse, error("m1"))
    done = run(command, "m1", "nope\x1b[2J")
    assert done.exit_code == 1
    assert r"no such open error of: nope\x1b[2J." in done.output


def test_everything_is_there_as_json(lakehouse: Path) -> None:
    store(lakehouse, *(error(f"m{n:02}", text=HOSTILE) for n in range(30)))
    shown = [json.loads(line) for line in run("list", "--json").output.splitlines()]
    assert [row["message_id"] for row in shown] == [f"m{n:02}" for n in range(30)]
    assert (shown[0]["error_message"], shown[0]["event_date"]) == (HOSTILE, "2026-03-02")
    assert set(shown[0]) == set(MESSAGE_FETCH_ERRORS.column_names)


def test_colours_are_left_out_where_they_are_not_wanted(lakehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(lakehouse, error("m1"))
    assert "\x1b[1m" in run("list", color=True).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("list", color=True).output


def test_a_reader_who_has_seen_enough_is_no_error_worth_a_traceback(lakehouse: Path) -> None:
    store(lakehouse, *(error(f"m{n}", text="x" * 400) for n in range(1000)))
    with subprocess.Popen(
        [PROGRAM, "errors", "list", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"workspace_id"')
        process.stdout.close()
        assert process.stderr.read() == b""


_HEAVY = {"dagster", "pandas", "databricks", "pyspark", "rich"}
_WHAT_IS_LOADED = """
import sys
from genie_assets.commands.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--help"], set()),
        (["-h"], set()),
        (["--version"], set()),
        (["errors", "-h"], set()),
        (["load", "-h"], set()),
        (["errors", "list"], set()),
        (["errors", "list", "m1", "--class", "PERMISSION", "--json"], set()),
        # What is written is a frame.
        (["errors", "requeue", "--all"], {"pandas"}),
        (["errors", "close", "m1"], {"pandas"}),
    ],
)
def test_nobody_waits_for_what_is_not_needed(lakehouse: Path, arguments: list[str], needed: set[str]) -> None:
    """`--help` and `errors list` took five to seven seconds: Dagster, pandas and the SDK were imported first."""
    store(lakehouse, error("m1"))
    done = subprocess.run(
        [sys.executable, "-c", _WHAT_IS_LOADED, *arguments],
        env={**os.environ, "GENIE_LAKEHOUSE": str(lakehouse)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert _HEAVY.intersection(done.stderr.split()) == needed


def test_a_space_that_is_not_known_is_not_counted_as_one(lakehouse: Path) -> None:
    store(lakehouse, error("m1", ErrorClass.BAD_REFERENCE, space_id=None))
    shown = run("list").output
    assert "1 in unknown spaces" in shown
    assert "space unknown  message m1" in shown
    store(lakehouse, error("m2", ErrorClass.BAD_REFERENCE), error("m3", space_id=None))
    shown = run("list").output
    assert "2 in 1 space and unknown ones" in shown
    assert "workspace w1  space unknown" in shown
    assert "None" not in shown
