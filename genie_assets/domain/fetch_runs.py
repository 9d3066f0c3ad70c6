"""What is noted of a run that asked the API about a day: where it left the day's messages, and what it took.

Counted from what the run knows anyway, by workspace. How its numbers are gathered does not belong here.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.health import where_is
from genie_assets.domain.keys import Row


def place_of(*, is_deleted: bool, is_stored: bool, error: Mapping[str, Any] | None) -> str:
    """The column that counts a message, as the view `completeness` counts it.

    Args:
        is_deleted: Whether the audit log shows that it is deleted.
        is_stored: Whether an answer is stored.
        error: Its row of the ledger.
    """
    found = where_is({"is_deleted": is_deleted}, error, is_stored=is_stored)
    if found.deleted:
        return "deleted"
    if found.open_error:
        return "open_errors"
    if found.stored:
        return "stored"
    return "closed" if found.closed else "pending"


@dataclass(frozen=True)
class Asked:
    """What a run asked for and what came of it, by workspace_id; `failures` by workspace_id and error class."""

    wanted: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def workspaces(self) -> set[str]:
        """Those in which it did something."""
        return {*self.wanted, *self.requests, *(workspace_id for workspace_id, _ in self.failures)}


def rows_of_run(run: Row, asked: Asked, places: Iterable[tuple[str, str, int]]) -> list[Row]:
    """The rows of `genie_fetch_runs`: one per workspace in which the run did something, or none.

    Args:
        run: The columns that are the same in all of them: the day, the run, its times.
        asked: What it asked for.
        places: Workspace, `place_of` and number of the day's messages.
    """
    left: dict[str, Counter[str]] = {workspace_id: Counter() for workspace_id in sorted(asked.workspaces)}
    for workspace_id, place, count in places:
        if workspace_id in left:
            left[workspace_id][place] += count
    return [run | _of_workspace(workspace_id, asked, messages) for workspace_id, messages in left.items()]


def _of_workspace(workspace_id: str, asked: Asked, messages: Counter[str]) -> Row:
    failures = {name: count for (where, name), count in sorted(asked.failures.items()) if where == workspace_id}
    return {
        "workspace_id": workspace_id,
        "discovered": messages.total(),
        **{name: messages[name] for name in ("stored", "open_errors", "closed", "deleted", "pending")},
        "wanted": asked.wanted[workspace_id],
        "failed": sum(failures.values()),
        "failures": json.dumps(failures) if failures else None,
        "requests": asked.requests[workspace_id],
        "answered_429": asked.throttled[workspace_id],
    }
