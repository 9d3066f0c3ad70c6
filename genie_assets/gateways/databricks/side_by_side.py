"""Working on many tasks in threads, lane by lane, with results taken as they come."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_WAITING_RESULTS_PER_THREAD = 2
MOST_THREADS = 128
"""In all lanes together; a lane has at least one, however many lanes there are."""
_LOOK_UP_SECONDS = 0.2  # how soon a thread that waits to hand over a result sees that nobody takes it any more


@dataclass(frozen=True)
class _Broken:
    error: BaseException


class _Done:
    """One thread has nothing left to do."""


class _Lane(Generic[T]):
    """What one lane still has to do, and how many threads do it."""

    def __init__(self, tasks: Collection[T]) -> None:
        self.waiting = deque(tasks)
        self.left = len(tasks)  # those that are being worked on, too
        self.threads = 0


class SideBySide(Generic[T, R]):
    """Runs `work` on every task of every lane; each lane has its own threads, so none waits for another.

    Many lanes have fewer threads each; when one has nothing left to do, its threads go to those that have.

    Args:
        work: What to do with one task. What it raises is raised to whoever takes the results.
        threads: Threads per lane, at most.
        most: Threads of all lanes, at most, apart from the one that each lane has.
    """

    def __init__(self, work: Callable[[T], R], *, threads: int, most: int = MOST_THREADS) -> None:
        self._work = work
        self._threads, self._most = threads, most
        results = threads * _WAITING_RESULTS_PER_THREAD
        self._results: queue.Queue[tuple[_Lane[T], R | _Broken | _Done]] = queue.Queue(results)
        self._stopped = threading.Event()

    def run(self, lanes: Collection[Collection[T]]) -> Iterator[R]:
        """Start, and yield results in the order in which they come.

        Closing the iterator stops the threads after the task that each is at.
        """
        running = [_Lane(tasks) for tasks in lanes if tasks]
        try:
            self._share_out(running)
            while running:
                lane, result = self._results.get()
                if isinstance(result, _Done):
                    lane.threads -= 1
                    running = [each for each in running if each.left]
                    self._share_out(running)
                elif isinstance(result, _Broken):
                    raise result.error
                else:
                    lane.left -= 1
                    yield result
        finally:
            self._stopped.set()

    def _share_out(self, lanes: Collection[_Lane[T]]) -> None:
        """Start threads for the lanes that have the fewest, as long as there is work for them."""
        for _ in range(max(self._most, len(lanes)) - sum(lane.threads for lane in lanes)):
            wanting = [lane for lane in lanes if lane.waiting and lane.threads < min(self._threads, lane.left)]
            if not wanting:
                return
            lane = min(wanting, key=lambda each: each.threads)
            lane.threads += 1
            # Daemons: a process that is told to end does not wait for a slow answer.
            threading.Thread(target=self._thread, args=(lane,), daemon=True).start()

    def _thread(self, lane: _Lane[T]) -> None:
        while not self._stopped.is_set():
            try:
                task = lane.waiting.popleft()
            except IndexError:
                break
            try:
                self._hand_over(lane, self._work(task))
            except BaseException as error:  # noqa: BLE001 - raised again where the results are taken
                self._hand_over(lane, _Broken(error))
        self._hand_over(lane, _Done())

    def _hand_over(self, lane: _Lane[T], result: R | _Broken | _Done) -> None:
        while not self._stopped.is_set():
            try:
                self._results.put((lane, result), timeout=_LOOK_UP_SECONDS)
            except queue.Full:
                continue
            return
