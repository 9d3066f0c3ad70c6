"""How much a server allows, worked out from what it had let through before it refused.

Who allows `rate` requests a second, and lets some be saved up while they are not used, has let through what had
been saved up and `rate` for each second since. One refusal says how these two go together, as a line: the more had
been saved up, the lower is the rate. Two refusals after times of different length say both: where the lines meet.
Who counts the requests of the last second saves up nothing, and has let through as many before either refusal.
Who counts anew with each second of the clock has let through as many since the second began, before every refusal.
Nothing here is certain, as limits may work in other ways; so each result comes with an error, and bounds.
"""

import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# What is supposed of what had been saved up, as long as there is one refusal only: five requests, or this time's.
_USUAL_REQUESTS, _USUAL_SECONDS = 4.8, 0.075
_UNSURE_REQUESTS = 4.0  # so far off may that be
_LOWEST_SHARE, _LEAST_ERROR, _LARGEST_ERROR = 1 / 3, 0.11, 0.38  # of a rate that one refusal tells
_MOST_SAVED_SECONDS = 1.0  # more is not saved up by who limits requests per second
_LIKELY_SAVED_SECONDS = 0.1  # where two rates would do
_MEASURED_REQUESTS = 0.27  # so exactly is known what had been saved up
_LEAST_COUNTED = 5  # requests of a second: fewer are the same by chance
_GAP_SECONDS = 0.4  # without a good answer: a pause
_UNLIKE = 0.2  # times that differ by more, as a logarithm, are not the same by chance
_CROWDED = 0.015  # share of the requests of a second by which delays on the way crowd one now and then
_MANY_COUNTED = 10  # of so many, one may be counted in the second beside its own
_PHASES, _SECONDS_LOOKED_AT = 100, 15  # when a second may begin, and how many before it are looked at
_LEAST_TO_COMPARE = 2
_ALIKE_ERROR = 0.06  # of what had been saved up, where it may as well be that nothing was
_STEPS = 50
_HALVINGS = 25


@dataclass(frozen=True)
class Estimate:
    """A rate that a server seems to allow, requests per second, and how far off it may be, as a share of it."""

    rate: float
    error: float


@dataclass(frozen=True)
class Refusal:
    """A refusal after some good answers.

    Attributes:
        rate: At which requests were sent when it came, per second.
        ages: How long before it the good answers had come, seconds, the latest first; at least one.
        at: When it came, seconds of any clock.
    """

    rate: float
    ages: Sequence[float]
    at: float = 0.0

    def saved_up(self, rate: float) -> tuple[float, float]:
        """How many requests had been saved up if the server allows `rate`, and since when they were used, seconds.

        Half a request is added, or less, for what was left when it refused: less than one, and more than has come
        since the answer before.
        """
        saved, since = max((count - rate * age, age) for count, age in enumerate(self.ages, 1))
        return max(0.0, saved) + (1 + min(1.0, rate * self.ages[0])) / 2, since

    @property
    def of_a_second(self) -> Sequence[float]:
        """The ages of the good answers in the second before it, without those from before a pause."""
        gaps = (later - age for age, later in itertools.pairwise(self.ages))
        in_one_go = next((count for count, gap in enumerate(gaps, 1) if gap > _GAP_SECONDS), len(self.ages))
        return [age for age in self.ages[:in_one_go] if age <= 1]

    def began(self, phase: float) -> float:
        """When the second began in which it came, by a clock whose seconds begin at `phase`, a share of one."""
        return self.at - ((self.at - phase) % 1 or 1.0)

    def before(self, time: float) -> int:
        """How many of the good answers had come before that time."""
        return len(self.ages) - bisect_left(self.ages, self.at - time)

    def by_seconds(self, phase: float) -> tuple[int, int]:
        """The good answers of its own second, by such a clock, and of that second before which had the most."""
        age = self.at - self.began(phase)
        before = min(max(0, math.ceil(self.ages[-1] - age)), _SECONDS_LOOKED_AT)
        counts = [bisect_left(self.ages, age + second) for second in range(before + 1)]
        return counts[0], max((later - count for count, later in itertools.pairwise(counts)), default=0)

    @property
    def least(self) -> float:
        """A rate that the server allows at least, if no more than a second's worth could be saved up."""
        return self.rate_of(lambda rate: rate * _MOST_SAVED_SECONDS)

    def rate_of(self, saved_up: Callable[[float], float]) -> float:
        """The rate that goes with what had been saved up, which may itself depend on the rate."""
        low, high = 0.0, self.rate
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.saved_up(middle)[0] > saved_up(middle) else (low, middle)
        return (low + high) / 2


def supposed(refusal: Refusal) -> Estimate:
    """What one refusal tells, if about as much had been saved up as is usual."""
    few = len(refusal.ages) / 2 + 1
    rate = refusal.rate_of(lambda rate: min(max(_USUAL_REQUESTS, _USUAL_SECONDS * rate), few))
    rate = max(rate, _LOWEST_SHARE * refusal.rate)
    _, since = refusal.saved_up(rate)
    error = _UNSURE_REQUESTS / (rate * max(since, 0.01))
    return Estimate(rate, min(max(error, _LEAST_ERROR), _LARGEST_ERROR))


def counted(before: Refusal, refusal: Refusal) -> Estimate | None:
    """What two refusals tell if the server counts the requests of the last second; None if it seems not to.

    Then as many had been let through in the second before either, whether they took half of it or all. Of what had
    been saved up, two such refusals tell nonsense.
    """
    if not _are_alike(before, refusal):
        return None
    took, took_before = refusal.of_a_second[-1], before.of_a_second[-1]
    if abs(math.log(took / took_before)) < _UNLIKE:
        return None
    return Estimate(len(refusal.of_a_second) * (1 - _CROWDED), 0.0)


def _are_alike(before: Refusal, refusal: Refusal) -> bool:
    return len(before.of_a_second) == len(refusal.of_a_second) >= _LEAST_COUNTED


def counted_by_the_clock(refusals: Sequence[Refusal]) -> Estimate | None:
    """What refusals tell if the server counts anew with each second of its clock; None if it seems not to.

    Then as many had been let through since the second began in which one came, each time, and no more in any
    second before. When seconds begin is found by trying. Two refusals may fit by chance, three hardly do.

    Args:
        refusals: In their order, each with the good answers since the one before.
    """
    if len(refusals) < _LEAST_TO_COMPARE:
        return None
    fits = [fit for step in range(_PHASES) if (fit := _fit_by_the_clock(refusals, step / _PHASES))]
    if not fits:
        return None
    least_unlike = min(fits)[0]
    rates = [rate for unlike, rate in fits if unlike == least_unlike]
    return Estimate(sum(rates) / len(rates) * (1 - _CROWDED), 0.0)


def _fit_by_the_clock(refusals: Sequence[Refusal], phase: float) -> tuple[int, float] | None:
    """By how many requests the refusals' seconds differ, and how many were let through in one; None: no fit."""
    counts, before = zip(*(refusal.by_seconds(phase) for refusal in refusals), strict=True)
    most, unlike = max(counts), max(counts) - min(counts)
    by_chance = _CROWDED * most + (most >= _MANY_COUNTED)
    # Who counts so refuses whatever comes later in such a second, and nothing that comes more slowly.
    too_soon = max(other.before(one.began(phase) + 1) for one, other in itertools.pairwise(refusals))
    is_possible = (
        too_soon <= by_chance and _LEAST_COUNTED <= most < refusals[-1].rate and max(before) <= most + by_chance
    )
    return (unlike, sum(counts) / len(counts)) if is_possible and unlike <= by_chance else None


def measured(before: Refusal, refusal: Refusal) -> Estimate:
    """What two refusals tell, between which all that can be saved up had been saved up again."""
    low = min(max(before.least, refusal.least), 0.98 * refusal.rate)
    tried = [low + (refusal.rate - low) * step / _STEPS for step in range(_STEPS + 1)]
    differences = [refusal.saved_up(rate)[0] - before.saved_up(rate)[0] for rate in tried]
    meetings = [
        at + (then - at) * here / (here - there)
        for (at, here), (then, there) in itertools.pairwise(zip(tried, differences, strict=True))
        if (here > 0) != (there > 0)
    ]
    if meetings:
        rate = min(meetings, key=lambda each: _strangeness(refusal, each))
    else:
        rate = min(zip(tried, differences, strict=True), key=lambda each: abs(each[1]))[0]
    unlike = [each for each, by in zip(tried, differences, strict=True) if abs(by) > _MEASURED_REQUESTS]
    lowest = max((each for each in unlike if each < rate), default=low)
    highest = min((each for each in unlike if each > rate), default=refusal.rate)
    error = max(rate - lowest, highest - rate) / rate
    return Estimate(rate, max(error, _ALIKE_ERROR) if _are_alike(before, refusal) else error)


def _strangeness(refusal: Refusal, rate: float) -> float:
    return abs(math.log(refusal.saved_up(rate)[0] / (_LIKELY_SAVED_SECONDS * rate)))
