"""`genie-assets init`: the files with which a deployment begins, in an empty folder and in one that is not."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dotenv import dotenv_values

from genie_assets.commands.cli import main
from genie_assets.settings import load_settings
from genie_assets_tests.e2e.pipelines import forget_settings
from genie_assets_tests.starting import files_no_larger_than, started_after

CHECKOUT = Path(__file__).resolve().parents[2]
WRITTEN = [".env", "workspace.yaml", "dagster.yaml", ".genie/dagster/dagster.yaml"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(**environment: str) -> Result:
    done = CliRunner().invoke(main, ["init"], env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


def contents(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text(encoding="utf-8") for name in WRITTEN}


def test_an_empty_folder_gets_all_that_a_deployment_begins_with(folder: Path) -> None:
    before = os.umask(0)
    try:
        done = init()
    finally:
        os.umask(before)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in folder.iterdir()) == [".env", ".genie", "dagster.yaml", "workspace.yaml"]
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    assert (folder / ".genie").stat().st_mode & 0o777 == 0o700
    for name in ("workspace.yaml", "dagster.yaml"):
        assert contents(folder)[name] == (CHECKOUT / name).read_text(encoding="utf-8")
    assert contents(folder)[".genie/dagster/dagster.yaml"] == contents(folder)["dagster.yaml"]
    assert all(name in done.output for name in WRITTEN)
    assert done.output.splitlines()[-1].startswith("Next: fill in host, warehouse and credentials in .env")


def test_the_first_day_is_a_fixed_date_the_first_that_a_load_loads_and_nothing_else_is_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = dt.datetime.now(dt.UTC).date()
    init()
    later = dt.datetime.now(dt.UTC).date()
    found = dotenv_values(folder / ".env")
    days = {f"{day - dt.timedelta(days=29)}" for day in (earlier, later)}
    assert found.keys() == {"GENIE_FIRST_DAY"}
    assert found["GENIE_FIRST_DAY"] in days
    monkeypatch.setenv("GENIE_FIRST_DAY", found["GENIE_FIRST_DAY"] or "")
    assert f"{load_settings().genie_first_day}" in days


def test_what_is_there_is_never_overwritten_and_a_second_init_changes_nothing(folder: Path) -> None:
    (folder / ".env").write_text("DATABRICKS_TOKEN=mine\n", encoding="utf-8")
    (folder / "dagster.yaml").symlink_to("elsewhere/dagster.yaml")
    assert init().exit_code == 0
    assert (folder / ".env").read_text(encoding="utf-8") == "DATABRICKS_TOKEN=mine\n"
    assert not (folder / "elsewhere").exists()
    (folder / "dagster.yaml").unlink()
    assert init().exit_code == 0
    before = contents(folder)
    again = init()
    assert again.exit_code == 0
    assert contents(folder) == before
    assert again.output.count("was there, and is as it was") == len(WRITTEN)


def test_the_instances_settings_go_where_dagster_looks_for_them(folder: Path) -> None:
    done = init(DAGSTER_HOME=str(folder / "home of dagster"))
    assert done.exit_code == 0, done.output
    assert (folder / "home of dagster/dagster.yaml").is_file()
    assert not (folder / ".genie").exists()


def test_a_full_disk_leaves_no_half_of_a_file_behind(folder: Path) -> None:
    """A limit on the size of files refuses what a full disk refuses, root included."""
    done = subprocess.run(
        started_after(files_no_larger_than(100), [sys.executable, "-m", "genie_assets", "init"]),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"Error: {folder / '.env'} cannot be written: File too large.\n"
    assert not (folder / ".env").exists()
    assert init().exit_code == 0
    assert len((folder / ".env").read_text(encoding="utf-8")) > 1000
