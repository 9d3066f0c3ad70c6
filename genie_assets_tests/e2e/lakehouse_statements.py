"""Every statement that the Unity Catalog engine sends, without a warehouse."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from genie_assets.domain.questions import (
    Between,
    Counted,
    Equals,
    Exists,
    Filter,
    In,
    IsNull,
    Newest,
    Not,
    Rows,
    Wanted,
)
from genie_assets.domain.schema_text import Layout
from genie_assets.domain.tables import Column, Table
from genie_assets.domain.views import View
from genie_assets.domain.write_trials import trial_name, trial_table
from genie_assets.gateways.lakehouse.identities import identity_of
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.lakehouse.unity.conditions import LONGEST_LISTS
from genie_assets.gateways.lakehouse.unity.lakehouse import UnityLakehouse
from genie_assets.gateways.lakehouse.unity.names import unity_place
from genie_assets.gateways.lakehouse.unity.views import MARK, UnityViews
from genie_assets.gateways.sql.errors import WarehouseError

NOON, TODAY = datetime(2026, 3, 2, 12, tzinfo=UTC), date(2026, 3, 3)
VALUES: Mapping[str, Any] = {
    "STRING": "it's",
    "LONG": 1,
    "INT": 1,
    "BOOLEAN": True,
    "DATE": TODAY,
    "TIMESTAMP": NOON,
    "ARRAY<STRING>": ["a"],
}
TYPES = {"LONG": "bigint"}


class Canned:
    """Notes statements and gives canned answers: a schema that is not there at first, and rows that differ."""

    def __init__(self, table: Table, layout: Layout) -> None:
        self.statements: list[str] = []
        self._columns = [(c.name, TYPES.get(c.type, c.type.lower())) for c in table.columns[:-1]]
        self._columns.append(("of_a_newer_version", "int"))
        self._extended = [(c.name, TYPES.get(c.type, c.type.lower())) for c in table.columns]
        self._clustered = ["x"] if layout == "liquid" and table.partitioned_by else []
        self._partitioned = [table.partitioned_by] if layout == "partitioned" and table.partitioned_by else []
        self._has_schema = self._has_table = False

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        self.statements.append(statement)
        if "DESCRIBE TABLE" in statement:
            if not self._has_table:
                raise WarehouseError("no", condition="TABLE_OR_VIEW_NOT_FOUND")
            return pd.DataFrame(self._columns, columns=["col_name", "data_type"])
        if "SHOW SCHEMAS" in statement:
            return pd.DataFrame({"databaseName": ["default"]})
        if "SHOW TABLE EXTENDED" in statement:  # then the tables are listed
            raise WarehouseError("no", condition="PARSE_SYNTAX_ERROR")
        if "SHOW TABLES" in statement:
            return pd.DataFrame(columns=["database", "tableName"])
        if "DESCRIBE DETAIL" in statement:
            compacted = {"genie_assets.compacted_at": (NOON - timedelta(days=1)).isoformat()}
            detail = {
                "numFiles": 9,
                "sizeInBytes": 9,
                "partitionColumns": self._partitioned,
                "clusteringColumns": self._clustered,
                "properties": compacted,
            }
            return pd.DataFrame([detail])
        if "DESCRIBE HISTORY" in statement:
            return pd.DataFrame({"version": [1], "operation": ["MERGE"], "timestamp": [NOON]})
        if "VACUUM" in statement:
            return pd.DataFrame({"path": ["a"]})
        if "SELECT DISTINCT" in statement:
            return pd.DataFrame({"day": [TODAY - timedelta(days=2), TODAY - timedelta(days=1)]})
        counts = (
            {"inserted": 1, "updated": 1, "deleted": 1} if "inserted" in statement else {"stored": 1, "same": 0}
        )
        return pd.DataFrame([counts])

    def batches(
        self, statement: str, parameters: Mapping[str, Any] | None = None, *, by_links: bool = False
    ) -> Iterator[pd.DataFrame]:
        self.statements.append(statement)
        return iter(())

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        self.statements.append(statement)
        if "CREATE SCHEMA" in statement:
            self._has_schema = True
        elif not self._has_schema:
            raise WarehouseError("no", condition="SCHEMA_NOT_FOUND")
        elif "ADD COLUMNS" in statement:
            self._columns = [*self._extended, ("of_a_newer_version", "int")]
        self._has_table = self._has_table or ("CREATE TABLE" in statement and self._has_schema)


class NoFiles:
    """A volume that does not exist at first."""

    def __init__(self) -> None:
        self._exists = False

    def upload(self, path: str, data: bytes) -> bool:
        found, self._exists = self._exists, True
        return found

    def names(self, path: str) -> list[str] | None:
        return None

    def json_of(self, path: str) -> dict[str, Any] | None:
        return None

    def delete_file(self, path: str) -> bool:
        return True

    delete_folder = delete_file


def statements_about(table: Table, layout: Layout, *, longest_lists: int = LONGEST_LISTS) -> list[str]:
    """Everything that is ever asked or ordered about a table; lists that are longer than that travel in files."""
    warehouse = Canned(table, layout)
    volumes = NoFiles()
    place = unity_place("uc://main.it's")
    lake = UnityLakehouse(place, lambda: (warehouse, volumes), layout, longest_lists=longest_lists)
    assert not open_lakehouse("uc://main.it's", databricks=lambda: (warehouse, NoFiles())).probe()
    _write(lake, table)
    _ask(lake, table)
    lake.version(table)
    lake.maintain(table, today=TODAY)
    lake.drop(trial_table(trial_name(NOON, "0123abcd")))
    return warehouse.statements


class CannedView:
    """Notes what is done about a view; one that is there has a text of an older version."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        self.statements.append(statement)
        if "SHOW TABLE EXTENDED" in statement:  # without properties: then each view is asked for its own
            return pd.DataFrame({"tableName": ["any"], "information": ["Type: VIEW"]})
        return pd.DataFrame({"key": [MARK], "value": ["of an older text"]})

    def batches(
        self, statement: str, parameters: Mapping[str, Any] | None = None, *, by_links: bool = False
    ) -> Iterator[pd.DataFrame]:
        raise AssertionError(f"nothing is read of a view that is kept: {statement}")

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        self.statements.append(statement)


def statements_about_view(view: View) -> list[str]:
    """Everything that is ordered to make a view, and to give it another text."""
    warehouse = CannedView()
    views = UnityViews(unity_place("uc://main.it's"), warehouse, prepare=lambda table: None)
    assert views.keep([view], frozenset()).created == [view.name]
    assert views.keep([view], frozenset([view.name])).changed == [view.name]
    return warehouse.statements


def _write(lake: Lakehouse, table: Table) -> None:
    row = {column.name: VALUES[column.type] for column in table.columns}
    frame = table.frame([row])
    lake.append(table, frame)
    lake.merge(table, frame)
    for name in [name for name in table.content if name not in identity_of(table)][:1]:
        lake.fill(table, frame, name)
    if table.partitioned_by:
        lake.replace_day(table, TODAY, frame)
        other = {**row, table.partitioned_by: TODAY - timedelta(days=1)}
        lake.merge(table, frame, delete=table.frame([other]))


def _ask(lake: Lakehouse, table: Table) -> None:
    lake.read(table)
    lake.read(table, columns=table.key, distinct=True, limit=3)
    lake.together({"rows": Wanted(Rows(table), table.column_names), "number": Counted(Rows(table), by=table.key)})
    for condition in _conditions(table):
        lake.read(table, where=[condition, Not([condition]), Not([IsNull(table.key[0])])])
        lake.count(table, by=table.key[:1], flags={"met": condition}, where=[condition], at_least=2)
    newest = Newest(per=table.key[:1], by=table.key)
    lake.read(table, where=[IsNull(table.key[0])], newest=newest, distinct=True, limit=3)
    lake.count(table)
    if table.partitioned_by:
        lake.read(table, days=[TODAY, TODAY - timedelta(days=1)], newest=newest)


def _conditions(table: Table) -> Iterator[Filter]:
    for column in table.columns:
        if column.type != "ARRAY<STRING>":
            yield from _conditions_on(column)
    within = Rows(table, [Not([Exists(Rows(table), table.key)])])
    moments = [column.name for column in table.columns if column.type == "TIMESTAMP"]
    yield Exists(within, table.key, since=(moments[0], moments[-1]) if moments else None)
    yield Not([Exists(within, table.key[:1])])


def _conditions_on(column: Column) -> Iterator[Filter]:
    value = VALUES[column.type]
    yield Equals(column.name, value)
    yield Between(column.name, value, value)
    yield IsNull(column.name)
    yield Not([IsNull(column.name), Equals(column.name, value)])
    if column.type in ("BOOLEAN", "DATE"):
        return
    step = timedelta(seconds=1) if column.type == "TIMESTAMP" else 1
    many = [f"{value}{n}" if column.type == "STRING" else value + n * step for n in range(40)]
    yield In(column.name, many)
