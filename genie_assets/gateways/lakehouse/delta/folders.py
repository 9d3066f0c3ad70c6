"""What lies where a table should be: nothing yet, a table, or files that have lost their log.

A table is made by its first commit alone: delta-rs makes its folder, then `_delta_log`, and then gives the first
entry its name, before any file with rows is written. So whoever is killed on the way leaves folders that are empty
but for an entry that has no name yet. Files without a log are never ours to write over: they are a table whose log
was lost, or somebody else's, and both would be taken for unused files by the next maintenance.
"""

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.errors import LakehouseError

LOG = "_delta_log"
_ENTRY = re.compile(r"\d{20}\.json")
# An entry on its way to its name, by either of the ways in which delta-rs gives it one.
_UNNAMED = re.compile(r"\d{20}\.json#\d+|_commit_[\w-]+\.json\.tmp")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..*parquet")
# A checkpoint comes every so many entries at least: older ones are not read any more.
_ENTRIES_READ = 20
_LONGEST_NAME = 60

_RESTORE = "restore it from a backup"
_LAST_CUT = "remove that file, and load the days of its time again"


def is_made_meanwhile(table: Table, place: str, names_in: Callable[[str], Sequence[str]]) -> bool:
    """Whether a table that was not found has a log by now; False if there is nothing.

    Args:
        table: the table.
        place: where it should be, for people.
        names_in: the names in a folder, given by its path below the table's own; none if there is no such folder.

    Raises:
        LakehouseError: there are files and no log.
    """
    # In this order: who is making the table right now makes its log before its files.
    files = [name for name in names_in("") if name != LOG and not name.startswith(".")]
    log = [name for name in names_in(LOG) if not name.startswith(".")]
    if any(_ENTRY.fullmatch(name) for name in log):
        return True
    log = [f"{LOG}/{name}" for name in log if not _UNNAMED.fullmatch(name)]
    if not (files or log):
        return False
    found = sorted([*files, *log])
    raise LakehouseError(
        f"{table.name}: {place} holds files such as {_shown(found[0])}, and no log that says which rows are in "
        f"them: restore {LOG} from a backup, or move them away to begin with an empty table; nothing was changed"
    )


def _shown(name: str) -> str:
    return ascii(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…")


def refuse_cut_entries(table: Table, folder: Path, version: int) -> None:
    """LakehouseError if a recent entry of the log is empty, for delta-rs reads it as a commit of nothing.

    A disk that loses its power keeps the name of a file whose content it had not written yet.
    """
    log = f"{folder}/{LOG}"
    for number in range(version, max(-1, version - _ENTRIES_READ), -1):
        try:
            size = os.stat(f"{log}/{number:020}.json").st_size  # noqa: PTH116 - for each commit, so the quickest way
        except FileNotFoundError:
            return
        if not size:
            later = range(number, version + 1)
            if any(list((folder / LOG).glob(f"{each:020}.checkpoint.*parquet")) for each in later):
                return  # what it held is lost for good, and is not looked for any more
            raise LakehouseError(f"{table.name}: {_cut(folder, number, is_last=number == version)}")


def _cut(folder: Path, number: int, *, is_last: bool) -> str:
    file = folder / LOG / f"{number:020}.json"
    return (
        f"{file} is cut off, as by a machine that lost its power, so its commit is lost: "
        f"{_LAST_CUT if is_last else _RESTORE}"
    )


def damage_of_log(folder: Path) -> str | None:
    """What is wrong with a log that cannot be read, and what to do; None if that is not to be seen."""
    log = folder / LOG
    try:
        sizes = {file.name: file.stat().st_size for file in log.iterdir()}
    except OSError:
        return None
    numbers = sorted(int(name[:20]) for name in sizes if _ENTRY.fullmatch(name))
    checkpoints = [int(found[1]) for name in sizes if sizes[name] and (found := _CHECKPOINT.fullmatch(name))]
    if not numbers:
        return (
            f"{log} has lost its entries: {_RESTORE}, or move the table's folder away to begin with an empty one"
        )
    if broken := [number for number in numbers if not _is_whole(log / f"{number:020}.json")]:
        return _cut(folder, broken[-1], is_last=broken[-1] == numbers[-1])
    if numbers[0] > max(checkpoints, default=-1) + 1:
        return f"{log} begins with entry {numbers[0]}, and there is no checkpoint of those before: {_RESTORE}"
    if missing := sorted(set(range(numbers[0], numbers[-1])).difference(numbers)):
        return f"{log} lacks entries such as {missing[0]}: {_RESTORE}"
    if "_last_checkpoint" in sizes and not checkpoints:
        # Every entry is there, from the first one: nothing is lost.
        return f"{log} has no usable checkpoint, though _last_checkpoint names one: remove that file"
    return None


def _is_whole(entry: Path) -> bool:
    """Whether an entry is a line of JSON, or several."""
    try:
        lines = entry.read_text(encoding="utf-8").splitlines()
        return bool(lines) and all(isinstance(json.loads(line), dict) for line in lines if line)
    except (OSError, ValueError):
        return False
