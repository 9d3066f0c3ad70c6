"""Rows without frames: the same values, and none of what takes seconds to load."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.questions import Equals, In, Newest
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import (
    MONDAY,
    NOON,
    NOTES,
    TUESDAY,
    NewLake,
    cells,
    few_examples,
    note,
    numbers,
    stored_text,
    texts,
    whole,
)

rows_of_notes = st.builds(
    lambda author, number, day, values: note(author, number, day, **values), texts, numbers, st.dates(), cells
)


def as_stored(row: dict[str, Any]) -> dict[str, Any]:
    """Whether an hour of summer comes twice is not stored."""
    return {
        name: value.replace(fold=0) if isinstance(value, datetime) else value
        for name, value in whole(NOTES, row).items()
    }


@given(rows=st.lists(rows_of_notes, max_size=4))
@few_examples
def test_records_are_the_rows_that_were_given_in_pythons_own_values(
    new_lake: NewLake, rows: list[dict[str, Any]]
) -> None:
    lake = new_lake()
    lake.append(NOTES, NOTES.frame(rows))
    found = lake.records(NOTES)
    assert sorted(map(repr, found)) == sorted(repr(as_stored(row)) for row in rows)
    for row in rows[:2]:
        same = lake.records(NOTES, where=[Equals("author", row["author"])], columns=["author", "read_at", "tags"])
        expected = [
            whole(NOTES, each) for each in rows if stored_text(each["author"]) == stored_text(row["author"])
        ]
        assert sorted(each["author"] for each in same) == sorted(each["author"] for each in expected)
        assert {type(each["read_at"]) for each in same} <= {datetime, type(None)}


def test_every_way_of_asking_is_that_of_read(lake: Lakehouse) -> None:
    rows = [note(author, number, day) for author in "ab" for number in (1, 2) for day in (MONDAY, TUESDAY)]
    lake.append(NOTES, NOTES.frame(rows))
    assert lake.records(NOTES, columns=["author"], distinct=True, where=[In("author", ["b"])]) == [{"author": "b"}]
    assert len(lake.records(NOTES, limit=3)) == 3
    newest = lake.records(
        NOTES, days=[TUESDAY], newest=Newest(["author"], ["number"]), columns=["author", "number"]
    )
    assert sorted(map(str, newest)) == ["{'author': 'a', 'number': 2}", "{'author': 'b', 'number': 2}"]
    assert lake.records(MESSAGE_FETCH_ERRORS) == []


def test_a_time_that_python_does_not_know_is_refused_by_its_column(tmp_path: Path) -> None:
    lake = open_lakehouse(str(tmp_path))
    lake.prepare(NOTES)
    row = pa.table(
        {
            "author": ["a"],
            "day": pa.array([MONDAY], pa.date32()),
            "read_at": pa.array([2**60], pa.timestamp("us", "UTC")),
        }
    )
    write_deltalake(str(tmp_path / "genie_analytics" / "notes"), row, mode="append", schema_mode="merge")
    with pytest.raises(LakehouseError, match=r"^notes\.read_at: a stored time lies outside the years 1 to 9999$"):
        lake.records(NOTES)
    assert lake.records(NOTES, columns=["author"]) == [{"author": "a"}]


# What `genie-assets errors list` does, and every kind of value that a condition can compare with.
SCRIPT = """
import datetime as dt, json, sys
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS
from genie_assets.domain.questions import Equals, In
from genie_assets.gateways.lakehouse.opening import open_lakehouse
lake = open_lakehouse(sys.argv[1])
when = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
conditions = [
    Equals("resolved", False), In("message_id", ["m1", "m2"]), Equals("retry_count", 3),
    Equals("event_date", dt.date(2026, 3, 2)), In("error_timestamp", [when, None]),
]
rows = [
    *lake.records(MESSAGE_FETCH_ERRORS, where=conditions),
    *lake.records(MESSAGE_FETCH_ERRORS, where=[Equals("resolved", True)]),
]
heavy = {name.partition(".")[0] for name in sys.modules} & {"dagster", "pandas", "databricks", "pyspark"}
print(json.dumps([[row["message_id"], str(row["error_timestamp"])] for row in rows]))
print(lake.version(MESSAGE_FETCH_ERRORS), lake.exists(MESSAGE_FETCH_ERRORS))
print(lake.probe(), lake.open_to_others(), sorted(heavy))
"""


def test_rows_of_files_are_read_without_pandas_dagster_or_the_sdk(tmp_path: Path) -> None:
    """They take most of the seconds that a command takes that only shows some rows."""
    error = {"workspace_id": "w", "resolved": False, "retry_count": 3, "error_timestamp": NOON}
    errors = [{**error, "message_id": name, "event_date": date(2026, 3, 2)} for name in ("m1", "m3")]
    lake = open_lakehouse(str(tmp_path))
    lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(errors))
    run = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True)
    assert run.stderr == ""
    assert run.stdout.splitlines() == [
        json.dumps([["m1", str(NOON.astimezone(UTC))]]),
        "1 True",
        "True None []",
    ]
