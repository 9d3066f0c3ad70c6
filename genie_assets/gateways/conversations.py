"""Working on one fetch request: the LIST, the single GETs that mend it, and when to stop asking."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from genie_assets.domain.fetch_plan import FetchRequest
from genie_assets.domain.messages import message_id_of
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.genie_answers import Answer, FetchResult
from genie_assets.gateways.genie_calls import GenieCalls, Place, Tally
from genie_assets.gateways.retries import CallError, OutOfTimeError

# Failures of the way to a workspace. The next message would fail in the same way.
_OF_THE_WAY = frozenset({ErrorClass.AUTH, ErrorClass.NETWORK, ErrorClass.CONFIG})
# A LIST that failed so says nothing that a GET could prove wrong.
_NO_GET_HELPS = frozenset({ErrorClass.AUTH, ErrorClass.NETWORK, ErrorClass.RATE_LIMITED})
_WITHOUT_A_CALL = frozenset({ErrorClass.CONFIG, ErrorClass.BAD_REFERENCE})
_UNREACHABLE_WEIGHT, _SERVER_WEIGHT = 5, 1
_SERVER = frozenset({ErrorClass.SERVER, ErrorClass.TIMEOUT})


class Breaker:
    """Stops asking a workspace that only fails: it takes time that others need, and does it no good.

    Args:
        threads: Requests in flight at a time; so many fail together before the first of them can be a warning.
    """

    def __init__(self, threads: int) -> None:
        self._limit = _UNREACHABLE_WEIGHT * (threads + 4)
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
        unreachable = error.error_class is ErrorClass.AUTH or (
            error.http_status is None and error.error_class in (ErrorClass.NETWORK, ErrorClass.TIMEOUT)
        )
        if not unreachable and error.error_class not in _SERVER:
            self.worked()
            return
        with self._lock:
            self._in_a_row += _UNREACHABLE_WEIGHT if unreachable else _SERVER_WEIGHT
            if self._in_a_row >= self._limit and self._open is None:
                self._open = error


@dataclass
class _Progress:
    request: FetchRequest
    answers: dict[str, Answer] = field(default_factory=dict)
    errors: dict[str, FetchError] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def missing(self) -> list[str]:
        return [m for m in self.request.message_ids if m not in self.answers and m not in self.errors]

    def give_up(self, error: FetchError) -> None:
        self.errors.update(dict.fromkeys(self.missing(), error))

    def result(self) -> FetchResult:
        return FetchResult(
            request=self.request,
            answers=tuple(self.answers.values()),
            errors=self.errors,
            not_attempted=tuple(self.missing()),
            requests_made=self.tally.made,
            throttled=self.tally.throttled,
        )


def fetch_one(calls: GenieCalls, request: FetchRequest, deadline: float, breaker: Breaker) -> FetchResult:
    """Everything that is wanted of one conversation.

    A LIST ends as soon as all wanted messages were seen. What a whole LIST lacks is asked for by GET, so that it
    is the message's own 404 that says it is gone. A LIST that fails is checked by one GET: if that fails in the
    same way, the rest is taken to fail so too; if it works, the rest is fetched one by one.
    """
    progress = _Progress(request)
    place = Place(request.workspace_id, request.workspace_url, deadline)
    try:
        failure = _list(calls, place, progress, breaker) if request.endpoint == "LIST" else None
        for message_id in progress.missing():
            error = _get(calls, place, progress, breaker, message_id)
            if error and (error.error_class in _OF_THE_WAY or _alike(error, failure)):
                progress.give_up(error)
                break
            failure = None
    except OutOfTimeError:
        pass
    return progress.result()


def _alike(error: FetchError, failure: FetchError | None) -> bool:
    return failure is not None and error.error_class is failure.error_class


def _list(calls: GenieCalls, place: Place, progress: _Progress, breaker: Breaker) -> FetchError | None:
    request = progress.request

    def pages() -> None:
        for page in calls.messages(place, progress.tally, request.space_id, request.conversation_id):
            progress.answers.update({message_id_of(answer.body) or "": answer for answer in page})
            if not progress.missing():
                return

    failure = _guarded(pages, breaker)
    if failure is None:
        return None
    nothing_was_sent = failure.http_status is None and failure.error_class in _WITHOUT_A_CALL
    if nothing_was_sent or failure.error_class in _NO_GET_HELPS:
        progress.give_up(failure)
    return failure


def _get(
    calls: GenieCalls, place: Place, progress: _Progress, breaker: Breaker, message_id: str
) -> FetchError | None:
    request = progress.request

    def get() -> None:
        answer = calls.message(place, progress.tally, request.space_id, request.conversation_id, message_id)
        progress.answers[message_id] = answer

    error = _guarded(get, breaker)
    if error is not None:
        progress.errors[message_id] = error
    return error


def _guarded(call: Callable[[], None], breaker: Breaker) -> FetchError | None:
    try:
        breaker.check()
    except CallError as failed:
        return failed.error
    try:
        call()
    except CallError as failed:
        breaker.failed(failed.error)
        return failed.error
    breaker.worked()
    return None
