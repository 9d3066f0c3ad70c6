"""Weekly upkeep of the tables, some each day; one that fails does not keep the others from theirs."""

import datetime as dt
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass

from genie_assets.domain.tables import TABLES, Table
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.results import MaintenanceReport


@dataclass(frozen=True)
class TableMaintenance:
    """What became of one table: a report, or why there is none."""

    table: Table
    seconds: float
    report: MaintenanceReport | None = None
    problem: str | None = None

    def numbers(self) -> dict[str, int | float | None]:
        """The report and the seconds that it took; None for what is not known."""
        report = self.report or MaintenanceReport()
        known = asdict(report) if self.report else dict.fromkeys(asdict(report))
        return {**known, "seconds": round(self.seconds, 3)}


def tables_named(names: Collection[str]) -> tuple[Table, ...]:
    """The tables with these names, in their usual order; all tables if there are no names.

    Raises:
        ValueError: a table of this name does not exist.
    """
    known = [table.name for table in TABLES]
    if unknown := sorted(set(names).difference(known)):
        raise ValueError(f"There is no table {', '.join(unknown)}: choose from {', '.join(known)}")
    return tuple(table for table in TABLES if not names or table.name in names)


def tables_of(day: dt.date) -> tuple[Table, ...]:
    """The tables whose turn it is on a day: each once a week, about as many on every day of it."""
    return TABLES[day.weekday() :: 7]


def maintain(lake: Lakehouse, tables: Collection[Table], *, today: dt.date) -> Iterator[TableMaintenance]:
    """Maintain the tables, each as its result is asked for."""
    for table in tables:
        begin = time.monotonic()
        report, problem = None, None
        try:
            report = lake.maintain(table, today=today)
        except LakehouseError as error:
            problem = str(error)
        yield TableMaintenance(table, time.monotonic() - begin, report, problem)
