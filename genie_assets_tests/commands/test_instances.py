"""Dagster homes that cannot be used: one sentence each, which names DAGSTER_HOME and shows no secret."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genie_assets.commands.instances import HomeError, open_home
from genie_assets.commands.places import MADE_UP_RUNS
from genie_assets_tests.starting import files_no_larger_than, started_after

SECRET = "planted-password-7"


def made(home: Path) -> Path:
    """A home that works."""
    open_home(home).dispose()
    return home


def with_file(home: Path, text: bytes | str) -> Path:
    home.mkdir()
    (home / "dagster.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return home


def a_file(home: Path) -> Path:
    home.write_text("")
    return home


def below_a_file(home: Path) -> Path:
    return a_file(home) / "dagster"


def no_database(home: Path) -> Path:
    made(home).joinpath("history", "runs.db").write_text("no database " * 100)
    return home


def no_event_database(home: Path) -> Path:
    made(home).joinpath("history", "runs", "index.db").write_text("no database " * 100)
    return home


def another_version(home: Path) -> Path:
    with sqlite3.connect(made(home) / "history" / "runs.db") as database:
        database.execute("ALTER TABLE runs RENAME COLUMN create_timestamp TO made")
    return home


CASES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a file": (a_file, "is a file"),
    "below a file": (below_a_file, "cannot be made (Not a directory)"),
    # Not even root may write there.
    "not to be made": (lambda _: Path("/proc/genie-assets"), "cannot be made"),
    "not to be written to": (lambda _: Path("/proc/self"), "cannot be written to"),
    "no YAML": (lambda home: with_file(home, f"a: [\npassword: *{SECRET}\n"), "line 2 is no YAML"),
    "no settings": (lambda home: with_file(home, SECRET), "cannot be used"),
    "not UTF-8": (lambda home: with_file(home, b"telemetry: \xff\xfe\n"), "cannot be used"),
    "unknown settings": (lambda home: with_file(home, f"telemetri:\n  enabled: {SECRET}\n"), "wrong entries"),
    "settings of the wrong kind": (
        lambda home: with_file(home, f"telemetry:\n  enabled: {SECRET}\n"),
        "wrong entries at telemetry:enabled",
    ),
    "a storage that is not installed": (
        lambda home: with_file(home, f"storage:\n  mysql:\n    mysql_url: mysql://u:{SECRET}@h/d\n"),
        "dagster_mysql",
    ),
    "a driver that is not installed": (
        lambda home: with_file(
            home, f"storage:\n  postgres:\n    postgres_url: postgresql+asyncpg://u:{SECRET}@h/d\n"
        ),
        "the package asyncpg is not installed",
    ),
    "no database": (no_database, "file is not a database"),
    "no event database": (no_event_database, "file is not a database"),
    "another version": (another_version, "dagster instance migrate"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_home_that_cannot_be_used_is_told_in_one_sentence(case, tmp_path, caplog):
    make, expected = CASES[case]
    home = make(tmp_path / "home")
    with pytest.raises(HomeError) as raised:
        open_home(home)
    sentence = str(raised.value)
    assert sentence.startswith(f"DAGSTER_HOME {home} ")
    assert expected in sentence
    assert "\n" not in sentence
    assert len(sentence) < 400
    # Whoever prints the exception prints its causes, too.
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert SECRET not in sentence + caplog.text


def test_of_the_demos_home_it_is_not_said_that_a_setting_chooses_it(tmp_path):
    """The demo has its own home, whatever DAGSTER_HOME says."""
    home = no_database(tmp_path / "home")
    (home / MADE_UP_RUNS).touch()
    with pytest.raises(HomeError, match="or run the demo in another folder") as raised:
        open_home(home)
    assert str(raised.value).startswith(f"The demo's Dagster home {home} ")
    assert "DAGSTER_HOME" not in str(raised.value)


@pytest.mark.slow
def test_a_full_disk_is_told(tmp_path):
    text = (
        "from pathlib import Path; from genie_assets.commands.instances import *\n"
        f"try: open_home(Path({str(tmp_path / 'home')!r}))\n"
        "except HomeError as error: print(error)"
    )
    full = started_after(files_no_larger_than(20_000), [sys.executable, "-c", text])
    shown = subprocess.run(full, capture_output=True, text=True, check=False)
    assert shown.stdout.startswith(f"DAGSTER_HOME {tmp_path / 'home'} "), shown
    assert "set DAGSTER_HOME to a folder on this machine that you may write to" in shown.stdout
    assert shown.stdout.count("\n") == 1


def test_a_home_is_made_for_nobody_else_and_has_our_limits(tmp_path):
    with open_home(tmp_path / "new" / "home") as instance:
        assert (tmp_path / "new" / "home").stat().st_mode & 0o777 == 0o700
        assert instance.global_op_concurrency_default_limit == 1


@pytest.mark.slow
def test_processes_that_make_the_same_home_at_once_do_not_break_it(tmp_path):
    text = (
        "from pathlib import Path; from genie_assets.commands.instances import open_home\n"
        f"input(); open_home(Path({str(tmp_path / 'home')!r})).dispose()"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", text], stdin=-1, stdout=-1, stderr=-1, text=True) for _ in range(3)
    ]
    done = [process.communicate("\n", timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0, 0], done
    with open_home(tmp_path / "home") as instance:
        assert instance.get_runs() == []
