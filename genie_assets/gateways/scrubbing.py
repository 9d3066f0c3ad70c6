"""Taking secrets out of text before it is logged, stored or shown."""

import base64
import binascii
import json
import re
import threading
from urllib.parse import quote, quote_plus

LONGEST_TEXT = 2_000
REMOVED = "[removed]"
_SHORTEST_SECRET = 6  # anything shorter is no secret, and removing it would eat ordinary words

_KEYS = (
    r"(?:access|refresh|id)_?token|client_?secret|client_?assertion|password|passwd|api_?key|"
    r"databricks_token|token_value|assertion|x-databricks-[a-z-]*token"
)
_VALUE = r"""\\?"(?:[^"\\]|\\[^"])*\\?"|'[^']*'|[^\s"'&,;}\]]+"""
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # The value of an Authorization header, quoted or not, with its scheme or without.
        (
            r"""(authorization\\?["']?\s*[:=]\s*\\?["']?)"""
            r"""(?:(?:basic|bearer|digest|negotiate|token)\s+)?[^\s"'\\,;}]+""",
            rf"\1{REMOVED}",
        ),
        (r"(\bbearer\s+)(?=[^\s\"']*[0-9]|[^\s\"']{20})[a-z0-9._~+/=-]{6,}", rf"\1{REMOVED}"),
        (rf"""((?:{_KEYS})\\?["']?\s*[:=]\s*)(?:{_VALUE})""", rf"\1{REMOVED}"),
        # A user and password inside a URL, then its query: presigned links carry their right in it.
        (r"(\b[a-z][a-z0-9+.-]*://)[^\s/?#@\"'<>]+@", rf"\1{REMOVED}@"),
        (r"(\bhttps?://[^\s?#\"'<>]+)\?[^\s\"'<>]*", rf"\1?{REMOVED}"),
        (
            r"\b((?:x-amz|x-goog|x-ms)-[a-z0-9-]+|sig|signature|awsaccesskeyid|googleaccessid)=[^&\s\"'<>]+",
            rf"\1={REMOVED}",
        ),
        # Databricks' personal tokens and OAuth secrets, and JSON web tokens, wherever they stand.
        (r"(?:dapi|dose|dkea|dsapi)[0-9a-f]{12,}(?:-[0-9]+)?", REMOVED),
        (r"eyJ[a-z0-9_-]{8,}(?:\.[a-z0-9_-]*)*", REMOVED),
    )
)
_BASIC = re.compile(r"(\bbasic\s+)([a-z0-9+/_-]{6,}={0,2})", re.IGNORECASE)

_lock = threading.Lock()
_registered: frozenset[str] = frozenset()


def register_secret(value: str) -> None:
    """Remember a secret; `scrub` removes it from now on, as it is and as URLs and JSON spell it."""
    global _registered
    with _lock:
        _registered |= _spellings(value)


def scrub(text: str, *secrets: str) -> str:
    """`text` without anything that lets someone in, cut to 2,000 characters afterwards.

    Removed are: values of Authorization headers, bearer and basic credentials, Databricks tokens and secrets,
    JSON web tokens, the values of keys such as `access_token` and `client_secret` in JSON and forms, users and
    queries of URLs, registered secrets, and `secrets`.
    """
    literals = _registered.union(*map(_spellings, secrets))
    for literal in sorted(literals, key=len, reverse=True):
        text = text.replace(literal, REMOVED)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = _BASIC.sub(_without_basic, text)
    return text[:LONGEST_TEXT]


def scrub_exception(error: BaseException, *secrets: str) -> str:
    """The type and message of an exception as one scrubbed line. Its cause and traceback are left out."""
    message = " ".join(scrub(str(error), *secrets).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _spellings(secret: str) -> frozenset[str]:
    if len(secret) < _SHORTEST_SECRET:
        return frozenset()
    return frozenset({secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]})


def _without_basic(match: re.Match[str]) -> str:
    """Remove what is base64 of `user:password`; "basic understanding" is a phrase and stays."""
    encoded = match[2].rstrip("=")
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=None, validate=False)
    except (binascii.Error, ValueError):
        return match[0]
    return f"{match[1]}{REMOVED}" if b":" in decoded else match[0]
