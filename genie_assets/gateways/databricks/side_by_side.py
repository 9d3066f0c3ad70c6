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
_LOOK_UP_SECONDS = 0.2  # how soon a thread that waits to hand over a result sees that nobody takes it any more


@dataclass(frozen=True)
class _Broken:
    error: BaseException


class _Done:
    """One thread has nothing left to do."""


class SideBySide(Generic[T, R]):
    """Runs `work` on every task of every lane; each lane has its own threads, so none waits for another.

    Args:
        work: What to do with one task. What it raises is raised to whoever takes the results.
        threads: Threads per lane.
    """

    def __init__(self, work: Callable[[T], R], *, threads: int) -> None:
        self._work = work
        self._threads = threads
        self._results: queue.Queue[R | _Broken | _Done] = queue.Queue(threads * _WAITING_RESULTS_PER_THREAD)
        self._stopped = threading.Event()

    def run(self, lanes: Collection[Collection[T]]) -> Iterator[R]:
        """Start, and yield results in the order in which they come.

        Closing the iterator stops the threads after the task that each is at.
        """
        running = 0
        try:
            for tasks in lanes:
                waiting = deque(tasks)
                for _ in range(min(self._threads, len(waiting))):
                    # Daemons: a process that is told to end does not wait for a slow answer.
                    threading.Thread(target=self._thread, args=(waiting,), daemon=True).start()
                    running += 1
            while running:
                result = self._results.get()
                if isinstance(result, _Done):
                    running -= 1
                elif isinstance(result, _Broken):
                    raise result.error
                else:
                    yield result
        finally:
            self._stopped.set()

    def _thread(self, waiting: deque[T]) -> None:
        while not self._stopped.is_set():
            try:
                task = waiting.popleft()
            except IndexError:
                break
            try:
                self._hand_over(self._work(task))
            except BaseException as error:  # noqa: BLE001 - raised again where the results are taken
                self._hand_over(_Broken(error))
        self._hand_over(_Done())

    def _hand_over(self, result: R | _Broken | _Done) -> None:
        while not self._stopped.is_set():
            try:
                self._results.put(result, timeout=_LOOK_UP_SECONDS)
            except queue.Full:
                continue
            return
