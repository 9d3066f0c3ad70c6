"""What time Databricks says it is: the `Date` of its answers, beside this machine's clock.

Nothing is corrected by it, and no request is made for it. What is compared with it, and what of, is decided in
`domain.clocks`.
"""

import datetime as dt
import threading
import time
from email.utils import parsedate_to_datetime


class ToldTime:
    """The time by Databricks' clock, as far as an answer has told it. Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead: float | None = None

    def heard(self, date: str | None) -> None:
        """Note the `Date` of an answer that just came; one without it, or with nonsense in it, says nothing."""
        try:
            told = parsedate_to_datetime(date or "")
        except (ValueError, TypeError, IndexError, OverflowError):
            return
        told = told if told.tzinfo else told.replace(tzinfo=dt.UTC)
        with self._lock:
            self._ahead = told.timestamp() - time.time()

    def now(self) -> dt.datetime | None:
        """The time by Databricks' clock, UTC, within a second or two; None as long as no answer has come."""
        with self._lock:
            ahead = self._ahead
        return None if ahead is None else dt.datetime.fromtimestamp(time.time() + ahead, dt.UTC)
