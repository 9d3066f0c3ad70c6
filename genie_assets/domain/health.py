"""Rates and verdicts: when a share of failures is alarming, and whether every message is accounted for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

WARN_BELOW = 0.99
ERROR_BELOW = 0.95
MINIMUM_SAMPLE = 20
# 95 % confidence, two-sided.
_Z = 1.959964


class Verdict(StrEnum):
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


def judge_rate(successes: int, total: int) -> Verdict:
    """Judge a success rate so that small days do not flap.

    A sample under the minimum passes, and a larger one fails only when even the upper Wilson bound lies under the
    threshold: then chance does not explain it.
    """
    if total < MINIMUM_SAMPLE:
        return Verdict.PASS
    upper = wilson_upper(successes, total)
    if upper < ERROR_BELOW:
        return Verdict.ERROR
    return Verdict.WARN if upper < WARN_BELOW else Verdict.PASS


class Whereabouts(NamedTuple):
    """In which places a discovered message was found; there may be several, or none."""

    stored: bool = False
    open_error: bool = False
    deleted: bool = False
    closed: bool = False


@dataclass(frozen=True)
class Accounting:
    """Where every discovered message is. The parts are disjoint.

    `pending` is what the last fetch said it left for the next one, not what remains here: so the sum can be wrong.
    """

    discovered: int
    stored: int
    open_errors: int
    deleted: int
    closed: int
    pending: int

    @property
    def lost(self) -> int:
        """Messages that no part accounts for; negative if a part counts too many."""
        accounted = self.stored + self.open_errors + self.deleted + self.closed + self.pending
        return self.discovered - accounted


def account(messages: Mapping[Whereabouts, int], *, pending: int = 0) -> Accounting:
    """Count every discovered message once.

    Stored comes before an open error, that before a known deletion, that before an error closed by hand.

    Args:
        messages: How many messages were found in which places.
        pending: What the last fetch left for the next one.
    """
    parts = dict.fromkeys(("stored", "open_errors", "deleted", "closed"), 0)
    for places, count in messages.items():
        part = _first_part(places)
        if part is not None:
            parts[part] += count
    return Accounting(discovered=sum(messages.values()), pending=pending, **parts)


def _first_part(places: Whereabouts) -> str | None:
    if places.stored:
        return "stored"
    if places.open_error:
        return "open_errors"
    if places.deleted:
        return "deleted"
    return "closed" if places.closed else None
