"""A month in minutes: the sandbox's clock and ours jump together, and what is shipped runs as it is shipped."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from genie_assets.definitions import build_defs
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.settings import load_settings
from genie_assets.wiring import open_workspaces
from genie_assets_tests.e2e.daemon_days import Daemon, JumpingClock, dagster_at, kept_instance
from genie_assets_tests.e2e.pipelines import point_at
from genie_assets_tests.gateways.stub_server import Reply, StubServer, always
from genie_sandbox.account import Account, save
from genie_sandbox.client import SandboxProcess

AHEAD = dt.timedelta(minutes=5)  # our clock, of Databricks'
Awake = Mapping[int, Sequence[str]]  # by day of the month: the times at which the daemon looks


def midnight_before(days: int) -> dt.datetime:
    """So many days ago: a month that lies in the past as a whole, so that its days are partitions by any clock."""
    return dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=days)


def ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)


@dataclass(frozen=True)
class Month:
    """A month that is lived through."""

    begins: dt.datetime
    sandbox: SandboxProcess
    clock: JumpingClock
    daemon: Daemon
    receiver: StubServer

    def days(self, awake: Awake) -> Iterator[int]:
        """Each moment at which the daemon is awake, before it looks: the number of its day.

        As soon as the next one is asked for, everything runs that is asked for now.
        """
        for day, times in awake.items():
            for text in times:
                hour, minute = map(int, text.split(":"))
                at = self.begins + dt.timedelta(days=day, hours=hour, minutes=minute)
                self.sandbox.set_clock(ms(at))
                self.clock.jump_to(at + AHEAD)
                yield day
                for _ in self.daemon.catch_up():
                    self.clock.jump_to(self.clock.now() + dt.timedelta(minutes=1))

    def told(self) -> list[tuple[str, str]]:
        """What the channel was told but for reminders, one after the other: why, and of what."""
        texts = [json.loads(each.body)["message"] for each in self.receiver.requests]
        found = [re.findall(r"^(BROKEN|WARNING|WORSE|FINE AGAIN): (\w+)", text, re.MULTILINE) for text in texts]
        return [each for told in found for each in told]

    @property
    def failed(self) -> list[str]:
        """The jobs of which a run failed."""
        return [job for job, succeeded in self.daemon.runs if not succeeded]


@contextmanager
def month(
    account: Account,
    begins: dt.datetime,
    folder: Path,
    patch: pytest.MonkeyPatch,
    more: Callable[[SandboxProcess], Mapping[str, str]] = lambda sandbox: {},
) -> Iterator[Month]:
    """The account from nine o'clock of its first day on, with every schedule and sensor switched on.

    `more` are settings besides those that point at the sandbox.
    """
    save(account, folder / "account")
    start = begins + dt.timedelta(hours=9)
    clock = JumpingClock(start + AHEAD)
    with (
        SandboxProcess(folder / "account", clock_ms=ms(start)) as sandbox,
        kept_instance(folder) as instance,
        dagster_at(clock),
        StubServer(always(Reply())).running() as receiver,
    ):
        point_at(sandbox, folder / "lake", patch)
        patch.setenv("GENIE_ALERT_CHANNELS", f"json://127.0.0.1:{receiver.port}/hook")
        for name, value in more(sandbox).items():
            patch.setenv(name, value)
        sandbox.tell_time(of="sandbox")
        settings = load_settings()
        workspaces = open_workspaces(settings, settings.databricks())
        genie = GenieApi(workspaces, pacer_of=lambda _workspace_id: Pacer(1000.0), now=clock.now)
        daemon = Daemon(build_defs(clock=clock, genie=genie), instance, clock)
        yield Month(begins, sandbox, clock, daemon, receiver)
