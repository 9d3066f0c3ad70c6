"""Which days of the audit log were loaded, and in which state: noted by every load, compared with the log."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from genie_assets.domain.day_loads import (
    OF_A_LOAD,
    days_to_load,
    first_load,
    is_late,
    is_the_same,
    tables_hash,
)
from genie_assets.domain.keys import Row
from genie_assets.domain.questions import Between, Counted, Equals, Newest, Rows, Wanted
from genie_assets.domain.regions import unread_of
from genie_assets.domain.tables import GENIE_DAY_LOADS, GENIE_MESSAGES_TO_FETCH, records
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.ports import SystemTables

_DAY, _WRITTEN = "event_date", "ingestion_timestamp"


@dataclass(frozen=True)
class LoadedDay:
    """What is stored of a day, in numbers, and what was noted when it was last loaded."""

    noted: Row | None
    is_prepared: bool  # whether all tables have existed as this version defines them
    references: Sequence[Row]  # their numbers by workspace, whether they were `asked`, `entered` and are `gone`
    written: dt.datetime | None  # when the newest of them was

    def is_as(self, load: Row) -> bool:
        """Whether a load that goes by this would store what is stored: what the last one did, and nothing since.

        Another run may have stored what it had read before; that its note came first must not hide it. Nor must
        it stay hidden if a paused walk entered a message that the log has shown since: it is not the newest row.
        """
        stored = {"references_timestamp": self.written, "entered_count": self.number("entered")}
        return is_the_same({**load, **stored}, self.noted, OF_A_LOAD)

    def deletions_in(self, window: str) -> str | None:
        """`log_hash` of the deletions that the last load went by, if there can be no others; None if there can.

        Args:
            window: `log_hash` of what the log holds of the days in which deletions are looked for.
        """
        return self.noted["deletions_hash"] if self.noted and self.noted["window_hash"] == window else None

    def number(self, flag: str | None = None) -> int:
        """How many messages there are, all of them or with a flag."""
        return sum(row["count"] for row in self.references if flag is None or row[flag])

    @property
    def workspaces(self) -> set[str]:
        """Their workspaces."""
        return {row["workspace_id"] for row in self.references}


def loaded_day(day: dt.date, lake: Lakehouse) -> LoadedDay:
    """What is stored of a day; one question."""
    of_the_day = Rows(GENIE_MESSAGES_TO_FETCH, days=[day])
    found = lake.together(
        {
            "noted": Wanted(Rows(GENIE_DAY_LOADS, [Equals("event_date", day)]), GENIE_DAY_LOADS.column_names),
            "prepared": Wanted(
                Rows(GENIE_DAY_LOADS, [Equals("tables_hash", tables_hash())]), ["event_date"], limit=1
            ),
            "references": Counted(
                of_the_day,
                by=["workspace_id"],
                flags={
                    "asked": Equals("is_new", True),
                    "gone": Equals("is_deleted", True),
                    "entered": Equals("event_count", 0),
                },
            ),
            "newest": Wanted(of_the_day, [_DAY, _WRITTEN], newest=Newest(per=[_DAY], by=[_WRITTEN])),
        }
    )
    return LoadedDay(
        noted=found["noted"][0] if found["noted"] else None,
        is_prepared=bool(found["prepared"]),
        references=found["references"],
        written=found["newest"][0][_WRITTEN] if found["newest"] else None,
    )


def note_load(load: Row, references: Iterable[Row], before: LoadedDay, lake: Lakehouse, now: dt.datetime) -> None:
    """Note what a day was loaded by, as the last thing; nothing is written if the same is noted.

    So many parameters: what it went by, what is stored now, and what was noted before.
    """
    references = list(references)
    written = max((row[_WRITTEN] for row in references), default=None)
    stored = {"references_timestamp": written, "entered_count": sum(row["event_count"] == 0 for row in references)}
    times = {"last_load_timestamp": now, _WRITTEN: now, "first_load_timestamp": first_load(before.noted, now)}
    row = {**(before.noted or {}), **load, **stored, **times}
    if not is_the_same(row, before.noted, OF_A_LOAD):
        lake.store(GENIE_DAY_LOADS, GENIE_DAY_LOADS.frame([row]))


def late_days(days: Collection[dt.date], system_tables: SystemTables, lake: Lakehouse) -> Mapping[dt.date, Row]:
    """Of these days, which follow each other, those that were never loaded or of which the log holds more.

    Returns:
        What the log holds of each now, as rows of `genie_day_loads`.
    """
    if not days:
        return {}
    noted = lake.together({"noted": loads_of(days)})["noted"]
    return later_than(noted, days, system_tables)


class LateLoads(NamedTuple):
    """Days that are not loaded as a whole though they ended.

    Attributes:
        days: Those that were not loaded since, the newest first: when each last was; None for one that never was.
        unread: Those whose last load could not read some regions, the newest first: each with since when.
    """

    days: Mapping[dt.date, dt.datetime | None] = MappingProxyType({})
    unread: Mapping[dt.date, Mapping[str, dt.datetime]] = MappingProxyType({})


def late_loads(
    days: Collection[dt.date], lake: Lakehouse, now: dt.datetime, regions: Collection[str]
) -> LateLoads:
    """Of these days, which follow each other, those that are not loaded as a whole.

    Args:
        days: The days.
        lake: The tables.
        now: The time, UTC.
        regions: All regions. What was loaded without one that is none any more is whole.
    """
    if not days:
        return LateLoads()
    noted = lake.together({"noted": loads_of(days)})["noted"]
    last = {row["event_date"]: row["last_load_timestamp"] or row["ingestion_timestamp"] for row in noted}
    newest_first = sorted(days, reverse=True)
    unread = {
        row["event_date"]: {name: at for name, at in unread_of(row["regions"]).items() if name in regions}
        for row in noted
    }
    return LateLoads(
        {day: last.get(day) for day in newest_first if is_late(day, last.get(day), now)},
        {day: unread[day] for day in newest_first if unread.get(day) and is_late(day, None, now)},
    )


def days_loaded_since(since: dt.datetime, lake: Lakehouse) -> set[dt.date]:
    """Days, however old, of which a load has stored something since then, UTC."""
    lately = Wanted(Rows(GENIE_DAY_LOADS, [Between("last_load_timestamp", low=since)]), [_DAY])
    return {row[_DAY] for row in lake.together({"days": lately})["days"]}


def loads_of(days: Collection[dt.date]) -> Wanted:
    """The question for what was noted of these days, which follow each other."""
    between = Between("event_date", min(days), max(days))
    return Wanted(Rows(GENIE_DAY_LOADS, [between]), GENIE_DAY_LOADS.column_names)


def later_than(
    noted: Iterable[Row], days: Collection[dt.date], system_tables: SystemTables
) -> Mapping[dt.date, Row]:
    """Of these days, those of which the log holds more than was noted."""
    log = records(system_tables.event_days(min(days), max(days)))
    # Which regions could not be read is known only now.
    return days_to_load(log, {row["event_date"]: row for row in noted}, system_tables.regions)
