"""Reading Genie: single messages, whole conversations, spaces; one at a time or many side by side."""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from genie_assets.domain.fetch_plan import FetchRequest, MessageRef
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.conversations import Breaker, fetch_one
from genie_assets.gateways.genie_answers import Answer, FetchResult, SpaceList
from genie_assets.gateways.genie_calls import GenieCalls, Place, Tally
from genie_assets.gateways.pacing import Pacer
from genie_assets.gateways.retries import CallError, OutOfTimeError, Retries
from genie_assets.gateways.side_by_side import SideBySide
from genie_assets.gateways.workspaces import Workspaces

__all__ = ["Answer", "FetchResult", "GenieApi", "SpaceList"]

T = TypeVar("T")

_START_RATE = 50.0


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class GenieApi:
    """The Genie REST API of all workspaces. Remote problems are values, never exceptions.

    Args:
        workspaces: Knows how to reach them.
        threads: Requests in flight per workspace.
        pacer_of: Makes the pacer of a workspace, asked once for each workspace_id.
        retries: How passing trouble is met.
        clock: Monotonic seconds; deadlines are on it.
        now: The time, UTC.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        *,
        threads: int = 16,
        pacer_of: Callable[[str], Pacer] | None = None,
        retries: Retries | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], dt.datetime] = _utc_now,
    ) -> None:
        self._threads = threads
        self._calls = GenieCalls(
            workspaces,
            pacer_of=pacer_of or (lambda _workspace_id: Pacer(_START_RATE, clock=clock)),
            retries=retries or Retries(clock=clock),
            now=now,
        )

    def get_message(self, ref: MessageRef, *, deadline: float | None = None) -> Answer | FetchError:
        """One message by GET."""
        place = Place(ref.workspace_id, ref.workspace_url, deadline)
        return _value(
            lambda: self._calls.message(place, Tally(), ref.space_id, ref.conversation_id, ref.message_id)
        )

    def list_messages(
        self,
        workspace_id: str,
        workspace_url: str | None,
        space_id: str,
        conversation_id: str,
        *,
        deadline: float | None = None,
    ) -> Iterator[tuple[Answer, ...] | FetchError]:
        """The messages of a conversation, page by page. A FetchError ends it and means that it is incomplete."""
        place = Place(workspace_id, workspace_url, deadline)
        pages = self._calls.messages(place, Tally(), space_id, conversation_id)
        while (page := _value(lambda: next(pages, None))) is not None:
            yield page
            if isinstance(page, FetchError):
                return

    def get_space(
        self,
        workspace_id: str,
        workspace_url: str | None,
        space_id: str,
        *,
        include_serialized_space: bool = False,
        deadline: float | None = None,
    ) -> Answer | FetchError:
        """One space; its configuration too with `include_serialized_space`, which needs CAN EDIT."""
        place = Place(workspace_id, workspace_url, deadline)
        return _value(
            lambda: self._calls.space(place, Tally(), space_id, include_serialized_space=include_serialized_space)
        )

    def may_read(
        self, workspace_id: str, workspace_url: str | None, space_id: str, *, deadline: float | None = None
    ) -> FetchError | None:
        """Probe with one call whether other people's conversations of a space may be read; None if so."""
        place = Place(workspace_id, workspace_url, deadline)
        return _value(lambda: self._calls.any_conversation(place, Tally(), space_id))

    def list_spaces(
        self, workspace_id: str, workspace_url: str | None, *, deadline: float | None = None
    ) -> SpaceList:
        """All spaces of a workspace that our principal may see, each once."""
        place = Place(workspace_id, workspace_url, deadline)
        found: dict[str, Answer] = {}

        def collect() -> None:
            for page in self._calls.spaces(place, Tally()):
                found.update({answer.body["space_id"]: answer for answer in page})

        error = _value(collect)
        return SpaceList(tuple(found.values()), error)

    def fetch(self, requests: Iterable[FetchRequest], *, deadline: float) -> Iterator[FetchResult]:
        """Fetch many requests, over all workspaces side by side; yields one result per request as it completes.

        Few results wait at a time, so memory stays flat however slowly they are taken. A slow or dead workspace
        does not hold up the others. From `deadline` (clock seconds) on nothing more is sent: what is left
        comes back as not attempted. A workspace of which nothing but failures comes is given up for this time.
        """
        lanes: dict[str, list[FetchRequest]] = {}
        for request in requests:
            lanes.setdefault(request.workspace_id, []).append(request)
        breakers = {workspace_id: Breaker(self._threads) for workspace_id in lanes}

        def work(request: FetchRequest) -> FetchResult:
            return fetch_one(self._calls, request, deadline, breakers[request.workspace_id])

        yield from SideBySide(work, threads=self._threads).run(lanes.values())


def _value(call: Callable[[], T]) -> T | FetchError:
    try:
        return call()
    except CallError as failed:
        return failed.error
    except OutOfTimeError:
        return FetchError(ErrorClass.TIMEOUT, "The time of this run was used up before the call was made.")
