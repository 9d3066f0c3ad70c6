"""A pipeline without Dagster, in front of a sandbox's API and a log in memory, at a time that a test moves."""

import datetime as dt
import random
import time
from pathlib import Path
from typing import Any

from genie_assets.domain import ledger
from genie_assets.domain.tables import MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets.domain.waiting import last_days
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.pipeline.agent_items import keep_items
from genie_assets.pipeline.audit_messages import discover
from genie_assets.pipeline.days_not_loaded import not_loaded
from genie_assets.pipeline.enriched_message_details import fold_day
from genie_assets.pipeline.genie_api_messages import fetch
from genie_assets.pipeline.genie_space_details import back_up_spaces
from genie_assets.pipeline.message_comments import keep_comments
from genie_assets.pipeline.reconciliation import reconcile
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.waiting import due_looks, left_behind, newest_due
from genie_assets_tests.e2e.log_in_memory import LogInMemory
from genie_assets_tests.lakehouse_in_memory import LakehouseInMemory, Stored
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.randomness import HOUR

BEGINS = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
BEGINS_MS = round(BEGINS.timestamp() * 1000)
DAYS, _LOOKBACK = 6, 40
_MOST_ROUNDS = 30
_FOR_OTHERS = ("PERMISSION", "CONFIG", "NOT_RUNNING", "BAD_REFERENCE")

Place = Path | Stored


def at_ms(ms: int) -> dt.datetime:
    """The time, UTC."""
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)


class Side:
    """Databricks at a moment, and our clock, which may be wrong.

    Args:
        seed: Decides how wrong it is, which workspaces are looked at, and which statements fail.
        account: What there is.
        sandbox: Serves the API.
    """

    def __init__(self, seed: int, account: Account, sandbox: SandboxProcess) -> None:
        rng = random.Random(f"side {seed}")
        self.account, self.sandbox, self._skew = account, sandbox, dt.timedelta(minutes=rng.choice((0, 0, 5, -5)))
        self.now_ms, self._ticks, self.failing = sandbox.now_ms(), 0, 0.0
        self.chosen = [each.workspace_id for each in account.workspaces][: rng.choice((2, 2, 3))]
        self._log = LogInMemory(account, sandbox.urls, lambda: self.now_ms, lambda: rng.random() < self.failing)

    def move(self, to_ms: int) -> None:
        """Let time pass."""
        self.now_ms = self.sandbox.set_clock(max(to_ms, self.now_ms))

    def clock(self) -> dt.datetime:
        """Our time, which goes on with every look at it."""
        self._ticks += 1
        return at_ms(self.now_ms) + self._skew + dt.timedelta(milliseconds=self._ticks)

    def calm(self) -> None:
        """Let everything work."""
        self.sandbox.clear_faults()
        self.failing = 0.0

    def system_tables(self) -> SystemTables:
        """As a new process opens them."""
        ours = [self.account.principal.application_id]
        home = self.sandbox.host
        return SystemTables(self._log, own_principals=lambda: ours, workspace_ids=self.chosen, home_url=home)

    def api(self) -> GenieApi:
        """As a new process opens it; it loses no time with waiting."""
        workspaces = Workspaces(
            self.sandbox.host,
            client_id=self.sandbox.client_id,
            client_secret=self.sandbox.client_secret,
            policy=HostPolicy(("127.0.0.1:*",)),
        )
        return GenieApi(
            workspaces,
            pacer_of=lambda _workspace_id: Pacer(1000.0, sleep=_not_at_all),
            retries=Retries(attempts=2, first_wait=0.0, sleep=_not_at_all),
            now=self.clock,
            threads=4,
        )


def _not_at_all(seconds: float) -> None:
    """Instead of sleeping."""


class Loader:
    """Runs what jobs run.

    Args:
        side: Databricks.
        place: Where its tables are.
    """

    lake: Any
    seconds: float  # that a run has

    def __init__(self, side: Side, place: Place) -> None:
        self.side, self.place, self._runs = side, place, 0
        self.start()

    def start(self) -> None:
        """As a new process, in place of one that ended."""
        place, self.seconds = self.place, 60.0
        self.lake = open_lakehouse(str(place)) if isinstance(place, Path) else LakehouseInMemory(place)
        self.tables, self.api = self.side.system_tables(), self.side.api()

    def _run(self, day: dt.date) -> Run:
        self._runs += 1
        return Run(day, f"run{self._runs}", self.side.clock, deadline=time.monotonic() + self.seconds)

    def discover(self, day: dt.date) -> None:
        """What the log says of a day."""
        discover(self._run(day), system_tables=self.tables, lake=self.lake)

    def load(self, day: dt.date) -> None:
        """A day, as `genie_daily` does it."""
        self.discover(day)
        self.retry(day)

    def retry(self, day: dt.date) -> None:
        """A day, as `genie_retry` does it."""
        fetch(self._run(day), genie=self.api, lake=self.lake)
        fold_day(self._run(day), system_tables=self.tables, genie=self.api, lake=self.lake)

    def spaces(self) -> None:
        """The spaces."""
        back_up_spaces(self._run(self.today), system_tables=self.tables, genie=self.api, lake=self.lake)

    def talk(self) -> None:
        """Comments, and steps of agents."""
        keep_comments(self._run(self.today), self.side.chosen, genie=self.api, lake=self.lake)
        keep_items(self._run(self.today), self.side.chosen, genie=self.api, lake=self.lake)

    def walk(self) -> None:
        """Reconciliation."""
        reconcile(
            self._run(self.today),
            system_tables=self.tables,
            genie=self.api,
            lake=self.lake,
            first_day=BEGINS.date(),
            share=1.0,
        )

    @property
    def today(self) -> dt.date:
        """By our clock."""
        return self.side.clock().date()

    def days(self) -> list[dt.date]:
        """Those that are looked at."""
        return [day for day in last_days(self.side.clock(), _LOOKBACK) if day >= BEGINS.date()]

    def due(self) -> tuple[list[dt.date], set[dt.date]]:
        """Days to load, and others to try again."""
        now, days = self.side.clock(), self.days()
        late = not_loaded(days, self.tables, self.lake, _LOOKBACK).late
        waiting = {*newest_due(self.lake, now), *due_looks(self.lake, now, days), *left_behind(self.lake, days)}
        return sorted(late), waiting.intersection(days) - set(late)

    def until_quiet(self) -> None:
        """All that is due, day after day, until nothing is but what waits for others."""
        for number in range(_MOST_ROUNDS):
            late, waiting = self.due()
            for day in late:
                self.load(day)
            for day in sorted(waiting):
                self.retry(day)
            if number % 3 == 0:
                self.spaces()
                self.walk()
                self.talk()
            if number >= 4 and not late and not self._goes_on():
                break
            self.side.move(self.side.now_ms + 9 * HOUR)
        assert not self.due()[0], "late for ever"
        # Settled days are looked at once more, for what came to query history.
        asked = {row["created_date"] for row in self.lake.records(MESSAGE_DETAILS, columns=["created_date"])}
        for day in sorted(asked.intersection(self.days())):
            self.retry(day)

    def _goes_on(self) -> bool:
        """Whether an error is open that need not wait for others."""
        rows = self.lake.records(MESSAGE_FETCH_ERRORS, where=ledger.OPEN)
        return any(row["error_class"] not in _FOR_OTHERS and row["next_retry_timestamp"] for row in rows)
