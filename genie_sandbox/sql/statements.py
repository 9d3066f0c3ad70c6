"""Statements on their way: submitted, running, finished, and for a while remembered."""

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import uuid4

from genie_sandbox.sql.binding import Parameters
from genie_sandbox.sql.catalog import Session
from genie_sandbox.sql.errors import SqlError
from genie_sandbox.sql.results import Result, result_of
from genie_sandbox.sql.warehouse import Warehouse

MEBIBYTE = 1 << 20
_INTERRUPTIONS = 50
_SECONDS_BETWEEN_INTERRUPTIONS = 0.1
TERMINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "CLOSED"})


@dataclass
class Limits:
    """Sizes that tests make small. Databricks' own where it documents them."""

    inline_bytes: int = 25 * MEBIBYTE
    chunk_bytes: int = 4 * MEBIBYTE
    link_seconds: float = 900.0
    threads: int = 8
    remembered_statements: int = 1000
    remembered_bytes: int = 256 * MEBIBYTE


@dataclass(frozen=True)
class Order:
    """A statement as it was asked for."""

    statement: str
    session: Session
    parameters: Parameters
    disposition: str = "INLINE"
    row_limit: int | None = None
    byte_limit: int | None = None


@dataclass
class Job:
    """A statement and how far it is. `done` is set when it has ended."""

    statement_id: str
    order: Order
    state: str = "PENDING"
    error_code: str | None = None
    message: str | None = None
    result: Result | None = None
    done: Future[None] = field(default_factory=Future)
    left: threading.Event = field(default_factory=threading.Event)  # no thread works on it any more

    @property
    def kept_bytes(self) -> int:
        """About how much of it is remembered once it has ended."""
        return len(self.order.statement) + (self.result.byte_count if self.result else 0)


class Statements:
    """Runs statements in a few threads and remembers them. Methods may be called from any thread."""

    def __init__(self, warehouse: Warehouse, limits: Limits) -> None:
        self._warehouse = warehouse
        self._limits = limits
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._kept_bytes = 0
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="sql")

    def submit(self, order: Order) -> Job:
        """Begin a statement."""
        job = Job(str(uuid4()), order)
        with self._lock:
            self._jobs[job.statement_id] = job
            self._forget_oldest()
        self._pool.submit(self._run, job)
        return job

    def get(self, statement_id: str) -> Job | None:
        """The statement, or None if it is unknown or forgotten."""
        with self._lock:
            return self._jobs.get(statement_id)

    def cancel(self, job: Job) -> None:
        """Cancel a statement unless it has ended. What it has written stays written."""
        was_running = job.state == "RUNNING"
        self._finish(job, "CANCELED")
        # Again and again, because the engine knows nothing of what it is about to be asked.
        for _ in range(_INTERRUPTIONS if was_running else 0):
            self._warehouse.interrupt(job.statement_id)
            if job.left.wait(_SECONDS_BETWEEN_INTERRUPTIONS):
                return

    def stop(self) -> None:
        """Cancel what has not ended; the threads end soon after."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            if job.state not in TERMINAL:
                self.cancel(job)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, job: Job) -> None:
        try:
            self._run_unless_cancelled(job)
        finally:
            job.left.set()

    def _run_unless_cancelled(self, job: Job) -> None:
        with self._lock:
            if job.state != "PENDING":
                return
            job.state = "RUNNING"
        try:
            result = self._result(job)
        except SqlError as error:
            self._finish(job, "FAILED", error_code=error.error_code, message=str(error))
        except Exception as error:  # noqa: BLE001  A statement must end, whatever happens to it.
            message = f"[INTERNAL_ERROR] {type(error).__name__}: {error}"
            self._finish(job, "FAILED", error_code="INTERNAL_ERROR", message=message[:2000])
        else:
            self._finish(job, "SUCCEEDED", result=result)

    def _result(self, job: Job) -> Result:
        order = job.order
        table = self._warehouse.run(order.statement, order.session, order.parameters, job.statement_id)
        result = result_of(
            table,
            chunk_bytes=self._limits.chunk_bytes,
            row_limit=order.row_limit,
            byte_limit=order.byte_limit,
        )
        if order.disposition == "INLINE" and result.byte_count > self._limits.inline_bytes:
            raise SqlError(
                "RESULT_TOO_LARGE",
                f"Inline byte limit exceeded. Statements executed with disposition=INLINE can have a result "
                f"size of at most {self._limits.inline_bytes} bytes. Please execute the statement with "
                f"disposition=EXTERNAL_LINKS if you want to download the full result.",
            )
        return result

    def _finish(
        self,
        job: Job,
        state: str,
        *,
        error_code: str | None = None,
        message: str | None = None,
        result: Result | None = None,
    ) -> None:
        with self._lock:
            if job.state in TERMINAL:
                return
            job.state, job.error_code, job.message, job.result = state, error_code, message, result
            self._kept_bytes += job.kept_bytes
        job.done.set_result(None)

    def _forget_oldest(self) -> None:
        ended = (job for job in self._jobs.values() if job.state in TERMINAL)
        gone: list[Job] = []
        surplus = len(self._jobs) - self._limits.remembered_statements
        while surplus > len(gone) or self._kept_bytes > self._limits.remembered_bytes:
            job = next(ended, None)
            if job is None:
                break
            gone.append(job)
            self._kept_bytes -= job.kept_bytes
        for job in gone:
            del self._jobs[job.statement_id]
