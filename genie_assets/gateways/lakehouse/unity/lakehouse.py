"""The lakehouse as tables in Unity Catalog, read and written through a SQL warehouse.

Rows travel to the warehouse as files in a volume. Each write is one statement that may run twice, because a lost
answer does not tell whether it ran. Its file is deleted once it has ended: a second copy of it that waits in a
queue until later writes are done finds no file, fails, and cannot undo them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import date
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from genie_assets.domain.questions import Counted, Filter, Newest, Question, Rows, Wanted
from genie_assets.domain.schema_text import Layout
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.results import MaintenanceReport, MergeResult, ViewsKept
from genie_assets.gateways.lakehouse.unity.cells import may_be_large, received
from genie_assets.gateways.lakehouse.unity.conditions import LONGEST_LISTS, Statement
from genie_assets.gateways.lakehouse.unity.maintenance import latest_version, maintain
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.lakehouse.unity.ports import Databricks, Volumes, Warehouse
from genie_assets.gateways.lakehouse.unity.queries import (
    question_sql,
    schema_of,
    taken_apart,
    together_sql,
)
from genie_assets.gateways.lakehouse.unity.shapes import Shape
from genie_assets.gateways.lakehouse.unity.staging import Staging
from genie_assets.gateways.lakehouse.unity.tables import UnityTables, failures_named, is_of_missing
from genie_assets.gateways.lakehouse.unity.writes import (
    Reach,
    append_sql,
    fill_sql,
    merge_count_sql,
    merge_source,
    merge_sql,
    numbered,
    reach,
    replace_day_count_sql,
    replace_day_sql,
)
from genie_assets.gateways.sql.errors import WarehouseError

T = TypeVar("T")

if TYPE_CHECKING:
    from genie_assets.domain.views import View
    from genie_assets.gateways.lakehouse.reading import Reading

# Beside the folders of staged rows, which are swept.
_KEPT = "kept"


class UnityLakehouse(Lakehouse):
    """Tables in one schema of Unity Catalog.

    Args:
        place: The catalog and schema.
        databricks: Gives the SQL warehouse and the way to volumes; asked at the first use.
        layout: How tables that do not exist yet are laid out.
        made_up: Whether the tables hold a made-up account.
        longest_lists: How many characters of long lists a request takes; what is longer travels in files.
    """

    def __init__(
        self,
        place: Place,
        databricks: Databricks,
        layout: Layout = "partitioned",
        *,
        made_up: bool = False,
        longest_lists: int = LONGEST_LISTS,
    ) -> None:
        self._place, self._databricks, self._longest_lists = place, databricks, longest_lists
        self._tables = UnityTables(lambda: self._warehouse, place, layout, made_up=made_up)
        self._staging = Staging(lambda: self._volumes, place)

    @cached_property
    def _connection(self) -> tuple[Warehouse, Volumes]:
        return self._databricks()

    @property
    def _warehouse(self) -> Warehouse:
        return self._connection[0]

    @property
    def _volumes(self) -> Volumes:
        return self._connection[1]

    def exists(self, table: Table) -> bool:
        """Whether the table was ever written."""
        return self._tables.exists(table)

    def version(self, table: Table) -> int | None:
        """Number of the table's latest commit; None if it does not exist."""
        if self._tables.shape(table) is None:
            return None
        with self._using(table):
            return latest_version(self._warehouse, self._place.table(table))

    def prepare(self, table: Table) -> None:
        """Make the table exist with all columns of this version."""
        self._tables.ensure(table)

    def _rows(
        self, rows: Rows, columns: Sequence[str], newest: Newest | None, distinct: bool, limit: int | None
    ) -> pa.Table:
        return self._one(Wanted(rows, columns, newest, distinct, limit))

    def _count(self, rows: Rows, by: Sequence[str], flags: Mapping[str, Filter], at_least: int) -> pa.Table:
        return self._one(Counted(rows, by, flags, at_least))

    def _one(self, question: Question) -> pa.Table:
        table, schema = question.rows.table, schema_of(question)

        def ask(statement: Statement) -> pa.Table:
            sql = question_sql(statement, question)
            if statement.shape_of(table) is None:
                return schema.empty_table()
            parts = self._warehouse.batches(sql, statement.parameters, by_links=may_be_large(table, schema.names))
            return pa.Table.from_batches([received(schema, part) for part in parts], schema=schema)

        return self._asked(table, ask)

    def _together(self, questions: Mapping[str, Question]) -> dict[str, pa.Table]:
        """One statement; what is asked of tables that are not there has no rows."""
        empty = {name: schema_of(question).empty_table() for name, question in questions.items()}
        by_links = any(may_be_large(each.rows.table, schema_of(each).names) for each in questions.values())

        def ask(statement: Statement) -> dict[str, pa.Table]:
            sql = together_sql(statement, questions)
            parts = self._warehouse.batches(sql, statement.parameters, by_links=by_links)
            answers = [taken_apart(questions, part) for part in parts]
            return {
                name: pa.concat_tables([rows, *(each[name] for each in answers)]) for name, rows in empty.items()
            }

        return self._asked(next(iter(questions.values())).rows.table, ask)

    def _append(self, table: Table, rows: pa.Table) -> None:
        self._store_staged(table, rows, partial(append_sql, table, self._place))

    def _replace_day(self, table: Table, day: date, rows: pa.Table) -> bool:
        with self._using(table):
            columns = self._tables.ensured_columns(table)
            with self._staged(table, numbered(rows)) as file:
                found = self._warehouse.query(replace_day_count_sql(table, self._place, file, day)).iloc[0]
                if found["stored"] == found["same"] == rows.num_rows:
                    return False
                self._warehouse.execute(replace_day_sql(table, self._place, file, day, columns))
        return True

    def _put_day(self, table: Table, day: date, rows: pa.Table) -> None:
        with self._using(table):
            columns = self._tables.ensured_columns(table)
            with self._staged(table, numbered(rows)) as file:
                self._warehouse.execute(replace_day_sql(table, self._place, file, day, columns))

    def _merge(self, table: Table, rows: pa.Table, gone: pa.Table) -> MergeResult:
        source = merge_source(rows, gone)
        where = reach(table, source)

        def write() -> MergeResult:
            with self._staged(table, source) as file:
                # Counted first: a MERGE that changes nothing may commit all the same, and one whose answer was
                # lost counts nothing when it runs again.
                found = self._warehouse.query(merge_count_sql(table, self._place, file, where), where.ends).iloc[0]
                result = MergeResult(**{str(name): int(number) for name, number in found.items()})
                if result.changed:
                    self._warehouse.execute(merge_sql(table, self._place, file, where), where.ends)
            return result

        return self._written(table, write)

    def _put(self, table: Table, rows: pa.Table, gone: pa.Table) -> None:
        self._store_staged(table, merge_source(rows, gone), partial(merge_sql, table, self._place))

    def _fill(self, table: Table, rows: pa.Table, column: str) -> None:
        names = rows.schema.names
        self._store_staged(table, rows, partial(fill_sql, table, self._place, column=column, names=names))

    def _store_staged(self, table: Table, rows: pa.Table, sql_of: Callable[[str, Reach], str]) -> None:
        """Run the one statement that stores these rows, made of the file that holds them and of their reach."""
        where = reach(table, rows)

        def write() -> None:
            with self._staged(table, rows) as file:
                self._warehouse.execute(sql_of(file, where), where.ends)

        self._written(table, write)

    def _written(self, table: Table, write: Callable[[], T]) -> T:
        """Write, at first as if the table were as its definition says; then the table is made so."""
        with self._using(table):
            expected = self._tables.expected(table)
            if expected is not None and not expected.lacks(table):
                try:
                    return write()
                except WarehouseError as error:
                    if not is_of_missing(error):
                        raise
                    self._tables.forget()
            self._tables.ensure(table)
            return write()

    def ask(self, reading: "Reading", *, limit: int) -> pa.Table:
        """Have the warehouse run a reading statement; see `Lakehouse.ask`."""
        from genie_assets.gateways.lakehouse.unity.asked import answer

        return answer(reading, self._place, self._tables, self._warehouse, limit)

    def keep_views(self, views: Sequence["View"]) -> ViewsKept:
        """Make views and keep them current; see `Lakehouse.keep_views`."""
        from genie_assets.gateways.lakehouse.unity.views import UnityViews

        with failures_named("GENIE_LAKEHOUSE", self._place):
            existing = self._tables.names()
        return UnityViews(self._place, self._warehouse, self._tables.ensure).keep(views, existing)

    def keep(self, name: str, data: bytes) -> str:
        """Keep a file in the volume of the schema; see `Lakehouse.keep`."""
        path = f"{self._place.volume_path}/{_KEPT}/{name}"
        with failures_named("GENIE_LAKEHOUSE", self._place):
            if not self._volumes.upload(path, data):
                raise LakehouseError(
                    f"GENIE_LAKEHOUSE: there is no volume {self._place.volume} yet: the first load makes it"
                )
        return path

    def kept_json(self, name: str) -> Any:
        """What a kept file says; see `Lakehouse.kept_json`."""
        with failures_named("GENIE_LAKEHOUSE", self._place):
            return self._volumes.json_of(f"{self._place.volume_path}/{_KEPT}/{name}")

    def maintain(self, table: Table, *, today: date) -> MaintenanceReport:
        """Compact closed days and remove unused files; see `Lakehouse.maintain`."""
        columns = self._tables.columns(table)
        with self._using(table):
            self._staging.sweep()
            if columns is None:
                return MaintenanceReport()
            return maintain(self._warehouse, self._place, table, columns, today)

    def names_beginning(self, beginning: str) -> list[str]:
        """Names of the schema's tables and views that begin so; see `Lakehouse.names_beginning`."""
        with failures_named("GENIE_LAKEHOUSE", self._place):
            return sorted(name for name in self._tables.names() if name.startswith(beginning))

    def _drop(self, table: Table) -> None:
        with self._using(table):
            self._tables.drop(table)

    def probe(self) -> bool:
        """Write a file into the staging volume, list and remove it, as writes do; whether there is one.

        Without a volume nothing is written: then the catalog is looked at, in which the first write will make it.
        What cannot be proved without changing a table is that MODIFY is granted on it.
        """
        with failures_named("GENIE_LAKEHOUSE", self._place):
            return self._staging.probe() or self._tables.has_schema()

    def _asked(self, table: Table, ask: Callable[[Statement], T]) -> T:
        """What a question about a table brings: at first as if every table were as its definition says.

        Looking them all up would take longer than what most questions ask.
        """
        try:
            with self._asking(table, self._tables.expected) as statement:
                return ask(statement)
        except WarehouseError as error:
            if not is_of_missing(error):
                with failures_named(table.name, self._place):
                    raise
        with failures_named(table.name, self._place), self._asking(table, self._tables.shape) as statement:
            return ask(statement)

    @contextmanager
    def _asking(self, table: Table, shape_of: Callable[[Table], Shape | None]) -> Iterator[Statement]:
        """A statement about a table, whose long lists are kept in files until it has been answered."""
        with ExitStack() as files:

            def keep_list(values: pa.Array) -> str:
                return files.enter_context(self._staged(table, pa.table({"value": values})))

            try:
                yield Statement(self._place, cache(shape_of), keep_list, self._longest_lists)
            except WarehouseError:
                self._tables.forget()
                raise

    @contextmanager
    def _using(self, table: Table) -> Iterator[None]:
        """Name the table in failures, and look all tables up again after one: they may have changed."""
        with failures_named(table.name, self._place):
            try:
                yield
            except WarehouseError:
                self._tables.forget()
                raise

    def _staged(self, table: Table, rows: pa.Table) -> AbstractContextManager[str]:
        return self._staging.staged(rows, partial(self._tables.create_volume, table))
