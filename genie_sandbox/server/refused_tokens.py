"""How Databricks says 403 of a token that has run out, in the four ways that people have seen."""

from genie_sandbox.responses import Answer, error_answer, json_answer

_WORDS = "Invalid access token."
BODIES = ("code", "page", "expiring", "text")
"""Names of the four: JSON with the code "403", an HTML page, PERMISSION_DENIED, and plain text."""


def refused_token(body: str) -> Answer:
    """The 403 with one of `BODIES`."""
    match body:
        case "page":
            page = (
                f"<html><head><title>Error 403 {_WORDS}</title></head><body><h2>HTTP ERROR 403</h2></body></html>"
            )
            return Answer(403, page.encode(), "text/html;charset=iso-8859-1")
        case "expiring":
            return error_answer(403, "Token is expiring within 30 seconds", "PERMISSION_DENIED")
        case "text":
            return Answer(403, b"Invalid Token", "text/plain; charset=utf-8")
    return json_answer({"error_code": "403", "message": _WORDS}, 403)
