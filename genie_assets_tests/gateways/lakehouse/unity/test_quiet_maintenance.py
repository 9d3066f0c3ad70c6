"""Maintenance of tables to which nothing has happened asks little of a warehouse, and forgets nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pandas as pd
import pytest

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import MONDAY, NOTES, TUESDAY, note
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer

LATER = timedelta(days=8)


class Aged(Recording):
    """A warehouse of which what was committed so far happened some time ago."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self._earlier: list[tuple[datetime, timedelta]] = []

    def let_pass(self, time: timedelta) -> None:
        self._earlier.append((datetime.now(UTC), time))

    def query(self, statement: str, *args: Any, **options: Any) -> pd.DataFrame:
        found = super().query(statement, *args, **options)
        if "DESCRIBE HISTORY" in statement:
            found["timestamp"] = [self._moved(at) for at in pd.to_datetime(found["timestamp"], utc=True)]
        return found

    def _moved(self, at: Any) -> Any:
        return at - sum((time for since, time in self._earlier if at <= since), timedelta())


@pytest.fixture
def warehouse(unity_server: UnityServer) -> Aged:
    return Aged(unity_server.warehouse())


@pytest.fixture
def lake(unity_server: UnityServer, warehouse: Aged) -> Lakehouse:
    opened = open_lakehouse(
        f"uc://main.lake_{uuid4().hex}", databricks=lambda: (warehouse, unity_server.volumes())
    )
    opened.prepare(NOTES)
    return opened


def maintained(lake: Lakehouse, warehouse: Aged) -> tuple[Any, int]:
    """The report and how many statements it took, once the table is known."""
    lake.version(NOTES)
    warehouse.statements.clear()
    report = lake.maintain(NOTES, today=datetime.now(UTC).date())
    return report, len(warehouse.statements)


def test_a_table_without_rows_is_asked_one_thing(lake: Lakehouse, warehouse: Aged) -> None:
    report, statements = maintained(lake, warehouse)
    assert (report.files_before, report.days_compacted, report.files_vacuumed) == (None, 0, 0)
    assert statements == 1


def test_what_was_compacted_is_asked_about_until_its_old_files_are_gone(lake: Lakehouse, warehouse: Aged) -> None:
    for author in "ab":
        lake.append(NOTES, NOTES.frame([note(author, day=MONDAY)]))
    warehouse.let_pass(timedelta(days=1))
    first, _ = maintained(lake, warehouse)
    assert (first.days_compacted, first.files_before, first.files_after) == (1, 2, 1)
    warehouse.let_pass(LATER)
    second, statements = maintained(lake, warehouse)
    assert (second.days_compacted, second.files_before, second.version_after) == (0, None, first.version_after)
    assert statements == 2
    assert "VACUUM" in warehouse.statements[-1]


def test_rows_that_come_later_are_compacted_next_time(lake: Lakehouse, warehouse: Aged) -> None:
    for author in "ab":
        lake.append(NOTES, NOTES.frame([note(author, day=MONDAY)]))
    maintained(lake, warehouse)
    warehouse.let_pass(LATER)
    for author in "cd":
        lake.append(NOTES, NOTES.frame([note(author, day=TUESDAY, written_at=datetime.now(UTC))]))
    report, _ = maintained(lake, warehouse)
    assert report.days_compacted == 1


def test_rows_of_the_day_of_a_compaction_are_looked_at_again(lake: Lakehouse, warehouse: Aged) -> None:
    """That day was not closed yet, and its files were left as they were."""
    today = datetime.now(UTC)
    for author in "ab":
        lake.append(NOTES, NOTES.frame([note(author, day=MONDAY)]))
        lake.append(NOTES, NOTES.frame([note(author, day=today.date(), written_at=today)]))
    assert maintained(lake, warehouse)[0].days_compacted == 1
    report = lake.maintain(NOTES, today=today.date() + timedelta(days=1))
    assert (report.days_compacted, report.files_before) == (1, 3)
