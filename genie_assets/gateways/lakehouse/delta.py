"""The lakehouse as Delta files, on a disk or in an object store, written and read by delta-rs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse import (
    Filter,
    Lakehouse,
    LakehouseError,
    MaintenanceReport,
    MergeResult,
    Newest,
    Rows,
)
from genie_assets.gateways.lakehouse.delta_merges import (
    as_stored,
    holds_exactly,
    merged,
    once_at_a_time,
)
from genie_assets.gateways.lakehouse.delta_reads import Selection
from genie_assets.gateways.lakehouse.delta_writes import WRITER, DeltaStore, failures_named
from genie_assets.gateways.lakehouse.maintenance import maintain
from genie_assets.gateways.lakehouse.object_stores import SCHEMES
from genie_assets.gateways.lakehouse.pruning import day_literal
from genie_assets.gateways.lakehouse.refusals import (
    identity_of,
    refuse_both,
    refuse_duplicates,
    refuse_other_days,
)
from genie_assets.gateways.lakehouse.schema import to_arrow, to_frame

# delta-rs decodes a percent sign twice, cuts addresses at # and ?, so that in a bucket all tables would share one
# log, and aborts on brackets.
_UNUSABLE_IN_PATHS = frozenset("%#?[]\\^|") | frozenset(map(chr, range(32))) | {"\x7f"}


def delta_root(uri: str) -> str:
    """The root folder's URI for delta-rs, without a slash at its end.

    Raises:
        LakehouseError: delta-rs serves no such URI.
    """
    scheme = urlsplit(uri).scheme if "://" in uri else ""
    if scheme in SCHEMES:
        _refuse_unusable(uri)
        return uri.rstrip("/")
    if scheme not in ("", "file") or not uri.strip():
        raise LakehouseError(
            f"GENIE_LAKEHOUSE: cannot use {scheme or 'an empty value'}; "
            "give a path or a file://, s3://, abfss:// or gs:// URI"
        )
    path = unquote(urlsplit(uri).path) if scheme == "file" else uri
    _refuse_unusable(path)
    return Path(path).expanduser().absolute().as_uri().rstrip("/")


def _refuse_unusable(path: str) -> None:
    if unusable := sorted(_UNUSABLE_IN_PATHS.intersection(path)):
        raise LakehouseError(f"GENIE_LAKEHOUSE: the path must not contain any of {unusable}")


class DeltaLakehouse(Lakehouse):
    """Tables as Delta files under `<root>/genie_analytics/<table>`."""

    def __init__(self, root: str, storage_options: Mapping[str, str] | None = None) -> None:
        self._store = DeltaStore(root, storage_options)

    def exists(self, table: Table) -> bool:
        """Whether the table was ever written."""
        return self.version(table) is not None

    def prepare(self, table: Table) -> None:
        """Make the table exist with all columns of this version."""
        self._store.commit(table, lambda _delta: None)

    def version(self, table: Table) -> int | None:
        """Number of the table's latest commit; None if it does not exist."""
        with failures_named(table):
            delta = self._store.open(table)
            return None if delta is None else delta.version()

    def read(
        self,
        table: Table,
        *,
        columns: Sequence[str] | None = None,
        days: Collection[date] | None = None,
        where: Sequence[Filter] = (),
        newest: Newest | None = None,
        distinct: bool = False,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """Rows of a table; see `Lakehouse.read`."""
        selection = Selection(self._store, Rows(table, where, days))
        names = table.column_names if columns is None else columns
        return to_frame(selection.rows(names, choice=newest, once=distinct, limit=limit))

    def count(
        self,
        table: Table,
        *,
        by: Sequence[str] = (),
        flags: Mapping[str, Filter] | None = None,
        days: Collection[date] | None = None,
        where: Sequence[Filter] = (),
        at_least: int = 1,
    ) -> list[dict[str, Any]]:
        """How many rows there are, by columns and flags; see `Lakehouse.count`."""
        counts = Selection(self._store, Rows(table, where, days), flags).count(by)
        return counts.filter(pc.greater_equal(counts["count"], at_least)).to_pylist()

    def append(self, table: Table, frame: pd.DataFrame) -> int:
        """Add rows in one atomic commit; see `Lakehouse.append`."""
        rows = to_arrow(table, frame)
        if not rows.num_rows:
            return 0

        def write(delta: DeltaTable) -> int:
            write_deltalake(delta, as_stored(delta, rows), mode="append", writer_properties=WRITER)
            return rows.num_rows

        return self._store.commit(table, write)

    def replace_day(self, table: Table, day: date, frame: pd.DataFrame) -> bool:
        """Make one partition equal to the frame; see `Lakehouse.replace_day`."""
        rows = to_arrow(table, frame)
        refuse_duplicates(table, rows)
        refuse_other_days(table, day, rows)
        partition = f'"{table.partitioned_by}" = {day_literal(day)}'

        def write(delta: DeltaTable) -> bool:
            if holds_exactly(delta, table, day, rows):
                return False
            write_deltalake(
                delta,
                as_stored(delta, rows),
                mode="overwrite",
                predicate=partition,
                writer_properties=WRITER,
                commit_properties=once_at_a_time(delta, [day]),
            )
            return True

        if not rows.num_rows and not self.exists(table):
            return False
        return self._store.commit(table, write)

    def merge(self, table: Table, frame: pd.DataFrame, *, delete: pd.DataFrame | None = None) -> MergeResult:
        """Insert, update and delete rows by key; see `Lakehouse.merge`."""
        rows = to_arrow(table, frame)
        refuse_duplicates(table, rows)
        gone = to_arrow(table, table.frame(()) if delete is None else delete, identity_of(table))
        refuse_both(table, rows, gone)
        if not rows.num_rows and (not gone.num_rows or not self.exists(table)):
            return MergeResult()
        return self._store.commit(table, lambda delta: merged(delta, table, rows, gone))

    def maintain(self, table: Table, *, today: date) -> MaintenanceReport:
        """Compact closed days, vacuum, shorten the log; see `Lakehouse.maintain`."""
        return maintain(self._store, table, today)
