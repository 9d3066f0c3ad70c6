"""Maintenance of tables in Unity Catalog: joining small files of closed days, and removing unused ones."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from genie_assets.domain.schema_text import table_properties
from genie_assets.domain.sql_names import quoted
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.literals import day_literal, days_literal
from genie_assets.gateways.lakehouse.results import MaintenanceReport
from genie_assets.gateways.lakehouse.unity.names import Place, listed
from genie_assets.gateways.lakehouse.unity.ports import Warehouse
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets.gateways.sql.texts import sql_from_template

# A property of the table, for the log that DESCRIBE HISTORY shows forgets a weekly OPTIMIZE before the next one.
_COMPACTED_AT = "genie_assets.compacted_at"
# More commits than a table gets between two rounds of maintenance.
_COMMITS = 10_000
# The first round may meet years of them, and a statement has its time.
_DAYS_AT_ONCE = 60
# Operations that leave the rows' files as they are, or are maintenance themselves.
_HARMLESS = ("VACUUM", "SET TBLPROPERTIES", "ADD COLUMN", "CHANGE COLUMN", "COMPUTE STATS", "OPTIMIZE")
_CREATION = "CREATE TABLE"  # without rows
# What is not used any more is removed when it is older than this, Databricks' own default.
_UNUSED_STAYS = timedelta(days=7)


def _writes(operation: str) -> bool:
    return not operation.startswith(_HARMLESS) and operation != _CREATION


@dataclass(frozen=True)
class _Commits:
    """What happened to a table, as far as its log goes back, newest first."""

    version: int
    times: pd.Series  # UTC
    operations: tuple[str, ...]

    def latest(self, is_meant: Callable[[str], bool]) -> datetime | None:
        """When the latest of some operations was committed; None if none is known."""
        found = self.times[[is_meant(operation) for operation in self.operations]]
        return None if found.empty else found.max().to_pydatetime()

    @property
    def written_at(self) -> datetime | None:
        """When rows were written for the last time."""
        return self.latest(_writes)

    @property
    def is_compact(self) -> bool:
        """Whether there is nothing to join: no rows at all, or none since days that were closed were compacted."""
        written, compacted = self.written_at, self.latest(lambda name: name == "OPTIMIZE")
        if written is None:
            return _CREATION in self.operations
        return compacted is not None and written.date() < compacted.date()

    @property
    def has_nothing_unused(self) -> bool:
        """Whether no file can have become unused since the last removal."""
        changed = self.latest(lambda name: _writes(name) or name == "OPTIMIZE")
        removed = self.latest(lambda name: name == "VACUUM END")
        if changed is None:
            return _CREATION in self.operations
        return removed is not None and changed + _UNUSED_STAYS < removed


@dataclass(frozen=True)
class _State:
    """A table's files, and what happened to them."""

    version: int
    files: int
    size: int
    partitioned_by: tuple[str, ...]
    is_clustered: bool
    compacted_at: datetime | None
    is_written_since: bool


def latest_version(warehouse: Warehouse, table: str) -> int:
    """The number of a table's latest commit."""
    statement = sql_from_template("lakehouse/describe_history", table=table, commits="1")
    return int(warehouse.query(statement)["version"].iloc[0])


def maintain(
    warehouse: Warehouse, place: Place, table: Table, columns: Collection[str], today: date
) -> MaintenanceReport:
    """Tidy up one table that has these columns; see `Lakehouse.maintain`.

    How many files it has is not asked of a table of which the log tells that nothing is to be done.
    """
    name, began_at = place.table(table), datetime.now(UTC)
    commits = _commits(warehouse, name)
    if commits.is_compact:
        unused = 0 if commits.has_nothing_unused else _vacuum(warehouse, name)
        return MaintenanceReport(
            files_before=None,
            files_after=None,
            bytes_before=None,
            bytes_after=None,
            version_before=commits.version,
            version_after=latest_version(warehouse, name) if unused else commits.version,
            files_vacuumed=unused,
        )
    before = _state(warehouse, name, commits)
    compacted = _compact(warehouse, name, table, columns, before, today) if before.is_written_since else 0
    if compacted:
        properties = table_properties({_COMPACTED_AT: began_at.isoformat()})
        warehouse.execute(sql_from_template("lakehouse/set_properties", table=name, properties=properties))
    vacuumed = _vacuum(warehouse, name)
    after = _state(warehouse, name, _commits(warehouse, name)) if compacted or vacuumed else before
    return MaintenanceReport(
        files_before=before.files,
        files_after=after.files,
        bytes_before=before.size,
        bytes_after=after.size,
        version_before=before.version,
        version_after=after.version,
        days_compacted=compacted,
        files_vacuumed=vacuumed,
    )


def _commits(warehouse: Warehouse, name: str) -> _Commits:
    statement = sql_from_template("lakehouse/describe_history", table=name, commits=str(_COMMITS))
    commits = warehouse.query(statement)
    return _Commits(
        version=max(map(int, commits["version"])),
        # Some servers send numbers and times as texts.
        times=pd.to_datetime(commits["timestamp"], utc=True),
        operations=tuple(commits["operation"]),
    )


def _state(warehouse: Warehouse, name: str, commits: _Commits) -> _State:
    detail = warehouse.query(sql_from_template("lakehouse/describe_detail", table=name)).iloc[0]
    compacted_at, written_at = _moment(_parsed(detail["properties"])), commits.written_at
    return _State(
        version=commits.version,
        files=int(detail["numFiles"]),
        size=int(detail["sizeInBytes"]),
        partitioned_by=tuple(_parsed(detail.get("partitionColumns")) or ()),
        is_clustered=bool(_parsed(detail.get("clusteringColumns"))),
        compacted_at=compacted_at,
        # A day that was not closed then was left as it was.
        is_written_since=compacted_at is None
        or (written_at is not None and written_at.date() >= compacted_at.date()),
    )


def _moment(properties: Any) -> datetime | None:
    text = properties.get(_COMPACTED_AT) if isinstance(properties, Mapping) else None
    return None if text is None else datetime.fromisoformat(text)


def _parsed(value: Any) -> Any:
    """A list or map, which may travel as JSON."""
    return json.loads(value) if isinstance(value, str) else value


def _compact(
    warehouse: Warehouse, name: str, table: Table, columns: Collection[str], before: _State, today: date
) -> int:
    """Join small files; the number of days that were looked at, 1 for a table that has no partitions.

    So many parameters: all that is known of one table when its maintenance begins.
    """
    is_partitioned = table.partitioned_by in before.partitioned_by
    days = _days(warehouse, name, table, columns, before, today) if is_partitioned else []
    if before.files < 2 or (is_partitioned and not days):
        return 0
    z_order = f" ZORDER BY ({listed(table.z_order_by)})" if table.z_order_by and not before.is_clustered else ""
    wheres = [""]
    if is_partitioned:
        some = [days[start : start + _DAYS_AT_ONCE] for start in range(0, len(days), _DAYS_AT_ONCE)]
        wheres = [f" WHERE {quoted(str(table.partitioned_by))} IN ({days_literal(part)})" for part in some]
    for where in wheres:
        _optimize(warehouse, name, where, z_order)
    return len(days) if is_partitioned else 1


def _optimize(warehouse: Warehouse, name: str, where: str, z_order: str) -> None:
    try:
        warehouse.execute(sql_from_template("lakehouse/optimize", table=name, where=where, z_order=z_order))
    except WarehouseError as error:
        # Databricks may cluster a table by columns that it has not chosen yet.
        if not (z_order and (error.condition or "").startswith("DELTA_CLUSTERING")):
            raise
        warehouse.execute(sql_from_template("lakehouse/optimize", table=name, where="", z_order=""))


def _days(
    warehouse: Warehouse, name: str, table: Table, columns: Collection[str], before: _State, today: date
) -> list[date]:
    """Closed days with rows that were written since the last compaction, or that were not closed then.

    So many parameters, as for `_compact`.
    """
    day, written, parameters = quoted(str(table.partitioned_by)), "true", {}
    if before.compacted_at is not None:
        times = [n for n in table.bookkeeping if table.column(n).type == "TIMESTAMP" and n in columns]
        written = f"t.{day} >= {day_literal(before.compacted_at.date())}"
        written += "".join(f" OR t.{quoted(time)} > :compacted_at" for time in times)
        parameters = {"compacted_at": before.compacted_at} if times else {}
    statement = sql_from_template(
        "lakehouse/open_days", day=day, table=name, today=day_literal(today), written=written
    )
    return sorted(warehouse.query(statement, parameters)["day"])


def _vacuum(warehouse: Warehouse, name: str) -> int:
    # Asking first avoids commits that say that nothing was deleted. Of more than a thousand files, a thousand are
    # named, and counted.
    unused = len(warehouse.query(sql_from_template("lakehouse/vacuum_dry_run", table=name)))
    if unused:
        warehouse.execute(sql_from_template("lakehouse/vacuum", table=name))
    return unused
