"""What the message tables must say, worked out from an account's own data."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from genie_assets.sandbox.account import Account, Message
from genie_assets.sandbox.randomness import HOUR
from genie_assets.sandbox.truth_audit import Key, Known, moment

Body = dict[str, Any]
_SETTLED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "QUERY_RESULT_EXPIRED"})
_TYPES = {"query": "QUERY", "text": "TEXT", "viz": "VIZ", "suggested_questions": "SUGGESTED_QUESTIONS"}


def answers(account: Account, at: int) -> dict[Key, tuple[Message, Body | str]]:
    """For every message what the API answers at `at`: its body, or the class of the error."""
    spaces = {(space.workspace_id, space.space_id): space for space in account.spaces}
    found: dict[Key, tuple[Message, Body | str]] = {}
    for message in account.messages:
        space = spaces[message.workspace_id, message.space_id]
        states = [state for state in message.states if state.at <= at]
        answer: Body | str
        if space.access == "none" or message.access == "none":
            answer = "PERMISSION"
        elif not states or _past(message.deleted_at, at) or _past(space.trashed_at, at):
            answer = "NOT_FOUND"
        else:
            answer = states[-1].body
        found[message.workspace_id, message.message_id] = (message, answer)
    return found


def _past(moment_ms: int | None, at: int) -> bool:
    return moment_ms is not None and moment_ms <= at


def api_message(message: Message, body: Body) -> dict[str, Any]:
    """Expected latest state of a message in `genie_api_messages`."""
    created = int(body["created_timestamp"])
    return {
        "workspace_id": message.workspace_id,
        "space_id": message.space_id,
        "conversation_id": message.conversation_id,
        "message_id": message.message_id,
        "created_timestamp": created,
        "created_date": moment(created).date(),
        "last_updated_timestamp": _integer(body.get("last_updated_timestamp")),
        "status": body.get("status"),
        "is_settled": body.get("status") in _SETTLED,
    }


def latest_statements(account: Account, at: int) -> dict[Key, Body]:
    """Query history as it has arrived by `at`: the newest row of each (workspace_id, statement_id)."""
    newest: dict[Key, Body] = {}
    for arriving in account.query_history:
        row = arriving.row
        key = (row["workspace_id"], row["statement_id"])
        if arriving.arrives_at <= at and (key not in newest or row["update_time"] > newest[key]["update_time"]):
            newest[key] = row
    return newest


def attachment_rows(message: Message, body: Body, statements: Mapping[Key, Body]) -> list[dict[str, Any]]:
    """Expected rows of `message_attachments` of one message."""
    shared = api_message(message, body)
    rows = []
    for ordinal, (attachment, query) in enumerate(_with_queries(body), start=1):
        text = attachment.get("text") or {}
        statement_id = query.get("statement_id")
        run = statements.get((message.workspace_id, statement_id), {}) if statement_id else {}
        rows.append(
            {
                **{name: shared[name] for name in ("workspace_id", "space_id", "conversation_id", "message_id")},
                "created_date": shared["created_date"],
                "attachment_ordinal": ordinal,
                "attachment_id": attachment.get("attachment_id"),
                "attachment_type": next((_TYPES[name] for name in _TYPES if name in attachment), "OTHER"),
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


def _with_queries(body: Body) -> Iterator[tuple[Body, Body]]:
    """Each attachment with its query (or nothing); the last query takes what it lacks from `query_result`."""
    attachments = body.get("attachments") or []
    with_sql = [i for i, one in enumerate(attachments) if (one.get("query") or {}).get("query")]
    legacy = body.get("query_result") or {}
    for position, attachment in enumerate(attachments):
        query = dict(attachment.get("query") or {})
        query["row_count"] = _integer((query.get("query_result_metadata") or {}).get("row_count"))
        if with_sql and position == with_sql[-1]:
            query["statement_id"] = query.get("statement_id") or legacy.get("statement_id")
            if query["row_count"] is None:
                query["row_count"] = _integer(legacy.get("row_count"))
        yield attachment, query


def detail_row(
    message: Message,
    body: Body,
    *,
    statements: Mapping[Key, Body],
    known: Known,
    names: Mapping[str, str | None],
    position: int,
    at: int,
) -> dict[str, Any]:
    """Expected row of `message_details`; `names` are workspace_name and space_name."""
    state = api_message(message, body)
    attachments = body.get("attachments")
    queries = [query for _, query in _with_queries(body)]
    last: Body = next((query for query in reversed(queries) if query.get("query")), {})
    ids = {query["statement_id"] for query in queries if query.get("statement_id")}
    statement_id = last.get("statement_id")
    run = statements.get((message.workspace_id, statement_id), {}) if statement_id else {}
    feedback, error = body.get("feedback") or {}, body.get("error") or {}
    return {
        **{name: value for name, value in state.items() if name not in ("last_updated_timestamp", "is_settled")},
        **names,
        "updated_timestamp": state["last_updated_timestamp"],
        "content": body.get("content"),
        "user_id": None if body.get("user_id") is None else str(body["user_id"]),
        "user_email": known.user_email,
        "conversation_position": position,
        "attachments_count": None if attachments is None else len(attachments),
        "attachments_json": None if attachments is None else _json(attachments),
        "statements_count": None if attachments is None else _own_statements(queries),
        "query_sql": last.get("query"),
        "query_title": last.get("title"),
        "query_description": last.get("description"),
        "statement_id": statement_id,
        "query_row_count": last.get("row_count"),
        "answer_text": _answer_text(attachments or []),
        "response_time_ms": _response_time(state),
        "feedback_rating": _rating(feedback.get("rating")),
        "feedback_comment": feedback.get("comment") or None,
        "error_type": error.get("type"),
        "error_message": error.get("error"),
        "enrichment_status": _enrichment(message, ids, statements, state["created_timestamp"], at),
        "is_deleted": False,
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
    texts = [one["text"] for one in attachments if one.get("text")]
    parts = [text["content"] for text in texts if (text.get("purpose") or "").endswith("ANSWER")]
    return "\n\n".join(parts) if parts else None


def _rating(raw: str | None) -> str | None:
    if raw and raw.upper().endswith(("POSITIVE", "THUMBS_UP")):
        return "POSITIVE"
    if raw and raw.upper().endswith(("NEGATIVE", "THUMBS_DOWN")):
        return "NEGATIVE"
    return None


def _response_time(state: Mapping[str, Any]) -> int | None:
    if not state["is_settled"] or state["last_updated_timestamp"] is None:
        return None
    duration = int(state["last_updated_timestamp"] - state["created_timestamp"])
    return duration if duration >= 0 else None


def _enrichment(message: Message, ids: set[str], statements: Mapping[Key, Body], created: int, at: int) -> str:
    if not ids:
        return "NOT_APPLICABLE"
    if all((message.workspace_id, one) in statements for one in ids):
        return "COMPLETE"
    return "PENDING" if at < created + 72 * HOUR else "EXPIRED"


def _duration(run: Body, name: str) -> int | None:
    value = run.get(name)
    return None if value is None or value < 0 else int(value)


def _shown(text: str | None) -> str | None:
    return None if text == "<REDACTED>" else text


def _integer(value: Any) -> int | None:
    return None if value is None else int(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
