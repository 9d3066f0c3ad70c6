"""A Delta table to which rows are added, by one writer, in many small commits.

A general writer reads the table's log before it adds to it, and so gets slower with every commit: a month of hours
would take minutes. Here a commit costs its own files only; now and then files and log are made fewer, for readers.
"""

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

_COMMITS_BETWEEN_COMPACTIONS = 60


class AppendOnlyTable:
    """Made new in an empty `folder`, with these columns; `partitioned_by` is a column of dates or None.

    Files that a compaction replaced stay where they are: somebody may be reading them. Not thread-safe.
    """

    def __init__(self, folder: Path, columns: pa.Schema, partitioned_by: str | None = None) -> None:
        self._folder = folder
        self._partitioned_by = partitioned_by
        folder.mkdir(parents=True, exist_ok=True)
        partitions = [partitioned_by] if partitioned_by else []
        DeltaTable.create(str(folder), columns, mode="error", partition_by=partitions)
        self._version = 0
        self._commits = 0

    def append(self, rows: pa.Table) -> None:
        """Add rows, in one commit."""
        if not rows.num_rows:
            return
        self._commit([self._added(part, value) for part, value in self._parts(rows)])
        self._commits += 1
        if self._commits % _COMMITS_BETWEEN_COMPACTIONS == 0:
            self._compact()

    def replace(self, rows: pa.Table) -> None:
        """Put these rows in place of all that are there."""
        write_deltalake(str(self._folder), rows, mode="overwrite")
        self._version += 1

    def _parts(self, rows: pa.Table) -> list[tuple[pa.Table, str | None]]:
        if self._partitioned_by is None:
            return [(rows, None)]
        column = rows[self._partitioned_by]
        kept = rows.drop_columns([self._partitioned_by])
        values = pc.unique(column)
        return [(kept.filter(pc.equal(column, value)), value.as_py().isoformat()) for value in values]

    def _added(self, rows: pa.Table, partition: str | None) -> dict[str, Any]:
        name = f"part-{uuid4().hex}.zstd.parquet"
        path = f"{self._partitioned_by}={partition}/{name}" if partition else name
        file = self._folder / path
        file.parent.mkdir(exist_ok=True)
        pq.write_table(rows, file, compression="zstd", compression_level=1)
        return {
            "add": {
                "path": quote(path, safe="/="),
                "partitionValues": {self._partitioned_by: partition} if partition else {},
                "size": file.stat().st_size,
                "modificationTime": _now(),
                "dataChange": True,
                "stats": json.dumps({"numRecords": rows.num_rows}),
            }
        }

    def _commit(self, actions: list[dict[str, Any]]) -> None:
        self._version += 1
        info = {"commitInfo": {"timestamp": _now(), "operation": "WRITE", "operationParameters": {}}}
        path = self._folder / "_delta_log" / f"{self._version:020}.json"
        part = path.with_name(f".{uuid4().hex}.tmp")
        part.write_text("\n".join(json.dumps(action) for action in (info, *actions)), encoding="utf-8")
        part.rename(path)

    def _compact(self) -> None:
        table = DeltaTable(str(self._folder))
        table.optimize.compact()
        table.create_checkpoint()
        self._version = table.version()


def _now() -> int:
    return int(time.time() * 1000)
