"""Counts what the sandbox was asked, so that a test can assert how many calls something cost."""

import time
from collections import Counter, deque
from typing import Any

from genie_sandbox.server.request import Request

NO_ANSWER = 0
"""Counted as the status of a request whose connection was closed without an answer."""


class RequestsLog:
    """Counters since the last reset, and the latest requests: paths only, never headers, queries or bodies."""

    def __init__(self, keep: int = 1000) -> None:
        self._latest: deque[tuple[int, str, str, str, str, int]] = deque(maxlen=keep)
        self._in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Forget all but the requests that are still being answered."""
        self._counts: Counter[tuple[str, str, int]] = Counter()
        self._calls: Counter[str] = Counter()
        self._received: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._first_at: float | None = None
        self._last_at: float | None = None
        self._max_in_flight = self._in_flight
        self._latest.clear()

    def begin(self) -> float:
        """A request came in. The result is its time, in seconds since 1970."""
        now = time.time()
        if self._first_at is None:
            self._first_at = now
        self._last_at = now
        self._in_flight += 1
        self._max_in_flight = max(self._max_in_flight, self._in_flight)
        return now

    def end(
        self, request: Request, began_at: float, status: int, received_bytes: int = 0, sent_bytes: int = 0
    ) -> None:
        """The request was answered with `status`, or with `NO_ANSWER`; the bytes are those of the bodies."""
        self._in_flight -= 1
        self._counts[request.workspace_id, request.route, status] += 1
        self._calls[f"{request.method} {request.route}"] += 1
        self._received[request.route] += received_bytes
        self._sent[request.route] += sent_bytes
        self._latest.append(
            (
                int(began_at * 1000),
                request.workspace_id,
                request.method,
                request.shown_path,
                request.route,
                status,
            )
        )

    def report(self, latest: int) -> dict[str, Any]:
        """The counters and the last `latest` requests as a JSON object; times are wall-clock ms UTC.

        Bytes are those of bodies, and only counted for statements, files and presigned links.
        """
        names = ("at_ms", "workspace_id", "method", "path", "route", "status")
        by_route: Counter[str] = Counter()
        for (_, route, _), count in self._counts.items():
            by_route[route] += count
        return {
            "total": self._counts.total(),
            "by_route": dict(by_route),
            "by_call": dict(self._calls),
            "received_bytes": dict(+self._received),
            "sent_bytes": dict(+self._sent),
            "counts": [
                {"workspace_id": workspace_id, "route": route, "status": status, "count": count}
                for (workspace_id, route, status), count in sorted(self._counts.items())
            ],
            "rate_limited": sum(count for (_, _, status), count in self._counts.items() if status == 429),
            "in_flight": self._in_flight,
            "max_in_flight": self._max_in_flight,
            "first_at_ms": None if self._first_at is None else int(self._first_at * 1000),
            "last_at_ms": None if self._last_at is None else int(self._last_at * 1000),
            "latest": [
                dict(zip(names, entry, strict=True)) for entry in list(self._latest)[-latest:] if latest > 0
            ],
        }
