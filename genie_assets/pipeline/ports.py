"""What the pipeline needs of the outside, in the shape in which it needs it. Gateways fit without knowing it.

The lakehouse is not among them: its interface is a room of its own, made for two engines.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.requests import FetchResult, Request
from genie_assets.domain.space_logins import Login
from genie_assets.domain.space_references import Reference

if TYPE_CHECKING:
    import pandas as pd

R = TypeVar("R", bound=Request)


class Genie(Protocol):
    """The Genie API of all workspaces. Remote problems are values, never exceptions."""

    def fetch(self, requests: Iterable[R], *, deadline: float) -> Iterator[FetchResult[R]]:
        """One result per request, in the order in which they come; from `deadline` on nothing more is sent."""


class SystemTables(Protocol):
    """Databricks' system tables, of the workspaces that are wanted."""

    @property
    def chosen_workspaces(self) -> Collection[str]:
        """Ids of the workspaces that are looked at; empty means all."""

    @property
    def regions(self) -> Mapping[str, str | None]:
        """All regions, each with why it could not be read so far, if so; none if there is only one."""

    def message_events(self, event_date: dt.date) -> "pd.DataFrame":
        """Audit events of one UTC day, one row per message, action and actor; of no message, per action."""

    def deletions(self, since: dt.date, until: dt.date) -> "pd.DataFrame":
        """Events that deleted messages or conversations from one day to another, both included."""

    def event_days(self, first: dt.date, last: dt.date) -> "pd.DataFrame":
        """What the audit log holds of each of these UTC days in few numbers, one row per day and workspace."""

    def day_and_later(self, day: dt.date, until: dt.date) -> "tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]":
        """The same of one day, of each later one until another for all workspaces together; and `workspaces`."""

    def query_history(
        self, statement_ids: Collection[str], *, from_time: dt.datetime, to_time: dt.datetime
    ) -> "pd.DataFrame":
        """How statements ran that began within these times, UTC."""

    def workspaces(self) -> "pd.DataFrame":
        """Ids, names, addresses and statuses of the workspaces."""


class LiveSpaces(Protocol):
    """The spaces of all workspaces as they are now, one by one. Remote problems are values, never exceptions."""

    def read(self, key: SpaceKey) -> Mapping[str, Any] | FetchError:
        """A space with its configuration."""

    def listed(self, workspace_id: str) -> Sequence[Mapping[str, Any]] | FetchError:
        """All spaces of a workspace that may be seen, without their configurations."""

    def create(self, workspace_id: str, body: Mapping[str, Any]) -> Mapping[str, Any] | FetchError:
        """Make a space, sent once."""

    def update(self, key: SpaceKey, body: Mapping[str, Any]) -> Mapping[str, Any] | FetchError:
        """Change what the body names, sent once."""

    def permissions(self, key: SpaceKey) -> Mapping[str, Any] | FetchError:
        """Who may do what with a space."""

    def grant(
        self, key: SpaceKey, entries: Sequence[Mapping[str, Any]], *, only: bool = False
    ) -> Mapping[str, Any] | FetchError:
        """Grant levels to principals; with `only`, take what the space grants to others away."""

    def login(self, workspace_id: str) -> Login:
        """Who is logged in in a workspace, as far as it tells."""


class LiveReferences(Protocol):
    """Things that spaces name, as one login sees them now. Remote problems are values, never exceptions."""

    def look_up(self, workspace_id: str, reference: Reference) -> Mapping[str, Any] | FetchError:
        """One thing, of a kind and with a name that can be asked for."""
