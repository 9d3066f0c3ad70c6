"""Makes up a believable Databricks account with Genie activity. The same arguments give the same account."""

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import replace

from genie_sandbox.account import Account, ArrivingRow
from genie_sandbox.collector import collector_paused
from genie_sandbox.made_up.afterlife import Afterlife, live_on
from genie_sandbox.made_up.agents import Agents
from genie_sandbox.made_up.answers import SHARES, answer
from genie_sandbox.made_up.audit_rows import AuditLog, iso_date
from genie_sandbox.made_up.comments import Commentators
from genie_sandbox.made_up.companions import tagged
from genie_sandbox.made_up.drafts import Draft
from genie_sandbox.made_up.evaluations import evaluated
from genie_sandbox.made_up.history_rows import QueryHistory
from genie_sandbox.made_up.hostile import HOSTILE_CONVERSATION_ID, HOSTILE_MESSAGE_IDS
from genie_sandbox.made_up.noise import Noise
from genie_sandbox.made_up.questions import first_question, next_question
from genie_sandbox.made_up.timetable import Plan, Window, plan_conversations, window
from genie_sandbox.made_up.world import World, build_world, silent_workspaces
from genie_sandbox.randomness import HOUR, MINUTE, genie_id, stream

_PLAIN_ROLES = frozenset({"plain", "long", "midnight"})


@collector_paused()
def generate(
    *,
    seed: int,
    anchor: dt.datetime,
    days: int = 30,
    messages: int = 3000,
    late: float = 0.01,
    unlisted_workspaces: int = 0,
) -> Account:
    """A whole account: workspaces, spaces, messages over time, audit log and query history.

    The last two of its workspaces do not run.

    Args:
        seed: another seed gives another account.
        anchor: "now" of the account, with a time zone. Everything happens before it.
        days: UTC days with activity; the last one is the anchor's.
        messages: about how many messages are asked.
        late: share of the messages whose audit rows arrive only in the 20 hours after the anchor.
        unlisted_workspaces: how many of the workspaces are missing from `workspaces_latest`.

    Raises:
        ValueError: the anchor has no time zone, or there is less than an hour of time.
    """
    period = window(anchor, days)
    world = build_world(seed, unlisted_workspaces=unlisted_workspaces)
    plans = plan_conversations(stream(seed, "plans"), world, period, messages, late)
    conversations = [_drafts(stream(seed, f"conversation {i}"), plan) for i, plan in enumerate(plans)]
    _choose_kinds(stream(seed, "kinds"), conversations, messages)

    audit = AuditLog(stream(seed, "audit"), world, period.anchor)
    history = QueryHistory(stream(seed, "history"), world, period.anchor)
    afterlife = Afterlife(stream(seed, "afterlife"), world, audit, period.anchor)
    drafts = [draft for conversation in conversations for draft in conversation]
    _ask_and_answer(stream(seed, "answers"), drafts, audit, afterlife)
    happened = live_on(afterlife, stream(seed, "happenings"), conversations, messages)
    world = _end_special_conversations(stream(seed, "endings"), world, period, conversations, audit, afterlife)
    for draft in drafts:
        history.add_all(draft)
    Noise(stream(seed, "noise"), world, period, audit, history).fill(drafts, messages)
    asides = AuditLog(stream(seed, "asides"), world, period.anchor)
    commentators = Commentators(stream(seed, "comments"), asides, period.anchor)
    for draft in drafts:
        commentators.write(draft)
    agents = Agents(stream(seed, "agents"), asides, period.anchor).some_of(conversations)
    notes = {"seed": seed, "messages": messages, "days": days, "late": late, "special": _special(drafts, happened)}
    account = account_of(world, period, drafts, [*audit.rows, *asides.rows], history.rows, notes)
    places = (*account.workspaces, *silent_workspaces(seed))
    spaces = evaluated(stream(seed, "evaluations"), account.spaces, period.anchor)
    spaces = tagged(stream(seed, "tags"), spaces)
    return replace(account, agents=agents, workspaces=places, spaces=spaces)


def account_of(
    world: World,
    period: Window,
    drafts: Iterable[Draft],
    audit: list[ArrivingRow],
    history: list[ArrivingRow],
    notes: dict[str, object],
) -> Account:
    """The account of these parts, rows in the order of their arrival."""
    spaces = (*world.rooms, world.forbidden, world.trashed)
    return Account(
        account_id=world.account_id,
        anchor=period.anchor,
        first_day=iso_date(period.first),
        last_day=iso_date(period.anchor),
        warehouse_id=world.warehouse_id,
        principal=world.principal,
        workspaces=world.workspaces,
        spaces=tuple(room.space for room in spaces),
        messages=tuple(draft.message() for draft in drafts),
        audit=tuple(sorted(audit, key=lambda one: (one.arrives_at, one.row["event_id"]))),
        query_history=tuple(sorted(history, key=lambda one: (one.arrives_at, one.row["statement_id"]))),
        notes=notes,
    )


def _drafts(rng: random.Random, plan: Plan) -> list[Draft]:
    """The messages of a conversation, without answers yet."""
    hostile = plan.role == "hostile_ids"
    conversation_id = HOSTILE_CONVERSATION_ID if hostile else genie_id(rng)
    question, drafts = first_question(plan.room.business, rng), []
    for position, created in enumerate(plan.times, start=1):
        message_id = HOSTILE_MESSAGE_IDS[position - 1] if hostile else genie_id(rng)
        drafts.append(Draft(plan, conversation_id, message_id, position, created, question))
        question = next_question(question, rng)
    if plan.role == "running":
        drafts[-1].kind = "running"
    if plan.role == "late_alone":
        drafts[0].late = "all"
    if plan.role == "late_tail":
        drafts[1].late, drafts[-1].late = "ask", "all"
    return drafts


def _choose_kinds(rng: random.Random, conversations: list[list[Draft]], messages: int) -> None:
    """Spread the kinds of answers that are not plain over the ordinary conversations."""
    ordinary = [draft for one in conversations if one[0].plan.role in _PLAIN_ROLES for draft in one]
    rng.shuffle(ordinary)
    for kind, share in SHARES.items():
        for variant in range(min(len(ordinary), max(1, round(share * messages)))):
            draft = ordinary.pop()
            draft.kind, draft.variant = kind, variant


def _ask_and_answer(rng: random.Random, drafts: list[Draft], audit: AuditLog, afterlife: Afterlife) -> None:
    for draft in drafts:
        person, ids = draft.plan.person, draft.ids
        if draft.position == 1 and not person.by_api:
            params = {"space_id": ids["space_id"]}
            result = f'{{"conversation_id": "{genie_id(rng)}"}}'
            workspace_id = draft.plan.room.workspace_id
            audit.add(draft.created, workspace_id, person, "createConversation", params, result=result)
        audit.ask(draft.created + rng.randrange(400, 1500), draft)
        answer(rng, draft)
        if draft.kind == "running":
            audit.touch(draft.created + rng.randrange(3000, 9000), draft, person, "getConversationMessage")
        else:
            afterlife.poll(draft)


def _end_special_conversations(
    rng: random.Random,
    world: World,
    period: Window,
    conversations: list[list[Draft]],
    audit: AuditLog,
    afterlife: Afterlife,
) -> World:
    """Deletions that arrive late, and the space that is emptied and trashed; returns the world after it."""
    emptied = []
    for conversation in conversations:
        role, last = conversation[0].plan.role, max(draft.last_event for draft in conversation)
        if role == "late_delete":
            at = rng.randint(last + MINUTE, max(last + 2 * MINUTE, period.anchor - 2 * MINUTE))
            afterlife.delete(conversation[0], at=at, late=True)
            afterlife.delete(conversation[1], at=at, late=True)
        if role == "trashed":
            at = min(last + rng.randint(20 * MINUTE, 30 * MINUTE), period.anchor - 3 * MINUTE)
            afterlife.delete_conversation(conversation, at=at)
            emptied.append(at)
    gone = min(max(emptied) + 5 * HOUR, period.anchor - MINUTE)
    room = world.trashed
    params = {"space_id": room.space.space_id}
    audit.add(gone, room.workspace_id, world.people[1], "trashSpace", params)
    return replace(world, trashed=replace(room, space=replace(room.space, trashed_at=gone)))


def _special(drafts: list[Draft], happened: dict[str, list[Draft]]) -> dict[str, list[str]]:
    """Message ids of everything that is special, by what it is."""
    special: dict[str, list[str]] = {}
    for draft in drafts:
        names = (draft.kind, draft.plan.role, f"late_{draft.late}" if draft.late else "plain")
        for name in sorted(set(names) - {"plain", "long"}):
            special.setdefault(name, []).append(draft.message_id)
    for name, some in happened.items():
        special[name] = [draft.message_id for draft in some]
    return special
