"""Rates and verdicts: when a share of failures is alarming, and whether every message is accounted for.

What is not here: who looks the numbers up (`pipeline/inspection`), and the sentences about them (`checks`).
"""

import datetime as dt
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from genie_assets.domain import ledger
from genie_assets.domain.keys import MESSAGE
from genie_assets.domain.questions import Between, Equals, Exists, Filter, Not, Rows
from genie_assets.domain.tables import GENIE_API_MESSAGES, MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS

WARN_BELOW = 0.99
ERROR_BELOW = 0.95
MINIMUM_SAMPLE = 20
# So long after the audit log showed it to us, a message may wait for the run that reads it. Then it is lost.
PENDING_FOR = dt.timedelta(days=1)
# 95 % confidence, two-sided.
_Z = 1.959964


class RateVerdict(StrEnum):
    """How a success rate is judged."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    WARN = "WARN"
    ERROR = "ERROR"


def wilson_upper(successes: int, total: int) -> float:
    """The highest true rate that is compatible with the sample (Wilson score, 95 %); 1.0 for an empty sample."""
    if total == 0:
        return 1.0
    rate, z2 = successes / total, _Z * _Z
    spread = _Z * math.sqrt(rate * (1 - rate) / total + z2 / (4 * total * total))
    return min(1.0, (rate + z2 / (2 * total) + spread) / (1 + z2 / total))


def judge_rate(successes: int, total: int) -> RateVerdict:
    """Judge a success rate so that small days do not flap.

    A sample under the minimum passes, and a larger one fails only when even the upper Wilson bound lies under the
    threshold: then chance does not explain it.
    """
    if total < MINIMUM_SAMPLE:
        return RateVerdict.PASS
    upper = wilson_upper(successes, total)
    if upper < ERROR_BELOW:
        return RateVerdict.ERROR
    return RateVerdict.WARN if upper < WARN_BELOW else RateVerdict.PASS


class Whereabouts(NamedTuple):
    """In which places a discovered message was found; there may be several, or none."""

    stored: bool = False
    open_error: bool = False
    deleted: bool = False
    closed: bool = False
    recent: bool = False  # seen lately and never read: it may still wait for its run


def where_is(reference: Mapping[str, Any], error: Mapping[str, Any] | None, *, is_stored: bool) -> Whereabouts:
    """Where a message of the audit log is, by its row of the error ledger and whether `message_details` has it."""
    deleted = bool(reference["is_deleted"]) or ledger.is_deleted(error)
    return Whereabouts(is_stored, ledger.is_open(error), deleted, ledger.is_closed(error))


# The same, asked of rows of `genie_messages_to_fetch`; `whereabouts` reads the answers.
PLACES: Mapping[str, Filter] = {
    "stored": Exists(Rows(MESSAGE_DETAILS), MESSAGE),
    "open_error": Exists(Rows(MESSAGE_FETCH_ERRORS, ledger.OPEN), MESSAGE),
    "shown_deleted": Equals("is_deleted", True),
    "found_deleted": Exists(Rows(MESSAGE_FETCH_ERRORS, ledger.DELETED_ROWS), MESSAGE),
    "closed": Exists(Rows(MESSAGE_FETCH_ERRORS, ledger.CLOSED_ROWS), MESSAGE),
}
NOWHERE: tuple[Filter, ...] = tuple(Not([place]) for place in PLACES.values())
"""Messages of which nothing came yet: neither stored, nor in the ledger, nor known deleted."""


def seen_since(moment: dt.datetime) -> Filter:
    """Rows of `genie_messages_to_fetch` that were written since a moment; a day that changes is written anew."""
    return Between("ingestion_timestamp", low=moment)


def may_be_pending(now: dt.datetime) -> Mapping[str, Filter]:
    """What tells a message that waits for its first run from one that has been read, and lost on the way."""
    return {"seen_lately": seen_since(now - PENDING_FOR), "answered": Exists(Rows(GENIE_API_MESSAGES), MESSAGE)}


def whereabouts(places: Mapping[str, bool]) -> Whereabouts:
    """Where a message is, by which of `PLACES` hold, and of `may_be_pending` if that was asked."""
    deleted = places["shown_deleted"] or places["found_deleted"]
    recent = places.get("seen_lately", False) and not places["answered"]
    return Whereabouts(places["stored"], places["open_error"], deleted, places["closed"], recent)


@dataclass(frozen=True)
class Accounting:
    """Where every discovered message is. The parts are disjoint; `pending` ones are nowhere, and not for long."""

    discovered: int
    stored: int
    open_errors: int
    deleted: int
    closed: int
    pending: int

    @property
    def lost(self) -> int:
        """Messages that are nowhere, and have been for too long to be waiting."""
        accounted = self.stored + self.open_errors + self.deleted + self.closed + self.pending
        return self.discovered - accounted


def account(messages: Mapping[Whereabouts, int]) -> Accounting:
    """Count every discovered message once, by how many were found in which places.

    Stored comes before an open error, that before a known deletion, that before an error closed by hand, and that
    before pending.
    """
    parts = dict.fromkeys(("stored", "open_errors", "deleted", "closed", "pending"), 0)
    for places, count in messages.items():
        part = _first_part(places)
        if part is not None:
            parts[part] += count
    return Accounting(discovered=sum(messages.values()), **parts)


def _first_part(places: Whereabouts) -> str | None:
    if places.stored:
        return "stored"
    if places.open_error:
        return "open_errors"
    if places.deleted:
        return "deleted"
    if places.closed:
        return "closed"
    return "pending" if places.recent else None


@dataclass(frozen=True)
class DayState:
    """Where the messages of one day's audit events are: how many of each workspace in which places."""

    messages: Mapping[tuple[str, Whereabouts], int]

    def accounting(self) -> Accounting:
        """Count them."""
        counts: Counter[Whereabouts] = Counter()
        for (_, places), count in self.messages.items():
            counts[places] += count
        return account(counts)

    def rates(self) -> dict[str, tuple[int, int]]:
        """(readable, asked for) by workspace_id; known deletions are not asked for."""
        asked: Counter[str] = Counter()
        readable: Counter[str] = Counter()
        for (workspace_id, places), count in self.messages.items():
            if places.stored or places.open_error:
                asked[workspace_id] += count
                readable[workspace_id] += count if not places.open_error else 0
        return {workspace_id: (readable[workspace_id], total) for workspace_id, total in sorted(asked.items())}
