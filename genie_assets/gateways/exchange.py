"""One HTTP request and its answer, with every way to fail told apart and nothing secret in the failure.

The SDK's `api_client.do` is not used for this: it hides the status and all headers, follows redirects, sleeps for
as long as a `Retry-After` says, and writes the bearer token into its exception when it cannot parse an error.
"""

import datetime as dt
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from typing import Any, NoReturn

import requests
import urllib3

from genie_assets.domain.outcomes import ErrorClass, FetchError, classify_status
from genie_assets.gateways.retries import TRANSIENT_STATUSES, CallError, retry_after_seconds
from genie_assets.gateways.scrubbing import scrub, scrub_exception

_CHUNK_BYTES = 64 * 1024
_SLOWEST_ANSWER = 4  # an answer that trickles in may take so many read timeouts
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_CODE = re.compile(r"\s*([A-Z][A-Z_]{3,}): ")
_SHOWN_CHARACTERS = 300

# Databricks says with these words that the same call may work in a moment, whatever the status.
_PASSING = (
    "RPC token bucket limit has been exceeded",
    "Please try again later or try a faster operation.",
    "Unexpected error",
)


@dataclass(frozen=True)
class HttpAnswer:
    """What a server answered: any status, whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    timeout: tuple[float, float],
    secrets: tuple[str, ...] = (),
    **options: Any,
) -> HttpAnswer:
    """Send one request and read its whole answer. Redirects are not followed.

    Args:
        session: Carries the connections.
        method: HTTP method.
        url: Whole URL.
        timeout: Seconds to wait for a connection, and for the next bytes.
        secrets: What the request carries and no message may show.
        options: More arguments of `requests.Session.request`.

    Raises:
        CallError: TIMEOUT or NETWORK, always transient.
    """
    latest = time.monotonic() + timeout[0] + _SLOWEST_ANSWER * timeout[1]
    try:
        with session.request(
            method, url, timeout=timeout, allow_redirects=False, stream=True, **options
        ) as response:
            chunks = []
            # read1 brings what is there; iter_content would wait for a whole chunk, however slowly it trickles in.
            while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                chunks.append(chunk)
                if time.monotonic() > latest:
                    raise requests.ReadTimeout("the answer did not end in time")
            return HttpAnswer(response.status_code, response.headers, b"".join(chunks))
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        failed = _connection_error(error, secrets)
    # Raised here, so that no exception that knows the request's headers hangs on to it.
    raise failed


def _connection_error(error: Exception, secrets: tuple[str, ...]) -> CallError:
    slow = isinstance(error, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError)
    # A read timeout in the middle of a body comes as a ConnectionError that wraps it.
    slow = slow or "Read timed out" in str(error)
    error_class = ErrorClass.TIMEOUT if slow else ErrorClass.NETWORK
    return CallError(FetchError(error_class, scrub_exception(error, *secrets)), transient=True)


def json_object(answer: HttpAnswer) -> dict[str, Any]:
    """The body of a good answer, which must be a JSON object.

    Raises:
        CallError: BAD_PAYLOAD if it is not; transient if it is no JSON at all, which a cut-off body looks like.
    """
    try:
        body = json.loads(answer.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        text = f"The answer of {len(answer.body)} bytes is not JSON."
        failed = CallError(FetchError(ErrorClass.BAD_PAYLOAD, text, answer.status), transient=True)
    else:
        if isinstance(body, dict):
            return body
        text = "The answer is JSON, but not an object."
        failed = CallError(FetchError(ErrorClass.BAD_PAYLOAD, text, answer.status))
    raise failed


def _refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity are not JSON; stored as such, nothing else could read the row again."""
    raise ValueError(name)


def answer_error(answer: HttpAnswer, now: dt.datetime, *secrets: str) -> CallError:
    """The failure that an answer other than 200 stands for.

    Args:
        answer: The answer; its body may be any of the shapes that Databricks and proxies send.
        now: When it came, UTC.
        secrets: What the request carried; a proxy may have echoed it.
    """
    code, message = _code_and_message(answer)
    status = answer.status
    if 300 <= status < 400:
        # Followed, it would end at a login page or at a host that must not see the token.
        error_class, message = ErrorClass.CONFIG, "The address redirects elsewhere; redirects are not followed."
    else:
        error_class = classify_status(status, code)
    passing = any(mark in message for mark in _PASSING)
    if passing and error_class is ErrorClass.BAD_REFERENCE:
        error_class = ErrorClass.RATE_LIMITED if "token bucket" in message else ErrorClass.SERVER
    text = scrub(f"{status} {code or responses.get(status, '')}: {message}".rstrip(": "), *secrets)
    retry_after = retry_after_seconds(answer.headers.get("Retry-After"), now)
    error = FetchError(error_class, text, status, scrub(code, *secrets) if code else None, retry_after)
    transient = passing or status in TRANSIENT_STATUSES or error_class is ErrorClass.RATE_LIMITED
    return CallError(error, transient=transient)


def _code_and_message(answer: HttpAnswer) -> tuple[str | None, str]:
    text = answer.body.decode("utf-8", errors="replace")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        match = _CODE.match(text)
        return (match[1] if match else None), _short(_TAGS.sub(" ", text[match.end() if match else 0 :]))
    if not isinstance(body, dict):
        return None, _short(text)
    code = body.get("error_code") or body.get("errorCode")
    message = body.get("message") or body.get("detail") or body.get("error_description") or body.get("error")
    return (code if isinstance(code, str) else None), _short(message if isinstance(message, str) else "")


def _short(text: str) -> str:
    return " ".join(scrub(text).split())[:_SHOWN_CHARACTERS]
