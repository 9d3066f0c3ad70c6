"""System tables grow hour by hour for a month: all rows are there, in few files, with a short log."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from genie_assets_tests.sandbox.tiny import DAY, HOUR, START, account_of, audit_row, ids_of
from genie_sandbox.account import ArrivingRow
from genie_sandbox.sql.appending import AppendOnlyTable
from genie_sandbox.sql.system_tables import AUDIT, TABLES, SystemTables

COMMITS = 130


def _rows(number: int) -> pa.Table:
    days = [dt.date(2026, 3, 1 + number % 20), dt.date(2026, 3, 1)]
    return pa.table({"n": [2 * number, 2 * number + 1], "day": pa.array(days, pa.date32())})


@pytest.mark.parametrize("partitioned_by", ["day", None])
def test_many_small_commits_are_all_there_in_few_files(tmp_path: Path, partitioned_by: str | None) -> None:
    columns = pa.schema([("n", pa.int64()), ("day", pa.date32())])
    grown = AppendOnlyTable(tmp_path / "t", columns, partitioned_by)
    for number in range(COMMITS):
        grown.append(_rows(number))
    table = DeltaTable(str(tmp_path / "t"))
    wanted = [row for number in range(COMMITS) for row in _rows(number).to_pylist()]
    assert sorted(table.to_pyarrow_table().to_pylist(), key=lambda row: row["n"]) == wanted
    assert len(table.file_uris()) < COMMITS / 2
    checkpoints = list((tmp_path / "t/_delta_log").glob("*.checkpoint.parquet"))
    assert len(checkpoints) == COMMITS // 60


def test_rows_of_the_audit_log_appear_in_the_hour_in_which_they_arrive(tmp_path: Path) -> None:
    def arriving(number: int) -> ArrivingRow:
        at = START + number * HOUR
        return audit_row(number, at, "createConversationMessage", ids_of(f"m{number}"), arrives_at=at + 5 * DAY)

    tables = SystemTables(account_of(audit=tuple(arriving(number) for number in range(200))), tmp_path, {})
    (audit,) = [table for table in TABLES if table.name == "audit"]

    def stored() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = DeltaTable(str(tables.path(audit))).to_pyarrow_table().to_pylist()
        return rows

    tables.create(START + 5 * DAY)
    assert [row["event_id"] for row in stored()] == ["event-0"]
    for number in range(1, 150):
        tables.advance(START + 5 * DAY + number * HOUR)
    rows = stored()
    assert {row["event_id"] for row in rows} == {f"event-{number}" for number in range(150)}
    one = next(row for row in rows if row["event_id"] == "event-30")
    assert (one["event_date"], dict(one["request_params"])) == (dt.date(2026, 3, 3), ids_of("m30"))
    assert {field.name for field in AUDIT} == set(one)
