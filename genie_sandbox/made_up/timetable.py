"""When people ask: weekdays, office hours, conversations of several turns, and the special ones."""

import datetime as dt
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from genie_sandbox.made_up.world import Person, Room, World
from genie_sandbox.randomness import DAY, HOUR, MINUTE, SECOND

_WEEKDAYS = (1.0, 1.1, 1.1, 1.05, 0.9, 0.15, 0.1)
_HOURS = (0, 0, 0, 0, 0, 0, 1, 4, 9, 12, 12, 9, 6, 9, 11, 10, 8, 5, 3, 2, 1, 1, 0.5, 0.2)  # local time
_LENGTHS = (22, 14, 13, 12, 10, 8, 6, 4, 3, 2, 2, 1, 1, 1, 0.5, 0.5)  # weight of 1, 2, 3, … messages
_MEAN_LENGTH = sum((i + 1) * w for i, w in enumerate(_LENGTHS)) / sum(_LENGTHS)
_QUIET = 10 * MINUTE  # nobody asks in the last minutes before the anchor, so that all answers are there


@dataclass(frozen=True)
class Window:
    """The time in which things happen: [first, anchor) in ms."""

    first: int
    anchor: int

    @property
    def last(self) -> int:
        """Latest moment for a question."""
        return self.anchor - _QUIET

    def clip(self, moment: float) -> int:
        """The moment of the window that is nearest to `moment`."""
        return int(min(max(moment, self.first), self.last))


def window(anchor: dt.datetime, days: int) -> Window:
    """The window of `days` UTC days that ends at the anchor.

    Raises:
        ValueError: the anchor has no time zone, or it leaves less than an hour.
    """
    if anchor.tzinfo is None:
        raise ValueError("anchor needs a time zone")
    end = int(anchor.timestamp() * 1000)
    first = end - end % DAY - (days - 1) * DAY
    if days < 1 or end - first < HOUR:
        raise ValueError("days and anchor leave less than an hour for any activity")
    return Window(first, end)


@dataclass(frozen=True)
class Plan:
    """A conversation to be: who asks where and when. `role` names the special ones."""

    room: Room
    person: Person
    times: tuple[int, ...]
    role: str = "plain"


def plan_conversations(rng: random.Random, world: World, period: Window, messages: int, late: float) -> list[Plan]:
    """Conversations with about `messages` messages; a share `late` of them shows up only after the anchor."""
    special = list(_special_plans(rng, world, period, messages, late))
    left = messages - sum(len(plan.times) for plan in special)
    starts = _Starts(period)
    cumulative = list(accumulate(room.weight for room in world.rooms))
    lengths, length_weights = range(1, len(_LENGTHS) + 1), list(accumulate(_LENGTHS))
    plans = []
    while left > 0:
        room = rng.choices(world.rooms, cum_weights=cumulative)[0]
        person = _somebody(rng, world)
        length = min(rng.choices(lengths, cum_weights=length_weights)[0], left)
        plans.append(Plan(room, person, _turns(rng, period, starts.pick(rng, person), length)))
        left -= length
    return special + plans


def _special_plans(rng: random.Random, world: World, period: Window, messages: int, late: float) -> Iterator[Plan]:
    """The conversations that every account has, some only from a certain size on."""
    end = period.anchor

    def plan(role: str, start: float, length: int, room: Room | None = None) -> Plan:
        times = _turns(rng, period, period.clip(start), length)
        return Plan(room or rng.choice(world.rooms), _somebody(rng, world), times, role)

    def some_day() -> float:
        return rng.uniform(period.first, period.last)

    late_pairs = max(1, round(messages * late / 4)) if late > 0 else 0
    for _ in range(late_pairs):
        yield plan("late_alone", end - rng.uniform(3 * HOUR, 60 * HOUR), 1)
        yield plan("late_tail", end - rng.uniform(3 * HOUR, 60 * HOUR), rng.randint(3, 5))
    for _ in range(3 if messages >= 500 else 1):
        yield plan("running", end - 20 * HOUR + rng.uniform(-1, 1) * HOUR / 2, 1)
    yield plan("late_delete", end - rng.uniform(30 * HOUR, 60 * HOUR), 3)
    yield plan("hostile_ids", some_day(), 2)
    yield plan("denied", some_day(), rng.randint(2, 4))
    yield plan("forbidden", some_day(), 3, world.forbidden)
    yield plan("forbidden", some_day(), 1, world.forbidden)
    early = period.first + (end - period.first) * 0.3
    yield plan("trashed", rng.uniform(period.first, early), 3, world.trashed)
    yield plan("trashed", rng.uniform(period.first, early), 1, world.trashed)
    if messages >= 300:
        yield plan("long", some_day(), rng.randint(27, 40))
    if messages >= 1000:
        yield plan("long", period.first, rng.randint(104, 130))
    if period.last - period.first >= DAY:
        midnight = period.first + rng.randint(1, (period.last - period.first) // DAY) * DAY
        yield Plan(rng.choice(world.rooms), world.people[0], (midnight - rng.randint(20, 400),), "midnight")


def _somebody(rng: random.Random, world: World) -> Person:
    """A few people ask much, many ask little; a service principal asks now and then."""
    if rng.random() < 0.05:
        return world.robot
    return world.people[int(len(world.people) * rng.random() ** 1.7)]


class _Starts:
    """Picks moments with the rhythm of weeks and office days."""

    def __init__(self, period: Window) -> None:
        self._period = period
        self._days = range(period.first, period.anchor, DAY)
        weekdays = [_WEEKDAYS[dt.datetime.fromtimestamp(day / 1000, dt.UTC).weekday()] for day in self._days]
        self._day_weights = list(accumulate(weekdays))
        self._hour_weights = list(accumulate(_HOURS))

    def pick(self, rng: random.Random, person: Person) -> int:
        """The start of a conversation of `person`."""
        for _ in range(8):
            day = rng.choices(self._days, cum_weights=self._day_weights)[0]
            hour = rng.choices(range(24), cum_weights=self._hour_weights)[0]
            start = day + int((hour - person.hours_ahead) * HOUR) + rng.randrange(HOUR)
            if self._period.first <= start <= self._period.last:
                return start
        return rng.randint(self._period.first, self._period.last)


def _turns(rng: random.Random, period: Window, start: int, length: int) -> tuple[int, ...]:
    """Moments of the questions of a conversation; some people come back hours or days later."""
    offsets = [0.0]
    for _ in range(length - 1):
        gap = rng.lognormvariate(math.log(4 * MINUTE), 0.7)
        if rng.random() < 0.05:
            gap = rng.uniform(3 * HOUR, 40 * HOUR)
        offsets.append(offsets[-1] + max(gap, 150 * SECOND))
    # A conversation that would go on after the anchor began earlier, and was quicker if even that is too long.
    room = period.last - period.first
    scale = min(1.0, room / offsets[-1]) if offsets[-1] else 1.0
    start = max(period.first, min(start, period.last - int(offsets[-1] * scale)))
    return tuple(start + int(offset * scale) for offset in offsets)
