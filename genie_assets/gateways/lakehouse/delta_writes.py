"""Opening, creating and committing to Delta tables: the one way in which anything is written.

delta-rs rebases only commits that cannot conflict; everything else it refuses, appends beside a merge included.
So a write is a function of a freshly opened table, and it starts again when another writer was faster.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import ArrayType, Field, PrimitiveType, Schema
from deltalake.writer import WriterProperties
from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_after_delay, wait_random_exponential

from genie_assets.domain.tables import Column, ColumnType, Table
from genie_assets.gateways.lakehouse import LakehouseError
from genie_assets.gateways.lakehouse.object_stores import failure_of_store, store_options

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

T = TypeVar("T")
_Mark = tuple[int, int, int]

# 40 % smaller files than the default at the same speed, measured on messages. A group of rows is what can be
# skipped within a file: with the default of a million, a few old ids read all of a table without partitions.
WRITER = WriterProperties(compression="ZSTD", compression_level=3, max_row_group_size=32_768)

_DELTA_TYPES: Mapping[ColumnType, PrimitiveType | ArrayType] = {
    "STRING": PrimitiveType("string"),
    "LONG": PrimitiveType("long"),
    "INT": PrimitiveType("integer"),
    "BOOLEAN": PrimitiveType("boolean"),
    "DATE": PrimitiveType("date"),
    "TIMESTAMP": PrimitiveType("timestamp"),
    "ARRAY<STRING>": ArrayType(PrimitiveType("string"), contains_null=True),
}

_STATISTICS = "delta.dataSkippingStatsColumns"
_DEADLINE_SECONDS = 60
# Every write opens the table and reads all commits since the last checkpoint, about 0.4 ms each. With the default
# of 100 that was half of what a fetched message cost.
_COMMITS_PER_CHECKPOINT = 20
# Every write also lists the log, about 10 µs an entry: a backfill's ten thousand commits of a hundred rows would
# make it ten times as slow. Whoever takes longer than this, and is overtaken meanwhile, starts again.
_LOG_OF_APPENDS_KEPT = "interval 1 minute"
_OVERTAKEN = "Invalid table version"
_OPENING_ATTEMPTS = 5


class DeltaStore:
    """The Delta tables under one root. Threads may share it: an open table has one user at a time."""

    def __init__(self, root: str, storage_options: Mapping[str, str] | None) -> None:
        self._root = root
        self._options = store_options(root, storage_options)
        # Tables as the last commit left them, each with the mark of its log's last entry: to bring one up to date
        # is quicker than to read its checkpoint.
        self._left_open: dict[str, tuple[DeltaTable, _Mark]] = {}

    def local_folder(self, table: Table) -> Path | None:
        """The table's folder, if it lies on a disk of this machine."""
        address = urlsplit(self._uri(table))
        return Path(unquote(address.path)) if address.scheme == "file" else None

    def open(self, table: Table) -> DeltaTable | None:
        """The table as it is now; None if it was never written. Any other failure is an error, never None."""
        attempts = Retrying(
            retry=retry_if_exception(_log_was_shortened),
            wait=wait_random_exponential(multiplier=0.02, max=1),
            stop=stop_after_attempt(_OPENING_ATTEMPTS),
            reraise=True,
        )
        try:
            return attempts(lambda: DeltaTable(self._uri(table), storage_options=self._options))
        except TableNotFoundError:
            folder = self.local_folder(table)
            if folder is not None:
                with suppress(FileNotFoundError):
                    folder.stat()  # delta-rs also says "not found" of a folder that it may not look into
            return None

    def commit(self, table: Table, write: Callable[[DeltaTable], T]) -> T:
        """Run `write` on a fresh table, created or extended if need be, until no other writer interferes.

        Raises:
            LakehouseError: the stored columns have other types, other writers never left room within a minute, or
                the storage failed.
        """
        attempts = Retrying(
            retry=retry_if_exception(_was_overtaken),
            wait=wait_random_exponential(multiplier=0.02, min=0.02, max=1),
            stop=stop_after_delay(_DEADLINE_SECONDS),
            before_sleep=lambda state: logger.debug(
                "%s: another writer was faster, attempt %d", table.name, state.attempt_number
            ),
            reraise=True,
        )
        with failures_named(table):
            return attempts(lambda: self._written(table, write))

    def _uri(self, table: Table) -> str:
        return f"{self._root}/genie_analytics/{table.name}"

    def _written(self, table: Table, write: Callable[[DeltaTable], T]) -> T:
        delta = self._reopened(table) or self.open(table)
        delta = self._created(table) if delta is None else _extended(table, delta)
        result = write(delta)
        if mark := self._mark(table, delta):
            self._left_open[table.name] = delta, mark
        return result

    def _reopened(self, table: Table) -> DeltaTable | None:
        """The table as it is now, if a former commit left it open and it is the same table still."""
        delta, mark = self._left_open.pop(table.name, (None, None))
        # In a log that was damaged, or made anew, our next entry would not follow the others.
        if delta is None or mark != self._mark(table, delta):
            return None
        try:
            delta.update_incremental()
        except DeltaError:
            return None
        return delta

    def _mark(self, table: Table, delta: DeltaTable) -> _Mark | None:
        """What tells the log's entry of the open version from any other; None in an object store, to save time."""
        if (folder := self.local_folder(table)) is None:
            return None
        try:
            entry = (folder / "_delta_log" / f"{delta.version():020}.json").stat()
        except FileNotFoundError:
            return None
        return entry.st_ino, entry.st_size, entry.st_mtime_ns

    def _created(self, table: Table) -> DeltaTable:
        try:
            return DeltaTable.create(
                self._uri(table),
                Schema([_delta_field(column) for column in table.columns]),
                mode="error",
                partition_by=[table.partitioned_by] if table.partitioned_by else [],
                name=table.name,
                description=table.description,
                configuration=_configuration(table),
                storage_options=self._options,
            )
        except DeltaError:
            delta = self.open(table)
            if delta is None:
                raise
            return _extended(table, delta)  # another process created it in the meantime


def _was_overtaken(error: BaseException) -> bool:
    """Whether other writers were faster: their commits conflict, or those since ours began are cleaned up."""
    if isinstance(error, CommitFailedError) or _log_was_shortened(error):
        return True
    return isinstance(error, DeltaError) and _OVERTAKEN in str(error)


def _log_was_shortened(error: BaseException) -> bool:
    """Whether an entry of the log went away between being listed and being read; a newer checkpoint covers it."""
    text = str(error)
    return isinstance(error, DeltaError) and "/_delta_log/" in text and "not found" in text


@contextmanager
def failures_named(table: Table) -> "Iterator[None]":
    """Turn the engine's failures into a LakehouseError that names the table."""
    try:
        yield
    except CommitFailedError as error:
        raise LakehouseError(f"{table.name}: other writers left no room for {_DEADLINE_SECONDS} s") from error
    except (DeltaError, pa.lib.ArrowException, OSError) as error:
        if failure := failure_of_store(error):
            # Not even as the cause: the engine's text holds the endpoint, and a password in it.
            raise LakehouseError(f"{table.name}: {failure}") from None
        raise LakehouseError(f"{table.name}: the storage failed ({type(error).__name__})") from error


def _delta_field(column: Column, *, nullable: bool | None = None) -> Field:
    return Field(
        column.name,
        _DELTA_TYPES[column.type],
        nullable=column.nullable if nullable is None else nullable,
        metadata={"comment": column.description},
    )


def _configuration(table: Table) -> dict[str, str | None]:
    # The name of the partition is not a statistic: Spark refuses to list it.
    statistics = [name for name in table.statistics if name != table.partitioned_by]
    return {
        _STATISTICS: ",".join(statistics),
        "delta.checkpointInterval": str(_COMMITS_PER_CHECKPOINT),
        "delta.logRetentionDuration": _LOG_OF_APPENDS_KEPT if table.append_only else "interval 7 days",
        "delta.deletedFileRetentionDuration": "interval 2 days",
    }


def _extended(table: Table, delta: DeltaTable) -> DeltaTable:
    """The table with the columns that an older version of it lacks.

    They are added as nullable, also where the table forbids NULL, because the rows that are there have no value.
    """
    stored = {field.name: field.type for field in delta.schema().fields}
    for column in table.columns:
        if column.name in stored and stored[column.name] != _DELTA_TYPES[column.type]:
            raise LakehouseError(
                f"{table.name}.{column.name} is stored as {stored[column.name]} and should be {column.type}"
            )
    missing = [column for column in table.columns if column.name not in stored]
    if missing:
        logger.info("%s: adding columns %s", table.name, [column.name for column in missing])
        delta.alter.add_columns([_delta_field(column, nullable=True) for column in missing])
        delta.alter.set_table_properties({_STATISTICS: str(_configuration(table)[_STATISTICS])})
    return delta
