"""Counts what leaves for Databricks: every request with what came of it, every statement with its time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from genie_assets.domain.run_costs import LINKS, Costs, Traffic, endpoint_of
from genie_assets.gateways.databricks.exchange import HttpAnswer
from genie_assets.gateways.databricks.retries import CallError


class Request:
    """One request while it is under way.

    Attributes:
        answer: What came, once it has come.
    """

    def __init__(self) -> None:
        self.answer: HttpAnswer | None = None


class Meter:
    """The counts since they were last taken. Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._costs = Costs()

    @contextmanager
    def request(self, method: str, path: str | None) -> Iterator[Request]:
        """Count a request, whatever comes of it.

        Args:
            method: HTTP method.
            path: Path under the host; None for a link to a result, whose address is nobody's business.
        """
        sent, began, status = Request(), time.monotonic(), None
        try:
            yield sent
        except CallError as failed:
            status = failed.error.http_status
            raise
        finally:
            size = 0
            if sent.answer is not None:
                status, size = sent.answer.status, len(sent.answer.body)
            name = LINKS if path is None else endpoint_of(method, path)
            is_good = status is not None and 200 <= status < 300 and sent.answer is not None
            traffic = Traffic(1, int(status == 429), int(not is_good), size)
            traffic.times[round((time.monotonic() - began) * 1000)] = 1
            self._add(Costs({name: traffic}))

    def ran(self, ms: int) -> None:
        """Count the time of a statement, ms."""
        self._add(Costs(statement_ms=ms))

    def brought(self, rows: int, size: int) -> None:
        """Count rows of a result, and the bytes that it took to send them."""
        self._add(Costs(rows=rows, result_bytes=size))

    def take(self) -> Costs:
        """What was counted since this was last asked."""
        with self._lock:
            costs, self._costs = self._costs, Costs()
        return costs

    def _add(self, costs: Costs) -> None:
        with self._lock:
            self._costs.add(costs)
