"""Plan, review, apply: spaces changed through the command line, in two workspaces of a sandbox."""

import itertools
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from genie_assets.commands.spaces import spaces as spaces_group
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.space_folders import key_of
from genie_assets.domain.space_plans import creation_plan
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, GENIE_SPACE_APPLIES
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.space_access import Patience
from genie_assets.pipeline.space_apply import Apply
from genie_assets.pipeline.space_plans import restore_plan
from genie_assets.settings import load_settings
from genie_assets.wiring import open_live_spaces
from genie_assets_tests.e2e.desk import BAD, DESK, GOOD, Desk, account_of_a_desk, body, desk_in
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.mortal import KilledError, Mortal
from genie_assets_tests.pipeline.world import NOON
from genie_assets_tests.sandbox.accounts import FIRST, RUN_ONLY, SALES, SECOND
from genie_assets_tests.sandbox.wire import genie_path
from genie_sandbox.client import SandboxProcess


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with account_of_a_desk(tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture
def desk(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with desk_in(sandbox, tmp_path, monkeypatch) as one:
        yield one


SHOWN = """\
Plan for desk0@1111, from space desk0@1111, version of 2026-03-02T12:00:00Z: 3
  changes (description, instructions, example_sql)

description
  +   Refunds

instructions
  ~ a1 / content
  -   Days are local.
  +   Days are in UTC.

example_sql
  + all of it
  +   * id: b1
  +     question: How many?
  +     sql: SELECT 1 FROM dev.shop.orders

Note: It needs these tables and functions, and Databricks takes it without them:
  dev.shop.orders, dev.shop.stores.

Permissions are not compared: no look up to 2026-03-02 12:30 UTC has told who
  may use it.

Looked up in 1111 with this login:
  there: 2 tables, 1 warehouse

Nothing was changed. Where spaces may be changed, the plan is carried out with:
  genie-assets spaces apply plan.json
"""


def plan(desk: Desk) -> Result:
    return desk.spaces("restore", DESK, "--at", "2026-03-02T12:30", "--plan", "plan.json")


def test_a_bad_edit_is_restored_to_the_byte(desk: Desk) -> None:
    assert "instructions" in desk.spaces("history", "Refund desk").output
    shown = plan(desk)
    assert shown.output == SHOWN
    assert max(map(len, shown.output.splitlines())) <= 80
    first = Path("plan.json").read_bytes()
    assert desk.read()["serialized_space"] == json.dumps(BAD)
    plan(desk)
    assert Path("plan.json").read_bytes() == first, "whoever plans comes to the same text"
    done = desk.apply()
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        0,
        "APPLIED: Done, and read back. (space desk0@1111)",
    )
    now = desk.read()
    assert (now["serialized_space"], now["description"]) == (json.dumps(GOOD), "Refunds")
    again = desk.apply()
    assert (again.exit_code, "ALREADY" in again.output) == (0, True)
    assert desk.notes() == [("restore", "APPLIED"), ("restore", "ALREADY")]
    desk.back_up()
    assert "v3" in desk.spaces("history", DESK).output
    assert "nothing to do" in plan(desk).output


@pytest.mark.parametrize("weakly", [False, True])
def test_whatever_changed_since_is_told_and_not_overwritten(desk: Desk, weakly: bool) -> None:
    plan(desk)
    desk.change(description="Mine")
    if weakly:
        desk.sandbox.faults({"effect": "weak_etag"})
    refused = desk.apply()
    assert refused.exit_code == 1
    assert "+   Mine" in refused.output
    assert "REFUSED: Nothing was sent: the space changed since the plan was made: description" in refused.output
    assert desk.read()["serialized_space"] == json.dumps(BAD)
    assert desk.notes() == [("restore", "REFUSED")]


def test_an_edit_between_the_look_and_the_write_is_not_overwritten(desk: Desk) -> None:
    """The look before the write is behind the times: the etag alone tells."""
    plan(desk)
    desk.change(description="Mine")
    desk.sandbox.faults({"effect": "stale", "route": "get_space", "times": 1})
    refused = desk.apply()
    assert (refused.exit_code, "Databricks refused it (409 ABORTED" in refused.output) == (1, True)
    assert "+   Mine" in refused.output
    assert desk.read()["description"] == "Mine"


def test_a_look_that_lags_behind_is_waited_for(desk: Desk) -> None:
    plan(desk)
    desk.sandbox.faults({"effect": "stale", "route": "get_space", "every": 2, "times": 1})
    assert "APPLIED" in desk.apply().output


def test_what_does_not_show_in_time_is_not_called_done(desk: Desk) -> None:
    plan(desk)
    desk.sandbox.faults({"effect": "stale", "route": "get_space", "every": 2, "times": 1})
    late = desk.apply(patience=0)
    assert (late.exit_code, "UNVERIFIED: Databricks took it, but does not show it yet" in late.output) == (1, True)
    assert "ALREADY" in desk.apply().output


def test_an_update_whose_answer_got_lost_was_done(desk: Desk) -> None:
    plan(desk)
    desk.sandbox.faults({"effect": "cut", "keep": 0, "route": "update_space", "times": 1})
    assert "APPLIED: The answer got lost, but it was done, and read back." in desk.apply().output
    assert desk.read()["serialized_space"] == json.dumps(GOOD)


def test_an_update_that_never_came_is_not_called_done(desk: Desk) -> None:
    plan(desk)
    desk.sandbox.faults({"effect": "drop", "route": "update_space"})
    lost = desk.apply(patience=1)
    assert (lost.exit_code, "UNKNOWN: It is not known whether it was done" in lost.output) == (1, True)
    desk.sandbox.clear_faults()
    assert "APPLIED: Done" in desk.apply().output
    assert desk.notes() == [("restore", "UNKNOWN"), ("restore", "APPLIED")]


def test_a_plan_is_compared_like_a_space(desk: Desk) -> None:
    plan(desk)
    of_plan = desk.spaces("diff", "plan.json:before", "plan.json").output
    of_spaces = desk.spaces("diff", DESK, f"{DESK}:v1").output
    assert of_plan.partition("\n\n")[2] == of_spaces.partition("\n\n")[2] != ""
    assert "no difference" in desk.spaces("diff", DESK, "plan.json:before").output
    assert "no difference" in desk.spaces("diff", f"{DESK}:v1", "plan.json").output
    Path("plan.json").write_text(Path("plan.json").read_text().replace("UTC", "CET"))
    edited = desk.spaces("diff", "plan.json:before", "plan.json")
    assert (edited.exit_code, "was changed after it was made" in edited.output) == (1, True)


RESTORE = ("restore", DESK, "--at", "2026-03-02T12:30", "--apply")


def test_where_nobody_can_be_asked_nothing_is_applied_nor_looked_at(desk: Desk) -> None:
    desk.sandbox.reset_requests()
    for arguments in (
        RESTORE,
        ("promote", DESK, "--to", SECOND, "--apply"),
        ("import", ".", "--to", FIRST, "--apply"),
    ):
        refused = desk.spaces(*arguments)
        assert (refused.exit_code, "nobody is at a terminal here" in refused.output) == (2, True)
        assert max(map(len, refused.output.splitlines())) <= 80
    assert desk.sandbox.requests()["total"] == 0


def at_a_terminal(answer: bytes) -> str:
    """What a person sees who plans a restore with --apply, and answers."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "genie_assets", "spaces", *RESTORE]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as asked:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # which is how a terminal ends
            while part := os.read(ours, 4096):
                shown += part
                if shown.endswith(b"[y/N]: "):
                    os.write(ours, answer + b"\n")
        os.close(ours)
    return f"{shown.decode()}{asked.returncode}"


def test_at_a_terminal_a_person_says_yes_or_no_after_seeing_the_plan(desk: Desk) -> None:
    refused = at_a_terminal(b"n")
    assert refused.index("Days are local.") < refused.index("Do this now? [y/N]: ")
    assert ("Nothing was changed." in refused, refused[-1]) == (True, "0")
    assert (desk.read()["serialized_space"], desk.notes()) == (json.dumps(BAD), [])
    assert "APPLIED: Done, and read back." in at_a_terminal(b"y")
    assert (desk.read()["serialized_space"], desk.notes()) == (json.dumps(GOOD), [("restore", "APPLIED")])


def promote(desk: Desk) -> Result:
    places = ("--from", FIRST, "--to", SECOND, "--warehouse", "wh", "--map", "dev=prod", "--plan", "plan.json")
    return desk.spaces("promote", DESK, *places)


def test_a_space_is_promoted_and_promoted_again(desk: Desk) -> None:
    shown = promote(desk)
    assert "Note: dev.shop.orders becomes prod.shop.orders." in shown.output
    assert "It needs these tables and functions" in shown.output
    assert "APPLIED" in desk.apply().output
    (made,) = desk.titled("Refund desk", SECOND)
    text = desk.read(made, SECOND)["serialized_space"]
    assert ("dev.shop" in text, text.count("prod.shop")) == (False, 2)
    assert "nothing to do" in promote(desk).output
    desk.change(serialized_space=json.dumps(GOOD))
    desk.back_up()
    assert "SELECT 1 FROM prod.shop.orders" in promote(desk).output
    assert "APPLIED" in desk.apply().output
    assert desk.titled("Refund desk", SECOND) == [made]
    assert desk.notes() == [("promote", "APPLIED"), ("promote", "APPLIED")]


def needed(shown: Result) -> list[str]:
    """The lines that tell what was looked up."""
    lines = shown.output.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Looked up in "))
    return lines[first : lines.index("", first)] if "" in lines[first:] else lines[first:]


def test_what_a_plan_needs_is_looked_up_in_the_workspace_it_is_for(desk: Desk) -> None:
    first = promote(desk)
    assert needed(first) == [
        "Looked up in 2222 with this login:",
        "  there: 1 table, 1 warehouse",
        "  NOT FOUND: table prod.shop.stores (not there, or not for this login to see)",
    ]
    assert max(map(len, first.output.splitlines())) <= 80
    applied = desk.apply()
    assert "  NOT FOUND: table prod.shop.stores" in applied.output, "and again by who applies it"
    assert "APPLIED" in applied.output


NEEDY: dict[str, Any] = {
    "version": 2,
    "data_sources": {
        "tables": [
            {"identifier": f"dev.shop.{name}"} for name in ("\x1b[2J", "orders", "secrets", "seen", "x/y?z")
        ]
        + [{"identifier": "hive_metastore.a.b"}, {"identifier": "short"}],
        "volumes": [{"identifier": "dev.shop.files"}],
    },
    "instructions": {"sql_functions": [{"id": "c1", "identifier": "dev.tools.f"}]},
}
SEEN = """\
Looked up in 2222 with this login:
  there: 1 function, 1 table
  NOT FOUND: table prod.shop.x/y?z (not there, or not for this login to see)
  NOT FOUND: warehouse ours (not there, or not for this login to see)
  NOT KNOWN: other thing prod.shop.files (this version does not know where such
    things are asked for)
  NOT KNOWN: table hive_metastore.a.b (it is not in Unity Catalog)
  NOT KNOWN: table prod.shop.\\x1b[2J (its name cannot be used in an address)
  NOT KNOWN: table prod.shop.secrets (this login may not look at it)
  NOT KNOWN: table prod.shop.seen (this login may not look at it)
  NOT KNOWN: table short (its name is not of the form catalog.schema.name)"""


def test_what_is_missing_forbidden_or_never_asked_for_is_told_apart(desk: Desk) -> None:
    desk.change(serialized_space=json.dumps(NEEDY))
    desk.back_up()
    places = ("--from", FIRST, "--to", SECOND, "--map", "dev=prod")
    assert "\n".join(needed(desk.spaces("promote", DESK, *places, "--warehouse", "ours"))) == SEEN
    gone = needed(desk.spaces("promote", DESK, *places, "--warehouse", "old"))
    assert "  NOT FOUND: warehouse old (it is deleted)" in gone


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "status", "status": 503, "error_code": "TEMPORARILY_UNAVAILABLE"},
        {"effect": "status", "status": 404, "error_code": "ENDPOINT_NOT_FOUND"},
        {"effect": "status", "status": 429, "error_code": "REQUEST_LIMIT_EXCEEDED"},
        {"effect": "non_json"},
        {"effect": "drop"},
    ],
)
def test_an_api_that_is_down_is_no_sign_that_things_are_there_or_missing(
    desk: Desk, fault: dict[str, Any]
) -> None:
    quiet = promote(desk)
    assert quiet.exit_code == 0
    text = Path("plan.json").read_bytes()
    for route in ("tables", "functions", "warehouses"):
        desk.sandbox.faults(fault | {"route": route})
    lines = needed(promote(desk))
    assert [line.split(" (")[0] for line in lines if line.startswith("  N")] == [
        "  NOT KNOWN: table prod.shop.orders",
        "  NOT KNOWN: table prod.shop.stores",
        "  NOT KNOWN: warehouse wh",
    ]
    assert not any("there:" in line for line in lines)
    assert Path("plan.json").read_bytes() == text, "what was found is no part of the plan"


def test_a_new_space_whose_answer_got_lost_is_found_and_not_made_twice(desk: Desk) -> None:
    promote(desk)
    desk.sandbox.faults({"effect": "cut", "keep": 0, "route": "create_space", "times": 1})
    desk.sandbox.faults({"effect": "stale", "route": "list_spaces", "every": 2, "times": 1})
    assert "APPLIED: The answer got lost, but it was done" in desk.apply(patience=3).output
    assert len(desk.titled("Refund desk", SECOND)) == 1


def test_an_apply_that_is_killed_while_it_makes_a_space_makes_no_second_one(desk: Desk) -> None:
    promote(desk)
    desk.sandbox.faults({"effect": "slow_drip", "seconds": 60, "route": "create_space", "times": 1})
    command = [sys.executable, "-m", "genie_assets", "spaces", "apply", "plan.json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        deadline = time.monotonic() + 60
        while not desk.titled("Refund desk", SECOND) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(killed.pid, signal.SIGKILL)
    assert desk.notes() == [("promote", "BEGUN")]
    desk.sandbox.faults({"effect": "stale", "route": "list_spaces", "times": 1})
    assert "ALREADY: The space is there already" in desk.apply(patience=3).output
    assert len(desk.titled("Refund desk", SECOND)) == 1


@pytest.fixture(scope="module")
def unity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.mark.parametrize("action", ["update", "create"])
@pytest.mark.parametrize("place", ["files", "unity"])
def test_an_apply_that_is_killed_after_any_step_is_done_once_by_the_next(
    request: pytest.FixtureRequest, desk: Desk, place: str, action: str
) -> None:
    lake = request.getfixturevalue("unity").new_lake() if place == "unity" else desk.world.lake
    settings = load_settings()
    live = open_live_spaces(settings, settings.writing(), desk.sandbox.urls.get)
    ended: list[str] = []
    for last in itertools.count(1):
        title = f"New desk {last}"
        if action == "update":
            desk.change(serialized_space=json.dumps(BAD))
            change = restore_plan({"workspace_id": FIRST, "space_id": DESK, **body(GOOD)}, live)
        else:
            change = creation_plan("promote", "a test", SECOND, body(GOOD, title=title))
        mortal, patience = Mortal(last), Patience(1, lambda: None)
        run = Run(NOON.date(), f"a{last}", desk.world.clock)
        try:
            Apply(change, mortal(live), mortal(lake), run, patience).carry_out("ann")
        except KilledError:
            pass
        else:
            break
        next_run = Run(NOON.date(), f"b{last}", desk.world.clock)
        ended.append(Apply(change, live, lake, next_run, patience).carry_out("ann").result)
        if action == "create":
            (made,) = desk.titled(title, SECOND)
            assert desk.read(made, SECOND)["serialized_space"] == json.dumps(GOOD)
            desk.send(SECOND, genie_path(made), None, "DELETE")
        assert action == "create" or desk.read()["serialized_space"] == json.dumps(GOOD)
        noted = {row["apply_id"]: row["result"] for row in lake.records(GENIE_SPACE_APPLIES)}
        assert noted[f"b{last}"] == ended[-1]
        assert noted.get(f"a{last}", "BEGUN") in ("BEGUN", "APPLIED")
    for space_id in desk.titled(title, SECOND):
        desk.send(SECOND, genie_path(space_id), None, "DELETE")
    # Looked at, noted, sent, read back, noted: done anew until it was sent, and never twice.
    sent = ended.index("ALREADY")
    assert (ended[:sent], set(ended[sent:])) == (["APPLIED"] * sent, {"ALREADY"})
    assert 1 < sent < len(ended)


def test_a_space_of_that_title_that_came_meanwhile_is_left_alone(desk: Desk) -> None:
    promote(desk)
    theirs = desk.send(SECOND, "/api/2.0/genie/spaces", body(BAD, parent_path="/Workspace/Shared/genie"), "POST")
    refused = desk.apply()
    assert (
        refused.exit_code,
        f"{theirs['space_id']} in that folder has the same title now" in refused.output,
    ) == (1, True)
    assert desk.titled("Refund desk", SECOND) == [theirs["space_id"]]


def test_a_name_that_is_taken_in_the_trash_is_refused_in_databricks_words(desk: Desk) -> None:
    promote(desk)
    fault = {
        "status": 409,
        "error_code": "ALREADY_EXISTS",
        "message": "It is in the trash.",
        "route": "create_space",
    }
    desk.sandbox.faults({"effect": "status"} | fault)
    refused = desk.apply()
    assert (refused.exit_code, "REFUSED: Databricks refused it: 409 ALREADY_EXISTS" in refused.output) == (1, True)


def test_a_trashed_space_is_planned_as_a_new_one(desk: Desk) -> None:
    new = desk.send(FIRST, "/api/2.0/genie/spaces", body(GOOD, title="New desk"), "POST")["space_id"]
    desk.back_up((FIRST, new))
    desk.send(FIRST, genie_path(new), None, "DELETE")
    shown = desk.spaces("restore", new, "--at", "2030-01-01", "--plan", "plan.json").output
    assert "is in the trash or deleted" in shown
    assert "gets a new id, and has neither the conversations" in " ".join(shown.split())
    assert "APPLIED" in desk.apply().output
    (made,) = desk.titled("New desk", FIRST)
    assert made != new
    assert desk.read(made)["serialized_space"] == json.dumps(GOOD)


def test_an_exported_space_is_imported_where_it_came_from(desk: Desk) -> None:
    desk.spaces("export", f"{DESK}:v1", "--out", "backup")
    (folder,) = Path("backup/spaces").iterdir()
    file = folder / "configuration.json"
    unsorted = json.loads(file.read_text())
    unsorted["data_sources"]["tables"].reverse()
    file.write_text(json.dumps(unsorted))
    assert "Days are in UTC." in desk.spaces("import", str(folder), "--to", FIRST, "--plan", "plan.json").output
    assert "APPLIED" in desk.apply().output
    assert desk.read()["serialized_space"] == json.dumps(GOOD)


def test_nothing_is_written_where_no_setting_allows_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    plan(desk)
    monkeypatch.delenv("GENIE_ALLOW_SPACE_WRITES")
    desk.sandbox.reset_requests()
    refused = desk.apply()
    assert (refused.exit_code, "GENIE_ALLOW_SPACE_WRITES is not set" in refused.output) == (1, True)
    assert desk.sandbox.requests()["total"] == 0


def test_another_login_may_write(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    plan(desk)
    monkeypatch.setenv("GENIE_WRITE_TOKEN", "dapi-of-nobody")
    refused = desk.apply()
    assert (refused.exit_code, "cannot be read, so nothing was sent: 401" in refused.output) == (1, True)
    monkeypatch.setenv("GENIE_WRITE_TOKEN", desk.sandbox.token)
    assert "APPLIED" in desk.apply().output


def test_a_plan_that_somebody_edited_is_refused(desk: Desk) -> None:
    plan(desk)
    text = Path("plan.json").read_text()
    Path("plan.json").write_text(text.replace("Days are in UTC.", "Days are mine."))
    refused = desk.apply()
    assert (refused.exit_code, "was changed after it was made" in refused.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["promote", DESK, "--to", SECOND], "A new space needs a warehouse: name one with --warehouse."),
        (["promote", DESK, "--to", SECOND, "--into", "nothing"], f"Workspace {SECOND} shows no space nothing."),
        (
            ["promote", DESK, "--to", FIRST, "--into", RUN_ONLY],
            "cannot be read as it is now: 403 PERMISSION_DENIED",
        ),
        (["restore", DESK, "--at", "yesterday"], "yesterday is no time"),
        (["import", "lake", "--to", FIRST], "space.json is missing"),
        (["apply", "space.json"], "The file holds no plan"),
    ],
)
def test_what_cannot_be_planned_is_one_sentence(desk: Desk, arguments: list[str], problem: str) -> None:
    Path("space.json").write_text("{}")
    result = desk.spaces(*arguments)
    assert result.exit_code == 1
    assert problem in result.output


def test_two_spaces_of_one_title_are_told_apart(desk: Desk) -> None:
    ids = [desk.send(SECOND, "/api/2.0/genie/spaces", body(BAD), "POST")["space_id"] for _ in range(2)]
    result = promote(desk)
    assert f"may mean {', '.join(sorted(ids))} in {SECOND}: choose one with --into ID." in result.output
    shown = desk.spaces(
        "promote", DESK, "--to", SECOND, "--into", ids[0], "--map", "dev=prod", "--plan", "plan.json"
    )
    assert f"{ids[0][:20]}" in shown.output
    assert "APPLIED" in desk.apply().output
    assert "prod.shop" in desk.read(ids[0], SECOND)["serialized_space"]
    assert "prod.shop" not in desk.read(ids[1], SECOND)["serialized_space"]


def test_a_space_that_nobody_backed_up_cannot_be_promoted(desk: Desk) -> None:
    assert f"There is no space {SALES}" in desk.spaces("promote", SALES, "--to", SECOND).output


def test_every_command_of_the_document_works_in_its_order(desk: Desk) -> None:
    document = (Path(__file__).resolve().parents[2] / "docs/spaces.md").read_text(encoding="utf-8")
    commands = re.findall(r"(?:^|`)genie-assets spaces ([^`\n]+)", document, re.MULTILINE)
    used = {shlex.split(command)[0] for command in commands}
    assert used == set(spaces_group.commands)
    references = [
        {"event_date": NOON.date(), "message_id": "m1", "workspace_id": workspace_id, "workspace_name": name}
        for workspace_id, name in ((FIRST, "dev"), (SECOND, "prod"))
    ]
    desk.world.lake.append(GENIE_MESSAGES_TO_FETCH, GENIE_MESSAGES_TO_FETCH.frame(references))
    name = key_of(SpaceKey(FIRST, DESK), "Refund desk")
    for command in commands:
        for space_id in desk.titled("Refund desk", SECOND) if "@prod" in command else []:
            desk.back_up((SECOND, space_id))
        words = [re.sub(r"NAME|refund_desk_\w+", name, word) for word in shlex.split(command)]
        result = desk.spaces(*words)
        assert result.exit_code == 0, f"{command}\n{result.output}"
    assert [result for _, result in desk.notes()][:2] == ["APPLIED", "APPLIED"]
