"""The log of a table that only grows: short, whoever writes to it and however slowly."""

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from genie_assets.gateways.lakehouse.delta import merges as engine
from genie_assets.gateways.lakehouse.delta import tables as delta_tables
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import LEDGER, note

GROWING = replace(LEDGER, name="growing", append_only=True)


def append(folder: Path, numbers: range) -> None:
    lake = open_lakehouse(str(folder))
    for number in numbers:
        lake.append(GROWING, GROWING.frame([note("a", number)]))


def age(folder: Path) -> None:
    """Let ten minutes pass."""
    then = time.time() - 600
    for entry in log(folder).iterdir():
        os.utime(entry, (then, then))


def log(folder: Path) -> Path:
    return folder / "genie_analytics/growing/_delta_log"


def numbers(folder: Path) -> list[int]:
    return sorted(open_lakehouse(str(folder)).read(GROWING)["number"])


def test_the_log_does_not_grow_with_the_number_of_batches(tmp_path: Path) -> None:
    """Every write lists it: with ten thousand entries that takes longer than the write."""
    for round_ in range(4):
        append(tmp_path, range(round_ * 25, round_ * 25 + 25))
        age(tmp_path)
    append(tmp_path, range(100, 121))
    assert len(list(log(tmp_path).glob("*.json"))) < 60
    assert numbers(tmp_path) == list(range(121))


def test_a_writer_whose_commits_to_compare_with_are_gone_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(tmp_path, range(5))
    writes = []

    def slow_write(*args: Any, **kwargs: Any) -> None:
        """The first write takes so long that others commit, and the log is shortened, meanwhile."""
        writes.append(1)
        if len(writes) == 1:
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(engine, "write_deltalake", write_deltalake)
                append(tmp_path, range(5, 30))
                age(tmp_path)
                append(tmp_path, range(30, 75))
        write_deltalake(*args, **kwargs)

    monkeypatch.setattr(engine, "write_deltalake", slow_write)
    append(tmp_path, range(75, 76))
    assert len(writes) == 2
    assert numbers(tmp_path) == list(range(76))


def test_a_table_that_is_deleted_and_made_anew_gets_a_log_without_gaps(tmp_path: Path) -> None:
    """A lakehouse keeps tables open between its commits."""
    lake, other = open_lakehouse(str(tmp_path)), open_lakehouse(str(tmp_path))
    for number in range(30):
        lake.append(GROWING, GROWING.frame([note("a", number)]))
    shutil.rmtree(log(tmp_path).parent)
    other.append(GROWING, GROWING.frame([note("a", 100)]))
    lake.append(GROWING, GROWING.frame([note("a", 101)]))
    assert numbers(tmp_path) == [100, 101]
    assert lake.version(GROWING) == 2
    shutil.rmtree(log(tmp_path).parent)
    lake.append(GROWING, GROWING.frame([note("a", 102)]))
    assert numbers(tmp_path) == [102]


def test_commits_of_others_are_seen_between_our_own(tmp_path: Path) -> None:
    lake, other = open_lakehouse(str(tmp_path)), open_lakehouse(str(tmp_path))
    for number in range(0, 60, 2):
        assert lake.merge(GROWING, GROWING.frame([note(f"{number}", number)])).inserted == 1
        assert other.merge(GROWING, GROWING.frame([note(f"{number}", number)])).changed == 0
        assert other.merge(GROWING, GROWING.frame([note(f"{number + 1}", number + 1)])).inserted == 1
    assert numbers(tmp_path) == list(range(60))


# What delta-rs said when another process shortened the log while it was opening the table.
SHORTENED = (
    "Kernel error: File not found: /lake/genie_analytics/growing/_delta_log/00000000000000000013.json",
    "Kernel error: Arrow error: External: Object at location /lake/genie_analytics/growing/_delta_log/"
    "00000000000000000004.checkpoint.parquet not found: No such file or directory (os error 2)",
)


@pytest.mark.parametrize("text", SHORTENED)
@pytest.mark.parametrize(("failures", "is_read"), [(3, True), (100, False)])
def test_a_reader_whose_log_is_shortened_under_it_opens_the_table_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, failures: int, is_read: bool
) -> None:
    append(tmp_path, range(3))
    opened: list[str] = []

    def shortened(uri: str, **options: Any) -> DeltaTable:
        opened.append(uri)
        if len(opened) <= failures:
            raise DeltaError(text)
        return DeltaTable(uri, **options)

    monkeypatch.setattr(delta_tables, "DeltaTable", shortened)
    if is_read:
        assert numbers(tmp_path) == [0, 1, 2]
    else:
        with pytest.raises(LakehouseError, match="growing"):
            numbers(tmp_path)
