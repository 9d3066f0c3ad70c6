"""Which lists take the page size that we name: the largest one allowed is documented nowhere.

One list of its kind in a workspace finds it out for all others of the run; if it fails for another reason, the
next one does. The others wait for it, but not for long: a list that hangs is one list, and holds up no other.
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
        self._news = threading.Condition()
        self._being_asked: set[Lists] = set()
        self._settled: set[Lists] = set()  # it is known, or has been waited for long enough
        self._refused: set[Lists] = set()

    def may_be_named(self, lists: Lists, patience: float) -> bool:
        """Whether to name a page size; waits while another of these lists finds it out.

        Whoever asks calls `tell` when an answer has come, whatever it is.

        Args:
            lists: Of which this is one.
            patience: Seconds to wait at most.
        """
        with self._news:
            is_free = self._news.wait_for(
                lambda: lists in self._settled or lists not in self._being_asked,
                min(max(0.0, patience), _PATIENCE_SECONDS),
            )
            if not is_free:
                self._settle(lists)  # nobody waits a second time
            self._being_asked.add(lists)
            return lists not in self._refused

    def is_refused(self, lists: Lists) -> bool:
        """Whether they are known to refuse the page size."""
        with self._news:
            return lists in self._refused

    def tell(self, lists: Lists, *, taken: bool | None) -> None:
        """Tell that a list was answered.

        Args:
            lists: Of which it is one.
            taken: Whether the page size was taken; None if the answer does not say.
        """
        with self._news:
            if taken is False:
                self._refused.add(lists)
            if taken is not None:
                self._settle(lists)
            self._being_asked.discard(lists)
            self._news.notify_all()

    def _settle(self, lists: Lists) -> None:
        self._settled.add(lists)
        self._news.notify_all()
