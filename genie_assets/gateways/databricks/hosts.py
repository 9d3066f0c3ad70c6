"""What the address of a workspace looks like, and which hosts may be given our credentials.

Workspace addresses come from a system table, so they are data, not configuration. A host that is neither one of
Databricks' own nor named by the operator never sees a token.
"""

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

DATABRICKS_HOSTS = (
    "*.cloud.databricks.com",
    "*.gcp.databricks.com",
    "*.databricks.com",
    "*.azuredatabricks.net",
    "*.cloud.databricks.us",
    "*.databricks.us",
    "*.databricks.azure.us",
    "*.databricks.azure.cn",
)

# Plain ASCII names and addresses only. What looks like another letter (IDN), a trailing dot or an underscore is
# not how Databricks spells a workspace, but is how an impostor would.
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\]")
_GLOB = re.compile(r"[a-z0-9.*?-]+|\[[0-9a-f:.]+\]")
_PORTS = {"http": 80, "https": 443}
# A host that serves many workspaces has to be told which one is meant. Browsers show it, on any host, as `?o=`.
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NAMED = re.compile(rf"(?:o|w)=({_ID.pattern})")
_WORKSPACE_HEADER = "X-Databricks-Workspace-Id"


class UnusableUrl(ValueError):  # noqa: N818 - says what it is
    """A text that is not the address of a workspace. The message says why, in one sentence."""


@dataclass(frozen=True)
class Address:
    """Where a workspace is.

    Attributes:
        host: `scheme://host[:port]`: lower case, no default port.
        workspace_id: The workspace that is meant, where the address names one.
    """

    host: str
    workspace_id: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries there, so that a host of many workspaces knows which one is meant."""
        return {_WORKSPACE_HEADER: self.workspace_id} if self.workspace_id else {}

    def naming(self, workspace_id: str | None) -> "Address":
        """This address with the workspace named, if it names none. An id that no header can carry stays unsaid."""
        if self.workspace_id or not workspace_id or not _ID.fullmatch(workspace_id):
            return self
        return Address(self.host, workspace_id)

    def __str__(self) -> str:
        """As the address is written."""
        return f"{self.host}/?o={self.workspace_id}" if self.workspace_id else self.host


def read_address(text: str) -> Address:
    """The address of a workspace. A bare host gets `https://`. A trailing slash goes away.

    Raises:
        UnusableUrl: if there is anything else in it than a host and, as `?o=` or `?w=`, a workspace's id: a path,
            another query, a user, a host that is not plain ASCII.
    """
    parts, host, port = _split(text)
    shown = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    named = _NAMED.fullmatch(parts.query)
    return Address(f"{parts.scheme}://{host}{shown}", named[1] if named else None)


def normalise_url(text: str) -> str:
    """An address as it is written in one way only: `https://host`, or `https://host/?o=<workspace id>`.

    Raises:
        UnusableUrl: as for `read_address`.
    """
    return str(read_address(text))


def _split(text: str) -> tuple[SplitResult, str, int | None]:
    text = text.strip()
    if not text.isprintable() or not text.isascii() or any(mark in text for mark in " \\"):
        raise UnusableUrl("the address holds characters that no workspace address has")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError as error:
        raise UnusableUrl("the address cannot be read as a URL") from error
    if parts.scheme not in _PORTS:
        raise UnusableUrl("the address must start with https://")
    is_plain = "@" not in parts.netloc and parts.path in ("", "/") and "#" not in text
    if not is_plain or ("?" in text and not _NAMED.fullmatch(parts.query)):
        raise UnusableUrl(
            "the address must be a host alone, or https://host/?o=<workspace id>, without user, path or fragment"
        )
    host = parts.netloc.rsplit(":", 1)[0] if port is not None else parts.netloc.rstrip(":")
    host = host.lower()
    if not _HOST.fullmatch(host):
        raise UnusableUrl("the address holds no usable host name")
    return parts, host, port


@dataclass(frozen=True)
class _Pattern:
    """One allowed pattern: the schemes, the host glob, and the port glob (None: the default port only)."""

    schemes: frozenset[str]
    host: str
    port: str | None

    def allows(self, scheme: str, host: str, port: int) -> bool:
        if scheme not in self.schemes or not fnmatch.fnmatchcase(host, self.host):
            return False
        return port == _PORTS[scheme] if self.port is None else fnmatch.fnmatchcase(str(port), self.port)


def _pattern(text: str) -> _Pattern:
    """Read `[scheme://]host-glob[:port-glob]`.

    An exact host without a scheme is named on purpose: http, https and, without a port, every port are meant.
    A wildcard host without a scheme means https alone.
    """
    scheme, separator, rest = text.strip().lower().rpartition("://")
    match = re.fullmatch(r"(?P<host>\[[^\]]*\]|[^:\[\]]+)(:(?P<port>[0-9*?]+))?", rest)
    if not match or not _GLOB.fullmatch(match["host"]) or (separator and scheme not in _PORTS):
        raise UnusableUrl(f"{text!r} is not a pattern of the form [https://]host[:port]")
    host, port = match["host"], match["port"]
    exact = not any(mark in host for mark in "*?")
    # fnmatch would take the brackets of an IPv6 address for a character class.
    host = host.replace("[", "[[]", 1) if host.startswith("[") else host
    if separator:
        return _Pattern(frozenset({scheme}), host, port)
    if exact:
        return _Pattern(frozenset(_PORTS), host, port or "*")
    return _Pattern(frozenset({"https"}), host, port)


class HostPolicy:
    """Says whether an address may be sent our credentials: Databricks' own over https, and what was named.

    Args:
        allowed: Patterns of the operator, `[scheme://]host-glob[:port-glob]`, added to Databricks' own.

    Raises:
        UnusableUrl: naming the pattern that cannot be read.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._patterns = tuple(_pattern(text) for text in (*DATABRICKS_HOSTS, *allowed))

    def allows(self, url: str) -> bool:
        """Whether `url` may be given credentials. An address that cannot be read may not."""
        try:
            parts, host, port = _split(url)
        except UnusableUrl:
            return False
        port = port if port is not None else _PORTS[parts.scheme]
        return any(pattern.allows(parts.scheme, host, port) for pattern in self._patterns)
