"""The lakehouse: where the tables of `genie_analytics` are stored, behind one small interface.

`open_lakehouse` picks the engine from a URI. Frames are pandas frames with the types of `Table.frame`: nullable
integers, `date` objects, timestamps in UTC, None for an unknown text. Every write is one atomic commit and may be
repeated. Strings are stored exactly as given, except that a lone surrogate, which UTF-8 cannot express, becomes
U+FFFD.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from genie_assets.domain.tables import Table

if TYPE_CHECKING:
    from genie_assets.domain.schema_text import Layout
    from genie_assets.gateways.lakehouse.unity_ports import Databricks


class LakehouseError(Exception):
    """The lakehouse cannot do what was asked. The text names the table or the setting, never stored values."""


@dataclass(frozen=True)
class Equals:
    """Rows whose `column` is `value`; a NULL equals nothing."""

    column: str
    value: Any


@dataclass(frozen=True)
class In:
    """Rows whose `column` is one of `values`, of which there may be many thousands; a NULL is never in."""

    column: str
    values: Collection[Any]


@dataclass(frozen=True)
class Between:
    """Rows whose `column` lies between `low` and `high`, both included; None leaves that end open."""

    column: str
    low: Any = None
    high: Any = None


@dataclass(frozen=True)
class IsNull:
    """Rows whose `column` is unknown."""

    column: str


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, to be looked up in a condition."""

    table: Table
    where: "Sequence[Filter]" = ()
    days: Collection[date] | None = None


@dataclass(frozen=True)
class Exists:
    """Rows that have a counterpart among `rows`: one with the same values in the `key` columns of both tables.

    A NULL in the key has no counterpart. With `since`, a pair of one column of theirs and one of ours, the
    counterpart must not be older: its value is at least ours, or ours is NULL.
    """

    rows: Rows
    key: Sequence[str] = ("workspace_id", "message_id")
    since: tuple[str, str] | None = None


@dataclass(frozen=True)
class Not:
    """Rows that do not meet all of these conditions; one that cannot be decided, for NULL, is not met."""

    conditions: "Sequence[Filter]"


Filter = Equals | In | Between | IsNull | Exists | Not


@dataclass(frozen=True)
class Newest:
    """Of the rows with equal values in the `per` columns only one: the last in the order of the `by` columns.

    NULL comes before every value. It is chosen among the rows that meet all other conditions.
    """

    per: Sequence[str]
    by: Sequence[str]


@dataclass(frozen=True)
class MergeResult:
    """How many rows a merge inserted, updated and deleted; rows that were already right count nowhere."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    def __add__(self, other: "MergeResult") -> "MergeResult":
        return MergeResult(
            self.inserted + other.inserted, self.updated + other.updated, self.deleted + other.deleted
        )

    @property
    def changed(self) -> int:
        """Rows that are different now; 0 means that nothing was committed."""
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True)
class MaintenanceReport:
    """What maintenance did to a table. Versions are None, and counts 0, where the table does not exist."""

    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    version_before: int | None = None
    version_after: int | None = None
    days_compacted: int = 0
    files_vacuumed: int = 0


class Lakehouse(ABC):
    """Stores tables. Safe to share among threads and processes: concurrent writers are put in order."""

    @abstractmethod
    def exists(self, table: Table) -> bool:
        """Whether the table was ever written."""

    @abstractmethod
    def version(self, table: Table) -> int | None:
        """Number of the table's latest commit; None if it does not exist. Equal numbers mean equal contents."""

    @abstractmethod
    def prepare(self, table: Table) -> None:
        """Make the table exist with all columns of this version; nothing is committed if it does already.

        So a query for errors finds a table without rows, not a missing table.

        Raises:
            LakehouseError: a stored column has another type, or the storage failed.
        """

    @abstractmethod
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
        """Rows of a table, in no particular order.

        Conditions, choice and counting are the engine's work: what is not asked for does not travel.

        A table that does not exist yet has no rows. A column that an older table lacks is NULL.

        Args:
            table: the table to read.
            columns: names to return, in this order; all of them by default.
            days: only rows in these partitions; an empty collection gives no rows.
            where: conditions that a row must all meet. Values may be anything: the engine quotes them.
            newest: which of several rows with equal values to take.
            distinct: whether rows that are equal in all of `columns` come once.
            limit: at most so many rows, whichever.

        Raises:
            LakehouseError: a column is unknown, a value does not fit its column, `days` was given for a table
                without partitions, or the table cannot be read.
        """

    @abstractmethod
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
        """How many rows there are, by the values of columns and by which of some conditions they meet.

        Args:
            table: the table to count in.
            by: columns whose values are told apart.
            flags: conditions by name; that name must not be a column's.
            days: only rows in these partitions.
            where: conditions that a row must all meet to be counted.
            at_least: leave out combinations with fewer rows.

        Returns:
            For each combination that occurs: the columns of `by`, each flag as True or False, and the number of
            rows as `count`. Where no row is counted there is no entry, not even one of 0.

        Raises:
            LakehouseError: as for `read`.
        """

    @abstractmethod
    def append(self, table: Table, frame: pd.DataFrame) -> int:
        """Add rows in one atomic commit; an empty frame commits nothing.

        Rows that equal stored ones in every column may be left out, for an engine that cannot tell a repeated
        request from a second one.

        Args:
            table: the table to extend; created if need be.
            frame: its rows. A nullable column may be left out.

        Returns:
            Rows that are stored now.

        Raises:
            LakehouseError: the frame does not fit the table, or the write failed. Nothing was written.
        """

    @abstractmethod
    def replace_day(self, table: Table, day: date, frame: pd.DataFrame) -> bool:
        """Make one partition equal to the frame, atomically; other days stay as they are.

        Args:
            table: a partitioned table; created if need be.
            day: the partition to replace.
            frame: all rows of that day; an empty frame empties the day.

        Returns:
            False if the stored rows were the same already, bookkeeping columns and order left aside: then nothing
            is committed.

        Raises:
            LakehouseError: a row belongs to another day, a key occurs twice, the frame does not fit the table, or
                the write failed. Nothing was written.
        """

    @abstractmethod
    def merge(self, table: Table, frame: pd.DataFrame, *, delete: pd.DataFrame | None = None) -> MergeResult:
        """Insert or update rows by key, and delete others, in one atomic commit.

        A row is found by the table's key within its own partition; NULL keys are equal to each other. Rows that
        differ from the stored ones only in bookkeeping columns are left alone; if nothing differs, nothing is
        committed. To move a row to another day, give its old place in `delete`.

        Args:
            table: the table to change; created if there are rows to insert.
            frame: whole rows; a column left out counts as NULL.
            delete: rows to remove, found by their key and partition columns; other columns are ignored.

        Raises:
            LakehouseError: a key occurs twice in `frame`, a row is in both `frame` and `delete`, the frame does
                not fit the table, or the write failed. Nothing was written.
        """

    @abstractmethod
    def maintain(self, table: Table, *, today: date) -> MaintenanceReport:
        """Compact closed days, drop files that nothing refers to any more, and shorten the log.

        Repeating it rewrites nothing.

        Args:
            table: the table to tidy up.
            today: the current UTC day. Only days before it are closed; today's partition is left alone.

        Raises:
            LakehouseError: the table cannot be read or rewritten.
        """


def open_lakehouse(
    uri: str,
    storage_options: Mapping[str, str] | None = None,
    *,
    databricks: "Databricks | None" = None,
    layout: "Layout" = "partitioned",
) -> Lakehouse:
    """The lakehouse at `uri`; nothing is read or written yet.

    Args:
        uri: a path, `file://`, `s3://`, `abfss://` or `gs://` for Delta files; `uc://catalog.schema` for tables in
            Unity Catalog.
        storage_options: credentials and endpoints of the object store, as delta-rs names them.
        databricks: gives the SQL warehouse and the volumes for `uc://`; asked when they are first needed.
        layout: how tables in Unity Catalog that do not exist yet are laid out.

    Raises:
        LakehouseError: no engine serves this URI.
    """
    # Imported here: an engine needs the interface above, and a process needs only the engine that it uses.
    if uri.partition("://")[0].lower() == "uc":
        from genie_assets.gateways.lakehouse.unity import UnityLakehouse
        from genie_assets.gateways.lakehouse.unity_names import unity_place

        place = unity_place(uri)
        if databricks is None:
            raise LakehouseError("GENIE_LAKEHOUSE: uc:// needs a SQL warehouse; set DATABRICKS_WAREHOUSE_ID")
        return UnityLakehouse(place, databricks, layout)
    from genie_assets.gateways.lakehouse.delta import DeltaLakehouse, delta_root

    return DeltaLakehouse(delta_root(uri), storage_options)
