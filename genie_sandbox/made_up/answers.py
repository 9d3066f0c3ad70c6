"""Genie's answers: the ordinary one and every special kind."""

import random
from collections.abc import Callable
from typing import Any

from genie_sandbox.account import MessageState
from genie_sandbox.made_up.attachments import AttachmentMaker
from genie_sandbox.made_up.drafts import Draft
from genie_sandbox.made_up.hostile import HOSTILE_TEXTS, LONE_SURROGATE
from genie_sandbox.made_up.questions import next_question

Body = dict[str, Any]
_RUNNING = (
    "SUBMITTED",
    "FILTERING_CONTEXT",
    "FETCHING_METADATA",
    "ASKING_AI",
    "PENDING_WAREHOUSE",
    "EXECUTING_QUERY",
)
_FAILURES = (
    ("SQL_EXECUTION_EXCEPTION", "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012"),
    (
        "SQL_EXECUTION_EXCEPTION",
        "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column cannot be resolved. SQLSTATE: 42703",
    ),
    ("RATE_LIMIT_EXCEEDED_GENERIC_EXCEPTION", "Too many questions at the moment. Try again later."),
    ("CONTEXT_EXCEEDED_EXCEPTION", "The conversation is too long."),
    ("NO_TABLES_TO_QUERY_EXCEPTION", "You have no access to the tables of this space."),
    ("WAREHOUSE_ACCESS_MISSING_EXCEPTION", "You may not use the warehouse of this space."),
    ("REPLY_PROCESS_TIMEOUT_EXCEPTION", "The answer took too long."),
    ("BUDGET_EXCEEDED_EXCEPTION", "The budget of this month is used up."),
    ("SOME_FUTURE_EXCEPTION", "Something new went wrong."),
)


def answer(rng: random.Random, draft: Draft) -> None:
    """Give `draft` its states and statements, according to its kind."""
    base = _base(rng, draft)
    if draft.kind == "running":
        draft.states = [MessageState(draft.created, {**base, "status": "EXECUTING_QUERY"})]
        return
    draft.states = [MessageState(draft.created, {**base, "status": rng.choice(_RUNNING)})]
    maker = AttachmentMaker(rng, draft, draft.created)
    body = {**base, "status": "COMPLETED"}
    _KINDS[draft.kind](rng, draft, maker, body)
    updated = maker.clock + int(rng.uniform(200, 2500))
    if draft.kind != "missing_fields":
        body["last_updated_timestamp"] = updated
    if draft.kind == "int64_strings":
        _numbers_as_text(body)
    if draft.kind == "expired":
        draft.states.append(MessageState(updated, body))
        draft.change(updated + int(rng.uniform(20, 90)), status="QUERY_RESULT_EXPIRED")
        return
    draft.states.append(MessageState(updated, body))


def answer_again(rng: random.Random, draft: Draft, at: int) -> None:
    """A regenerated answer to the same question, asked for at `at`."""
    draft.change(at, status="ASKING_AI", attachments=[])
    maker = AttachmentMaker(rng, draft, at)
    attachments = [
        maker.query(draft.question),
        maker.text("Here is another attempt. " + draft.question.answer(rng)),
    ]
    updated = maker.clock + int(rng.uniform(200, 2500))
    draft.change(updated, status="COMPLETED", attachments=attachments, last_updated_timestamp=updated)


def _base(rng: random.Random, draft: Draft) -> Body:
    body: Body = {
        **draft.ids,
        "content": draft.question.text,
        "user_id": draft.plan.person.user_id,
        "created_timestamp": draft.created,
        "last_updated_timestamp": draft.created,
    }
    if rng.random() < 0.7:
        body["id"] = draft.message_id
    return body


def _plain(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    body["attachments"] = [maker.query(draft.question)]
    if rng.random() < 0.6:
        body["attachments"].append(maker.text(draft.question.answer(rng)))


def _failed(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    kind, message = _FAILURES[draft.variant % len(_FAILURES)]
    body["status"] = "FAILED"
    body["error"] = {"type": kind, "error": message}
    if kind == "SQL_EXECUTION_EXCEPTION":
        body["attachments"] = [maker.query(draft.question, status="FAILED", error=message)]
    elif rng.random() < 0.5:
        body["attachments"] = [maker.suggestions(draft.question)]


def _cancelled(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    body["status"] = "CANCELLED"
    if rng.random() < 0.5:
        body["attachments"] = [maker.query(draft.question, status="CANCELED", error="Canceled by the user.")]
    if rng.random() < 0.5:
        body["error"] = {"type": "MESSAGE_CANCELLED_WHILE_EXECUTING_EXCEPTION", "error": "Cancelled."}


def _text_only(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    business = draft.question.business
    body["attachments"] = [maker.text(f"This space knows {business.fact_table} and {business.lookup_table}.")]
    if rng.random() < 0.3:
        body["attachments"].append(maker.text("Ask me about any of their columns.", "ANSWER"))


def _follow_up(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    purpose = rng.choice(("FOLLOW_UP_QUESTION", "TEXT_ATTACHMENT_PURPOSE_FOLLOW_UP_QUESTION"))
    content = f"Do you mean the {draft.question.dimension.label} of the order or of the customer?"
    body["attachments"] = [maker.text(content, purpose), maker.suggestions(draft.question)]


def _viz(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    _plain(rng, draft, maker, body)
    body["attachments"].append(maker.viz(body["attachments"][0], draft.question.title))


def _suggested(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    _plain(rng, draft, maker, body)
    body["attachments"].append(maker.suggestions(draft.question))


def _multi_query(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    question, attachments = draft.question, []
    for step in range(rng.randint(2, 4)):
        attachments.append(maker.thinking(f"Step {step + 1}: {question.title}"))
        attachments.append(maker.query(question))
        question = next_question(question, rng)
    body["attachments"] = [*attachments, maker.text(draft.question.answer(rng))]


def _thinking(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    checked = maker.text(
        draft.question.answer(rng),
        phase="RESPONSE_PHASE_VERIFYING",
        verification_metadata={"index": 0, "section": "summary"},
    )
    body["attachments"] = [maker.thinking("I look for the right table."), maker.query(draft.question), checked]


def _rich(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    query = maker.query(draft.question, parameterised=rng.random() < 0.7, thoughts=True)
    body["attachments"] = [query, maker.text(draft.question.answer(rng))]


def _withheld(_rng: random.Random, draft: Draft, maker: AttachmentMaker, _body: Body) -> None:
    maker.run(draft.question.sql(), 3)  # it ran; the answer is not shown to us


def _null_attachments(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    _withheld(rng, draft, maker, body)
    body["attachments"] = None


def _empty_attachments(_rng: random.Random, _draft: Draft, _maker: AttachmentMaker, body: Body) -> None:
    body["attachments"] = []


def _unknown_attachment(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    _plain(rng, draft, maker, body)
    body["attachments"].insert(0, maker.unknown())


def _unknown_status(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    _plain(rng, draft, maker, body)
    body["status"] = "AWAITING_APPROVAL"


def _missing_fields(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    _plain(rng, draft, maker, body)
    for name in ("last_updated_timestamp", "user_id", "id"):
        body.pop(name, None)
    query = body["attachments"][0]["query"]
    for name in ("title", "description", "query_result_metadata"):
        query.pop(name)
    del body["attachments"][0]["attachment_id"]


def _legacy(_rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    statement = maker.run(draft.question.sql(), 5)
    body["id"] = body.pop("message_id")
    body["query_result"] = {"statement_id": statement.statement_id, "row_count": 5, "is_truncated": False}
    body["attachments"] = [
        {"query": {"id": draft.message_id, "description": draft.question.description, "query": statement.text}}
    ]


def _query_without_sql(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    _plain(rng, draft, maker, body)
    last = maker.query(draft.question)
    for name in ("query", "statement_id", "query_result_metadata"):
        last["query"].pop(name)
    draft.statements.pop()
    body["attachments"].append(last)


def _hostile(_rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    text = HOSTILE_TEXTS[draft.variant % len(HOSTILE_TEXTS)]
    body["content"] = text
    query = maker.query(draft.question)
    query["query"]["title"] = text
    body["attachments"] = [query, maker.text(f"You asked: {text}")]


def _lone_surrogate(_rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    body["content"] = LONE_SURROGATE
    body["attachments"] = [maker.query(draft.question), maker.text(f"Cut emoji: {LONE_SURROGATE}")]


def _huge(rng: random.Random, draft: Draft, maker: AttachmentMaker, body: Body) -> None:
    line = draft.question.answer(rng) + "\n"
    body["attachments"] = [maker.query(draft.question), maker.text(line * (200_000 // len(line) + 1))]


def _numbers_as_text(body: Body) -> None:
    for name in ("created_timestamp", "last_updated_timestamp", "user_id"):
        body[name] = str(body[name])
    for attachment in body["attachments"]:
        metadata = attachment.get("query", {}).get("query_result_metadata")
        if metadata:
            metadata["row_count"] = str(metadata["row_count"])


_KINDS: dict[str, Callable[[random.Random, Draft, AttachmentMaker, Body], None]] = {
    "plain": _plain,
    "int64_strings": _plain,
    "expired": _plain,
    "failed": _failed,
    "cancelled": _cancelled,
    "text_only": _text_only,
    "follow_up": _follow_up,
    "viz": _viz,
    "suggested": _suggested,
    "multi_query": _multi_query,
    "thinking": _thinking,
    "rich": _rich,
    "withheld": _withheld,
    "null_attachments": _null_attachments,
    "empty_attachments": _empty_attachments,
    "unknown_attachment": _unknown_attachment,
    "unknown_status": _unknown_status,
    "missing_fields": _missing_fields,
    "legacy": _legacy,
    "query_without_sql": _query_without_sql,
    "hostile": _hostile,
    "lone_surrogate": _lone_surrogate,
    "huge": _huge,
}

# Share of all messages of each kind that is not plain. Each of them occurs at least once in an account.
SHARES: dict[str, float] = {
    "failed": 0.035,
    "cancelled": 0.012,
    "expired": 0.015,
    "text_only": 0.05,
    "follow_up": 0.025,
    "viz": 0.05,
    "suggested": 0.05,
    "multi_query": 0.04,
    "thinking": 0.02,
    "rich": 0.04,
    "int64_strings": 0.03,
    "withheld": 0.004,
    "null_attachments": 0.002,
    "empty_attachments": 0.002,
    "unknown_attachment": 0.004,
    "unknown_status": 0.001,
    "missing_fields": 0.005,
    "legacy": 0.004,
    "query_without_sql": 0.004,
    "hostile": 0.006,
    "lone_surrogate": 0.001,
    "huge": 0.0005,
}
