"""How tables are laid out and compacted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets_tests.gateways.lakehouse.examples import (
    MONDAY,
    NOTES,
    TUESDAY,
    WEDNESDAY,
    authors,
    column,
    expected_rows,
    note,
    stored,
)
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.places import opened
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer

NEWER = replace(NOTES, columns=(*NOTES.columns, column("mood", "STRING")))


@pytest.mark.parametrize(("made", "later"), [("partitioned", "liquid"), ("liquid", "partitioned")])
def test_a_table_keeps_its_layout_when_the_setting_changes(
    unity_server: UnityServer, place: Place, made: Any, later: Any
) -> None:
    """Statistics of a partition are refused, and a clustering key needs them."""
    warehouse = Recording(unity_server.warehouse())
    opened(unity_server, warehouse, place, layout=made).append(NOTES, NOTES.frame([note("a")]))
    lake = opened(unity_server, warehouse, place, layout=later)
    lake.append(NEWER, NEWER.frame([note("b", mood="good")]))
    lake.append(NEWER, NEWER.frame([note("c", mood="bad")]))
    (properties,) = (text for text in warehouse.statements if "SET TBLPROPERTIES" in text)
    assert ("day" in properties) == (made == "liquid")
    assert lake.maintain(NEWER, today=WEDNESDAY).days_compacted == 1
    assert sorted(map(str, lake.read(NEWER)["mood"])) == ["None", "bad", "good"]


def test_a_table_that_somebody_made_anew_without_any_layout_is_maintained(
    unity_server: UnityServer, lake: Lakehouse, warehouse: Recording, place: Place
) -> None:
    for author in "ab":
        lake.append(NOTES, NOTES.frame([note(author)]))
    table = place.table(NOTES)
    unity_server.warehouse().execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM {table}")
    lake.append(NOTES, NOTES.frame([note("c")]))
    warehouse.statements.clear()
    report = lake.maintain(NOTES, today=WEDNESDAY)
    assert (report.files_before, report.files_after) == (2, 1)
    assert not any("OPTIMIZE" in text and "WHERE" in text for text in warehouse.statements)
    assert authors(lake.read(NOTES)) == ["a", "b", "c"]


def test_a_table_that_databricks_clusters_by_itself_is_not_z_ordered(
    unity_server: UnityServer, place: Place
) -> None:
    def refuse(statement: str) -> None:
        if "ZORDER" in statement:
            raise WarehouseError("clustered", condition="DELTA_CLUSTERING_WITH_ZORDER_BY")

    lake = opened(unity_server, Recording(unity_server.warehouse(), refuse), place)
    for author in "ab":
        lake.append(NOTES, NOTES.frame([note(author)]))
    assert lake.maintain(NOTES, today=WEDNESDAY).files_after == 1


@pytest.mark.parametrize("layout", ["partitioned", "liquid"])
def test_only_days_that_were_written_since_are_compacted_again(
    unity_server: UnityServer, warehouse: Recording, place: Place, layout: Any
) -> None:
    lake = opened(unity_server, warehouse, place, layout=layout)
    for author in "ab":
        for day in (MONDAY, TUESDAY, WEDNESDAY):
            lake.append(NOTES, NOTES.frame([note(author, day=day)]))
    days = 2 if layout == "partitioned" else 1
    assert lake.maintain(NOTES, today=WEDNESDAY).days_compacted == days
    now = datetime.now(UTC)
    lake.append(NOTES, NOTES.frame([note("c", day=TUESDAY, written_at=now)]))
    warehouse.statements.clear()
    report = lake.maintain(NOTES, today=WEDNESDAY)
    assert report.days_compacted == 1
    assert report.files_after < report.files_before
    optimize = next(text for text in warehouse.statements if "OPTIMIZE" in text)
    assert ("DATE '2026-03-03'" in optimize, "ZORDER" in optimize) == ((layout == "partitioned"),) * 2
    assert "2026-03-02" not in optimize
    version = lake.version(NOTES)
    again = lake.maintain(NOTES, today=WEDNESDAY)
    assert (again.days_compacted, again.version_after) == (0, version)
    rows = [note(author, day=day) for author in "ab" for day in (MONDAY, TUESDAY, WEDNESDAY)]
    assert stored(lake, NOTES) == expected_rows(NOTES, [*rows, note("c", day=TUESDAY, written_at=now)])


def test_many_days_are_compacted_in_several_statements(lake: Lakehouse, warehouse: Recording) -> None:
    """One statement over years of days would be cancelled for taking too long, again each time."""
    days = [MONDAY - timedelta(days=number) for number in range(70)]
    lake.append(NOTES, NOTES.frame([note("a", day=day) for day in days]))
    lake.append(NOTES, NOTES.frame([note("b", day=day) for day in days]))
    warehouse.statements.clear()
    report = lake.maintain(NOTES, today=TUESDAY)
    assert (report.days_compacted, report.files_before, report.files_after) == (70, 140, 70)
    assert [text.count("DATE '") for text in warehouse.statements if "OPTIMIZE `" in text] == [60, 10]
