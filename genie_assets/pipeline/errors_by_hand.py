"""The error ledger by hand: show open errors, try them again now, or close them.

A run may write the ledger meanwhile. What it finds out about a message later than this wins, except that it does
not open again what was closed by hand (`error_ledger.py`).
"""

import datetime as dt
from collections.abc import Collection

from genie_assets.domain import ledger
from genie_assets.domain.keys import Row
from genie_assets.domain.questions import Equals, Filter, In
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS
from genie_assets.gateways.lakehouse.interface import Lakehouse

_BEFORE_ALL = dt.datetime.min.replace(tzinfo=dt.UTC)


def open_rows(
    lake: Lakehouse,
    *,
    message_ids: Collection[str] = (),
    error_class: str | None = None,
    workspace_id: str | None = None,
) -> list[Row]:
    """Open errors, the oldest first; of these messages, this class and this workspace only, where given."""
    conditions: list[Filter] = [*ledger.OPEN]
    if message_ids:
        conditions.append(In("message_id", message_ids))
    if error_class:
        conditions.append(Equals("error_class", error_class))
    if workspace_id:
        conditions.append(Equals("workspace_id", workspace_id))
    rows = lake.records(MESSAGE_FETCH_ERRORS, where=conditions)
    return sorted(rows, key=lambda row: (row["first_error_timestamp"] or _BEFORE_ALL, row["message_id"]))


def requeue(lake: Lakehouse, rows: list[Row], now: dt.datetime) -> list[Row]:
    """Make errors due now, with all their attempts before them again.

    Returns:
        The errors that are due now. Those whose ids do not suffice to ask for them are left as they are.
    """
    due = [ledger.requeued(row, now) for row in rows if ledger.can_be_asked_for(row)]
    _store(lake, due)
    return due


def close(lake: Lakehouse, rows: list[Row], now: dt.datetime) -> list[Row]:
    """Resolve errors by hand: the messages are not asked for again unless they change; the closed errors."""
    closed = [ledger.resolved(row, ledger.CLOSED, now) for row in rows]
    _store(lake, closed)
    return closed


def _store(lake: Lakehouse, rows: list[Row]) -> None:
    if rows:
        lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows))
