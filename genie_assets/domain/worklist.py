"""What needs fetching: a pure rule over references, what is stored, open errors and the time.

What is plainly up to date is left out by the lakehouse itself; the condition stands beside the rule.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from genie_assets.domain import ledger
from genie_assets.domain.fetch_plan import MessageRef, is_usable_id
from genie_assets.domain.keys import MESSAGE, MessageKey, Row
from genie_assets.domain.messages import CLOCKS_DIFFER, as_datetime
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.questions import Equals, Exists, Filter, Not, Rows
from genie_assets.domain.tables import GENIE_API_MESSAGES, MESSAGE_FETCH_ERRORS
from genie_assets.domain.workspaces import is_looked_at

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
    last_change_time: dt.datetime | None  # by Databricks' clock
    is_deleted: bool
    seen_at: dt.datetime | None = None  # by our clock
    is_looked_at: bool = True  # not if GENIE_WORKSPACES leaves its workspace out

    @property
    def key(self) -> MessageKey:
        """Which message it is."""
        return MessageKey(self.workspace_id, self.message_id)


@dataclass(frozen=True)
class Known:
    """What is stored about a message: its latest answer and when that was last confirmed."""

    is_settled: bool
    created_at: dt.datetime | None
    last_fetch: dt.datetime
    last_change: dt.datetime | None = None  # it holds every change until then, by Databricks' clock


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
    CLOSED = "closed"  # its error was closed, by hand or with its workspace
    LEFT_OUT = "left_out"  # there is something to ask, and its workspace is not looked at
    CURRENT = "current"  # stored and up to date


FETCHED_VERDICTS = frozenset({Verdict.NEW, Verdict.CHANGED, Verdict.UNSETTLED, Verdict.RETRY})
_NOTHING_IS_LEFT = frozenset({Verdict.DELETED, Verdict.CLOSED, Verdict.CURRENT})


@dataclass(frozen=True)
class Worklist:
    """The verdict on every reference, and the messages to fetch now."""

    wanted: tuple[MessageRef, ...]
    bad_references: tuple[Reference, ...]
    deleted: tuple[Reference, ...]
    left_out: tuple[Reference, ...]
    counts: Mapping[Verdict, int] = field(default_factory=dict)


OF_A_REFERENCE = (
    *("workspace_id", "workspace_url", "space_id", "conversation_id", "message_id"),
    *("last_change_time", "ingestion_timestamp", "is_deleted"),
)
"""The columns of `genie_messages_to_fetch` that are judged."""

PLAINLY_CURRENT: tuple[Filter, ...] = (
    Equals("is_deleted", False),
    Exists(
        Rows(GENIE_API_MESSAGES, [Equals("is_settled", True)]),
        MESSAGE,
        since=("event_change_time", "last_change_time"),
    ),
    Not([Exists(Rows(GENIE_API_MESSAGES, [Equals("is_settled", False)]), MESSAGE)]),
    Not([Exists(Rows(MESSAGE_FETCH_ERRORS), MESSAGE)]),
)
"""References that `judge` would call current, asked of the tables: it need not see them."""


def reference_of(
    row: Mapping[str, Any], known: Mapping[str, Any] | None, error: Row | None, chosen: Collection[str] = ()
) -> Reference:
    """A row of `genie_messages_to_fetch` as a reference.

    Ids that the day's events do not all name are those under which the message is stored.

    Args:
        row: The row, with `OF_A_REFERENCE`.
        known: Header of the message's latest stored answer.
        error: Its row of the ledger.
        chosen: Workspaces that are looked at; none stands for all.
    """
    space_id, conversation_id = row["space_id"], row["conversation_id"]
    if known is not None and not (space_id and conversation_id):
        space_id, conversation_id = known["space_id"], known["conversation_id"]
    return Reference(
        workspace_id=row["workspace_id"],
        workspace_url=row["workspace_url"],
        space_id=space_id,
        conversation_id=conversation_id,
        message_id=row["message_id"],
        last_change_time=row["last_change_time"],
        is_deleted=bool(row["is_deleted"]) or _is_gone(row, error),
        seen_at=row["ingestion_timestamp"],
        is_looked_at=is_looked_at(row["workspace_id"], chosen),
    )


def _is_gone(row: Mapping[str, Any], error: Row | None) -> bool:
    """Whether it was found deleted, and nothing has been done with it since that would show it again."""
    if error is None or not ledger.is_deleted(error):
        return False
    changed = _by_our_clock(row["last_change_time"], row["ingestion_timestamp"])
    return changed is None or changed <= error["resolved_timestamp"]


def reference_of_error(error: Row, known: Mapping[str, Any] | None, chosen: Collection[str] = ()) -> Reference:
    """An open error of a day whose events do not name its message any more, as a reference."""
    unsaid = dict.fromkeys(("workspace_url", "last_change_time", "ingestion_timestamp"))
    return reference_of({**error, **unsaid, "is_deleted": False}, known, error, chosen)


def known_of(header: Mapping[str, Any]) -> Known:
    """What the header of a stored answer says of its message."""
    created_at = as_datetime(header["created_timestamp"])
    last_fetch, last_change = header["api_fetch_timestamp"], header["event_change_time"]
    return Known(bool(header["is_settled"]), created_at, last_fetch, last_change)


def error_of(row: Row | None) -> OpenError | ClosedError | None:
    """What a row of the ledger says; None if it holds nothing back."""
    if row is not None and ledger.is_open(row):
        # With a status it was the API that refused the ids: complete as they are, they will not get better.
        never_sent = row["error_class"] == ErrorClass.BAD_REFERENCE and row["http_status"] is None
        return OpenError(row["next_retry_timestamp"], is_bad_reference=never_sent)
    if row is not None and ledger.is_closed(row):
        return ClosedError(row["resolved_timestamp"])
    return None


def _by_our_clock(changed: dt.datetime | None, seen: dt.datetime | None) -> dt.datetime | None:
    """When a message changed. What we have seen has happened, even if Databricks' clock is ahead of ours."""
    return min(changed, seen) if changed is not None and seen is not None else changed


def stuck(known: Iterable[Known], now: dt.datetime) -> int:
    """How many messages have not ended long after they were asked."""
    asked = [each.created_at for each in known if not each.is_settled]
    return sum(at is not None and now - at > STUCK_AFTER for at in asked)


def make_worklist(
    references: list[Reference],
    known: Mapping[MessageKey, Known],
    errors: Mapping[MessageKey, OpenError | ClosedError],
    now: dt.datetime,
) -> Worklist:
    """Judge every reference: `known` and `errors` are looked up by (workspace_id, message_id), times are UTC."""
    wanted, bad, deleted, left_out = [], [], [], []
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
        elif verdict is Verdict.LEFT_OUT:
            left_out.append(reference)
    return Worklist(tuple(wanted), tuple(bad), tuple(deleted), tuple(left_out), dict(counts))


def judge(
    reference: Reference, known: Known | None, error: OpenError | ClosedError | None, now: dt.datetime
) -> Verdict:
    """What is to be done about one reference now.

    An open error comes before everything but a deletion: its backoff holds even for a message that changed. One
    that is due never waits: whatever is done about it ends it, parks it or gives it a later time, or its day would
    be run for it again and again. Where the workspace is not looked at, whatever there is to ask is left out.
    """
    verdict = _judge(reference, known, error, now)
    return verdict if reference.is_looked_at or verdict in _NOTHING_IS_LEFT else Verdict.LEFT_OUT


def _judge(
    reference: Reference, known: Known | None, error: OpenError | ClosedError | None, now: dt.datetime
) -> Verdict:
    if reference.is_deleted:
        return Verdict.DELETED
    usable = all(map(is_usable_id, (reference.space_id, reference.conversation_id, reference.message_id)))
    if isinstance(error, OpenError):
        return _judge_error(error, now, usable=usable)
    if known is not None and known.is_settled and not _changed_since(reference, known):
        return Verdict.CURRENT
    if isinstance(error, ClosedError) and _stays_closed(reference, known, error, usable=usable):
        return Verdict.CLOSED
    if not usable:
        return Verdict.BAD_REFERENCE
    if known is None:
        return Verdict.NEW
    if _changed_since(reference, known):
        return Verdict.CHANGED
    return Verdict.UNSETTLED if now >= next_look_at(known) else Verdict.WAITING


def _stays_closed(reference: Reference, known: Known | None, error: ClosedError, *, usable: bool) -> bool:
    """Whether nothing has happened since somebody closed the error. What was read before it counts no more."""
    if known is not None and known.last_fetch > error.closed_at:
        return False
    changed = _by_our_clock(reference.last_change_time, reference.seen_at)
    return not (usable and changed is not None and changed > error.closed_at)


def _changed_since(reference: Reference, known: Known) -> bool:
    """Whether it changed later than what the stored answer holds.

    Databricks' clock is compared with itself: ours may be ahead, and a change soon after the look would never be
    seen. Only of an answer of which nothing else is known the time of the look decides, and where it is later by
    more than clocks differ: days are often loaded long after all of their changes.
    """
    if reference.last_change_time is None:
        return False
    if known.last_fetch - reference.last_change_time > CLOCKS_DIFFER:
        return False
    if known.last_change is not None:
        return reference.last_change_time > known.last_change
    changed = _by_our_clock(reference.last_change_time, reference.seen_at)
    return changed is not None and changed > known.last_fetch


def next_look_at(known: Known) -> dt.datetime:
    """When an unsettled message is looked at again.

    The wait is half of the message's age at the last look, within ten minutes and a day: a message that has run
    for long is not asked for often.
    """
    age = known.last_fetch - known.created_at if known.created_at else dt.timedelta(0)
    return known.last_fetch + min(max(age / 2, _SOONEST_LOOK), _LATEST_LOOK)


def next_looks(headers: Mapping[MessageKey, Row]) -> dict[MessageKey, dt.datetime]:
    """When messages that had not ended are looked at again, by the headers of their latest answers."""
    return {key: next_look_at(known_of(row)) for key, row in headers.items() if not row["is_settled"]}


def _judge_error(error: OpenError, now: dt.datetime, *, usable: bool) -> Verdict:
    if error.is_bad_reference and usable:
        return Verdict.RETRY  # another event has brought the missing ids since
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
