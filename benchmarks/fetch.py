"""`python -m benchmarks.fetch`: our fetch beside one GET at a time, against a sandbox, in one run.

Ours is what `genie_api_messages` does, from the stored references to the Delta commits, in a fresh process. The
other is a loop of `api_client.do` with nothing stored, measured on a sample and extrapolated per message.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.measuring import Goal, Scene, Worker, command, in_a_process, report, scene

_LATENCY_MS = 100
_LIMITS = (20.0, 50.0, 200.0)  # requests a second that a server allows
_STEADY_LIMIT = 50.0
_SAVED_SECONDS, _LEAST_SAVED = 0.1, 5  # how much it lets be saved up: so long, requests at least


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    conversations: int  # of five messages
    single_messages: int
    sample: int  # messages that are fetched one at a time
    settling_seconds: float  # with a limited server: until the pace is found
    steady_seconds: float  # then so long
    many: int  # messages, for memory
    few: int


# The pace knows a limit well after a minute, as its own tests say.
FULL = Sizes(2_000, 2_000, 100, 60, 60, 100_000, 10_000)
QUICK = Sizes(200, 200, 20, 4, 8, 2_000, 500)


def measure(sizes: Sizes, worker: Worker = in_a_process) -> Iterator[bool]:
    """Measure and print everything; yields for each number whether its goal is met."""
    yield from conversations_at_latency(sizes, worker)
    yield from single_messages_at_latency(sizes, worker)
    yield from limited_servers(sizes, worker)
    yield from memory_and_cpu(sizes, worker)


def conversations_at_latency(sizes: Sizes, worker: Worker) -> Iterator[bool]:
    """Conversations of five messages, every request answered after 100 ms."""
    messages = sizes.conversations * 5
    with scene(conversations=sizes.conversations, messages_per_conversation=5, latency_ms=_LATENCY_MS) as stage:
        alone = worker("bare_sdk", stage.spec() | {"sample": sizes.sample})
        stage.sandbox.reset_requests()
        ours = worker("fetch_day", stage.spec())
        _all_stored(ours, messages)
        yield report("speedup_at_100ms", _speedup(alone, ours, messages), Goal(">=", 50))
        yield report("requests_per_message", stage.message_requests() / messages, Goal("<=", 0.25))
        stage.sandbox.reset_requests()
        worker("fetch_day", stage.spec() | {"run_id": "again"})
        yield report("steady_state_message_requests", stage.message_requests(), Goal("<=", 0))


def single_messages_at_latency(sizes: Sizes, worker: Worker) -> Iterator[bool]:
    """Conversations of one message: nothing to gain but from doing things side by side."""
    with scene(conversations=sizes.single_messages, messages_per_conversation=1, latency_ms=_LATENCY_MS) as stage:
        alone = worker("bare_sdk", stage.spec() | {"sample": sizes.sample})
        ours = worker("fetch_day", stage.spec())
        _all_stored(ours, sizes.single_messages)
        yield report("speedup_at_100ms_get_only", _speedup(alone, ours, sizes.single_messages), Goal(">=", 14))


def limited_servers(sizes: Sizes, worker: Worker) -> Iterator[bool]:
    """Servers that answer so many requests a second and the rest with 429: the first minute, and one after it."""
    for limit in _LIMITS:
        is_steady = limit == _STEADY_LIMIT
        ours, watcher = _limited(limit, replace(sizes, steady_seconds=sizes.steady_seconds * is_steady), worker)
        first = f"share_of_allowed_rate_at_first_{limit:g}"
        yield report(first, watcher.rate_at_first / limit, Goal(">=", 0.95))
        if is_steady:
            yield report("share_of_allowed_rate", watcher.rate / limit, Goal(">=", 0.95))
            yield report("share_answered_429", ours["throttled"] / ours["requests"], Goal("<", 0.02))


def _limited(limit: float, sizes: Sizes, worker: Worker) -> tuple[dict[str, float], "_Watcher"]:
    """What our process and what a watcher of the server count at one limit."""
    # A little more than can be fetched in that time, so that there is work until its end.
    messages = int(limit * (sizes.settling_seconds + sizes.steady_seconds + 5))
    with scene(conversations=messages, messages_per_conversation=1) as stage:
        stage.sandbox.faults(
            {
                "effect": "rate_limit",
                "route": "get_message",
                "requests_per_second": limit,
                "burst": max(_LEAST_SAVED, limit * _SAVED_SECONDS),
            }
        )
        watcher = _Watcher(stage, sizes)
        watcher.start()
        ours = worker("fetch_day", stage.spec())
        watcher.join()
        _all_stored(ours, messages)
        return ours, watcher


def memory_and_cpu(sizes: Sizes, worker: Worker) -> Iterator[bool]:
    """Many messages against few, as fast as the server answers; and what a message costs."""
    peaks = {}
    for messages in (sizes.few, sizes.many):
        with scene(conversations=messages // 5, messages_per_conversation=5) as stage:
            alone = worker("bare_sdk", stage.spec() | {"sample": sizes.sample})
            ours = worker("fetch_day", stage.spec())
            _all_stored(ours, messages)
            peaks[messages] = ours["peak_rss_mb"]
    few, many = peaks[sizes.few], peaks[sizes.many]
    yield report("peak_rss_mb", many, Goal("<", 700))
    yield report("peak_rss_mb_10k", few)
    yield report("peak_rss_ratio", many / few, Goal("<=", 2))
    ours_ms, bare_ms = 1000 * ours["cpu_seconds"] / messages, 1000 * alone["cpu_seconds"] / alone["messages"]
    yield report("cpu_ms_per_message", ours_ms)
    yield report("cpu_ms_per_message_bare_sdk", bare_ms)


class _Watcher(threading.Thread):
    """Reads the sandbox's own counter at the first answer, when the pace is found, and at the end."""

    def __init__(self, stage: Scene, sizes: Sizes) -> None:
        super().__init__(daemon=True)
        self._stage, self._sizes = stage, sizes
        self.rate_at_first = self.rate = 0.0

    def run(self) -> None:
        while not self._answered():
            time.sleep(0.05)
        self.rate_at_first = self._rate_of_the_next(self._sizes.settling_seconds)
        if self._sizes.steady_seconds:
            self.rate = self._rate_of_the_next(self._sizes.steady_seconds)

    def _rate_of_the_next(self, seconds: float) -> float:
        since, before = time.monotonic(), self._answered()
        time.sleep(seconds)
        return (self._answered() - before) / (time.monotonic() - since)

    def _answered(self) -> int:
        """Messages that were answered, 429 left out."""
        counts = self._stage.sandbox.requests(0)["counts"]
        return sum(each["count"] for each in counts if each["route"] == "get_message" and each["status"] == 200)


def _speedup(alone: dict[str, float], ours: dict[str, float], messages: int) -> float:
    return (alone["seconds"] / alone["messages"]) / (ours["seconds"] / messages)


def _all_stored(ours: dict[str, float], messages: int) -> None:
    if ours["stored"] != messages or ours["failed"]:
        raise RuntimeError(f"{ours['stored']:g} of {messages} messages were stored, {ours['failed']:g} failed")


main = command("the fetch", lambda quick: measure(QUICK if quick else FULL))

if __name__ == "__main__":
    main()
