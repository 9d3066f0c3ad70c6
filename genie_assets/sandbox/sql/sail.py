"""Sail, the engine that runs SQL: a Spark Connect server in this process and a session to it."""

import contextlib
import logging
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from genie_assets.sandbox.sql.errors import SqlError

_LOG = logging.getLogger(__name__)


class Sail:
    """A running Sail. `query` may be called from several threads."""

    def __init__(self) -> None:
        self._server: Any = None
        self._session: Any = None
        self._failures: tuple[type[Exception], ...] = ()

    def start(self) -> None:
        """Start the server on a free loopback port and open a session whose time zone is UTC."""
        began_at = time.monotonic()
        # Set before the library is loaded: it reads the environment once.
        os.environ.setdefault("RUST_LOG", "error")
        # One heavy query keeps a thread per core busy without a pause: others must be left for the rest.
        os.environ.setdefault("TOKIO_WORKER_THREADS", "16")
        from grpc import RpcError  # type: ignore[import-untyped]
        from pysail.spark import SparkConnectServer
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession

        # It would log every failed statement with its text; the caller is told of the failure anyway.
        logging.getLogger("pyspark.sql.connect.logging").setLevel(logging.CRITICAL)
        self._failures = (PySparkException, RpcError)
        self._server = SparkConnectServer("127.0.0.1", 0)
        self._server.start(background=True)
        port = self._server.listening_address[1]
        self._session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
        self._session.conf.set("spark.sql.session.timeZone", "UTC")
        _LOG.info("Sail started in %.1f s", time.monotonic() - began_at)

    def stop(self) -> None:
        """Close the session, then the server; a session that outlives its server waits for it forever."""
        if self._session is not None:
            with contextlib.suppress(*self._failures):
                self._session.stop()
            self._session = None
        if self._server is not None:
            self._server.stop()
            self._server = None

    @contextlib.contextmanager
    def tagged(self, tag: str) -> Iterator[None]:
        """Let `interrupt` find what this thread runs inside the block."""
        self._session.addTag(tag)
        try:
            yield
        finally:
            self._session.removeTag(tag)

    def interrupt(self, tag: str) -> None:
        """Break off what runs under `tag`; harmless if nothing does."""
        with contextlib.suppress(*self._failures):
            self._session.interruptTag(tag)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one statement and return its rows.

        Raises:
            SqlError: if it cannot run; the message is the engine's.
        """
        try:
            result: pa.Table = self._session.sql(sql, args=dict(parameters or {})).toArrow()
        except self._failures as error:
            raise _translated(error) from None
        return result

    def columns(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[str]:
        """Names of the columns that a query would return, without running it."""
        try:
            names: list[str] = self._session.sql(sql, args=dict(parameters or {})).columns
        except self._failures as error:
            raise _translated(error) from None
        return names


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
