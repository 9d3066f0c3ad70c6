"""Accounts for measuring: many small plain messages, nothing special, made quickly."""

import datetime as dt
import json
import random

from genie_sandbox.account import Account, MessageState
from genie_sandbox.collector import collector_paused
from genie_sandbox.made_up.audit_rows import AuditLog
from genie_sandbox.made_up.drafts import Draft, Statement
from genie_sandbox.made_up.generator import account_of
from genie_sandbox.made_up.history_rows import QueryHistory
from genie_sandbox.made_up.questions import first_question
from genie_sandbox.made_up.timetable import Plan, window
from genie_sandbox.made_up.world import build_world
from genie_sandbox.randomness import SECOND, dashed_id, genie_id, stream


@collector_paused()
def generate_uniform(
    *,
    seed: int,
    anchor: dt.datetime,
    conversations: int,
    messages_per_conversation: int,
    days: int = 1,
    workspaces: int = 1,
    with_statements: bool = True,
) -> Account:
    """An account of `conversations` x `messages_per_conversation` small messages, evenly spread over the time.

    Every message is asked once by a person, has one query attachment and, if `with_statements`, one row in query
    history. All rows have arrived by the anchor.

    Args:
        seed: another seed gives another account.
        anchor: "now" of the account, with a time zone.
        conversations: how many conversations.
        messages_per_conversation: how many messages each of them has.
        days: UTC days with activity; the last one is the anchor's.
        workspaces: how many workspaces, 1 to 5.
        with_statements: whether the messages' statements are in query history.

    Raises:
        ValueError: the anchor has no time zone, or there is less than an hour of time.
    """
    period = window(anchor, days)
    world = build_world(seed, workspaces=workspaces)
    rng = stream(seed, "uniform")
    audit = AuditLog(stream(seed, "audit"), world, period.anchor, repeats=0.0)
    history = QueryHistory(stream(seed, "history"), world, period.anchor, repeats=0.0)
    step = (period.last - period.first) / max(1, conversations)
    length = min(step, (period.last - period.first) / 4, messages_per_conversation * 60 * SECOND)
    drafts: list[Draft] = []
    for number in range(conversations):
        room = world.rooms[number % len(world.rooms)]
        start = period.first + number * step
        times = tuple(
            int(start + position * length / messages_per_conversation)
            for position in range(messages_per_conversation)
        )
        plan = Plan(room, world.people[number % len(world.people)], times)
        drafts.extend(_conversation(rng, plan, audit))
    if with_statements:
        for draft in drafts:
            plan = draft.plan
            history.add(draft.statements[0], plan.room.workspace_id, plan.person, plan.room.space.space_id)
    notes: dict[str, object] = {"seed": seed, "messages": len(drafts), "uniform": True}
    return account_of(world, period, drafts, audit.rows, history.rows, notes)


def _conversation(rng: random.Random, plan: Plan, audit: AuditLog) -> list[Draft]:
    """The answered messages of a conversation; each is the same question."""
    question, conversation_id, person = first_question(plan.room.business, rng), genie_id(rng), plan.person
    sql, drafts = question.sql(), []
    for position, created in enumerate(plan.times, start=1):
        draft = Draft(plan, conversation_id, genie_id(rng), position, created, question)
        statement = Statement(dashed_id(rng), sql, created + 1500, 800 + rng.randrange(2000), 5)
        query = {"query": sql, "title": question.title, "statement_id": statement.statement_id}
        body = {
            **draft.ids,
            "content": question.text,
            "user_id": person.user_id,
            "created_timestamp": created,
            "last_updated_timestamp": statement.end + 300,
            "status": "COMPLETED",
            "attachments": [{"attachment_id": genie_id(rng), "query": query}],
        }
        draft.states = [MessageState(created, body)]
        draft.statements = [statement]
        params = {"space_id": plan.room.space.space_id, "conversation_id": conversation_id}
        result = json.dumps({"message_id": draft.message_id})
        workspace_id = plan.room.workspace_id
        audit.add(created + 500, workspace_id, person, "createConversationMessage", params, result=result)
        drafts.append(draft)
    return drafts
