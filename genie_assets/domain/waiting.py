"""What waits for a run though no error says so: the questions to the tables, and for how long it may wait.

Whether a single message is asked for now, `worklist` decides once its day is run.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from genie_assets.domain import ledger
from genie_assets.domain.health import NOWHERE
from genie_assets.domain.keys import MESSAGE, MessageKey, Row
from genie_assets.domain.questions import Equals, Exists, Filter, IsNull, Not, Rows
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGE_LOOKS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.domain.worklist import Reference, next_looks

_NOT_IN_THE_LEDGER: tuple[Filter, ...] = tuple(
    Not([Exists(Rows(MESSAGE_FETCH_ERRORS, rows), MESSAGE)])
    for rows in (ledger.OPEN, ledger.DELETED_ROWS, ledger.CLOSED_ROWS)
)
# Databricks' clock is compared with itself, and ours with itself: what we have seen has happened. Of what older
# versions stored, the time of the look decides.
_UNREAD: tuple[Filter, ...] = (
    Not([Equals("is_deleted", True)]),
    *_NOT_IN_THE_LEDGER,
    *(
        Not([Exists(rows, MESSAGE, since=since)])
        for table in (GENIE_API_MESSAGES, GENIE_MESSAGE_LOOKS)
        for rows, since in (
            (Rows(table), ("event_change_time", "last_change_time")),
            (Rows(table), ("api_fetch_timestamp", "ingestion_timestamp")),
            (Rows(table, [IsNull("event_change_time")]), ("api_fetch_timestamp", "last_change_time")),
        )
    ),
)

LEFT_BEHIND: Filter = Not([Not(NOWHERE), Not(_UNREAD)])
"""Messages of the audit log that no run has come to: nothing of them is stored, or not what they changed to."""

UNFINISHED: tuple[Filter, ...] = (
    Equals("is_settled", False),
    Not(
        [
            Exists(
                Rows(GENIE_API_MESSAGES, [Equals("is_settled", True)]),
                MESSAGE,
                since=("api_fetch_timestamp", "api_fetch_timestamp"),
            )
        ]
    ),
    *_NOT_IN_THE_LEDGER,
    Not([Exists(Rows(GENIE_MESSAGES_TO_FETCH, [Equals("is_deleted", True)]), MESSAGE)]),
)
"""Stored answers that were not the last word: of messages that still ran when they were looked at."""


class Wait(NamedTuple):
    """What waits for a run of one day, in times, UTC.

    Attributes:
        due: When the latest error or unfinished message became due that was so when somebody looked.
        next: When the next one becomes due.
        left: When the latest message was seen that no run has come to.
    """

    due: dt.datetime | None = None
    next: dt.datetime | None = None
    left: dt.datetime | None = None

    def due_since(self, now: dt.datetime) -> dt.datetime | None:
        """Since when something is due now; None if nothing is."""
        return self.next if self.next is not None and self.next <= now else self.due


def wait_of(times: Iterable[dt.datetime], now: dt.datetime, left: dt.datetime | None = None) -> Wait:
    """What waits, by the times at which it becomes due."""
    ordered = sorted(times)
    return Wait(
        due=max((at for at in ordered if at <= now), default=None),
        next=min((at for at in ordered if at > now), default=None),
        left=left,
    )


def due_times(
    event_date: dt.date,
    references: Collection[Reference],
    headers: Mapping[MessageKey, Row],
    errors: Mapping[Any, Row],
) -> list[dt.datetime]:
    """When something of a day becomes due: its open errors, and messages that had not ended when they were read.

    Args:
        event_date: The day.
        references: Its messages.
        headers: Headers of their latest answers.
        errors: The ledger's rows of these messages, and maybe of others.
    """
    of_the_day = [row for row in errors.values() if ledger.is_open(row) and row["event_date"] == event_date]
    ended = {
        reference.key
        for reference in references
        if reference.is_deleted or _is_in_the_ledger(errors.get(reference.key))
    }
    seen = {reference.key: headers[reference.key] for reference in references if reference.key in headers}
    looks = next_looks({key: row for key, row in seen.items() if key not in ended})
    retries = [row["next_retry_timestamp"] for row in of_the_day if row["next_retry_timestamp"] is not None]
    return [*retries, *looks.values()]


def _is_in_the_ledger(error: Row | None) -> bool:
    """Whether the ledger says all there is to wait for: it is open, deleted or closed."""
    return ledger.is_open(error) or ledger.is_deleted(error) or ledger.is_closed(error)


def last_days(now: dt.datetime, lookback_days: int) -> list[dt.date]:
    """Today and so many days before it, the newest first."""
    return [now.date() - dt.timedelta(days=back) for back in range(lookback_days + 1)]


def is_worth_a_run(waiting_since: dt.datetime, last: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a run can be expected to do something about what has been waiting since a time.

    What came after the latest run began was never tried. What that run found waiting and left so is tried again
    only after as long again as it had been waiting: half an hour, an hour, two and so on, without end but ever
    rarer.
    """
    return last is None or last < waiting_since or now - last >= last - waiting_since
