"""How the tables lie on disk: what other readers, and whoever reads the log, will find."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from genie_assets.domain.tables import MESSAGE_DETAILS, TABLES, Table
from genie_assets.gateways.lakehouse.delta.definitions import properties_of, schema_of
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import MONDAY, NOON, NOTES, TUESDAY, WEDNESDAY, note

SECRET = "Zyx-the-users-own-words"
SECONDS_OF_A_DAY = 24 * 3600


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "the lake of Zoë's"


@pytest.fixture
def lake(root: Path) -> Lakehouse:
    return open_lakehouse(str(root))


def folder(root: Path, table: Table) -> Path:
    return root / "genie_analytics" / table.name


def delta(root: Path, table: Table) -> DeltaTable:
    return DeltaTable(folder(root, table).as_uri())


def log_files(root: Path, table: Table, pattern: str) -> list[Path]:
    return sorted((folder(root, table) / "_delta_log").glob(pattern))


def added_files(root: Path, table: Table) -> list[dict[str, Any]]:
    """Every `add` of the log, the latest commit's last."""
    lines = [line for file in log_files(root, table, "*.json") for line in file.read_text().splitlines()]
    return [entry["add"] for line in lines if "add" in (entry := json.loads(line))]


def sample(table: Table, number: int, **cells: Any) -> dict[str, Any]:
    """A row with a value in every column: an id in keys and statistics, a secret in every other text."""
    values = {
        "STRING": SECRET,
        "LONG": number,
        "INT": number,
        "BOOLEAN": True,
        "DATE": MONDAY,
        "TIMESTAMP": NOON,
        "ARRAY<STRING>": [SECRET],
    }
    row = {column.name: values[column.type] for column in table.columns}
    ids = {name: f"id-{number}" for name in (*table.key, *table.statistics) if table.column(name).type == "STRING"}
    days = {name for name in table.key if table.column(name).type == "DATE" and name != table.partitioned_by}
    return row | ids | dict.fromkeys(days, MONDAY - timedelta(days=number)) | cells


def write_in_every_way(lake: Lakehouse, table: Table) -> None:
    lake.append(table, table.frame([sample(table, 1), sample(table, 2)]))
    others = [name for name in table.content if name not in (*table.key, *table.statistics)]
    free_text = [*others, *table.bookkeeping][0]
    changed = sample(table, 2, **{free_text: None} if table.column(free_text).nullable else {})
    lake.merge(table, table.frame([changed, sample(table, 3)]), delete=table.frame([sample(table, 1)]))
    if table.partitioned_by:
        day = {table.partitioned_by: TUESDAY}
        lake.replace_day(table, TUESDAY, table.frame([sample(table, 4, **day)]))
    lake.append(table, table.frame([sample(table, 5)]))
    assert lake.maintain(table, today=WEDNESDAY).days_compacted == 1


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_new_table_explains_itself(lake: Lakehouse, root: Path, table: Table) -> None:
    lake.append(table, table.frame([sample(table, 1)]))
    metadata, fields = delta(root, table).metadata(), delta(root, table).schema().fields
    assert (metadata.name, metadata.description) == (table.name, table.description)
    assert metadata.partition_columns == ([table.partitioned_by] if table.partitioned_by else [])
    kept = "interval 1 minute" if table.append_only else "interval 7 days"
    assert metadata.configuration["delta.logRetentionDuration"] == kept
    assert metadata.configuration["delta.deletedFileRetentionDuration"] == "interval 2 days"
    assert [(field.name, field.nullable, field.metadata["comment"]) for field in fields] == [
        (column.name, column.nullable, column.description) for column in table.columns
    ]
    assert pa.schema(delta(root, table).schema().to_arrow()).types == [
        {
            "STRING": pa.string(),
            "LONG": pa.int64(),
            "INT": pa.int32(),
            "BOOLEAN": pa.bool_(),
            "DATE": pa.date32(),
            "TIMESTAMP": pa.timestamp("us", "UTC"),
            "ARRAY<STRING>": pa.list_(pa.string()),
        }[column.type]
        for column in table.columns
    ]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_way_of_writing_compresses_with_zstd(lake: Lakehouse, root: Path, table: Table) -> None:
    write_in_every_way(lake, table)
    files = [file for file in folder(root, table).rglob("*.parquet") if file.parent.name != "_delta_log"]
    assert len(files) >= 4
    assert {pq.ParquetFile(file).metadata.row_group(0).column(0).compression for file in files} == {"ZSTD"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_text_of_a_user_is_in_the_log(lake: Lakehouse, root: Path, table: Table) -> None:
    """By default Delta copies the first characters of every column into its log, prompts included."""
    write_in_every_way(lake, table)
    checkpoints = log_files(root, table, "*.checkpoint.parquet")
    assert checkpoints
    assert all(SECRET not in file.read_text() for file in log_files(root, table, "*.json"))
    assert all(SECRET not in str(pq.read_table(file).to_pylist()) for file in checkpoints)
    has_free_text = SECRET in str(sample(table, 1))  # a table of keys and times has none
    assert (SECRET in str(lake.read(table).to_dict("records"))) == has_free_text
    for added in added_files(root, table):
        assert set(json.loads(added["stats"])["minValues"]) == {
            name for name in table.statistics if name != table.partitioned_by
        }


def test_a_day_is_a_folder_and_a_merge_rewrites_only_the_days_that_change(lake: Lakehouse, root: Path) -> None:
    rows = [note("a", day=MONDAY), note("b", day=TUESDAY), note("c", day=WEDNESDAY)]
    lake.merge(NOTES, NOTES.frame(rows))
    before = set(delta(root, NOTES).file_uris())
    lake.merge(NOTES, NOTES.frame([rows[0], note("b", day=TUESDAY, text="changed")]))
    after = set(delta(root, NOTES).file_uris())
    assert {re.findall(r"/day=([\d-]+)/", uri)[0] for uri in before} == {"2026-03-02", "2026-03-03", "2026-03-04"}
    assert [re.findall(r"/day=([\d-]+)/", uri)[0] for uri in before ^ after] == ["2026-03-03", "2026-03-03"]


def test_new_columns_bring_their_comments_and_statistics(lake: Lakehouse, root: Path) -> None:
    older = replace(
        NOTES,
        columns=tuple(column for column in NOTES.columns if column.name != "number"),
        key=("author",),
        statistics=("day", "author"),
    )
    cells = note("a")
    del cells["number"]
    lake.append(older, older.frame([cells]))
    lake.append(NOTES, NOTES.frame([note("b", 7)]))
    assert json.loads(added_files(root, NOTES)[-1]["stats"])["maxValues"]["number"] == 7
    comments = {field.name: field.metadata.get("comment") for field in delta(root, NOTES).schema().fields}
    assert comments["number"] == NOTES.column("number").description


def test_a_log_that_cannot_be_read_is_an_error_and_never_an_empty_table(lake: Lakehouse, root: Path) -> None:
    """A table taken for missing would be read as empty, or created anew over the old one."""
    lake.append(NOTES, NOTES.frame([note("a")]))
    for commit in log_files(root, NOTES, "*.json"):
        commit.write_text("{broken")
    for use in (
        lambda: lake.read(NOTES),
        lambda: lake.version(NOTES),
        lambda: lake.append(NOTES, NOTES.frame([note("b")])),
        lambda: lake.maintain(NOTES, today=MONDAY),
    ):
        with pytest.raises(LakehouseError, match="notes"):
            use()


def test_a_lakehouse_that_may_not_be_looked_into_is_an_error_and_never_empty(root: Path) -> None:
    """delta-rs reports a folder without permission as a table that does not exist."""
    script = """
import os, pathlib, sys
from genie_assets.gateways.lakehouse.delta.definitions import properties_of, schema_of
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import NOTES, note
lake = open_lakehouse(sys.argv[1])
lake.append(NOTES, NOTES.frame([note("a")]))
pathlib.Path(sys.argv[1]).chmod(0)
if os.geteuid() == 0:
    os.setuid(65534)  # permissions do not bind root
try:
    print(len(lake.read(NOTES)), lake.version(NOTES))
except LakehouseError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", script, str(root)], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"notes: /.* may not be used.*rights.*\n", run.stdout)
    root.chmod(0o700)


def test_a_missing_data_file_is_an_error_that_names_the_table(lake: Lakehouse, root: Path) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    next(folder(root, NOTES).rglob("*.parquet")).unlink()
    with pytest.raises(LakehouseError, match="notes"):
        lake.read(NOTES)


def test_vacuum_takes_what_killed_writers_left_and_spares_those_at_work(lake: Lakehouse, root: Path) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    (first,) = log_files(root, NOTES, "*0.json")
    first.write_text(re.sub(r'"createdTime":\d+', '"createdTime":1', first.read_text()))
    day = next(folder(root, NOTES).glob("day=*"))
    ages = {"dead.zstd.parquet": 3, "dead.zstd.parquet#1": 3, "new.zstd.parquet": 0, "slow.zstd.parquet#2": 1}
    for name, days in ages.items():
        (day / name).write_bytes(b"PAR1")
        then = time.time() - days * SECONDS_OF_A_DAY - 60
        os.utime(day / name, (then, then))
    assert open_lakehouse(str(root)).maintain(NOTES, today=WEDNESDAY).files_vacuumed == 2
    assert [name for name in ages if (day / name).exists()] == ["new.zstd.parquet", "slow.zstd.parquet#2"]
    assert len(lake.read(NOTES)) == 1


def test_an_old_log_is_cut_and_the_table_keeps_its_rows_and_its_numbers(lake: Lakehouse, root: Path) -> None:
    for number in range(5):
        lake.append(NOTES, NOTES.frame([note("a", number)]))
    for file in log_files(root, NOTES, "*.json"):
        file.write_text(re.sub(r'"timestamp":\d+', '"timestamp":1', file.read_text()))
        os.utime(file, (time.time() - 30 * SECONDS_OF_A_DAY,) * 2)
    for number in range(5, 10):
        lake.append(NOTES, NOTES.frame([note("a", number)]))
    DeltaTable(folder(root, NOTES).as_uri(), version=5).create_checkpoint()
    os.utime(log_files(root, NOTES, "*5.checkpoint.parquet")[0], (time.time() - 30 * SECONDS_OF_A_DAY,) * 2)
    lake.maintain(NOTES, today=MONDAY)
    versions = [int(file.stem) for file in log_files(root, NOTES, "*.json")]
    assert versions[0] >= 5
    assert versions[-1] == 10
    assert sorted(lake.read(NOTES)["number"]) == list(range(10))


def test_a_closed_day_is_z_ordered(lake: Lakehouse, root: Path) -> None:
    for number in (3, 1, 2, 0):
        lake.append(MESSAGE_DETAILS, MESSAGE_DETAILS.frame([sample(MESSAGE_DETAILS, number)]))
    lake.maintain(MESSAGE_DETAILS, today=TUESDAY)
    (uri,) = delta(root, MESSAGE_DETAILS).file_uris()
    rows = pq.read_table(unquote(urlsplit(uri).path), columns=["message_id"], partitioning=None)
    assert rows["message_id"].to_pylist() == ["id-0", "id-1", "id-2", "id-3"]


def test_a_process_that_read_ends_with_exit_code_zero(root: Path) -> None:
    """delta-rs's pyarrow readers abort the interpreter at its end in half of all runs."""
    script = """
import sys
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import NOTES, note, MONDAY, TUESDAY
lake = open_lakehouse(sys.argv[1])
lake.merge(NOTES, NOTES.frame([note("a"), note("b")]))
lake.replace_day(NOTES, TUESDAY, NOTES.frame([note("c", day=TUESDAY)]))
assert len(lake.read(NOTES)) == 3
lake.maintain(NOTES, today=MONDAY)
"""
    runs = [
        subprocess.run([sys.executable, "-c", script, f"{root}-{number}"], capture_output=True, text=True)
        for number in range(5)
    ]
    assert [(run.returncode, run.stderr) for run in runs] == [(0, "")] * 5


def test_a_table_of_an_older_version_gets_the_properties_that_it_lacks_and_keeps_the_others(
    lake: Lakehouse, root: Path
) -> None:
    chosen = {"delta.logRetentionDuration": "interval 3 days"}
    place = folder(root, NOTES).as_uri()
    DeltaTable.create(place, schema_of(NOTES), partition_by=["day"], configuration=chosen)
    lake.append(NOTES, NOTES.frame([note("a")]))
    version = lake.version(NOTES)
    found = delta(root, NOTES).metadata().configuration
    assert found == {**properties_of(NOTES, on_disk=True), **chosen}
    lake.append(NOTES, NOTES.frame([note("b")]))
    assert lake.version(NOTES) == (version or 0) + 1
