"""What the audit log of an account proves about messages, worked out from the account's own data."""

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from genie_sandbox.account import Account

Key = tuple[str, str]  # workspace_id, message_id
_READ = re.compile(r"(genie)?(get|list|summarize|generatedownload)", re.IGNORECASE)
_DELETIONS = frozenset({"deleteConversationMessage", "deleteConversation"})
_AGENT_IDS = ("agent_id", "response_id")
NO_WORKSPACE = "0"
"""What rows of the account itself have in place of a workspace's id."""
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

    @property
    def is_comment(self) -> bool:
        """The comments on the message may have changed."""
        return self.is_change and "comment" in self.action.lower()


@dataclass
class Known:
    """What the log shows of one message."""

    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))  # by day
    deletions: list[Event] = field(default_factory=list)

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

    def has_returned(self, day: str) -> bool:
        """It was deleted on `day` or later, and something was done with it since: later evidence wins."""
        return any(one.day >= day for one in self.deletions) and not self.is_deleted(day)

    def is_deleted(self, day: str) -> bool:
        """It was deleted on `day` or later, and nothing was done with it since."""
        return any(one.day >= day and not self._is_outdated(one) for one in self.deletions)

    @property
    def is_known_deleted(self) -> bool:
        """It was deleted on one of its days or later, and nothing was done with it since."""
        return any(self.is_deleted(day) for day in self.events)

    def _is_outdated(self, deletion: Event) -> bool:
        return any(one.done and one.message_id and one.time > deletion.time for one in self._other_events)

    @cached_property
    def _other_events(self) -> list[Event]:
        return [one for one in self.in_order if one.action not in _DELETIONS]


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
            one.deletions.append(event)
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
            one.deletions.append(event)
            if first_days[id(one)] <= event.day:
                one.events[event.day].append(event)


def _events(account: Account, at: int) -> list[Event]:
    """Events about messages and deleted conversations, each once."""
    events = (_event(row, account.principal.application_id) for row in genie_rows(account, at))
    return [event for event in events if event is not None]


def genie_rows(account: Account, at: int) -> Iterator[Mapping[str, Any]]:
    """Rows of Genie in workspaces that have arrived by `at`, each once."""
    seen: set[str] = set()
    for arriving in account.audit:
        row = arriving.row
        is_genie = row["service_name"] == "aibiGenie" and row["workspace_id"] != NO_WORKSPACE
        if arriving.arrives_at <= at and is_genie and row["event_id"] not in seen:
            seen.add(row["event_id"])
            yield row


def unnamed_asks(account: Account, at: int) -> dict[tuple[str, str], int]:
    """How many events of agents name no message and no conversation, by day and action: they lead nowhere."""
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for row in genie_rows(account, at):
        params, result = row["request_params"], _result(row["response"]["result"])
        is_agents = any(params.get(name) or result.get(name) for name in _AGENT_IDS)
        names = (("message_id", "messageId"), ("conversation_id", "conversationId"))
        if is_agents and all(_id(params, result, *each) is None for each in names):
            counted[row["event_date"], row["action_name"]] += 1
    return dict(counted)


def agents_named(account: Account, at: int) -> set[tuple[str, str]]:
    """Conversations, by workspace, that an event which changed something names together with an agent."""
    found = set()
    for row in genie_rows(account, at):
        params, result = row["request_params"], _result(row["response"]["result"])
        conversation_id = _id(params, result, "conversation_id", "conversationId")
        is_done = (row["response"]["status_code"] or 200) < 400 and not _READ.match(row["action_name"])
        if is_done and conversation_id and any(params.get(name) or result.get(name) for name in _AGENT_IDS):
            found.add((row["workspace_id"], conversation_id))
    return found


def _event(row: Mapping[str, Any], ourselves: str) -> Event | None:
    """The row as an event; None if it proves nothing. What we ask and change is usage, only our reads are not."""
    actor = row["user_identity"]["email"] or row["user_identity"]["subject_name"]
    status = row["response"]["status_code"]
    is_our_read = (actor or "").lower() == ourselves.lower() and _READ.match(row["action_name"])
    if status in (400, 404) or is_our_read:
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
    places = _places(account, urls)
    unlisted = {"workspace_name": None, "workspace_url": None}
    rows = []
    for (workspace_id, message_id), one in known.items():
        for day, events in one.events.items():
            events = sorted(events, key=lambda event: event.time)
            changes = [event.time for event in events if event.is_change]
            comments = [event.time for event in events if event.is_comment]
            rows.append(
                {
                    "event_date": dt.date.fromisoformat(day),
                    "workspace_id": workspace_id,
                    **places.get(workspace_id, unlisted),
                    "space_id": newest_id(events, "space_id"),
                    "conversation_id": newest_id(events, "conversation_id"),
                    "message_id": message_id,
                    "user_email": next((event.actor for event in events if event.is_ask), None),
                    "first_event_time": moment(events[0].time),
                    "last_event_time": moment(events[-1].time),
                    "last_change_time": moment(changes[-1]) if changes else None,
                    "is_new": any(event.is_ask for event in events),
                    **({} if one.has_returned(day) else {"is_deleted": one.is_deleted(day)}),
                    "actions": sorted({event.action for event in events}),
                    "event_count": len(events),
                    "last_comment_time": moment(comments[-1]) if comments else None,
                }
            )
    return rows


def _places(account: Account, urls: Mapping[str, str]) -> dict[str, dict[str, str | None]]:
    """Name and address of each listed workspace by its id; where one that does not run would be is not certain."""
    places: dict[str, dict[str, str | None]] = {}
    for place in account.workspaces:
        if place.listed:
            address = {"workspace_url": urls.get(place.workspace_id)} if place.is_running else {}
            places[place.workspace_id] = {"workspace_name": place.name, **address}
    return places


def moment(ms: int) -> dt.datetime:
    """Epoch milliseconds as a UTC datetime, exactly."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)
