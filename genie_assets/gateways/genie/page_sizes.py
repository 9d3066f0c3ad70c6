"""Which workspaces take the page size that we name: the largest one allowed is documented nowhere.

The first list of a workspace finds it out for all others of the run. They wait for it, but not for long: a first
list that hangs is one list, and holds up no other.
"""

import threading

_PATIENCE_SECONDS = 2.0


class PageSizes:
    """What the lists of each workspace have told so far. Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, threading.Event] = {}
        self._refused: set[str] = set()

    def may_be_named(self, workspace_id: str, patience: float) -> bool:
        """Whether to name a page size to a workspace; waits until its first list has told.

        Whoever gets an answer calls `tell`, or `refuse` before, whatever comes of the list.

        Args:
            workspace_id: The workspace.
            patience: Seconds to wait at most.
        """
        with self._lock:
            told = self._told.get(workspace_id)
            if told is None:
                self._told[workspace_id] = threading.Event()
                return True
        if not told.wait(min(max(0.0, patience), _PATIENCE_SECONDS)):
            told.set()  # nobody waits a second time
        return not self.is_refused(workspace_id)

    def is_refused(self, workspace_id: str) -> bool:
        """Whether the workspace is known to refuse the page size."""
        with self._lock:
            return workspace_id in self._refused

    def refuse(self, workspace_id: str) -> None:
        """Tell that a list worked without a page size, and not with it."""
        with self._lock:
            self._refused.add(workspace_id)

    def tell(self, workspace_id: str) -> None:
        """Tell that a list is through: others need not wait any more."""
        with self._lock:
            told = self._told.get(workspace_id)
        if told is not None:
            told.set()
