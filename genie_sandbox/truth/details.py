"""What `message_details` and `message_attachments` must say, worked out from an account's own data."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from genie_sandbox.account import Message
from genie_sandbox.randomness import HOUR
from genie_sandbox.truth.attachments import Body, integer, kind_of, with_queries
from genie_sandbox.truth.audit import Key, Known, moment
from genie_sandbox.truth.looks import Shown, is_settled
from genie_sandbox.truth.messages import api_message


def attachment_rows(
    message: Message, body: Body, known: Known, statements: Mapping[Key, Body]
) -> list[dict[str, Any]]:
    """Expected rows of `message_attachments` of one message."""
    shared = {**api_message(message, body), "created_date": created_date(body, known)}
    rows = []
    for ordinal, (attachment, query) in enumerate(with_queries(body), start=1):
        text = attachment.get("text") or {}
        statement_id = query.get("statement_id")
        run = statements.get((message.workspace_id, statement_id), {}) if statement_id else {}
        rows.append(
            {
                **{name: shared[name] for name in ("workspace_id", "space_id", "conversation_id", "message_id")},
                "created_date": shared["created_date"],
                "attachment_ordinal": ordinal,
                "attachment_id": attachment.get("attachment_id"),
                "attachment_type": kind_of(attachment),
                "attachment_json": _json(attachment),
                "query_sql": query.get("query") or None,
                "query_title": query.get("title"),
                "query_description": query.get("description"),
                "statement_id": statement_id,
                "row_count": query.get("row_count"),
                "text_content": text.get("content"),
                "text_purpose": text.get("purpose"),
                "query_execution_status": run.get("execution_status"),
                "query_duration_ms": _duration(run, "total_duration_ms"),
                "query_read_rows": run.get("read_rows"),
                "query_read_bytes": run.get("read_bytes"),
                "query_error_message": _shown(run.get("error_message")),
            }
        )
    return rows


def created_date(body: Body, known: Known) -> dt.date:
    """The day of a message: when the API says it was asked, else its ask event's, else its earliest event's."""
    created = integer(body.get("created_timestamp"))
    if created is not None:
        return moment(created).date()
    asks = [event for event in known.in_order if event.is_ask]
    return dt.date.fromisoformat((asks or known.in_order)[0].day)


def detail_row(
    message: Message,
    look: Shown,
    *,
    statements: Mapping[Key, Body],
    known: Known,
    names: Mapping[str, Any],
    at: int,
) -> dict[str, Any]:
    """Expected row of `message_details`; `names` are workspace_name, space_name and, if certain, its position."""
    body = look.body
    state = api_message(message, body)
    attachments = body.get("attachments")
    queries = [query for _, query in with_queries(body)]
    last: Body = next((query for query in reversed(queries) if query.get("query")), {})
    ids = {query["statement_id"] for query in queries if query.get("statement_id")}
    statement_id = last.get("statement_id")
    run = statements.get((message.workspace_id, statement_id), {}) if statement_id else {}
    feedback, error = look.latest.get("feedback") or {}, look.error
    return {
        **{name: value for name, value in state.items() if name not in ("last_updated_timestamp", "is_settled")},
        **names,
        "updated_timestamp": integer(look.latest.get("last_updated_timestamp")),
        "status": look.latest.get("status"),
        "created_date": created_date(body, known),
        "content": body.get("content") or look.latest.get("content"),
        "user_id": None if body.get("user_id") is None else str(body["user_id"]),
        "user_email": known.user_email,
        "attachments_count": None if attachments is None else len(attachments),
        "attachments_json": None if attachments is None else _json(attachments),
        "statements_count": None if attachments is None else _own_statements(queries),
        "query_sql": last.get("query"),
        "query_title": last.get("title"),
        "query_description": last.get("description"),
        "statement_id": statement_id,
        "query_row_count": last.get("row_count"),
        "answer_text": _answer_text(attachments or []),
        "response_time_ms": _response_time(look.first_settled),
        "feedback_rating": _rating(feedback.get("rating")),
        "feedback_comment": feedback.get("comment") or None,
        "error_type": error.get("type"),
        "error_message": error.get("error"),
        **_enrichment(message, look, ids, statements, at),
        "is_deleted": False,
        "content_withheld": look.withheld,
        "api_fetch_status": "SUCCESS",
        **_execution(run),
    }


def _execution(run: Body) -> dict[str, Any]:
    waits = [_duration(run, f"waiting_{what}_duration_ms") for what in ("for_compute", "at_capacity")]
    known_waits = [wait for wait in waits if wait is not None]
    return {
        "query_execution_status": run.get("execution_status"),
        "query_duration_ms": _duration(run, "total_duration_ms"),
        "query_start_time": moment(run["start_time"]) if run else None,
        "query_end_time": moment(run["end_time"]) if run else None,
        "query_warehouse_id": run["compute"]["warehouse_id"] if run else None,
        "query_read_rows": run.get("read_rows"),
        "query_read_bytes": run.get("read_bytes"),
        "query_error_message": _shown(run.get("error_message")),
        "query_wait_ms": sum(known_waits) if known_waits else None,
        "query_compile_ms": _duration(run, "compilation_duration_ms"),
        "query_execution_ms": _duration(run, "execution_duration_ms"),
        "query_fetch_ms": _duration(run, "result_fetch_duration_ms"),
        "query_from_cache": run.get("from_result_cache"),
    }


def _own_statements(queries: list[Body]) -> int:
    return sum(1 for query in queries if query.get("statement_id"))


def _answer_text(attachments: list[Body]) -> str | None:
    """What Genie answered in the end: what it wrote between its first query and its last is superseded.

    Only the final summary comes without an id. Old messages do not say what a text is for; where one says that it
    is the answer, the others are not.
    """
    queries = [i for i, one in enumerate(attachments) if (one.get("query") or {}).get("query")]
    first, last = (queries[0], queries[-1]) if queries else (0, 0)
    kept = [one for i, one in enumerate(attachments) if _may_answer(one) and not first < i < last]
    texts = [one["text"] for one in [one for one in kept if not one.get("attachment_id")] or kept]
    marked = [text for text in texts if text.get("purpose")]
    return "\n\n".join(text["content"] for text in marked or texts) or None


def _may_answer(attachment: Body) -> bool:
    text = attachment.get("text") or {}
    purpose = text.get("purpose") or ""
    return bool(text.get("content")) and (purpose.endswith("ANSWER") or not (purpose or text.get("phase")))


def _rating(raw: str | None) -> str | None:
    if raw and raw.upper().endswith(("POSITIVE", "THUMBS_UP")):
        return "POSITIVE"
    if raw and raw.upper().endswith(("NEGATIVE", "THUMBS_DOWN")):
        return "NEGATIVE"
    return None


def _response_time(first_settled: Body | None) -> int | None:
    """How long the answer took: unknown if it was first seen when its result had expired already."""
    if first_settled is None or first_settled.get("status") == "QUERY_RESULT_EXPIRED":
        return None
    created = integer(first_settled.get("created_timestamp"))
    updated = integer(first_settled.get("last_updated_timestamp"))
    if created is None or updated is None or updated < created:
        return None
    return updated - created


def _enrichment(
    message: Message, look: Shown, ids: set[str], statements: Mapping[Key, Body], at: int
) -> dict[str, str]:
    """The status; nothing where it depends on when a message of unknown age was asked, or a new try was seen."""
    if not ids:
        return {"enrichment_status": "NOT_APPLICABLE"}
    if all((message.workspace_id, one) in statements for one in ids):
        return {"enrichment_status": "COMPLETE"}
    created = integer(look.body.get("created_timestamp"))
    if created is None:
        return {}
    if at < created + 72 * HOUR:
        return {"enrichment_status": "PENDING"}
    missing = {one for one in ids if (message.workspace_id, one) not in statements}
    first = next((state.body for state in message.states if is_settled(state.body)), look.body)
    named = {query.get("statement_id") for _, query in with_queries(first)}
    last = max(created, integer(look.latest.get("last_updated_timestamp")) or 0)
    return {"enrichment_status": "EXPIRED"} if missing <= named and at >= last + 72 * HOUR else {}


def _duration(run: Body, name: str) -> int | None:
    value = run.get(name)
    return None if value is None or value < 0 else int(value)


def _shown(text: str | None) -> str | None:
    return None if text == "<REDACTED>" else text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
