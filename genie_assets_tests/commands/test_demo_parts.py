"""What the demo says of planted faults, and how its folder outlives kills and others' ports."""

import datetime as dt
import io
import re
import socket
import threading
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from rich.console import Console

from genie_assets.commands.demo_faults import failing_checks, planted_errors
from genie_assets.commands.demo_output import print_summary
from genie_assets.commands.demo_place import DemoPlace, Tables
from genie_assets.commands.demo_result import DemoResult
from genie_assets.domain.health import Accounting
from genie_sandbox.account import Account
from genie_sandbox.made_up.generator import generate
from genie_sandbox.truth.tables import truth

END = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def made_up() -> Account:
    return generate(seed=20, anchor=END, days=30, messages=600)


@pytest.fixture(scope="module")
def expected(made_up: Account) -> dict[str, list[dict[str, Any]]]:
    at = made_up.anchor + 24 * 3_600_000
    return truth(made_up, at=at, now=at)


def result(failed: set[str], planted: dict[str, str], **fields: Any) -> DemoResult:
    names = ("api_success_rate", "nothing_is_lost", "no_open_errors_left")
    made: dict[str, Any] = {
        "tables": Tables("lakehouse"),
        "days": 30,
        "accounting": Accounting(discovered=3, stored=2, open_errors=1, deleted=0, closed=0, pending=0),
        "rows": {},
        "statuses": {},
        "errors_by_class": {},
        "message_requests": 1,
        "space_requests": 1,
        "checks": {name: name not in failed for name in names},
        "report": "file:///report.html",
        "expected_failures": planted,
        "planted_errors": [],
        "differences": [],
        "seconds": 1.0,
    }
    return DemoResult(**made | fields)


def test_a_check_that_fails_is_a_problem_unless_a_fault_was_planted_for_it_and_the_other_way_round():
    planted = {"no_open_errors_left": "13 messages cannot be read."}
    assert result({"no_open_errors_left"}, planted).problems == []
    (lost,) = result({"no_open_errors_left", "nothing_is_lost"}, planted).problems
    assert "nothing_is_lost failed, and no fault is planted" in lost
    (unseen,) = result(set(), planted).problems
    assert "no_open_errors_left passed, though a fault is planted" in unseen
    assert result({"no_open_errors_left"}, planted, differences=["one"]).problems == ["one"]


def test_planted_errors_are_told_by_class_with_their_cause_and_what_to_do(made_up, expected):
    found = {each.error_class: each for each in planted_errors(made_up, expected)}
    assert sum(each.count for each in found.values()) == len(expected["message_fetch_errors"]) > 0
    assert "'Salaries (restricted)', which our principal may not manage" in found["PERMISSION"].why
    assert "grant CAN MANAGE" in found["PERMISSION"].what_to_do
    assert "requeue" not in found["BAD_REFERENCE"].what_to_do
    assert not any("that the account does not have" in each.why for each in found.values())
    assert (
        f"{len(expected['message_fetch_errors'])} messages"
        in (failing_checks(made_up, expected, END)["no_open_errors_left"])
    )


def test_an_account_in_which_everything_can_be_read_lets_no_check_fail(made_up, expected):
    calm = {**expected, "message_fetch_errors": []}
    assert failing_checks(made_up, calm, END).keys() <= {"enrichment_coverage"}


def test_a_low_rate_is_told_with_workspace_day_and_numbers(made_up, expected):
    """What the check finds in the tables: too many of one workspace's messages of one day."""
    day = END.date()
    names = {place.workspace_id: place.name for place in made_up.workspaces}
    workspace_id = next(iter(names))
    keys = [{"workspace_id": workspace_id, "message_id": f"m{n}"} for n in range(40)]
    low = {
        "genie_messages_to_fetch": [{**key, "event_date": day} for key in keys],
        "message_details": [
            {**key, "created_date": day, "enrichment_status": "COMPLETE"} for key in keys[:30]
        ],
        "message_fetch_errors": [
            {**key, "space_id": None, "error_class": "NOT_FOUND"} for key in keys[30:]
        ],
    }  # fmt: skip
    reason = failing_checks(made_up, low, END)["api_success_rate"]
    assert f"10 of 40 messages of {names[workspace_id]} on {day}" in reason


def test_an_account_that_ended_long_ago_has_no_fresh_audit_log(made_up, expected):
    """The demo of last week, run again: nothing has happened in its account since."""
    assert "audit_is_fresh" not in failing_checks(made_up, expected, END + dt.timedelta(hours=5))
    later = failing_checks(made_up, expected, END + dt.timedelta(days=7))
    assert "2026-05-04" in later["audit_is_fresh"]


def test_half_an_account_is_made_anew(tmp_path: Path, made_up: Account):
    """The demo was killed while it wrote the account."""
    place = DemoPlace(tmp_path / "demo")
    unfinished = tmp_path / "demo/sandbox/account.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "account.json").write_text("{", encoding="utf-8")
    made = place.account(60)
    assert place.account(9999) == made
    assert not unfinished.exists()


@pytest.mark.long
def test_the_sandbox_comes_back_to_its_ports_waits_for_a_killed_one_and_leaves_others_alone(tmp_path: Path):
    place = DemoPlace(tmp_path / "demo")
    place.account(60)
    with place.sandbox() as sandbox:
        before = list(sandbox.urls.values())
    port = int(before[0].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)) as killed:
        # What a killed demo left listens for a moment.
        threading.Timer(0.5, killed.close).start()
        with place.sandbox() as sandbox:
            assert list(sandbox.urls.values()) == before
    with socket.create_server(("127.0.0.1", port)), place.sandbox() as sandbox:
        moved = list(sandbox.urls.values())
        assert before[0] not in moved
    with place.sandbox() as sandbox:
        assert list(sandbox.urls.values()) == moved


def test_a_disk_without_room_is_named_before_anything_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10, 10, 99 << 20))
    with pytest.raises(click.ClickException, match="has 99 MiB left, and the demo needs 150"):
        DemoPlace(tmp_path / "demo").require_room()


def test_the_ui_shows_the_lakehouse_of_the_last_demo(tmp_path: Path):
    place = DemoPlace(tmp_path / "demo")
    assert place.last_tables() == Tables(str(tmp_path / "demo/lakehouse"))
    chosen = replace(result(set(), {}), tables=Tables("uc://main.genie_demo", "liquid"))
    (tmp_path / "demo").mkdir()
    chosen.write(place.result)
    assert place.last_tables() == Tables("uc://main.genie_demo", "liquid")
    place.result.write_text("{", encoding="utf-8")
    assert place.last_tables() == Tables(str(tmp_path / "demo/lakehouse"))


def test_a_folder_that_was_copied_shows_its_own_tables_and_not_those_that_it_was_copied_from(tmp_path: Path):
    place = DemoPlace(tmp_path / "copy/.genie/demo")
    (place.folder / "lakehouse").mkdir(parents=True)
    replace(result(set(), {}), tables=Tables(str(tmp_path / "it/.genie/demo/lakehouse"))).write(place.result)
    assert place.last_tables() == place.tables()
    replace(result(set(), {}), tables=Tables(str(tmp_path / "it/demo/lakehouse"))).write(place.result)
    assert place.last_tables().lakehouse == str(tmp_path / "it/demo/lakehouse")


def shown(what: DemoResult, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_summary(what, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_texts_of_the_account_are_shown_as_they_are_whatever_a_terminal_would_make_of_them():
    hostile = "a row says [/red] and [bold]"
    assert hostile in shown(
        result({"no_open_errors_left"}, {"no_open_errors_left": hostile}, differences=[hostile])
    )


@pytest.mark.parametrize("width", [40, 67, 68, 120])
def test_a_narrow_terminal_shows_the_numbers_too(width: int):
    text = shown(replace(result(set(), {}), rows={"message_details": 1_234_567}), width)
    assert re.search(r"message_details +1,234,567", text)
    assert max(map(len, text.partition("Tables")[0].splitlines())) <= width


def test_an_upgraded_folder_is_told_what_a_former_demo_left_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert "former version" not in shown(result(set(), {}))
    (tmp_path / ".genie").mkdir()
    (tmp_path / ".genie/demo.json").write_text("{}", encoding="utf-8")
    assert "A former version kept the demo in .genie/lakehouse" in shown(result(set(), {}))
