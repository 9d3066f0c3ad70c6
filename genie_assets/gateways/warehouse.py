"""Asking a Databricks SQL warehouse, through the Statement Execution API."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

import pandas as pd
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.retries import CallError, Retries
from genie_assets.gateways.scrubbing import scrub
from genie_assets.gateways.sql_errors import WarehouseError, refused_statement
from genie_assets.gateways.sql_results import linked_rows, next_chunk
from genie_assets.gateways.sql_values import Parameter, UnreadableValueError, frame, parameter
from genie_assets.gateways.transport import WorkspaceHttp

__all__ = ["Parameter", "SqlWarehouse", "WarehouseError"]

_STATEMENTS = "/api/2.0/sql/statements/"
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 10.0
_WRITE_ATTEMPTS = 8  # other writers pass, but there may be several of them
_RUNNING = frozenset({"PENDING", "RUNNING"})

_log = logging.getLogger(__name__)

# What the server says when a result does not fit into the answer itself.
_TOO_BIG = ("inline byte limit", "external_links", "result too large", "exceeds the maximum", "25 mib")


class _TooBigForInlineError(Exception):
    """The result has to be fetched through links."""


class SqlWarehouse:
    """A SQL warehouse. Safe to share by threads.

    Args:
        connect: Gives the connection to the workspace that holds the warehouse (`Workspaces.home`).
        warehouse_id: Its id.
        timeout_seconds: How long one statement may take before it is cancelled.
        retries: How passing trouble is met.
        clock: Monotonic seconds.
        sleep: Waits so many seconds between two looks at a running statement.
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
    ) -> None:
        self._connect = connect
        self._warehouse_id = warehouse_id
        self._timeout_seconds = timeout_seconds
        self._retries = retries or Retries(clock=clock)
        self._clock, self._sleep = clock, sleep
        # At DEBUG it writes whole URLs, and a link to a result is a right to read it.
        logging.getLogger("urllib3.connectionpool").addFilter(_without_query)

    def query(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> pd.DataFrame:
        """Run a SELECT with named parameters (`:name`) and bring its whole result.

        Columns are typed as `sql_values.frame` says. After a lost answer the statement is sent again, so it must
        be one that may run twice.

        Raises:
            WarehouseError: in one clear sentence, naming the setting or the grant that is missing. A result that
                is not whole is an error, too.
        """
        columns: list[Mapping[str, Any]] = []
        rows: list[list[Any]] = []
        for columns, part in self._outcome(statement, parameters):  # noqa: B007 - the same for all parts
            rows += part
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
            yield self._readable(columns, part)

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
    ) -> Iterator[tuple[list[Mapping[str, Any]], list[list[Any]]]]:
        """Run a statement; its columns and some of its rows, at least once, until all rows have come."""
        deadline = self._clock() + self._timeout_seconds
        try:
            answer = self._ended(self._request(statement, parameters), deadline, by_links, attempts)
            columns = ((answer.get("manifest") or {}).get("schema") or {}).get("columns") or []
            for rows in self._all_rows(answer, deadline):
                yield columns, rows
        except CallError as failed:
            problem = _sentence(failed.error, self._warehouse_id)
        else:
            return
        # Raised here, so that no exception that knows the request hangs on to it.
        raise WarehouseError(problem)

    def _request(self, statement: str, parameters: Mapping[str, Parameter] | None) -> dict[str, Any]:
        return {
            "statement": statement,
            "warehouse_id": self._warehouse_id,
            "parameters": [parameter(name, value) for name, value in (parameters or {}).items()],
            "wait_timeout": "30s",
            "on_wait_timeout": "CONTINUE",
            "format": "JSON_ARRAY",
        }

    def _ended(self, request: Mapping[str, Any], deadline: float, by_links: bool, attempts: int) -> dict[str, Any]:
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

    def _ended_well(self, request: Mapping[str, Any], deadline: float, attempts: int) -> dict[str, Any]:
        """Run a statement, and again if it failed for a reason that passes."""
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, WarehouseError) and error.passing),
            wait=wait_random_exponential(multiplier=1, max=10),
            stop=stop_after_attempt(attempts),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._run, request, deadline)

    def _run(self, request: Mapping[str, Any], deadline: float) -> dict[str, Any]:
        answer = self._finished(self._call("POST", _STATEMENTS, deadline, request), deadline)
        if (answer.get("manifest") or {}).get("truncated"):
            raise _TooBigForInlineError("The result of a statement is too big: the SQL warehouse cut it.")
        return answer

    def _all_rows(self, answer: dict[str, Any], deadline: float) -> Iterator[list[list[Any]]]:
        """The rows of every chunk; at the end they must be as many as the server said."""
        count = 0
        for chunk in self._chunks(answer, deadline):
            for rows in self._parts(answer, chunk, deadline):
                count += len(rows)
                yield rows
        expected = (answer.get("manifest") or {}).get("total_row_count")
        if expected is not None and int(expected) != count:
            raise WarehouseError(f"The SQL warehouse sent {count} of {expected} rows of a result.")

    def _finished(self, answer: dict[str, Any], deadline: float) -> dict[str, Any]:
        wait = _FIRST_WAIT_SECONDS
        while _state(answer) in _RUNNING:
            path = _statement_path(answer)
            if self._clock() + wait > deadline:
                self._cancel(path)
                raise WarehouseError(
                    f"A statement did not end within {self._timeout_seconds:g} seconds and was cancelled. Is the "
                    f"SQL warehouse {self._warehouse_id} (DATABRICKS_WAREHOUSE_ID) starting, or overloaded?"
                )
            self._sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            # The id is known, whether or not the answer repeats it.
            answer = {**self._call("GET", path, deadline), "statement_id": answer.get("statement_id")}
        if _state(answer) != "SUCCEEDED":
            raise _failed(answer, self._warehouse_id)
        return answer

    def _cancel(self, path: str) -> None:
        try:
            self._connect().call("POST", f"{path}/cancel", body={})
        except CallError as failed:
            _log.warning("A statement could not be cancelled: %s", failed.error.message)

    def _chunks(self, answer: dict[str, Any], deadline: float) -> Iterator[dict[str, Any]]:
        chunk, following, seen = answer.get("result") or {}, None, {0}
        while True:
            yield chunk
            following = next_chunk(chunk)
            if following is None:
                return
            if following in seen:
                raise WarehouseError("The SQL warehouse names a chunk of a result twice.")
            seen.add(following)
            chunk = self._call("GET", _chunk_path(answer, following), deadline)

    def _parts(
        self, answer: Mapping[str, Any], chunk: Mapping[str, Any], deadline: float
    ) -> Iterator[list[list[Any]]]:
        yield chunk.get("data_array") or []
        for link in chunk.get("external_links") or []:
            yield self._linked(answer, link, deadline)

    def _linked(self, answer: Mapping[str, Any], link: Mapping[str, Any], deadline: float) -> list[list[Any]]:
        """The rows behind a link; behind a new one if it expired while others were read."""
        try:
            return self._retries.call(partial(linked_rows, link), deadline=deadline)
        except WarehouseError:
            if link.get("chunk_index") is None:
                raise
        index = int(link["chunk_index"])
        links = self._call("GET", _chunk_path(answer, index), deadline).get("external_links") or []
        for fresh in links:
            if int(fresh.get("chunk_index", index)) == index:
                return self._retries.call(partial(linked_rows, fresh), deadline=deadline)
        raise WarehouseError(f"The SQL warehouse gives no link to chunk {index} of a result.")

    def _call(
        self, method: str, path: str, deadline: float, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        return self._retries.call(lambda: self._connect().call(method, path, body=body), deadline=deadline)


def _without_query(record: logging.LogRecord) -> bool:
    return "?" not in record.getMessage()


def _state(answer: Mapping[str, Any]) -> str:
    return str((answer.get("status") or {}).get("state"))


def _statement_path(answer: Mapping[str, Any]) -> str:
    return _STATEMENTS + quote(str(answer.get("statement_id")), safe="")


def _chunk_path(answer: Mapping[str, Any], index: int) -> str:
    return f"{_statement_path(answer)}/result/chunks/{index}"


def _failed(answer: Mapping[str, Any], warehouse_id: str) -> Exception:
    error = (answer.get("status") or {}).get("error") or {}
    code, message = str(error.get("error_code") or ""), str(error.get("message") or "")
    state = _state(answer)
    if state in ("CANCELED", "CLOSED"):
        problem = f"A statement was {state.lower()} by the SQL warehouse {warehouse_id}: {scrub(message)}"
        # A result that is too big to come inline may show as nothing but a closed statement.
        return _TooBigForInlineError(problem) if state == "CLOSED" else WarehouseError(problem)
    error = refused_statement(code, message, warehouse_id)
    # Only where no condition says what it is: a message may quote anything, such as the name of a table.
    if "[" not in message and any(mark in message.lower() for mark in _TOO_BIG):
        return _TooBigForInlineError(f"The result of a statement is too big: {scrub(message)}")
    return error


def _sentence(error: FetchError, warehouse_id: str) -> str:
    """One sentence for a failed call, naming the setting that is most likely wrong."""
    beginnings = {
        ErrorClass.AUTH: "Databricks did not accept our login (DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, "
        "or DATABRICKS_TOKEN)",
        ErrorClass.NETWORK: "The workspace at DATABRICKS_HOST cannot be reached",
        ErrorClass.TIMEOUT: "The workspace at DATABRICKS_HOST did not answer in time",
        ErrorClass.PERMISSION: f"Our principal may not use the SQL warehouse {warehouse_id} "
        "(DATABRICKS_WAREHOUSE_ID): grant it CAN USE",
        ErrorClass.NOT_FOUND: f"There is no SQL warehouse {warehouse_id} (DATABRICKS_WAREHOUSE_ID) "
        "at DATABRICKS_HOST",
        ErrorClass.CONFIG: "DATABRICKS_HOST cannot be used",
        ErrorClass.BAD_REFERENCE: f"Databricks did not take a statement for the SQL warehouse {warehouse_id} "
        "(DATABRICKS_WAREHOUSE_ID)",
        ErrorClass.RATE_LIMITED: "Databricks limits our rate of statements",
        ErrorClass.BAD_PAYLOAD: "The answer at DATABRICKS_HOST is not one of Databricks' SQL API",
    }
    return f"{beginnings.get(error.error_class, 'Databricks failed to run a statement')}: {error.message}"
