"""Delta tables as something that an engine in this process scans: as few columns as it likes, and as few files."""

from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyarrow import dataset, fs

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.delta.embedded import Source
from genie_assets.gateways.lakehouse.delta.writes import DeltaStore
from genie_assets.gateways.lakehouse.frames import arrow_schema


def source_of(store: DeltaStore) -> Source:
    """Where the rows of tables come from."""

    def source(table: Table, names: frozenset[str] | None) -> Any:
        with store.failures_named(table):
            delta = store.open(table)
            if delta is None:
                return arrow_schema(table).empty_table()
            folder = store.local_folder(table)
            return (
                _read_once(delta, table, names) if folder is None else _on_disk(delta, table, str(folder), names)
            )

    return source


class _FewAtOnce(dataset.FileSystemDataset):
    """Files of which little is read ahead, into memory that is given back as soon as it is free.

    By itself, Arrow reads far ahead, and its allocator keeps what a scan needed, beside what the engine holds.
    """

    def scanner(self, columns: Any = None, filter: Any = None, **options: Any) -> dataset.Scanner:  # noqa: A002
        """As Arrow's own."""
        options |= {"batch_readahead": 4, "fragment_readahead": 2, "memory_pool": pa.system_memory_pool()}
        return super().scanner(columns=columns, filter=filter, **options)


def _few_at_once(whole: dataset.FileSystemDataset) -> dataset.FileSystemDataset:
    return _FewAtOnce(list(whole.get_fragments()), whole.schema, whole.format, whole.filesystem)


def _on_disk(delta: DeltaTable, table: Table, folder: str, names: frozenset[str] | None) -> Any:
    """Files are opened when they are scanned, and only those that can hold what is asked for."""
    try:
        # With delta-rs's own way to files, the process would be aborted at its end.
        return _few_at_once(
            delta.to_pyarrow_dataset(filesystem=fs.SubTreeFileSystem(folder, fs.LocalFileSystem()))
        )
    except DeltaError:  # a feature of Delta that Arrow does not read
        return _read_once(delta, table, names)


def _read_once(delta: DeltaTable, table: Table, names: frozenset[str] | None) -> pa.RecordBatchReader:
    """All rows, batch by batch, with the columns that are asked for: for object stores."""
    stored = {field.name for field in delta.schema().fields}
    wanted = [name for name in table.column_names if name in stored and (names is None or name in names)]
    columns = wanted or [table.key[0]]
    return pa.RecordBatchReader.from_stream(delta.scan(columns=columns), schema=arrow_schema(table, columns))
