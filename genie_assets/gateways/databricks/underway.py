"""How many requests to one workspace may be on their way at a time, so that not too many arrive at once.

A pace spaces out what leaves, not what arrives. Whenever the server, the network, or one of our own threads stalls
for a moment, everything that is on its way arrives in one go. Who lets five requests be saved up refuses the sixth
of them, although the pace was right; and that refusal costs the second that it asks for, and looks like a lower
limit. So no more are on their way than the pace needs.
"""

from collections import deque

MOST_AT_ONCE = 4
"""So many may arrive together: five that can be saved up are few, and one of them is a reserve."""
_TIMES_AS_NEEDED = 2  # answers take longer or shorter than usual
_STEP_UP, _STEP_DOWN = 1.1, 0.975  # to the usual time, by each answer: four in five come sooner, whatever stalls
_LEAST_SECONDS = 0.001  # of the usual time, from which it can rise again
_STALL_SECONDS = 0.2  # what takes longer is a slow answer: it does not hold back others


class Underway:
    """The requests on their way. Pure: every time comes from the caller, in seconds of one clock."""

    def __init__(self) -> None:
        self._sent_at: deque[float] = deque()
        self._usual: float | None = None  # seconds until an answer comes, of most; None until the first one

    def is_full(self, now: float, rate: float, at_once: float = 0.0) -> bool:
        """Whether the next request should wait until an answer comes.

        By Little's law, `rate` times the usual time is how many are on their way if all goes on evenly.

        Args:
            now: The time.
            rate: Requests per second that the pace sends.
            at_once: How many requests the server surely takes at once, if that is known.
        """
        if not self.are_any(now) or self._usual is None:
            return False
        return len(self._sent_at) >= max(MOST_AT_ONCE, at_once, _TIMES_AS_NEEDED * rate * self._usual)

    def are_any(self, now: float) -> bool:
        """Whether an answer is waited for that is not slow yet."""
        while self._sent_at and self._sent_at[0] <= now - _STALL_SECONDS:
            self._sent_at.popleft()
        return bool(self._sent_at)

    def leaves(self, now: float) -> None:
        """A request leaves now."""
        self._sent_at.append(now)

    def is_back(self, now: float, sent_at: float) -> None:
        """The request that left at `sent_at` was answered, or has failed."""
        took = now - sent_at
        if self._usual is None:
            self._usual = max(took, _LEAST_SECONDS)
        else:
            self._usual = max(_LEAST_SECONDS, self._usual * (_STEP_UP if took > self._usual else _STEP_DOWN))
        if sent_at in self._sent_at:
            self._sent_at.remove(sent_at)
