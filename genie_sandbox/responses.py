"""What the sandbox answers: one small value for a whole HTTP response, and errors in Databricks' JSON shape."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

JSON = "application/json"

_CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "ABORTED",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass(slots=True)
class Answer:
    """A response before it is sent. `cut_at`, `drip_seconds` and `drip_pieces` say how its body is sent."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    cut_at: int | None = None  # bytes of the body after which the connection is closed
    drip_seconds: float = 0.0
    drip_pieces: int = 1


class ApiError(Exception):
    """A request that is refused; `answer` is what the caller gets to see."""

    def __init__(self, status: int, message: str, error_code: str | None = None) -> None:
        super().__init__(message)
        self.answer = error_answer(status, message, error_code)


def to_json(value: Any) -> bytes:
    """`value` as compact ASCII JSON, so that lone surrogates stay escaped instead of breaking the encoding."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def json_answer(value: Any, status: int = 200) -> Answer:
    """`value` as a JSON response."""
    return Answer(status, to_json(value))


def error_code_of(status: int) -> str:
    """The `error_code` that Databricks usually sends with an HTTP status."""
    return _CODES.get(status, "UNKNOWN")


def error_answer(status: int, message: str, error_code: str | None = None) -> Answer:
    """A refusal in the shape of Databricks' API 2.x, details included."""
    code = error_code or error_code_of(status)
    error_info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": code,
        "domain": "dashboards.databricks.com",
        "metadata": {},
    }
    request_info = {
        "@type": "type.googleapis.com/google.rpc.RequestInfo",
        "request_id": str(uuid4()),
        "serving_data": "",
    }
    return json_answer({"error_code": code, "message": message, "details": [error_info, request_info]}, status)


def endpoint_not_found(method: str, path: str) -> Answer:
    """The refusal of a path or verb that no API has."""
    return error_answer(404, f"No API found for '{method} {path}'", "ENDPOINT_NOT_FOUND")


def list_answer(name: str, rows: list[dict[str, Any]], token: str | None) -> Answer:
    """One page of a list. Databricks leaves out what is empty."""
    return json_answer(({name: rows} if rows else {}) | ({"next_page_token": token} if token else {}))
