"""`genie-assets load` as a process of its own, against a sandbox, and the Dagster home that it leaves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg

from genie_assets.domain.tables import MESSAGE_DETAILS, records
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.e2e.pipelines import days_of, recent_anchor, sandbox_of
from genie_assets_tests.starting import started_after
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

SCRIPT = Path(sys.executable).parent / "genie-assets"
POOL = "genie_api"
# Everything takes long on a machine that does a lot besides.
LONG = 240.0
T = TypeVar("T")


@dataclass
class Command:
    """A running command."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    @property
    def shown(self) -> str:
        return self.out.read_text() + self.err.read_text()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def ends(self, seconds: float = LONG) -> int:
        """Its exit code."""
        return self.process.wait(seconds)


@dataclass
class Place:
    """An account with a home and tables of its own."""

    account: Account
    sandbox: SandboxProcess
    folder: Path
    started: list[Command] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def days(self) -> list[str]:
        return [day.isoformat() for day in days_of(self.account)]

    @property
    def settings(self) -> dict[str, str]:
        return {
            **self.sandbox.environment(),
            "GENIE_LAKEHOUSE": str(self.folder / "lakehouse"),
            "GENIE_REQUESTS_PER_SECOND": "1000",
            "DAGSTER_HOME": str(self.home),
        }

    def load(self, *arguments: str, after: str = "") -> Command:
        """Start a load, by default of all days, after a text of Python; see `starting`."""
        days = arguments or ("--from", self.days[0], "--to", self.days[-1])
        return self.start(started_after(after, [SCRIPT, "load", *days]))

    def start(
        self, command: Sequence[str | Path], settings: dict[str, str] | None = None, **popen: Any
    ) -> Command:
        ours = {n: v for n, v in os.environ.items() if not n.startswith(("DATABRICKS_", "GENIE_", "DAGSTER_"))}
        name = f"command{len(self.started)}"
        out, err = self.folder / f"{name}.out", self.folder / f"{name}.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**ours, **self.settings, **(settings or {})},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                **popen,
            )
        self.started.append(Command(process, out, err))
        return self.started[-1]

    def holds_every_message(self) -> bool:
        stored = records(open_lakehouse(self.settings["GENIE_LAKEHOUSE"]).read(MESSAGE_DETAILS))
        ids = sorted(row["message_id"] for row in stored)
        return ids == sorted(message.message_id for message in self.account.messages)

    def hang(self, route: str, seconds: float = 600) -> None:
        """Let no request of this route be answered."""
        self.sandbox.faults({"effect": "hang", "seconds": seconds, "route": route})

    def wait_for_hanging(self, requests: int = 1) -> None:
        wait_for("a request", lambda: self.sandbox.fault_report()[0]["fired"] >= requests)

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            yield instance

    def runs(self) -> list[dg.DagsterRun]:
        """The latest one first."""
        if not (self.home / "history" / "runs.db").exists():
            return []
        with self.instance() as instance:
            return list(instance.get_runs())

    def claims(self) -> list[str]:
        """Ids of the runs that hold the pool."""
        with self.instance() as instance:
            info = instance.event_log_storage.get_concurrency_info(POOL)
            return [slot.run_id for slot in info.claimed_slots]

    def kill_all(self) -> None:
        for command in self.started:
            with suppress(ProcessLookupError):
                command.send(signal.SIGCONT)
            command.process.kill()
            command.process.wait()


def wait_for(what: str, look: Callable[[], T], seconds: float = LONG) -> T:
    latest = time.monotonic() + seconds
    while time.monotonic() < latest:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError(f"{what} did not come within {seconds:g} seconds")


@contextmanager
def an_account(folder: Path, *, days: int = 2) -> Iterator[tuple[Account, SandboxProcess]]:
    """A small account that is served."""
    account = generate_uniform(
        seed=9, anchor=recent_anchor(), conversations=20, messages_per_conversation=2, days=days, workspaces=1
    )
    with sandbox_of(account, folder) as sandbox:
        yield account, sandbox
