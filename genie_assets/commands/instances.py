"""The Dagster instance that a command's runs go to: opened, or refused with one sentence that names its folder.

An account's is DAGSTER_HOME; the demo has its own, whatever that says.

What a `dagster.yaml` holds may be a password, and what a database server answers may repeat it: of both, only the
parts that are known to be harmless are shown.
"""

import fcntl
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import yaml  # type: ignore[import-untyped]
from dagster._core.instance.ref import InstanceRef
from sqlalchemy.exc import SQLAlchemyError

from genie_assets.commands.places import MADE_UP_RUNS
from genie_assets.commands.shipped import INSTANCE, shipped

_FILE = INSTANCE
# What we print is for the terminal. Dagster's own capture redirects it, with four processes per run.
_NO_CAPTURE = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
_LONGEST_WAIT = 60.0
_HARMLESS = (
    r"Couldn't import module \S+",
    r'environment variable "\w+" which is not set',
)
_WRITABLE = "make room there, or {choose} a folder on this machine that you may write to"
_MADE_ANEW = "move it away, and a new one is made, or {choose} another folder"
_ADVICE = {
    "full": _WRITABLE,
    "readonly": _WRITABLE,
    "I/O": _WRITABLE,
    "unable to open": _WRITABLE,
    "not a database": _MADE_ANEW,
    "malformed": _MADE_ANEW,
    "no such": "another version of Dagster made it; run `dagster instance migrate`, or {choose} another folder",
    "locked": "another process is writing to it; try again",
}


class HomeError(RuntimeError):
    """The Dagster home cannot be used. The message names it and says what to do."""


@dataclass(frozen=True)
class _Words:
    """How a home is called, and how one has another."""

    name: str
    choose: str

    def advice(self, text: str) -> str:
        return text.format(choose=self.choose)


def _words(home: Path) -> _Words:
    with suppress(OSError):
        if (home / MADE_UP_RUNS).exists():
            return _Words(f"The demo's Dagster home {home}", "run the demo in")
    return _Words(f"DAGSTER_HOME {home}", "set DAGSTER_HOME to")


def open_home(home: Path) -> dg.DagsterInstance:
    """Open the instance of a folder, which is made if it is missing, for nobody else to read.

    Raises:
        HomeError: the folder cannot be used.
    """
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    _make(home)
    with naming(home), _alone(home):
        if not (home / _FILE).exists():
            # Renamed when it is complete: half of it would be wrong for ever.
            shutil.copyfile(shipped(_FILE), home / f"{_FILE}.unfinished").rename(home / _FILE)
        try:
            reference = InstanceRef.from_dir(str(home), overrides=_NO_CAPTURE)
            instance = dg.DagsterInstance.from_ref(reference)
        except (OSError, SQLAlchemyError, sqlite3.Error):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a file with settings can do to those who read it
            raise HomeError(
                f"{_words(home).name} holds a {_FILE} that cannot be used ({_settings_problem(error)}): correct "
                "it, or move it away, and ours is put there."
            ) from None
        # Databases are made, and found wanting, when they are first asked.
        instance.get_run_records(limit=1)
        instance.event_log_storage.get_pool_limits()
        instance.all_instigator_state()
    return instance


@contextmanager
def naming(home: Path) -> Iterator[None]:
    """Turn what the instance's storage raises in the block into one sentence.

    Raises:
        HomeError: instead of it.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise HomeError(_storage_problem(home, error)) from None
    except OSError as error:
        problem = error.strerror or type(error).__name__
        words = _words(home)
        raise HomeError(f"{words.name} cannot be written to ({problem}): {words.advice(_WRITABLE)}.") from None


def _make(home: Path) -> None:
    try:
        # Event logs hold names and ids of an account.
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise HomeError(f"DAGSTER_HOME {home} is a file: set it to a folder.") from None
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise HomeError(
            f"DAGSTER_HOME {home} cannot be made ({problem}): set it to a folder that you may write to."
        ) from None


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep other commands out: processes that make the same databases at once leave them broken for good."""
    until = time.monotonic() + _LONGEST_WAIT
    with (home / ".opening").open("a", encoding="utf-8") as file:
        while time.monotonic() < until:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            except OSError:  # a file system without locks
                break
            else:
                break
        yield


def _settings_problem(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1} is no YAML"
    if isinstance(error, dg.DagsterInvalidConfigError) and error.errors:
        entries = {":".join(str(entry) for entry in each.stack.levels) or "the top" for each in error.errors}
        return f"wrong entries at {', '.join(sorted(entries))}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"the package {error.name} is not installed"
    for pattern in _HARMLESS:
        if found := re.search(pattern, str(error)):
            return found[0]
    return type(error).__name__


def _storage_problem(home: Path, error: Exception) -> str:
    words = _words(home)
    cause = getattr(error, "orig", None) or error
    if not isinstance(cause, sqlite3.Error):
        return (
            f"{words.name} names a database that cannot be used ({type(cause).__name__}): see that its "
            f"server is up, and that address and login in {_FILE} are right."
        )
    advice = next((text for part, text in _ADVICE.items() if part in str(cause)), "try again")
    return f"{words.name} has a database that cannot be used ({cause}): {words.advice(advice)}."
