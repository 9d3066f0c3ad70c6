"""A generated account, and what is looked up in it."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from genie_sandbox.account import Account

ANCHOR = dt.datetime(2026, 8, 20, 14, 30, tzinfo=dt.UTC)


HOUR = 3_600_000


DAY = 24 * HOUR


ASKS = {"createConversationMessage", "genieCreateConversationMessage", "genieStartConversationMessage"}


def bodies_of(account: Account) -> list[dict[str, Any]]:
    return [message.states[-1].body for message in account.messages]


def attachments_of(account: Account) -> Iterator[dict[str, Any]]:
    for body in bodies_of(account):
        yield from body.get("attachments") or []


def statement_ids_of(body: dict[str, Any]) -> set[str]:
    queries = [one.get("query", {}) for one in body.get("attachments") or []]
    return {one["statement_id"] for one in [*queries, body.get("query_result", {})] if "statement_id" in one}


def ids_of(row: dict[str, Any], snake: str, camel: str) -> Any:
    try:
        result = json.loads(row["response"]["result"] or "{}")
    except ValueError:
        result = {}
    result = result if isinstance(result, dict) else {}
    params = row["request_params"]
    return params.get(snake) or params.get(camel) or result.get(snake) or result.get(camel)


def message_id_of(row: dict[str, Any]) -> Any:
    return ids_of(row, "message_id", "messageId")
