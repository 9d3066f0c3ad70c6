"""The pace against a simulated server, on a virtual clock: what it lets through is saved up, or counted."""

import heapq
import itertools
import random
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.gateways.databricks.allowance import Refusal, counted_by_the_clock, measured
from genie_assets.gateways.databricks.pacing import FASTEST, SLOWEST, Pacer, PaceRule
from genie_assets.gateways.databricks.underway import MOST_AT_ONCE, Underway


class Server:
    """Answers what its bucket of tokens has, or what there is room for in its window.

    A window ends now, or has begun with a second or minute of the server's clock, which is `clock` ahead of ours.
    """

    def __init__(self, burst, window, stall, clock):
        self._burst, self._window, self._stall, self._dice = burst, window, stall, random.Random(8)
        self._clock = clock
        self._stalls: dict[int, float] = {}  # when it begins, by second
        self._tokens, self._filled_at = burst, 0.0
        self._let_through: deque[float] = deque()

    def awake(self, now):
        """When it looks at what arrives now."""
        begins = self._stalls.setdefault(int(now), now + self._dice.random() * (1 - self._stall))
        return begins + self._stall if begins <= now < begins + self._stall else now

    def answers(self, now, limit):
        if self._window:
            since = now - self._window if self._clock is None else now - (now + self._clock) % self._window
            while self._let_through and self._let_through[0] <= since:
                self._let_through.popleft()
            good = len(self._let_through) < limit * self._window
            self._let_through.extend([now] * good)
            return good
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * limit)
        self._filled_at, good = now, self._tokens >= 1
        self._tokens -= good
        return good


class Naps:
    """Times in which nobody of us is awake: about two a second, of `longest` seconds at most."""

    def __init__(self, longest):
        self._longest, self._dice = longest, random.Random(11)
        self._until, self._next = 0.0, self._dice.expovariate(2) if longest else float("inf")

    def awake(self, now):
        """When what happens now is noticed."""
        if now >= self._next:
            self._until = now + self._dice.random() * self._longest
            self._next = self._until + self._dice.expovariate(2)
        return max(now, self._until)


@dataclass
class Simulation:
    """`threads` workers that ask a server as fast as the pace lets them."""

    limit: float
    burst: float
    latency: float
    retry_after: float | None = None
    start: float = 50.0
    settled: float | None = None  # by an earlier run
    jitter: float = 0.0
    threads: int = 0
    limit_later: tuple[float, float] | None = None  # (from second, limit)
    window: float = 0.0  # seconds of which the requests are counted, instead of a bucket
    clock: float | None = None  # of a server that counts anew when they are over: how far it is ahead, seconds
    stall: float = 0.0  # once in each second, at random, the server does nothing for so many seconds
    naps: float = 0.0  # seconds for which none of us is awake, at most
    answers: list[tuple[float, bool]] = field(default_factory=list)

    def run(self, seconds):
        rule, dice = PaceRule(self.start), random.Random(7)
        if self.settled is not None:
            rule.expect(self.settled)
        idle = self.threads or max(16, int(self.limit * self.latency * 1.5) + 2)
        server, number = Server(self.burst, self.window, self.stall, self.clock), itertools.count()
        events: list[tuple[float, int, str, Any]] = [(0.0, next(number), "ask", None)]
        asking, naps = True, Naps(self.naps)
        while events:
            now, _, what, about = heapq.heappop(events)
            if now > seconds:
                break
            if (later := (server if what == "arrive" else naps).awake(now)) > now:
                heapq.heappush(events, (later, next(number), what, about))
                continue
            if what == "arrive":
                good = server.answers(now, self._limit(now))
                self.answers.append((now, good))
                heapq.heappush(events, (now + self.latency / 2, next(number), "answer", (good, about)))
                continue
            if what == "answer":
                good, sent_at = about
                idle += 1
                rule.back(now, sent_at)
                rule.good(now) if good else rule.refused(now, sent_at, self.retry_after)
                if asking:
                    continue
            asking = idle > 0 and not rule.is_full(now)
            wait = rule.wait(now) if asking else 0.0
            if not asking:
                continue
            if wait > 0:
                heapq.heappush(events, (now + wait + 1e-9, next(number), "ask", None))
                continue
            rule.take(now)
            idle -= 1
            arrival = now + self.latency / 2 + dice.random() * self.jitter
            heapq.heappush(events, (arrival, next(number), "arrive", now))
            heapq.heappush(events, (now, next(number), "ask", None))
        self.settled = rule.settled
        return self

    def _limit(self, now):
        return self.limit_later[1] if self.limit_later and now >= self.limit_later[0] else self.limit

    def share(self, start, end):
        """Good answers, as a share of what was allowed, and 429s as a share of all."""
        good = [good for at, good in self.answers if start <= at < end]
        allowed = self._limit((start + end) / 2) * (end - start)
        return sum(good) / allowed, 1 - sum(good) / max(1, len(good))


@pytest.mark.parametrize("retry_after", [None, 1.0])
@pytest.mark.parametrize("latency", [0.02, 0.3])
@pytest.mark.parametrize(
    ("limit", "burst"), [(5, 1), (5, 5), (20, 2), (50, 1), (50, 5), (50, 50), (200, 20), (200, 200)]
)
def test_nearly_all_that_is_allowed_is_used_and_little_is_refused(limit, burst, latency, retry_after):
    """Additive increase with halving saws between half and all of the limit, a quarter of it lost."""
    share, refused = Simulation(limit, burst, latency, retry_after).run(240).share(60, 240)
    assert share >= 0.95
    assert refused < 0.02


@pytest.mark.parametrize("retry_after", [None, 1.0])
@pytest.mark.parametrize("latency", [0.005, 0.02, 0.1])
@pytest.mark.parametrize("burst_seconds", [0.1, 0.25, 1])
@pytest.mark.parametrize("limit", [20, 50, 200])
def test_the_first_minute_is_used_too_but_for_what_the_server_asks_to_be_left_alone(
    limit, burst_seconds, latency, retry_after
):
    """A refusal that was the echo of the flood before the last cut was taken for a lower limit."""
    simulation = Simulation(limit, max(5, limit * burst_seconds), latency, retry_after, jitter=latency / 5).run(61)
    share, refused = simulation.share(0, 60)
    refusals = [at for at, good in simulation.answers if not good]
    pauses = sum(later - at > 0.5 for at, later in itertools.pairwise([-9.0, *refusals])) * (retry_after or 0)
    assert share * 60 / (60 - pauses) >= 0.95
    assert refused < 0.03


@pytest.mark.parametrize("latency", [0.005, 0.02])
@pytest.mark.parametrize("burst_seconds", [0.1, 0.25, 1])
@pytest.mark.parametrize("limit", [20, 50, 200])
def test_a_first_run_finds_the_limit_with_two_refusals(limit, burst_seconds, latency):
    """Three or four, and the seconds that the server asks for after each, were up to an eighth of the minute."""
    simulation = Simulation(limit, max(5, limit * burst_seconds), latency, retry_after=1, jitter=latency / 5)
    share, refused = simulation.run(61).share(0, 60)
    assert share >= 0.95
    assert refused < 0.02


@pytest.mark.parametrize("limit", [20, 50, 200])
def test_the_sandboxes_bucket_of_five_is_found_by_a_first_run(limit):
    share, refused = Simulation(limit, 5, 0.005, retry_after=1, jitter=0.001).run(61).share(0, 60)
    assert share >= 0.95
    assert refused < 0.02


@pytest.mark.parametrize("limit", [10, 30, 75, 90, 150, 400])
@pytest.mark.parametrize("burst_seconds", [0.1, 0.25, 1])
def test_limits_for_which_nothing_was_tuned_are_found_nearly_as_well(limit, burst_seconds):
    simulation = Simulation(limit, max(5, limit * burst_seconds), 0.02, retry_after=1, jitter=0.004)
    assert simulation.run(61).share(0, 60)[0] >= 0.93


@pytest.mark.parametrize("latency", [0.005, 0.02, 0.05])
@pytest.mark.parametrize("limit", [20, 50, 200])
def test_who_counts_the_requests_of_the_last_second_is_found_out_too(limit, latency):
    """What had been saved up was worked out although nothing had: a quarter of the limit was lost for minutes."""
    simulation = Simulation(limit, 1e9, latency, retry_after=1, jitter=latency / 5, window=1).run(120)
    assert simulation.share(0, 60)[0] >= 0.94
    share, refused = simulation.share(60, 120)
    assert share >= 0.96
    assert refused < 0.01


@pytest.mark.parametrize(("window", "share", "refused"), [(1, 0.95, 0.02), (60, 0.6, 0.04)])
@pytest.mark.parametrize("limit", [20, 50, 200])
def test_who_counts_the_requests_of_a_window_does_not_mislead_the_search(limit, window, share, refused):
    """A window of a minute is full for long: what was worked out from it took the pace to nothing."""
    simulation = Simulation(limit, 1e9, 0.05, retry_after=1, jitter=0.01, window=window).run(300)
    found, of_all = simulation.share(120, 300)
    assert found >= share - 0.2 * (window == 60 and limit == 200)
    assert of_all < refused + 0.02 * (window == 60 and limit == 20)


@pytest.mark.parametrize("retry_after", [None, 1.0])
@pytest.mark.parametrize("clock", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("limit", [20, 50, 200])
def test_who_counts_by_the_seconds_of_its_clock_is_found_out_within_the_first_minute(limit, clock, retry_after):
    """Each refusal in the rest of a full second halved the pace again: a tenth of the minute was used."""
    simulation = Simulation(limit, 1e9, 0.02, retry_after, jitter=0.004, window=1, clock=clock)
    share, refused = simulation.run(61).share(0, 60)
    assert share >= 0.94
    assert refused < 0.03


@pytest.mark.parametrize("retry_after", [None, 1.0])
def test_what_is_allowed_in_a_minute_is_used_in_every_minute(retry_after):
    """The pace was nothing at the end of a minute that was used up, and half of the next one was lost."""
    simulation = Simulation(20, 1e9, 0.05, retry_after, jitter=0.01, window=60, clock=30).run(180)
    share, refused = simulation.share(30, 150)
    assert share >= 0.99
    assert refused < 0.05


@pytest.mark.parametrize("phase", [0.0, 0.37, 0.99])
@pytest.mark.parametrize("limit", [5, 20, 200])
def test_three_refusals_tell_who_counts_by_the_seconds_of_its_clock(limit, phase):
    def refusal(second, takes, few_before):
        """After `limit` answers in a part of that second, and as many in a part of the second before."""
        times = [second - 1 + at / few_before for at in range(few_before)]
        times += [second + takes * at / limit for at in range(limit)]
        return Refusal(limit / takes, [second + takes - at for at in reversed(times)], phase + second + takes)

    first, second, third = refusal(3, 0.45, limit // 5), refusal(7, 0.8, limit // 4), refusal(12, 0.65, limit // 3)
    found = counted_by_the_clock([first, second, third])
    assert found is not None
    assert found.rate == pytest.approx(limit, rel=0.03)
    # Who counts so refuses nothing that comes more slowly, and counts no second twice.
    assert counted_by_the_clock([first, second, replace(third, rate=limit / 2)]) is None
    assert counted_by_the_clock([first, second, replace(second, at=second.at + 0.1)]) is None
    assert counted_by_the_clock([third]) is None


def test_while_nothing_gets_through_one_request_at_a_time_asks_less_and_less_often():
    """A server that lets nothing through for a moment took the pace to nothing."""
    rule = PaceRule(100)
    rule.good(0.9)
    rule.refused(1.0, sent_at=0.9)
    rate, now, waits = rule.rate, 1.2, []
    for _ in range(20):
        rule.take(now)
        rule.refused(now + 0.01, sent_at=now)
        assert rule.is_full(now + 0.01)
        rule.back(now + 0.01, now)
        assert not rule.is_full(now + 0.01)
        waits.append(rule.wait(now + 0.01))
        now += 0.01 + waits[-1]
    assert all(later >= wait - 1e-9 for wait, later in itertools.pairwise(waits))
    assert waits[0] < 0.1
    assert waits[-1] == pytest.approx(5)
    assert rule.rate == rate
    rule.good(now)
    rule.take(now)
    assert not rule.is_full(now)


@given(
    rate=st.floats(5, 300), saved=st.integers(2, 40), above=st.tuples(st.floats(1.05, 1.3), st.floats(2.0, 4.0))
)
def test_two_refusals_tell_what_is_allowed(rate, saved, above):
    """Whatever had been saved up: two lengths of time, two unknowns."""

    def refusal(times):
        sent, left, answers = 0.0, float(saved), []
        while left >= 1:
            left -= 1
            answers.append(sent)
            sent += 1 / (rate * times)
            left = min(saved, left + 1 / times)
        return Refusal(rate * times, [sent - at for at in reversed(answers)])

    slow, fast = (refusal(times) for times in above)
    saved_seconds = saved / rate
    if saved_seconds < 0.9:
        found = measured(fast, slow)
        # Rates are tried in steps, so that the error itself is known to a step.
        assert abs(found.rate / rate - 1) <= max(0.05, found.error + 0.02)


@pytest.mark.parametrize("minutes", [1 / 3, 2.5])
@pytest.mark.parametrize("latency", [0.005, 0.3])
@pytest.mark.parametrize("burst_seconds", [0.1, 0.25])
@pytest.mark.parametrize("limit", [20, 50, 200])
def test_a_run_that_knows_what_an_earlier_one_settled_on_uses_its_first_minute(
    limit, burst_seconds, latency, minutes
):
    """Every run has to search otherwise, and each 429 of the search costs the second that the server asks for."""
    server = Simulation(limit, max(5, limit * burst_seconds), latency, retry_after=1, jitter=latency / 5)
    server.run(minutes * 60)
    server.answers.clear()
    share, refused = server.run(61).share(0, 60)
    assert share >= 0.95
    assert refused < 0.02


@pytest.mark.parametrize("stall", [0.03, 0.06])
def test_what_arrives_at_once_after_a_stall_is_no_more_than_a_small_allowance(stall):
    """A client that knew the limit, and sent one percent less, was refused 15 times a minute on a busy machine."""
    simulation = Simulation(200, 5, 0.004, retry_after=1, settled=190, stall=stall, threads=16).run(61)
    assert sum(not good for _, good in simulation.answers) <= 1
    assert simulation.share(0, 60)[0] >= 0.9 * (1 - stall)


def test_slow_answers_do_not_hold_back_others_for_long():
    underway = Underway()
    for number in range(20):
        underway.leaves(0.0)
        assert not underway.is_full(0.0, rate=100)
        underway.is_back(0.001 * number, 0.0)
    for _ in range(MOST_AT_ONCE):
        assert not underway.is_full(1.0, rate=100)
        underway.leaves(1.0)
    assert underway.is_full(1.1, rate=100)
    assert not underway.is_full(1.3, rate=100)


def test_a_stall_does_not_let_more_be_on_their_way():
    """What stalled took long, and with the mean of that the next stall sent more at once."""
    underway = Underway()
    for took in [0.0] + [0.002] * 50 + [0.05] * MOST_AT_ONCE + [0.002] * 20 + [0.05] * MOST_AT_ONCE:
        underway.leaves(1.0)
        underway.is_back(1.0 + took, 1.0)
    for _ in range(MOST_AT_ONCE):
        underway.leaves(2.0)
    assert underway.is_full(2.0, rate=200)


@pytest.mark.parametrize("now", [15, 150])
def test_a_limit_that_has_moved_between_two_runs_is_found_again(now):
    simulation = Simulation(now, 10, 0.1, retry_after=1, settled=50, threads=40).run(240)
    share, refused = simulation.share(140, 240)
    assert share >= 0.9
    assert refused < 0.02


def test_what_is_expected_does_not_outweigh_what_has_shown():
    rule = PaceRule(100)
    assert rule.settled is None
    rule.refused(1.0, sent_at=0.9)
    rate, settled = rule.rate, rule.settled
    rule.expect(10)
    assert (rule.rate, rule.settled) == (rate, settled)


@settings(max_examples=15, deadline=None)
@given(
    limit=st.integers(5, 120),
    burst_share=st.floats(0.1, 1),
    latency=st.floats(0.01, 0.4),
    retry_after=st.sampled_from([None, 1.0]),
    start=st.floats(1, 300),
)
def test_any_limit_is_found_from_any_start(limit, burst_share, latency, retry_after, start):
    burst = max(2.0, limit * burst_share)
    share, refused = Simulation(limit, burst, latency, retry_after, start).run(200).share(80, 200)
    assert share >= 0.91
    assert refused < 0.02


def test_uneven_delays_on_the_way_do_not_unsettle_it():
    share, refused = Simulation(50, 10, 0.1, retry_after=1, jitter=0.04).run(240).share(60, 240)
    assert share >= 0.95
    assert refused < 0.02


@pytest.mark.parametrize("later", [15, 150])
def test_a_limit_that_moves_is_found_again(later):
    simulation = Simulation(50, 10, 0.1, retry_after=1, threads=40, limit_later=(60, later)).run(400)
    share, refused = simulation.share(300, 400)
    assert share >= 0.9
    assert refused < 0.02


def test_without_a_limit_the_pace_is_soon_out_of_the_way():
    simulation = Simulation(1e9, 1e9, latency=0.1, threads=400).run(4)
    in_third_second = sum(1 for at, _ in simulation.answers if 2 <= at < 3)
    assert in_third_second >= 1000


def test_the_pace_does_not_grow_while_it_is_not_what_limits():
    """Grown without being used, it would answer the next rise of work with a flood."""
    rule = PaceRule(50)
    for turn in range(1000):
        rule.wait(turn * 1.0)
        rule.take(turn * 1.0)
        rule.good(turn + 0.5)
    assert rule.rate == 50


def test_a_pause_holds_for_everybody_and_no_burst_follows_it():
    rule = PaceRule(10)
    rule.take(0.0)
    rule.refused(0.2, sent_at=0.0, retry_after=3)
    assert rule.wait(0.2) == pytest.approx(3)
    leaving, now = [], 3.2
    while now < 4.2:
        wait = rule.wait(now)
        if wait <= 0:
            rule.take(now)
            leaving.append(now)
        now += max(wait, 1e-6)
    assert len(leaving) <= rule.rate + 1


def test_a_storm_of_refusals_that_ask_for_hours_holds_the_pace_once_and_does_not_slow_it():
    rule = PaceRule(50)
    for turn in range(100):
        rule.take(10.0 * turn)
        rule.refused(10.0 * turn + 0.1, sent_at=10.0 * turn, retry_after=3600)
        assert (rule.wait(10.0 * turn + 0.1) > 1) is (turn == 0)
    assert rule.rate == 50
    rule.refused(3700.0, sent_at=3699.9, retry_after=3600)
    assert 1 < rule.wait(3700.0) <= 5


def test_answers_to_requests_of_the_old_pace_do_not_slow_down_the_new_one():
    rule = PaceRule(100)
    rule.refused(1.0, sent_at=0.9)
    rate = rule.rate
    for _ in range(50):
        rule.refused(1.1, sent_at=0.95)
    assert rule.rate == rate


@given(st.lists(st.tuples(st.sampled_from(["take", "good", "bad"]), st.floats(0, 100)), max_size=200))
def test_the_pace_stays_between_its_bounds_whatever_happens(events):
    rule, now = PaceRule(50), 0.0
    for what, step in events:
        now += step
        if what == "take":
            rule.wait(now)
            rule.take(now)
        elif what == "good":
            rule.good(now)
        else:
            rule.refused(now, sent_at=now - 0.1, retry_after=step)
        assert SLOWEST <= rule.rate <= FASTEST
        assert 0 <= rule.wait(now) <= max(60.0, 1 / rule.rate) + 1 / SLOWEST


class VirtualClock:
    def __init__(self):
        self.now, self.lock = 0.0, threading.Lock()

    def __call__(self):
        with self.lock:
            return self.now

    def sleep(self, seconds):
        with self.lock:
            self.now += seconds


def test_threads_share_one_pace():
    clock = VirtualClock()
    slots: list[float] = []
    pacer = Pacer(10, clock=clock, sleep=clock.sleep)
    threads = [threading.Thread(target=lambda: slots.extend(pacer.acquire() for _ in range(25))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    slots.sort()
    assert len(slots) == 200
    assert slots[-1] - slots[0] == pytest.approx(199 / 10, rel=0.01)


def test_nobody_waits_for_a_slot_beyond_the_deadline():
    clock = VirtualClock()
    pacer = Pacer(1, clock=clock, sleep=clock.sleep)
    assert pacer.acquire(deadline=1) == 0
    assert pacer.acquire(deadline=0.5) is None
    pacer.refused(sent_at=0.0, retry_after=30)
    assert pacer.acquire(deadline=20) is None
    assert clock.now == 0
    assert pacer.acquire(deadline=31) == pytest.approx(30)


@pytest.mark.parametrize("limit", [50, 200])
def test_threads_that_wake_up_late_waste_little_of_what_the_server_has_saved_up(limit):
    """What could not be made up for was lost, and the pace cut after each of the refusals that followed."""
    simulation = Simulation(limit, limit / 4, 0.01, retry_after=1, naps=0.1).run(240)
    first, _ = simulation.share(0, 60)
    later, refused = simulation.share(60, 240)
    assert first >= 0.945
    assert later >= 0.95
    assert refused < 0.01
