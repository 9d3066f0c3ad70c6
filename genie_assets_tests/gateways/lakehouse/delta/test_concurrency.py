"""Several processes write the same tables at once, and are killed while they do."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from deltalake import DeltaTable

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import LEDGER, MONDAY, NOTES, note

# Every test starts several interpreters.
pytestmark = pytest.mark.slow

WRITERS = 4
COMMITS = 8
ROWS = 5

# One writer: `verb` COMMITS times ROWS rows, on one day for all writers or on a day of its own.
WRITER = f"""
import sys, time
from datetime import timedelta
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import LEDGER, MONDAY, NOTES, note

root, verb, writer, days, begin = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], float(sys.argv[5])
lake = open_lakehouse(root)
day = MONDAY + timedelta(days=writer if days == "own" else 0)
time.sleep(max(0, begin - time.time()))
for commit in range({COMMITS}):
    own = [note(f"w{{writer}}", commit * {ROWS} + row, day, text="x" * 100) for row in range({ROWS})]
    shared = [note("shared", commit * {ROWS} + row, day) for row in range({ROWS})]
    match verb:
        case "append":
            lake.append(NOTES, NOTES.frame(own))
        case "merge":
            lake.merge(NOTES, NOTES.frame(own + shared))
        case "merge_ledger":
            lake.merge(LEDGER, LEDGER.frame(own + shared))
        case "count":
            lake.merge(NOTES, NOTES.frame([note(f"w{{writer}}", 0, day, pages=commit + 1)]))
        case "replace":
            batch = [note(f"w{{writer}}-{{commit}}", row, day) for row in range({ROWS})]
            lake.replace_day(NOTES, day, NOTES.frame(batch))
        case "maintain":
            lake.maintain(NOTES, today=MONDAY)
"""


def start(root: Path, verb: str, writer: int, days: str, begin: float = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(root), verb, str(writer), days, str(begin)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def run_writers(root: Path, verbs: Sequence[str], days: str) -> None:
    """Run one writer per verb, all of which begin at the same moment, and fail if one of them failed."""
    begin = time.time() + 4
    writers = [start(root, verb, number, days, begin) for number, verb in enumerate(verbs)]
    ends = [(writer.communicate()[1], writer.returncode) for writer in writers]
    assert ends == [("", 0)] * len(verbs)


def keys(frame: pd.DataFrame) -> Counter[tuple[str, int]]:
    return Counter(zip(frame["author"], frame["number"], strict=True))


def own_keys(writers: Sequence[int]) -> Counter[tuple[str, int]]:
    return Counter((f"w{writer}", number) for writer in writers for number in range(COMMITS * ROWS))


SHARED = Counter(("shared", number) for number in range(COMMITS * ROWS))


@pytest.mark.parametrize("days", ["own", "same"])
@pytest.mark.parametrize("verb", ["append", "merge"])
def test_writers_at_once_lose_nothing_and_double_nothing(tmp_path: Path, verb: str, days: str) -> None:
    """The table does not exist at first, so the writers race to create it as well."""
    run_writers(tmp_path, [verb] * WRITERS, days)
    expected = own_keys(range(WRITERS))
    if verb == "merge":
        copies = WRITERS if days == "own" else 1
        expected += Counter(dict.fromkeys(SHARED, copies))
    assert keys(open_lakehouse(str(tmp_path)).read(NOTES)) == expected


def test_a_table_that_another_writer_creates_in_the_meantime_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = DeltaTable.create

    def overtaken(*args: Any, **settings: Any) -> DeltaTable:
        monkeypatch.undo()
        open_lakehouse(str(tmp_path)).append(NOTES, NOTES.frame([note("first")]))
        return create(*args, **settings)

    monkeypatch.setattr(DeltaTable, "create", overtaken)
    lake = open_lakehouse(str(tmp_path))
    lake.append(NOTES, NOTES.frame([note("second")]))
    assert sorted(lake.read(NOTES)["author"]) == ["first", "second"]


def test_merges_into_a_table_without_partitions_keep_one_row_per_key(tmp_path: Path) -> None:
    run_writers(tmp_path, ["merge_ledger"] * WRITERS, "same")
    assert keys(open_lakehouse(str(tmp_path)).read(LEDGER)) == own_keys(range(WRITERS)) + SHARED


@pytest.mark.parametrize("days", ["own", "same"])
def test_a_replaced_day_is_always_one_writers_whole_batch(tmp_path: Path, days: str) -> None:
    run_writers(tmp_path, ["replace"] * WRITERS, days)
    found = open_lakehouse(str(tmp_path)).read(NOTES)
    batches = found.groupby("day")["author"].agg(["nunique", "size"])
    assert batches["nunique"].tolist() == [1] * len(batches)
    assert batches["size"].tolist() == [ROWS] * len(batches)
    assert len(batches) == (WRITERS if days == "own" else 1)
    # Whoever wrote last on a day wrote its last batch.
    assert all(author.endswith(f"-{COMMITS - 1}") for author in found["author"])


def test_updates_survive_appends_and_maintenance_beside_them(tmp_path: Path) -> None:
    lake = open_lakehouse(str(tmp_path))
    for number, days in itertools.product(range(4), (-2, -1)):
        lake.append(NOTES, NOTES.frame([note("old", number, MONDAY + timedelta(days=days))]))
    run_writers(tmp_path, ["count", "append", "maintain", "append"], "same")
    found = lake.read(NOTES)
    assert keys(found) == own_keys([1, 3]) + Counter({("w0", 0): 1}) + Counter({("old", n): 2 for n in range(4)})
    assert found[found["author"] == "w0"]["pages"].tolist() == [COMMITS]


KILLED_WRITER = f"""
import itertools, os, sys
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import MONDAY, NOTES, note
lake = open_lakehouse(sys.argv[1])
done = open(sys.argv[2], "a")
first = int(sys.argv[3])
for batch in itertools.count(first):
    rows = [note(f"b{{batch}}", row, text="x" * 2000) for row in range({ROWS})]
    if batch % 3 == 0:
        lake.append(NOTES, NOTES.frame(rows))
    else:
        moved = NOTES.frame([{{**row, "pages": 1}} for row in rows])
        before = NOTES.frame([note(f"b{{batch - 1}}", row, text="changed") for row in range({ROWS})])
        lake.merge(NOTES, NOTES.frame(moved.to_dict("records") + before.to_dict("records")))
    print(batch, file=done, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_whole_batches_and_every_confirmed_one(tmp_path: Path) -> None:
    root, done = tmp_path / "lake", tmp_path / "done"
    done.touch()
    moments = random.Random(7)
    for kill in range(6):
        command = [sys.executable, "-c", KILLED_WRITER, str(root), str(done), str(1000 * kill)]
        lines = len(done.read_text().splitlines())
        writer = subprocess.Popen(command)
        while len(done.read_text().splitlines()) < lines + 3:
            assert writer.poll() is None
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.1))
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        batches = Counter(open_lakehouse(str(root)).read(NOTES)["author"])
        confirmed = {f"b{batch}" for batch in done.read_text().split()}
        assert set(batches.values()) == {ROWS}
        assert confirmed <= set(batches)
        # At most the batch at work when the writer was killed is there without its confirmation.
        assert len(set(batches) - confirmed) <= kill + 1
    lake: Lakehouse = open_lakehouse(str(root))
    before = keys(lake.read(NOTES))
    lake.maintain(NOTES, today=date(2026, 12, 31))
    assert keys(lake.read(NOTES)) == before
