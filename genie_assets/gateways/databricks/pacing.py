"""How fast a workspace is asked: as fast as it allows, found out from its answers.

The allowed rate is documented nowhere. The pace grows while answers are good. A 429 shows about where the limit
is; the pace comes near to that slowly, from below, and with the second 429 the rate that is allowed can be worked
out (`allowance`). From then on the pace stays just below it, for long, and only then tries a little more (in the
shape of TCP's CUBIC). A limit that shows in the same place again is trusted for longer.

Who counts anew with each second or minute lets nothing through once it is full, however slowly it is asked. So
what is refused before anything got through again lowers no pace: one request at a time asks, less and less often,
and with the first answer the pace goes on. Three refusals show who counts by the seconds of its clock, and up to
what.

A refusal that asks for longer than a minute says nothing of requests per second: it is of a quota, or of the one
thing that was asked for. The pace is held for a moment, once in the time that the server names, and goes on as it
was.

To find the limit takes two 429s, and a server may ask for a second of silence after each: that is most of what may
be lost in the first minute. So what one run has settled on is where the next one begins.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

from genie_assets.domain.outcomes import LONGEST_WAIT_SECONDS
from genie_assets.gateways.databricks.allowance import (
    Estimate,
    Refusal,
    counted,
    counted_by_the_clock,
    measured,
    supposed,
)
from genie_assets.gateways.databricks.underway import Underway

SLOWEST, FASTEST = 0.05, 10_000.0  # requests per second
# Growth before the first 429. With each answer, so that it says as much of a low limit as of a high one.
_GROWTH_WITH_AN_ANSWER, _DOUBLING_SECONDS = 1 / 30, 0.22
_DOUBLING_AGAIN_SECONDS = 4.0  # growth once the limit is found to have moved up
_PLATEAU = 0.985  # where the pace settles, as a share of the rate that was refused
_SMALL_CUT, _DEEPEST_CUT = 0.06, 0.5
_SHORT_CLIMB_SECONDS, _FIRST_CLIMB_SECONDS, _LONGEST_CLIMB_SECONDS = 5.0, 20.0, 60.0
_CLIMB_FROM_A_KNOWN_PACE_SECONDS = 30.0
_PLACE_OF_A_NEW_LIMIT = 1.25  # on the climb, which passes the plateau at 0
_SAME_LIMIT = 0.08  # two refused rates that differ by less show the same limit
_GOOD_ANSWERS_BETWEEN_CUTS = 10
_FLOOD_SECONDS = 1.0  # for so long what led to a cut may decide what is let through after it
_FEW_GOOD_ANSWERS = 5  # before two 429s: the search has begun far above the limit
_MOST_REFUSALS_OF_A_SEARCH = 4
_REFUSALS_THAT_TELL = 3  # that a server counts by the clock; of two it is believed if that is faster
_KNOWN_WELL = 0.056  # error of the allowed rate, as a share of it
_NEAR = 0.5  # less than this share of the rate that was refused: of two refusals one was not by the limit
# How far below a rate that was worked out the pace stays: always, and with its error, shares of the rate.
_MARGIN, _MARGIN_FOR_AN_ERROR, _MOST_FOR_AN_ERROR = 0.0035, 0.25, 0.012
_LARGEST_DEPTH = 0.3
_REQUESTS_OF_AN_APPROACH = 70  # that are sent on the way up to a rate of which the error is
_ERROR_OF_THE_APPROACH = 0.125  # this; if it is larger, the way is shorter
_STAY_DEPTH, _STAY_SECONDS = 0.004, 50.0  # close below it, and a little above it for more than as long again
_FILLING_SECONDS = 0.5
_REMEMBERED = 1_000  # good answers: who lets more through in one go has no limit of requests per second
_TRUST = 0.7  # in the refused rate, rather than in what got through
_SEARCH_SECONDS = 15.0  # two cuts within that time mean that the limit is not yet known well
_PAUSE_FOR_A_LONG_ONE_SECONDS = 5.0  # if it is of a quota, the next refusals show it
# A thread that wakes up late does not lower the pace: so much of the delay is made up for, from what the server
# has saved up meanwhile. How much that is shows with the limit; the rest is for answers that pass each other.
_LATENESS_SECONDS, _MOST_LATENESS_SECONDS = 0.02, 0.25
_SHARE_OF_THE_SAVED = 0.5
# The first refusal at a rate that was let through for long is a stray one, of requests that came all at once.
_SAME_RATE, _STRAY_CUT = 0.01, 0.006  # shares of the rate
# While nothing gets through: one request at a time, and so long after the one before was refused.
_FIRST_PROBE_SECONDS, _GROWTH_OF_PROBES, _LONGEST_PROBE_SECONDS = 0.075, 1.5, 5.0
_LOOK_AGAIN_SECONDS = 0.05  # while too many are on their way and no answer comes


class PaceRule:
    """When the next request may leave. Pure: every time comes from the caller, in seconds of one clock.

    Args:
        rate: Requests per second to begin with.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._underway = Underway()
        self._next = float("-inf")  # when the next request may leave
        self._paused_until = float("-inf")
        self._left_alone_until = float("-inf")  # as the latest refusal asked that asked for long
        self._held_back = False  # whether the pace, not the work, was what limited lately
        self._cut_at = float("-inf")
        self._heeded_at = float("-inf")  # the latest refusal that was no echo of one before
        self._probe_seconds = 0.0  # the latest wait for a probe; 0 while answers get through
        self._good_since_cut = 0
        self._good_at: deque[float] = deque(maxlen=_REMEMBERED)  # since the last cut
        self._refusals: list[Refusal] = []
        self._is_searching = True
        self._is_well_known = False  # whether the limit was worked out
        self._forgives = False  # the first refusal after that
        self._lateness = _LATENESS_SECONDS
        self._plateau: float | None = None  # None until the first 429
        self._depth = _DEEPEST_CUT
        self._climb_seconds = _FIRST_CLIMB_SECONDS
        self._climbed = 0.0

    @property
    def settled(self) -> float | None:
        """The rate just below the limit, as far as it is known; None until the first 429."""
        return self._plateau

    def expect(self, settled: float) -> None:
        """Begin with the rate that was `settled` before, unless a limit has shown already."""
        if self._plateau is None:
            self._set_rate(settled)
            self._plateau, self._depth, self._is_searching = self.rate, _SMALL_CUT, False
            self._climb_seconds = self._climbed = _CLIMB_FROM_A_KNOWN_PACE_SECONDS

    def wait(self, now: float) -> float:
        """Seconds until the next request may leave; 0 means now."""
        wait = max(self._next, self._paused_until) - now
        if wait <= 0:
            return 0.0
        self._held_back = True
        return wait

    def take(self, now: float) -> None:
        """A request leaves now. Slots that nobody took in the past are gone: no burst follows a pause."""
        earliest = max(self._next, self._paused_until, now - self._lateness)
        is_first = self._next == float("-inf")
        self._underway.leaves(now)
        self._next = (now if is_first else earliest) + 1 / self.rate

    def is_full(self, now: float) -> bool:
        """Whether too many are on their way; then the next one waits until one is `back`."""
        if self._probe_seconds:
            return self._underway.are_any(now)
        can_be_made_up_for = self.rate * self._lateness if self._is_well_known else 0.0
        return self._underway.is_full(now, self.rate, can_be_made_up_for)

    def back(self, now: float, sent_at: float) -> None:
        """The request that left at `sent_at` was answered, or has failed."""
        if self.is_full(now):
            self._next = max(self._next, now)  # to make up for the wait would send more into the same crowd
        self._underway.is_back(now, sent_at)

    def good(self, now: float) -> None:
        """An answer came that was not 429. The pace grows, if it was the pace that held us back."""
        self._good_since_cut += 1
        self._probe_seconds = 0.0
        self._good_at.append(now)
        if not self._held_back or now < self._paused_until:
            return
        slot = 1 / self.rate
        if self.wait(now) <= 0:
            self._held_back = False
        if self._plateau is None:
            self._set_rate(self.rate * min(1 + _GROWTH_WITH_AN_ANSWER, 2 ** (slot / _DOUBLING_SECONDS)))
        else:
            self._climbed += slot
            place = self._climbed / self._climb_seconds - 1
            if place <= _PLACE_OF_A_NEW_LIMIT:
                self._set_rate(self._plateau * (1 + self._depth * place**3))
            else:
                self._set_rate(self.rate * 2 ** (slot / _DOUBLING_AGAIN_SECONDS))

    def refused(self, now: float, sent_at: float, retry_after: float | None = None) -> None:
        """An answer was 429.

        Args:
            now: When it came.
            sent_at: When its request had left. What left before the last cut says nothing about the new rate, nor
                does what left soon after it: the flood that led to the cut was still on its way before it.
            retry_after: Seconds for which the server asks to be left alone.
        """
        if retry_after and retry_after > LONGEST_WAIT_SECONDS:
            if now >= self._left_alone_until:
                self._left_alone_until = now + retry_after
                self._pause(now + _PAUSE_FOR_A_LONG_ONE_SECONDS)
            return
        if retry_after:
            self._pause(now + retry_after)
        on_the_way = now - sent_at
        if sent_at <= self._heeded_at + on_the_way:
            return
        self._heeded_at = now
        if self._good_since_cut == 0 and self._plateau is not None:
            self._probe(now)
            return
        # Only a pause fills up what can be saved up, and only then do two refusals compare.
        is_filled = (retry_after or 0.0) >= _FILLING_SECONDS
        self._is_searching = self._is_searching and is_filled and 0 < self._good_since_cut < _REMEMBERED
        self._cut(now)
        self._good_at.clear()
        self._cut_at, self._climbed, self._good_since_cut = now, 0.0, 0

    def _probe(self, now: float) -> None:
        """Ask less and less often, as nothing was let through since the last cut: no rate would have helped."""
        longer = max(_FIRST_PROBE_SECONDS, self._probe_seconds * _GROWTH_OF_PROBES)
        self._probe_seconds = min(longer, _LONGEST_PROBE_SECONDS)
        self._pause(now + self._probe_seconds)

    def _pause(self, until: float) -> None:
        self._paused_until = max(self._paused_until, until)

    def _cut(self, now: float) -> None:
        if not self._is_searching and now - self._cut_at > _SEARCH_SECONDS:
            self._refusals.clear()
        if self._good_at:
            self._refusals.append(Refusal(self.rate, [now - at for at in reversed(self._good_at)], now))
            del self._refusals[:-_MOST_REFUSALS_OF_A_SEARCH]
        by_clock = counted_by_the_clock(self._refusals[-_REFUSALS_THAT_TELL:])
        if self._is_searching and self._good_at:
            self._search(by_clock)
        elif by_clock and len(self._refusals) >= _REFUSALS_THAT_TELL:
            self._lateness = _LATENESS_SECONDS
            self._stay_around(by_clock.rate, _STAY_DEPTH, _STAY_SECONDS)
        else:
            self._cut_by_the_refused_rate(now)
        if self._plateau is not None:
            self._set_rate(self._plateau * (1 - self._depth))

    def _search(self, by_clock: Estimate | None) -> None:
        """Come nearer to the limit, and stay just below it once it is known well."""
        refusal = self._refusals[-1]
        before = self._refusals[-2] if len(self._refusals) > 1 else None
        if before is None or max(len(before.ages), len(refusal.ages)) < _FEW_GOOD_ANSWERS:
            found = supposed(refusal)
            requests = _REQUESTS_OF_AN_APPROACH * _ERROR_OF_THE_APPROACH / found.error
            self._stay_around(found.rate, found.error, requests / found.rate)
            return
        by_count = counted(before, refusal)
        found = by_count or measured(before, refusal)
        saved = min(each.saved_up(found.rate)[0] for each in (before, refusal)) / found.rate
        if (
            by_clock
            and not by_count
            and (len(self._refusals) >= _REFUSALS_THAT_TELL or by_clock.rate > found.rate)
        ):
            found, saved = by_clock, 0.0
        self._lateness = min(max(_LATENESS_SECONDS, _SHARE_OF_THE_SAVED * saved), _MOST_LATENESS_SECONDS)
        rate = found.rate * (1 - _MARGIN - min(_MARGIN_FOR_AN_ERROR * found.error, _MOST_FOR_AN_ERROR))
        is_known = by_count is not None or (found.error <= _KNOWN_WELL and found.rate > _NEAR * refusal.rate)
        self._is_searching = not is_known and len(self._refusals) < _MOST_REFUSALS_OF_A_SEARCH
        if self._is_searching:
            self._stay_around(rate, min(_LARGEST_DEPTH, found.error), _REQUESTS_OF_AN_APPROACH / found.rate)
        else:
            self._is_well_known = self._forgives = True
            self._stay_around(rate, _STAY_DEPTH, _STAY_SECONDS)

    def _stay_around(self, rate: float, depth: float, seconds: float) -> None:
        self._plateau, self._depth, self._climb_seconds = rate, depth, seconds

    def _cut_by_the_refused_rate(self, now: float) -> None:
        limit = self.rate * _PLATEAU
        self._lateness = max(_LATENESS_SECONDS, self._lateness / 2)  # less may be saved up than was believed
        if self._plateau is None:
            self._plateau, self._depth = limit, _DEEPEST_CUT
        elif self._good_since_cut < _GOOD_ANSWERS_BETWEEN_CUTS:
            self._cut_soon_again(now, limit)
        elif self._is_stray(now, self._plateau):
            self._forgives = False
            self._stay_around(self._plateau * (1 - _STRAY_CUT), _STAY_DEPTH, _STAY_SECONDS)
        elif abs(limit / self._plateau - 1) < _SAME_LIMIT:
            self._climb_seconds = min(2 * self._climb_seconds, _LONGEST_CLIMB_SECONDS)
            self._plateau, self._depth = limit, _SMALL_CUT
        else:
            self._climb_seconds = _FIRST_CLIMB_SECONDS
            self._plateau, self._depth = self._likely_limit(now) * _PLATEAU, _SMALL_CUT

    def _cut_soon_again(self, now: float, limit: float) -> None:
        # Once may be an echo of the last refusal; again means that the limit is lower than we believe.
        self._depth = min(_DEEPEST_CUT, 2 * self._depth)
        if self._depth <= 2 * _SMALL_CUT:
            return
        since = now - self._cut_at
        if since <= _FLOOD_SECONDS:  # it may still be an echo, and then much too deep
            self._plateau, self._climb_seconds = limit, _SHORT_CLIMB_SECONDS
        else:  # nobody need go below what got through
            self._plateau = min(limit, self._good_since_cut / since / (1 - self._depth))
            self._climb_seconds = _FIRST_CLIMB_SECONDS

    def _is_stray(self, now: float, plateau: float) -> bool:
        is_late = now - self._cut_at > _SEARCH_SECONDS
        return self._forgives and is_late and abs(self.rate / plateau - 1) < _SAME_RATE

    def _likely_limit(self, now: float) -> float:
        """Where the limit is, while it is searched for.

        The refused rate is above it. What got through since the last cut is below it, if that was not long ago:
        then as now, the server had nothing left to give.
        """
        since = now - self._cut_at
        if since > _SEARCH_SECONDS:
            return self.rate
        got_through = min(self.rate, self._good_since_cut / since)
        return _TRUST * self.rate + (1 - _TRUST) * got_through

    def _set_rate(self, rate: float) -> None:
        self.rate = min(max(rate, SLOWEST), FASTEST)


class Pacer:
    """The pace of one workspace, shared by its threads.

    Args:
        rate: Requests per second to begin with.
        clock: Monotonic seconds.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        rate: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rule = PaceRule(rate)
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._came_back = threading.Condition(self._lock)
        self._got_through = 0
        # One thread at a time waits for the next slot; the others queue here and hold no slot of an old rate.
        self._turnstile = threading.Lock()

    @property
    def rate(self) -> float:
        """The present rate, requests per second."""
        with self._lock:
            return self._rule.rate

    @property
    def settled(self) -> float | None:
        """The rate on which it has settled, requests per second; None while no limit is known."""
        with self._lock:
            return self._rule.settled

    def expect(self, settled: float) -> None:
        """Begin with the rate on which an earlier run has settled, unless a limit has shown already."""
        with self._lock:
            self._rule.expect(settled)

    def acquire(self, deadline: float | None = None) -> float | None:
        """Wait for the next slot. Returns its time, or None if it would come after `deadline` (clock seconds).

        Whoever got a slot tells `back`, however its request ends.
        """
        patience = -1.0 if deadline is None else max(0.0, deadline - self._clock())
        if not self._turnstile.acquire(timeout=min(patience, threading.TIMEOUT_MAX)):
            return None
        try:
            while True:
                with self._lock:
                    now = self._clock()
                    wait = self._rule.wait(now)
                    if deadline is not None and now + wait >= deadline:
                        return None
                    if self._rule.is_full(now):
                        self._came_back.wait(_LOOK_AGAIN_SECONDS)
                        continue
                    if wait <= 0:
                        self._rule.take(now)
                        return now
                self._sleep(wait)
        finally:
            self._turnstile.release()

    def back(self, sent_at: float) -> None:
        """Tell that the request which left at `sent_at` was answered, or has failed."""
        with self._lock:
            self._rule.back(self._clock(), sent_at)
            self._came_back.notify()

    @property
    def got_through(self) -> int:
        """How many answers came that were not 429."""
        with self._lock:
            return self._got_through

    def good(self) -> None:
        """Tell that an answer came that was not 429."""
        with self._lock:
            self._got_through += 1
            self._rule.good(self._clock())

    def refused(self, sent_at: float, retry_after: float | None = None) -> None:
        """Tell that the request which left at `sent_at` was answered 429; `retry_after` in seconds, if named."""
        with self._lock:
            self._rule.refused(self._clock(), sent_at, retry_after)
