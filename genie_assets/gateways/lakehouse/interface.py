"""What can be done with stored tables, whichever engine stores them, and all that both engines do alike.

Frames are pandas frames with the types of `Table.frame`: nullable
integers, `date` objects, timestamps in UTC, None for an unknown text. Every write is one atomic commit and may be
repeated. Strings are stored exactly as given, except that a lone surrogate, which UTF-8 cannot express, becomes
U+FFFD.

A made-up account and a real one are never mixed: each table knows which of them it holds (`marks`). Pandas is
loaded with the first frame, so that who only asks for `records` need not wait for it.

Here frames become Arrow and back, what makes no sense is refused, and nothing is begun where there is nothing to
do. How rows are found, stored and committed is the engines' own. What messages, days to fetch or answers are does
not belong here: tables are given, and say what they need.
"""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from genie_assets.domain.questions import Counted, Filter, Newest, Question, Rows
from genie_assets.domain.tables import TABLES, Table
from genie_assets.gateways.lakehouse.beside import BesideTables
from genie_assets.gateways.lakehouse.frames import to_arrow, to_frame, to_records
from genie_assets.gateways.lakehouse.identities import identity_of
from genie_assets.gateways.lakehouse.refusals import (
    refuse_both,
    refuse_duplicates,
    refuse_lists,
    refuse_names_of_columns,
    refuse_other_days,
    refuse_senseless,
)
from genie_assets.gateways.lakehouse.results import MaintenanceReport, MergeResult

if TYPE_CHECKING:
    import pandas as pd

    from genie_assets.gateways.lakehouse.reading import Reading

# Views to work out once, by their names; a table whose days they have, or None.
Kept = Mapping[str, Table | None]


class Answers(Protocol):
    """Answers reading statements, as `Lakehouse.ask` does."""

    def __call__(self, reading: "Reading", *, limit: int) -> pa.Table:
        """The rows that a statement gives; see `Lakehouse.ask`."""


class Lakehouse(BesideTables):
    """Stores tables. Safe to share among threads and processes: concurrent writers are put in order.

    `writes` counts what was written through this object: as long as it is the same, it has changed nothing itself.
    """

    writes = 0

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
    ) -> "pd.DataFrame":
        """Rows of a table as a frame, in no particular order.

        Conditions, choice and counting are the engine's work: what is not asked for does not travel. A question
        has more than five parts; each is named where it is asked, and most are left out.

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
        return to_frame(self._found(Rows(table, where, days), columns, newest, distinct, limit))

    def records(
        self,
        table: Table,
        *,
        columns: Sequence[str] | None = None,
        days: Collection[date] | None = None,
        where: Sequence[Filter] = (),
        newest: Newest | None = None,
        distinct: bool = False,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """The rows that `read` gives, each as a dictionary of Python's own values, with None for NULL.

        A question has more than five parts, as for `read`. For tables in files, conditions of equality are looked
        up without pandas.

        Raises:
            LakehouseError: as for `read`, or a stored time lies outside the years that Python knows.
        """
        return to_records(table, self._found(Rows(table, where, days), columns, newest, distinct, limit))

    def _found(
        self, rows: Rows, columns: Sequence[str] | None, newest: Newest | None, distinct: bool, limit: int | None
    ) -> pa.Table:
        refuse_senseless(rows)
        if newest is not None:
            refuse_lists(rows.table, (*newest.per, *newest.by))
        names = rows.table.column_names if columns is None else columns
        return self._rows(rows, names, newest, distinct, limit)

    @abstractmethod
    def _rows(
        self, rows: Rows, columns: Sequence[str], newest: Newest | None, distinct: bool, limit: int | None
    ) -> pa.Table:
        """What `read` gives, with the types of `frames.arrow_schema`."""

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

        A question has more than five parts, as for `read`.

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
        flags, rows = flags or {}, Rows(table, where, days)
        refuse_names_of_columns(table, flags)
        refuse_senseless(rows, flags.values())
        return to_records(table, self._count(rows, by, flags, at_least))

    def together(self, questions: Mapping[str, Question]) -> dict[str, list[dict[str, Any]]]:
        """The answers to several questions at once, as `records` and `count` give them, by the questions' names.

        For an engine that is sent statements it is one, and so one state of each table.

        Raises:
            LakehouseError: as for `read` and `count`.
        """
        for question in questions.values():
            if isinstance(question, Counted):
                refuse_names_of_columns(question.rows.table, question.flags)
                refuse_senseless(question.rows, question.flags.values())
            else:
                refuse_senseless(question.rows)
        found = self._together(questions) if questions else {}
        return {name: to_records(questions[name].rows.table, rows) for name, rows in found.items()}

    def _together(self, questions: Mapping[str, Question]) -> dict[str, pa.Table]:
        """What `together` gives, one after the other."""
        return {name: self._one(question) for name, question in questions.items()}

    def _one(self, question: Question) -> pa.Table:
        if isinstance(question, Counted):
            return self._count(question.rows, question.by, question.flags, question.at_least)
        names = list(dict.fromkeys([*question.columns, *question.compared]))
        return self._rows(question.rows, names, question.newest, question.distinct, question.limit)

    @abstractmethod
    def _count(self, rows: Rows, by: Sequence[str], flags: Mapping[str, Filter], at_least: int) -> pa.Table:
        """What `count` gives: the columns of `by`, then the flags, then `count`."""

    def append(self, table: Table, frame: "pd.DataFrame") -> int:
        """Add rows in one atomic commit; an empty frame commits nothing.

        Rows that equal stored ones in every column may be left out, for an engine that cannot tell a repeated
        request from a second one. So may those that say what their neighbour in the table's course says, for an
        engine that looks at what is stored as part of the commit (`Table.course`).

        Args:
            table: the table to extend; created if need be.
            frame: its rows. A nullable column may be left out.

        Returns:
            Rows that are stored now.

        Raises:
            LakehouseError: the frame does not fit the table, or the write failed. Nothing was written.
        """
        rows = to_arrow(table, frame)
        if rows.num_rows:
            self.writes += 1
            self._append(table, rows)
        return rows.num_rows

    @abstractmethod
    def _append(self, table: Table, rows: pa.Table) -> None:
        """Add rows, of which there are some, in one atomic commit."""

    def replace_day(self, table: Table, day: date, frame: "pd.DataFrame") -> bool:
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
        rows = to_arrow(table, frame)
        refuse_duplicates(table, rows)
        refuse_other_days(table, day, rows)
        if not rows.num_rows and not self.exists(table):
            return False
        self.writes += 1
        return self._replace_day(table, day, rows)

    @abstractmethod
    def _replace_day(self, table: Table, day: date, rows: pa.Table) -> bool:
        """Make a partition equal to rows that are all of that day, each key once; see `replace_day`."""

    def store_day(self, table: Table, day: date, frame: "pd.DataFrame") -> None:
        """Make one partition equal to the frame, as `replace_day` does, for who has seen that it differs.

        An engine that would have to ask about that first does not, and commits whatever is stored.

        Raises:
            LakehouseError: as for `replace_day`.
        """
        rows = to_arrow(table, frame)
        refuse_duplicates(table, rows)
        refuse_other_days(table, day, rows)
        self.writes += 1
        self._put_day(table, day, rows)

    def _put_day(self, table: Table, day: date, rows: pa.Table) -> None:
        """What `store_day` does, with rows that are all of that day, each key once."""
        self._replace_day(table, day, rows)

    def merge(self, table: Table, frame: "pd.DataFrame", *, delete: "pd.DataFrame | None" = None) -> MergeResult:
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
        found = self._to_merge(table, frame, delete)
        if found is None:
            return MergeResult()
        self.writes += 1
        return self._merge(table, *found)

    def store(self, table: Table, frame: "pd.DataFrame", *, delete: "pd.DataFrame | None" = None) -> None:
        """Insert or update rows by key, and delete others, as `merge` does, for who has seen that they differ.

        Nothing is counted: an engine that would have to ask about that first does not.

        Raises:
            LakehouseError: as for `merge`.
        """
        found = self._to_merge(table, frame, delete)
        if found is not None:
            self.writes += 1
            self._put(table, *found)

    def _to_merge(
        self, table: Table, frame: "pd.DataFrame", delete: "pd.DataFrame | None"
    ) -> tuple[pa.Table, pa.Table] | None:
        """The rows to store and those to delete; None if there is nothing to do."""
        rows = to_arrow(table, frame)
        refuse_duplicates(table, rows)
        gone = to_arrow(table, table.frame(()) if delete is None else delete, identity_of(table))
        refuse_both(table, rows, gone)
        if not rows.num_rows and (not gone.num_rows or not self.exists(table)):
            return None
        return rows, gone

    def fill(self, table: Table, frame: "pd.DataFrame", column: str, *, besides: Sequence[str] = ()) -> None:
        """Give rows that lack it a value of one column, in one atomic commit.

        All else of a row stays as it is by then, whoever changes it meanwhile: `store` puts back what was read.
        Rows that have a value by now, or are no longer there, are left alone.

        Args:
            table: The table, which is there.
            frame: For each row its identity, the value, and `besides`; each key once.
            column: What is lacking: NULL.
            besides: Columns of bookkeeping that are written with it.

        Raises:
            LakehouseError: a key occurs twice, the frame does not fit, or the write failed. Nothing was written.
        """
        rows = to_arrow(table, frame, [*identity_of(table), column, *besides])
        refuse_duplicates(table, rows)
        if rows.num_rows:
            self.writes += 1
            self._fill(table, rows, column)

    @abstractmethod
    def _fill(self, table: Table, rows: pa.Table, column: str) -> None:
        """What `fill` does, with at least one row; beside the identity, all columns of `rows` are written."""

    @abstractmethod
    def _merge(self, table: Table, rows: pa.Table, gone: pa.Table) -> MergeResult:
        """Store `rows`, each key once, and delete `gone`, which has the identity's columns; not both are empty."""

    def _put(self, table: Table, rows: pa.Table, gone: pa.Table) -> None:
        """What `_merge` does, if possible without asking first."""
        self._merge(table, rows, gone)

    @abstractmethod
    def ask(self, reading: "Reading", *, limit: int) -> pa.Table:
        """The rows that a reading statement gives: at most `limit`, and one more if there are more.

        A table that does not exist yet has no rows. Views need not have been made.

        Raises:
            LakehouseError: the statement cannot be run.
        """

    @contextmanager
    def session(self, kept: Kept = MappingProxyType({})) -> Iterator["Answers"]:  # noqa: ARG002  none is kept here
        """Ask several statements in a row, each as `ask` does.

        Args:
            kept: Names of views that several of them read. An engine in this process works each out once, when it
                is first met; a warehouse is sent their texts. A table stands beside a view that has a column `day`
                and no row but of the table's days: then the view is worked out some days after the other.
        """
        yield self.ask

    @abstractmethod
    def maintain(self, table: Table, *, today: date) -> MaintenanceReport:
        """Compact closed days, drop files that nothing refers to any more, and shorten the log.

        Repeating it rewrites nothing.

        Args:
            table: the table to tidy up.
            today: the current UTC day. Only days before it are closed; today's partition is left alone.

        Raises:
            LakehouseError: the table cannot be read or rewritten. What else was to be done has been done.
        """

    def drop(self, table: Table) -> None:
        """Remove a table with all its rows; nothing happens if there is none.

        Raises:
            ValueError: it is one of ours, of which nothing is ever dropped.
            LakehouseError: it cannot be removed, or only a part of it.
        """
        if table.name in (each.name for each in TABLES):
            raise ValueError(f"{table.name} is never dropped")
        self.writes += 1
        self._drop(table)

    @abstractmethod
    def _drop(self, table: Table) -> None:
        """What `drop` does, for a table that is none of ours."""
