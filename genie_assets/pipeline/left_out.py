"""Looks for what is stored of days that are no partitions; which days these are, `domain/left_out` says."""

import datetime as dt
from collections import Counter

from genie_assets.domain import ledger
from genie_assets.domain.left_out import LeftOut, before_and_after, outside
from genie_assets.domain.questions import Filter
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, MESSAGE_FETCH_ERRORS, Table
from genie_assets.gateways.lakehouse.interface import Lakehouse


def left_out(lake: Lakehouse, *, first_day: dt.date, today: dt.date) -> LeftOut:
    """Look for loaded days and open errors outside of the partitions; days within are not read.

    Args:
        lake: The tables.
        first_day: The first partition.
        today: The last one, UTC.
    """
    messages: Counter[dt.date] = Counter()
    for days in before_and_after(first_day, today):
        messages += _by_day(lake, GENIE_MESSAGES_TO_FETCH, [days])
    errors = _by_day(lake, MESSAGE_FETCH_ERRORS, [*ledger.OPEN, outside(first_day, today)])
    return LeftOut(first_day, messages, errors)


def _by_day(lake: Lakehouse, table: Table, where: list[Filter]) -> Counter[dt.date]:
    counted = lake.count(table, by=["event_date"], where=where)
    return Counter({row["event_date"]: row["count"] for row in counted if row["event_date"]})
