"""How a look at the Genie API can fail, and what each way of failing means.

One table says it all: the user's error type, when to try again, and of what the failure speaks. Whoever has to
decide because of a failure asks it; what a person can do about one stands in `advice.py`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

UNREACHABLE = 5
"""The weight of a call that got no answer, or only a refused login; one at which the server failed weighs 1."""

LONGEST_WAIT_SECONDS = 60.0
"""So long a call waits if the server asks for it. What asks for more waits in its ledger, and holds up nobody."""


class ErrorClass(StrEnum):
    """Why a message or space could not be read."""

    PERMISSION = "PERMISSION"  # 403: we may not read it (yet)
    AUTH = "AUTH"  # 401: our credentials are not accepted
    TIMEOUT = "TIMEOUT"  # no answer in time, ours or a gateway's
    NETWORK = "NETWORK"  # no connection, or cut off
    RATE_LIMITED = "RATE_LIMITED"  # 429
    SERVER = "SERVER"  # the server failed
    BAD_PAYLOAD = "BAD_PAYLOAD"  # an answer that is not a Genie message
    BAD_REFERENCE = "BAD_REFERENCE"  # the ids are incomplete or unusable
    NOT_FOUND = "NOT_FOUND"  # 404, 410: it is not there, or not for us to see
    CONFIG = "CONFIG"  # the workspace cannot be reached as configured
    NOT_RUNNING = "NOT_RUNNING"  # the workspace is banned, failed or not set up yet, says Databricks
    TOO_BIG = "TOO_BIG"  # an answer, asked for alone, that is bigger than any message is


@dataclass(frozen=True)
class FetchError:
    """A failed look, as a value. `message` is scrubbed of secrets and safe to store.

    `was_asked` is False where no request was made, because it was known to fail like the ones before it.
    """

    error_class: ErrorClass
    message: str
    http_status: int | None = None
    error_code: str | None = None
    retry_after_seconds: float | None = None
    was_asked: bool = True

    @property
    def was_sent(self) -> bool:
        """Whether a request was really made: not where it was clear before that none would do."""
        return self.was_asked and not (self.http_status is None and POLICIES[self.error_class].before_sending)

    @property
    def may_be_done(self) -> bool:
        """Whether a write that failed so may have been carried out all the same."""
        is_refused = self.http_status is not None and 400 <= self.http_status < 500
        return self.was_sent and not (is_refused and self.error_class is not ErrorClass.TIMEOUT)

    @property
    def asks_for_long(self) -> bool:
        """Whether the server asks to be left alone for longer than a call waits."""
        return (self.retry_after_seconds or 0.0) > LONGEST_WAIT_SECONDS

    @property
    def burden(self) -> int:
        """How much it counts against asking this workspace any further; 0 where it was answered all the same."""
        unreachable = self.http_status is None and self.error_class in (ErrorClass.NETWORK, ErrorClass.TIMEOUT)
        if unreachable:
            return UNREACHABLE
        return max(POLICIES[self.error_class].burden, int(self.asks_for_long))


@dataclass(frozen=True)
class RetryPolicy:
    """What a class of failures means.

    Waits grow by `factor` from `first_wait` to `longest_wait`. `attempts` counts retries after the first failure;
    None means for ever, which is how errors that only a grant or a setting can heal wait for it.
    """

    error_type: str
    first_wait: dt.timedelta
    factor: float
    longest_wait: dt.timedelta
    attempts: int | None
    of_the_way: bool = False
    """It speaks of the way to a workspace: the next request would fail in the same way."""
    a_single_get_may_work: bool = True
    """Where a LIST failed so, a GET of one message may show that the others can be read."""
    before_sending: bool = False
    """It is found out before anything is sent, unless an HTTP status says that Databricks did."""
    of_no_single_thing: bool = False
    """If everything that is asked for fails so, single messages are not the reason."""
    seldom_of_single_things: bool = False
    """The same, unless other messages of the day could be read before."""
    burden: int = 0
    """How much an answer of this class counts against asking its workspace any further."""


_MINUTE, _HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)

POLICIES: Mapping[ErrorClass, RetryPolicy] = {
    ErrorClass.PERMISSION: RetryPolicy("AUTH_ERROR", _HOUR, 2, 24 * _HOUR, None),
    ErrorClass.AUTH: RetryPolicy(
        "AUTH_ERROR",
        *(15 * _MINUTE, 2, 6 * _HOUR, None),
        of_the_way=True,
        a_single_get_may_work=False,
        of_no_single_thing=True,
        burden=UNREACHABLE,
    ),
    ErrorClass.CONFIG: RetryPolicy(
        *("FAILED", _HOUR, 2, 24 * _HOUR, None), of_the_way=True, before_sending=True, of_no_single_thing=True
    ),
    # Told apart where a whole day fails: to ask such a workspace was never tried.
    ErrorClass.NOT_RUNNING: RetryPolicy(
        *("FAILED", _HOUR, 2, 24 * _HOUR, None), of_the_way=True, before_sending=True
    ),
    ErrorClass.TIMEOUT: RetryPolicy(
        *("TIMEOUT", 5 * _MINUTE, 2, 6 * _HOUR, 12), of_no_single_thing=True, burden=1
    ),
    ErrorClass.NETWORK: RetryPolicy(
        *("TIMEOUT", 5 * _MINUTE, 2, 6 * _HOUR, 12), of_the_way=True, of_no_single_thing=True
    ),
    ErrorClass.SERVER: RetryPolicy(
        *("FAILED", 5 * _MINUTE, 2, 6 * _HOUR, 12), seldom_of_single_things=True, burden=1
    ),
    ErrorClass.RATE_LIMITED: RetryPolicy(
        *("RATE_LIMITED", 5 * _MINUTE, 2, _HOUR, 24), a_single_get_may_work=False, seldom_of_single_things=True
    ),
    ErrorClass.BAD_PAYLOAD: RetryPolicy("FAILED", 30 * _MINUTE, 3, 24 * _HOUR, 6),
    # A message does not shrink: two more looks, in case that something on the way spoke in its place.
    ErrorClass.TOO_BIG: RetryPolicy("FAILED", 24 * _HOUR, 1, 24 * _HOUR, 2),
    ErrorClass.NOT_FOUND: RetryPolicy("FAILED", _HOUR, 4, 24 * _HOUR, 4),
    ErrorClass.BAD_REFERENCE: RetryPolicy("FAILED", _HOUR, 1, _HOUR, 0, before_sending=True),
}

# Databricks' error_code decides before the HTTP status does, as in the SDK: a 403 or 400 may say that a thing
# does not exist. ENDPOINT_NOT_FOUND speaks of the API, not of the message: it must never look like a deletion.
_BY_CODE: Mapping[str, ErrorClass] = {
    "UNAUTHENTICATED": ErrorClass.AUTH,
    "PERMISSION_DENIED": ErrorClass.PERMISSION,
    "RESOURCE_DOES_NOT_EXIST": ErrorClass.NOT_FOUND,
    "NOT_FOUND": ErrorClass.NOT_FOUND,
    "ENDPOINT_NOT_FOUND": ErrorClass.CONFIG,
    "FEATURE_DISABLED": ErrorClass.CONFIG,
    "REQUEST_LIMIT_EXCEEDED": ErrorClass.RATE_LIMITED,
    "RESOURCE_EXHAUSTED": ErrorClass.RATE_LIMITED,
    "DEADLINE_EXCEEDED": ErrorClass.TIMEOUT,
    "TEMPORARILY_UNAVAILABLE": ErrorClass.SERVER,
    "INTERNAL_ERROR": ErrorClass.SERVER,
    "UNKNOWN": ErrorClass.SERVER,
    "DATA_LOSS": ErrorClass.SERVER,
    "ABORTED": ErrorClass.SERVER,
    "INVALID_STATE": ErrorClass.SERVER,
    "INVALID_PARAMETER_VALUE": ErrorClass.BAD_REFERENCE,
    "BAD_REQUEST": ErrorClass.BAD_REFERENCE,
    "MALFORMED_REQUEST": ErrorClass.BAD_REFERENCE,
}
KNOWN_CODES = frozenset(_BY_CODE)
_BY_STATUS: Mapping[int, ErrorClass] = {
    400: ErrorClass.BAD_REFERENCE,
    401: ErrorClass.AUTH,
    403: ErrorClass.PERMISSION,
    404: ErrorClass.NOT_FOUND,
    # So speaks something on the way, or a host that is not Databricks': the next request fares no better.
    405: ErrorClass.CONFIG,
    406: ErrorClass.CONFIG,
    407: ErrorClass.CONFIG,
    408: ErrorClass.TIMEOUT,
    410: ErrorClass.NOT_FOUND,
    411: ErrorClass.CONFIG,
    413: ErrorClass.TOO_BIG,
    414: ErrorClass.BAD_REFERENCE,
    415: ErrorClass.CONFIG,
    421: ErrorClass.CONFIG,
    422: ErrorClass.BAD_REFERENCE,
    426: ErrorClass.CONFIG,
    429: ErrorClass.RATE_LIMITED,
    431: ErrorClass.CONFIG,
    451: ErrorClass.PERMISSION,
    499: ErrorClass.TIMEOUT,
    504: ErrorClass.TIMEOUT,
    511: ErrorClass.CONFIG,
}


def classify_status(http_status: int | None, error_code: str | None) -> ErrorClass:
    """The class of an error answer, from its error_code where that is known, else from its HTTP status."""
    by_code = _BY_CODE.get(error_code or "")
    return by_code or _BY_STATUS.get(http_status or 0, ErrorClass.SERVER)


def error_type(error_class: ErrorClass) -> str:
    """The user's type for a class: AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED."""
    return POLICIES[error_class].error_type


def next_retry_at(
    error: FetchError,
    *,
    retry_count: int,
    now: dt.datetime,
    jitter: float,
    age: dt.timedelta = dt.timedelta(0),
) -> dt.datetime | None:
    """When to try again after `retry_count` failed retries; None once the attempts are used up.

    Args:
        error: The latest failure. A `retry_after_seconds` that asks for more than the policy is granted.
        retry_count: Failed attempts after the first.
        now: The time of the failure, UTC.
        jitter: A random number in [0, 1) that spreads the wait over 80 to 120 percent, so that messages that
            failed together do not come back together.
        age: For how long it has failed, where its attempts do not tell: half of that is waited at least.
    """
    policy = POLICIES[error.error_class]
    if policy.attempts is not None and retry_count >= policy.attempts:
        return None
    doublings = min(retry_count, 32)  # enough to reach any longest_wait, and no overflow
    backoff = max(policy.first_wait.total_seconds() * policy.factor**doublings, age.total_seconds() / 2)
    seconds = min(backoff, policy.longest_wait.total_seconds())
    asked = min(error.retry_after_seconds or 0.0, policy.longest_wait.total_seconds())
    return now + dt.timedelta(seconds=max(seconds * (0.8 + 0.4 * jitter), asked))


# So many first refusals without one answer are no matter of single messages either.
_SUSPICIOUS = 20


def nothing_worked(failures: Mapping[str, int], *, some_are_stored: bool) -> bool:
    """Whether a run that got no answer at all failed for a reason that is no single message's.

    Workspaces that do not run are told apart: to ask them was never tried.

    Args:
        failures: How many messages failed in which class.
        some_are_stored: Whether other messages of the day were read before.
    """
    counted = {name: n for name, n in failures.items() if name != ErrorClass.NOT_RUNNING}
    policies = [POLICIES[ErrorClass(name)] for name in counted]
    if not counted:
        return False
    if all(policy.of_no_single_thing for policy in policies):
        return True
    if some_are_stored:
        return False
    are_of_the_whole = all(policy.of_no_single_thing or policy.seldom_of_single_things for policy in policies)
    return are_of_the_whole or sum(counted.values()) >= _SUSPICIOUS
