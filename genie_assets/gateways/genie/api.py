"""Reading Genie: whatever is asked for, many requests side by side; and spaces one at a time."""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.requests import Answer, FetchResult, Request
from genie_assets.domain.richer import the_better_one
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.side_by_side import SideBySide
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie import around_messages, conversations, evaluations, messages, spaces
from genie_assets.gateways.genie.answers import SpaceList
from genie_assets.gateways.genie.asking import Asking, finish
from genie_assets.gateways.genie.breaker import Breaker
from genie_assets.gateways.genie.calls import GenieCalls, Target
from genie_assets.gateways.genie.limits import Limits

# They say how their requests are asked for.
_KINDS = (around_messages, conversations, evaluations, messages, spaces)

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

    def expect_pace(self, settled: Mapping[str, float]) -> None:
        """Begin with the pace on which earlier runs have settled: requests per second by workspace id."""
        self._calls.expect_pace(settled)

    def settled_pace(self) -> dict[str, float]:
        """Requests per second by workspace id, of workspaces whose limit is known, be it from earlier runs."""
        return self._calls.settled_pace()

    def get_space(self, workspace_id: str, workspace_url: str | None, space_id: str) -> Answer | FetchError:
        """One space with its configuration, which needs CAN EDIT."""
        target = Target(workspace_id, workspace_url)
        try:
            return self._calls.space(target, space_id, include_serialized_space=True)
        except CallError as failed:
            return self._workspaces.explained(workspace_id, failed.error)

    def get_permissions(self, workspace_id: str, workspace_url: str | None, space_id: str) -> Answer | FetchError:
        """Who may do what with one space, which needs CAN MANAGE."""
        try:
            return self._calls.permissions(Target(workspace_id, workspace_url), space_id)
        except CallError as failed:
            return self._workspaces.explained(workspace_id, failed.error)

    def list_spaces(self, workspace_id: str, workspace_url: str | None) -> SpaceList:
        """All spaces of a workspace that our principal may see, each once."""
        target = Target(workspace_id, workspace_url)
        found: dict[str, Answer] = {}
        error = None
        try:
            for page in self._calls.spaces(target):
                for answer in page:
                    space_id = answer.body["space_id"]
                    before = found.get(space_id)
                    found[space_id] = answer if before is None else the_better_one(before, answer)
        except CallError as failed:
            error = self._workspaces.explained(workspace_id, failed.error)
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
            asking = Asking(self._calls, request, target, breakers[request.workspace_id], self._limits)
            result = finish(asking)
            errors = {id_: self._workspaces.explained(request.workspace_id, e) for id_, e in result.errors.items()}
            return replace(result, errors=errors) if errors else result

        yield from SideBySide(work, threads=self._threads).run(lanes.values())
