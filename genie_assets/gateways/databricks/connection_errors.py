"""Why an exchange brought no answer, in one plain sentence each.

The texts of the libraries are not for people, and may quote headers and addresses: none of them is shown.
"""

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.scrubbing import one_line

# What may be raised where a request is sent or its answer is read. ValueError: an address or a header that no
# request can carry.
FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)

_SHOWN_HOST = re.compile(r"[a-z0-9.:\[\]-]{1,253}")
_LONGEST_REASON = 100
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
_NO_BUNDLE = "TLS CA certificate bundle"  # what requests says of certificates that it cannot find

_errors = urllib3.exceptions


@dataclass(frozen=True)
class _Rule:
    """What an exception of one of these kinds means. `passing`: the same call may work in a moment."""

    kinds: tuple[type[BaseException], ...]
    sentence: str
    error_class: ErrorClass = ErrorClass.NETWORK
    passing: bool = True


_UNSENDABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    _errors.LocationValueError,
    UnicodeError,
)
# The first that fits counts: what is wrapped by what differs from library to library.
_RULES = (
    _Rule(
        (ssl.SSLCertVerificationError,),
        "The certificate of {host} is not trusted ({reason}): REQUESTS_CA_BUNDLE can name who is.",
        passing=False,
    ),
    _Rule(
        (requests.exceptions.ProxyError, requests.exceptions.InvalidProxyURL, _errors.ProxyError),
        "The proxy that HTTPS_PROXY or HTTP_PROXY names does not let us through to {host}.",
    ),
    _Rule(_UNSENDABLE, "The request to {host} cannot be sent as it is.", ErrorClass.CONFIG, passing=False),
    _Rule((_errors.NameResolutionError, socket.gaierror), "{host} cannot be found: its name is unknown here."),
    _Rule((ConnectionRefusedError,), "{host} refuses the connection: nothing listens there."),
    _Rule(
        (requests.Timeout, _errors.TimeoutError, TimeoutError),
        "{host} did not answer in time.",
        ErrorClass.TIMEOUT,
    ),
    _Rule(
        (ssl.SSLError, requests.exceptions.SSLError, _errors.SSLError), "{host} speaks no TLS that we understand."
    ),
    _Rule(
        (ConnectionError, http.client.IncompleteRead, http.client.RemoteDisconnected),
        "{host} broke off the connection.",
    ),
    _Rule(
        (http.client.HTTPException, _errors.HTTPError),
        "{host} broke off the connection, or does not speak HTTP as we do.",
    ),
    _Rule((ValueError,), "The request to {host} cannot be sent as it is.", ErrorClass.CONFIG, passing=False),
    _Rule((BaseException,), "The connection to {host} failed."),
)


def shown_host(url: str) -> str:
    """The host of an address with its port, and nothing that could be a secret or a trick."""
    try:
        host = urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        host = ""
    return host if _SHOWN_HOST.fullmatch(host) else "The host"


def connection_error(error: BaseException, url: str) -> CallError:
    """The failure that an exception of the libraries stands for.

    Args:
        error: One of `FAILURES`.
        url: The address that was asked.
    """
    causes, host = list(_causes(error)), shown_host(url)
    from_system = [cause for cause in causes if isinstance(cause, OSError)]
    if any(cause.errno in _NO_ROUTE for cause in from_system):
        return _failed(f"There is no way to {host} from here.")
    if any(_NO_BUNDLE in str(cause) for cause in from_system):
        text = "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names certificates that do not exist."
        return _failed(text, ErrorClass.CONFIG, passing=False)
    for rule in _RULES:
        fitting = next((cause for cause in causes if isinstance(cause, rule.kinds)), None)
        if fitting is not None:
            reason = one_line(str(getattr(fitting, "verify_message", "")), _LONGEST_REASON)
            text = rule.sentence.format(host=host, reason=reason)
            return _failed(text, rule.error_class, passing=rule.passing)
    raise AssertionError("the last rule fits everything")


def _failed(text: str, kind: ErrorClass = ErrorClass.NETWORK, *, passing: bool = True) -> CallError:
    return CallError(FetchError(kind, text), transient=passing)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and everything that it wraps, in whichever of the ways that the libraries have."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        wrapped = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        waiting += [each for each in wrapped if isinstance(each, BaseException)]
