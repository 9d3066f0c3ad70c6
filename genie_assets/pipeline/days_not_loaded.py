"""Days that are not loaded as the audit log has them, those included that nobody looks at any more."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from genie_assets.domain.day_loads import skipped
from genie_assets.domain.keys import Row
from genie_assets.domain.questions import Between, Rows, Wanted
from genie_assets.domain.tables import GENIE_DAY_LOADS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.day_loads import later_than, loads_of
from genie_assets.pipeline.ports import SystemTables

_TOLD = ["event_date", "events_hash", "first_load_timestamp", "last_load_timestamp"]


class NotLoaded(NamedTuple):
    """Days of which something is missing: late ones, and such that are too old to be looked at.

    Attributes:
        late: What the log holds of each now, as rows of `genie_day_loads`.
        skipped: Those of which the log holds something, the earliest first; see `domain.day_loads.skipped`.
    """

    late: Mapping[dt.date, Row] = MappingProxyType({})
    skipped: Sequence[dt.date] = ()


def not_loaded(
    days: Collection[dt.date], system_tables: SystemTables, lake: Lakehouse, lookback_days: int
) -> NotLoaded:
    """Of these days, which follow each other, the late ones; and days before them that nobody looks at any more.

    Args:
        days: The days.
        system_tables: Show the log.
        lake: The tables.
        lookback_days: How far back days are looked at.
    """
    if not days:
        return NotLoaded()
    first = min(days)
    older = Rows(GENIE_DAY_LOADS, [Between("event_date", high=first - dt.timedelta(days=1))])
    found = lake.together({"noted": loads_of(days), "older": Wanted(older, _TOLD)})
    late = later_than(found["noted"], days, system_tables)
    old = skipped([*found["older"], *found["noted"]], first, lookback_days)
    # On most accounts there are none, and the log is not asked once more.
    in_the_log = later_than([], old, system_tables) if old else {}
    return NotLoaded(late, [day for day in old if day in in_the_log])
