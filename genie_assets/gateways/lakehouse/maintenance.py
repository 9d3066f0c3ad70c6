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
from deltalake.exceptions import CommitFailedError

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse import LakehouseError, MaintenanceReport
from genie_assets.gateways.lakehouse.delta_writes import WRITER, DeltaStore, failures_named

logger = logging.getLogger(__name__)

_TARGET_BYTES = 128 * 1024 * 1024
# As in `delta.deletedFileRetentionDuration`: a writer at work is never that slow.
_RETENTION_SECONDS = 2 * 24 * 3600


@dataclass(frozen=True)
class _File:
    day: date | None
    size: int


def maintain(store: DeltaStore, table: Table, today: date) -> MaintenanceReport:
    """Tidy up one table; see `Lakehouse.maintain`."""
    with failures_named(table):
        delta = store.open(table)
        if delta is None:
            return MaintenanceReport()
        before, version_before = _files(table, delta), delta.version()
        days = [day for day in _scattered_days(before, today) if _compacted(store, table, day)]
        vacuumed = store.commit(table, _vacuum) + _drop_half_written(store.local_folder(table))
        delta = store.commit(table, _shorten_log)
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


def _compacted(store: DeltaStore, table: Table, day: date | None) -> bool:
    """Join the files of one day; False if other writers kept it busy, so that it has to wait for the next time."""
    try:
        store.commit(table, partial(_compact, table, day))
    except LakehouseError as error:
        if not isinstance(error.__cause__, CommitFailedError):
            raise
        logger.warning("%s: %s is left as it is, because others are writing to it", table.name, day or "all of it")
        return False
    return True


def _compact(table: Table, day: date | None, delta: DeltaTable) -> None:
    filters = None if day is None else [(str(table.partitioned_by), "=", day.isoformat())]
    if table.z_order_by:
        delta.optimize.z_order(table.z_order_by, filters, target_size=_TARGET_BYTES, writer_properties=WRITER)
    else:
        delta.optimize.compact(filters, target_size=_TARGET_BYTES, writer_properties=WRITER)


def _vacuum(delta: DeltaTable) -> int:
    # `full` also finds what killed writers left behind; the table's own retention of two days spares the files of
    # writers at work. Asking first avoids two commits that say that nothing was deleted.
    if not delta.vacuum(dry_run=True, full=True):
        return 0
    return len(delta.vacuum(dry_run=False, full=True))


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
        yield from (Path(parent, name) for name in names if re.search(r"#\d+$", name))


def _shorten_log(delta: DeltaTable) -> DeltaTable:
    delta.create_checkpoint()
    delta.cleanup_metadata()
    return delta
