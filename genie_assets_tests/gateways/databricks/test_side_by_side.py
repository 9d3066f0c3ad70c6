"""Many lanes share few threads: none waits for another, and what one does not need any more goes to the others."""

import threading
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.gateways.databricks.side_by_side import SideBySide

Task = tuple[str, int]


def lane(name: str, size: int) -> list[Task]:
    return [(name, number) for number in range(size)]


class Watched:
    """Work that is counted while it is done."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds, self._lock = seconds, threading.Lock()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.most_of_all = 0

    def __call__(self, task: Task) -> Task:
        with self._lock:
            self.now[task[0]] += 1
            self.most[task[0]] = max(self.most[task[0]], self.now[task[0]])
            self.most_of_all = max(self.most_of_all, self.now.total())
        time.sleep(self._seconds)
        with self._lock:
            self.now[task[0]] -= 1
        return task


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 5), st.integers(1, 6))
def test_every_task_is_done_once_by_no_more_threads_than_are_allowed(sizes, threads, most):
    lanes = [lane(str(number), size) for number, size in enumerate(sizes)]
    work = Watched()
    done = sorted(SideBySide(work, threads=threads, most=most).run(lanes))
    assert done == sorted(task for tasks in lanes for task in tasks)
    assert work.most_of_all <= max(most, sum(map(bool, sizes)))
    assert max(work.most.values(), default=0) <= threads


def test_fifty_lanes_have_a_thread_each_and_the_last_one_has_as_many_as_it_may():
    work = Watched(seconds=0.01)
    lanes = [lane(f"short {number}", 3) for number in range(49)] + [lane("long", 200)]
    assert sum(1 for _ in SideBySide(work, threads=16, most=60).run(lanes)) == 49 * 3 + 200
    assert work.most_of_all <= 60
    assert work.most["short 0"] <= 2
    assert work.most["long"] == 16


def test_fifty_workspaces_do_not_have_sixteen_threads_each_by_themselves():
    work = Watched(seconds=0.01)
    lanes = [lane(str(number), 20) for number in range(50)]
    assert sum(1 for _ in SideBySide(work, threads=16).run(lanes)) == 1_000
    assert 50 <= work.most_of_all <= 128


def test_a_lane_that_hangs_holds_nobody_up():
    free = threading.Event()

    def work(task: Task) -> Task:
        if task[0] == "hangs":
            free.wait(30)
        return task

    results = SideBySide(work, threads=4, most=6).run([lane("hangs", 50), lane("a", 50), lane("b", 50)])
    try:
        first = [next(results)[0] for _ in range(100)]
    finally:
        free.set()
    assert Counter(first) == {"a": 50, "b": 50}
    assert sum(1 for _ in results) == 50


def test_what_the_work_raises_is_raised_where_results_are_taken():
    def work(task: Task) -> Task:
        raise OSError(task[0])

    with pytest.raises(OSError, match="a"):
        list(SideBySide(work, threads=2).run([lane("a", 3)]))
