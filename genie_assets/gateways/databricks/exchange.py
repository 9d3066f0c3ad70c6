"""One HTTP request and its answer, bounded in size and time; without an answer, one sentence that says why.

The SDK's `api_client.do` is not used for this: it hides the status and all headers, follows redirects, sleeps for
as long as a `Retry-After` says, and writes the bearer token into its exception when it cannot parse an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.bodies import (
    BodyTooBigError,
    UnreadableBodyError,
    read_body,
    short_body,
)
from genie_assets.gateways.databricks.bounds import HeadTooBigError, bounded
from genie_assets.gateways.databricks.connection_errors import FAILURES, connection_error, shown_host
from genie_assets.gateways.databricks.retries import CallError

MIB = 2**20
MOST_BYTES = 16 * MIB  # three times the biggest message that is known of

_ERROR_BYTES = 64 * 1024  # the body of an error is not read any further
_CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Timeouts:
    """How long a server is waited for.

    Attributes:
        read: Seconds to wait for the next bytes; for a connection it is as long, and ten seconds at most.
        reads: So many times as long all of an answer may take that trickles in.
    """

    read: float = 60.0
    reads: int = 4

    @property
    def connect(self) -> float:
        """Seconds to wait for a connection."""
        return min(self.read, _CONNECT_SECONDS)

    @property
    def whole(self) -> float:
        """Seconds after which an answer that still trickles in is given up."""
        return self.connect + self.reads * self.read


@dataclass(frozen=True)
class HttpAnswer:
    """What a server answered, with any status.

    The body of a good one is whole. That of another one is left out where it is too long or packed in an odd way:
    then `is_whole` is False.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool = True


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    timeouts: Timeouts,
    most_bytes: int = MOST_BYTES,
    seconds: float | None = None,
    **options: Any,
) -> HttpAnswer:
    """Send one request and read its whole answer. Redirects are not followed.

    So many parameters, because each bound is the caller's to choose.

    Args:
        session: Carries the connections, see `bounds.pooled_session`.
        method: HTTP method.
        url: Whole URL.
        timeouts: How long to wait for a connection, for the next bytes, and for all of them.
        most_bytes: How big the body of a good answer may be, packed and unpacked.
        seconds: How long all of it may take, if less than that.
        options: More arguments of `requests.Session.request`.

    Raises:
        CallError: TIMEOUT, NETWORK or CONFIG if there is no answer; TOO_BIG or BAD_PAYLOAD if it cannot be read.
    """
    longest = timeouts.whole if seconds is None else min(seconds, timeouts.whole)
    timeout = (timeouts.connect, timeouts.read)
    try:
        with (
            bounded(seconds=longest, silence=timeouts.read),
            session.request(
                method, url, timeout=timeout, allow_redirects=False, stream=True, **options
            ) as response,
        ):
            return _answer(response, most_bytes)
    except HeadTooBigError:
        failed = _unusable(f"The head of the answer of {shown_host(url)} does not end.")
    except BodyTooBigError as error:
        text = f"The answer is bigger than {error.most / MIB:g} MiB."
        failed = CallError(FetchError(ErrorClass.TOO_BIG, text, http_status=200))
    except UnreadableBodyError:
        failed = _unusable("The answer is packed in a way that cannot be read, or was cut off.")
    except _InterimAnswerError as error:
        failed = _unusable(f"{shown_host(url)} said {error} and then no more.")
    except FAILURES as error:
        failed = connection_error(error, url)
    # Raised here, so that no exception that knows the request's headers hangs on to it.
    raise failed


class _InterimAnswerError(Exception):
    """A status that announces an answer came in the place of one. Its message is the status."""


def _answer(response: requests.Response, most_bytes: int) -> HttpAnswer:
    status = response.status_code
    if status < 200:
        # The answer itself may follow: on this connection it would be taken for that of the next request.
        response.raw.close()
        raise _InterimAnswerError(str(status))
    if 200 <= status < 300:
        return HttpAnswer(status, response.headers, read_body(response, most_bytes))
    body = short_body(response, _ERROR_BYTES)
    return HttpAnswer(status, response.headers, body or b"", is_whole=body is not None)


def _unusable(text: str) -> CallError:
    return CallError(FetchError(ErrorClass.BAD_PAYLOAD, text), transient=True)
