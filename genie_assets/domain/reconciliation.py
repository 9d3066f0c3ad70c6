"""Comparing what the API lists with what is stored: when a space's turn is, how far its walk is, what is missing.

The audit log may lose rows for good. Then only the API knows of their messages: each space's conversations are
listed, and each conversation's messages. A walk is made in slices; how far it is follows from the tables alone.
"""

import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.keys import MessageKey, Row, SpaceKey
from genie_assets.domain.messages import epoch_ms, utc_date
from genie_assets.domain.outcomes import POLICIES, ErrorClass, FetchError
from genie_assets.domain.requests import Answer

SLICE = dt.timedelta(minutes=4)
"""For so long one run asks: whoever waits for the pool of the Genie API waits less than five minutes."""

WALK_ALLOWED = dt.timedelta(days=10)
"""In this time every space should have been walked: a week, and some nights to catch up."""

# A refusal stays one until somebody does something about it: it is asked about once a night.
_REFUSALS = frozenset({str(ErrorClass.PERMISSION), str(ErrorClass.NOT_FOUND), str(ErrorClass.NOT_RUNNING)})
_ONCE_A_NIGHT = dt.timedelta(hours=20)


def wanted_since(space: SpaceKey, now: dt.datetime, share: float) -> dt.datetime | None:
    """The midnight, UTC, since which a walk of a space is wanted; None if none ever is.

    That is the last Sunday for every space, and for a share of them, which goes round, a night since.

    Args:
        space: The space.
        now: The time, UTC.
        share: Of the spaces, how many are walked each night, from 0 to 1.
    """
    if share <= 0:
        return None
    today, nights = now.date().toordinal(), math.ceil(1 / share)
    turn = int(sha256("\0".join(space).encode("utf-8", "backslashreplace")).hexdigest()[:8], 16)
    day = dt.date.fromordinal(max(today - now.isoweekday() % 7, today - (today - turn) % nights))
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def is_walking(space: Row | None) -> bool:
    """Whether a space's conversations were listed, and not all of them walked since."""
    if space is None or space["listed_timestamp"] is None:
        return False
    return space["walked_timestamp"] is None or space["walked_timestamp"] < space["listed_timestamp"]


def is_to_be_listed(space: Row | None, since: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a walk of a space is to begin now. One that is under way is ended first.

    Args:
        space: Its row of `reconciled_spaces`.
        since: Since when a walk is wanted.
        now: The time, UTC.
    """
    if since is None or is_walking(space):
        return False
    if space is None:
        return True
    if space["error_class"] in _REFUSALS and now - space["attempted_timestamp"] < _ONCE_A_NIGHT:
        return False
    return space["listed_timestamp"] is None or space["listed_timestamp"] < since


def is_to_be_walked(conversation: Row, listed: dt.datetime) -> bool:
    """Whether a conversation belongs to the walk that began with a list, and was not asked for since."""
    attempted = conversation["attempted_timestamp"]
    return _is_of(conversation, listed) and (attempted is None or attempted < listed)


def _is_of(conversation: Row, listed: dt.datetime) -> bool:
    return bool(conversation["listed_timestamp"] >= listed)


def oldest_first(space: Row | None) -> tuple[dt.datetime, dt.datetime]:
    """Sorts spaces: who was never walked, or not for long, comes first; of them who was not asked for long."""
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return (space["walked_timestamp"] or never, space["attempted_timestamp"] or never) if space else (never, never)


def speaks_of_it(problem: FetchError) -> bool:
    """Whether a failure is one of what was asked for, and not of the way to it: only then it counts as asked."""
    return problem.was_asked and problem.was_sent and not POLICIES[problem.error_class].of_the_way


def is_of_it_all_the_same(problem: FetchError, *, others_were_answered: bool, waits: dt.timedelta) -> bool:
    """Whether a failure of the way counts as one of what was asked for, so that it holds up no walk for good.

    A feature that is switched off for one conversation, or a proxy that drops one answer, looks like the way.

    Args:
        problem: The failure.
        others_were_answered: Whether the same workspace answered others meanwhile: then the way is open.
        waits: For how long the walk has been under way.
    """
    return problem.was_asked and (others_were_answered or waits > WALK_ALLOWED)


def is_gone(problem: FetchError) -> bool:
    """Whether Databricks itself says that there is no such conversation: it was deleted since it was listed."""
    return problem.error_class is ErrorClass.NOT_FOUND and problem.error_code is not None


@dataclass(frozen=True)
class SpaceList:
    """The conversations of a space, as they were listed at a time (UTC)."""

    space: SpaceKey
    workspace_url: str | None
    answers: Mapping[str, Answer]
    at: dt.datetime

    def rows(self, before: Mapping[str, Row]) -> list[Row]:
        """Their rows, without the stamp; `before` holds those that are stored, by conversation."""
        return [
            {
                **before.get(conversation_id, {**self.space._asdict(), "conversation_id": conversation_id}),
                "created_timestamp": epoch_ms(answer.body.get("created_timestamp")),
                "listed_timestamp": self.at,
            }
            for conversation_id, answer in self.answers.items()
        ]


def walked_space(space: Row, conversations: Iterable[Row], now: dt.datetime) -> Row | None:
    """A space's row after a walk that is over; None if some of its conversations were not asked for.

    Args:
        space: Its row of `reconciled_spaces`.
        conversations: Its rows of `reconciled_conversations`.
        now: The time, UTC.
    """
    mine = [row for row in conversations if _is_of(row, space["listed_timestamp"])]
    if any(is_to_be_walked(row, space["listed_timestamp"]) for row in mine):
        return None
    problems = [row["error_class"] for row in mine if row["error_class"] is not None]
    refused = problems.count(str(ErrorClass.PERMISSION))
    shown, missing = (sum(row[name] or 0 for row in mine) for name in ("message_count", "missing_count"))
    return {
        **space,
        "walked_timestamp": now,
        "conversation_count": len(mine),
        "refused_count": refused,
        "failed_count": len(problems) - refused,
        "message_count": shown,
        "stored_count": shown - missing,
        "missing_count": missing,
    }


@dataclass(frozen=True)
class Seen:
    """A message that the API lists.

    Attributes:
        workspace_id: Its workspace.
        space_id: Its space.
        conversation_id: Its conversation.
        message_id: The message.
        day: The UTC day on which it was asked.
    """

    workspace_id: str
    space_id: str
    conversation_id: str
    message_id: str
    day: dt.date

    @property
    def key(self) -> MessageKey:
        """Which message it is."""
        return MessageKey(self.workspace_id, self.message_id)


def seen_in(conversation: Row, times: Mapping[str, object], days: tuple[dt.date, dt.date]) -> list[Seen]:
    """The messages of a conversation that belong here. Ids that nothing could be asked by are left out.

    Args:
        conversation: Its row of `reconciled_conversations`.
        times: When each message was asked, as the API spells it, by its id. One without a time is as old as its
            conversation.
        days: The first day that can be loaded, and today. Older messages are left out.
    """
    first, today = days
    begun = utc_date(conversation["created_timestamp"])
    found = []
    for message_id, created in times.items():
        day = min(utc_date(epoch_ms(created)) or begun or today, today)
        if is_usable_id(message_id) and day >= first:
            where = (conversation["workspace_id"], conversation["space_id"], conversation["conversation_id"])
            found.append(Seen(*where, message_id, day))
    return found


def missing(seen: Iterable[Seen], accounted: Collection[MessageKey]) -> list[Seen]:
    """Messages of which nothing is known here.

    Args:
        seen: What the API lists.
        accounted: Messages that the audit log has shown, and those of which the last word is stored.
    """
    return [each for each in seen if each.key not in accounted]


def superseded(references: Iterable[Row]) -> list[Row]:
    """References without events of messages that the log has shown since, on another day than theirs.

    Args:
        references: Key and number of events of all references of some messages.
    """
    rows = list(references)
    shown = {MessageKey.of(row) for row in rows if row["event_count"]}
    return [row for row in rows if not row["event_count"] and MessageKey.of(row) in shown]


def entered(message: Seen, workspace: Row | None) -> Row:
    """The row of `genie_messages_to_fetch` under which a message is fetched that the audit log never showed.

    It says of events that there are none, and lies on the day on which the message was asked: once the log shows
    the message there, its row takes this one's place; if it shows it elsewhere, the next walk takes this one out.

    Args:
        message: The message.
        workspace: Name and address of its workspace.
    """
    known = workspace or {}
    return {
        "event_date": message.day,
        "workspace_id": message.workspace_id,
        "workspace_name": known.get("workspace_name"),
        "workspace_url": known.get("workspace_url"),
        "space_id": message.space_id,
        "conversation_id": message.conversation_id,
        "message_id": message.message_id,
        "is_new": False,
        "is_deleted": False,
        "actions": [],
        "event_count": 0,
    }


def is_overdue(reconciled: Row | None, space: Row, now: dt.datetime) -> bool:
    """Whether a space was not walked for too long; a new one has that long until its first walk.

    In a workspace that answers nobody, nobody asks: there is nothing to be found.

    Args:
        reconciled: Its row of `reconciled_spaces`.
        space: Its row of `genie_space_details`.
        now: The time, UTC.
    """
    if reconciled is not None and reconciled["error_class"] == ErrorClass.NOT_RUNNING:
        return False
    since = (reconciled["walked_timestamp"] if reconciled else None) or space["first_seen_timestamp"]
    return since is None or now - since > WALK_ALLOWED
