"""What needs fetching: a pure rule over references, what is stored, open errors and the time."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from genie_assets.domain.fetch_plan import MessageRef, is_usable_id

Key = tuple[str, str]  # (workspace_id, message_id)

_SOONEST_LOOK = dt.timedelta(minutes=10)
_LATEST_LOOK = dt.timedelta(days=1)
# A message that has not ended after this time is reported as stuck.
STUCK_AFTER = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Reference:
    """What the audit log says about one message on one day."""

    workspace_id: str
    workspace_url: str | None
    space_id: str | None
    conversation_id: str | None
    message_id: str
    last_change_time: dt.datetime | None
    is_deleted: bool

    @property
    def key(self) -> Key:
        """(workspace_id, message_id)."""
        return self.workspace_id, self.message_id


@dataclass(frozen=True)
class Known:
    """What is stored about a message: its latest answer and when that was last confirmed."""

    is_settled: bool
    created_at: dt.datetime | None
    last_fetch: dt.datetime


@dataclass(frozen=True)
class OpenError:
    """An unresolved error. `next_retry` None: parked, no further attempt by itself."""

    next_retry: dt.datetime | None
    is_bad_reference: bool


@dataclass(frozen=True)
class ClosedError:
    """An error that somebody closed by hand: the message is not asked for again unless it changes."""

    closed_at: dt.datetime


class Verdict(StrEnum):
    """What is to be done about one reference now."""

    NEW = "new"
    CHANGED = "changed"
    UNSETTLED = "unsettled"
    RETRY = "retry"
    BAD_REFERENCE = "bad_reference"  # cannot be asked for: its ids are incomplete or unusable
    DELETED = "deleted"  # known deleted: nothing to ask for
    WAITING = "waiting"  # an open error, or an unsettled message, whose time has not come
    CLOSED = "closed"  # its error was closed by hand
    CURRENT = "current"  # stored and up to date


FETCHED_VERDICTS = frozenset({Verdict.NEW, Verdict.CHANGED, Verdict.UNSETTLED, Verdict.RETRY})


@dataclass(frozen=True)
class Worklist:
    """The verdict on every reference, and the messages to fetch now."""

    wanted: tuple[MessageRef, ...]
    bad_references: tuple[Reference, ...]
    deleted: tuple[Reference, ...]
    counts: Mapping[Verdict, int] = field(default_factory=dict)


def make_worklist(
    references: list[Reference],
    known: Mapping[Key, Known],
    errors: Mapping[Key, OpenError | ClosedError],
    now: dt.datetime,
) -> Worklist:
    """Judge every reference: `known` and `errors` are looked up by (workspace_id, message_id), times are UTC."""
    wanted, bad, deleted = [], [], []
    counts: Counter[Verdict] = Counter()
    for reference in references:
        verdict = judge(reference, known.get(reference.key), errors.get(reference.key), now)
        counts[verdict] += 1
        if verdict in FETCHED_VERDICTS:
            wanted.append(_message_ref(reference))
        elif verdict is Verdict.BAD_REFERENCE:
            bad.append(reference)
        elif verdict is Verdict.DELETED:
            deleted.append(reference)
    return Worklist(tuple(wanted), tuple(bad), tuple(deleted), dict(counts))


def judge(
    reference: Reference, known: Known | None, error: OpenError | ClosedError | None, now: dt.datetime
) -> Verdict:
    """What is to be done about one reference now.

    An open error comes before everything but a deletion: its backoff holds even for a message that changed.
    """
    if reference.is_deleted:
        return Verdict.DELETED
    usable = all(map(is_usable_id, (reference.space_id, reference.conversation_id, reference.message_id)))
    if isinstance(error, ClosedError) and known is None:
        changed = reference.last_change_time
        return Verdict.NEW if usable and changed and changed > error.closed_at else Verdict.CLOSED
    if isinstance(error, OpenError):
        return _judge_error(error, now, usable=usable)
    if known is not None and known.is_settled and not _changed_since(reference, known):
        return Verdict.CURRENT
    if not usable:
        return Verdict.BAD_REFERENCE
    if known is None:
        return Verdict.NEW
    if _changed_since(reference, known):
        return Verdict.CHANGED
    return Verdict.UNSETTLED if now >= next_look_at(known) else Verdict.WAITING


def _changed_since(reference: Reference, known: Known) -> bool:
    return reference.last_change_time is not None and reference.last_change_time > known.last_fetch


def next_look_at(known: Known) -> dt.datetime:
    """When an unsettled message is looked at again.

    The wait is half of the message's age at the last look, within ten minutes and a day: a message that has run
    for long is not asked for often.
    """
    age = known.last_fetch - known.created_at if known.created_at else dt.timedelta(0)
    return known.last_fetch + min(max(age / 2, _SOONEST_LOOK), _LATEST_LOOK)


def _judge_error(error: OpenError, now: dt.datetime, *, usable: bool) -> Verdict:
    if error.is_bad_reference:
        # Another event may have brought the missing ids since.
        return Verdict.RETRY if usable else Verdict.WAITING
    if error.next_retry is None or now < error.next_retry:
        return Verdict.WAITING
    return Verdict.RETRY if usable else Verdict.BAD_REFERENCE


def _message_ref(reference: Reference) -> MessageRef:
    return MessageRef(
        workspace_id=reference.workspace_id,
        workspace_url=reference.workspace_url,
        space_id=reference.space_id or "",
        conversation_id=reference.conversation_id or "",
        message_id=reference.message_id,
    )
