"""The error ledgers by hand: show open errors, try them again now, or close them.

A run may write the ledger meanwhile. What it finds out about a message later than this wins, except that it does
not open again what was closed by hand (`error_ledger.py`).
"""

import datetime as dt
from collections.abc import Collection

from genie_assets.domain import ledger
from genie_assets.domain.keys import Row
from genie_assets.domain.questions import Equals, Filter, In
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS, Table
from genie_assets.gateways.lakehouse.interface import Lakehouse

_BEFORE_ALL = dt.datetime.min.replace(tzinfo=dt.UTC)


def open_rows(
    lake: Lakehouse,
    table: Table = MESSAGE_FETCH_ERRORS,
    *,
    message_ids: Collection[str] = (),
    error_class: str | None = None,
    workspace_id: str | None = None,
) -> list[Row]:
    """Open errors of a ledger, the oldest first; of these messages, this class and workspace only, where given.

    In another ledger than that of messages the ids are those of its things, as its key's last column has them.
    """
    name = table.key[-1]
    conditions: list[Filter] = [*ledger.OPEN]
    if message_ids:
        conditions.append(In(name, message_ids))
    if error_class:
        conditions.append(Equals("error_class", error_class))
    if workspace_id:
        conditions.append(Equals("workspace_id", workspace_id))
    rows = lake.records(table, where=conditions)
    return sorted(rows, key=lambda row: (row["first_error_timestamp"] or _BEFORE_ALL, row[name]))


def requeue(lake: Lakehouse, rows: list[Row], now: dt.datetime, table: Table = MESSAGE_FETCH_ERRORS) -> list[Row]:
    """Make errors due now, with all their attempts before them again.

    Returns:
        The errors that are due now. Those whose ids do not suffice to ask for them are left as they are.
    """
    of_messages = table is MESSAGE_FETCH_ERRORS
    due = [ledger.requeued(row, now) for row in rows if not of_messages or ledger.can_be_asked_for(row)]
    _store(lake, table, due)
    return due


def close(lake: Lakehouse, rows: list[Row], now: dt.datetime, table: Table = MESSAGE_FETCH_ERRORS) -> list[Row]:
    """Resolve errors by hand: the messages are not asked for again unless they change; the closed errors."""
    closed = [ledger.resolved(row, ledger.CLOSED, now) for row in rows]
    _store(lake, table, closed)
    return closed


def _store(lake: Lakehouse, table: Table, rows: list[Row]) -> None:
    if rows:
        lake.merge(table, table.frame(rows))
