"""What the audit log of an account proves about messages, worked out from the account's own data."""

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from genie_assets.sandbox.account import Account

Key = tuple[str, str]  # workspace_id, message_id
_READ = re.compile(r"(genie)?(get|list|summarize|generatedownload)", re.IGNORECASE)
_ASKS = frozenset({"createConversationMessage", "genieCreateConversationMessage", "genieStartConversationMessage"})


@dataclass(frozen=True)
class Event:
    """An audit event that is about a message, or the deletion of a conversation (no message id)."""

    time: int
    day: str
    action: str
    actor: str | None
    done: bool  # not refused
    workspace_id: str
    space_id: str | None
    conversation_id: str | None
    message_id: str | None

    @property
    def is_ask(self) -> bool:
        """A question was taken."""
        return self.done and self.action in _ASKS

    @property
    def is_change(self) -> bool:
        """The message may have changed."""
        return self.done and not _READ.match(self.action)


@dataclass
class Known:
    """What the log shows of one message."""

    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))  # by day
    deleted_on: list[str] = field(default_factory=list)

    @cached_property
    def in_order(self) -> list[Event]:
        """All its events, earliest first."""
        return sorted((event for day in self.events.values() for event in day), key=lambda event: event.time)

    def newest(self, name: str) -> str | None:
        """The id called `name` as the latest event with one has it."""
        return newest_id(self.in_order, name)

    @property
    def user_email(self) -> str | None:
        """Who asked first, as far as an ask event shows it."""
        return next((event.actor for event in self.in_order if event.is_ask), None)

    def is_deleted(self, day: str) -> bool:
        """It was deleted on `day` or later."""
        return any(deleted >= day for deleted in self.deleted_on)

    @property
    def is_known_deleted(self) -> bool:
        """It was deleted on one of its days or later."""
        return any(self.is_deleted(day) for day in self.events)


def newest_id(events: list[Event], name: str) -> str | None:
    """The id called `name` of the latest of `events`, which are in order, that has one."""
    return next((getattr(event, name) for event in reversed(events) if getattr(event, name) is not None), None)


def known_messages(account: Account, at: int) -> dict[Key, Known]:
    """Every message that the rows which have arrived by `at` (ms) prove."""
    known: dict[Key, Known] = defaultdict(Known)
    deletions = []
    for event in _events(account, at):
        if event.message_id is None:
            deletions.append(event)
            continue
        one = known[event.workspace_id, event.message_id]
        one.events[event.day].append(event)
        if event.done and event.action == "deleteConversationMessage":
            one.deleted_on.append(event.day)
    _delete_conversations(known, deletions)
    return dict(known)


def _delete_conversations(known: dict[Key, Known], deletions: list[Event]) -> None:
    """A deleted conversation touches each of its messages that were known by the end of that day."""
    members: dict[tuple[str, str], list[Known]] = defaultdict(list)
    for (workspace_id, _), one in known.items():
        conversations = {event.conversation_id for day in one.events.values() for event in day}
        for conversation_id in conversations - {None}:
            members[workspace_id, str(conversation_id)].append(one)
    first_days = {id(one): min(one.events) for one in known.values()}
    for event in deletions:
        for one in members[event.workspace_id, str(event.conversation_id)]:
            one.deleted_on.append(event.day)
            if first_days[id(one)] <= event.day:
                one.events[event.day].append(event)


def _events(account: Account, at: int) -> list[Event]:
    """Events about messages and deleted conversations, each once."""
    seen: set[str] = set()
    events = []
    for arriving in account.audit:
        row = arriving.row
        if arriving.arrives_at > at or row["service_name"] != "aibiGenie" or row["event_id"] in seen:
            continue
        seen.add(row["event_id"])
        event = _event(row, account.principal.application_id)
        if event is not None:
            events.append(event)
    return events


def _event(row: Mapping[str, Any], ourselves: str) -> Event | None:
    """The row as an event; None if it proves nothing or is our own."""
    actor = row["user_identity"]["email"] or row["user_identity"]["subject_name"]
    status = row["response"]["status_code"]
    if status in (400, 404) or (actor or "").lower() == ourselves.lower():
        return None
    params, result = row["request_params"], _result(row["response"]["result"])
    message_id = _id(params, result, "message_id", "messageId")
    conversation_id = _id(params, result, "conversation_id", "conversationId")
    done = status is None or status < 400
    deletes_conversation = row["action_name"] == "deleteConversation" and done and conversation_id is not None
    if message_id is None and not deletes_conversation:
        return None
    return Event(
        time=row["event_time"],
        day=row["event_date"],
        action=row["action_name"],
        actor=actor,
        done=done,
        workspace_id=row["workspace_id"],
        space_id=_id(params, result, "space_id", "spaceId"),
        conversation_id=conversation_id,
        message_id=message_id,
    )


def _result(text: str | None) -> Mapping[str, Any]:
    try:
        result = json.loads(text or "{}")
    except ValueError:
        return {}
    return result if isinstance(result, dict) else {}


def _id(params: Mapping[str, Any], result: Mapping[str, Any], snake: str, camel: str) -> str | None:
    for source in (params, result):
        for name in (snake, camel):
            if source.get(name) is not None:
                return str(source[name])
    return None


def messages_to_fetch(
    account: Account, known: Mapping[Key, Known], urls: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Expected rows of `genie_messages_to_fetch`, all days."""
    names = {place.workspace_id: place.name for place in account.workspaces if place.listed}
    rows = []
    for (workspace_id, message_id), one in known.items():
        for day, events in one.events.items():
            events = sorted(events, key=lambda event: event.time)
            changes = [event.time for event in events if event.is_change]
            rows.append(
                {
                    "event_date": dt.date.fromisoformat(day),
                    "workspace_id": workspace_id,
                    "workspace_name": names.get(workspace_id),
                    "workspace_url": urls.get(workspace_id) if workspace_id in names else None,
                    "space_id": newest_id(events, "space_id"),
                    "conversation_id": newest_id(events, "conversation_id"),
                    "message_id": message_id,
                    "user_email": next((event.actor for event in events if event.is_ask), None),
                    "first_event_time": moment(events[0].time),
                    "last_event_time": moment(events[-1].time),
                    "last_change_time": moment(changes[-1]) if changes else None,
                    "is_new": any(event.is_ask for event in events),
                    "is_deleted": one.is_deleted(day),
                    "actions": sorted({event.action for event in events}),
                    "event_count": len(events),
                }
            )
    return rows


def moment(ms: int) -> dt.datetime:
    """Epoch milliseconds as a UTC datetime, exactly."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)
