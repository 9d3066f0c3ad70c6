"""A writer that is stopped in the middle of a commit, while others commit and shorten the log, and then goes on.

The log of a table that only grows is kept for a minute, so the number of an entry that was removed can be given
again, to a commit that nobody will ever read. Pauses of minutes are scaled down: the log is made older instead.
"""

import ctypes
import itertools
import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from genie_assets.gateways.lakehouse.delta.folders import LOG
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import LEDGER, note

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="inotify tells the moments")]

GROWING = replace(LEDGER, name="growing", append_only=True)
CHECKPOINTS = 4  # commits from one to the next
_CREATED, _RENAMED = 0x100, 0x80

# Where a writer is stopped: by the name of the file that has just appeared, or by itself.
POINTS = {
    "before it writes": None,
    "rows are written": r".*\.parquet(#\d+)?",
    "its entry is prepared": r"_commit_.*\.tmp|\d{20}\.json#\d+",
    "its entry has its number": r"\d{20}\.json",
    "its checkpoint is begun": r"\d{20}\.checkpoint.*",
    "its checkpoint is announced": r"_last_checkpoint.*",
    "after it has written": None,
}

# Writes what it is told to on its input, and says when it is stored.
WRITER = """
import os, signal, sys
from dataclasses import replace
from genie_assets.gateways.lakehouse.delta import merges as engine
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.delta.test_pauses import GROWING
from genie_assets_tests.gateways.lakehouse.examples import note

lake, written, stops = open_lakehouse(sys.argv[1]), engine.write_deltalake, []

def stop(point):
    if point in stops:
        stops.remove(point)
        os.kill(os.getpid(), signal.SIGSTOP)

def write(*args, **options):
    stop("before it writes")
    written(*args, **options)
    stop("after it has written")

engine.write_deltalake = write
print("ready", flush=True)
for line in sys.stdin:
    verb, number, point = line.strip().split("|")
    stops[:] = [point]
    frame = GROWING.frame([note("a", int(number))])
    done = lake.append(GROWING, frame) if verb == "append" else lake.merge(GROWING, frame).inserted
    print(number, done, flush=True)
"""


class Writer:
    """A process that writes rows, and can be stopped on the way."""

    def __init__(self, root: Path) -> None:
        command = [sys.executable, "-c", WRITER, str(root)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._log = root / "genie_analytics" / GROWING.name / LOG
        assert self._said() == "ready"

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def begin(self, verb: str, number: int, point: str) -> None:
        """Begin to write a row, and stop at the point, or soon after it."""
        with created_in(self._log, self._log.parent) as names:
            self._tell(f"{verb}|{number}|{point}")
            pattern = POINTS[point]
            if pattern is not None and any(re.fullmatch(pattern, name) for name in names):
                self._process.send_signal(signal.SIGSTOP)
            self._await_stop()

    def end(self) -> str:
        """Go on, and say what was stored."""
        self._process.send_signal(signal.SIGCONT)
        return self._said()

    def _await_stop(self) -> None:
        status = Path(f"/proc/{self._process.pid}/stat")
        end = time.monotonic() + 5
        while status.read_text().rpartition(")")[2].split()[0] != "T" and time.monotonic() < end:
            if select.select([self._process.stdout], [], [], 0)[0]:
                return
            time.sleep(0.001)

    def _tell(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _said(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@contextmanager
def created_in(*folders: Path) -> Iterator[Iterator[str]]:
    """The names of files as they appear in folders, until none did for a second."""
    libc = ctypes.CDLL(None, use_errno=True)
    notices = libc.inotify_init()
    try:
        for folder in folders:
            assert libc.inotify_add_watch(notices, os.fsencode(folder), _CREATED | _RENAMED) >= 0

        def names() -> Iterator[str]:
            while select.select([notices], [], [], 1)[0]:
                data, place = os.read(notices, 65536), 0
                while place < len(data):
                    (length,) = struct.unpack_from("I", data, place + 12)
                    yield data[place + 16 : place + 16 + length].rstrip(b"\0").decode()
                    place += 16 + length

        yield names()
    finally:
        os.close(notices)


def others_go_on(lake: Lakehouse, root: Path, numbers: range) -> None:
    """Others commit, minutes pass, and the log is shortened to its last checkpoint; then they commit once more."""
    folder = root / "genie_analytics" / GROWING.name
    for number in numbers[:-1]:
        lake.append(GROWING, GROWING.frame([note("a", number)]))
    then = time.time() - 600
    for entry in (folder / LOG).iterdir():
        os.utime(entry, (then, then))
    delta = DeltaTable(folder.as_uri())
    delta.create_checkpoint()
    delta.cleanup_metadata()
    lake.append(GROWING, GROWING.frame([note("a", numbers[-1])]))


def stop_and_go(root: Path, point: str, times: int) -> None:
    """Stop a writer so many times at one point, of an append and of a merge by turns, and then count every row."""
    lake = open_lakehouse(str(root))
    lake.append(GROWING, GROWING.frame([note("a", 0)]))
    folder = root / "genie_analytics" / GROWING.name
    DeltaTable(folder.as_uri()).alter.set_table_properties({"delta.checkpointInterval": str(CHECKPOINTS)})
    number, said = 0, []
    with Writer(root) as writer:
        for verb in itertools.islice(itertools.cycle(("append", "merge")), times):
            while "checkpoint" in point and (lake.version(GROWING) or 0) % CHECKPOINTS != CHECKPOINTS - 1:
                number += 1
                lake.append(GROWING, GROWING.frame([note("a", number)]))
            writer.begin(verb, number + 1, point)
            others_go_on(lake, root, range(number + 2, number + 5))
            said.append(writer.end() == f"{number + 1} 1")
            number += 4
    assert said == [True] * times
    found = Counter(lake.read(GROWING)["number"])
    assert {each: found[each] for each in range(number + 1) if found[each] != 1} == {}
    assert found.total() == number + 1


# Each time takes up to a second.
TIMES = [4, pytest.param(20, marks=pytest.mark.long), pytest.param(100, marks=pytest.mark.rare)]


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("point", POINTS)
def test_a_writer_stopped_on_its_way_loses_and_doubles_nothing(tmp_path: Path, point: str, times: int) -> None:
    stop_and_go(tmp_path, point, times)
