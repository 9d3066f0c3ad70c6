"""Reading Genie: single messages, whole conversations, spaces; one at a time or many side by side."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.fetch_plan import Endpoint, FetchRequest, MessageRef
from genie_assets.domain.outcomes import FetchError
from genie_assets.gateways.pacing import Pacer
from genie_assets.gateways.workspaces import Workspaces


@dataclass(frozen=True)
class Answer:
    """One object of the API: a message or a space, as parsed JSON, untouched.

    `requested_at` (UTC) is when the request left: the body is at least as new as that.
    """

    body: dict[str, Any]
    endpoint: Endpoint
    requested_at: dt.datetime


@dataclass(frozen=True)
class FetchResult:
    """What came of one request.

    `answers` holds every message that came, wanted or not, each once. Every wanted message id is in exactly one
    of: the answers, `errors`, `not_attempted` (the deadline came first).
    """

    request: FetchRequest
    answers: tuple[Answer, ...] = ()
    errors: Mapping[str, FetchError] = field(default_factory=dict)
    not_attempted: tuple[str, ...] = ()
    requests_made: int = 0
    throttled: int = 0  # how many of them were answered 429


@dataclass(frozen=True)
class SpaceList:
    """The spaces that one workspace lists. With an `error` the list is incomplete: nothing follows from absence."""

    spaces: tuple[Answer, ...] = ()
    error: FetchError | None = None


class GenieApi:
    """The Genie REST API of all workspaces. Remote problems are values, never exceptions.

    Args:
        workspaces: Knows how to reach them.
        threads: Requests in flight per workspace.
        pacer_of: Makes the pacer of a workspace, asked once for each workspace_id.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        *,
        threads: int = 16,
        pacer_of: Callable[[str], Pacer] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        raise NotImplementedError

    def get_message(self, ref: MessageRef, *, deadline: float | None = None) -> Answer | FetchError:
        """One message by GET."""
        raise NotImplementedError

    def list_messages(
        self, workspace_id: str, workspace_url: str | None, space_id: str, conversation_id: str
    ) -> Iterator[tuple[Answer, ...] | FetchError]:
        """The messages of a conversation, page by page. A FetchError ends it and means that it is incomplete."""
        raise NotImplementedError

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
        raise NotImplementedError

    def list_spaces(
        self, workspace_id: str, workspace_url: str | None, *, deadline: float | None = None
    ) -> SpaceList:
        """All spaces of a workspace that our principal may see."""
        raise NotImplementedError

    def fetch(self, requests: Iterable[FetchRequest], *, deadline: float) -> Iterator[FetchResult]:
        """Fetch many requests, over all workspaces side by side; yields one result per request as it completes.

        Few results wait at a time, so memory stays flat however slowly they are taken. A slow or dead workspace
        does not hold up the others. From `deadline` (clock seconds) on nothing more is sent: what is left
        comes back as not attempted.
        """
        raise NotImplementedError
