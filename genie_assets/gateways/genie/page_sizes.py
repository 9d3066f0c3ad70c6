"""Which lists take the page size that we name: the largest one allowed is documented nowhere.

The first list of its kind in a workspace finds it out for all others of the run. They wait for it, but not for
long: a first list that hangs is one list, and holds up no other.
"""

import threading
from typing import NamedTuple

_PATIENCE_SECONDS = 2.0


class Lists(NamedTuple):
    """All lists of one kind in a workspace."""

    workspace_id: str
    of_what: str


class PageSizes:
    """What lists have told so far. Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[Lists, threading.Event] = {}
        self._refused: set[Lists] = set()

    def may_be_named(self, lists: Lists, patience: float) -> bool:
        """Whether to name a page size; waits until the first of these lists has told.

        Whoever gets an answer calls `tell`, or `refuse` before, whatever comes of the list.

        Args:
            lists: Of which this is one.
            patience: Seconds to wait at most.
        """
        with self._lock:
            told = self._told.get(lists)
            if told is None:
                self._told[lists] = threading.Event()
                return True
        if not told.wait(min(max(0.0, patience), _PATIENCE_SECONDS)):
            told.set()  # nobody waits a second time
        return not self.is_refused(lists)

    def is_refused(self, lists: Lists) -> bool:
        """Whether they are known to refuse the page size."""
        with self._lock:
            return lists in self._refused

    def refuse(self, lists: Lists) -> None:
        """Tell that a list worked without a page size, and not with it."""
        with self._lock:
            self._refused.add(lists)

    def tell(self, lists: Lists) -> None:
        """Tell that a list is through: others need not wait any more."""
        with self._lock:
            told = self._told.get(lists)
        if told is not None:
            told.set()
