"""What the command line says when something is wrong: one clear sentence that names the setting, no traceback."""

import datetime as dt
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from genie_assets.commands.cli import main
from genie_assets_tests.e2e.pipelines import forget_settings, recent_anchor, sandbox_of
from genie_assets_tests.gateways.stub_server import Reply, Request, StubServer
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

pytestmark = pytest.mark.slow

# Not yesterday: a module that remembers the day breaks at midnight.
DAY = (dt.datetime.now(dt.UTC) - dt.timedelta(days=2)).date().isoformat()
COMMANDS = {"check": ["check"], "load": ["load", "--from", DAY, "--to", DAY]}


def failed_statement(request: Request) -> Reply:
    """A warehouse that runs no statement, as Databricks answers for a table that is not there."""
    if not request.path.startswith("/api/2.0/sql/statements"):
        return Reply({"userName": "me"})
    message = "[TABLE_OR_VIEW_NOT_FOUND] The table or view `system`.`access`.`workspaces_latest` cannot be found."
    error = {"error_code": "BAD_REQUEST", "message": message}
    return Reply({"statement_id": "s1", "status": {"state": "FAILED", "error": error}})


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    account = generate_uniform(
        seed=9, anchor=recent_anchor(), conversations=10, messages_per_conversation=2, days=2
    )
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture(scope="module")
def failing_warehouse() -> Iterator[str]:
    with StubServer(failed_statement).running() as stub:
        yield stub.url


@pytest.fixture
def settings(sandbox: SandboxProcess, tmp_path: Path) -> dict[str, str]:
    """Settings that work. Each case makes one of them wrong."""
    return {**sandbox.environment(), "GENIE_LAKEHOUSE": str(tmp_path / "lakehouse")}


def run(command: str, settings: dict[str, str], folder: Path) -> tuple[int, str]:
    """Exit code and all that was printed, with these settings and no others, in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        forget_settings(patch)
        patch.chdir(folder)
        done = CliRunner().invoke(main, COMMANDS[command], env=settings)
    # Any other exception would have been a traceback.
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.output


def run_process(command: str, folder: Path) -> tuple[int, str]:
    """The same in a process of its own, without settings."""
    with pytest.MonkeyPatch.context() as patch:
        forget_settings(patch)
        done = subprocess.run(
            [Path(sys.executable).parent / "genie-assets", *COMMANDS[command]],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    return done.returncode, done.stdout + done.stderr


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def changed(**values: str | None) -> Callable[[dict[str, str]], dict[str, str]]:
    """These settings instead of those that work; None unsets one."""
    return lambda working: {name: value for name, value in (working | values).items() if value is not None}


TOKEN_ONLY: dict[str, str | None] = {"DATABRICKS_CLIENT_ID": None, "DATABRICKS_CLIENT_SECRET": None}

CASES: dict[str, tuple[Callable[[dict[str, str]], dict[str, str]], list[str]]] = {
    "nothing": (lambda _working: {}, ["DATABRICKS_HOST", "DATABRICKS_WAREHOUSE_ID", "DATABRICKS_TOKEN", ".env"]),
    "no host": (changed(DATABRICKS_HOST=None), ["DATABRICKS_HOST is not set"]),
    "no warehouse": (changed(DATABRICKS_WAREHOUSE_ID=None), ["DATABRICKS_WAREHOUSE_ID is not set"]),
    "no credentials": (changed(**TOKEN_ONLY), ["No credentials are set", "DATABRICKS_AUTH_TYPE"]),
    "half a login": (
        changed(DATABRICKS_CLIENT_SECRET=None),
        ["DATABRICKS_CLIENT_ID is set without DATABRICKS_CLIENT_SECRET"],
    ),
    "two logins": (changed(DATABRICKS_TOKEN="dapi-planted-1"), ["both set", "DATABRICKS_TOKEN"]),
    "allowed hosts that cannot be read": (
        changed(GENIE_ALLOWED_HOSTS="http//:nonsense"),
        ["GENIE_ALLOWED_HOSTS must hold patterns"],
    ),
    "a host that is not allowed": (changed(GENIE_ALLOWED_HOSTS=None), ["DATABRICKS_HOST", "GENIE_ALLOWED_HOSTS"]),
    "a wrong token": (
        changed(**TOKEN_ONLY, DATABRICKS_TOKEN="dapi-planted-2"),
        ["did not accept", "DATABRICKS_TOKEN", "401"],
    ),
    "a wrong secret": (
        changed(DATABRICKS_CLIENT_SECRET="planted-secret-3"),
        ["did not accept", "DATABRICKS_CLIENT_SECRET", "401"],
    ),
    "an unreachable host": (changed(DATABRICKS_HOST=closed_port()), ["DATABRICKS_HOST cannot be reached"]),
    "an unknown warehouse": (
        changed(DATABRICKS_WAREHOUSE_ID="0123456789abcdef"),
        ["no SQL warehouse 0123456789abcdef", "DATABRICKS_WAREHOUSE_ID"],
    ),
    "a lakehouse of unknown kind": (changed(GENIE_LAKEHOUSE="ftp://host/tables"), ["GENIE_LAKEHOUSE"]),
}


def assert_one_sentence(code: int, shown: str, expected: list[str]) -> None:
    assert code == 1, shown
    assert "Traceback" not in shown
    assert "planted" not in shown
    complaints = {line.partition("  ")[2] if line.startswith("FAIL") else line for line in shown.splitlines()}
    complaints = {line for line in complaints if line and not line.startswith(("ok ", "-- "))}
    naming = [line for line in complaints if all(part in line for part in expected)]
    assert naming, shown
    assert all(len(line) < 500 for line in complaints), shown


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", CASES)
def test_a_wrong_setting_is_named_in_one_sentence(command, case, settings, tmp_path):
    change, expected = CASES[case]
    code, shown = run(command, change(settings), tmp_path)
    assert_one_sentence(code, shown, expected)
    if command == "load":
        # Nothing but the complaint.
        assert len(shown.strip().splitlines()) == 1, shown
    else:
        # One cause, one finding: a wrong token was told by the lakehouse and by three system tables.
        assert sum(line.startswith(("FAIL", "Error")) for line in shown.splitlines()) == 1, shown


@pytest.mark.parametrize("command", COMMANDS)
def test_a_statement_that_the_warehouse_fails_is_told_with_what_to_do(
    command, settings, failing_warehouse, tmp_path
):
    wrong = changed(**TOKEN_ONLY, DATABRICKS_TOKEN="dapi-planted-4", DATABRICKS_HOST=failing_warehouse)
    code, shown = run(command, wrong(settings), tmp_path)
    assert_one_sentence(code, shown, ["TABLE_OR_VIEW_NOT_FOUND", "granted to our principal"])
    assert settings["DATABRICKS_WAREHOUSE_ID"] in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_settings_that_work_pass_and_may_stand_in_a_file_of_the_working_directory(command, settings, tmp_path):
    """Guards the tests above: nothing else is wrong. An .env beside the package was read instead."""
    lines = [f"{name}={value}" for name, value in settings.items()]
    (tmp_path / ".env").write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, shown = run_process(command, tmp_path)
    assert code == 0, shown
    assert "FAIL" not in shown
