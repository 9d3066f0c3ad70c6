"""One account over many workspaces and regions: whole conversations move, and nothing else changes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from genie_sandbox.account import Account, ArrivingRow, Workspace
from genie_sandbox.randomness import number_id, stream


def spread(account: Account, shares: Sequence[float], regions: Sequence[str] = ("",)) -> Account:
    """The account with as many workspaces as there are shares, each with so much of the conversations.

    Every workspace has all spaces, with the same ids as elsewhere. The regions take turns. What no message of the
    account belongs to, in its system tables, stays out.

    Args:
        account: Conversations that an audit row names by `conversation_id`, as `generate_uniform` makes them.
        shares: Of each workspace, in any unit.
        regions: Names of regions.
    """
    rng = stream(0, "spread")
    workspaces = tuple(
        Workspace(str(number_id(rng)), f"workspace {number}", region=regions[number % len(regions)])
        for number in range(len(shares))
    )
    home = _homes(list(dict.fromkeys(each.conversation_id for each in account.messages)), workspaces, shares)
    messages = tuple(replace(each, workspace_id=home[each.conversation_id]) for each in account.messages)
    statement_homes = {
        part["query"]["statement_id"]: message.workspace_id
        for message in messages
        for part in message.states[-1].body.get("attachments") or ()
        if "query" in part
    }
    spaces = {space.space_id: space for space in account.spaces}.values()
    return replace(
        account,
        workspaces=workspaces,
        spaces=tuple(replace(space, workspace_id=each.workspace_id) for each in workspaces for space in spaces),
        messages=messages,
        audit=_moved(account.audit, lambda row: home.get(row["request_params"].get("conversation_id"))),
        query_history=_moved(account.query_history, lambda row: statement_homes.get(row["statement_id"])),
    )


def _homes(
    conversations: Sequence[str], workspaces: Sequence[Workspace], shares: Sequence[float]
) -> Mapping[str, str]:
    """Where each conversation goes: to whoever has the least of its share so far."""
    given = [0] * len(shares)
    homes = {}
    for conversation_id in conversations:
        place = min(range(len(shares)), key=lambda number: (given[number] + 1) / shares[number])
        given[place] += 1
        homes[conversation_id] = workspaces[place].workspace_id
    return homes


def _moved(rows: Sequence[ArrivingRow], home_of: Any) -> tuple[ArrivingRow, ...]:
    found = ((each, home_of(each.row)) for each in rows)
    return tuple(replace(each, row={**each.row, "workspace_id": home}) for each, home in found if home is not None)
