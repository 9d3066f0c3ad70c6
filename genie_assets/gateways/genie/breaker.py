"""When to stop asking a workspace."""

import threading
from dataclasses import replace

from genie_assets.domain.outcomes import UNREACHABLE, FetchError
from genie_assets.gateways.databricks.retries import CallError


class Breaker:
    """Stops asking a workspace that only fails: it takes time that others need, and does it no good.

    Args:
        threads: Requests in flight at a time; so many fail together before the first of them can be a warning.
    """

    def __init__(self, threads: int) -> None:
        self._limit = UNREACHABLE * (threads + 4)
        self._in_a_row = 0
        self._lock = threading.Lock()
        self._open: FetchError | None = None

    def check(self) -> None:
        """Do nothing while asking makes sense.

        Raises:
            CallError: if so many calls failed in a row that the next one is not worth it.
        """
        failure = self._open
        if failure is not None:
            text = f"Not asked for, because too many requests in a row had failed: {failure.message}"
            raise CallError(replace(failure, message=text, was_asked=False))

    def worked(self) -> None:
        """A call was answered, be it by a refusal."""
        self._in_a_row = 0

    def failed(self, error: FetchError) -> None:
        """A call failed."""
        if not error.burden:
            self.worked()
            return
        with self._lock:
            self._in_a_row += error.burden
            if self._in_a_row >= self._limit and self._open is None:
                self._open = error
