"""Where the demo lives: a folder of its own, used by one command at a time, and no setting but its own.

.genie/demo/sandbox     the made-up account and what its workspaces keep
.genie/demo/lakehouse   the tables, unless another lakehouse was chosen
.genie/demo/dagster     the runs
.genie/demo/demo.json   what the last demo found
"""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from genie_assets.commands.locks import taken
from genie_assets.commands.places import MADE_UP_RUNS, absolute, private_folder
from genie_assets.commands.ports import LOOPBACK, why_not
from genie_sandbox.account import Account, load
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.thirty_days import MESSAGES, made_up_account

# What the environment says about a real account, its tables and its runs.
_FORGOTTEN = ("DATABRICKS_", "GENIE_", "DAGSTER_")
# It keeps 50 MB, and the lakehouse leaves 64 MiB of a disk free.
_BYTES_NEEDED = 150 << 20
# The sandbox of a demo that was killed notices that within a second, and ends.
_PORTS_FREE_WITHIN_SECONDS = 5.0


_OF_OUR_PLACE = 3  # names at the end of a path: .genie/demo/lakehouse


@dataclass(frozen=True)
class Tables:
    """The demo's lakehouse and how new tables are laid out there."""

    lakehouse: str
    layout: str = "partitioned"


@dataclass(frozen=True)
class DemoPlace:
    """The demo's folder."""

    folder: Path

    @property
    def result(self) -> Path:
        """What the last demo found, as JSON."""
        return self.folder / "demo.json"

    def tables(self, chosen: str | None = None, layout: str | None = None) -> Tables:
        """The lakehouse that was chosen now or for the last demo, or the one in the folder."""
        default = Tables(str(self.folder / "lakehouse"))
        return Tables(absolute(chosen) if chosen else default.lakehouse, layout or default.layout)

    def last_tables(self) -> Tables:
        """The lakehouse of the last demo, or the one in the folder if none has run."""
        try:
            found = json.loads(self.result.read_text(encoding="utf-8"))
            last, own = Tables(str(found["lakehouse"]), str(found["layout"])), self.tables()
        except (OSError, ValueError, KeyError, TypeError):
            return self.tables()
        # Called as ours is: the folder was moved or copied since, and must not work on what it was copied from.
        parts = Path(own.lakehouse).parts[-_OF_OUR_PLACE:]
        is_moved = Path(last.lakehouse).parts[-_OF_OUR_PLACE:] == parts and Path(own.lakehouse).exists()
        return own if is_moved else last

    def dagster_home(self) -> Path:
        """Its Dagster home, which says that its runs are made up.

        Raises:
            click.ClickException: other runs are there, or it cannot be made.
        """
        home = private_folder(self.folder / "dagster")
        mark = home / MADE_UP_RUNS
        if not mark.exists() and (home / "history").exists():
            raise click.ClickException(
                f"{home} holds runs that are not marked as the demo's, and they are not mixed: move it elsewhere."
            )
        mark.write_text("The runs here are those of a made-up account: `genie-assets demo` made them.\n")
        return home

    def require_room(self) -> None:
        """See to it that the disk has room for the demo: some of what it uses ends badly on a full one.

        Raises:
            click.ClickException: it has not.
        """
        free = shutil.disk_usage(private_folder(self.folder)).free
        if free < _BYTES_NEEDED:
            raise click.ClickException(
                f"The disk of {self.folder} has {free >> 20} MiB left, and the demo needs {_BYTES_NEEDED >> 20}: "
                "make room there, or run it in another folder."
            )

    @contextmanager
    def taken(self, command: str) -> Iterator[None]:
        """Have the folder alone: two sandboxes on one state would spoil it.

        Raises:
            click.ClickException: another process has it, or it cannot be made.
        """
        with taken(private_folder(self.folder), command):
            yield

    def account(self, messages: int = MESSAGES) -> Account:
        """The made-up account; it is made, with about so many messages, unless it is there already."""
        folder = self.folder / "sandbox" / "account"
        if not folder.exists():
            # Renamed when it is complete: half an account would be served for ever.
            unfinished = private_folder(folder.parent) / "account.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            made_up_account(unfinished, messages=messages).rename(folder)
        return load(folder)

    @contextmanager
    def sandbox(self) -> Iterator[SandboxProcess]:
        """The sandbox, on the ports of the last time if they are free: addresses are part of the tables."""
        folder = self.folder / "sandbox"
        remembered = folder / "ports.json"
        ports = _free(_remembered(remembered))
        with SandboxProcess(folder / "account", state=folder / "state", ports=ports) as running:
            remembered.write_text(json.dumps([int(url.rpartition(":")[2]) for url in running.urls.values()]))
            yield running


def settings_of(tables: Tables, account: Account | None = None) -> dict[str, str]:
    """The settings of the demo's lakehouse, whose tables say that they are made up, and of the account's days."""
    settings = {
        "GENIE_LAKEHOUSE": tables.lakehouse,
        "GENIE_TABLE_LAYOUT": tables.layout,
        "GENIE_MADE_UP": "1",
        "GENIE_REPORT_TEXTS": "1",  # nobody's questions
    }
    return settings | {"GENIE_FIRST_DAY": account.first_day} if account else settings


@contextmanager
def only(settings: Mapping[str, str]) -> Iterator[None]:
    """These settings in place of all others: the demo must not meet a real account, whatever is exported."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(_FORGOTTEN)]:
        del os.environ[name]
    # A proxy knows nothing of this machine's loopback.
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(dict.fromkeys([*filter(None, [os.environ.get(name)]), LOOPBACK]))
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def _remembered(path: Path) -> list[int]:
    try:
        return [int(port) for port in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _free(ports: list[int]) -> list[int]:
    """The ports, or none if one of them stays taken: the workspaces then move, as real ones may."""
    latest = time.monotonic() + _PORTS_FREE_WITHIN_SECONDS
    while any(map(why_not, ports)):
        if time.monotonic() > latest:
            return []
        time.sleep(0.2)
    return ports
