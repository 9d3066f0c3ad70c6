"""Incidents: from what is broken now, and what a channel was told before, to what it is told next.

Each channel has a state of its own, so one that was down is told what is news to it when it is back, and no queue
of stale messages is kept. A state moves in two steps: `observed` notes what is broken, whether or not anybody can
be told; `after_telling` notes what was delivered. Killed between the two, the same notices are due once more.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

# What was fine for so long is over; each time it comes back within MEMORY doubles that, up to LONGEST_SETTLE.
SETTLE = dt.timedelta(minutes=10)
LONGEST_SETTLE = dt.timedelta(hours=24)
# An incident that comes back so soon after its recovery is told apart from a new one: it comes and goes.
MEMORY = dt.timedelta(hours=48)
# Each reminder doubles the time to the next, up to this.
LONGEST_SILENCE = dt.timedelta(days=7)
_FIRST_RETRY, _LONGEST_RETRY = dt.timedelta(minutes=1), dt.timedelta(minutes=30)
_MOST_DOUBLINGS = 12


class Severity(StrEnum):
    """How bad it is, in ascending order."""

    WARN = "WARN"
    ERROR = "ERROR"


class Kind(StrEnum):
    """Why a channel is told of an incident."""

    ALERT = "ALERT"  # it is news
    WORSE = "WORSE"  # it was a warning when it was told
    REMINDER = "REMINDER"  # it is still there
    RECOVERY = "RECOVERY"  # it is over


@dataclass(frozen=True)
class Broken:
    """One thing that is broken now.

    Attributes:
        cause: What tells incidents apart: whatever has the same cause is one incident.
        severity: How bad it is.
        what: What happened and how much, in a sentence without any text of users.
        todo: What to do, in the runbook's words.
        since: When it was first seen in this state, UTC.
        path: Where Dagster's webserver shows it: what follows its address.
    """

    cause: str
    severity: Severity
    what: str
    todo: str
    since: dt.datetime
    path: str = ""


@dataclass(frozen=True)
class Incident:
    """What one channel is to know of one cause.

    Attributes:
        broken: What was broken when it was last seen.
        opened: Since when, UTC.
        gone: Since when it is fine again, UTC; None while it is not.
        told: When the channel was last told that it is broken, UTC; None if never.
        told_severity: How bad it was then.
        reminders: How many reminders were sent.
        returns: How often it came back soon after its recovery, or before that was told.
        over: When the channel was told of its recovery, UTC. It is kept for MEMORY, to tell what comes and goes.
    """

    broken: Broken
    opened: dt.datetime
    gone: dt.datetime | None = None
    told: dt.datetime | None = None
    told_severity: Severity | None = None
    reminders: int = 0
    returns: int = 0
    over: dt.datetime | None = None


@dataclass(frozen=True)
class Notice:
    """One thing to tell a channel."""

    kind: Kind
    incident: Incident


@dataclass(frozen=True)
class QuietHours:
    """From when to when nothing is sent, by the clock on the wall of a time zone; over midnight, too."""

    begin: dt.time
    end: dt.time
    zone: dt.tzinfo

    def hold(self, now: dt.datetime) -> bool:
        """Whether it is quiet at a time, UTC."""
        wall = now.astimezone(self.zone).time()
        if self.begin <= self.end:
            return self.begin <= wall < self.end
        return wall >= self.begin or wall < self.end


@dataclass(frozen=True)
class Rules:
    """How often a person wants to hear from us."""

    remind_after: dt.timedelta = dt.timedelta(hours=24)
    quiet: QuietHours | None = None


def observed(kept: Iterable[Incident], broken: Collection[Broken], now: dt.datetime) -> tuple[Incident, ...]:
    """The state after a look at what is broken now.

    Args:
        kept: The state before.
        broken: All that is broken. Of several with the same cause the worst counts.
        now: The time, UTC.
    """
    before = {incident.broken.cause: incident for incident in kept}
    worst_last = sorted(broken, key=lambda each: list(Severity).index(each.severity))
    seen = {each.cause: each for each in worst_last}
    still = (_seen_again(before.get(cause), each) for cause, each in seen.items())
    fine = (_not_seen(incident, now) for cause, incident in before.items() if cause not in seen)
    everything = (*still, *(each for each in fine if each is not None))
    return tuple(sorted(everything, key=lambda each: (each.opened, each.broken.cause)))


def _seen_again(before: Incident | None, broken: Broken) -> Incident:
    if before is None:
        return Incident(broken, opened=broken.since)
    if before.over is not None:
        return Incident(broken, opened=broken.since, returns=before.returns + 1)
    returns = before.returns + (before.gone is not None)
    opened = min(before.opened, broken.since)
    return replace(before, broken=broken, opened=opened, gone=None, returns=returns)


def _not_seen(incident: Incident, now: dt.datetime) -> Incident | None:
    if incident.over is not None:
        return incident if now - incident.over < MEMORY else None
    return incident if incident.gone is not None else replace(incident, gone=now)


def due(kept: Iterable[Incident], now: dt.datetime, rules: Rules) -> tuple[Notice, ...]:
    """What the channel is to be told now, all in one message; nothing in quiet hours, whatever it is."""
    if rules.quiet is not None and rules.quiet.hold(now):
        return ()
    return tuple(notice for incident in kept for notice in _notices(incident, now, rules))


def _notices(incident: Incident, now: dt.datetime, rules: Rules) -> Iterator[Notice]:
    if incident.over is not None:
        return
    if incident.told is None:
        yield Notice(Kind.ALERT, incident)
    elif incident.gone is None:
        if incident.broken.severity is Severity.ERROR and incident.told_severity is Severity.WARN:
            yield Notice(Kind.WORSE, incident)
        elif now - incident.told >= _silence(incident, rules):
            yield Notice(Kind.REMINDER, incident)
    if incident.gone is not None and now - incident.gone >= settle_time(incident.returns):
        yield Notice(Kind.RECOVERY, incident)


def _silence(incident: Incident, rules: Rules) -> dt.timedelta:
    longer = rules.remind_after * 2 ** min(incident.reminders, _MOST_DOUBLINGS)
    return max(rules.remind_after, min(longer, LONGEST_SILENCE))


def settle_time(returns: int) -> dt.timedelta:
    """How long something must be fine until its recovery is told: the longer, the more often it came back."""
    return min(SETTLE * 2 ** min(returns, _MOST_DOUBLINGS), LONGEST_SETTLE)


def after_telling(kept: Iterable[Incident], notices: Collection[Notice], now: dt.datetime) -> tuple[Incident, ...]:
    """The state once the channel has taken these notices."""
    kinds: dict[str, set[Kind]] = {}
    for notice in notices:
        kinds.setdefault(notice.incident.broken.cause, set()).add(notice.kind)
    return tuple(_told(incident, kinds.get(incident.broken.cause, set()), now) for incident in kept)


def _told(incident: Incident, kinds: Collection[Kind], now: dt.datetime) -> Incident:
    if not kinds:
        return incident
    told = replace(incident, told=now, told_severity=_worst(incident.told_severity, incident.broken.severity))
    if Kind.REMINDER in kinds:
        told = replace(told, reminders=incident.reminders + 1)
    return replace(told, over=now) if Kind.RECOVERY in kinds else told


def _worst(*severities: Severity | None) -> Severity:
    return max((each for each in severities if each is not None), key=list(Severity).index)


def retry_time(failures: int) -> dt.timedelta:
    """How long a channel that could not be reached so many times in a row is left alone."""
    return min(_FIRST_RETRY * 2 ** min(max(failures - 1, 0), _MOST_DOUBLINGS), _LONGEST_RETRY)
