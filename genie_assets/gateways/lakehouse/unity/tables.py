"""The tables in Unity Catalog: looked up once, created and extended from the one table definition.

Which of them there are and of which kind (`marks`) one statement tells for all; how one of them is stored is asked
where it is needed.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar, get_args

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.schema_text import (
    STATISTICS,
    Layout,
    column_text,
    create_table,
    statistics_columns,
    table_properties,
)
from genie_assets.domain.sql_names import quoted
from genie_assets.domain.tables import TABLES, ColumnType, Table
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.marks import described, mark, refuse_other_kind
from genie_assets.gateways.lakehouse.refusals import refuse_other_types
from genie_assets.gateways.lakehouse.unity.names import Place, text_literal
from genie_assets.gateways.lakehouse.unity.ports import Warehouse
from genie_assets.gateways.lakehouse.unity.shapes import Shape, Told, shape_of, told_by
from genie_assets.gateways.sql.errors import WarehouseError, is_closed_to_us, is_permission
from genie_assets.gateways.sql.texts import sql_from_template

T = TypeVar("T")

_TYPES: Mapping[ColumnType, str] = {
    type_: "bigint" if type_ == "LONG" else type_.lower() for type_ in get_args(ColumnType)
}
# What begins with these says that something is missing, or is there already.
_NO_SCHEMA = ("SCHEMA_NOT_FOUND", "SCHEMA_DOES_NOT_EXIST")
_NO_TABLE = (
    "TABLE_OR_VIEW_NOT_FOUND",
    "TABLE_DOES_NOT_EXIST",
    "NOT_FOUND",
    "RESOURCE_DOES_NOT_EXIST",
    *_NO_SCHEMA,
)
# What somebody else, or our own statement whose answer was lost, has made in the meantime.
_ALREADY_THERE = "ALREADY_EXISTS"
_OURS = frozenset(table.name for table in TABLES)


class UnityTables:
    """What is stored. Each table is looked up once; one that does not exist, or lacks columns, again each time.

    Safe to share by threads.
    """

    def __init__(
        self, warehouse: Callable[[], Warehouse], place: Place, layout: Layout, *, made_up: bool = False
    ) -> None:
        self._warehouse, self._place, self._layout, self._made_up = warehouse, place, layout, made_up
        self._known: dict[str, Shape] = {}
        # What is told of our tables in the schema, by their names.
        self._seen: dict[str, Told] | None = None
        self._lock = threading.RLock()

    def shape(self, table: Table) -> Shape | None:
        """The stored columns; None if the table does not exist.

        Raises:
            LakehouseError: a column is stored with another type, the table is of the other kind (`marks`), or it
                cannot be looked up.
        """
        with self._lock:
            shape = self._known.get(table.name)
            if shape is None or shape.lacks(table):
                shape = self._look_up(table)
            if shape is None:
                return None
            refuse_other_kind(table, self._place.uri, wanted=self._made_up, found=shape.made_up)
            stored = {name: type_.lower() for name, type_ in shape.columns.items()}
            refuse_other_types(table, stored, _TYPES)
            self._known[table.name] = shape
            return shape

    def exists(self, table: Table) -> bool:
        """Whether the table exists.

        Raises:
            LakehouseError: as for `shape`.
        """
        with self._lock:
            return self._is_seen(table) or self.shape(table) is not None

    def expected(self, table: Table) -> Shape | None:
        """The stored columns, taken to be those of the definition if the table was not looked up yet.

        A statement that was built on this fails with `is_of_missing` where it is wrong. Of which kind the table is
        (`marks`) is known all the same.

        Raises:
            LakehouseError: as for `shape`.
        """
        with self._lock:
            if table.name in self._known or not self._is_seen(table):
                return self.shape(table)
            return Shape({column.name: _TYPES[column.type] for column in table.columns})

    def columns(self, table: Table) -> Sequence[str] | None:
        """The stored columns in their order; None if the table does not exist.

        Raises:
            LakehouseError: as for `shape`.
        """
        with self._lock:
            if table.name not in self._known and self._is_seen(table):
                told = self._all_told()[table.name].columns
                if told:
                    return told
            shape = self.shape(table)
            return None if shape is None else list(shape.columns)

    def ensured_columns(self, table: Table) -> Sequence[str]:
        """The stored columns in their order, of a table that exists then with all columns of its definition.

        Raises:
            LakehouseError: as for `ensure`.
        """
        with self._lock:
            columns = self.columns(table)
            if columns is not None and set(table.column_names) <= set(columns):
                return columns
            return list(self.ensure(table).columns)

    def ensure(self, table: Table) -> Shape:
        """Make the table exist with all columns of its definition, and return what is stored.

        Raises:
            LakehouseError: as for `shape`, or it cannot be created or extended.
        """
        with self._lock, failures_named(table.name, self._place):
            shape = self.shape(table)
            if shape is None:
                self._create(table)
                shape = self._described(table)
            if missing := shape.lacks(table):
                self._extend(table, missing, shape.layout(table))
                shape = self._described(table)
        return shape

    def create_volume(self, table: Table) -> None:
        """Create the staging volume, of which `table` is in need."""
        with failures_named(table.name, self._place):
            self._make(sql_from_template("lakehouse/create_volume", volume=self._place.volume))

    def drop(self, table: Table) -> None:
        """Drop a table, if it is there."""
        with self._lock:
            self._known.pop(table.name, None)
            self._warehouse().execute(sql_from_template("lakehouse/drop_table", table=self._place.table(table)))

    def forget(self) -> None:
        """Look every table up again at its next use."""
        with self._lock:
            self._known.clear()
            self._seen = None

    def _is_seen(self, table: Table) -> bool:
        """Whether it is known without looking at the table itself that it exists and is of the right kind.

        Raises:
            LakehouseError: it is of the other kind.
        """
        if table.name not in _OURS:
            return False
        told = self._all_told().get(table.name)
        if told is None or told.made_up is None:
            return False
        refuse_other_kind(table, self._place.uri, wanted=self._made_up, found=told.made_up)
        return True

    def _all_told(self) -> Mapping[str, Told]:
        """What is told of our tables in the schema, by their names; one statement for all of them."""
        if self._seen is None:
            with failures_named("GENIE_LAKEHOUSE", self._place):
                try:
                    shown = shown_extended(self._warehouse(), self._place, _OURS)
                    self._seen = {name: told_by(text) for name, text in shown.items()}
                except WarehouseError as error:
                    if error.condition is None or is_permission(error.condition):
                        raise
                    # There is no schema yet; or an older runtime does not know the statement as we write it, and
                    # then each table is described.
                    self._seen = {name: Told(None, ()) for name in self.names() if name in _OURS}
        return self._seen

    def _make(self, statement: str) -> None:
        """Run a statement that makes something, unless it is there already."""
        try:
            self._warehouse().execute(statement)
        except WarehouseError as error:
            if not (error.condition or "").endswith(_ALREADY_THERE):
                raise

    def _described(self, table: Table) -> Shape:
        shape = self.shape(table)
        if shape is None:
            raise LakehouseError(
                f"{table.name}: the table was created and cannot be seen; grant SELECT on {self._place.sql} "
                "to our principal"
            )
        return shape

    def _look_up(self, table: Table) -> Shape | None:
        statement = sql_from_template("lakehouse/describe_table", table=self._place.table(table))
        with failures_named(table.name, self._place):
            try:
                rows = self._warehouse().query(statement)
            except WarehouseError as error:
                if _says(error, _NO_TABLE):
                    return None
                raise
        return shape_of(zip(rows["col_name"], rows["data_type"], strict=True))

    def _refuse_other_neighbours(self) -> None:
        """LakehouseError if tables of the other kind are in this schema, where one of ours would be made."""
        stored = self._all_told()
        for neighbour in (table for table in TABLES if table.name in stored):
            if self._is_seen(neighbour) or self.shape(neighbour) is not None:
                break

    def names(self) -> frozenset[str]:
        """The names of the schema's tables that we may see; none if there is no such schema."""
        statement = sql_from_template("lakehouse/show_tables", schema=self._place.sql)
        try:
            return frozenset(self._warehouse().query(statement)["tableName"])
        except WarehouseError as error:
            if _says(error, _NO_TABLE):
                return frozenset()
            raise

    def has_schema(self) -> bool:
        """Whether the schema exists, as far as we may see.

        Raises:
            WarehouseError: the catalog cannot be looked into.
        """
        statement = sql_from_template("lakehouse/show_schemas", catalog=quoted(self._place.catalog))
        return self._place.schema.lower() in self._warehouse().query(statement).iloc[:, 0].str.lower().tolist()

    def _create(self, table: Table) -> None:
        self._refuse_other_neighbours()
        new = described(table, self._made_up)
        statement = create_table(new, self._place.sql, self._layout, mark(self._made_up))
        try:
            self._make(statement)
        except WarehouseError as error:
            if not _says(error, _NO_SCHEMA):
                raise
        else:
            return
        # Only now, for who may use a schema need not be allowed to create one.
        self._make(sql_from_template("lakehouse/create_schema", schema=self._place.sql))
        self._make(statement)

    def _extend(self, table: Table, names: list[str], layout: Layout) -> None:
        columns = ",\n  ".join(column_text(table.column(name), required=False) for name in names)
        properties = table_properties({STATISTICS: statistics_columns(table, layout)})
        place = self._place.table(table)
        self._make(sql_from_template("lakehouse/add_columns", table=place, columns=columns))
        self._warehouse().execute(
            sql_from_template("lakehouse/set_properties", table=place, properties=properties)
        )


def shown_extended(warehouse: Warehouse, place: Place, names: Collection[str]) -> dict[str, str | None]:
    """What SHOW TABLE EXTENDED says of these tables and views, as far as they exist: one statement for all.

    Raises:
        WarehouseError: it was refused.
    """
    pattern = text_literal("|".join(sorted(names)))
    rows = warehouse.query(sql_from_template("lakehouse/show_extended", schema=place.sql, pattern=pattern))
    return dict(zip(rows["tableName"], rows["information"], strict=True))


def is_of_missing(error: WarehouseError) -> bool:
    """Whether a statement named a table or a column that is not there."""
    return _says(error, (*_NO_TABLE, "UNRESOLVED_COLUMN"))


def _says(error: WarehouseError, beginnings: tuple[str, ...]) -> bool:
    return (error.condition or "").startswith(beginnings)


@contextmanager
def failures_named(what: str, place: Place) -> Iterator[None]:
    """Turn failures of Databricks into a LakehouseError that names `what` is concerned, and what to grant."""
    try:
        yield
    except WarehouseError as error:
        problem, lacks_grants = _told(what, place, error), is_closed_to_us(error.condition)
    except CallError as error:
        lacks_grants = error.error.error_class in (ErrorClass.PERMISSION, ErrorClass.NOT_FOUND)
        problem = (
            f"{what}: files cannot be staged in {place.volume}: {error.error.message} "
            "Our principal needs READ VOLUME and WRITE VOLUME on it, and CREATE VOLUME where it does not exist."
        )
    else:
        return
    raise LakehouseError(problem, lacks_grants=lacks_grants) from None


def _told(what: str, place: Place, error: WarehouseError) -> str:
    if error.condition is None:
        return f"{what}: {error}"
    # The server's own words may quote values of the rows.
    advice = ""
    if "CATALOG" in error.condition:
        advice = "; is it the right one in GENIE_LAKEHOUSE, and is USE CATALOG on it granted to our principal?"
    elif is_permission(error.condition) or error.condition.endswith("_NOT_FOUND"):
        advice = (
            f"; grant USE CATALOG, USE SCHEMA, SELECT, MODIFY and CREATE TABLE on {place.sql}, and READ VOLUME "
            f"and WRITE VOLUME on {place.volume}, to our principal, or CREATE SCHEMA on the catalog"
        )
    return f"{what}: the SQL warehouse refused a statement ({error.condition}){advice}"
