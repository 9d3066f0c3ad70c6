"""The demo: thirty days of a made-up account flow through the real pipeline, and are compared with the truth."""

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from genie_assets.domain.health import Accounting, Whereabouts, account
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    TABLES,
    Table,
    records,
)
from genie_assets.pipeline.inspection import open_errors
from genie_assets.pipeline.stored import is_deleted, is_open, key_of
from genie_assets.resources import open_lake
from genie_assets.running import Runner, RunOutcome, days_between
from genie_assets.sandbox.account import Account, load
from genie_assets.sandbox.client import SandboxProcess
from genie_assets.sandbox.comparison import differences
from genie_assets.sandbox.made_up import MESSAGES, made_up_account
from genie_assets.sandbox.truth import truth
from genie_assets.settings import load_settings

# Rows that were late have arrived by then.
_LATER_HOURS = 24
# The closed days that `settled_days_daily` looks at, and today.
_LOOKED_AT_AGAIN = 4
_MESSAGE_ROUTES = ("get_message", "list_messages")
_SPACE_ROUTES = ("get_space", "list_spaces")


class Progress(Protocol):
    """Shows what the demo is doing."""

    def stage(self, title: str, steps: int) -> None:
        """A new stage of so many steps begins."""

    def step(self, text: str) -> None:
        """One step is done."""


@dataclass(frozen=True)
class DemoResult:
    """What the demo did and found; `as_json` is what `.genie/demo.json` holds."""

    lakehouse: str
    accounting: Accounting
    rows: Mapping[str, int]
    statuses: Mapping[str, int]
    errors_by_class: Mapping[str, int]
    message_requests: int
    space_requests: int
    checks: Mapping[str, bool]
    differences: list[str]
    seconds: float

    @property
    def success_rate(self) -> float | None:
        """Share of the messages that were asked for and could be read; None if there was none."""
        asked = self.accounting.stored + self.accounting.open_errors
        return self.accounting.stored / asked if asked else None

    def as_json(self) -> dict[str, Any]:
        """The result in plain types."""
        return {
            "messages_expected": self.accounting.discovered,
            "messages_stored": self.accounting.stored,
            "open_errors": self.accounting.open_errors,
            "deleted": self.accounting.deleted,
            "pending": self.accounting.pending,
            "message_requests": self.message_requests,
            "space_requests": self.space_requests,
            "success_rate": self.success_rate,
            "checks": dict(self.checks),
            "matches_truth": not self.differences,
            "differences": self.differences[:20],
            "rows": dict(self.rows),
            "statuses": dict(self.statuses),
            "errors_by_class": dict(self.errors_by_class),
            "lakehouse": self.lakehouse,
            "seconds": round(self.seconds, 1),
        }


def run_demo(folder: Path, progress: Progress, *, messages: int = MESSAGES) -> DemoResult:
    """Run the whole pipeline against a sandbox and compare its tables with the truth.

    Args:
        folder: Where everything is kept (`.genie`), so that a second run continues where the first one ended.
        progress: Told about every step.
        messages: About how many messages are asked in the made-up account; only the first run makes it.
    """
    started = time.monotonic()
    progress.stage("Making up a Databricks account", 1)
    account = load(made_up_account(folder / "sandbox" / "account", messages=messages))
    progress.step(f"{len(account.messages):,} messages in {len(account.spaces)} spaces")
    progress.stage("Starting the sandbox workspace", 1)
    where = _where_tables_are(folder)
    with _sandbox(folder / "sandbox") as sandbox, _environment({**sandbox.environment(), **where}):
        progress.step(sandbox.host)
        checks = _run_everything(Runner(folder / "dagster"), account, sandbox, progress)
        asked = Counter(sandbox.requests()["by_route"])
        lake = open_lake(load_settings())
        progress.stage("Comparing every row with the truth", len(TABLES))
        tables = {table: records(lake.read(table)) for table in TABLES}
        problems = _compare(account, sandbox, tables, progress)
        errors = open_errors(lake)
    return DemoResult(
        lakehouse=where["GENIE_LAKEHOUSE"],
        accounting=_accounting(tables),
        rows={table.name: len(rows) for table, rows in tables.items()},
        statuses=Counter(row["status"] or "UNKNOWN" for row in tables[MESSAGE_DETAILS]),
        errors_by_class=errors.by_class,
        message_requests=sum(asked[route] for route in _MESSAGE_ROUTES),
        space_requests=sum(asked[route] for route in _SPACE_ROUTES),
        checks=checks,
        differences=problems,
        seconds=time.monotonic() - started,
    )


def serve_ui(folder: Path, port: int) -> int:
    """Run the Dagster UI and daemon against a sandbox until they are stopped; the exit code of `dagster dev`.

    Args:
        folder: The folder of the demo; its account, runs and tables are shown. They are made if need be.
        port: Port of the UI, on loopback.
    """
    made_up_account(folder / "sandbox" / "account")
    home = folder / "dagster"
    # One process makes the home's database before webserver and daemon use it: together they would race.
    Runner(home).close()
    command = [sys.executable, "-m", "dagster", "dev", "-m", "genie_assets.definitions", "-h", "127.0.0.1"]
    with _sandbox(folder / "sandbox") as sandbox:
        ours = {**sandbox.environment(), "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "yes"}
        with _environment({**ours, **_where_tables_are(folder)}):
            # A shell that starts us in the background has us ignore Ctrl-C, and a child would inherit that.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            # In its own folder, where no .env of a real account is read.
            process = subprocess.Popen([*command, "-p", str(port)], cwd=home)  # noqa: S603 - our own command
            signal.signal(signal.SIGTERM, lambda *_: process.terminate())
            # Ctrl-C reaches the child too; it ends by itself.
            with suppress(KeyboardInterrupt):
                process.wait()
            return process.wait()


def write_result(result: DemoResult, path: Path) -> None:
    """Write the result as JSON."""
    path.write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")


def _run_everything(
    runner: Runner, account: Account, sandbox: SandboxProcess, progress: Progress
) -> dict[str, bool]:
    """Load all days, look again once late rows have arrived, back up the spaces, check."""
    days = days_between(dt.date.fromisoformat(account.first_day), dt.date.fromisoformat(account.last_day))
    checks: dict[str, bool] = {}
    try:
        progress.stage(f"Loading {len(days)} days", len(days))
        outcomes = {day: _run_day(runner, day, progress) for day in days}
        progress.stage("A day later: late rows have arrived", _LOOKED_AT_AGAIN)
        sandbox.set_clock(max(account.anchor + _LATER_HOURS * 3_600_000, sandbox.now_ms()))
        outcomes |= {day: _run_day(runner, day, progress) for day in days[-_LOOKED_AT_AGAIN:]}
        progress.stage("Backing up spaces and checking what is broken", 2)
        runner.run("genie_spaces")
        progress.step("spaces")
        standing = runner.run("genie_standing_checks")
        progress.step("standing checks")
    finally:
        runner.close()
    for outcome in [*outcomes.values(), standing]:
        for name, passed in outcome.checks.items():
            checks[name] = checks.get(name, True) and passed
    return checks


def _run_day(runner: Runner, day: dt.date, progress: Progress) -> RunOutcome:
    outcome = runner.run("genie_daily", day)
    numbers = outcome.metadata.get("genie_api_messages", {})
    progress.step(f"{day}  {numbers.get('wanted', 0):>4} messages, {numbers.get('requests', 0):>4} requests")
    return outcome


def _compare(
    account: Account, sandbox: SandboxProcess, tables: Mapping[Any, list[dict[str, Any]]], progress: Progress
) -> list[str]:
    now = round(time.time() * 1000)
    expected = truth(account, at=sandbox.now_ms(), now=now, urls=sandbox.urls)
    problems: list[str] = []
    for table, rows in tables.items():
        if table.name in expected:
            problems += differences(table, expected[table.name], rows)
        progress.step(f"{table.name}  {len(rows):,} rows")
    return problems


def _accounting(tables: Mapping[Table, list[dict[str, Any]]]) -> Accounting:
    """All days together; a message that was touched on several days counts once."""
    references, errors = tables[GENIE_MESSAGES_TO_FETCH], tables[MESSAGE_FETCH_ERRORS]
    stored = {key_of(row) for row in tables[MESSAGE_DETAILS]}
    failing = {key_of(row) for row in errors if is_open(row)}
    deleted = {key_of(row) for row in references if row["is_deleted"]}
    deleted |= {key_of(row) for row in errors if is_deleted(row)}
    discovered = {key_of(row) for row in references}
    places = (Whereabouts(key in stored, key in failing, key in deleted) for key in discovered)
    return account(Counter(places))


@contextmanager
def _sandbox(folder: Path) -> Iterator[SandboxProcess]:
    """The sandbox, on the ports of the last time if they are free: addresses are part of the tables."""
    remembered = folder / "ports.json"
    ports = json.loads(remembered.read_text()) if remembered.exists() else []
    if not all(map(_is_free, ports)):
        ports = []
    with SandboxProcess(folder / "account", state=folder / "state", ports=ports) as sandbox:
        remembered.write_text(json.dumps([int(url.rpartition(":")[2]) for url in sandbox.urls.values()]))
        yield sandbox


def _where_tables_are(folder: Path) -> dict[str, str]:
    """The settings of the lakehouse, which the demo takes from the environment; by default it is in the folder."""
    chosen = {name: os.environ.get(name) for name in ("GENIE_LAKEHOUSE", "GENIE_TABLE_LAYOUT")}
    return {"GENIE_LAKEHOUSE": str(folder / "lakehouse"), **{name: text for name, text in chosen.items() if text}}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """The sandbox's settings in place of any others: the demo must not meet a real account."""
    ours = [name for name in os.environ if name.startswith(("DATABRICKS_", "GENIE_"))]
    before = {name: os.environ.pop(name) for name in ours}
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)
        os.environ.update(before)
