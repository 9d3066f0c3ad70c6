"""Asking a Databricks SQL warehouse, through the Statement Execution API."""

import datetime as dt
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import pandas as pd
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.exchange import answer_error, exchange
from genie_assets.gateways.retries import CallError, Retries
from genie_assets.gateways.scrubbing import scrub
from genie_assets.gateways.sql_values import Parameter, UnreadableValueError, frame, parameter
from genie_assets.gateways.transport import CONNECT_SECONDS, WorkspaceHttp, pooled_session

__all__ = ["Parameter", "SqlWarehouse", "WarehouseError"]

_STATEMENTS = "/api/2.0/sql/statements/"
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 10.0
_LINK_READ_SECONDS = 60.0
_RUNNING = frozenset({"PENDING", "RUNNING"})

_log = logging.getLogger(__name__)

# What the server says when a result does not fit into the answer itself.
_TOO_BIG = ("inline byte limit", "external_links", "result too large", "exceeds the maximum", "25 mib")


_PASSING_CODES = frozenset(
    {
        "TEMPORARILY_UNAVAILABLE",
        "WORKSPACE_TEMPORARILY_UNAVAILABLE",
        "SERVICE_UNDER_MAINTENANCE",
        "RESOURCE_EXHAUSTED",
        "DEADLINE_EXCEEDED",
        "INTERNAL_ERROR",
        "IO_ERROR",
    }
)


class WarehouseError(Exception):
    """A statement could not be run or its result not be read. The message is scrubbed and says what to do."""


class _PassingFailureError(WarehouseError):
    """A statement failed for a reason that may be gone in a moment."""


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
        not change anything.

        Raises:
            WarehouseError: in one clear sentence, naming the setting or the grant that is missing. A result that
                is not whole is an error, too.
        """
        request = {
            "statement": statement,
            "warehouse_id": self._warehouse_id,
            "parameters": [parameter(name, value) for name, value in (parameters or {}).items()],
            "wait_timeout": "30s",
            "on_wait_timeout": "CONTINUE",
            "format": "JSON_ARRAY",
        }
        deadline = self._clock() + self._timeout_seconds
        try:
            return self._inline_or_linked(request, deadline)
        except CallError as failed:
            problem = _sentence(failed.error, self._warehouse_id)
        except UnreadableValueError as error:
            problem = f"The SQL warehouse sent a result that cannot be read: {error}"
        raise WarehouseError(problem)

    def _inline_or_linked(self, request: Mapping[str, Any], deadline: float) -> pd.DataFrame:
        try:
            return self._run_patiently({**request, "disposition": "INLINE"}, deadline)
        except _TooBigForInlineError:
            _log.info("A result is too big to come inline; running the statement again for links to it.")
        try:
            return self._run_patiently({**request, "disposition": "EXTERNAL_LINKS"}, deadline)
        except _TooBigForInlineError as error:
            problem = str(error)
        raise WarehouseError(problem)

    def _run_patiently(self, request: Mapping[str, Any], deadline: float) -> pd.DataFrame:
        """Run a statement, and once more if it failed for a reason that passes. It only reads."""
        retrying = Retrying(
            retry=retry_if_exception_type(_PassingFailureError),
            wait=wait_random_exponential(multiplier=1, max=10),
            stop=stop_after_attempt(3),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._run, request, deadline)

    def _run(self, request: Mapping[str, Any], deadline: float) -> pd.DataFrame:
        answer = self._finished(self._call("POST", _STATEMENTS, deadline, request), deadline)
        manifest = answer.get("manifest") or {}
        columns = (manifest.get("schema") or {}).get("columns") or []
        if manifest.get("truncated"):
            raise _TooBigForInlineError("The result of a statement is too big: the SQL warehouse cut it.")
        rows = [row for chunk in self._chunks(answer, deadline) for row in self._rows(chunk, deadline)]
        expected = manifest.get("total_row_count")
        if expected is not None and int(expected) != len(rows):
            raise WarehouseError(f"The SQL warehouse sent {len(rows)} of {expected} rows of a result.")
        return frame(columns, rows)

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
            answer = self._call("GET", path, deadline)
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
            following = _next_chunk(chunk)
            if following is None:
                return
            if following in seen:
                raise WarehouseError("The SQL warehouse names a chunk of a result twice.")
            seen.add(following)
            chunk = self._call("GET", f"{_statement_path(answer)}/result/chunks/{following}", deadline)

    def _rows(self, chunk: Mapping[str, Any], deadline: float) -> Iterator[list[Any]]:
        yield from chunk.get("data_array") or []
        for link in chunk.get("external_links") or []:
            yield from self._retries.call(partial(_linked_rows, link), deadline=deadline)

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


def _next_chunk(chunk: Mapping[str, Any]) -> int | None:
    """The chunk that follows. With links, it is the last link that names it."""
    for named in (chunk, *reversed(chunk.get("external_links") or ())):
        if named.get("next_chunk_index") is not None:
            return int(named["next_chunk_index"])
        path = urlsplit(str(named.get("next_chunk_internal_link") or "")).path
        if path.rpartition("/")[2].isdecimal():
            return int(path.rpartition("/")[2])
    return None


def _linked_rows(link: Mapping[str, Any]) -> list[list[Any]]:
    """The rows behind a presigned link. It carries its own right: our login is not sent along."""
    url, headers = str(link.get("external_link")), link.get("http_headers") or {}
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, "A link to a result is not https."))
    with pooled_session(url, 1) as session:
        answer = exchange(
            session, "GET", url, timeout=(CONNECT_SECONDS, _LINK_READ_SECONDS), secrets=(url,), headers=headers
        )
    if answer.status != 200:
        failed = answer_error(answer, dt.datetime.now(dt.UTC), url)
        if failed.transient:
            raise failed
        raise WarehouseError(f"A link to a result of the SQL warehouse was refused: {failed.error.message}")
    try:
        rows = json.loads(answer.body)
    except ValueError:
        rows = None
    if not isinstance(rows, list):
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, "A linked result is not JSON."), transient=True)
    return rows


def _failed(answer: Mapping[str, Any], warehouse_id: str) -> Exception:
    error = (answer.get("status") or {}).get("error") or {}
    code, message = str(error.get("error_code") or ""), scrub(str(error.get("message") or "no reason given"))
    state = _state(answer)
    if state in ("CANCELED", "CLOSED"):
        problem = f"A statement was {state.lower()} by the SQL warehouse {warehouse_id}: {message}"
        # A result that is too big to come inline may show as nothing but a closed statement.
        return _TooBigForInlineError(problem) if state == "CLOSED" else WarehouseError(problem)
    if any(mark in message.lower() for mark in _TOO_BIG):
        return _TooBigForInlineError(f"The result of a statement is too big: {message}")
    advice = _advice(f"{code} {message}".upper())
    kind = _PassingFailureError if code in _PASSING_CODES else WarehouseError
    return kind(f"The SQL warehouse {warehouse_id} refused a statement: {message}{advice}")


def _advice(text: str) -> str:
    if "TABLE_OR_VIEW_NOT_FOUND" in text or "SCHEMA_NOT_FOUND" in text:
        return " Is the system schema enabled, and is USE SCHEMA and SELECT on it granted to our principal?"
    if "PERMISSION" in text or "INSUFFICIENT" in text or "NOT AUTHORIZED" in text:
        return " Grant USE CATALOG, USE SCHEMA and SELECT on it to our principal."
    return ""


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
