import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import (
    CallError,
    OutOfTimeError,
    Retries,
    retry_after_seconds,
)

NOW = dt.datetime(2026, 9, 1, 12, 0, 0, tzinfo=dt.UTC)


class VirtualTime:
    def __init__(self):
        self.now, self.naps = 0.0, []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.naps.append(seconds)
        self.now += seconds

    def retries(self, **limits):
        return Retries(clock=self.clock, sleep=self.sleep, **limits)


def failing(error, times, calls):
    def attempt():
        calls.append(1)
        if len(calls) <= times:
            raise error
        return "answer"

    return attempt


def passing(error_class=ErrorClass.SERVER, retry_after=None):
    return CallError(FetchError(error_class, "x", retry_after_seconds=retry_after), transient=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Tue, 01 Sep 2026 12:00:30 GMT", 30.0),
        ("Tue, 01 Sep 2026 14:00:30 +0200", 30.0),
        ("Tue, 01 Sep 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_understood_in_both_its_forms(header, seconds):
    assert retry_after_seconds(header, NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_header_breaks_anything(header):
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


def test_passing_trouble_is_waited_out():
    time = VirtualTime()
    calls: list[Any] = []
    assert time.retries().call(failing(passing(), 3, calls)) == "answer"
    assert len(calls) == 4
    # Full jitter: each wait lies between nothing and its doubling bound.
    assert all(0 <= nap <= 0.5 * 2**turn for turn, nap in enumerate(time.naps))


def test_attempts_end_and_the_last_failure_is_what_is_raised():
    time, error = VirtualTime(), passing()
    calls: list[Any] = []
    with pytest.raises(CallError) as caught:
        time.retries(attempts=5).call(failing(error, 99, calls))
    assert caught.value is error
    assert len(calls) == 5


def test_the_server_is_left_alone_as_long_as_it_asks():
    time = VirtualTime()
    time.retries().call(failing(passing(ErrorClass.RATE_LIMITED, retry_after=7), 1, []))
    assert 7 <= time.naps[0] <= 8


def test_a_day_of_retry_after_does_not_stall_the_run():
    """The SDK sleeps for as long as the header says."""
    time = VirtualTime()
    calls: list[Any] = []
    with pytest.raises(CallError):
        time.retries(total_seconds=75).call(failing(passing(retry_after=86_400), 9, calls))
    assert time.now <= 75


@pytest.mark.parametrize("deadline", [0.0, 5.0])
def test_no_wait_passes_the_deadline(deadline):
    time = VirtualTime()
    calls: list[Any] = []
    with pytest.raises(CallError):
        time.retries().call(failing(passing(retry_after=10), 9, calls), deadline=deadline)
    assert (len(calls), time.naps) == (1, [])


def test_what_will_not_pass_is_not_tried_again():
    for error in (CallError(FetchError(ErrorClass.PERMISSION, "x", 403)), OutOfTimeError(), KeyError("bug")):
        calls: list[Any] = []
        with pytest.raises(type(error)):
            VirtualTime().retries().call(failing(error, 9, calls))
        assert len(calls) == 1


def test_a_host_that_refuses_every_token_is_asked_three_times_at_once():
    time = VirtualTime()
    calls: list[Any] = []
    with pytest.raises(CallError):
        time.retries().call(failing(passing(ErrorClass.AUTH), 9, calls))
    assert len(calls) == 3
    assert time.now == 0


AUTH, SERVER = ErrorClass.AUTH, ErrorClass.SERVER


@pytest.mark.parametrize(
    "trouble",
    [
        [AUTH, SERVER, AUTH],
        [AUTH, SERVER, AUTH, SERVER, AUTH],
        [AUTH, AUTH],
        [SERVER] * 4 + [AUTH],
        [SERVER, AUTH, SERVER, AUTH, SERVER, AUTH, SERVER],
    ],
    ids=str,
)
def test_a_login_is_renewed_again_after_other_trouble(trouble):
    """Under faults and with tokens that end early, a call meets both; neither uses up the tries of the other."""
    calls, left = [], list(trouble)

    def attempt():
        calls.append(1)
        if left:
            raise passing(left.pop(0))
        return "answer"

    assert VirtualTime().retries().call(attempt) == "answer"
    assert len(calls) == len(trouble) + 1


@given(st.lists(st.sampled_from([AUTH, SERVER]), min_size=20, max_size=20))
def test_whatever_the_trouble_the_end_comes_soon(trouble):
    calls = []

    def attempt():
        calls.append(1)
        raise passing(trouble[len(calls) - 1])

    with pytest.raises(CallError):
        VirtualTime().retries(total_seconds=1e9).call(attempt)
    assert len(calls) <= 10


def test_a_new_token_is_tried_even_after_other_trouble():
    """A token that expires while a busy server is waited out must not end the call."""
    time = VirtualTime()
    calls: list[Any] = []
    trouble = [passing(), passing(ErrorClass.AUTH), passing()]

    def attempt():
        calls.append(1)
        if trouble:
            raise trouble.pop(0)
        return "answer"

    assert time.retries().call(attempt) == "answer"
    assert len(calls) == 4
