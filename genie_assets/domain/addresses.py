"""Where a workspace is, of which the row at hand does not say it: whichever stored row says it knows for all.

What the account's list of workspaces says comes into the rows (`audit`, `names`); which address is used in the
end, and what the operator configured, belongs to the gateway.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar, cast

from genie_assets.domain.keys import Row
from genie_assets.domain.questions import Filter, In, IsNull, Newest, Not, Rows, Wanted
from genie_assets.domain.table import Table
from genie_assets.domain.tables import AGENT_CONVERSATIONS, GENIE_MESSAGES_TO_FETCH


class Placed(Protocol):
    """What is sent to a workspace, or names what will be."""

    @property
    def workspace_id(self) -> str:
        """The workspace."""

    @property
    def workspace_url(self) -> str | None:
        """Its address, as far as it is known."""


R = TypeVar("R", bound=Placed)

# Tables that say addresses, those that know best last; of a table's rows the last in this order does.
_TOLD_BY: Mapping[Table, Sequence[str]] = {
    AGENT_CONVERSATIONS: ("ingestion_timestamp", "workspace_url"),
    GENIE_MESSAGES_TO_FETCH: ("event_date", "ingestion_timestamp", "workspace_url"),
}


def unaddressed(requests: Iterable[Placed]) -> set[str]:
    """Workspaces of which something is asked although the request does not say where they are."""
    return {request.workspace_id for request in requests if not request.workspace_url}


def address_questions(workspace_ids: Collection[str]) -> dict[str, Wanted]:
    """What the tables are asked to find the addresses of these workspaces: one row of each at most."""
    of_these: list[Filter] = [In("workspace_id", sorted(workspace_ids)), Not([IsNull("workspace_url")])]
    return {
        table.name: Wanted(Rows(table, of_these), ["workspace_id", "workspace_url"], Newest(["workspace_id"], by))
        for table, by in _TOLD_BY.items()
    }


def addressed(requests: Iterable[R], found: Mapping[str, Iterable[Row]]) -> list[R]:
    """The requests, those that lack an address with the one that was found.

    Args:
        requests: What is asked.
        found: The answers to `address_questions`.
    """
    known = {row["workspace_id"]: row["workspace_url"] for table in _TOLD_BY for row in found[table.name]}
    return [
        request if request.workspace_url else _at(request, known.get(request.workspace_id)) for request in requests
    ]


def _at(request: R, url: str | None) -> R:
    # All of them are dataclasses, which the protocol cannot say.
    return cast("R", replace(cast("Any", request), workspace_url=url))
