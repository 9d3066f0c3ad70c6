"""Plan, review, apply: spaces restored and imported through the command line, and what is refused."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import Result

from genie_assets.commands.spaces import spaces as spaces_group
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.space_folders import key_of
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH
from genie_assets_tests.e2e.desk import BAD, DESK, GOOD, Desk, body
from genie_assets_tests.pipeline.world import NOON
from genie_assets_tests.sandbox.accounts import FIRST, RUN_ONLY, SECOND
from genie_assets_tests.sandbox.wire import genie_path

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
