"""The result of a statement, part by part: its chunks in turn, and the rows behind presigned links."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.run_costs import LINKS
from genie_assets.gateways.databricks.bounds import pooled_session
from genie_assets.gateways.databricks.connection_errors import shown_host
from genie_assets.gateways.databricks.exchange import MIB, Timeouts, exchange
from genie_assets.gateways.databricks.http_answers import answer_error, has_more_values
from genie_assets.gateways.databricks.metering import Meter
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.sql.answers import Chunk, Link, Statement, check_row_count, chunk_of, rows_of
from genie_assets.gateways.sql.errors import WarehouseError

_MOST_CHUNKS = 100_000
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ResultLimits:
    """How big a result may be.

    Attributes:
        inline_bytes: What comes in an answer: at most 25 MiB, before it is written as JSON.
        inline_values: JSON values in it.
        linked_bytes: What is behind one link. Databricks makes chunks of some tens of MiB.
        linked_values: JSON values in it.
        held_bytes: All of a result that is held whole.
    """

    inline_bytes: int = 64 * MIB
    inline_values: int = 10_000_000
    linked_bytes: int = 128 * MIB
    linked_values: int = 20_000_000
    held_bytes: int = 1024 * MIB


@dataclass(frozen=True)
class Part:
    """Some rows of a result, and how many bytes it took to send them."""

    rows: list[list[Any]]
    size: int


class Results:
    """Brings the rows of a statement that succeeded.

    Args:
        chunk: Asks for the chunk with this index of the statement with this id: its JSON, and its size in bytes.
        retries: How passing trouble with links is met.
        deadline: Clock seconds that no wait for a link may pass.
        limits: How much is read at most.
        meter: Counts what is asked of links.
    """

    def __init__(
        self,
        chunk: Callable[[str, int], tuple[dict[str, Any], int]],
        *,
        retries: Retries,
        deadline: float,
        limits: ResultLimits,
        meter: Meter,
    ) -> None:
        self._chunk, self._retries, self._deadline, self._limits = chunk, retries, deadline, limits
        self._meter = meter

    def parts(self, statement: Statement, size: int) -> Iterator[Part]:
        """The rows of every chunk; at the end they must be as many as the server said.

        Args:
            statement: The statement, with its first chunk.
            size: Bytes that it took to send that.

        Raises:
            CallError: a chunk or a link could not be read.
            WarehouseError: the result is not whole, or its chunks do not make sense.
        """
        count, expected = 0, statement.total_rows
        for part in self._all(statement, size):
            count += len(part.rows)
            if expected is not None and count > expected:
                break
            yield part
        if expected is not None and count != expected:
            raise WarehouseError(f"The SQL warehouse sent {count} of {expected} rows of a result.")

    def _all(self, statement: Statement, size: int) -> Iterator[Part]:
        chunk, seen = statement.first, {0}
        while True:
            yield Part(chunk.rows, size)
            for link in chunk.links:
                yield self._linked(statement, link)
            following = chunk.following
            if following is None:
                return
            if following in seen:
                raise WarehouseError("The SQL warehouse names a chunk of a result twice.")
            seen.add(following)
            if len(seen) > _MOST_CHUNKS:
                raise WarehouseError(f"A result of the SQL warehouse does not end after {_MOST_CHUNKS} chunks.")
            chunk, size = self._asked(statement, following)

    def _asked(self, statement: Statement, index: int) -> tuple[Chunk, int]:
        answer, size = self._chunk(statement.known_id, index)
        return chunk_of(answer), size

    def _linked(self, statement: Statement, link: Link) -> Part:
        """The rows behind a link; behind a new one if it expired while others were read."""
        try:
            return self._fetched(link)
        except _RefusedLinkError:
            if link.chunk_index is None:
                raise
        index = link.chunk_index
        for fresh in self._asked(statement, index)[0].links:
            if fresh.chunk_index in (None, index):
                return self._fetched(fresh)
        raise WarehouseError(f"The SQL warehouse gives no link to chunk {index} of a result.")

    def _fetched(self, link: Link) -> Part:
        try:
            return self._retries.call(
                partial(_linked_rows, link, self._limits, self._meter), deadline=self._deadline
            )
        except CallError as failed:
            problem = f"A linked result of the SQL warehouse could not be fetched: {failed.error.message}"
        raise WarehouseError(problem)


class _RefusedLinkError(WarehouseError):
    """The store does not take a link (any more)."""


def _linked_rows(link: Link, limits: ResultLimits, meter: Meter) -> Part:
    """The rows behind a presigned link. It carries its own right: our login is not sent along."""
    _check_address(link.url)
    with pooled_session(link.url, 1) as session, meter.request(LINKS) as sent:
        answer = sent.answer = exchange(
            session,
            "GET",
            link.url,
            timeouts=Timeouts(),
            most_bytes=limits.linked_bytes,
            headers=dict(link.headers),
        )
    if answer.status != 200:
        failed = answer_error(answer, dt.datetime.now(dt.UTC), link.url)
        if failed.transient:
            raise failed
        raise _RefusedLinkError(f"A link to a result of the SQL warehouse was refused: {failed.error.message}")
    if has_more_values(answer.body, limits.linked_values):
        text = f"The answer holds more than {limits.linked_values:,} values."
        raise CallError(FetchError(ErrorClass.TOO_BIG, text))
    try:
        rows = json.loads(answer.body)
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list):
        text = f"{shown_host(link.url)} sent something else than the linked rows of a result."
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, text), transient=True)
    found = rows_of(rows, "a linked result")
    check_row_count(found, link.row_count)
    return Part(found, len(answer.body))


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or parts.hostname in _THIS_MACHINE
    except ValueError:
        is_safe = False
    if not is_safe:
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, "A link to a result is not https."))
