"""The attempts of a run at messages that fail, kept until it ends. Which looks are attempts: `domain/attempts`."""

from genie_assets.domain.attempts import attempt_of
from genie_assets.domain.keys import Row
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.tables import MESSAGE_FETCH_ATTEMPTS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.run import Run

# A run of few failures writes once; one of very many does not keep them all.
_AT_ONCE = 10_000


class Attempts:
    """The attempts of one run.

    Args:
        lake: Where they are stored.
        run: The run.
    """

    def __init__(self, lake: Lakehouse, run: Run) -> None:
        self._lake, self._run = lake, run
        self._rows: list[Row] = []

    def note(self, before: Row | None, after: Row | None, problem: FetchError | None) -> None:
        """Note a look at a message, if it is an attempt.

        Args:
            before: The message's row of the ledger before the look.
            after: And after it.
            problem: Why the look failed; None if it did not.
        """
        row = attempt_of(before, after, problem, self._run.clock())
        if row is not None:
            self._rows.append({**row, "event_date": self._run.day, "run_id": self._run.id})
        if len(self._rows) >= _AT_ONCE:
            self.store()

    def store(self) -> None:
        """Append what was noted, in one commit; nothing is written if nothing was."""
        rows, self._rows = self._rows, []
        if rows:
            stamp = self._run.stamp("attempts")
            self._lake.append(
                MESSAGE_FETCH_ATTEMPTS, MESSAGE_FETCH_ATTEMPTS.frame({**row, **stamp} for row in rows)
            )
