"""Where commands find their settings, and that an account's place is never the demo's."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from genie_assets.commands.cli import main
from genie_assets.commands.demo_place import DemoPlace, only
from genie_assets.commands.places import (
    FORMER_DEMO,
    MADE_UP_RUNS,
    configured_lake,
    dagster_home,
    private_folder,
    read_settings,
    refuse_the_other_kind,
)
from genie_assets.domain.tables import TABLES
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.settings import SettingsError
from genie_assets_tests.e2e.pipelines import forget_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, without settings. What `.env` puts into the environment goes again."""
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return tmp_path


def test_settings_of_a_file_that_an_editor_began_with_a_mark_are_all_read(folder: Path) -> None:
    (folder / ".env").write_bytes(b"\xef\xbb\xbfGENIE_THREADS=3\r\nGENIE_RUN_MINUTES=7\r\n")
    assert (read_settings().genie_threads, read_settings().genie_run_minutes) == (3, 7)


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "latin-1": (lambda file: file.write_bytes(b"GENIE_THREADS=3\n# caf\xe9\n"), "is not UTF-8 text (line 2)"),
    "utf-16": (lambda file: file.write_text("GENIE_THREADS=3\n", encoding="utf-16"), "is not UTF-8 text (line 1)"),
    "nothing but zeros": (lambda file: file.write_bytes(bytes(50)), "NUL characters"),
    "a folder": (lambda file: file.mkdir(), "cannot be read: Is a directory"),
    "a link to itself": (
        lambda file: file.symlink_to(".env"),
        "cannot be read: Too many levels of symbolic links",
    ),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_settings_file_that_cannot_be_read_is_named_in_one_sentence(folder: Path, kind: str) -> None:
    make, expected = UNREADABLE[kind]
    make(folder / ".env")
    for command in (["check"], ["load"], ["dev"], ["errors", "list"]):
        done = CliRunner().invoke(main, command)
        assert isinstance(done.exception, SystemExit), (command, done.exc_info)
        assert done.exit_code == 1
        assert done.output.startswith(f"Error: {folder / '.env'} "), done.output
        assert expected in done.output
        assert done.output.count("\n") == 1


SECRET = "dapi0123456789abcdef"
BROKEN = f"""# a comment
export GENIE_RUN_MINUTES=7
GENIE_THREADS 3

DATABRICKS_TOKEN "{SECRET}"
DATABRICKS_CLIENT_SECRET="{SECRET}
GENIE_RECONCILE
export GENIE_RUN_MINUTES
GENIE_NEW_ROWS_MINUTES=5"""


def test_lines_of_the_settings_file_that_cannot_be_read_are_told_once_by_number_and_never_shown(
    folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Python-dotenv would say it in words of its own, and twice; and nothing of a name without a value."""
    (folder / ".env").write_text(BROKEN, encoding="utf-8")
    settings = [read_settings() for _ in range(2)][1]
    assert (settings.genie_run_minutes, settings.genie_new_rows_minutes) == (7, 5)
    out, told = capsys.readouterr()
    assert told.startswith(f"Warning: Lines 3, 5, 6, 7 of {folder / '.env'} are not read: a setting is NAME=value")
    assert (out, told.count("\n"), caplog.records) == ("", 1, [])
    (folder / ".env").write_text(f"DATABRICKS_TOKEN={SECRET}\n{SECRET}\n", encoding="utf-8")
    read_settings()
    told += capsys.readouterr().err
    assert f"Warning: Line 2 of {folder / '.env'} is not read" in told
    assert SECRET not in told


def test_a_name_that_is_nearly_a_setting_is_told_by_every_command_and_others_by_the_check(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env").write_text("GENIE_THREDS=3\ngenie_run_minutes=7\n", encoding="utf-8")
    os.environ["GENIE_OF_ANOTHER_PROGRAM"] = SECRET
    near = "GENIE_THREDS is no setting of genie-assets, and is not read: is GENIE_THREADS meant?"
    assert read_settings().genie_run_minutes == 7
    assert capsys.readouterr().err == f"Warning: {near}\n"
    for command, said in (("check", "warn  "), ("doctor", "warning  ")):
        done = CliRunner().invoke(main, [command])
        lines = [" ".join(each.split()) for each in done.output.splitlines() if not each.startswith(" ")]
        assert lines[0].startswith(f"{said.strip()} GENIE_OF_ANOTHER_PROGRAM is no setting of genie-assets, and")
        assert lines[1].startswith(f"{said.strip()} GENIE_THREDS is no setting")
        assert (SECRET in done.output, done.stderr) == (False, "")


def test_nothing_that_is_exported_reaches_the_demo_and_all_of_it_is_back_afterwards() -> None:
    exported = {
        "GENIE_LAKEHOUSE": "s3://production/genie",
        "DATABRICKS_HOST": "https://real.cloud.databricks.com",
        "DAGSTER_HOME": "/production",
        "NO_PROXY": "internal.example.com",
        "ELSE": "kept",
    }
    os.environ.update(exported)
    with only({"GENIE_LAKEHOUSE": "demo", "GENIE_MADE_UP": "1"}):
        ours = {name for name in os.environ if name.startswith(("DATABRICKS_", "GENIE_", "DAGSTER_"))}
        assert ours == {"GENIE_LAKEHOUSE", "GENIE_MADE_UP"}
        assert os.environ["NO_PROXY"] == "internal.example.com,127.0.0.1"
        assert os.environ["ELSE"] == "kept"
    assert exported.items() <= os.environ.items()
    assert "GENIE_MADE_UP" not in os.environ


@pytest.fixture
def demos(folder: Path) -> str:
    """A lakehouse in which the demo was killed when it had made one table, not the first of ours."""
    path = str(folder / ".genie/demo/lakehouse")
    open_lakehouse(path, made_up=True).prepare(TABLES[3])
    return path


@pytest.fixture
def accounts(folder: Path) -> str:
    """The same of an account, at its default place, as a former version made it: nothing is marked."""
    open_lakehouse(str(folder / ".genie/lakehouse")).prepare(TABLES[3])
    return str(folder / ".genie/lakehouse")


ACCOUNT = {
    "DATABRICKS_HOST": "http://127.0.0.1:9",
    "DATABRICKS_TOKEN": "planted",
    "DATABRICKS_WAREHOUSE_ID": "1",
    "GENIE_ALLOWED_HOSTS": "127.0.0.1:*",
}


@pytest.mark.servers  # it looks for free ports
@pytest.mark.parametrize("spelled", [".genie/demo/lakehouse", "{}", "file://{}"])
@pytest.mark.parametrize("command", [["check"], ["errors", "list"], ["errors", "requeue", "--all"], ["dev"]])
def test_an_accounts_command_refuses_the_demos_tables_in_one_sentence(
    demos: str, command: list[str], spelled: str
) -> None:
    before = sorted(Path(demos).rglob("*"))
    os.environ.update(ACCOUNT, GENIE_LAKEHOUSE=spelled.format(demos))
    done = CliRunner().invoke(main, command)
    assert isinstance(done.exception, SystemExit), done.exc_info
    assert done.exit_code == 1
    assert "is made up, as `genie-assets demo` makes it" in done.output
    assert "GENIE_LAKEHOUSE" in done.output
    assert sorted(Path(demos).rglob("*")) == before


def test_the_demo_refuses_an_accounts_tables_before_it_makes_anything(folder: Path, accounts: str) -> None:
    before = sorted(Path(accounts).rglob("*"))
    done = CliRunner().invoke(main, ["demo", "--lakehouse", ".genie/lakehouse"])
    assert done.exit_code == 1
    assert "not marked as made up, so it is taken for an account's" in done.output
    assert done.output.count("\n") == 1
    assert sorted(Path(accounts).rglob("*")) == before
    assert not (folder / ".genie/demo/sandbox").exists()


def test_tables_without_a_mark_are_an_accounts(accounts: str) -> None:
    refuse_the_other_kind(configured_lake())
    with pytest.raises(LakehouseError, match="not marked as made up"):
        refuse_the_other_kind(open_lakehouse(accounts, made_up=True))


def test_an_upgraded_account_is_told_that_a_former_demo_left_its_rows_there(folder: Path, accounts: str) -> None:
    """Nothing marks them. The former demo's own result says where they are."""
    FORMER_DEMO.write_text(json.dumps({"lakehouse": accounts}), encoding="utf-8")
    with pytest.raises(SettingsError, match="demo of a former version"):
        configured_lake()
    FORMER_DEMO.write_text(json.dumps({"lakehouse": "uc://main.genie_analytics"}), encoding="utf-8")
    configured_lake()
    FORMER_DEMO.unlink()
    configured_lake()


def test_runs_of_the_demo_and_of_an_account_never_share_a_dagster_home(folder: Path) -> None:
    home = DemoPlace(folder / ".genie/demo").dagster_home()
    assert (home / MADE_UP_RUNS).is_file()
    os.environ["DAGSTER_HOME"] = str(home)
    with pytest.raises(click.ClickException, match="holds the runs of the demo"):
        dagster_home()
    done = CliRunner().invoke(main, ["load"], env=ACCOUNT)
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "DAGSTER_HOME" in done.output

    (home / MADE_UP_RUNS).unlink()
    (home / "history").mkdir()
    with pytest.raises(click.ClickException, match="not marked as the demo's"):
        DemoPlace(folder / ".genie/demo").dagster_home()


def test_what_is_made_for_questions_is_for_its_owner_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        made = private_folder(folder / ".genie/demo/sandbox")
    finally:
        os.umask(before)
    assert {each.stat().st_mode & 0o777 for each in (made, *list(made.parents)[:2])} == {0o700}


@pytest.mark.servers  # it looks for free ports
def test_two_commands_never_use_the_demos_folder_at_once(folder: Path) -> None:
    place = DemoPlace(folder / ".genie/demo")
    with place.taken("demo"):
        for command in (["demo"], ["dev", "--demo"]):
            done = CliRunner().invoke(main, command)
            assert done.exit_code == 1
            assert f"is in use by `genie-assets demo` (process {os.getpid()})" in done.output
            assert done.output.count("\n") == 1
    with place.taken("demo"):
        pass


@pytest.mark.servers  # it looks for free ports
@pytest.mark.parametrize("command", [["demo"], ["dev", "--demo"], ["init"]])
def test_a_folder_that_cannot_be_made_is_named_in_one_sentence(folder: Path, command: list[str]) -> None:
    (folder / ".genie").write_text("a file, of whatever meaning", encoding="utf-8")
    done = CliRunner().invoke(main, command)
    assert isinstance(done.exception, SystemExit), done.exc_info
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert str(folder / ".genie") in done.output
    assert "cannot be made" in done.output
