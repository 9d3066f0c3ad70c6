"""Committing to Delta tables: the one way in which anything is written.

delta-rs rebases only commits that cannot conflict; everything else it refuses, appends beside a merge included.
So a write is a function of a freshly opened table, and it starts again when another writer was faster, or when the
table does not hold its commit (`commits`). What is written does not belong here, nor how a table is opened.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import DeltaError
from deltalake.writer import WriterProperties
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    stop_all,
    wait_random_exponential,
)

from genie_assets.domain.tables import TABLES, Table
from genie_assets.gateways.lakehouse.delta import disks, kept, store_files
from genie_assets.gateways.lakehouse.delta.commits import (
    Change,
    Make,
    Signature,
    Signatures,
    Stopwatch,
    is_behind_last_checkpoint,
)
from genie_assets.gateways.lakehouse.delta.failures import LostCommitError, was_overtaken
from genie_assets.gateways.lakehouse.delta.folders import LOG, refuse_cut_entries
from genie_assets.gateways.lakehouse.delta.limits import Limits
from genie_assets.gateways.lakehouse.delta.tables import DeltaTables
from genie_assets.gateways.lakehouse.errors import LakehouseError

logger = logging.getLogger(__name__)

T = TypeVar("T")
# Decides on a freshly opened table what is to be committed.
Decide = Callable[[DeltaTable], Change[T]]
_Entry = tuple[int, int, int]

# 40 % smaller files than the default at the same speed, measured on messages. A group of rows is what can be
# skipped within a file: with the default of a million, a few old ids read all of a table without partitions.
WRITER = WriterProperties(compression="ZSTD", compression_level=3, max_row_group_size=32_768)


class DeltaStore(DeltaTables):
    """The tables, with the one way to write them."""

    def __init__(
        self,
        root: str,
        storage_options: Mapping[str, str] | None,
        limits: Limits,
        *,
        made_up: bool = False,
        opened: Callable[[Table, DeltaTable | None], object],
    ) -> None:
        super().__init__(root, storage_options, limits, made_up=made_up, opened=opened)
        self._signatures = Signatures()
        # Tables as the last commit left them, each with what tells its log's last entry from any other: to bring
        # one up to date is quicker than to read its checkpoint.
        self._left_open: dict[str, tuple[DeltaTable, _Entry]] = {}

    def commit(self, table: Table, decide: Decide[T], *, needs: int | None = 0) -> T:
        """Decide on a fresh table, created or extended if need be, and commit, until the table holds it.

        Args:
            table: the table to change.
            decide: says what is to be changed.
            needs: how many bytes it brings along; None for what is there to make room.

        Raises:
            LakehouseError: the stored columns have other types, other writers never left room within a minute, or
                the storage failed.
        """
        attempts = Retrying(
            retry=retry_if_exception(was_overtaken),
            wait=wait_random_exponential(multiplier=0.02, min=0.02, max=1),
            # One that was itself stopped for a minute has not tried for a minute.
            stop=stop_all(
                stop_after_delay(self._limits.commit_seconds), stop_after_attempt(self._limits.least_attempts)
            ),
            before_sleep=lambda state: logger.debug(
                "%s: another writer was faster, attempt %d", table.name, state.attempt_number
            ),
            reraise=True,
        )
        with self.failures_named(table):
            if needs is not None:
                self._refuse_unwritable(table, needs)
            with self._signatures.one() as signature:
                return attempts(_Write(self, table, decide, signature))

    def opened_to_write(self, table: Table) -> DeltaTable:
        """The table as it is now, with all columns and properties; created if need be."""
        delta = self._reopened(table) or self.open(table)
        return self.created(table) if delta is None else self.extended(table, delta)

    def is_read(self, table: Table, version: int, since_opened: Stopwatch) -> bool:
        """Whether every reader will plainly read an entry of the log, if there is one of this number.

        If not, a checkpoint may hold what it says, or it may be lost.
        """
        if (folder := self.local_folder(table)) is None:
            return since_opened.seconds < self._limits.unseen_seconds
        return is_behind_last_checkpoint(folder, version)

    def leave_open(self, table: Table, delta: DeltaTable) -> None:
        """Keep the table for the next commit."""
        if entry := self._last_entry(table, delta):
            self._left_open[table.name] = delta, entry

    def probe(self) -> bool:
        """Prove that tables can be written; whether there are some already. See `Lakehouse.probe`."""
        if (root := self.local_root) is not None:
            return disks.probe(root, [table.name for table in TABLES], self._limits.kept_free)
        store_files.write_and_remove(self._root, self._options)
        return bool(store_files.names_in(f"{self._root}/{disks.TABLES_FOLDER}", self._options))

    def names_beginning(self, beginning: str) -> list[str]:
        """Names of the folders beside our tables; see `Lakehouse.names_beginning`."""
        if (root := self.local_root) is not None:
            names = disks.names(root / disks.TABLES_FOLDER)
        else:
            names = store_files.names_in(f"{self._root}/{disks.TABLES_FOLDER}", self._options)
        return sorted({name for name in names if name.startswith(beginning)})

    def drop(self, table: Table) -> None:
        """Remove a table's files; see `Lakehouse.drop`."""
        self._left_open.pop(table.name, None)
        if (folder := self.local_folder(table)) is not None:
            disks.remove(folder)
        else:
            store_files.remove_all(self._uri(table), self._options)

    def keep(self, name: str, data: bytes) -> str:
        """Keep a file beside the tables; see `Lakehouse.keep`."""
        return kept.keep(self._root, self.local_root, self._options, name, data)

    def kept_json(self, name: str) -> Any:
        """What a kept file says; see `Lakehouse.kept_json`."""
        return kept.kept_json(self._root, self.local_root, self._options, name)

    def _refuse_unwritable(self, table: Table, needs: int) -> None:
        folder = self.local_folder(table)
        if folder is not None and (obstacle := disks.obstacle(folder, needs, self._limits.kept_free)):
            raise LakehouseError(f"{table.name}: {obstacle}")

    def _reopened(self, table: Table) -> DeltaTable | None:
        """The table as it is now, if a former commit left it open and it is the same table still."""
        delta, entry = self._left_open.pop(table.name, (None, None))
        # In a log that was damaged, or made anew, our next entry would not follow the others.
        if delta is None or entry != self._last_entry(table, delta):
            return None
        try:
            delta.update_incremental()
        except DeltaError:
            return None
        if folder := self.local_folder(table):
            refuse_cut_entries(table, folder, delta.version())
        return delta

    def _last_entry(self, table: Table, delta: DeltaTable) -> _Entry | None:
        """What tells the log's entry of the open version from any other; None in an object store, to save time."""
        if (folder := self.local_folder(table)) is None:
            return None
        try:
            entry = (folder / LOG / f"{delta.version():020}.json").stat()
        except FileNotFoundError:
            return None
        return entry.st_ino, entry.st_size, entry.st_mtime_ns


class _Write(Generic[T]):
    """One write, from its first try to the one that the table holds."""

    def __init__(self, store: DeltaStore, table: Table, decide: Decide[T], signature: Signature) -> None:
        self._store, self._table, self._decide, self._signature = store, table, decide, signature
        self._tried: list[Change[T]] = []

    def __call__(self) -> T:
        """Try once.

        Raises:
            LostCommitError: the table does not hold the commit.
            DeltaError: others were faster, or the storage failed.
        """
        if self._tried and self._is_stored():
            return self._tried[-1].result
        watch = Stopwatch()
        delta = self._store.opened_to_write(self._table)
        change = self._decide(delta)
        if change.make is not None:
            self._tried.append(change)
            self._make(change.make, self._signature.properties(change.once), delta, watch)
        self._store.leave_open(self._table, delta)
        return change.result

    def _make(self, make: Make, signed: CommitProperties, delta: DeltaTable, watch: Stopwatch) -> None:
        """Make the commit, and see that the table holds it."""
        next_entry = delta.version() + 1
        try:
            make(signed)
        except (DeltaError, OSError) as error:
            # What fails after the commit, such as its checkpoint, has stored it all the same.
            if was_overtaken(error) or not self._is_stored():
                # Of an entry that is hidden behind a checkpoint delta-rs says one thing or another.
                if isinstance(error, DeltaError) and not self._store.is_read(self._table, next_entry, watch):
                    raise LostCommitError(self._table.name) from None
                raise
        else:
            if not (self._store.is_read(self._table, delta.version(), watch) or self._is_stored()):
                raise LostCommitError(self._table.name)

    def _is_stored(self) -> bool:
        delta = self._store.open(self._table)
        return delta is not None and self._signature.is_in(delta)
