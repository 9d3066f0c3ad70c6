"""What is the same for everything that one run does."""

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Run:
    """One run of an asset.

    Attributes:
        day: Its partition, a UTC day; where there are no partitions, the day on which it began.
        id: Names its batches.
        clock: The time, UTC.
        deadline: `time.monotonic()` seconds from which on nothing more is asked of the API.
    """

    day: dt.date
    id: str
    clock: Callable[[], dt.datetime]
    deadline: float = math.inf

    def stamp(self, part: int | str, *, of: str | None = None) -> Mapping[str, Any]:
        """The columns that say which batch wrote a row, and when.

        Args:
            part: Number or name of the batch within the run.
            of: What the run works on, where that is not its day.
        """
        name = f"{part:05d}" if isinstance(part, int) else part
        return {
            "ingestion_batch_id": f"{of or self.day}/{self.id}/{name}",
            "ingestion_timestamp": self.clock(),
        }
