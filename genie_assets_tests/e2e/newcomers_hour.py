"""The newcomer's hour: `python -m genie_assets_tests.e2e.newcomers_hour` does what a person does who meets this.

The demo, then an account of their own (a second sandbox with other data): its settings, a check, a load that is
interrupted and killed, the UI, a backfill, errors that are tried again. In the end the account's tables hold
exactly its rows, and the demo's are as the demo left them. Every line that was printed is in the transcript.
"""

import datetime as dt
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS, TABLES, records
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.e2e.deployment import Deployment, free_port, wait_for
from genie_assets_tests.e2e.pipelines import days_of, in_order
from genie_assets_tests.e2e.terminal_session import LONG, Command, ExpectationError, Session, complaints
from genie_sandbox.account import Account, save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate
from genie_sandbox.truth.comparison import differences
from genie_sandbox.truth.tables import truth

DAILY = ["audit_messages", "genie_api_messages", "enriched_message_details"]
RUNS = """query ($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 100) { ... on Runs { results {
    id pipelineName status tags { key value } repositoryOrigin { repositoryLocationName } } } } }"""
# What can never be read is settled by hand, as `errors list` advises.
CLOSED = "BAD_REFERENCE"
# The demo looks at its last days twice, which shows the same numbers if nothing was late.
_DAYS = r"\s*\d{4}-\d{2}-\d{2} .*requests"
_FRAMES = r".*[│╭╰].*"
_ERRORS = r"\d{4}-\d{2}-\d{2}  [A-Z_]+, .*|  (\d{3} [A-Z_]+: |The audit log names ).*"
REPEATED = f"{_DAYS}|{_FRAMES}|{_ERRORS}"


class Hour:
    """One newcomer, in one folder."""

    def __init__(self, folder: Path, account: Account, sandbox: SandboxProcess, session: Session) -> None:
        self.folder = folder
        self.account = account
        self.sandbox = sandbox
        self.session = session
        self.days = [day.isoformat() for day in days_of(account)]
        self._began_at = time.monotonic()

    def go(self) -> None:
        """All of it.

        Raises:
            ExpectationError: naming what went another way.
        """
        with self._step("the demo"):
            self.session.run("genie-assets", "demo", "--messages", "300")
        demos = self._rows(made_up=True)
        with self._step("an account of one's own: init, .env, check"):
            self.session.run("genie-assets", "init")
            self._fill_in_settings()
            self.session.run("genie-assets", "check")
        with self._step("a Dagster home to deploy from"):
            self._make_a_home()
        with self._step("a load, interrupted by Ctrl-C"):
            self._interrupted_load()
        with self._step("a load, killed"):
            self._killed_load()
        with self._step("the load once more"):
            again = self.session.run(*self._load())
            again.says("was cut short")
            again.says(f"{self.days[-1]}  wanted")
        with self._step("the UI, a backfill, errors tried again"):
            self._in_the_ui()
        with self._step("comparing every row"):
            self._compare(demos)

    def _fill_in_settings(self) -> None:
        """As a person does it: each setting's own line, the comment sign taken away."""
        path = self.folder / ".env"
        text = path.read_text(encoding="utf-8")
        for name, value in self.sandbox.environment().items():
            text, found = re.subn(rf"^# {name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            _expect(found == 1, f".env has {found} lines to fill in for {name}, not one")
        path.write_text(text, encoding="utf-8")

    def _make_a_home(self) -> None:
        """As the README has it; the jobs are those of our code location."""
        home = self.folder / "dagster"
        home.mkdir()
        shutil.copy(self.folder / "dagster.yaml", home)
        dagster = "env", f"DAGSTER_HOME={home}", "dagster"
        self.session.run(*dagster, "instance", "migrate")
        self.session.run(*dagster, "job", "list", "-w", "workspace.yaml").says("genie_daily")

    def _load(self) -> tuple[str, ...]:
        return "genie-assets", "load", "--from", self.days[0], "--to", self.days[-1]

    def _interrupted_load(self) -> None:
        with self.session.running(*self._load()) as command:
            self._wait_for_a_request(command)
            self._press_ctrl_c(command)
            command.says("Interrupted by Ctrl-C during genie_daily of")
        self.sandbox.clear_faults()

    def _press_ctrl_c(self, command: Command) -> None:
        self.session.note(f"Ctrl-C for `{command.title}`")
        command.press_ctrl_c()
        command.ends(130, seconds=20)  # seconds, also on a machine that does a lot besides

    def _killed_load(self) -> None:
        with self.session.running(*self._load()) as command:
            self._wait_for_a_request(command)
            command.kill()
        self.session.note("kill -9")
        self.sandbox.clear_faults()

    def _wait_for_a_request(self, command: Command) -> None:
        """In the midst of the second day, or of a later one: a request of it is not answered."""
        command.says(f"{self.days[0]}  wanted")
        self.sandbox.faults({"effect": "hang", "seconds": 600, "route": "list_messages"})
        wait_for("a request", lambda: self.sandbox.fault_report()[0]["fired"], seconds=LONG)

    def _in_the_ui(self) -> None:
        port = free_port()
        with self.session.running("genie-assets", "dev", "--port", str(port)) as dev:
            dev.says("Dagster is ready at")
            ui = Deployment(self.folder / ".genie/dagster", f"http://127.0.0.1:{port}")
            self._expect_runs_of_loads(ui)
            backfill = ui.backfill(DAILY, self.days[1:3])
            self.session.note(f"backfill of {' and '.join(self.days[1:3])} launched in the UI")
            self._wait("The backfill", lambda: ui.backfill_status(backfill).startswith("COMPLETED"))
            status = ui.backfill_status(backfill)
            _expect(status == "COMPLETED_SUCCESS", f"the backfill ended as {status}")
            self.session.run("genie-assets", "errors", "list").says(f"errors close --class {CLOSED}")
            self.session.run("genie-assets", "errors", "close", "--class", CLOSED)
            self.session.run("genie-assets", "errors", "requeue", "--all")
            self._let_the_sensor_try(ui)
            self._press_ctrl_c(dev)

    def _expect_runs_of_loads(self, ui: Deployment) -> None:
        """The overview shows what the loads did, at our code location: the interrupted and the killed one, too."""
        runs = self._runs(ui)
        strange = [run["id"] for run in runs if not _is_ours(run)]
        _expect(not strange, f"the overview has no row for {strange}")
        found = {(run["pipelineName"], run["status"]) for run in runs}
        wanted = {("genie_daily", status) for status in ("SUCCESS", "CANCELED", "FAILURE")}
        wanted |= {("genie_spaces", "SUCCESS"), ("genie_standing_checks", "SUCCESS")}
        _expect(found == wanted, f"the overview shows {sorted(found)}, not {sorted(wanted)}")

    def _let_the_sensor_try(self, ui: Deployment) -> None:
        before = {run["id"] for run in self._runs(ui)}
        ui.start_sensor("retry_open_errors")
        self.session.note("sensor retry_open_errors switched on in the UI")

        def has_tried() -> bool:
            new = [run for run in self._runs(ui) if run["id"] not in before]
            return bool(new) and all(run["status"] in ("SUCCESS", "FAILURE") for run in new)

        self._wait("The sensor's runs", has_tried)
        failed = [run["id"] for run in self._runs(ui) if run["id"] not in before and run["status"] != "SUCCESS"]
        _expect(not failed, f"runs of the sensor failed: {failed}")

    def _runs(self, ui: Deployment) -> list[dict[str, Any]]:
        return list(ui.graphql(RUNS, filter={})["results"])

    def _wait(self, what: str, look: Callable[[], bool]) -> None:
        try:
            wait_for(what, look, seconds=LONG)
        except TimeoutError as error:
            raise ExpectationError(str(error)) from None

    def _rows(self, *, made_up: bool) -> dict[str, list[dict[str, Any]]]:
        place = self.folder / (".genie/demo/lakehouse" if made_up else ".genie/lakehouse")
        lake = open_lakehouse(str(place), made_up=made_up)
        return {table.name: in_order(records(lake.read(table))) for table in TABLES}

    def _compare(self, demos: dict[str, list[dict[str, Any]]]) -> None:
        changed = [name for name, rows in self._rows(made_up=True).items() if rows != demos[name]]
        _expect(not changed, f"the demo's tables were changed: {changed}")
        _expect(any(demos.values()), "the demo left no rows")
        now = round(dt.datetime.now(dt.UTC).timestamp() * 1000)
        expected = truth(self.account, at=self.sandbox.now_ms(), now=now, urls=self.sandbox.urls)
        errors = expected[MESSAGE_FETCH_ERRORS.name]
        expected[MESSAGE_FETCH_ERRORS.name] = [row for row in errors if row["error_class"] != CLOSED]
        _expect(0 < len(expected[MESSAGE_FETCH_ERRORS.name]) < len(errors), "the account has too few errors")
        stored = self._rows(made_up=False)
        problems = [
            problem
            for table in TABLES
            if table.name in expected
            for problem in differences(table, expected[table.name], stored[table.name])
        ]
        _expect(not problems, f"{len(problems)} rows are not the account's: {'; '.join(problems[:5])}")
        _expect(bool(expected["message_details"]), "the account has no messages")

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        began_at = time.monotonic()
        self.session.note(title, "== ")
        yield
        click.echo(f"{time.monotonic() - began_at:6.1f} s  {title}")


def _is_ours(run: dict[str, Any]) -> bool:
    return (run["repositoryOrigin"] or {}).get("repositoryLocationName") == "genie_assets"


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ExpectationError(otherwise)


def _environment() -> dict[str, str]:
    """Ours, without what names an account, and with the commands of this Python first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "GENIE_"))}
    kept = {name: value for name, value in kept.items() if not name.startswith("DAGSTER_")}
    return {**kept, "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])}


def spend(folder: Path) -> list[str]:
    """Spend the hour in an empty folder; what is to complain about."""
    account = generate(seed=77, anchor=dt.datetime.now(dt.UTC).replace(microsecond=0), days=5, messages=200)
    home, elsewhere = folder / "home", folder / "second_account"
    home.mkdir()
    save(account, elsewhere)
    with SandboxProcess(elsewhere) as sandbox, Session(home, _environment(), folder / "transcript.txt") as session:
        sandbox.advance(hours=24)  # what was late has arrived
        try:
            Hour(home, account, sandbox, session).go()
            problems = []
        except ExpectationError as error:
            problems = [str(error)]
        session.note("the end", "== ")
        for command in session.commands:
            problems += complaints(command.title, command.lines, repeated=REPEATED)
    return problems


@click.command()
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="An empty one. [default: a new one]"
)
def main(folder: Path | None) -> None:
    """Spend a newcomer's hour; ends with 1 if something was not as it should be."""
    chosen = folder or Path(tempfile.mkdtemp(prefix="newcomers-hour-"))
    chosen.mkdir(parents=True, exist_ok=True)
    began_at = time.monotonic()
    problems = spend(chosen)
    for problem in problems:
        click.echo(f"NOT AS IT SHOULD BE: {problem}")
    click.echo(
        f"{time.monotonic() - began_at:6.1f} s  in all; everything that was printed: {chosen}/transcript.txt"
    )
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
