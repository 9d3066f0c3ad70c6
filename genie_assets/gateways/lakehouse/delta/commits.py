"""What is to be committed, and whether it was: a commit counts once the table is seen to hold it.

delta-rs gives an entry of the log the next number. Entries that a checkpoint covers are removed after a while, so
to a writer that was stopped in between, a number that was given long ago looks free, and its commit is one that
nobody will ever read. Another time the commit succeeds, and what delta-rs does after it fails. Each commit is
therefore signed with an application transaction of this process, by which the table itself tells whether it holds
it: that is looked for where an entry is not plainly behind the last checkpoint, and before anything is written
again. A store's lost answer, after which delta-rs repeats its request, ends here, too.
"""

import itertools
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar
from uuid import uuid4

from deltalake import CommitProperties, DeltaTable, Transaction

from genie_assets.gateways.lakehouse.delta.folders import LOG

T = TypeVar("T")
# Makes a commit with these properties.
Make = Callable[[CommitProperties], object]

_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..*parquet")


@dataclass(frozen=True)
class Change(Generic[T]):
    """What a write does to the table that it was decided on.

    Attributes:
        result: what the write says when it is stored.
        make: commits it, with the given properties; None if nothing is to be committed.
        once: application transactions by which it fails if others were faster.
    """

    result: T
    make: Make | None = None
    once: Sequence[Transaction] = ()


@dataclass(frozen=True)
class Signature:
    """The mark of one write: `number` grows with every write under the same name."""

    name: str
    number: int

    def properties(self, once: Sequence[Transaction]) -> CommitProperties:
        """What signs a commit."""
        mine = Transaction(self.name, self.number, time.time_ns() // 1_000_000)
        return CommitProperties(app_transactions=[mine, *once])

    def is_in(self, delta: DeltaTable) -> bool:
        """Whether the opened table holds a commit that was signed so."""
        number = delta.transaction_version(self.name)
        return number is not None and number >= self.number


class Signatures:
    """The signatures of one process. Threads may share them: writes at the same time get different names.

    Tables keep every name for days, so a name is used again by the next write.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._free: list[str] = []

    @contextmanager
    def one(self) -> Iterator[Signature]:
        """A signature for one write. After a failure, its name is never used again: the commit may still come."""
        try:
            name = self._free.pop()
        except IndexError:
            name = f"write/{uuid4().hex}"
        yield Signature(name, next(self._numbers))
        self._free.append(name)


def is_behind_last_checkpoint(folder: Path, version: int) -> bool:
    """Whether an entry of a table's log was made after its last checkpoint, so that every reader will read it."""
    checkpoints = (found for name in os.listdir(folder / LOG) if (found := _CHECKPOINT.fullmatch(name)))  # noqa: PTH208 - for each commit, so the quickest way
    return version > max((int(found[1]) for found in checkpoints), default=-1)


@dataclass
class Stopwatch:
    """How long something takes by both of the machine's clocks: one stands still while it sleeps, one is set."""

    _began: tuple[float, float] = field(default_factory=lambda: (time.monotonic(), time.time()))

    @property
    def seconds(self) -> float:
        """The longer of both times."""
        return max(time.monotonic() - self._began[0], abs(time.time() - self._began[1]))
