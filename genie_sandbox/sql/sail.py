"""Sail, the engine that runs SQL, for days: kept alive while it waits, replaced when it is gone."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from genie_sandbox.sql.errors import SqlError
from genie_sandbox.sql.sail_session import SailSession

_LOG = logging.getLogger(__name__)

# Sail keeps 0.1 to 0.8 MB of each for good, measured with version 0.7.2.
RUNS_PER_PROCESS = 2000
# A statement whose engine goes away is begun again, but not for ever: it may be what makes the engine go.
_ATTEMPTS = 3


class _EngineLostError(SqlError):
    """The engine went away while it ran a statement. Its process has ended: what is not done will not be."""

    def __init__(self) -> None:
        super().__init__(
            "INTERNAL_ERROR", "The sandbox's engine went away while it ran this statement.", "INTERNAL_ERROR"
        )


class Sail:
    """A running Sail. All but `start` and `stop` may be called from several threads.

    Args:
        runs_per_process: After how many statements its process is replaced by a new one.
    """

    def __init__(self, runs_per_process: int = RUNS_PER_PROCESS) -> None:
        self._runs_per_process = runs_per_process
        self._lock = threading.Lock()
        self._current: SailSession | None = None
        self._open: list[SailSession] = []  # the current one, and those before it that are still at work
        self._failures: tuple[type[Exception], ...] = ()
        self._here = threading.local()
        self._ending = threading.Event()
        self._keeper: threading.Thread | None = None

    def start(self) -> None:
        """Start it; takes a second or two.

        Raises:
            RuntimeError: when its process does not start.
        """
        from grpc import RpcError  # type: ignore[import-untyped]
        from pyspark.errors import PySparkException

        began_at = time.monotonic()
        self._failures = (PySparkException, RpcError)
        self._ending.clear()
        with self._lock:
            seconds = self._begin().seconds_between_questions
        self._keeper = threading.Thread(target=self._keep_alive, args=(seconds,), name="sail-keeper", daemon=True)
        self._keeper.start()
        _LOG.info("The SQL engine, Sail, started in %.1f s", time.monotonic() - began_at)

    def stop(self) -> None:
        """End it, with whatever it is doing; harmless when it was never started."""
        self._ending.set()
        with self._lock:
            self._current = None
            for session in self._open:
                session.close()
            self._open.clear()
        if self._keeper:
            self._keeper.join()
            self._keeper = None

    @contextlib.contextmanager
    def tagged(self, tag: str) -> Iterator[None]:
        """Let `interrupt` find what this thread runs inside the block."""
        self._here.tag = tag
        try:
            yield
        finally:
            self._here.tag = None

    def interrupt(self, tag: str) -> None:
        """Break off what runs under `tag`; harmless if nothing does."""
        for session in self._sessions():
            with contextlib.suppress(*self._failures, ValueError):
                session.spark.interruptTag(tag)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one statement that only reads and return its rows.

        Raises:
            SqlError: if it cannot run; the message is the engine's.
        """
        values = dict(parameters or {})
        rows: pa.Table = self._run(lambda spark: spark.sql(sql, args=values).toArrow())
        return rows

    def columns(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[str]:
        """Names of the columns that a query would return, without running it."""
        values = dict(parameters or {})
        names: list[str] = self._run(lambda spark: spark.sql(sql, args=values).columns)
        return names

    def change(self, sql: str, is_done: Callable[[], bool]) -> None:
        """Run one statement that writes, once.

        Args:
            sql: the statement.
            is_done: whether it has written; asked when its engine went away, and can do no more.

        Raises:
            SqlError: if it cannot run; the message is the engine's.
        """
        self._run(lambda spark: spark.sql(sql).toArrow(), is_done)

    def _run(self, work: Callable[[Any], Any], is_done: Callable[[], bool] = lambda: False) -> Any:
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(_EngineLostError), self._leased() as spark:
                return work(spark)
            if is_done():
                return None
        with self._leased() as spark:
            return work(spark)

    @contextlib.contextmanager
    def _leased(self) -> Iterator[Any]:
        """A session that was alive a moment ago, for one statement."""
        session, tag = self._take(), getattr(self._here, "tag", None)
        try:
            if tag:
                session.spark.addTag(tag)
            yield session.spark
        except Exception as error:
            if not session.answers():
                session.close()
                raise _EngineLostError from None
            if isinstance(error, self._failures):
                raise _translated(error) from None
            raise
        finally:
            if tag:
                session.spark.removeTag(tag)
            self._give_back(session)

    def _take(self) -> SailSession:
        with self._lock:
            session = self._current
            if session is None:
                raise SqlError("INTERNAL_ERROR", "The sandbox's engine is not running.", "INTERNAL_ERROR")
            if session.runs >= self._runs_per_process or not session.is_alive():
                session = self._replaced(session)
            session.users += 1
            session.runs += 1
            return session

    def _give_back(self, session: SailSession) -> None:
        with self._lock:
            session.users -= 1
            self._close_if_idle(session)

    def _replaced(self, old: SailSession) -> SailSession:
        try:
            new = self._begin()
        except Exception as error:
            reason = f"The sandbox's engine cannot be started again: {error}"
            raise SqlError("INTERNAL_ERROR", reason, "INTERNAL_ERROR") from error
        self._close_if_idle(old)
        return new

    def _begin(self) -> SailSession:
        self._current = SailSession()
        self._open.append(self._current)
        return self._current

    def _close_if_idle(self, session: SailSession) -> None:
        if session is not self._current and not session.users and session in self._open:
            self._open.remove(session)
            session.close()

    def _sessions(self) -> list[SailSession]:
        with self._lock:
            return list(self._open)

    def _keep_alive(self, seconds: float) -> None:
        """Ask often enough; one that does not answer is left to the next statement, which needs another."""
        while not self._ending.wait(seconds):
            for session in self._sessions():
                session.answers()


# The engine's own words for what Databricks calls by an error condition.
_CONDITIONS = (
    ("table not found", "TABLE_OR_VIEW_NOT_FOUND"),
    ("is missing from the schema", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"),
    ("cannot resolve attribute", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"),
    ("invalid argument: found", "PARSE_SYNTAX_ERROR"),
    ("divide by zero", "DIVIDE_BY_ZERO"),
    ("cannot cast", "CAST_INVALID_INPUT"),
    ("unknown function", "UNRESOLVED_ROUTINE"),
    ("function not found", "UNRESOLVED_ROUTINE"),
    ("merge_cardinality_violation", "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE"),
    ("not null", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"),
    ("not supported", "UNSUPPORTED_FEATURE"),
    ("not implemented", "UNSUPPORTED_FEATURE"),
)
_LONGEST_MESSAGE = 2000


def _translated(error: Exception) -> SqlError:
    text = str(error).strip()[:_LONGEST_MESSAGE]
    if type(error).__name__ == "SparkConnectGrpcException":
        return SqlError("INTERNAL_ERROR", "The sandbox's engine broke off this statement.", "INTERNAL_ERROR")
    if text.startswith("["):
        condition, _, rest = text[1:].partition("]")
        return SqlError(condition, rest.strip())
    known = next((condition for words, condition in _CONDITIONS if words in text.lower()), "SQL_ENGINE_ERROR")
    return SqlError(known, text)
