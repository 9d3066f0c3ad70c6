"""Attachments as the API shows them, and which statement belongs to which query."""

from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]

_TYPES = {"query": "QUERY", "text": "TEXT", "viz": "VIZ", "suggested_questions": "SUGGESTED_QUESTIONS"}


def kind_of(attachment: Body) -> str:
    """The kind of an attachment, as the tables spell it."""
    return next((_TYPES[name] for name in _TYPES if name in attachment), "OTHER")


def integer(value: Any) -> int | None:
    """A number that JSON may hold as text."""
    return None if value is None else int(value)


def with_queries(body: Body) -> Iterator[tuple[Body, Body]]:
    """Each attachment with its query (or nothing).

    The last query with SQL takes what it lacks from the deprecated `query_result`, unless that is another's.
    """
    attachments = body.get("attachments") or []
    with_sql = [i for i, one in enumerate(attachments) if (one.get("query") or {}).get("query")]
    legacy = body.get("query_result") or {}
    owners = {
        i for i, one in enumerate(attachments) if _statement_id(one) and _statement_id(one) == _id_of(legacy)
    }
    heir = next(iter(owners), with_sql[-1] if with_sql else None)
    for position, attachment in enumerate(attachments):
        query = dict(attachment.get("query") or {})
        query["row_count"] = integer((query.get("query_result_metadata") or {}).get("row_count"))
        if position == heir:
            query["statement_id"] = query.get("statement_id") or legacy.get("statement_id")
            if query["row_count"] is None and query["statement_id"] == legacy.get("statement_id"):
                query["row_count"] = integer(legacy.get("row_count"))
        yield attachment, query


def _statement_id(attachment: Body) -> str | None:
    return _id_of(attachment.get("query") or {})


def _id_of(query: Body) -> str | None:
    return query.get("statement_id")
