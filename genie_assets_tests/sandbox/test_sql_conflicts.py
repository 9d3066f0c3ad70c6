"""Writes that overlap: by Delta's rules the second is committed or refused, as Databricks would."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import StatementResponse, StatementState

from genie_assets_tests.sandbox.wire import workspace_client
from genie_sandbox.client import SandboxProcess

pytestmark = pytest.mark.servers

TABLE = "main.races.rows"
FLAT = "main.races.flat"
_OVER = (StatementState.SUCCEEDED, StatementState.FAILED, StatementState.CANCELED)


class Warehouse:
    """A sandbox whose statements run beside each other."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.client: WorkspaceClient = workspace_client(sandbox)
        self._pool = ThreadPoolExecutor(8)

    def run(self, statement: str) -> StatementResponse:
        statements = self.client.statement_execution
        answer = statements.execute_statement(statement, self.sandbox.warehouse_id, wait_timeout="50s")
        while answer.status.state not in _OVER:
            time.sleep(0.1)
            answer = statements.get_statement(answer.statement_id)
        return answer

    def rows(self, statement: str) -> list[list[str | None]]:
        answer = self.run(statement)
        assert answer.status.state is StatementState.SUCCEEDED, answer.status.error
        return answer.result.data_array or []

    def begin(self, statement: str) -> "Future[StatementResponse]":
        """The statement in another thread."""
        return self._pool.submit(self.run, statement)

    def overtaken(self, statement: str, *others: str) -> str:
        """Run a write that reads before the others are done and commits after; why it failed, or ''."""
        hold = self.sandbox.hold(point="before_commit")
        held = self.begin(statement)
        self.sandbox.wait_for_hold(hold)
        for other in others:
            self.rows(other)
        self.sandbox.release(hold)
        answer = held.result(60)
        return "" if answer.status.state is StatementState.SUCCEEDED else str(answer.status.error.message)


@pytest.fixture(scope="module")
def warehouse(data: Path) -> Iterator[Warehouse]:
    with SandboxProcess(data) as sandbox:
        warehouse = Warehouse(sandbox)
        warehouse.rows("CREATE SCHEMA main.races")
        yield warehouse


@pytest.fixture
def table(warehouse: Warehouse) -> Iterator[str]:
    rows = "VALUES ('a', 1, DATE'2026-08-01'), ('b', 1, DATE'2026-08-01'), ('c', 1, DATE'2026-08-02')"
    for name, partitioned in ((TABLE, "PARTITIONED BY (day)"), (FLAT, "")):
        warehouse.rows(f"CREATE OR REPLACE TABLE {name} (k STRING NOT NULL, v INT, day DATE) {partitioned}")
        warehouse.rows(f"INSERT INTO {name} {rows}")
    yield TABLE
    warehouse.sandbox.release()


def merge(key: str, value: int, day: int, table: str = TABLE) -> str:
    """A MERGE that says which day it is about."""
    return f"""MERGE INTO {table} AS t
        USING (SELECT '{key}' AS k, {value} AS v, DATE'2026-08-0{day}' AS day) AS s
           ON t.k = s.k AND t.day IN (DATE'2026-08-0{day}')
        WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"""


def replace(day: int, value: int) -> str:
    return f"""INSERT INTO {TABLE} REPLACE WHERE day = DATE'2026-08-0{day}'
        SELECT 'r', {value}, DATE'2026-08-0{day}'"""


APPEND = f"INSERT INTO {TABLE} VALUES ('x', 9, DATE'2026-08-01')"


@pytest.mark.parametrize(
    ("held", "others", "condition"),
    [
        (merge("a", 2, 1), [merge("b", 3, 1)], "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT"),
        (merge("n", 2, 1), [merge("n", 3, 1)], "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT"),
        (merge("n", 2, 3), [merge("n", 3, 3)], "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT"),
        (replace(1, 2), [replace(1, 3)], "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT"),
        (
            f"UPDATE {TABLE} SET v = 7 WHERE k = 'c'",
            [merge("a", 2, 1)],
            "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT",
        ),
        (
            f"INSERT INTO {TABLE} SELECT k, 5, day FROM {TABLE}",
            [merge("a", 2, 1)],
            "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT",
        ),
        (merge("a", 2, 1, FLAT), [merge("c", 3, 2, FLAT)], "DELTA_CONCURRENT_APPEND.WITHOUT_HINT"),
        (merge("a", 2, 1), [f"DELETE FROM {TABLE} WHERE day = DATE'2026-08-01'"], "DELTA_CONCURRENT_DELETE_READ"),
        (merge("a", 2, 1), [APPEND, f"OPTIMIZE {TABLE}"], "DELTA_CONCURRENT_DELETE_READ"),
        (f"OPTIMIZE {TABLE}", [f"DELETE FROM {TABLE} WHERE k = 'a'"], "DELTA_CONCURRENT_DELETE_DELETE"),
        (merge("a", 2, 1), [f"ALTER TABLE {TABLE} ADD COLUMNS (more STRING)"], "DELTA_METADATA_CHANGED"),
        (APPEND, [f"ALTER TABLE {TABLE} ADD COLUMNS (more STRING)"], "DELTA_METADATA_CHANGED"),
        (merge("a", 2, 1), [f"DROP TABLE {TABLE}"], "TABLE_OR_VIEW_NOT_FOUND"),
    ],
)
def test_a_write_is_refused_when_another_changed_what_it_read(
    warehouse: Warehouse, table: str, held: str, others: list[str], condition: str
) -> None:
    if held.startswith("OPTIMIZE"):
        warehouse.rows(APPEND)
    reason = warehouse.overtaken(held, *others)
    assert reason.startswith(f"[{condition}")
    if condition.startswith("DELTA"):
        assert reason.endswith("SQLSTATE: 2D521")


@pytest.mark.parametrize(
    ("held", "others"),
    [
        (merge("a", 2, 1), [merge("c", 3, 2), replace(3, 3)]),
        (replace(1, 2), [replace(2, 3)]),
        (APPEND, [merge("a", 2, 1), replace(1, 5), f"DELETE FROM {TABLE} WHERE k = 'c'"]),
        (merge("a", 2, 1), [APPEND]),
    ],
)
def test_writes_that_are_not_in_each_others_way_are_both_done(
    warehouse: Warehouse, table: str, held: str, others: list[str]
) -> None:
    assert warehouse.overtaken(held, *others) == ""


def test_what_changes_nothing_is_in_nobodys_way(warehouse: Warehouse, table: str) -> None:
    hold = warehouse.sandbox.hold(point="before_commit")
    assert warehouse.rows(f"DELETE FROM {table} WHERE k = 'nobody'") == [["0"]]
    warehouse.sandbox.release(hold)


def test_the_refusal_is_worded_as_databricks_words_it(warehouse: Warehouse, table: str) -> None:
    assert warehouse.overtaken(merge("a", 2, 1), merge("b", 3, 1)) == (
        "[DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT] Transaction conflict detected. A concurrent MERGE added "
        "data to table main.races.rows committed at version 2. The concurrent operation modified data in "
        "partition [day=2026-08-01] that should have been read by this operation. Please retry the operation. "
        "Refer to https://docs.databricks.com/optimizations/isolation-level.html for more information. "
        "SQLSTATE: 2D521"
    )


def test_a_refused_write_leaves_nothing_and_succeeds_when_it_is_tried_again(
    warehouse: Warehouse, table: str
) -> None:
    assert warehouse.overtaken(merge("a", 2, 1), merge("a", 3, 1))
    rows = f"SELECT k, v FROM {table} ORDER BY k"
    assert warehouse.rows(rows) == [["a", "3"], ["b", "1"], ["c", "1"]]
    assert warehouse.rows(merge("a", 2, 1)) == [["1", "1", "0", "0"]]
    assert warehouse.rows(rows) == [["a", "2"], ["b", "1"], ["c", "1"]]


def test_readers_see_a_held_write_only_after_its_commit(warehouse: Warehouse, table: str) -> None:
    rows = f"SELECT count(*) FROM {table}"
    hold = warehouse.sandbox.hold(statement="INSERT", table="rows")
    held = warehouse.begin(APPEND)
    warehouse.sandbox.wait_for_hold(hold)
    assert warehouse.rows(rows) == [["3"]]
    warehouse.sandbox.release(hold)
    held.result(60)
    assert warehouse.rows(rows) == [["4"]]


def test_a_held_write_that_is_cancelled_is_not_committed_unless_it_already_was(
    warehouse: Warehouse, table: str
) -> None:
    for point, expected in (("before_commit", "3"), ("after_commit", "4")):
        hold = warehouse.sandbox.hold(point=point)
        statements = warehouse.client.statement_execution
        answer = statements.execute_statement(APPEND, warehouse.sandbox.warehouse_id, wait_timeout="0s")
        warehouse.sandbox.wait_for_hold(hold)
        statements.cancel_execution(answer.statement_id)
        warehouse.sandbox.release(hold)
        assert statements.get_statement(answer.statement_id).status.state is StatementState.CANCELED
        assert warehouse.rows(f"SELECT count(*) FROM {table}") == [[expected]]


def test_a_hold_is_about_what_it_names_and_ends_by_itself(warehouse: Warehouse, table: str) -> None:
    warehouse.sandbox.hold(statement="MERGE", table="rows", seconds=0.5)
    warehouse.rows(APPEND)
    warehouse.rows(merge("a", 2, 1, FLAT))
    began_at = time.monotonic()
    warehouse.rows(merge("a", 2, 1))
    assert time.monotonic() - began_at > 0.5
    with pytest.raises(RuntimeError, match="there is no point 'later'"):
        warehouse.sandbox.hold(point="later")
    with pytest.raises(RuntimeError, match="no write is called 'SELECT'"):
        warehouse.sandbox.hold(statement="SELECT")


def test_many_writers_that_try_again_lose_and_double_nothing(warehouse: Warehouse, table: str) -> None:
    """For long enough that the log gets checkpoints."""

    def until_done(statement: str) -> None:
        for _ in range(200):
            answer = warehouse.run(statement)
            if answer.status.state is StatementState.SUCCEEDED:
                return
            assert "DELTA_CONCURRENT" in answer.status.error.message
        raise AssertionError("never done")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(until_done, [merge(f"n{number % 8}", number, 1) for number in range(16)]))
    assert warehouse.rows(f"SELECT count(*), count(DISTINCT k) FROM {table}") == [["11", "11"]]
