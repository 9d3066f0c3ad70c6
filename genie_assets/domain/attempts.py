"""Which looks at messages are kept as attempts: those that failed, and those that ended an error.

A look that was put off is none, and a message that was read at once has none: so what is kept grows with what goes
wrong, not with what is read.
"""

import datetime as dt
from typing import Any

from genie_assets.domain.keys import MESSAGE_IDS, Row
from genie_assets.domain.ledger import is_open
from genie_assets.domain.outcomes import ErrorClass, FetchError

_OF_THE_LEDGER = (*MESSAGE_IDS, "retry_count", "next_retry_timestamp")


def attempt_of(before: Row | None, after: Row | None, problem: FetchError | None, now: dt.datetime) -> Row | None:
    """The row of `message_fetch_attempts` for a look, but for the run's own columns; None if it is no attempt.

    Args:
        before: The message's row of the ledger before the look.
        after: And after it.
        problem: Why the look failed; None if it did not.
        now: When it ended, UTC.
    """
    if after is None or (not is_open(before) if problem is None else not _was_asked(problem)):
        return None
    known: dict[str, Any] = {name: after[name] for name in _OF_THE_LEDGER}
    outcome = str(problem.error_class) if problem is not None and is_open(after) else after["resolution"]
    failure = {
        "http_status": problem.http_status if problem else None,
        "error_code": problem.error_code if problem else None,
    }
    return {**known, **failure, "attempt_timestamp": now, "outcome": outcome}


def _was_asked(problem: FetchError) -> bool:
    # What cannot be asked for is not tried either.
    return problem.was_asked and problem.error_class is not ErrorClass.BAD_REFERENCE
