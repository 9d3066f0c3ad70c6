"""What is noted of a run that asked the API about a day: where it left the day's messages, and what it took.

Counted from what the run knows anyway, by workspace. How its numbers are gathered does not belong here.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.health import where_is
from genie_assets.domain.keys import Row
from genie_assets.domain.requests import FetchResult, Sent


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
    """What a run asked for and what came of it, by workspace_id; `failures` by workspace_id and error class.

    `sent` counts the requests that went out by workspace_id and all that is known of each.
    """

    wanted: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    sent: Counter[tuple[str, Sent]] = field(default_factory=Counter)

    def note(self, result: FetchResult[Any]) -> None:
        """Count what one request took."""
        workspace_id = result.request.workspace_id
        self.requests[workspace_id] += result.requests_made
        self.throttled[workspace_id] += result.throttled
        self.sent.update((workspace_id, each) for each in result.sent)

    @property
    def course(self) -> dict[str, int]:
        """What all requests took, over all workspaces and endpoints."""
        of_all = Counter[Sent]()
        for (_, each), count in self.sent.items():
            of_all[each] += count
        return course_of(of_all)

    def add(self, other: "Asked") -> None:
        """Count what another one took, too."""
        for name in ("requests", "throttled", "sent"):
            getattr(self, name).update(getattr(other, name))

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
        "endpoints": _endpoints(
            {each: count for (where, each), count in asked.sent.items() if where == workspace_id}
        ),
    }


def course_of(sent: Mapping[Sent, int]) -> dict[str, int]:
    """What requests took together; nothing is said of none.

    Args:
        sent: How often each was sent.

    Returns:
        How many there were, how many were answered 429 or were sent again, the bytes of the answers, and the ms
        within which half of them and 95 in a hundred were answered.
    """
    if not sent:
        return {}
    times = Counter[int]()
    for each, count in sent.items():
        times[each.ms] += count
    return {
        "requests": times.total(),
        "answered_429": sum(count for each, count in sent.items() if each.throttled),
        "retries": sum(count for each, count in sent.items() if each.again),
        "bytes": sum(each.size * count for each, count in sent.items()),
        "p50_ms": _quantile(times, 0.50),
        "p95_ms": _quantile(times, 0.95),
    }


def _quantile(times: Counter[int], share: float) -> int:
    """The smallest time within which that share of the requests was answered."""
    left = math.ceil(share * times.total())
    for ms in sorted(times):
        left -= times[ms]
        if left <= 0:
            return ms
    raise ValueError("there is no quantile of nothing")


def _endpoints(sent: Mapping[Sent, int]) -> str | None:
    names = sorted({each.endpoint for each in sent})
    courses = {
        name: course_of({each: count for each, count in sent.items() if each.endpoint == name}) for name in names
    }
    return json.dumps(courses) if courses else None
