"""The log of a table that only grows: short, whoever writes to it and however slowly."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deltalake import write_deltalake

from genie_assets.gateways.lakehouse import delta as engine
from genie_assets.gateways.lakehouse import open_lakehouse
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
