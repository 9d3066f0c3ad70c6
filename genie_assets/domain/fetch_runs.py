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
from genie_assets.domain.requests import Endpoint, FetchResult, Sent


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


@dataclass
class Course:
    """What requests took together, counted as they are made: its size does not grow with their number.

    Attributes:
        requests: How many there were.
        answered_429: How many of them were answered 429.
        retries: How many were sent because the one before had failed in passing.
        bytes: What the bodies of the answers hold, unpacked.
        times: How many were answered within so many ms.
    """

    requests: int = 0
    answered_429: int = 0
    retries: int = 0
    bytes: int = 0
    times: Counter[int] = field(default_factory=Counter)

    def count(self, sent: Sent) -> None:
        """Count one more."""
        self.requests += 1
        self.answered_429 += sent.throttled
        self.retries += sent.again
        self.bytes += sent.size
        self.times[sent.ms] += 1

    def add(self, other: "Course") -> None:
        """Count those of another one, too."""
        self.requests += other.requests
        self.answered_429 += other.answered_429
        self.retries += other.retries
        self.bytes += other.bytes
        self.times.update(other.times)

    def numbers(self) -> dict[str, int]:
        """The counts, and the ms within which half and 95 in a hundred were answered; nothing is said of none."""
        if not self.requests:
            return {}
        return {
            "requests": self.requests,
            "answered_429": self.answered_429,
            "retries": self.retries,
            "bytes": self.bytes,
            "p50_ms": _quantile(self.times, 0.50),
            "p95_ms": _quantile(self.times, 0.95),
        }


@dataclass(frozen=True)
class Asked:
    """What a run asked for and what came of it, by workspace_id; `failures` by workspace_id and error class.

    `courses` tells of the requests that went out, by workspace_id and endpoint.
    """

    wanted: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    courses: dict[tuple[str, Endpoint], Course] = field(default_factory=dict)

    def note(self, result: FetchResult[Any]) -> None:
        """Count what one request took."""
        workspace_id = result.request.workspace_id
        self.requests[workspace_id] += result.requests_made
        self.throttled[workspace_id] += result.throttled
        for each in result.sent:
            self.courses.setdefault((workspace_id, each.endpoint), Course()).count(each)

    @property
    def course(self) -> Course:
        """What all requests took, over all workspaces and endpoints."""
        of_all = Course()
        for each in self.courses.values():
            of_all.add(each)
        return of_all

    def add(self, other: "Asked") -> None:
        """Count what another one took, too."""
        self.requests.update(other.requests)
        self.throttled.update(other.throttled)
        for key, course in other.courses.items():
            self.courses.setdefault(key, Course()).add(course)

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
            {name: each for (where, name), each in asked.courses.items() if where == workspace_id}
        ),
    }


def _quantile(times: Counter[int], share: float) -> int:
    """The smallest time within which that share of the requests was answered."""
    left = math.ceil(share * times.total())
    for ms in sorted(times):
        left -= times[ms]
        if left <= 0:
            return ms
    raise ValueError("there is no quantile of nothing")


def _endpoints(courses: Mapping[Endpoint, Course]) -> str | None:
    return json.dumps({name: courses[name].numbers() for name in sorted(courses)}) if courses else None
