"""A day of a deployment by a clock that runs fast: real processes, killed one by one; nothing may be lost.

    python -m genie_assets_tests.e2e.day_by_the_clock FOLDER

The processes get their time from libfaketime, by a file in which their clock is moved on every second. What is
measured in monotonic time, such as every timeout, goes on at its usual pace. It prints JSON: what was run, how
often something was killed, and in what the tables differ from the truth.
"""

import datetime as dt
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml  # type: ignore[import-untyped]

from genie_assets.domain.tables import TABLES, records
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.e2e.conftest import CHECKOUT
from genie_assets_tests.e2e.deployment import Deployment, answers, deployed, wait_for
from genie_assets_tests.e2e.pipelines import doubled_keys
from genie_sandbox.account import Account, save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform
from genie_sandbox.truth.comparison import differences
from genie_sandbox.truth.tables import truth

HOURS, CALM_HOURS = 24, 9  # the second without kills, in which everything must come right
DAYS_BEFORE = 3
_PACE, _CALM_PACE = 150, 75  # of the clock: a day in not quite ten minutes, and the hours after it in seven
_STEP_SECONDS = 1.0  # between two of its moves
_BETWEEN_KILLS_SECONDS = 25.0


# libfaketime takes the absolute times of clock_nanosleep for its own, and refuses them.
_SLEEP = (
    "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], max(0.0, seconds)) and None\n"
)


def library() -> Path | None:
    """What gives a process another time; None where it is not installed."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


class FastClock:
    """The time of the processes: now at first, and ahead of it by more and more.

    Args:
        folder: Where the file is that they read.
        pace: How many seconds of it one of ours has.
        begins: At which time of a day it is at first instead, UTC.
    """

    def __init__(self, folder: Path, pace: int = _PACE, begins: dt.time | None = None) -> None:
        now = dt.datetime.now(dt.UTC)
        first = dt.datetime.combine(now, begins, dt.UTC) if begins else now
        self._ahead = ((first - now) % dt.timedelta(days=1)).total_seconds()
        self.pace = pace
        self._file, self._began = folder / "clock", time.monotonic()
        self._site = folder / "site"
        self._site.mkdir()
        (self._site / "sitecustomize.py").write_text(_SLEEP, encoding="ascii")
        self.tick()

    def tick(self) -> dt.datetime:
        """Move it on; the time that it is now, UTC."""
        ahead = round(self._ahead + (time.monotonic() - self._began) * (self.pace - 1))
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"+{ahead}\n", encoding="ascii")
        fresh.replace(self._file)
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead)

    def slow_down(self, pace: int) -> None:
        """Go on from here at this pace."""
        now = time.monotonic()
        self._ahead += (now - self._began) * (self.pace - 1)
        self.pace, self._began = pace, now

    def environment(self) -> dict[str, str]:
        """What a process must be started with."""
        return {
            "LD_PRELOAD": str(library()),
            "PYTHONPATH": os.pathsep.join([str(self._site), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def made_up(begins: dt.datetime) -> Account:
    """A few messages of the days before, of the day, and of its evening."""
    return generate_uniform(
        seed=7,
        anchor=begins + dt.timedelta(hours=HOURS),
        conversations=60,
        messages_per_conversation=3,
        days=DAYS_BEFORE + 2,
        workspaces=2,
    )


def live_through(
    hours: float, clock: FastClock, deployment: Deployment, sandbox: SandboxProcess, kills: random.Random | None
) -> int:
    """Let time pass, on the sandbox's clock, too; how often something was killed."""
    killed, next_kill = 0, time.monotonic() + _BETWEEN_KILLS_SECONDS
    until = clock.tick() + dt.timedelta(hours=hours)
    while (now := clock.tick()) < until:
        sandbox.set_clock(ms(now))
        time.sleep(_STEP_SECONDS)
        if kills is not None and time.monotonic() >= next_kill:
            deployment.services[kills.choice(sorted(deployment.services))].again()
            killed, next_kill = killed + 1, time.monotonic() + _BETWEEN_KILLS_SECONDS * kills.uniform(0.5, 1.5)
    return killed


def ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)


def problems(account: Account, sandbox: SandboxProcess, lakehouse: str, now: int) -> list[str]:
    """How the tables differ from the truth, and which keys they hold twice."""
    expected = truth(account, at=sandbox.now_ms(), now=now, urls=sandbox.urls, saw_all=True)
    lake, found = open_lakehouse(lakehouse), []
    for table in TABLES:
        rows = records(lake.read(table))
        if table.name in expected:
            found += differences(table, expected[table.name], rows)
        found += doubled_keys(table, rows)
    return found


def runs_of(home: Path) -> dict[str, int]:
    """How many runs of which job ended how."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        ended = Counter(f"{run.job_name} {run.status.value}" for run in instance.get_runs())
    return dict(sorted(ended.items()))


def patient(home: Path, pace: int) -> None:
    """The instance as it is shipped, but a process may take as long to start as it does by a slow clock."""
    home.mkdir()
    config = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text(encoding="utf-8"))
    config["run_monitoring"]["start_timeout_seconds"] = 60 * pace
    (home / "dagster.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


@contextmanager
def left_alone(
    folder: Path, clock: FastClock, account: Account, **settings: str
) -> Iterator[tuple[Deployment, SandboxProcess]]:
    """A deployment by the clock with everything switched on, and the account that it looks at.

    Args:
        folder: Where its home and its tables are.
        clock: The clock.
        account: The account.
        settings: More settings of ours, by their variables.
    """
    save(account, folder / "account")
    with SandboxProcess(folder / "account", clock_ms=ms(clock.tick())) as sandbox:
        sandbox.tell_time(of="sandbox")
        ours = {"GENIE_LAKEHOUSE": str(folder / "lakehouse"), **settings}
        patient(folder / "home", clock.pace)
        environment = {**clock.environment(), **sandbox.environment(), **ours}
        with deployed(folder / "home", environment, with_code_server=True) as deployment:
            wait_for("The code server", deployment.knows_its_code, seconds=120)
            deployment.start_everything()
            yield deployment, sandbox


def live(folder: Path) -> dict[str, Any]:
    """The day; see the top."""
    clock = FastClock(folder)
    begins = clock.tick()
    account = made_up(begins)
    first_day = (begins - dt.timedelta(days=DAYS_BEFORE)).date().isoformat()
    settings = {"GENIE_REQUESTS_PER_SECOND": "1000", "GENIE_FIRST_DAY": first_day}
    with left_alone(folder, clock, account, **settings) as (deployment, sandbox):
        killed = live_through(HOURS, clock, deployment, sandbox, random.Random(4))
        wait_for("The webserver", lambda: answers(deployment.url), seconds=120)
        clock.slow_down(_CALM_PACE)
        live_through(CALM_HOURS, clock, deployment, sandbox, None)
        found = problems(account, sandbox, str(folder / "lakehouse"), ms(clock.tick()))
        ticks = {name: len(deployment.ticks(name)) for name in ("retry_open_errors", "load_late_days")}
    return {
        "killed": killed,
        "hours": HOURS + CALM_HOURS,
        "problems": found,
        "runs": runs_of(folder / "home"),
        "ticks": ticks,
    }


if __name__ == "__main__":
    print(json.dumps(live(Path(sys.argv[1]))))
