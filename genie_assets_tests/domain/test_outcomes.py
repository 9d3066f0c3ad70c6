"""How a look at the API can fail, and when it is repeated."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.outcomes import (
    POLICIES,
    ErrorClass,
    FetchError,
    classify_status,
    error_type,
    next_retry_at,
)

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)

_classes = st.sampled_from(ErrorClass)
_jitters = st.floats(0, 1, exclude_max=True)


def wait(error: FetchError, retry_count: int, jitter: float = 0.5) -> dt.timedelta | None:
    at = next_retry_at(error, retry_count=retry_count, now=NOW, jitter=jitter)
    return None if at is None else at - NOW


def test_every_class_has_a_policy_and_one_of_the_four_types() -> None:
    assert set(POLICIES) == set(ErrorClass)
    assert {error_class: error_type(error_class) for error_class in ErrorClass} == {
        ErrorClass.PERMISSION: "AUTH_ERROR",
        ErrorClass.AUTH: "AUTH_ERROR",
        ErrorClass.TIMEOUT: "TIMEOUT",
        ErrorClass.NETWORK: "TIMEOUT",
        ErrorClass.RATE_LIMITED: "RATE_LIMITED",
        ErrorClass.SERVER: "FAILED",
        ErrorClass.BAD_PAYLOAD: "FAILED",
        ErrorClass.BAD_REFERENCE: "FAILED",
        ErrorClass.NOT_FOUND: "FAILED",
        ErrorClass.CONFIG: "FAILED",
        ErrorClass.NOT_RUNNING: "FAILED",
        ErrorClass.TOO_BIG: "FAILED",
    }


def test_what_only_a_grant_or_a_setting_can_heal_is_never_given_up() -> None:
    endless = {error_class for error_class, policy in POLICIES.items() if policy.attempts is None}
    assert endless == {ErrorClass.PERMISSION, ErrorClass.AUTH, ErrorClass.CONFIG, ErrorClass.NOT_RUNNING}


@given(_classes, st.integers(0, 100_000))
def test_waits_grow_up_to_their_limit(error_class: ErrorClass, retry_count: int) -> None:
    policy, error = POLICIES[error_class], FetchError(error_class, "")
    now, later = wait(error, retry_count), wait(error, retry_count + 1)
    if now is None:
        assert policy.attempts is not None
        assert retry_count >= policy.attempts
        assert later is None
        return
    assert policy.first_wait <= now <= policy.longest_wait
    assert later is None or later >= now


@given(_classes, st.integers(0, 50), _jitters)
def test_jitter_spreads_a_wait_by_a_fifth(error_class: ErrorClass, retry_count: int, jitter: float) -> None:
    error = FetchError(error_class, "")
    middle, spread = wait(error, retry_count), wait(error, retry_count, jitter)
    if middle is None or spread is None:
        assert middle is spread is None
        return
    assert middle * 0.8 <= spread + dt.timedelta(microseconds=1)
    assert spread <= middle * 1.2 + dt.timedelta(microseconds=1)
    assert wait(error, retry_count, 0.0) < wait(error, retry_count, 0.999)


@pytest.mark.parametrize("error_class", [c for c in ErrorClass if POLICIES[c].attempts is not None])
def test_attempts_are_limited(error_class: ErrorClass) -> None:
    attempts, count = POLICIES[error_class].attempts, 0
    while wait(FetchError(error_class, ""), count) is not None:
        count += 1
    assert count == attempts


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (None, dt.timedelta(minutes=5)),
        (1, dt.timedelta(minutes=5)),
        (1200, dt.timedelta(minutes=20)),
        (10**9, dt.timedelta(hours=1)),
    ],
)
def test_a_server_that_asks_for_more_time_gets_it_within_the_limit(
    asked: float | None, granted: dt.timedelta
) -> None:
    assert wait(FetchError(ErrorClass.RATE_LIMITED, "", retry_after_seconds=asked), 0) == granted


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, None, ErrorClass.AUTH),
        (403, None, ErrorClass.PERMISSION),
        (403, "PERMISSION_DENIED", ErrorClass.PERMISSION),
        (404, None, ErrorClass.NOT_FOUND),
        (410, None, ErrorClass.NOT_FOUND),
        (410, "GONE", ErrorClass.NOT_FOUND),
        (410, "ENDPOINT_NOT_FOUND", ErrorClass.CONFIG),
        (400, None, ErrorClass.BAD_REFERENCE),
        (400, "INVALID_PARAMETER_VALUE", ErrorClass.BAD_REFERENCE),
        (408, None, ErrorClass.TIMEOUT),
        (429, None, ErrorClass.RATE_LIMITED),
        (500, None, ErrorClass.SERVER),
        (502, "SOMETHING_NEW", ErrorClass.SERVER),
        (504, None, ErrorClass.TIMEOUT),
        (418, None, ErrorClass.SERVER),
        *((status, None, ErrorClass.CONFIG) for status in (405, 406, 407, 411, 415, 421, 426, 431, 511)),
        *((status, None, ErrorClass.SERVER) for status in (409, 412, 423, 424, 425)),  # it may pass
        *((status, None, ErrorClass.BAD_REFERENCE) for status in (414, 422)),
        (413, None, ErrorClass.TOO_BIG),
        (451, None, ErrorClass.PERMISSION),
        (None, None, ErrorClass.SERVER),
        # The code knows better than the status.
        (403, "RESOURCE_DOES_NOT_EXIST", ErrorClass.NOT_FOUND),
        (400, "RESOURCE_DOES_NOT_EXIST", ErrorClass.NOT_FOUND),
        (503, "DEADLINE_EXCEEDED", ErrorClass.TIMEOUT),
        (503, "REQUEST_LIMIT_EXCEEDED", ErrorClass.RATE_LIMITED),
    ],
)
def test_an_error_answer_has_a_class(status: int | None, code: str | None, expected: ErrorClass) -> None:
    assert classify_status(status, code) is expected


def test_a_missing_endpoint_is_not_a_missing_message() -> None:
    """A 404 of the API itself must not mark every message of a workspace deleted."""
    assert classify_status(404, "ENDPOINT_NOT_FOUND") is ErrorClass.CONFIG
    assert classify_status(404, "FEATURE_DISABLED") is ErrorClass.CONFIG


@pytest.mark.parametrize(
    ("error", "may_be_done"),
    [
        (FetchError(ErrorClass.NETWORK, "Cut off."), True),
        (FetchError(ErrorClass.TIMEOUT, "No answer."), True),
        (FetchError(ErrorClass.TIMEOUT, "Too late.", 408), True),
        (FetchError(ErrorClass.SERVER, "Broken.", 500), True),
        (FetchError(ErrorClass.PERMISSION, "No.", 403), False),
        (FetchError(ErrorClass.BAD_REFERENCE, "Not this way.", 400), False),
        (FetchError(ErrorClass.CONFIG, "No address."), False),
        (FetchError(ErrorClass.SERVER, "Not asked.", 500, was_asked=False), False),
    ],
)
def test_a_write_may_be_done_unless_it_was_refused_or_never_sent(error: FetchError, may_be_done: bool) -> None:
    assert error.may_be_done is may_be_done
