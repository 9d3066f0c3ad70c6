"""Maintenance of Delta files: what it rewrites, what it leaves alone, and how it gets on with writers."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from deltalake.table import TableOptimizer

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.delta.lakehouse import DeltaLakehouse, delta_root
from genie_assets.gateways.lakehouse.delta.limits import Limits
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import (
    LEDGER,
    MONDAY,
    NOTES,
    TUESDAY,
    WEDNESDAY,
    note,
    stored,
)

SECONDS_OF_A_DAY = 24 * 3600


@pytest.fixture
def lake(tmp_path: Path) -> Lakehouse:
    return open_lakehouse(str(tmp_path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "genie_analytics" / "notes"


def append(lake: Lakehouse, *days: date, table: Table = NOTES) -> None:
    """Write one file per given day."""
    for day in days:
        lake.append(table, table.frame([note(f"a{time.monotonic_ns()}", day=day)]))


def live_files(folder: Path) -> Counter[str]:
    """How many files the table has per day."""
    return Counter(re.findall(r"day=([\d-]+)", uri)[0] for uri in DeltaTable(folder.as_uri()).file_uris())


def data_files(folder: Path) -> dict[str, tuple[int, int]]:
    """Every data file on the disk, also those that are no longer part of the table, with its time and inode."""
    files = [file for file in folder.rglob("*.zstd.parquet*") if not file.is_symlink()]
    return {str(file.relative_to(folder)): (file.stat().st_mtime_ns, file.stat().st_ino) for file in files}


def test_only_closed_days_with_several_small_files_are_rewritten_and_again_only_when_they_gain_files(
    lake: Lakehouse, folder: Path
) -> None:
    append(lake, MONDAY, MONDAY, MONDAY, TUESDAY, WEDNESDAY, WEDNESDAY, WEDNESDAY + timedelta(days=1))
    append(lake, WEDNESDAY + timedelta(days=1))
    before = data_files(folder)
    first = lake.maintain(NOTES, today=WEDNESDAY)
    assert first.days_compacted == 1
    # Tuesday has one file only; Wednesday is the present day, and a clock that runs behind sees days after it.
    assert live_files(folder) == {"2026-03-02": 1, "2026-03-03": 1, "2026-03-04": 2, "2026-03-05": 2}
    written = set(data_files(folder)) - set(before)
    assert [Path(name).parent.name for name in written] == ["day=2026-03-02"]

    before = data_files(folder)
    second = lake.maintain(NOTES, today=WEDNESDAY)
    assert (second.days_compacted, second.version_after) == (0, first.version_after)
    assert (second.bytes_before, second.bytes_after) == (first.bytes_after, first.bytes_after)
    assert data_files(folder) == before

    append(lake, TUESDAY)
    third = lake.maintain(NOTES, today=WEDNESDAY)
    assert third.days_compacted == 1
    written = set(data_files(folder)) - set(before)
    assert {Path(name).parent.name for name in written} == {"day=2026-03-03"}


def test_a_table_without_partitions_is_rewritten_only_when_it_has_several_files(
    lake: Lakehouse, tmp_path: Path
) -> None:
    append(lake, MONDAY, table=LEDGER)
    assert lake.maintain(LEDGER, today=TUESDAY).days_compacted == 0
    append(lake, MONDAY, table=LEDGER)
    first = lake.maintain(LEDGER, today=TUESDAY)
    assert (first.days_compacted, first.files_before, first.files_after) == (1, 2, 1)
    before = data_files(tmp_path)
    assert lake.maintain(LEDGER, today=TUESDAY).version_after == first.version_after
    assert data_files(tmp_path) == before


def test_files_that_a_compaction_replaced_are_kept_for_their_readers_and_then_removed(
    lake: Lakehouse, folder: Path
) -> None:
    append(lake, MONDAY, MONDAY, MONDAY)
    lake.maintain(NOTES, today=TUESDAY)
    assert len(data_files(folder)) == 4
    log = folder / "_delta_log"
    for name in [*log.glob("*.checkpoint.parquet"), log / "_last_checkpoint"]:
        name.unlink()
    old = round((time.time() - 3 * SECONDS_OF_A_DAY) * 1000)
    for commit in log.glob("*.json"):
        commit.write_text(re.sub(r'"deletionTimestamp":\d+', f'"deletionTimestamp":{old}', commit.read_text()))
    before = stored(lake, NOTES)
    report = lake.maintain(NOTES, today=TUESDAY)
    assert (report.files_vacuumed, report.days_compacted) == (3, 0)
    assert len(data_files(folder)) == 1
    assert stored(lake, NOTES) == before


def test_a_file_that_its_writer_renames_while_maintenance_looks_at_it_is_no_failure(
    lake: Lakehouse, folder: Path
) -> None:
    append(lake, MONDAY)
    # Like a file that is listed and then gone: it has a name and cannot be looked at.
    (folder / "day=2026-03-02" / "written.zstd.parquet#1").symlink_to(folder / "gone")
    half_written = folder / "day=2026-03-02" / "dead.zstd.parquet#12"
    half_written.write_bytes(b"PAR1")
    os.utime(half_written, (time.time() - 3 * SECONDS_OF_A_DAY,) * 2)
    assert lake.maintain(NOTES, today=TUESDAY).files_vacuumed == 1
    assert not half_written.exists()


def test_a_day_that_others_keep_writing_is_left_for_the_next_time(
    lake: Lakehouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backfill of one old day must not keep all others from their maintenance, nor fail it."""
    append(lake, MONDAY, MONDAY, TUESDAY, TUESDAY)
    lake.merge(NOTES, NOTES.frame([note("busy", day=MONDAY)]))
    hasty = DeltaLakehouse(delta_root(str(folder.parents[1])), limits=Limits(commit_seconds=0.5))
    rewrite = TableOptimizer.z_order

    def overtaken(self: TableOptimizer, columns: Any, filters: Any, **options: Any) -> Any:
        if filters == [("day", "=", MONDAY.isoformat())]:
            busy = note("busy", day=MONDAY, text=str(time.monotonic_ns()))
            open_lakehouse(str(folder.parents[1])).merge(NOTES, NOTES.frame([busy]))
        return rewrite(self, columns, filters, **options)

    monkeypatch.setattr(TableOptimizer, "z_order", overtaken)
    assert hasty.maintain(NOTES, today=WEDNESDAY).days_compacted == 1
    assert live_files(folder) == {"2026-03-02": 3, "2026-03-03": 1}
    monkeypatch.undo()
    assert lake.maintain(NOTES, today=WEDNESDAY).days_compacted == 1
    assert live_files(folder) == {"2026-03-02": 1, "2026-03-03": 1}
    assert len(lake.read(NOTES)) == 5


# Appends to and merges into days that are closed, as late rows and backfills do.
WRITER = """
import sys
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import MONDAY, NOTES, TUESDAY, note
lake = open_lakehouse(sys.argv[1])
for commit in range(25):
    day = (MONDAY, TUESDAY)[commit % 2]
    lake.append(NOTES, NOTES.frame([note("appended", commit, day)]))
    lake.merge(NOTES, NOTES.frame([note("merged", commit, day), note("counter", 0, MONDAY, pages=commit)]))
"""


@pytest.mark.slow
def test_writers_and_maintenance_beside_each_other_lose_nothing_and_both_get_on(
    lake: Lakehouse, tmp_path: Path
) -> None:
    append(lake, MONDAY, TUESDAY)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stderr=subprocess.PIPE, text=True)
    compacted = 0
    while writer.poll() is None:
        compacted += lake.maintain(NOTES, today=WEDNESDAY).days_compacted
        time.sleep(0.2)
    assert (writer.communicate()[1], writer.returncode) == ("", 0)
    assert compacted > 0
    found = lake.read(NOTES)
    written = found[found["author"].isin(["appended", "merged", "counter"])]
    expected = [(author, number) for author in ("appended", "merged") for number in range(25)]
    assert Counter(zip(written["author"], written["number"], strict=True)) == Counter([*expected, ("counter", 0)])
    assert written[written["author"] == "counter"]["pages"].tolist() == [24]


def test_a_compaction_whose_commit_is_followed_by_a_checkpoint_is_done_once(folder: Path) -> None:
    """It was taken for lost, and tried again for a minute: delta-rs signs no commit of a compaction."""
    lake = DeltaLakehouse(
        delta_root(str(folder.parents[1])), None, limits=Limits(commit_seconds=0, least_attempts=1)
    )
    plain = replace(NOTES, name="plain", z_order_by=())
    for appends in range(1, 25):  # every 20th commit is followed by a checkpoint: one of them is a compaction's
        append(lake, *[MONDAY] * (1 + appends % 2), TUESDAY, TUESDAY, table=plain)
        assert lake.maintain(plain, today=WEDNESDAY).days_compacted == 2
