"""Which workspaces are looked at, and what a workspace's status says."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from genie_assets.domain.questions import Equals, Filter, In, Not

# What a workspace that answers nobody says of itself. A status that is new or unknown is no reason not to ask.
_NOT_RUNNING = frozenset({"NOT_PROVISIONED", "PROVISIONING", "FAILED", "BANNED"})

# Events of the account itself are audited under this id.
_ACCOUNT = "0"


def is_workspace(workspace_id: str) -> bool:
    """Whether an id of the audit log names a workspace, not the account."""
    return workspace_id != _ACCOUNT


def is_looked_at(workspace_id: str, chosen: Collection[str]) -> bool:
    """Whether something belongs to a workspace that is looked at: one of the chosen ones, or any if none is."""
    return is_workspace(workspace_id) and (not chosen or workspace_id in chosen)


def not_looked_at(chosen: Collection[str]) -> Filter:
    """The opposite of `is_looked_at`, asked of rows with a `workspace_id`."""
    if not chosen:
        return Equals("workspace_id", _ACCOUNT)
    return Not([In("workspace_id", sorted({*chosen} - {_ACCOUNT}))])


def is_running(status: Any) -> bool:
    """Whether a workspace with this status of `workspaces_latest` may be asked: one that is unknown may."""
    return not isinstance(status, str) or status.strip().upper() not in _NOT_RUNNING


def not_running(workspaces: Iterable[Mapping[str, Any]], shown: Collection[str]) -> tuple[str, ...]:
    """Of the workspaces that the log shows, those whose messages wait until they run, as "name (BANNED)"."""
    return tuple(
        f"{row['workspace_name'] or row['workspace_id']} ({row['status']})"
        for row in workspaces
        if row["workspace_id"] in shown and not is_running(row["status"])
    )
