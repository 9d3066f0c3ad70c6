"""Keeping Delta tables fast: fewer and fuller files, no files that nothing refers to, a short log."""

import logging
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.delta.commits import Change
from genie_assets.gateways.lakehouse.delta.failures import BusyError
from genie_assets.gateways.lakehouse.delta.writes import WRITER, DeltaStore
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.results import MaintenanceReport

logger = logging.getLogger(__name__)

_TARGET_BYTES = 128 * 1024 * 1024
# As in `delta.deletedFileRetentionDuration`: a writer at work is never that slow.
_RETENTION_SECONDS = 2 * 24 * 3600
# How delta-rs ends the names of files that are written as `WRITER` says, and of those that are not finished.
_SUFFIX = ".zstd.parquet"
_HALF_WRITTEN = re.compile(r"\.(?:parquet|json)#\d+$")
_CLOCKS_DIFFER_SECONDS = 24 * 3600
_LONGEST_NAME = 60


@dataclass(frozen=True)
class _File:
    day: date | None
    size: int


def maintain(store: DeltaStore, table: Table, today: date) -> MaintenanceReport:
    """Tidy up one table; see `Lakehouse.maintain`."""
    with store.failures_named(table):
        delta = store.open(table)
        if delta is None:
            return MaintenanceReport()
        before, version_before = _files(table, delta), delta.version()
        failures: list[LakehouseError] = []
        days = [day for day in _scattered_days(before, today) if _compacted(store, table, day, before, failures)]
        # Also where a day's files cannot be joined: on a full disk this is what makes room.
        folder = store.local_folder(table)
        vacuumed = store.commit(table, partial(_vacuum, table, folder), needs=None) + _drop_half_written(folder)
        delta = store.commit(table, _shorten_log, needs=None)
        if failures:
            raise failures[0]
        after = _files(table, delta)
        return MaintenanceReport(
            files_before=len(before),
            files_after=len(after),
            bytes_before=sum(file.size for file in before),
            bytes_after=sum(file.size for file in after),
            version_before=version_before,
            version_after=delta.version(),
            days_compacted=len(days),
            files_vacuumed=vacuumed,
        )


def _files(table: Table, delta: DeltaTable) -> list[_File]:
    actions = pa.table(delta.get_add_actions(flatten=True))
    sizes = actions["size_bytes"].to_pylist()
    if table.partitioned_by is None:
        return [_File(None, size) for size in sizes]
    days = actions[f"partition.{table.partitioned_by}"].to_pylist()
    return [_File(day, size) for day, size in zip(days, sizes, strict=True)]


def _scattered_days(files: Sequence[_File], today: date) -> list[date | None]:
    """Closed days with small files to join. A table without partitions counts as one closed day, None.

    One file alone, or large files beside one small one, are left as they are: that is how compaction leaves them,
    so a second run finds nothing to do.
    """
    small = Counter(
        file.day for file in files if file.size < _TARGET_BYTES // 2 and (file.day is None or file.day < today)
    )
    return sorted((day for day, count in small.items() if count > 1), key=lambda day: day or date.min)


def _compacted(
    store: DeltaStore, table: Table, day: date | None, files: Sequence[_File], failures: list[LakehouseError]
) -> bool:
    """Join the files of one day; False if that has to wait for the next time: for other writers, or a failure."""
    try:
        store.commit(
            table, partial(_compact, table, day), needs=sum(file.size for file in files if file.day == day)
        )
    except BusyError:
        logger.warning("%s: %s is left as it is, because others are writing to it", table.name, day or "all of it")
    except LakehouseError as error:
        failures.append(error)
    else:
        return True
    return False


def _compact(table: Table, day: date | None, delta: DeltaTable) -> Change[None]:
    filters = None if day is None else [(str(table.partitioned_by), "=", day.isoformat())]
    rewrite = partial(delta.optimize.z_order, table.z_order_by) if table.z_order_by else delta.optimize.compact
    # Like that of `_vacuum`, its commit says nothing about rows: should it be lost, they lie where they lay. So it
    # is not signed, and need not be found again; delta-rs commits nothing at all if there is nothing to join.
    rewrite(filters, target_size=_TARGET_BYTES, writer_properties=WRITER)
    return Change(None)


def _vacuum(table: Table, folder: Path | None, delta: DeltaTable) -> Change[int]:
    # `full` also finds what killed writers left behind; the table's own retention of two days spares the files of
    # writers at work. Asking first avoids two commits that say that nothing was deleted.
    unused = delta.vacuum(dry_run=True, full=True)
    others = [name for name in unused if not _is_ours(name, folder, delta)]
    if others:
        logger.warning(
            "%s: %d files that this table's writers cannot have left are kept, such as %s; move them elsewhere, "
            "so that what killed writers left behind can be removed again",
            table.name,
            len(others),
            ascii(others[0][:_LONGEST_NAME]),
        )
    is_full = not others
    if not (unused if is_full else delta.vacuum(dry_run=True)):
        return Change(0)
    # Its commits only say that files were removed: should they be lost, no row is.
    return Change(len(delta.vacuum(dry_run=False, full=is_full)))


def _is_ours(name: str, folder: Path | None, delta: DeltaTable) -> bool:
    """Whether a file that nothing refers to can be one of the table's own: its log begins before its files do."""
    if not name.endswith(_SUFFIX):
        return False
    created = delta.metadata().created_time
    if folder is None or created is None:
        return True
    try:
        return (folder / name).stat().st_mtime > created / 1000 - _CLOCKS_DIFFER_SECONDS
    except FileNotFoundError:
        return True  # another one's maintenance was faster


def _drop_half_written(folder: Path | None) -> int:
    """Remove what writers killed in mid-file left on a disk; delta-rs hides these files from its own vacuum."""
    oldest = time.time() - _RETENTION_SECONDS
    dropped = 0
    for file in _half_written(folder):
        with suppress(FileNotFoundError):  # a writer at work has just given it its final name
            if file.stat().st_mtime < oldest:
                file.unlink()
                dropped += 1
    return dropped


def _half_written(folder: Path | None) -> Iterator[Path]:
    for parent, _, names in os.walk(folder) if folder else ():
        yield from (Path(parent, name) for name in names if _HALF_WRITTEN.search(name))


def _shorten_log(delta: DeltaTable) -> Change[DeltaTable]:
    delta.create_checkpoint()
    delta.cleanup_metadata()
    return Change(delta)
