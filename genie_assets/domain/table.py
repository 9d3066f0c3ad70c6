"""The words in which tables are defined: a column, a table, and its rows as a frame and back.

What a particular table holds stands in `tables`; what engines make of a definition, with the engines.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

if TYPE_CHECKING:
    import pandas as pd

ColumnType = Literal["STRING", "LONG", "INT", "BOOLEAN", "DATE", "TIMESTAMP", "ARRAY<STRING>"]
# Where a value comes from: the Genie API's messages or its spaces; the audit log, which brings the workspaces'
# names along; query history; the error ledger; or our own reckoning.
Source = Literal["api", "spaces", "audit", "history", "ledger", "ours"]

# What a pandas frame uses for each type. Nullable integers, because a float would round ids and turn NULL to NaN.
_PANDAS_TYPES: Mapping[ColumnType, str] = {
    "STRING": "object",
    "LONG": "Int64",
    "INT": "Int32",
    "BOOLEAN": "boolean",
    "DATE": "object",
    "TIMESTAMP": "datetime64[us, UTC]",
    "ARRAY<STRING>": "object",
}


T = TypeVar("T")

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def storable(value: T) -> T:
    """`value` with every lone surrogate, alone or inside a list, replaced by U+FFFD: UTF-8 cannot express one."""
    kept: Any = value
    if isinstance(value, str):
        kept = _LONE_SURROGATE.sub("\ufffd", value)
    elif isinstance(value, (list, tuple)):
        kept = [storable(item) for item in value]
    return cast(T, kept)


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: Its name.
        type: Its Spark SQL type.
        description: What it means, as a sentence.
        nullable: Whether it may be unknown.
        source: Where its values come from.
        of_attachment: It speaks of one attachment, not of the message: the view `messages` leaves it out.
        is_document: It holds whole documents, of which a few thousand are too big for one answer of a warehouse.
    """

    name: str
    type: ColumnType
    description: str
    nullable: bool = True
    source: Source = "ours"
    of_attachment: bool = False
    is_document: bool = False


@dataclass(frozen=True)
class Course:
    """What makes a table a history: of one thing, no row says what the row before it says.

    Attributes:
        of: The columns that tell a thing from others.
        at: The column by which a thing's rows follow each other.
        says: The column whose value must not come twice in a row.
    """

    of: tuple[str, ...]
    at: str
    says: str


@dataclass(frozen=True)
class Table:
    """One table: what a row is, which asset writes it, and how it lies on disk."""

    name: str
    asset: str
    row: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partitioned_by: str | None = None
    z_order_by: tuple[str, ...] = ()
    # Columns whose minimum and maximum Delta keeps per file. Never user text: statistics land in the log.
    statistics: tuple[str, ...] = ()
    # Columns that say when and how a row was written. Rows that differ only here are the same row.
    bookkeeping: tuple[str, ...] = ("ingestion_timestamp", "ingestion_batch_id")
    # Rows are only ever added, in many small commits: the table itself tells what was there at which time.
    append_only: bool = False
    course: Course | None = None

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def content(self) -> tuple[str, ...]:
        """Names of the columns that say something about Genie, bookkeeping left out."""
        return tuple(name for name in self.column_names if name not in self.bookkeeping)

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError if the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    def columns_from(self, source: Source) -> tuple[str, ...]:
        """Names of the columns whose values come from there, in order."""
        return tuple(column.name for column in self.columns if column.source == source)

    def key_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values that tell a row, or the thing that it is about, from all others."""
        return tuple(row[name] for name in self.key)

    def part(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The cells that this table has columns for, of a row that says more on purpose."""
        return {name: row[name] for name in self.column_names if name in row}

    def frame(self, rows: Iterable[Mapping[str, Any]]) -> "pd.DataFrame":
        """Rows as a frame with exactly this table's columns and types; a missing key is NULL.

        Raises:
            ValueError: a row has a key that is no column.
        """
        import pandas as pd  # a process that needs no frame shall not wait for it

        rows = list(rows)
        self._refuse_unknown_keys(rows)
        return pd.DataFrame(
            {
                column.name: pd.Series([row.get(column.name) for row in rows], dtype=_PANDAS_TYPES[column.type])
                for column in self.columns
            }
        )

    def _refuse_unknown_keys(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """What no column takes would be lost without a word."""
        known = frozenset(self.column_names)
        for row in rows:
            if not row.keys() <= known:
                unknown = ", ".join(sorted(row.keys() - known))
                raise ValueError(f"{self.name} has no column {unknown}: declare it, or leave it out of the row.")


def records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """The frame's rows as dictionaries, with None for every kind of NULL that pandas knows."""
    if frame.empty:  # to convert nothing costs as much as a few rows
        return []
    columns = {name: _plain_values(frame[name]) for name in frame.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain_values(series: "pd.Series[Any]") -> list[Any]:
    plain = series.astype(object).to_numpy(copy=True)
    plain[series.isna().to_numpy()] = None
    return plain.tolist()
