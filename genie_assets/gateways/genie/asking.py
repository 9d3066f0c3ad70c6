"""Working on one request, whatever is asked for: what has come so far, and when to stop.

Each kind of request is asked for by a function of its own that is registered with `ask`: this room knows none.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any, Generic, TypeVar

from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.requests import Answer, FetchResult, Request
from genie_assets.domain.richer import the_better_one
from genie_assets.gateways.databricks.retries import CallError, OutOfTimeError
from genie_assets.gateways.genie.breaker import Breaker
from genie_assets.gateways.genie.calls import GenieCalls, Target
from genie_assets.gateways.genie.limits import Limits

R = TypeVar("R", bound=Request)


class FullError(Exception):
    """So much came that the rest has to wait for the next time."""


@dataclass
class Asking(Generic[R]):
    """One request under way: the calls that it may make, and what has come of it."""

    calls: GenieCalls
    request: R
    target: Target
    breaker: Breaker
    limits: Limits = field(default_factory=Limits)
    _answers: dict[str, Answer] = field(default_factory=dict)
    _errors: dict[str, FetchError] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)
    _wanted_bytes: int = 0
    _unasked_bytes: int = 0

    def guarded(self, call: Callable[[], None]) -> FetchError | None:
        """Make calls unless the workspace only fails; why it did not work, or None.

        Raises:
            OutOfTimeError: the deadline came first.
        """
        try:
            self.breaker.check()
        except CallError as refused:
            return refused.error
        try:
            call()
        except CallError as failed:
            self.breaker.failed(failed.error)
            return failed.error
        self.breaker.worked()
        return None

    def take(self, thing_id: str, answer: Answer) -> None:
        """Keep an answer; of several for the same thing the better one, in whatever order they come.

        One that nobody asked for is let go where much is kept already.

        Raises:
            FullError: nothing more may be asked for now.
        """
        if thing_id in self.request.wanted:
            self._wanted_bytes += answer.size
        elif self._unasked_bytes > self.limits.unasked_bytes:
            return
        else:
            self._unasked_bytes += answer.size
        before = self._answers.get(thing_id)
        self._answers[thing_id] = answer if before is None else the_better_one(before, answer)
        if self._wanted_bytes > self.limits.wanted_bytes and self.missing():
            raise FullError

    def fail(self, thing_id: str, error: FetchError | None) -> None:
        """Note why a thing, or a part of it, could not be read; None notes that there was nothing to read."""
        if error is None:
            self._done.add(thing_id)
        else:
            self._errors[thing_id] = error

    def missing(self) -> list[str]:
        """What is wanted and has neither come nor failed."""
        seen = self._answers.keys() | self._errors.keys() | self._done
        return [thing_id for thing_id in self.request.wanted if thing_id not in seen]

    def give_up(self, error: FetchError) -> None:
        """Let all that is missing fail."""
        self._errors.update(dict.fromkeys(self.missing(), error))

    def result(self) -> FetchResult[R]:
        """What came of it."""
        return FetchResult(
            request=self.request,
            answers=self._answers,
            errors=self._errors,
            not_attempted=tuple(self.missing()),
            requests_made=self.target.requests,
            throttled=self.target.throttled,
            sent=tuple(self.target.sent),
        )


@singledispatch
def ask(request: Any, asking: Asking[Any]) -> None:  # noqa: ARG001 - those that are registered use it
    """Ask for what a request wants, and note in `asking` what comes. Registered by type of request.

    Raises:
        OutOfTimeError, FullError: what is missing is not attempted this time.
    """
    raise TypeError(f"nobody has said how a {type(request).__name__} is asked for")


def finish(asking: Asking[R]) -> FetchResult[R]:
    """Work on a request until everything has come, failed, or has to wait."""
    with suppress(OutOfTimeError, FullError):
        ask(asking.request, asking)
    return asking.result()
