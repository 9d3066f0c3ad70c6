"""The warehouse stays alive for days: idle, at work, asleep with the machine, and when its engine dies."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import ExecuteStatementRequestOnWaitTimeout, StatementState

from genie_assets_tests.sandbox.wire import workspace_client
from genie_sandbox.client import SandboxProcess
from genie_sandbox.sql.sail import Sail

pytestmark = pytest.mark.slow

TIMEOUT_SECONDS = 2
LONG = "SELECT count(*) FROM range(0, 300000000) WHERE hash(id) % 7 = 3"


class Warehouse:
    """A sandbox whose engine forgets a session after two seconds instead of twenty minutes."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self._client: WorkspaceClient = workspace_client(sandbox)

    def rows(self, statement: str, **options: Any) -> list[list[str | None]]:
        statements = self._client.statement_execution
        answer = statements.execute_statement(statement, self.sandbox.warehouse_id, wait_timeout="50s", **options)
        while answer.status.state in (StatementState.PENDING, StatementState.RUNNING):
            time.sleep(0.2)
            answer = statements.get_statement(answer.statement_id)
        assert answer.status.state is StatementState.SUCCEEDED, answer.status.error
        return answer.result.data_array or []

    def rows_in_the_end(self, statement: str) -> list[list[str | None]]:
        """The rows of a write that is tried again as long as others are in its way."""
        while True:
            try:
                return self.rows(statement)
            except AssertionError as error:
                if "DELTA_CONCURRENT" not in str(error):
                    raise

    def state_after(self, statement: str, seconds: int) -> StatementState:
        """The state of a statement that is cancelled after so many seconds."""
        return self._client.statement_execution.execute_statement(
            statement,
            self.sandbox.warehouse_id,
            wait_timeout=f"{seconds}s",
            on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CANCEL,
        ).status.state

    def sleep_with_the_machine(self) -> None:
        """Stop every process of the sandbox for longer than the engine remembers a session."""
        os.killpg(self.sandbox.pid, signal.SIGSTOP)
        time.sleep(2 * TIMEOUT_SECONDS)
        os.killpg(self.sandbox.pid, signal.SIGCONT)

    def kill_the_engine(self) -> None:
        for pid in children(self.sandbox.pid):
            os.kill(pid, signal.SIGKILL)


def children(of: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-Aww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split(None, 2) for line in listed.splitlines()]
    return [int(line[0]) for line in lines if int(line[1]) == of and "sail_server" in line[2]]


def is_running(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.fixture(scope="module")
def warehouse(data: Path) -> Iterator[Warehouse]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAIL_SPARK__SESSION_TIMEOUT_SECS", str(TIMEOUT_SECONDS))
        patch.setenv("TZ", "Asia/Tokyo")  # a session that nobody prepared would tell the time of
        # Answers of the sandbox do not go through it, and its engine on loopback must not be sought there either.
        patch.setenv("http_proxy", "http://127.0.0.1:9")
        running = SandboxProcess(data, start_seconds=60).start()
    try:
        yield Warehouse(running)
    finally:
        running.stop()


@pytest.fixture
def counter(warehouse: Warehouse) -> str:
    """A table of one row whose `n` is 0."""
    warehouse.rows("CREATE OR REPLACE TABLE main.default.counter (id INT, n INT)")
    warehouse.rows("INSERT INTO main.default.counter VALUES (1, 0)")
    return "main.default.counter"


def every_kind(warehouse: Warehouse, number: int) -> None:
    """Statements of every kind, each of which needs what the ones before it did."""
    table, view = f"main.default.kind_{number}", f"main.default.view_{number}"
    rows = warehouse.rows
    rows(f"CREATE OR REPLACE TABLE {table} (id INT, at TIMESTAMP) USING DELTA")
    rows(f"INSERT INTO {table} VALUES (1, TIMESTAMP'2026-01-01 00:00:00')")
    source = "SELECT 1 AS id, TIMESTAMP'2026-01-02 00:00:00' AS at UNION ALL SELECT 2, NULL"
    merged = f"""MERGE INTO {table} AS t USING ({source}) AS s ON t.id = s.id
                 WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"""
    assert rows(merged) == [["2", "1", "0", "1"]]
    assert rows(f"UPDATE {table} SET id = 3 WHERE id = 2") == [["1"]]
    assert rows(f"DELETE FROM {table} WHERE id IN (SELECT 3)") == [["1"]]
    rows(f"CREATE OR REPLACE VIEW {view} AS SELECT * EXCEPT (id) FROM {table}")
    assert rows(f"SELECT * FROM {view}") == [["2026-01-02T00:00:00.000Z"]]
    assert rows(f"OPTIMIZE {table}")
    assert rows(f"DESCRIBE TABLE {table}")[1][:2] == ["at", "timestamp"]
    assert rows("SELECT count(*) FROM system.access.workspaces_latest") == [["2"]]
    rows(f"DROP VIEW {view}")
    rows(f"DROP TABLE {table}")


def all_at_once(warehouse: Warehouse) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: every_kind(warehouse, number), range(4)))


def test_every_kind_of_statement_runs_after_an_idle_time(warehouse: Warehouse) -> None:
    time.sleep(2 * TIMEOUT_SECONDS)
    all_at_once(warehouse)


def test_a_statement_may_take_longer_than_an_idle_session_lives(warehouse: Warehouse) -> None:
    assert int(warehouse.rows(LONG)[0][0] or 0) > 0


def test_every_kind_of_statement_runs_after_the_machine_slept(warehouse: Warehouse) -> None:
    warehouse.sleep_with_the_machine()
    all_at_once(warehouse)


@pytest.mark.parametrize("trouble", [Warehouse.sleep_with_the_machine, Warehouse.kill_the_engine])
def test_statements_on_their_way_are_done_once(
    warehouse: Warehouse, counter: str, trouble: Callable[[Warehouse], None]
) -> None:
    def add(_: int) -> None:
        assert warehouse.rows_in_the_end(f"UPDATE {counter} SET n = n + 1 WHERE id = 1") == [["1"]]
        assert warehouse.rows(f"SELECT count(*) FROM {counter}") == [["1"]]

    with ThreadPoolExecutor(4) as pool:
        added: list[Future[None]] = [pool.submit(add, number) for number in range(40)]
        for _ in range(3):
            wait(added, timeout=1)
            trouble(warehouse)
            warehouse.rows("SELECT 1")
        for one in added:
            one.result()
    assert warehouse.rows(f"SELECT n FROM {counter}") == [["40"]]


def test_a_statement_can_be_broken_off_in_a_session_that_took_the_place_of_another(warehouse: Warehouse) -> None:
    warehouse.kill_the_engine()
    assert warehouse.state_after(LONG.replace("300000000", "900000000000"), 5) is StatementState.CANCELED
    began_at = time.monotonic()
    all_at_once(warehouse)  # it holds no thread any more
    assert time.monotonic() - began_at < 60


def test_the_engine_gives_its_memory_back_now_and_then() -> None:
    """Sail keeps something of every statement: a new process takes the place of the old one, once that is idle."""
    others = set(children(os.getpid()))  # of other tests that ran in this process
    sail = Sail(runs_per_process=10)
    sail.start()
    try:
        seen = set(children(os.getpid()))
        with ThreadPoolExecutor(4) as pool:
            slow = pool.submit(sail.query, LONG)
            for number in range(35):
                assert sail.query(f"SELECT {number} AS n").to_pylist() == [{"n": number}]
                seen.update(children(os.getpid()))
            assert len(slow.result()) == 1
        assert len(seen - others) >= 3
        assert len(set(children(os.getpid())) - others) == 1
    finally:
        sail.stop()
    assert set(children(os.getpid())) <= others


def test_the_engine_ends_with_a_sandbox_that_is_killed(data: Path) -> None:
    own = SandboxProcess(data).start()
    try:
        (engine,) = children(own.pid)
        os.kill(own.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while is_running(engine) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_running(engine)
    finally:
        own.stop()
