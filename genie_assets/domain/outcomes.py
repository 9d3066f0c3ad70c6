"""How a look at the Genie API can fail, and what is done about each way.

One table says it all: which of the user's four error types a class belongs to, how long to wait before the next
attempt, and after how many attempts the error is parked.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


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
    NOT_FOUND = "NOT_FOUND"  # 404, and never read before
    CONFIG = "CONFIG"  # the workspace cannot be reached as configured


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


@dataclass(frozen=True)
class RetryPolicy:
    """When to try again: waits grow by `factor` from `first_wait` to `longest_wait`.

    `attempts` counts retries after the first failure; None means for ever, which is how errors that only a grant
    or a setting can heal wait for it.
    """

    error_type: str
    first_wait: dt.timedelta
    factor: float
    longest_wait: dt.timedelta
    attempts: int | None


_MINUTE, _HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)

POLICIES: Mapping[ErrorClass, RetryPolicy] = {
    ErrorClass.PERMISSION: RetryPolicy("AUTH_ERROR", _HOUR, 2, 24 * _HOUR, None),
    ErrorClass.AUTH: RetryPolicy("AUTH_ERROR", 15 * _MINUTE, 2, 6 * _HOUR, None),
    ErrorClass.CONFIG: RetryPolicy("FAILED", _HOUR, 2, 24 * _HOUR, None),
    ErrorClass.TIMEOUT: RetryPolicy("TIMEOUT", 5 * _MINUTE, 2, 6 * _HOUR, 12),
    ErrorClass.NETWORK: RetryPolicy("TIMEOUT", 5 * _MINUTE, 2, 6 * _HOUR, 12),
    ErrorClass.SERVER: RetryPolicy("FAILED", 5 * _MINUTE, 2, 6 * _HOUR, 12),
    ErrorClass.RATE_LIMITED: RetryPolicy("RATE_LIMITED", 5 * _MINUTE, 2, _HOUR, 24),
    ErrorClass.BAD_PAYLOAD: RetryPolicy("FAILED", 30 * _MINUTE, 3, 24 * _HOUR, 6),
    ErrorClass.NOT_FOUND: RetryPolicy("FAILED", _HOUR, 4, 24 * _HOUR, 4),
    ErrorClass.BAD_REFERENCE: RetryPolicy("FAILED", _HOUR, 1, _HOUR, 0),
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
_BY_STATUS: Mapping[int, ErrorClass] = {
    400: ErrorClass.BAD_REFERENCE,
    401: ErrorClass.AUTH,
    403: ErrorClass.PERMISSION,
    404: ErrorClass.NOT_FOUND,
    408: ErrorClass.TIMEOUT,
    429: ErrorClass.RATE_LIMITED,
    499: ErrorClass.TIMEOUT,
    504: ErrorClass.TIMEOUT,
}


def classify_status(http_status: int | None, error_code: str | None) -> ErrorClass:
    """The class of an error answer, from its error_code where that is known, else from its HTTP status."""
    by_code = _BY_CODE.get(error_code or "")
    return by_code or _BY_STATUS.get(http_status or 0, ErrorClass.SERVER)


def error_type(error_class: ErrorClass) -> str:
    """The user's type for a class: AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED."""
    return POLICIES[error_class].error_type


def next_retry_at(error: FetchError, *, retry_count: int, now: dt.datetime, jitter: float) -> dt.datetime | None:
    """When to try again after `retry_count` failed retries; None once the attempts are used up.

    Args:
        error: The latest failure. A `retry_after_seconds` that asks for more than the policy is granted.
        retry_count: Failed attempts after the first.
        now: The time of the failure, UTC.
        jitter: A random number in [0, 1) that spreads the wait over 80 to 120 percent, so that messages that
            failed together do not come back together.
    """
    policy = POLICIES[error.error_class]
    if policy.attempts is not None and retry_count >= policy.attempts:
        return None
    doublings = min(retry_count, 32)  # enough to reach any longest_wait, and no overflow
    seconds = min(
        policy.first_wait.total_seconds() * policy.factor**doublings, policy.longest_wait.total_seconds()
    )
    asked = min(error.retry_after_seconds or 0.0, policy.longest_wait.total_seconds())
    return now + dt.timedelta(seconds=max(seconds * (0.8 + 0.4 * jitter), asked))
