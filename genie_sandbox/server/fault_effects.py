"""What faults do to a request and its answer. Which requests are hit is decided in `faults`."""

import asyncio
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from typing import Any

from genie_sandbox.responses import Answer, error_answer, error_code_of, to_json
from genie_sandbox.server.faults import Plan, Rule
from genie_sandbox.server.refused_tokens import refused_token
from genie_sandbox.server.request import Request
from genie_sandbox.server.state import Conversations

_HTML = "text/html; charset=utf-8"
_PLAIN = "text/plain; charset=utf-8"
_PROXY_TEXT = "upstream connect error or disconnect/reset before headers. reset reason: connection failure"
_DEFAULT_KEEP = 0.5
_DEFAULT_PIECES = 20


async def delay(plan: Plan) -> None:
    """Wait as long as all delays of the plan together say."""
    seconds = 0.0
    for rule in plan.of_kind("delay"):
        jitter = rule.between(0, rule.option("jitter_ms", 0))
        seconds += rule.option("seconds", 0) + (rule.option("latency_ms", 0) + jitter) / 1000
    if seconds:
        await asyncio.sleep(seconds)


def is_dropped(plan: Plan) -> bool:
    """Whether the connection is to be closed without an answer."""
    return plan.has("drop")


def refusal(plan: Plan) -> Answer | None:
    """What is answered instead of the real answer, if a refusal was hit."""
    rule = next(iter(plan.of_kind("refusal")), None)
    if rule is None or rule.effect == "drop":
        return None
    if rule.effect == "non_json":
        return Answer(200, _page(200, "Sign in to your workspace"), _HTML)
    if rule.effect == "token_refused":
        return refused_token(rule.option("body", "code"))
    if rule.effect == "json_not_object":
        return Answer(200, rule.option("json", "[]").encode())
    return _error(rule)


def spoil(plan: Plan, answer: Answer, request: Request, conversations: Conversations) -> Answer:
    """Let all spoilers of the plan have their way with `answer`, which is changed and returned."""
    for rule in plan.of_kind("spoiler"):
        match rule.effect:
            case "truncate":
                answer.body = answer.body[: _kept(rule, answer)]
            case "cut":
                answer.cut_at = _kept(rule, answer)
            case "slow_drip":
                answer.drip_seconds = rule.option("seconds")
                answer.drip_pieces = rule.option("pieces", _DEFAULT_PIECES)
            case "wrong_content_type":
                answer.content_type = rule.option("content_type", _PLAIN)
            case "foreign_message":
                _change_message(answer, partial(_rename, request=request, conversations=conversations))
            case "oversize":
                padding = " " * int(rule.option("megabytes") * 1_000_000)
                _change_message(answer, partial(_pad, padding=padding))
    return answer


def _error(rule: Rule) -> Answer:
    if rule.effect == "rate_limit":
        answer = error_answer(429, "Too many requests. Please wait and try again.")
        answer.headers += _retry_after(rule.option("retry_after", 1))
        return answer
    status = rule.option("status")
    message = rule.option("message")
    match rule.option("body", "json"):
        case "html":
            answer = Answer(status, _page(status, message or "The service is not available"), _HTML)
        case "text":
            answer = Answer(status, (message or _PROXY_TEXT).encode(), _PLAIN)
        case "empty":
            answer = Answer(status, b"")
        case "unparseable":
            answer = Answer(status, b'{"error_code": "' + error_code_of(status).encode() + b'", "mess')
        case _:
            answer = error_answer(status, message or "A fault was injected.", rule.option("error_code"))
    answer.headers += _retry_after(rule.option("retry_after"))
    return answer


def _retry_after(value: Any) -> list[tuple[bytes, bytes]]:
    """A number is sent as seconds, "date" or "date:N" as the HTTP date N (default 1) seconds ahead, text as is."""
    if value is None:
        return []
    text = str(value)
    kind, _, seconds = text.partition(":")
    if kind == "date":
        text = formatdate(time.time() + int(seconds or 1), usegmt=True)
    return [(b"retry-after", text.encode("ascii"))]


def _page(status: int, message: str) -> bytes:
    return f"<html><head><title>{status} {message}</title></head><body>{message}</body></html>".encode()


def _kept(rule: Rule, answer: Answer) -> int:
    return int(len(answer.body) * rule.option("keep", _DEFAULT_KEEP))


def _change_message(answer: Answer, change: Callable[[dict[str, Any]], None]) -> None:
    """Apply `change` to the message that `answer` holds, or to the first one of a list."""
    if answer.status != 200:
        return
    value = json.loads(answer.body)
    messages = value.get("messages", [value])
    if messages:
        change(messages[0])
        answer.body = to_json(value)


def _rename(message: dict[str, Any], request: Request, conversations: Conversations) -> None:
    own = str(message.get("message_id", message.get("id", "")))
    other = conversations.another_id(request.workspace_id, own)
    message.update({name: other for name in ("message_id", "id") if name in message})


def _pad(message: dict[str, Any], padding: str) -> None:
    message["content"] = str(message.get("content") or "") + padding
