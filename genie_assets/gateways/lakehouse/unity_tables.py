"""The tables in Unity Catalog: looked up once, created and extended from the one table definition."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from genie_assets.domain.schema_text import (
    STATISTICS,
    Layout,
    column_text,
    create_table,
    statistics_columns,
    table_properties,
)
from genie_assets.domain.tables import ColumnType, Table
from genie_assets.gateways.lakehouse import LakehouseError
from genie_assets.gateways.lakehouse.unity_names import Place
from genie_assets.gateways.lakehouse.unity_ports import Warehouse
from genie_assets.gateways.retries import CallError
from genie_assets.gateways.sql_errors import WarehouseError, is_permission
from genie_assets.gateways.sql_texts import sql_from_template

T = TypeVar("T")

_TYPES: Mapping[ColumnType, str] = {"LONG": "bigint"}
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


@dataclass(frozen=True)
class Shape:
    """A stored table: its columns, in its order, with their types as DESCRIBE shows them, and its partitions."""

    columns: Mapping[str, str]
    partitioned_by: frozenset[str] = frozenset()

    def layout(self, table: Table) -> Layout:
        """How the table is laid out, whatever the setting says by now."""
        return "partitioned" if table.partitioned_by in self.partitioned_by else "liquid"

    def lacks(self, table: Table) -> list[str]:
        """Columns of the definition that are not stored."""
        return [name for name in table.column_names if name not in self.columns]


class UnityTables:
    """What is stored. Each table is looked up once; one that does not exist, or lacks columns, again each time.

    Safe to share by threads.
    """

    def __init__(self, warehouse: Callable[[], Warehouse], place: Place, layout: Layout) -> None:
        self._warehouse, self._place, self._layout = warehouse, place, layout
        self._known: dict[str, Shape] = {}
        self._lock = threading.RLock()

    def shape(self, table: Table) -> Shape | None:
        """The stored columns; None if the table does not exist.

        Raises:
            LakehouseError: a column is stored with another type, or the table cannot be looked up.
        """
        with self._lock:
            shape = self._known.get(table.name)
            if shape is None or shape.lacks(table):
                shape = self._look_up(table)
            if shape is None:
                return None
            _refuse_other_types(table, shape)
            self._known[table.name] = shape
            return shape

    def ensure(self, table: Table) -> Shape:
        """Make the table exist with all columns of its definition, and return what is stored.

        Raises:
            LakehouseError: as for `shape`, or it cannot be created or extended.
        """
        with self._lock, failures_named(table, self._place):
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
        with failures_named(table, self._place):
            self._make(sql_from_template("lakehouse/create_volume", volume=self._place.volume))

    def forget(self) -> None:
        """Look every table up again at its next use."""
        with self._lock:
            self._known.clear()

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
        with failures_named(table, self._place):
            try:
                rows = self._warehouse().query(statement)
            except WarehouseError as error:
                if _says(error, _NO_TABLE):
                    return None
                raise
        return _shape(zip(rows["col_name"], rows["data_type"], strict=True))

    def _create(self, table: Table) -> None:
        statement = create_table(table, self._place.sql, self._layout)
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


def _shape(described: Iterable[tuple[str | None, str | None]]) -> Shape:
    """What DESCRIBE TABLE shows: columns, then sections about partitions, clustering and other things."""
    columns: dict[str, str] = {}
    partitions: set[str] = set()
    section: str | None = None
    for name, type_ in described:
        if not name or name.startswith("#"):
            section = name if name and "INFORMATION" in name.upper() else (section or "")
        elif section is None:
            columns[name] = type_ or ""
        elif "PARTITION" in section.upper():
            partitions.add(name)
    return Shape(columns, frozenset(partitions))


def _says(error: WarehouseError, beginnings: tuple[str, ...]) -> bool:
    return (error.condition or "").startswith(beginnings)


def _refuse_other_types(table: Table, shape: Shape) -> None:
    for column in table.columns:
        stored = shape.columns.get(column.name)
        if stored is not None and stored.lower() != _TYPES.get(column.type, column.type.lower()):
            raise LakehouseError(f"{table.name}.{column.name} is stored as {stored} and should be {column.type}")


@contextmanager
def failures_named(table: Table, place: Place) -> Iterator[None]:
    """Turn failures of Databricks into a LakehouseError that names the table and what to grant."""
    try:
        yield
    except WarehouseError as error:
        problem = _told(table, place, error)
    except CallError as error:
        problem = (
            f"{table.name}: files cannot be staged in {place.volume}: {error.error.message} "
            "Our principal needs READ VOLUME and WRITE VOLUME on it, and CREATE VOLUME where it does not exist."
        )
    else:
        return
    raise LakehouseError(problem) from None


def _told(table: Table, place: Place, error: WarehouseError) -> str:
    if error.condition is None:
        return f"{table.name}: {error}"
    # The server's own words may quote values of the rows.
    advice = ""
    if "CATALOG" in error.condition:
        advice = "; is it the right one in GENIE_LAKEHOUSE, and is USE CATALOG on it granted to our principal?"
    elif is_permission(error.condition) or error.condition.endswith("_NOT_FOUND"):
        advice = (
            f"; grant USE CATALOG, USE SCHEMA, SELECT, MODIFY and CREATE TABLE on {place.sql}, and READ VOLUME "
            f"and WRITE VOLUME on {place.volume}, to our principal, or CREATE SCHEMA on the catalog"
        )
    return f"{table.name}: the SQL warehouse refused a statement ({error.condition}){advice}"
