"""The lakehouse as tables in Unity Catalog, read and written through a SQL warehouse.

Rows travel to the warehouse as files in a volume. Each write is one statement that may run twice, because a lost
answer does not tell whether it ran. Its file is deleted once it has ended: a second copy of it that waits in a
queue until later writes are done finds no file, fails, and cannot undo them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import date
from functools import cache, cached_property, partial
from typing import Any

import pandas as pd
import pyarrow as pa

from genie_assets.domain.schema_text import Layout
from genie_assets.domain.tables import Table, records
from genie_assets.gateways.lakehouse import (
    Filter,
    Lakehouse,
    MaintenanceReport,
    MergeResult,
    Newest,
    Rows,
)
from genie_assets.gateways.lakehouse.refusals import (
    identity_of,
    refuse_both,
    refuse_duplicates,
    refuse_other_days,
)
from genie_assets.gateways.lakehouse.schema import arrow_schema, to_arrow, to_frame
from genie_assets.gateways.lakehouse.unity_cells import may_be_large, received
from genie_assets.gateways.lakehouse.unity_conditions import Statement
from genie_assets.gateways.lakehouse.unity_names import Place
from genie_assets.gateways.lakehouse.unity_ports import Databricks, Volumes, Warehouse
from genie_assets.gateways.lakehouse.unity_queries import count_sql, rows_sql
from genie_assets.gateways.lakehouse.unity_staging import Staging
from genie_assets.gateways.lakehouse.unity_tables import UnityTables, failures_named
from genie_assets.gateways.lakehouse.unity_upkeep import latest_version, maintain
from genie_assets.gateways.lakehouse.unity_writes import (
    append_sql,
    merge_count_sql,
    merge_source,
    merge_sql,
    numbered,
    reach,
    replace_day_count_sql,
    replace_day_sql,
)
from genie_assets.gateways.sql_errors import WarehouseError


class UnityLakehouse(Lakehouse):
    """Tables in one schema of Unity Catalog.

    Args:
        place: The catalog and schema.
        databricks: Gives the SQL warehouse and the way to volumes; asked at the first use.
        layout: How tables that do not exist yet are laid out.
    """

    def __init__(self, place: Place, databricks: Databricks, layout: Layout = "partitioned") -> None:
        self._place, self._databricks = place, databricks
        self._tables = UnityTables(lambda: self._warehouse, place, layout)
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
        return self._tables.shape(table) is not None

    def version(self, table: Table) -> int | None:
        """Number of the table's latest commit; None if it does not exist."""
        if self._tables.shape(table) is None:
            return None
        with self._using(table):
            return latest_version(self._warehouse, self._place.table(table))

    def prepare(self, table: Table) -> None:
        """Make the table exist with all columns of this version."""
        self._tables.ensure(table)

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
        schema = arrow_schema(table, columns)
        rows = Rows(table, where, days)
        with self._asking(table) as statement:
            sql = rows_sql(statement, rows, schema.names, newest=newest, distinct=distinct, limit=limit)
            return to_frame(self._answer(statement, sql, table, schema))

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
        """How many rows there are; see `Lakehouse.count`."""
        schema = arrow_schema(table, by)
        for name, type_ in (*((name, pa.bool_()) for name in flags or ()), ("count", pa.int64())):
            schema = schema.append(pa.field(name, type_))
        with self._asking(table) as statement:
            sql = count_sql(statement, Rows(table, where, days), by, flags or {}, at_least)
            return records(to_frame(self._answer(statement, sql, table, schema)))

    def append(self, table: Table, frame: pd.DataFrame) -> int:
        """Add rows in one atomic commit; see `Lakehouse.append`."""
        rows = to_arrow(table, frame)
        if not rows.num_rows:
            return 0
        where = reach(table, rows)
        with self._using(table):
            self._tables.ensure(table)
            with self._staged(table, rows) as file:
                self._warehouse.execute(append_sql(table, self._place, file, where), where.ends)
        return rows.num_rows

    def replace_day(self, table: Table, day: date, frame: pd.DataFrame) -> bool:
        """Make one partition equal to the frame; see `Lakehouse.replace_day`."""
        rows = to_arrow(table, frame)
        refuse_duplicates(table, rows)
        refuse_other_days(table, day, rows)
        if not rows.num_rows and not self.exists(table):
            return False
        with self._using(table):
            shape = self._tables.ensure(table)
            with self._staged(table, numbered(rows)) as file:
                found = self._warehouse.query(replace_day_count_sql(table, self._place, file, day)).iloc[0]
                if found["stored"] == found["same"] == rows.num_rows:
                    return False
                self._warehouse.execute(replace_day_sql(table, self._place, file, day, shape))
        return True

    def merge(self, table: Table, frame: pd.DataFrame, *, delete: pd.DataFrame | None = None) -> MergeResult:
        """Insert, update and delete rows by key; see `Lakehouse.merge`."""
        rows = to_arrow(table, frame)
        refuse_duplicates(table, rows)
        gone = to_arrow(table, table.frame(()) if delete is None else delete, identity_of(table))
        refuse_both(table, rows, gone)
        if not rows.num_rows and (not gone.num_rows or not self.exists(table)):
            return MergeResult()
        source = merge_source(rows, gone)
        where = reach(table, source)
        with self._using(table):
            self._tables.ensure(table)
            with self._staged(table, source) as file:
                # Counted first: a MERGE that changes nothing may commit all the same, and one whose answer was
                # lost counts nothing when it runs again.
                found = self._warehouse.query(merge_count_sql(table, self._place, file, where), where.ends).iloc[0]
                result = MergeResult(**{str(name): int(number) for name, number in found.items()})
                if result.changed:
                    self._warehouse.execute(merge_sql(table, self._place, file, where), where.ends)
        return result

    def maintain(self, table: Table, *, today: date) -> MaintenanceReport:
        """Compact closed days and remove unused files; see `Lakehouse.maintain`."""
        shape = self._tables.shape(table)
        with self._using(table):
            self._staging.sweep()
            if shape is None:
                return MaintenanceReport()
            return maintain(self._warehouse, self._place, table, shape, today)

    @contextmanager
    def _asking(self, table: Table) -> Iterator[Statement]:
        """A statement about a table, whose long lists are kept in files until it has been answered."""
        with self._using(table), ExitStack() as files:

            def keep_list(values: pa.Array) -> str:
                return files.enter_context(self._staged(table, pa.table({"value": values})))

            yield Statement(self._place, cache(self._tables.shape), keep_list)

    def _answer(self, statement: Statement, sql: str, table: Table, schema: pa.Schema) -> pa.Table:
        """The rows of a SELECT, none of them if the table does not exist."""
        if statement.shape_of(table) is None:
            return schema.empty_table()
        parts = self._warehouse.batches(sql, statement.parameters, by_links=may_be_large(schema.names))
        return pa.Table.from_batches([received(schema, part) for part in parts], schema=schema)

    @contextmanager
    def _using(self, table: Table) -> Iterator[None]:
        """Name the table in failures, and look all tables up again after one: they may have changed."""
        with failures_named(table, self._place):
            try:
                yield
            except WarehouseError:
                self._tables.forget()
                raise

    def _staged(self, table: Table, rows: pa.Table) -> AbstractContextManager[str]:
        return self._staging.staged(rows, partial(self._tables.create_volume, table))
