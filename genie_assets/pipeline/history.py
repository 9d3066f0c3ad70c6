"""Query history as one fold reads it: without a grant the fold goes on, and statements are waited for.

Which statements are looked for is decided in `domain/evidence`, what became of them in `domain/executions`.
"""

import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from itertools import islice

from genie_assets.domain.evidence import HistoryQuestion
from genie_assets.domain.executions import WAITING
from genie_assets.domain.folded_again import in_parts, recent_days
from genie_assets.domain.keys import Row
from genie_assets.domain.questions import Between, Counted, Filter, Rows
from genie_assets.domain.regions import unread_now
from genie_assets.domain.tables import MESSAGE_DETAILS, records
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.errors import WarehouseError, is_closed_to_us
from genie_assets.pipeline.ports import SystemTables

_LOG = logging.getLogger(__name__)

# So many parts of what has waited for long are taken along by one fold.
_PARTS = 4


class History:
    """Query history, as far as one fold has come with it. Once it was refused, it is not asked again.

    Attributes:
        refusal: Why it cannot be read, and what to do; None while nothing was refused.
        has_answered: Whether it could be read, in all regions.
    """

    def __init__(self, system_tables: SystemTables) -> None:
        self._system_tables = system_tables
        self.refusal: str | None = None
        self.has_answered = False

    def rows(self, question: HistoryQuestion | None) -> list[Row] | None:
        """What it says of some statements; None if it cannot be read.

        Raises:
            WarehouseError: it could not be read now, for another reason than a grant or a table that is not there.
        """
        if question is None:
            return []
        if self.refusal is not None:
            return None
        statement_ids, from_time, to_time = question
        try:
            found = self._system_tables.query_history(statement_ids, from_time=from_time, to_time=to_time)
        except WarehouseError as problem:
            if not is_closed_to_us(problem.condition):
                raise
            self.refusal = str(problem)
            _LOG.warning("Statements are waited for, because query history cannot be read: %s", problem)
            return None
        self.has_answered = not self.unread
        return records(found)

    @property
    def unread(self) -> dict[str, str]:
        """The regions in which it could not be read so far, each with why: nothing is given up meanwhile."""
        return unread_now(self._system_tables.regions)


def long_waiting(today: dt.date) -> Counted:
    """The question on which days messages wait for a statement that are too old for every fold to look at them.

    They are there because history could not be read for days, or no run came to them.
    """
    long_ago = min(recent_days(today)) - dt.timedelta(days=1)
    old: list[Filter] = [*WAITING, Between("created_date", high=long_ago)]
    return Counted(Rows(MESSAGE_DETAILS, old), by=["created_date"])


def waiting_for_long(lake: Lakehouse, numbers: Mapping[dt.date, int]) -> Iterator[list[str]]:
    """The conversations of such messages. They come in parts, the oldest first.

    And not all at once: after a grant there may be a year of them.

    Args:
        lake: The tables.
        numbers: How many of them there are, by day.
    """
    for days in islice(in_parts(numbers), _PARTS):
        found = lake.count(MESSAGE_DETAILS, by=["conversation_id"], days=days, where=WAITING)
        yield from in_parts({row["conversation_id"]: row["count"] for row in found})
