"""The demo: thirty days of a made-up account flow through the real pipeline, and are compared with the truth."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from genie_assets.commands.demo_place import DemoPlace, Tables, only, settings_of
from genie_assets.commands.demo_result import DemoResult
from genie_assets.commands.places import refuse_the_other_kind
from genie_assets.domain.health import Accounting, Whereabouts, account
from genie_assets.domain.keys import MessageKey
from genie_assets.domain.ledger import is_deleted, is_open
from genie_assets.domain.numbers import many
from genie_assets.domain.sql_names import schema_in
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    TABLES,
    Table,
    records,
)
from genie_assets.pipeline.inspection import open_errors
from genie_assets.settings import load_settings
from genie_assets.wiring import open_lake
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.thirty_days import MESSAGES
from genie_sandbox.truth.comparison import differences
from genie_sandbox.truth.tables import truth, truth_of_children, truth_of_evaluations

if TYPE_CHECKING:
    from genie_assets.commands.running import Runner, RunOutcome

# Rows that were late have arrived by then.
_LATER_HOURS = 24
# The closed days that `settled_days_daily` looks at, and today.
_LOOKED_AT_AGAIN = 4
_MESSAGE_ROUTES = ("get_message", "list_messages")
_SPACE_ROUTES = ("get_space", "list_spaces")

_Rows = Mapping[Table, list[dict[str, Any]]]


class Progress(Protocol):
    """Shows what the demo is doing."""

    def stage(self, title: str, steps: int) -> None:
        """A new stage of so many steps begins."""

    def step(self, text: str) -> None:
        """One step is done."""


def run_demo(place: DemoPlace, tables: Tables, progress: Progress, *, messages: int = MESSAGES) -> DemoResult:
    """Run the whole pipeline against a sandbox and compare its tables with the truth.

    Args:
        place: Where everything is kept, so that a second run continues where the first one ended. It must be
            ours alone.
        tables: The lakehouse to fill.
        progress: Told about every step.
        messages: About how many messages are asked in the made-up account; only the first run makes it.

    Raises:
        LakehouseError: an account's tables are there. Nothing was changed.
        RunFailedError: a run failed.
        click.ClickException: the folder or its ports cannot be used.
    """
    started = time.monotonic()
    if schema_in(tables.lakehouse) is None:  # those are in the sandbox, which is not there yet
        with only(settings_of(tables)):
            refuse_the_other_kind(open_lake(load_settings()))
    progress.stage("Making up a Databricks account", 1)
    made_up = place.account(messages)
    progress.step(f"{many(len(made_up.messages), 'message')} in {many(len(made_up.spaces), 'space')}")
    progress.stage("Starting the sandbox workspace", 1)
    with only({}), place.sandbox() as sandbox, only(sandbox.environment() | settings_of(tables, made_up)):
        lake = open_lake(load_settings())
        refuse_the_other_kind(lake)
        progress.step(sandbox.host)
        # Imported with the settings in place: the account's first day is the first partition.
        from genie_assets.commands.running import Runner

        runner = Runner(place.dagster_home())
        checks, report = _run_everything(runner, made_up, sandbox, progress)
        asked = Counter(sandbox.requests()["by_route"])
        progress.stage("Comparing every row with the truth", len(TABLES))
        rows = {table: records(lake.read(table)) for table in TABLES}
        now = dt.datetime.now(dt.UTC)
        at, now_ms = sandbox.now_ms(), round(now.timestamp() * 1000)
        expected = truth(made_up, at=at, now=now_ms, urls=sandbox.urls) | truth_of_children(made_up, at=at)
        expected |= truth_of_evaluations(made_up, at=at)
        found = _compare(expected, rows, progress)
        errors = open_errors(lake)
    from genie_assets.commands.demo_faults import failing_checks, planted_errors

    return DemoResult(
        tables=tables,
        days=len(days_of(made_up)),
        accounting=_accounting(rows),
        rows={table.name: len(rows_of) for table, rows_of in rows.items()},
        statuses=Counter(row["status"] or "UNKNOWN" for row in rows[MESSAGE_DETAILS]),
        errors_by_class=errors.by_class,
        message_requests=sum(asked[route] for route in _MESSAGE_ROUTES),
        space_requests=sum(asked[route] for route in _SPACE_ROUTES),
        checks=checks,
        report=report,
        expected_failures=failing_checks(made_up, expected, now),
        planted_errors=planted_errors(made_up, expected),
        differences=found,
        seconds=time.monotonic() - started,
    )


def days_of(made_up: Account) -> list[dt.date]:
    """The account's days, which are the demo's partitions."""
    first, last = dt.date.fromisoformat(made_up.first_day), dt.date.fromisoformat(made_up.last_day)
    return [first + dt.timedelta(days=each) for each in range((last - first).days + 1)]


def _run_everything(
    runner: "Runner", made_up: Account, sandbox: SandboxProcess, progress: Progress
) -> tuple[dict[str, bool], str]:
    """Load all days, look again once late rows have arrived, back up the spaces, check, and write the report.

    Returns:
        Which checks passed, and where the report is.
    """
    days = days_of(made_up)
    checks: dict[str, bool] = {}
    try:
        progress.stage(f"Loading {many(len(days), 'day')}", len(days))
        outcomes = {day: _run_day(runner, day, progress) for day in days}
        progress.stage("A day later: late rows have arrived", _LOOKED_AT_AGAIN)
        sandbox.set_clock(max(made_up.anchor + _LATER_HOURS * 3_600_000, sandbox.now_ms()))
        outcomes |= {day: _run_day(runner, day, progress) for day in days[-_LOOKED_AT_AGAIN:]}
        progress.stage(
            "Listing comments and steps, backing up spaces, checking what is broken, writing the report", 5
        )
        runner.run("genie_conversations")
        progress.step("comments and agents' steps")
        runner.run("genie_spaces")
        progress.step("spaces")
        runner.run("genie_evaluations")
        progress.step("evaluations")
        standing = runner.run("genie_standing_checks")
        progress.step("standing checks")
        report = str(runner.run("genie_report").metadata["observability_report"]["kept_at"])
        progress.step("report")
    finally:
        runner.close()
    for outcome in [*outcomes.values(), standing]:
        for name, passed in outcome.checks.items():
            checks[name] = checks.get(name, True) and passed
    return checks, report


def _run_day(runner: "Runner", day: dt.date, progress: Progress) -> "RunOutcome":
    outcome = runner.run("genie_daily", day)
    numbers = outcome.metadata.get("genie_api_messages", {})
    progress.step(f"{day}  {numbers.get('wanted', 0):>4} messages, {numbers.get('requests', 0):>4} requests")
    return outcome


def _compare(expected: Mapping[str, list[dict[str, Any]]], rows: _Rows, progress: Progress) -> list[str]:
    problems: list[str] = []
    for table, stored in rows.items():
        if table.name in expected:
            problems += differences(table, expected[table.name], stored)
        progress.step(f"{table.name}  {many(len(stored), 'row')}")
    return problems


def _accounting(rows: _Rows) -> Accounting:
    """All days together; a message that was touched on several days counts once."""
    references, errors = rows[GENIE_MESSAGES_TO_FETCH], rows[MESSAGE_FETCH_ERRORS]
    stored = {MessageKey.of(row) for row in rows[MESSAGE_DETAILS]}
    failing = {MessageKey.of(row) for row in errors if is_open(row)}
    deleted = {MessageKey.of(row) for row in references if row["is_deleted"]}
    deleted |= {MessageKey.of(row) for row in errors if is_deleted(row)}
    discovered = {MessageKey.of(row) for row in references}
    places = (Whereabouts(key in stored, key in failing, key in deleted) for key in discovered)
    return account(Counter(places))
