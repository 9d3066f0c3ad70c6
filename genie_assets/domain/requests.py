"""What is asked of the Genie API and what came of it: values that planning, the gateway and storing share.

How a request is sent does not belong here, nor which things are asked for.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Generic, Literal, Protocol, TypeVar

from genie_assets.domain.outcomes import FetchError

Endpoint = Literal["GET", "LIST"]


class Request(Protocol):
    """Things of one workspace that are asked for together. What follows is the same for every kind of them."""

    @property
    def workspace_id(self) -> str:
        """The workspace."""

    @property
    def workspace_url(self) -> str | None:
        """Its address, as far as it is known."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """Ids of the things that are asked for."""


@dataclass(frozen=True)
class MessagesRequest:
    """Messages of one conversation: by one LIST, or by one GET each."""

    workspace_id: str
    workspace_url: str | None
    space_id: str
    conversation_id: str
    message_ids: tuple[str, ...]
    endpoint: Endpoint

    @property
    def wanted(self) -> tuple[str, ...]:
        """The messages."""
        return self.message_ids


@dataclass(frozen=True)
class _OfOneSpace:
    """Something that is asked of one space."""

    workspace_id: str
    workspace_url: str | None
    space_id: str

    @property
    def wanted(self) -> tuple[str, ...]:
        """The space."""
        return (self.space_id,)


class SpaceRequest(_OfOneSpace):
    """One space with its configuration."""


@dataclass(frozen=True)
class SpacesOfWorkspace:
    """All spaces that a workspace lists: wanted is the whole list, and the spaces are brought along."""

    workspace_id: str
    workspace_url: str | None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The list, under the workspace's id."""
        return (self.workspace_id,)


@dataclass(frozen=True)
class AgentsOfWorkspace:
    """The newer list of a workspace's spaces, as one answer: `pages` of its body are the bodies of its pages.

    One that came in part has an answer and an error.
    """

    workspace_id: str
    workspace_url: str | None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The list, under the workspace's id."""
        return (self.workspace_id,)


class TagsOfSpace(_OfOneSpace):
    """All tags of a space, as one answer: `tag_assignments` of its body are what the pages hold."""


class SpacePermissions(_OfOneSpace):
    """Who may do what with one space."""


class ReadProbe(_OfOneSpace):
    """Whether other people's conversations of a space may be read; there is no answer but a failure or none."""


class ConversationsOfSpace(_OfOneSpace):
    """All conversations of a space, whosever: wanted is the whole list, the conversations are brought along."""


@dataclass(frozen=True)
class MessagesOfConversation:
    """Which messages a conversation has: wanted is the whole list, the messages are brought along by their ids."""

    workspace_id: str
    workspace_url: str | None
    space_id: str
    conversation_id: str

    @property
    def wanted(self) -> tuple[str, ...]:
        """The list, under the conversation's id."""
        return (self.conversation_id,)


@dataclass(frozen=True)
class CommentsOfMessage:
    """All comments on a message, as one answer: `comments` of its body are what the pages hold.

    `asked_for` (UTC, by Databricks' clock) is the latest event about them that is known.
    """

    workspace_id: str
    workspace_url: str | None
    space_id: str
    conversation_id: str
    message_id: str
    asked_for: dt.datetime | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The comments, under the message's id."""
        return (self.message_id,)


class EvaluationsOfSpace(_OfOneSpace):
    """All evaluations of a space, as one answer: `eval_runs` of its body are what the pages hold."""


@dataclass(frozen=True)
class ResultsOfEvaluation:
    """The results of one evaluation with their details, as one answer: `results` of its body are pairs of both.

    `updated` (epoch ms UTC) is when the evaluation was last changed, as it was listed. Details of results in
    `known` are not asked for. Of one that `is_old` the details are gone when one of them is.
    """

    workspace_id: str
    workspace_url: str | None
    space_id: str
    eval_run_id: str
    updated: int | None = None
    known: tuple[str, ...] = ()
    is_old: bool = False

    @property
    def wanted(self) -> tuple[str, ...]:
        """The results, under the evaluation's id."""
        return (self.eval_run_id,)


@dataclass(frozen=True)
class ItemsOfConversation:
    """All steps of a conversation with an agent, as one answer: `data` of its body is what the pages hold.

    `asked_for` (UTC, by Databricks' clock) is the latest event in the conversation that is known.
    """

    workspace_id: str
    workspace_url: str | None
    space_id: str
    conversation_id: str
    asked_for: dt.datetime | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The steps, under the conversation's id."""
        return (self.conversation_id,)


@dataclass(frozen=True)
class Answer:
    """One object of the API: a message or a space, as parsed JSON, untouched.

    `requested_at` (UTC) is when the request left: the body is at least as new as that. `size` is how many bytes it
    took to send, its share of them if it came with others.
    """

    body: dict[str, Any]
    endpoint: Endpoint
    requested_at: dt.datetime
    size: int = 0


class Became(Enum):
    """What became of an answer when it was stored."""

    NEW = auto()  # it was not stored before
    UNCHANGED = auto()  # it was wanted, and is what is stored
    NOTHING = auto()  # the same, and only brought along

    @classmethod
    def of(cls, changes: object) -> "Became":
        """What became of an answer that was wanted, by the changes that it brought, if any."""
        return cls.NEW if changes else cls.UNCHANGED


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that went out.

    Attributes:
        endpoint: What was asked.
        ms: Until its answer was read or given up, ms; waiting for its turn does not count.
        size: Bytes of the answer's body, unpacked; 0 where none could be read.
        throttled: Whether the answer was 429.
        again: Whether it was sent because the one before had failed in passing.
    """

    endpoint: Endpoint
    ms: int
    size: int = 0
    throttled: bool = False
    again: bool = False


R_co = TypeVar("R_co", bound=Request, covariant=True)


@dataclass(frozen=True)
class FetchResult(Generic[R_co]):
    """What came of one request.

    `answers` holds everything that came, wanted or not. Every wanted id has an answer, an error, or was not
    attempted (the deadline came first). One with an answer and an error came in part; what is only looked for, as
    a list or a permission, has neither when all is well.
    """

    request: R_co
    answers: Mapping[str, Answer] = field(default_factory=dict)
    errors: Mapping[str, FetchError] = field(default_factory=dict)
    not_attempted: tuple[str, ...] = ()
    requests_made: int = 0
    throttled: int = 0  # how many of them were answered 429
    sent: tuple[Sent, ...] = ()  # each of them
