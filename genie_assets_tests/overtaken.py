"""Two processes that share nothing but the tables, in this one: one works while the other stands still."""

from collections.abc import Callable
from typing import Any


class Overtaken:
    """The tables that a process uses, while another one does its whole work before the call of that number."""

    def __init__(self, used: Any, before: int, work: Callable[[], object]) -> None:
        self._used, self._before, self._work = used, before, work
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if name != "prepare":
                self.calls += 1
                if self.calls == self._before:
                    self._work()
            return getattr(self._used, name)(*args, **options)

        return call
