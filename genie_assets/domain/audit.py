"""From audit events to message references: which messages were touched on a day, by whom, and how."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pandas as pd

from genie_assets.domain.actions import (
    deletes_conversation,
    deletes_message,
    is_ask,
    may_change,
    may_change_comments,
    plain,
)
from genie_assets.domain.keys import MessageKey, Row
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, records
from genie_assets.domain.workspaces import is_looked_at

_Dated = tuple[dt.datetime, str]  # a value and the time of the event that told it
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass
class _Touched:
    """What the events of one day say about one message, while they are being gathered."""

    workspace_id: str
    message_id: str
    space: _Dated | None = None
    conversation: _Dated | None = None
    first_ask: tuple[dt.datetime, bool, str] | None = None
    first_event_time: dt.datetime | None = None
    last_event_time: dt.datetime | None = None
    last_change_time: dt.datetime | None = None
    last_comment_time: dt.datetime | None = None
    is_deleted: bool = False
    actions: set[str] = field(default_factory=set)
    event_count: int = 0

    @property
    def space_id(self) -> str | None:
        return self.space[1] if self.space else None

    @property
    def conversation_id(self) -> str | None:
        return self.conversation[1] if self.conversation else None

    @property
    def user_email(self) -> str | None:
        return (self.first_ask[2] or None) if self.first_ask else None

    def add(self, event: Any, *, is_refused: bool = False, actor: str | None = None) -> None:
        """Take one group of equal events into account; a refused one changed nothing."""
        first, last = event.first_event_time, event.last_event_time
        self.first_event_time = min(first, self.first_event_time or first)
        self.last_event_time = max(last, self.last_event_time or last)
        self.actions.add(event.action_name)
        self.event_count += int(event.event_count)
        self.take_ids(event.space_id, event.conversation_id, last)
        if is_refused:
            return
        if may_change(event.action_name):
            self.last_change_time = max(last, self.last_change_time or last)
        if may_change_comments(event.action_name):
            self.last_comment_time = max(last, self.last_comment_time or last)
        if is_ask(event.action_name):
            ask = (first, actor is None, actor or "")
            self.first_ask = min(ask, self.first_ask or ask)

    def take_ids(self, space_id: str | None, conversation_id: str | None, at: dt.datetime) -> None:
        """Events may lack an id that others carry; where they differ, the latest is right."""
        self.space = _latest(self.space, at, space_id)
        self.conversation = _latest(self.conversation, at, conversation_id)


def _latest(current: _Dated | None, at: dt.datetime, value: str | None) -> _Dated | None:
    """The later of two values; of two at once the greater one, so that the order of events does not matter."""
    if not value:
        return current
    return max((at, value), current or (at, value))


def _records(frame: pd.DataFrame) -> Iterator[SimpleNamespace]:
    return (SimpleNamespace(**record) for record in records(frame))


# What events without a message are about, as their actions are called: none of them asks a question.
_KNOWN_TO_ASK_NOTHING = (
    *("conversation", "message", "space", "agent", "instruction", "curatedquestion", "samplequestion", "file"),
    *("evaluation", "benchmark", "columnconfig", "query", "sqlexecution"),
)


@dataclass(frozen=True)
class Unnamed:
    """Events of a day that name no message and no conversation, by action: what was asked so cannot be fetched."""

    asked_of_agents: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)  # whatever else may ask something, or surely did


def unnamed_events(events: pd.DataFrame) -> Unnamed:
    """Count what names no message.

    Args:
        events: The day's events in the columns of `sql/audit_message_events.sql`.
    """
    nameless = list(_records(events[events["message_id"].isna()]))
    agents: Counter[str] = Counter()
    unknown = _questions_without_answer(nameless, events)
    for event in nameless:
        if event.is_agents:
            # Where the conversation is named, its steps are listed.
            if event.conversation_id is None:
                agents[event.action_name] += int(event.event_count)
        elif not event.is_refused and may_change(event.action_name) and _is_unknown(event.action_name):
            unknown[event.action_name] += int(event.event_count)
    return Unnamed(dict(agents), dict(unknown))


def _questions_without_answer(nameless: Iterable[SimpleNamespace], events: pd.DataFrame) -> Counter[str]:
    """Questions beyond those whose message is named, by action.

    A message's id stands in the response only. Request and response may be rows of their own, so that of each pair
    one names none; what is more than that lacks its response, and the message is not found by the log.

    Args:
        nameless: The events that name no message: on most days no question is among them, and no other is read.
        events: All of the day.
    """
    missing = _questions(event for event in nameless if not event.is_agents)
    if missing:
        missing -= _questions(_records(events[events["message_id"].notna()]))
    found: Counter[str] = Counter()
    for (_, action_name), count in missing.items():
        found[action_name] += count
    return found


def _questions(events: Iterable[SimpleNamespace]) -> Counter[tuple[str, str]]:
    """How many questions were let through, by workspace and action."""
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        if is_ask(event.action_name) and not event.is_refused:
            found[event.workspace_id, event.action_name] += int(event.event_count)
    return found


def _is_unknown(action_name: str) -> bool:
    return not any(word in plain(action_name) for word in _KNOWN_TO_ASK_NOTHING)


def messages_to_fetch(
    event_date: dt.date,
    events: pd.DataFrame,
    deletions: pd.DataFrame,
    known_messages: pd.DataFrame,
    workspaces: pd.DataFrame,
) -> list[dict[str, Any]]:
    """Rows of `genie_messages_to_fetch` for one UTC day, without their ingestion time.

    Args:
        event_date: The day.
        events: The day's events in the columns of `sql/audit_message_events.sql`.
        deletions: Deletions of the day and later, in the columns of `sql/audit_deletions.sql`.
        known_messages: Messages of the conversations that were deleted on this day, as known from it and earlier
            days, with workspace_id, space_id, conversation_id and message_id. The deletion touches all of them.
        workspaces: workspace_id, workspace_name and workspace_url (normalised), one row each.
    """
    touched: dict[tuple[str, str], _Touched] = {}
    for event in _records(events[events["message_id"].notna()]):
        entry = _entry(touched, event.workspace_id, event.message_id)
        entry.add(event, is_refused=bool(event.is_refused), actor=event.actor)
    gone = list(_records(deletions))
    conversations_deleted: defaultdict[tuple[str, str | None], list[SimpleNamespace]] = defaultdict(list)
    for event in filter(_is_conversation_deletion, gone):
        if event.event_date == event_date:
            conversations_deleted[event.workspace_id, event.conversation_id].append(event)
    for message in _records(known_messages):
        if (message.workspace_id, message.conversation_id) in conversations_deleted:
            entry = _entry(touched, message.workspace_id, message.message_id)
            entry.take_ids(message.space_id, message.conversation_id, _LONG_AGO)
    deleted_messages = _latest_times(e for e in gone if deletes_message(e.action_name))
    deleted_conversations = _latest_times(filter(_is_conversation_deletion, gone))
    for key, entry in touched.items():
        conversation = (entry.workspace_id, entry.conversation_id)
        for event in conversations_deleted.get(conversation, ()):
            entry.add(event)
        times = (deleted_messages.get(key), deleted_conversations.get(conversation))
        # Later evidence wins: what was done with a message after its deletion shows it again.
        entry.is_deleted = any(at is not None and at >= (entry.last_change_time or at) for at in times)
    named = {row.workspace_id: row for row in _records(workspaces)}
    return [_row(event_date, entry, named.get(entry.workspace_id)) for entry in touched.values()]


def forgotten_by_the_log(stored: Iterable[Row], shown: Collection[str], chosen: Collection[str]) -> list[Row]:
    """Stored references of workspaces of which the log shows nothing any more on their day: they stay.

    Databricks drops events after a year, and those of a deleted workspace after two weeks: that is no reason to
    forget them here. What belongs to no workspace that is looked at goes.

    Args:
        stored: The references of a day.
        shown: Workspaces of which the log shows something on it.
        chosen: Workspaces that are looked at; none stands for all.
    """
    return [
        row for row in stored if row["workspace_id"] not in shown and is_looked_at(row["workspace_id"], chosen)
    ]


def not_shown_by_the_log(stored: Iterable[Row], rows: Iterable[Row], chosen: Collection[str]) -> list[Row]:
    """References that reconciliation entered, of which the log shows nothing on their day so far: they stay.

    Args:
        stored: The references of a day.
        rows: Those that it has by now.
        chosen: Workspaces that are looked at; none stands for all.
    """
    shown = {MessageKey.of(row) for row in rows}
    entered = [row for row in stored if not row["event_count"] and MessageKey.of(row) not in shown]
    return [row for row in entered if is_looked_at(row["workspace_id"], chosen)]


def _latest_times(deletions: Iterable[Any]) -> dict[tuple[str, str | None], dt.datetime]:
    """When things were deleted for the last time, by workspace and the id of what the event deletes."""
    times: dict[tuple[str, str | None], dt.datetime] = {}
    for event in deletions:
        deleted = event.message_id if deletes_message(event.action_name) else event.conversation_id
        if deleted is not None:
            key = (event.workspace_id, deleted)
            times[key] = max(event.last_event_time, times.get(key, _LONG_AGO))
    return times


def conversations_deleted_on(event_date: dt.date, deletions: pd.DataFrame) -> list[str]:
    """Conversations that were deleted on exactly this day, by the rows of `sql/audit_deletions.sql`."""
    return sorted(
        {
            event.conversation_id
            for event in filter(_is_conversation_deletion, _records(deletions))
            if event.event_date == event_date
        }
    )


def _is_conversation_deletion(event: Any) -> bool:
    return event.conversation_id is not None and deletes_conversation(event.action_name)


def _entry(touched: dict[tuple[str, str], _Touched], workspace_id: str, message_id: str) -> _Touched:
    return touched.setdefault((workspace_id, message_id), _Touched(workspace_id, message_id))


def _row(event_date: dt.date, entry: _Touched, workspace: Any) -> dict[str, Any]:
    return {
        "event_date": event_date,
        "workspace_id": entry.workspace_id,
        "workspace_name": workspace.workspace_name if workspace else None,
        "workspace_url": workspace.workspace_url if workspace else None,
        "space_id": entry.space_id,
        "conversation_id": entry.conversation_id,
        "message_id": entry.message_id,
        "user_email": entry.user_email,
        "first_event_time": entry.first_event_time,
        "last_event_time": entry.last_event_time,
        "last_change_time": entry.last_change_time,
        "is_new": entry.first_ask is not None,
        "is_deleted": entry.is_deleted,
        "actions": sorted(entry.actions),
        "event_count": entry.event_count,
        "last_comment_time": entry.last_comment_time,
    }


def empty_known_messages() -> pd.DataFrame:
    """A frame of no known messages, for days on which no conversation was deleted."""
    columns: Iterable[str] = ("workspace_id", "space_id", "conversation_id", "message_id")
    return GENIE_MESSAGES_TO_FETCH.frame([])[list(columns)]
