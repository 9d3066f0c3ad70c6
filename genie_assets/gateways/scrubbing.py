"""Taking secrets out of text before it is logged, stored or shown."""

import base64
import binascii
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

LONGEST_TEXT = 2_000
REMOVED = "[removed]"
_SHORTEST_SECRET = 6  # anything shorter is no secret, and removing it would eat ordinary words

_KEYS = (
    r"(?:access|refresh|id)_?token|client_?secret|client_?assertion|password|passwd|api_?key|"
    r"databricks_token|token_value|assertion|x-databricks-[a-z-]*token"
)
_VALUE = rf"""\\?"(?:[^"\\]|\\[^"])*\\?"|'[^']*'|(?:{re.escape(REMOVED)}|[^\s"'&,;}}\]])+"""
# What each of them calls `secret` is removed.
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # The value of an Authorization header, quoted or not, with its scheme or without.
        r"""authorization\\?["']?\s*[:=]\s*\\?["']?"""
        r"""(?P<secret>(?:(?:basic|bearer|digest|negotiate|token)\s+)?[^\s"'\\,;}]+)""",
        r"\bbearer\s+(?=[^\s\"']*[0-9]|[^\s\"']{20})(?P<secret>[a-z0-9._~+/=-]{6,})",
        rf"""(?:{_KEYS})\\?["']?\s*[:=]\s*(?P<secret>{_VALUE})""",
        # A user and password inside a URL, then its query: presigned links carry their right in it.
        r"\b[a-z][a-z0-9+.-]*://(?P<secret>[^\s/?#@\"'<>]+)@",
        r"\bhttps?://[^\s?#\"'<>]+\?(?P<secret>[^\s\"'<>]*)",
        r"\b(?:(?:x-amz|x-goog|x-ms)-[a-z0-9-]+|sig|signature|awsaccesskeyid|googleaccessid)=(?P<secret>[^&\s\"'<>]+)",
        # Databricks' personal tokens and OAuth secrets, and JSON web tokens, wherever they stand.
        r"(?P<secret>(?:dapi|dose|dkea|dsapi)[0-9a-f]{12,}(?:-[0-9]+)?)",
        r"(?P<secret>eyJ[a-z0-9_-]{8,}(?:\.[a-z0-9_-]*)*)",
    )
)
_BASIC = re.compile(r"\bbasic\s+(?P<secret>[a-z0-9+/_-]{6,}={0,2})", re.IGNORECASE)

_lock = threading.Lock()
_registered: frozenset[str] = frozenset()


def register_secret(value: str) -> None:
    """Remember a secret; `scrub` removes it from now on, as it is and as URLs and JSON spell it."""
    global _registered
    with _lock:
        _registered |= _spellings(value)


@contextmanager
def secrets_of_one_user() -> Iterator[None]:
    """What is registered within is forgotten afterwards: for a process that works for one user after another."""
    global _registered
    before = _registered
    try:
        yield
    finally:
        with _lock:
            _registered = before


def scrub(text: str, *secrets: str) -> str:
    """`text` without anything that lets someone in, cut to 2,000 characters afterwards.

    Removed are: values of Authorization headers, bearer and basic credentials, Databricks tokens and secrets,
    JSON web tokens, the values of keys such as `access_token` and `client_secret` in JSON and forms, users and
    queries of URLs, registered secrets, and `secrets`.
    """
    parts: list[str] = []
    end = 0
    for start, stop in sorted(_secret_spans(text, _registered.union(*map(_spellings, secrets)))):
        if stop <= end:
            continue
        if start > end or not parts:
            parts += [text[end:start], REMOVED]
        end = stop
    return "".join([*parts, text[end:]])[:LONGEST_TEXT]


def scrub_exception(error: BaseException, *secrets: str) -> str:
    """The type and message of an exception as one scrubbed line. Its cause and traceback are left out."""
    message = " ".join(scrub(str(error), *secrets).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def one_line(text: str, most: int) -> str:
    """Text from outside as one short line: white space collapsed, control and invisible characters left out."""
    visible = "".join(char for char in text[: 8 * most] if char.isprintable() or char.isspace())
    return " ".join(visible.split())[:most]


def _spellings(secret: str) -> frozenset[str]:
    if len(secret) < _SHORTEST_SECRET:
        return frozenset()
    return frozenset({secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]})


def _secret_spans(text: str, literals: frozenset[str]) -> Iterator[tuple[int, int]]:
    """From where to where secrets stand.

    All are looked for in the text as it came: what one of them left of another would match no pattern any more.
    """
    for literal in literals:
        start = text.find(literal)
        while start >= 0:
            yield start, start + len(literal)
            start = text.find(literal, start + 1)
    for pattern in _PATTERNS:
        yield from (match.span("secret") for match in pattern.finditer(text) if match["secret"])
    yield from (match.span("secret") for match in _BASIC.finditer(text) if _is_user_and_password(match["secret"]))


def _is_user_and_password(encoded: str) -> bool:
    """Whether this is base64 of `user:password`; "basic understanding" is a phrase and stays."""
    bare = encoded.rstrip("=")
    try:
        return b":" in base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=None, validate=False)
    except (binascii.Error, ValueError):
        return False
