"""Counts what leaves for Databricks: every request with what came of it, every statement with its time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from genie_assets.domain.run_costs import Costs, Traffic
from genie_assets.gateways.databricks.exchange import HttpAnswer
from genie_assets.gateways.databricks.retries import CallError, is_sent_again


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
    def request(self, endpoint: str) -> Iterator[Request]:
        """Count a request, whatever comes of it.

        Args:
            endpoint: What it asks, as `domain.run_costs` names it.
        """
        sent, began, status = Request(), time.monotonic(), None
        is_again = is_sent_again(endpoint)
        try:
            yield sent
        except CallError as failed:
            status = failed.error.http_status
            raise
        finally:
            size = 0
            if sent.answer is not None:
                status, size = sent.answer.status, len(sent.answer.body)
            is_good = status is not None and 200 <= status < 300 and sent.answer is not None
            traffic = Traffic(1, int(status == 429), int(not is_good), size, int(is_again))
            traffic.times[round((time.monotonic() - began) * 1000)] = 1
            self.add(Costs({endpoint: traffic}))

    def ran(self, ms: int) -> None:
        """Count the time of a statement, ms."""
        self.add(Costs(statement_ms=ms))

    def brought(self, rows: int, size: int) -> None:
        """Count rows of a result, and the bytes that it took to send them."""
        self.add(Costs(rows=rows, result_bytes=size))

    def take(self) -> Costs:
        """What was counted since this was last asked."""
        with self._lock:
            costs, self._costs = self._costs, Costs()
        return costs

    def add(self, costs: Costs) -> None:
        """Count costs, such as some that were taken and could not be noted."""
        with self._lock:
            self._costs.add(costs)
