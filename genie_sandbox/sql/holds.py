"""Holds: a test makes a write stand still at a point on its way, and lets it go on.

Between what a write has read and what it commits lies the time in which others may overtake it; a hold makes that
time as long as a test wants it.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from genie_sandbox.sql.errors import SqlError

POINTS = ("before_read", "before_commit", "after_commit")
WRITES = ("MERGE", "UPDATE", "DELETE", "INSERT", "REPLACE", "OPTIMIZE")
_OPTIONS = frozenset({"point", "statement", "table", "times", "seconds"})
_BETWEEN_LOOKS = 0.2


@dataclass
class Hold:
    """Where writes stand still: at a `point`, those of one kind or of all, on the table of one name or on all.

    `times` is how many of them are held; after `seconds` each goes on by itself.
    """

    hold_id: str
    point: str
    statement: str | None
    table: str | None
    times: int
    seconds: float | None
    met: int = 0
    waiting: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def report(self) -> dict[str, Any]:
        """The hold as JSON: how many writes it `met`, and how many stand there now."""
        names = ("point", "statement", "table", "times", "seconds", "met", "waiting")
        return {"id": self.hold_id, **{name: getattr(self, name) for name in names}}


class Holds:
    """The holds that are set. Methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holds: dict[str, Hold] = {}
        self._last_number = 0
        self._here = threading.local()
        self._broken_off: set[str] = set()

    def add(self, spec: Mapping[str, Any]) -> str:
        """Set a hold; the result is its id.

        Raises:
            ValueError: saying what is wrong with it.
        """
        _check(spec)
        with self._lock:
            self._last_number += 1
            hold = Hold(
                f"hold-{self._last_number}",
                spec.get("point", "before_commit"),
                spec.get("statement"),
                spec.get("table"),
                spec.get("times", 1),
                spec.get("seconds"),
            )
            self._holds[hold.hold_id] = hold
        return hold.hold_id

    def release(self, hold_id: str | None = None) -> None:
        """Take a hold away, or all of them; whoever stands there goes on."""
        with self._lock:
            chosen = [hold_id] if hold_id else list(self._holds)
            gone = [self._holds.pop(one) for one in chosen if one in self._holds]
        for hold in gone:
            hold.released.set()

    def report(self) -> list[dict[str, Any]]:
        """The holds that are set."""
        with self._lock:
            return [hold.report() for hold in self._holds.values()]

    @contextmanager
    def tagged(self, tag: str) -> Iterator[None]:
        """Let `interrupt` find what this thread runs inside the block."""
        self._here.tag = tag
        try:
            yield
        finally:
            self._here.tag = None
            with self._lock:
                self._broken_off.discard(tag)

    def interrupt(self, tag: str) -> None:
        """A write that stands still under `tag` goes no further. Repeated until it has noticed, by the caller."""
        with self._lock:
            if any(hold.waiting for hold in self._holds.values()):
                self._broken_off.add(tag)

    def pass_by(self, point: str, statement: str, table: str) -> None:
        """Stand still here for as long as a hold says.

        Raises:
            SqlError: when the statement was broken off meanwhile.
        """
        hold = self._met(point, statement, table)
        if hold is None:
            return
        tag = getattr(self._here, "tag", None)
        ends_at = None if hold.seconds is None else time.monotonic() + hold.seconds
        try:
            while not hold.released.wait(_BETWEEN_LOOKS) and (ends_at is None or time.monotonic() < ends_at):
                if tag in self._broken_off and point == "after_commit":
                    return
                if tag in self._broken_off:
                    raise SqlError("QUERY_CANCELED", "The statement was broken off before it had committed.")
        finally:
            with self._lock:
                hold.waiting -= 1

    def _met(self, point: str, statement: str, table: str) -> Hold | None:
        with self._lock:
            for hold in self._holds.values():
                wanted = (hold.point, hold.statement or statement, hold.table or table)
                if wanted == (point, statement, table) and hold.met < hold.times:
                    hold.met += 1
                    hold.waiting += 1
                    return hold
        return None


def _check(spec: Mapping[str, Any]) -> None:
    unknown = sorted(spec.keys() - _OPTIONS)
    if unknown:
        raise ValueError(f"a hold has no option {unknown[0]!r}; there are: {', '.join(sorted(_OPTIONS))}")
    if spec.get("point", "before_commit") not in POINTS:
        raise ValueError(f"there is no point {spec['point']!r}; there are: {', '.join(POINTS)}")
    if spec.get("statement") not in (None, *WRITES):
        raise ValueError(f"no write is called {spec['statement']!r}; there are: {', '.join(WRITES)}")
    for name, kinds in (("table", str), ("times", int), ("seconds", int | float)):
        if spec.get(name) is not None and not isinstance(spec[name], kinds):
            raise ValueError(f"{name} cannot be {spec[name]!r}")
