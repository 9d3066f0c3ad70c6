"""Reading Genie: single messages, whole conversations, spaces; one at a time or many side by side."""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from genie_assets.domain.fetch_plan import MessageRef
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer, FetchResult, Request
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import CallError, OutOfTimeError, Retries
from genie_assets.gateways.databricks.side_by_side import SideBySide
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie import messages, spaces
from genie_assets.gateways.genie.answers import SpaceList
from genie_assets.gateways.genie.asking import Asking, finish
from genie_assets.gateways.genie.breaker import Breaker
from genie_assets.gateways.genie.calls import GenieCalls, Target
from genie_assets.gateways.genie.limits import Limits

# They say how their requests are asked for.
_KINDS = (messages, spaces)

T = TypeVar("T")
R = TypeVar("R", bound=Request)

_START_RATE = 50.0


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class GenieApi:
    """The Genie REST API of all workspaces. Remote problems are values, never exceptions.

    So many parameters: how to reach it, and the means, which tests replace.

    Args:
        workspaces: Knows how to reach them.
        threads: Requests in flight per workspace.
        pacer_of: Makes the pacer of a workspace, asked once for each workspace_id.
        retries: How passing trouble is met.
        clock: Monotonic seconds; deadlines are on it.
        now: The time, UTC.
        limits: How much is read at most.
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
        limits: Limits | None = None,
    ) -> None:
        self._threads, self._limits = threads, limits or Limits()
        self._workspaces = workspaces
        self._calls = GenieCalls(
            workspaces,
            pacer_of=pacer_of or (lambda _workspace_id: Pacer(_START_RATE, clock=clock)),
            retries=retries or Retries(clock=clock),
            now=now,
            limits=self._limits,
        )

    def told_time(self) -> dt.datetime | None:
        """The time by Databricks' clock, UTC, as the latest answer told it; no call is made for it.

        The answers are those of all that uses the same workspaces: a warehouse asked before tells it, too.
        """
        return self._workspaces.told_time.now()

    def get_message(self, ref: MessageRef, *, deadline: float | None = None) -> Answer | FetchError:
        """One message by GET."""
        target = Target(ref.workspace_id, ref.workspace_url, deadline)
        return _value(lambda: self._calls.message(target, ref.space_id, ref.conversation_id, ref.message_id))

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
        target = Target(workspace_id, workspace_url, deadline)
        pages = self._calls.messages(target, space_id, conversation_id)
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
        target = Target(workspace_id, workspace_url, deadline)
        return _value(
            lambda: self._calls.space(target, space_id, include_serialized_space=include_serialized_space)
        )

    def may_read(
        self, workspace_id: str, workspace_url: str | None, space_id: str, *, deadline: float | None = None
    ) -> FetchError | None:
        """Probe with one call whether other people's conversations of a space may be read; None if so."""
        target = Target(workspace_id, workspace_url, deadline)
        return _value(lambda: self._calls.any_conversation(target, space_id))

    def list_spaces(
        self, workspace_id: str, workspace_url: str | None, *, deadline: float | None = None
    ) -> SpaceList:
        """All spaces of a workspace that our principal may see, each once."""
        target = Target(workspace_id, workspace_url, deadline)
        found: dict[str, Answer] = {}

        def collect() -> None:
            for page in self._calls.spaces(target):
                found.update({answer.body["space_id"]: answer for answer in page})

        error = _value(collect)
        return SpaceList(tuple(found.values()), error)

    def fetch(self, requests: Iterable[R], *, deadline: float) -> Iterator[FetchResult[R]]:
        """Fetch many requests, over all workspaces side by side; yields one result per request as it completes.

        Few results wait at a time, so memory stays flat however slowly they are taken. A slow or dead workspace
        does not hold up the others. From `deadline` (clock seconds) on nothing more is sent: what is left
        comes back as not attempted. A workspace of which nothing but failures comes is given up for this time.
        """
        lanes: dict[str, list[R]] = {}
        for request in requests:
            lanes.setdefault(request.workspace_id, []).append(request)
        breakers = {workspace_id: Breaker(self._threads) for workspace_id in lanes}

        def work(request: R) -> FetchResult[R]:
            target = Target(request.workspace_id, request.workspace_url, deadline)
            return finish(Asking(self._calls, request, target, breakers[request.workspace_id], self._limits))

        yield from SideBySide(work, threads=self._threads).run(lanes.values())


def _value(call: Callable[[], T]) -> T | FetchError:
    try:
        return call()
    except CallError as failed:
        return failed.error
    except OutOfTimeError:
        return FetchError(ErrorClass.TIMEOUT, "The time of this run was used up before the call was made.")
