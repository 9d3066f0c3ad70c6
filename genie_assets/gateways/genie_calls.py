"""Single calls of the Genie API: paced, retried, counted, checked."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from genie_assets.domain.fetch_plan import LIST_PAGE_SIZE, Endpoint, is_usable_id
from genie_assets.domain.messages import message_id_of
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.genie_answers import (
    Answer,
    bad_payload,
    is_of_conversation,
    next_page_token,
    objects_of_page,
)
from genie_assets.gateways.pacing import Pacer
from genie_assets.gateways.retries import CallError, OutOfTimeError, Retries
from genie_assets.gateways.workspaces import Workspaces

_SPACES = "/api/2.0/genie/spaces"
_MOST_PAGES = 2_000  # a conversation holds at most 10,000 messages; a list that goes on and on is broken


@dataclass
class Tally:
    """Requests of one piece of work. Only one thread counts in it."""

    made: int = 0
    throttled: int = 0


@dataclass(frozen=True)
class Place:
    """A workspace, and until when it may be asked (clock seconds; None is for ever)."""

    workspace_id: str
    url: str | None
    deadline: float | None = None


class GenieCalls:
    """The calls. Each raises `CallError`, or `OutOfTimeError` if the deadline came before anything was sent.

    Args:
        workspaces: Knows how to reach them.
        pacer_of: Makes the pacer of a workspace.
        retries: How passing trouble is met.
        now: The time, UTC.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        *,
        pacer_of: Callable[[str], Pacer],
        retries: Retries,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._workspaces, self._pacer_of, self._retries, self._now = workspaces, pacer_of, retries, now
        self._pacers: dict[str, Pacer] = {}
        self._lock = threading.Lock()
        self._without_page_size: set[str] = set()

    def message(self, place: Place, tally: Tally, space_id: str, conversation_id: str, message_id: str) -> Answer:
        """One message by GET."""
        path = _path(space_id, "conversations", conversation_id, "messages", message_id)
        answer = self._get(place, tally, path, {}, "GET")
        if message_id_of(answer.body) != message_id or not is_of_conversation(answer.body, conversation_id):
            raise bad_payload("The answer is not the message that was asked for.")
        return answer

    def messages(
        self, place: Place, tally: Tally, space_id: str, conversation_id: str
    ) -> Iterator[tuple[Answer, ...]]:
        """The messages of a conversation, page by page."""
        path = _path(space_id, "conversations", conversation_id, "messages")
        for page in self._pages(place, tally, path):
            yield tuple(
                Answer(body, "LIST", page.requested_at)
                for body in objects_of_page(page.body, "messages")
                if is_of_conversation(body, conversation_id)
            )

    def any_conversation(self, place: Place, tally: Tally, space_id: str) -> None:
        """Ask for one conversation of anybody's: the cheapest call that needs CAN MANAGE, as reading does."""
        query = {"include_all": "true", "page_size": "1"}
        self._get(place, tally, _path(space_id, "conversations"), query, "LIST")

    def space(self, place: Place, tally: Tally, space_id: str, *, include_serialized_space: bool) -> Answer:
        """One space."""
        query = {"include_serialized_space": "true"} if include_serialized_space else {}
        answer = self._get(place, tally, _path(space_id), query, "GET")
        if answer.body.get("space_id") != space_id:
            raise bad_payload("The answer is not the space that was asked for.")
        return answer

    def spaces(self, place: Place, tally: Tally) -> Iterator[tuple[Answer, ...]]:
        """The spaces of a workspace, page by page."""
        for page in self._pages(place, tally, _SPACES):
            yield tuple(
                Answer(body, "LIST", page.requested_at)
                for body in objects_of_page(page.body, "spaces")
                if isinstance(body.get("space_id"), str)
            )

    def _pages(self, place: Place, tally: Tally, path: str) -> Iterator[Answer]:
        token, seen = None, set[str]()
        for _ in range(_MOST_PAGES):
            page = self._page(place, tally, path, token)
            yield page
            token = next_page_token(page.body)
            if token is None:
                return
            if token in seen:
                raise bad_payload("The list names a next page that it has named before.")
            seen.add(token)
        raise bad_payload(f"The list does not end after {_MOST_PAGES} pages.")

    def _page(self, place: Place, tally: Tally, path: str, token: str | None) -> Answer:
        query = {"page_token": token} if token else {}
        if place.workspace_id in self._without_page_size:
            return self._get(place, tally, path, query, "LIST")
        try:
            return self._get(place, tally, path, {"page_size": str(LIST_PAGE_SIZE), **query}, "LIST")
        except CallError as error:
            if error.error.http_status != 400:
                raise
        # The largest page size is documented nowhere: perhaps ours is what the server objects to.
        page = self._get(place, tally, path, query, "LIST")
        self._without_page_size.add(place.workspace_id)
        return page

    def _get(self, place: Place, tally: Tally, path: str, query: dict[str, str], endpoint: Endpoint) -> Answer:
        http = self._workspaces.http(place.workspace_id, place.url)
        pacer = self._pacer(place.workspace_id)
        failed: CallError | None = None

        def attempt() -> Answer:
            nonlocal failed
            sent_at = pacer.acquire(place.deadline)
            if sent_at is None:
                raise failed or OutOfTimeError
            requested_at = self._now()
            tally.made += 1
            try:
                body: dict[str, Any] = http.call("GET", path, query=query)
            except CallError as error:
                failed = error
                if error.error.error_class is ErrorClass.RATE_LIMITED:
                    tally.throttled += 1
                    pacer.refused(sent_at, error.error.retry_after_seconds)
                raise
            pacer.good()
            return Answer(body, endpoint, requested_at)

        return self._retries.call(attempt, deadline=place.deadline)

    def _pacer(self, workspace_id: str) -> Pacer:
        with self._lock:
            if workspace_id not in self._pacers:
                self._pacers[workspace_id] = self._pacer_of(workspace_id)
            return self._pacers[workspace_id]


def _path(*segments: str) -> str:
    """The path of a space and what is below it. Ids come from outside: each is one quoted segment, whatever it is.

    Raises:
        CallError: BAD_REFERENCE, for an id that cannot be a path segment.
    """
    for segment in segments:
        if not is_usable_id(segment):
            text = "The id of the space, conversation or message cannot be used in an address."
            raise CallError(FetchError(ErrorClass.BAD_REFERENCE, text))
    try:
        return "/".join((_SPACES, *(quote(segment, safe="") for segment in segments)))
    except UnicodeEncodeError:
        text = "The id of the space, conversation or message is not valid Unicode."
    raise CallError(FetchError(ErrorClass.BAD_REFERENCE, text))
