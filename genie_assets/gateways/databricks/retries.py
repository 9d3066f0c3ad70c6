"""Which failed calls are made again at once, how often, and how long is waited in between.

This is for passing trouble, within one call. What lasts longer is left to the error table and its own schedule.
"""

import datetime as dt
import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import ParamSpec, TypeVar

from tenacity import RetryCallState, Retrying, wait_random_exponential

from genie_assets.domain.outcomes import ErrorClass, FetchError

# Answers that may be different the next moment. 501 and the like will not be.
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})

# A new token may be refused, too: it ran out while the call waited for its turn, or is not known everywhere yet.
_RENEWALS_IN_A_ROW = 2

P = ParamSpec("P")
T = TypeVar("T")


class CallError(Exception):
    """A call failed. Its `error` says how, scrubbed; `transient` says that the same call may work in a moment."""

    def __init__(self, error: FetchError, *, transient: bool = False) -> None:
        super().__init__(error.message)
        self.error = error
        self.transient = transient


class OutOfTimeError(Exception):
    """The deadline came before the call was made even once."""


@dataclass
class _Tries:
    """The tries of one call, on behalf of who counts requests.

    Attributes:
        outer: The tries of which this call is a part.
        latest: The request that the present try sent last.
        failed: That of the try before, at which it failed, until it is sent again.
    """

    outer: "_Tries | None"
    latest: str | None = None
    failed: str | None = None


_present: ContextVar[_Tries | None] = ContextVar("tries", default=None)


def as_tries(attempt: Callable[P, T], of: str | None = None) -> Callable[P, T]:
    """The same attempt, whose requests can be told from those that are sent again.

    Args:
        attempt: One try of a call; called once more for each further try.
        of: What a further try sends again, where it is not what the try before sent last.
    """
    tries = _Tries(_present.get())

    def one(*args: P.args, **kwargs: P.kwargs) -> T:
        tries.failed, tries.latest = tries.latest and (of or tries.latest), None
        token = _present.set(tries)
        try:
            return attempt(*args, **kwargs)
        finally:
            _present.reset(token)

    return one


def is_sent_again(request: str) -> bool:
    """Whether a request that leaves now is the one at which the try before failed.

    Args:
        request: What it is called. Another one of the same try, as for a new token, is not sent again.
    """
    is_again, tries = False, _present.get()
    while tries is not None:
        if tries.failed == request:
            is_again, tries.failed = True, None
        tries.latest = request
        tries = tries.outer
    return is_again


def retry_after_seconds(header: str | None, now: dt.datetime) -> float | None:
    """What a `Retry-After` header asks for: seconds, or a date from which they follow. Never negative.

    Args:
        header: The value of the header; None and nonsense give None.
        now: The time of the answer, UTC.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            date = parsedate_to_datetime(header)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        date = date if date.tzinfo else date.replace(tzinfo=dt.UTC)
        seconds = (date - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


@dataclass(frozen=True)
class Retries:
    """Calls again what failed in passing: waits grow at random (full jitter) unless the server names one.

    A refused login is tried again at once where the call says that it helps (a new token was asked for), twice in
    a row at most: what comes between, a passing fault, shows that the token before was good. These tries come on
    top of `attempts`, and are at most as many.
    """

    attempts: int = 5
    total_seconds: float = 75.0
    longest_wait: float = 60.0
    first_wait: float = 0.5
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def call(self, attempt: Callable[[], T], *, deadline: float | None = None) -> T:
        """Make the call until it works, fails for good, or waiting longer would pass the limits or `deadline`.

        Args:
            attempt: One try. It raises `CallError` if it fails.
            deadline: Clock seconds that no wait may pass.

        Raises:
            CallError: of the last try.
        """
        end = min(self.clock() + self.total_seconds, math.inf if deadline is None else deadline)

        refusals = in_a_row = 0

        def is_worth_it(state: RetryCallState) -> bool:
            nonlocal refusals, in_a_row
            error = _failure(state)
            if error is None or not error.transient:
                return False
            is_refusal = error.error.error_class is ErrorClass.AUTH
            refusals, in_a_row = (refusals + 1, in_a_row + 1) if is_refusal else (refusals, 0)
            return in_a_row <= _RENEWALS_IN_A_ROW and refusals <= self.attempts

        def stop(state: RetryCallState) -> bool:
            is_used_up = state.attempt_number - refusals >= self.attempts
            return is_used_up or self.clock() + state.upcoming_sleep > end

        retrying = Retrying(retry=is_worth_it, wait=self._wait, stop=stop, sleep=self.sleep, reraise=True)
        return retrying(as_tries(attempt))

    def _wait(self, state: RetryCallState) -> float:
        error = _failure(state)
        if error is None or error.error.error_class is ErrorClass.AUTH:
            return 0.0
        backoff = float(wait_random_exponential(multiplier=self.first_wait, max=self.longest_wait)(state))
        asked = error.error.retry_after_seconds
        return backoff if asked is None else min(asked, self.longest_wait) + min(backoff, 1.0)


def _failure(state: RetryCallState) -> CallError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, CallError) else None
