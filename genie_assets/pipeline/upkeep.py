"""The error ledger by hand: show open errors, try them again now, or close them."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from genie_assets.domain import ledger
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS, records
from genie_assets.gateways.lakehouse import Equals, Filter, In, Lakehouse

Row = dict[str, Any]


def open_rows(lake: Lakehouse, *, message_ids: Collection[str] = (), error_class: str | None = None) -> list[Row]:
    """Open errors, the oldest first; of these messages or of this class only, where given."""
    conditions: list[Filter] = [Equals("resolved", False)]
    if message_ids:
        conditions.append(In("message_id", message_ids))
    if error_class:
        conditions.append(Equals("error_class", error_class))
    rows = records(lake.read(MESSAGE_FETCH_ERRORS, where=conditions))
    return sorted(rows, key=lambda row: (row["first_error_timestamp"], row["message_id"]))


def requeue(lake: Lakehouse, rows: list[Row], now: dt.datetime) -> int:
    """Make errors due now, with all their attempts before them again; the number of changed rows."""
    return _store(lake, [ledger.requeued(row, now) for row in rows])


def close(lake: Lakehouse, rows: list[Row], now: dt.datetime) -> int:
    """Resolve errors by hand: the messages are not asked for again unless they change."""
    return _store(lake, [ledger.resolved(row, ledger.CLOSED, now) for row in rows])


def _store(lake: Lakehouse, rows: list[Row]) -> int:
    return lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows)).changed if rows else 0
