"""What an HTTP answer says: a JSON object, nothing but that it worked, or an error.

A status alone is believed nowhere: a portal or a proxy answers 200 to everything. And of an error only what has
Databricks' shape is quoted: any other body may be a stranger's page, or hold what a user asked.
"""

import datetime as dt
import json
import math
import re
from http.client import responses
from typing import Any, NoReturn

from genie_assets.domain.outcomes import KNOWN_CODES, ErrorClass, FetchError, classify_status
from genie_assets.gateways.databricks.exchange import HttpAnswer
from genie_assets.gateways.databricks.retries import TRANSIENT_STATUSES, CallError, retry_after_seconds
from genie_assets.gateways.scrubbing import one_line, scrub

# Parsed, every value takes some seventy bytes, of which an answer need send two. A page of messages has thousands.
MOST_VALUES = 500_000

# Possessive: nothing is remembered for going back, however long a string is.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_CODED_TEXT = re.compile(r"\s*([A-Z][A-Z_]{3,}): ")
_OAUTH_ERROR = re.compile(r"[a-z_]{3,40}")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,80}")
# A token that has run out may come back as 403: it is our login that is refused, not the message.
# Not every word about a token says so: one may lack a scope, and a page of a list has its token, too.
_OF_THE_TOKEN = re.compile(
    r"\b(invalid|expired|revoked) (oauth |bearer |personal )?(access )?token\b"
    r"|(?<!page )\btoken (is |was |has |has been )?(already )?(expired|expiring|invalid|revoked|not valid)\b",
    re.IGNORECASE,
)
# The workspace's network rules refuse where we come from: every request fails so, and no grant helps.
_OF_THE_NETWORK = re.compile(r"\bblocked by Databricks IP ACL\b|\bunauthorized network access\b", re.IGNORECASE)
_QUOTED_CHARACTERS = 300
# So says a host of many workspaces that was not told which one is meant: the address is wrong, not the message.
_OF_THE_ADDRESS = "Unable to load OAuth Config"

# Databricks says with these words that the same call may work in a moment, whatever the status.
_PASSING = (
    "RPC token bucket limit has been exceeded",
    "Please try again later or try a faster operation.",
    "Unexpected error",
)


def json_object(answer: HttpAnswer, *, most_values: int = MOST_VALUES) -> dict[str, Any]:
    """The body of a good answer, which must be a JSON object.

    A number that no float can hold (1e400) or that has thousands of digits is kept as its own text: nothing is
    invented, what is stored of it is JSON, and the rest of the answer is not lost for it. Of a key that stands
    twice the last value counts.

    Args:
        answer: The answer.
        most_values: How many values it may hold.

    Raises:
        CallError: BAD_PAYLOAD if it is no object; transient if it is no JSON at all, which a cut-off body looks
            like. TOO_BIG if it holds more values.
    """
    if has_more_values(answer.body, most_values):
        text = f"The answer holds more than {most_values:,} values."
        raise CallError(FetchError(ErrorClass.TOO_BIG, text, answer.status))
    try:
        body = _parsed(answer.body)
    except (ValueError, RecursionError):
        text = f"The answer is not JSON: {_described(answer)}."
        failed = CallError(FetchError(ErrorClass.BAD_PAYLOAD, text, answer.status), transient=True)
    else:
        if isinstance(body, dict):
            return body
        text = "The answer is JSON, but not an object."
        failed = CallError(FetchError(ErrorClass.BAD_PAYLOAD, text, answer.status))
    raise failed


def check_empty(answer: HttpAnswer) -> None:
    """See that a good answer to what brings nothing back is what Databricks sends: nothing, or an empty object.

    Raises:
        CallError: BAD_PAYLOAD, transient, if it says anything else.
    """
    if answer.body.strip() not in (b"", b"{}"):
        text = (
            f"Where nothing should come back, something did: {_described(answer)}. Is it Databricks that answers?"
        )
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, text, answer.status), transient=True)


def answer_error(answer: HttpAnswer, now: dt.datetime, *secrets: str) -> CallError:
    """The failure that an answer other than a good one stands for.

    Args:
        answer: The answer; its body may be any of the shapes that Databricks and proxies send.
        now: When it came, UTC.
        secrets: What the request carried; a proxy may have echoed it.
    """
    status, body = answer.status, answer.body.decode("utf-8-sig", errors="replace")
    code, message = _code_and_message(body, status)
    said = body if message is None else message
    shown = _described(answer) if message is None else one_line(scrub(message, *secrets), _QUOTED_CHARACTERS)
    if 200 <= status < 300:
        # Nothing failed at the server, and what was asked for did not come either.
        error_class = ErrorClass.BAD_PAYLOAD
    elif 300 <= status < 400:
        # Followed, it would end at a login page or at a host that must not see the token.
        error_class, shown = ErrorClass.CONFIG, "The address redirects elsewhere; redirects are not followed."
    elif status == 403 and _OF_THE_TOKEN.search(said):
        error_class = ErrorClass.AUTH
    elif status == 403 and _OF_THE_NETWORK.search(said):
        error_class = ErrorClass.CONFIG
        shown += " (the workspace's IP access list or network policy must let in the address from which this runs)"
    elif status == 400 and _OF_THE_ADDRESS in said:
        error_class = ErrorClass.CONFIG
        shown += " (if it is a host of many workspaces, write its address as https://host/?o=<workspace id>)"
    else:
        error_class = classify_status(status, code)
    passing = any(mark in said for mark in _PASSING)
    if passing and error_class is ErrorClass.BAD_REFERENCE:
        error_class = ErrorClass.RATE_LIMITED if "token bucket" in said else ErrorClass.SERVER
    code = scrub(code, *secrets) if code else None
    text = f"{status} {code or responses.get(status, '')}: {shown}".rstrip(": ")
    retry_after = retry_after_seconds(answer.headers.get("Retry-After"), now)
    transient = passing or status in TRANSIENT_STATUSES or error_class is ErrorClass.RATE_LIMITED
    return CallError(FetchError(error_class, text, status, code, retry_after), transient=transient)


def _code_and_message(text: str, status: int) -> tuple[str | None, str | None]:
    """Databricks' code and words; the words are None where the body is not in a shape of Databricks'."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        coded = _CODED_TEXT.match(text)
        return (coded[1], text[coded.end() :]) if coded and coded[1] in KNOWN_CODES else (None, None)
    if not isinstance(body, dict):
        return None, None
    code = body.get("error_code") or body.get("errorCode")
    if isinstance(code, str | int) and _CODE.fullmatch(str(code)):
        return str(code), _text(body.get("message"))
    if body.get("detail") and str(body.get("status")) == str(status):  # SCIM
        return None, _text(body["detail"])
    error, description = body.get("error"), body.get("error_description")  # OAuth
    if isinstance(error, str) and _OAUTH_ERROR.fullmatch(error) and description:
        return None, f"{error}: {_text(description)}"
    return None, None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _described(answer: HttpAnswer) -> str:
    """What a body is, without a word of it."""
    if not answer.body and answer.is_whole:
        return "it is empty"
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    kind = media_type if _MEDIA_TYPE.fullmatch(media_type) else "no known type"
    return f"{len(answer.body):,} bytes of {kind}" if answer.is_whole else f"more {kind} than is read of an error"


def has_more_values(body: bytes, most: int) -> bool:
    """Whether a JSON text holds more values than that, keys counted as values of their own.

    Marks inside of texts are no values: only where there are many is it worth to look which ones are.
    """
    if _marks(body, 0, len(body)) + body.count(b'"') <= most:
        return False
    count = end = 0
    for string in _STRING.finditer(body):
        count += 1 + _marks(body, end, string.start())
        if count > most:
            return True
        end = string.end()
    return count + _marks(body, end, len(body)) > most


def _marks(body: bytes, start: int, end: int) -> int:
    return sum(body.count(mark, start, end) for mark in (b",", b"[", b"{"))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse_constant, parse_float=_fraction)
    except ValueError:
        # Python reads some thousands of digits, and no more. Looking at every number takes its time.
        return json.loads(body, parse_constant=_refuse_constant, parse_float=_fraction, parse_int=_whole_number)


def _refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity are not JSON; stored as such, nothing else could read the row again."""
    raise ValueError(name)


def _fraction(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _whole_number(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text
