"""A process that ends at a chosen step, in this one: what it uses dies right after a call of that number."""

from typing import Any


class KilledError(BaseException):
    """The process ended."""


class Mortal:
    """What a process uses, until it ends: right after the call of that number."""

    def __init__(self, last: int) -> None:
        self.last, self.calls = last, 0

    def __call__(self, used: Any) -> Any:
        mortal = self

        class Used:
            def __getattr__(self, name: str) -> Any:
                def call(*args: Any, **options: Any) -> Any:
                    mortal.calls += 1
                    answer = getattr(used, name)(*args, **options)
                    if mortal.calls == mortal.last:
                        raise KilledError
                    return answer

                return call

        return Used()
