"""`genie-assets spaces`: reading what is kept, from the command line."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner, Result

from genie_assets.commands.cli import main
from genie_assets_tests.pipeline.world import FORBIDDEN, HOUR, NOON, World

pytestmark = pytest.mark.slow  # real tables

HOSTILE = "../../x\x1b[2J ` ```"
BEFORE: dict[str, Any] = {
    "version": 2,
    "data_sources": {"tables": [{"identifier": "shop.core.orders", "description": ["All orders."]}]},
    "instructions": {
        "text_instructions": [{"id": "1", "content": ["Days are in UTC.\n", "Round money to cents.\n"]}],
        "example_question_sqls": [
            {"id": "2", "question": ["Orders per day?"], "sql": ["SELECT 1\n", "  FROM shop.core.orders"]}
        ],
    },
}
AFTER: dict[str, Any] = {
    "version": 2,
    "data_sources": BEFORE["data_sources"],
    "instructions": {
        "text_instructions": [{"id": "1", "content": ["Days are in UTC.\n", "Never round.\n"]}],
        "example_question_sqls": [
            {"id": "2", "question": ["Orders per day?"], "sql": ["SELECT 2\n", "  FROM shop.core.orders"]},
            {
                "id": "3",
                "question": [HOSTILE],
                "sql": ["SELECT 'a long line of SQL that " + "goes on " * 12 + "'"],
            },
        ],
    },
}


def _space(space_id: str, title: str, configuration: Any) -> dict[str, Any]:
    text = json.dumps(configuration)
    return {"space_id": space_id, "title": title, "warehouse_id": "wh", "serialized_space": text}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three spaces: one with a history, one with a hostile title, one that was never read."""
    folder = tmp_path_factory.mktemp("spaces") / "lake"
    world = World(folder)
    for hour, configuration in enumerate((BEFORE, AFTER)):
        world.now = NOON + hour * HOUR
        world.genie.spaces = {
            "s1": _space("s1", "Refund desk", configuration),
            "s2": _space("s2", HOSTILE, BEFORE),
            "s3": FORBIDDEN,
        }
        world.genie.agents, world.genie.tags = ["s2"], {"s1": {"owner": HOSTILE, "certified": ""}, "s2": {}}
        world.back_up()
    world.event(
        None,
        None,
        action="updateSpace",
        at=NOON + HOUR / 2,
        actor="ann\x1b[2J@example.com",
        space_event_id="e1",
    )
    for number, action in enumerate(("trashSpace", "createSpace"), 2):
        world.event(
            None, None, action=action, space_id="s2", space_event_id=f"e{number}", at=NOON - HOUR * (4 - number)
        )
    world.discover()
    return folder


@pytest.fixture
def run(lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENIE_LAKEHOUSE", str(lake))

    def call(*arguments: str) -> Result:
        result = CliRunner().invoke(main, ["spaces", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert "\x1b" not in result.output
        return result

    return call


def test_the_list_tells_how_far_each_space_is_backed_up(run: Any) -> None:
    shown = run("list").output
    assert shown.splitlines()[-6:] == [
        "Refund desk",
        "  s1@w1",
        "  backed up, last read 2026-03-02",
        "  perhaps made by a dashboard: the list of agents leaves it out",
        "  tags: certified, owner=../../x\\x1b[2J ` ```",
        "3 spaces: 2 backed up, 1 not backed up",
    ]
    assert "not backed up: PERMISSION" in shown
    rows = [json.loads(line) for line in run("list", "--format", "json").output.splitlines()]
    assert {row["space_id"]: row["standing"] for row in rows} == {
        "s1": "BACKED_UP",
        "s2": "BACKED_UP",
        "s3": "NEVER",
    }
    assert "serialized_space" not in rows[0]
    assert {row["space_id"]: (row["made_by"], row["tags"]) for row in rows} == {
        "s1": ("UNLISTED", {"certified": "", "owner": HOSTILE}),
        "s2": ("PEOPLE", {}),
        "s3": ("UNLISTED", None),
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_history_of_a_space_that_was_never_backed_up_tells_why(run: Any, form: str) -> None:
    """It said `s3: 0 versions`, and nothing at all to programs."""
    result = run("history", "s3", "--format", form)
    shown = result.stdout if form == "text" else result.stderr
    assert shown.startswith("s3 was never backed up, so it has no versions. PERMISSION: ")
    assert FORBIDDEN.message in shown
    assert (result.stdout == "") is (form == "json")


def test_the_list_tells_who_made_a_space_and_who_put_it_into_the_trash(run: Any) -> None:
    lines = run("list").output.splitlines()
    assert "  moved to the trash 2026-03-02 10:00 UTC by ann@example.com" in lines
    assert "  made 2026-03-02 11:00 UTC by ann@example.com" in lines
    rows = {
        each["space_id"]: each for each in map(json.loads, run("list", "--format", "json").output.splitlines())
    }
    assert (rows["s2"]["trashed_at"], rows["s2"]["restored_at"]) == ("2026-03-02T10:00:00+00:00", None)
    assert rows["s1"]["created_by"] is None


def test_the_history_says_what_changed_when(run: Any) -> None:
    assert run("history", "Refund desk").output.splitlines() == [
        "Refund desk: 2 versions",
        "v2    2026-03-02 13:00 UTC  instructions, example_sql  (in force)",
        "      by ann\\x1b[2J@example.com, 2026-03-02 12:30 UTC",
        "v1    2026-03-02 12:00 UTC  first seen",
        "      made before then: the audit log does not show by whom",
        "Times at the left are those of the first look that found it.",
    ]
    rows = [json.loads(line) for line in run("history", "s1", "--format", "json").output.splitlines()]
    assert [(row["version"], row["changed_sections"]) for row in rows] == [
        ("v1", None),
        ("v2", ["instructions", "example_sql"]),
    ]
    assert [row["origin"]["changed_at"] for row in rows] == [None, "2026-03-02T12:30:00+00:00"]


def test_a_space_is_shown_as_it_was(run: Any) -> None:
    assert "Never round." in run("show", "s1").output
    then = run("show", "s1", "--at", "2026-03-02T12:30").output
    assert "Round money" in then
    assert "warehouse   wh" in then
    assert "Its configuration was never read (PERMISSION)." in run("show", "s3").output
    assert json.loads(run("show", "s1:v1", "--format", "json").output)["serialized_space"] == json.dumps(BEFORE)


CHANGES = """\
Refund desk (v1) -> Refund desk: 3 changes (instructions, example_sql)

instructions
  ~ 1 / content
      Days are in UTC.
  -   Round money to cents.
  +   Never round.

example_sql
  ~ Orders per day? / sql
  -   SELECT 1
  +   SELECT 2
        FROM shop.core.orders
  + ../../x\\x1b[2J ` ```
  +   id: 3
  +   question: ../../x\\x1b[2J ` ```
"""


def test_the_difference_reads_well_at_80_columns(run: Any) -> None:
    shown = run("diff", "s1:v1", "Refund desk").output
    assert shown.startswith(CHANGES)
    assert max(map(len, shown.splitlines())) <= 80
    assert "no difference" in run("diff", "s1", "s1:v2").output


def test_the_difference_as_markdown_cannot_leave_its_fences(run: Any) -> None:
    lines = run("diff", "s1:v1", "s1", "--format", "markdown").output.splitlines()
    assert lines[0] == "### Changes of a Genie space: 3 changes (instructions, example_sql)"
    assert lines[-1] == "````"
    assert lines.count("````") == 1


def test_the_difference_as_json_names_every_part(run: Any) -> None:
    found = json.loads(run("diff", "s1:v1", "s1", "--format", "json").output)
    assert [(change["section"], change["kind"]) for change in found["changes"]] == [
        ("instructions", "changed"),
        ("example_sql", "changed"),
        ("example_sql", "added"),
    ]
    assert found["changes"][1]["path"][2] == {"name": '["id","2"]', "label": "Orders per day?"}


def test_an_export_is_readable_stays_in_its_folder_and_says_what_the_space_says(run: Any) -> None:
    assert run("export", "--out", "a/b").output.endswith("2 spaces.\nNever read, and so not written: 1 space.\n")
    base = Path("a/b")
    assert {path.parts[0] for path in Path().rglob("*") if path.is_file()} == {"a"}
    names = sorted(path.name for path in (base / "spaces").iterdir())
    assert len(names) == 2
    (desk,) = [name for name in names if name.startswith("refund_desk_")]
    assert "no difference" in run("diff", f"a/b/spaces/{desk}", "s1").output
    resource = yaml.safe_load((base / f"resources/{desk}.genie_space.yml").read_text(encoding="utf-8"))
    assert resource == {
        "resources": {
            "genie_spaces": {
                desk: {
                    "title": "Refund desk",
                    "warehouse_id": "wh",
                    "file_path": f"../src/{desk}.geniespace.json",
                }
            }
        }
    }
    assert json.loads((base / f"src/{desk}.geniespace.json").read_text(encoding="utf-8")) == AFTER


def test_exporting_again_changes_no_file_and_keeps_names(run: Any) -> None:
    run("export", "s1:v1", "--out", "here")
    (folder,) = Path("here/spaces").iterdir()
    folder.rename(folder.with_name("our_desk"))
    run("export", "s1:v1", "s2", "--out", "here")
    files = {path: path.stat().st_mtime_ns for path in Path("here").rglob("*") if path.is_file()}
    assert Path("here/spaces/our_desk/space.json") in files
    run("export", "s1:v1", "s2", "--out", "here")
    assert {path: path.stat().st_mtime_ns for path in Path("here").rglob("*") if path.is_file()} == files
    run("export", "s1", "--out", "here")
    assert "Never round." in Path("here/spaces/our_desk/configuration.json").read_text(encoding="utf-8")


def test_a_link_in_the_way_is_not_followed(run: Any, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here/src").symlink_to(tmp_path / "outside")
    result = run("export", "s1", "--out", "here")
    assert (result.exit_code, "leads out of here" in result.output) == (1, True)
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["show", "nothing"], "There is no space nothing among those that are known (3)"),
        (["show", "s1", "--at", "yesterday"], "yesterday is no time"),
        (["show", "s1:v3"], "Refund desk has versions v1 to v2, and no v3"),
        (["history", "s1@nowhere"], "There is no space s1@nowhere"),
        (["show", "s3:v1"], "was never read"),
        (["export", "s3", "--out", "x"], "Never read, and so not written: s3@w1"),
        (["diff", "no/folder", "s1"], "There is no space no/folder, nor a folder of an export or a plan"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(run: Any, arguments: list[str], problem: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert problem in result.output


def test_a_lakehouse_without_spaces_says_so(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENIE_LAKEHOUSE", str(tmp_path / "empty"))
    result = run("list")
    assert (result.exit_code, "Is GENIE_LAKEHOUSE right?" in result.output) == (1, True)
    assert not (tmp_path / "empty").exists()


def test_git_sees_a_change_line_by_line(run: Any) -> None:
    run("export", "s1:v1", "--out", "here")
    subprocess.run(["git", "init", "-q", "here"], check=True)
    subprocess.run(["git", "-C", "here", "add", "."], check=True)
    run("export", "s1", "--out", "here")
    shown = subprocess.run(
        ["git", "-C", "here", "diff", "--", "spaces"], capture_output=True, text=True, check=True
    )
    assert re.search(r'^\+ +"Never round\.\\n"$', shown.stdout, re.MULTILINE)
