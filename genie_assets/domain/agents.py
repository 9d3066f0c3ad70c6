"""Conversations with agents: which there are, whose steps are to be listed, and what a list says of each step.

That a conversation is in agent mode only the events that name an agent say, and the lists of reconciliation. One
that is known stays known.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from genie_assets.domain.actions import may_change
from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.keys import ConversationKey, Row, SpaceKey
from genie_assets.domain.ledger import ENDED_ROWS
from genie_assets.domain.messages import as_json, as_text, content_hash, epoch_ms, id_text
from genie_assets.domain.questions import Exists, Filter, IsNull, Not, Rows
from genie_assets.domain.requests import Answer, ItemsOfConversation
from genie_assets.domain.tables import AGENT_CONVERSATION_LOOKS, AGENT_CONVERSATIONS, AGENT_FETCH_ERRORS
from genie_assets.domain.whole_lists import ListLook
from genie_assets.domain.workspaces import is_looked_at

AGENT_MODE = "GENIE_CONVERSATION_TYPE_AGENT"
"""What lists of conversations call the type of one with an agent."""

RESPONSE_TAKES = dt.timedelta(minutes=45)
"""The server ends a response after thirty minutes; and two clocks differ."""

_CONVERSATION = ConversationKey._fields


def _not_listed_since(column: str) -> tuple[Filter, ...]:
    listed = Exists(Rows(AGENT_CONVERSATION_LOOKS), _CONVERSATION, since=("event_time", column))
    ended = Exists(Rows(AGENT_FETCH_ERRORS, ENDED_ROWS), _CONVERSATION, since=("error_timestamp", column))
    return Not([listed]), Not([ended])


TO_LIST: tuple[Filter, ...] = _not_listed_since("last_event_time")
"""Rows of `agent_conversations` that may have steps that were not listed."""

TOUCHED_SINCE: tuple[Filter, ...] = (
    Exists(Rows(AGENT_CONVERSATIONS), _CONVERSATION),
    Not([IsNull("last_change_time")]),
    *_not_listed_since("last_change_time"),
)
"""References of messages of such conversations that tell the same: turns with an agent are messages, too."""

OF_A_CONVERSATION = ("workspace_id", "workspace_url", "space_id", "conversation_id")


def agent_conversations(events: Iterable[Mapping[str, Any]], urls: Mapping[str, str | None]) -> list[Row]:
    """Rows of `agent_conversations` that a day's events show, without their ingestion time.

    Args:
        events: Rows of `sql/audit_message_events.sql`.
        urls: Addresses by workspace_id.
    """
    found: dict[ConversationKey, Row] = {}
    for event in events:
        agent_id, conversation_id = event.get("agent_id"), event["conversation_id"]
        if agent_id and conversation_id and not event["is_refused"] and may_change(event["action_name"]):
            key = ConversationKey(event["workspace_id"], conversation_id)
            row = {
                **key._asdict(),
                "workspace_url": urls.get(key.workspace_id),
                "space_id": agent_id,
                "first_event_time": event["first_event_time"],
                "last_event_time": event["last_event_time"],
            }
            found[key] = merged(row, found.get(key))
    return list(found.values())


def listed_conversations(space: SpaceKey, url: str | None, answers: Mapping[str, Answer]) -> list[Row]:
    """The same of those that the list of a space's conversations shows to be with its agent.

    Args:
        space: The space.
        url: The address of its workspace.
        answers: What the list says of each conversation, by its id.
    """
    ids = {"workspace_id": space.workspace_id, "workspace_url": url, "space_id": space.space_id}
    never = dict.fromkeys(_TIMES)
    return [
        {**ids, "conversation_id": conversation_id, **never}
        for conversation_id, answer in answers.items()
        if answer.body.get("agent_type") == AGENT_MODE
    ]


def merged(row: Row, other: Row | None) -> Row:
    """What two rows of one conversation say together, whichever came first."""
    if other is None:
        return row
    latest = max(row, other, key=_lateness)
    firsts, lasts = ([each[name] for each in (row, other) if each[name]] for name in _TIMES)
    url = latest["workspace_url"] or row["workspace_url"] or other["workspace_url"]
    return {
        **latest,
        "workspace_url": url,
        "first_event_time": min(firsts, default=None),
        "last_event_time": max(lasts, default=None),
    }


_TIMES = ("first_event_time", "last_event_time")


def _lateness(row: Row) -> tuple[bool, Any, str]:
    at = row["last_event_time"]
    return (at is not None, at or 0, row["space_id"] or "")


def new_conversations(rows: Iterable[Row], stored: Iterable[Row]) -> list[Row]:
    """Of these rows, together with what is stored, those that say something new."""
    known = {ConversationKey.of(row): row for row in stored}
    together = (
        (merged(row, known.get(ConversationKey.of(row))), known.get(ConversationKey.of(row))) for row in rows
    )
    return [row for row, before in together if before is None or any(row[name] != before[name] for name in row)]


def requests_for(
    conversations: Iterable[Row], touched: Iterable[Row], chosen: Collection[str]
) -> list[ItemsOfConversation]:
    """What is asked, one of each conversation, for its latest event.

    Args:
        conversations: Rows of `agent_conversations` that meet `TO_LIST`.
        touched: References that meet `TOUCHED_SINCE`.
        chosen: Workspaces that are looked at; none stands for all.
    """
    found: dict[ConversationKey, Row] = {}
    for row in (*conversations, *_as_conversations(touched)):
        usable = all(map(is_usable_id, (row["space_id"], row["conversation_id"])))
        if usable and is_looked_at(row["workspace_id"], chosen):
            found[ConversationKey.of(row)] = merged(row, found.get(ConversationKey.of(row)))
    return [
        ItemsOfConversation(
            row["workspace_id"],
            row["workspace_url"],
            row["space_id"],
            row["conversation_id"],
            row["last_event_time"],
        )
        for _, row in sorted(found.items())
    ]


def _as_conversations(references: Iterable[Row]) -> Iterator[Row]:
    for row in references:
        ids = {name: row[name] for name in OF_A_CONVERSATION}
        yield {**ids, "first_event_time": row["last_change_time"], "last_event_time": row["last_change_time"]}


def items_look(request: ItemsOfConversation, answer: Answer) -> ListLook:
    """A look at the steps of a conversation. A response that may not have ended is looked at once more."""
    ended = answer.requested_at - RESPONSE_TAKES
    asked_for = request.asked_for
    bodies = {item_id_of(body): body for body in answer.body["data"]}
    return ListLook(
        ids={name: getattr(request, name) for name in ("workspace_id", "space_id", "conversation_id")},
        event={"event_time": None if asked_for is None else min(asked_for, ended)},
        children={
            item_id: _said(body, ordinal) for ordinal, (item_id, body) in enumerate(bodies.items(), start=1)
        },
        at=answer.requested_at,
    )


def item_id_of(body: Mapping[str, Any]) -> str:
    """The id of a step; where the API names none, a hash of the whole."""
    return as_text(body.get("id")) or content_hash(body)


def _said(body: Mapping[str, Any], ordinal: int) -> Row:
    return {
        "item_ordinal": ordinal,
        "item_type": as_text(body.get("type")),
        "item_role": as_text(body.get("role")),
        "item_status": as_text(body.get("status")),
        "response_id": id_text(body.get("response_id")),
        "call_id": id_text(body.get("call_id")),
        "function_name": as_text(body.get("name")),
        "query_sql": _sql(body.get("arguments")),
        "text_content": _text(body),
        "created_timestamp": epoch_ms(body.get("created_timestamp")) or epoch_ms(body.get("created_at")),
        "raw_json": as_json(body),
    }


def _text(body: Mapping[str, Any]) -> str | None:
    """What a step says: a text, or parts that have one each."""
    for name in ("content", "summary", "output", "text"):
        value = body.get(name)
        parts = value if isinstance(value, list) else [value]
        texts = [as_text(part.get("text") if isinstance(part, Mapping) else part) for part in parts]
        if any(texts):
            return "\n".join(text for text in texts if text)
    return None


def _sql(arguments: Any) -> str | None:
    """The SQL among the arguments of a call, which are JSON in a text."""
    try:
        told = json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return None
    if not isinstance(told, Mapping):
        return None
    return next((text for name in ("sql", "query", "statement") if (text := as_text(told.get(name)))), None)
