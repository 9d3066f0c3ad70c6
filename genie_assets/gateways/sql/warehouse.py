"""Asking a Databricks SQL warehouse, through the Statement Execution API."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote

import pandas as pd
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.run_costs import STATEMENTS
from genie_assets.gateways.databricks.bounds import bounded
from genie_assets.gateways.databricks.exchange import MIB
from genie_assets.gateways.databricks.retries import CallError, Retries, as_tries
from genie_assets.gateways.databricks.transport import AnswerLimits, WorkspaceHttp
from genie_assets.gateways.sql.answers import Statement, statement_of
from genie_assets.gateways.sql.errors import WarehouseError, failed_call, refused_statement, shown_reason
from genie_assets.gateways.sql.results import Part, ResultLimits, Results
from genie_assets.gateways.sql.values import Parameter, UnreadableValueError, frame, parameter

__all__ = ["Parameter", "SqlWarehouse", "WarehouseError"]

_STATEMENTS = "/api/2.0/sql/statements/"
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 10.0
_WRITE_ATTEMPTS = 8  # other writers pass, but there may be several of them
_RUNNING = frozenset({"PENDING", "RUNNING"})
_MOST_GRACE_SECONDS = 60.0  # for one answer, which the server may hold back for thirty

_log = logging.getLogger(__name__)

# What the server says when a result does not fit into the answer itself.
_TOO_BIG = ("inline byte limit", "external_links", "result too large", "exceeds the maximum", "25 mib")


class _TooBigForInlineError(Exception):
    """The result has to be fetched through links."""


class _Answer(NamedTuple):
    """What was said of a statement, and how many bytes that took."""

    statement: Statement
    size: int


class SqlWarehouse:
    """A SQL warehouse. Safe to share by threads.

    So many parameters: where it is, and the means, which tests replace.

    Args:
        connect: Gives the connection to the workspace that holds the warehouse (`Workspaces.home`).
        warehouse_id: Its id.
        timeout_seconds: How long one statement may take before it is cancelled. What is under way then is waited
            for as long once more, and a minute at most.
        retries: How passing trouble is met.
        clock: Monotonic seconds.
        sleep: Waits so many seconds between two looks at a running statement.
        limits: How big a result may be.
    """

    def __init__(
        self,
        connect: Callable[[], WorkspaceHttp],
        warehouse_id: str,
        *,
        timeout_seconds: float = 900.0,
        retries: Retries | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        limits: ResultLimits | None = None,
    ) -> None:
        self._connect = connect
        self._warehouse_id = warehouse_id
        self._timeout_seconds = timeout_seconds
        self._grace_seconds = min(timeout_seconds, _MOST_GRACE_SECONDS)
        self._retries = retries or Retries(clock=clock)
        self._clock, self._sleep, self._limits = clock, sleep, limits or ResultLimits()

    def query(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> pd.DataFrame:
        """Run a SELECT with named parameters (`:name`) and bring its whole result.

        Columns are typed as `sql_values.frame` says. After a lost answer the statement is sent again, so it must
        be one that may run twice.

        Raises:
            WarehouseError: in one clear sentence, naming the setting or the grant that is missing. A result that
                is not whole is an error, too.
        """
        columns: Sequence[Mapping[str, Any]] = ()
        rows: list[list[Any]] = []
        size = 0
        longest = self._timeout_seconds + self._grace_seconds
        with bounded(seconds=longest, silence=longest):  # the login, too
            for columns, part in self._outcome(statement, parameters):  # noqa: B007 - the same for all parts
                rows += part.rows
                size += part.size
                if size > self._limits.held_bytes:
                    most = self._limits.held_bytes // MIB
                    raise WarehouseError(f"A result is too big to be held at once: more than {most} MiB.")
        return self._readable(columns, rows)

    def batches(
        self, statement: str, parameters: Mapping[str, Parameter] | None = None, *, by_links: bool = False
    ) -> Iterator[pd.DataFrame]:
        """Run a SELECT as `query` does, and bring its result in parts, of which there is at least one.

        Args:
            statement: A SELECT that may run twice.
            parameters: Values of its named parameters.
            by_links: Fetch the result through links from the start, because it may be too big to come inline. A
                result that turns out to be too big costs a second run.

        Raises:
            WarehouseError: as for `query`, also between two parts: use none of them before the last has come.
        """
        for columns, part in self._outcome(statement, parameters, by_links=by_links):
            yield self._readable(columns, part.rows)

    def execute(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement that writes, again after a lost answer or a conflict with another writer.

        Args:
            statement: One that leaves the same behind, however often it runs.
            parameters: Values of its named parameters.

        Raises:
            WarehouseError: as for `query`. The statement may have run all the same.
        """
        for _ in self._outcome(statement, parameters, attempts=_WRITE_ATTEMPTS):
            pass

    def _readable(self, columns: Sequence[Mapping[str, Any]], rows: list[list[Any]]) -> pd.DataFrame:
        try:
            return frame(columns, rows)
        except UnreadableValueError as error:
            problem = f"The SQL warehouse sent a result that cannot be read: {error}"
        raise WarehouseError(problem)

    def _outcome(
        self,
        statement: str,
        parameters: Mapping[str, Parameter] | None,
        *,
        by_links: bool = False,
        attempts: int = 3,
    ) -> Iterator[tuple[Sequence[Mapping[str, Any]], Part]]:
        """Run a statement; its columns and some of its rows, at least once, until all rows have come."""
        deadline = self._clock() + self._timeout_seconds
        try:
            ended, size = self._ended(self._request(statement, parameters), deadline, by_links, attempts)

            def chunk(statement_id: str, index: int) -> tuple[dict[str, Any], int]:
                return self._call("GET", f"{_path(statement_id)}/result/chunks/{index}", deadline)

            meter = self._connect().meter
            results = Results(chunk, retries=self._retries, deadline=deadline, limits=self._limits, meter=meter)
            for part in results.parts(ended, size):
                meter.brought(len(part.rows), part.size)
                yield ended.columns, part
        except CallError as failed:
            problem = failed_call(failed.error, self._warehouse_id)
        else:
            return
        # Raised here, so that no exception that knows the request hangs on to it.
        raise problem

    def _request(self, statement: str, parameters: Mapping[str, Parameter] | None) -> dict[str, Any]:
        return {
            "statement": statement,
            "warehouse_id": self._warehouse_id,
            "parameters": [parameter(name, value) for name, value in (parameters or {}).items()],
            "wait_timeout": "30s",
            "on_wait_timeout": "CONTINUE",
            "format": "JSON_ARRAY",
        }

    def _ended(self, request: Mapping[str, Any], deadline: float, by_links: bool, attempts: int) -> _Answer:
        """The answer of a statement that succeeded, with its result inline if that is possible and wanted."""
        if not by_links:
            try:
                return self._ended_well({**request, "disposition": "INLINE"}, deadline, attempts)
            except _TooBigForInlineError:
                _log.info("A result is too big to come inline; running the statement again for links to it.")
        try:
            return self._ended_well({**request, "disposition": "EXTERNAL_LINKS"}, deadline, attempts)
        except _TooBigForInlineError as error:
            problem = str(error)
        raise WarehouseError(problem)

    def _ended_well(self, request: Mapping[str, Any], deadline: float, attempts: int) -> _Answer:
        """Run a statement, and again if it failed for a reason that passes."""
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, WarehouseError) and error.passing),
            wait=wait_random_exponential(multiplier=1, max=10),
            stop=stop_after_attempt(attempts),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(as_tries(self._run, of=STATEMENTS), request, deadline)

    def _run(self, request: Mapping[str, Any], deadline: float) -> _Answer:
        meter, began = self._connect().meter, self._clock()
        try:
            answer = self._finished(self._asked("POST", _STATEMENTS, deadline, request), deadline)
        finally:
            meter.ran(round((self._clock() - began) * 1000))
        if answer.statement.is_truncated:
            raise _TooBigForInlineError("The result of a statement is too big: the SQL warehouse cut it.")
        return answer

    def _finished(self, answer: _Answer, deadline: float) -> _Answer:
        wait = _FIRST_WAIT_SECONDS
        while answer.statement.state in _RUNNING:
            statement_id = answer.statement.known_id
            if self._clock() + wait > deadline:
                self._cancel(statement_id)
                raise WarehouseError(
                    f"A statement did not end within {self._timeout_seconds:g} seconds and was cancelled. Is the "
                    f"SQL warehouse {self._warehouse_id} (DATABRICKS_WAREHOUSE_ID) starting, or overloaded?"
                )
            self._sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            answer = self._asked("GET", _path(statement_id), deadline)
            # The id is known, whether or not the answer repeats it.
            answer = answer._replace(statement=replace(answer.statement, statement_id=statement_id))
        if answer.statement.state != "SUCCEEDED":
            raise _failed(answer.statement, self._warehouse_id)
        return answer

    def _cancel(self, statement_id: str) -> None:
        try:
            self._connect().send("POST", f"{_path(statement_id)}/cancel", body={})
        except CallError as failed:
            _log.warning("A statement could not be cancelled: %s", failed.error.message)

    def _asked(self, method: str, path: str, deadline: float, body: Mapping[str, Any] | None = None) -> _Answer:
        answer, size = self._call(method, path, deadline, body)
        return _Answer(statement_of(answer), size)

    def _call(
        self, method: str, path: str, deadline: float, body: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], int]:
        def call() -> tuple[dict[str, Any], int]:
            patience = max(deadline - self._clock(), self._grace_seconds)
            limits = AnswerLimits(self._limits.inline_bytes, self._limits.inline_values, patience)
            return self._connect().sized_call(method, path, body=body, limits=limits)

        try:
            return self._retries.call(call, deadline=deadline)
        except CallError as failed:
            if method != "GET" or failed.error.error_class is not ErrorClass.NOT_FOUND:
                raise
            forgotten = failed.error
        # Of a statement that it took, a 404 speaks of that one, and never of the warehouse.
        text = f"it knows the statement, or its result, no more: {forgotten.message}"
        raise CallError(replace(forgotten, error_class=ErrorClass.SERVER, message=text))


def _path(statement_id: str) -> str:
    return _STATEMENTS + quote(statement_id, safe="")


def _failed(statement: Statement, warehouse_id: str) -> Exception:
    state, message = statement.state, statement.message
    if state in ("CANCELED", "CLOSED"):
        problem = f"A statement was {state.lower()} by the SQL warehouse {warehouse_id}: {shown_reason(message)}"
        # A result that is too big to come inline may show as nothing but a closed statement.
        return _TooBigForInlineError(problem) if state == "CLOSED" else WarehouseError(problem)
    error = refused_statement(statement.error_code, message, warehouse_id, state)
    # Only where no condition says what it is: a message may quote anything, such as the name of a table.
    if "[" not in message and any(mark in message.lower() for mark in _TOO_BIG):
        return _TooBigForInlineError(f"The result of a statement is too big: {shown_reason(message)}")
    return error
