"""Databricks' system tables as Delta tables, filled from an account as its rows arrive."""

import datetime as dt
import shutil
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from genie_sandbox.account import Account, ArrivingRow, Workspace
from genie_sandbox.sql.appending import AppendOnlyTable

_STRING = pa.string()
_LONG = pa.int64()
_TIME = pa.timestamp("us", "UTC")
_STRING_MAP = pa.map_(_STRING, _STRING)
_EPOCH = dt.date(1970, 1, 1)


def _strings(*names: str) -> list[tuple[str, pa.DataType]]:
    return [(name, _STRING) for name in names]


def _longs(*names: str) -> list[tuple[str, pa.DataType]]:
    return [(name, _LONG) for name in names]


AUDIT = pa.schema(
    [
        *_strings("account_id", "workspace_id", "version"),
        ("event_time", _TIME),
        ("event_date", pa.date32()),
        *_strings("source_ip_address", "user_agent", "session_id"),
        ("user_identity", pa.struct(_strings("email", "subject_name"))),
        *_strings("service_name", "action_name", "request_id"),
        ("request_params", _STRING_MAP),
        ("response", pa.struct([("status_code", pa.int32()), *_strings("error_message", "result")])),
        *_strings("audit_level", "event_id"),
        ("identity_metadata", pa.struct(_strings("run_by", "run_as", "acting_resource"))),
    ]
)
QUERY_HISTORY = pa.schema(
    [
        *_strings("account_id", "workspace_id", "statement_id", "session_id", "execution_status"),
        ("compute", pa.struct(_strings("type", "cluster_id", "warehouse_id"))),
        *_strings("executed_by_user_id", "executed_by", "executed_as_user_id", "executed_as"),
        *_strings("statement_text", "statement_type", "error_message"),
        *_strings("client_application", "client_driver", "cache_origin_statement_id"),
        *_longs("total_duration_ms", "waiting_for_compute_duration_ms", "waiting_at_capacity_duration_ms"),
        *_longs("execution_duration_ms", "compilation_duration_ms", "total_task_duration_ms"),
        *_longs("result_fetch_duration_ms"),
        ("start_time", _TIME),
        ("end_time", _TIME),
        ("update_time", _TIME),
        *_longs("read_partitions", "pruned_files", "read_files", "read_rows", "produced_rows", "read_bytes"),
        ("read_io_cache_percent", pa.int32()),
        ("from_result_cache", pa.bool_()),
        *_longs("spilled_local_bytes", "written_bytes", "written_rows", "written_files"),
        *_longs("shuffle_read_bytes", "pruned_files_bytes", "read_files_bytes"),
        (
            "query_source",
            pa.struct(
                [
                    *_strings("alert_id", "sql_query_id", "dashboard_id", "notebook_id", "genie_space_id"),
                    *_strings("legacy_dashboard_id"),
                    ("job_info", pa.struct(_strings("job_id", "job_run_id", "job_task_run_id"))),
                ]
            ),
        ),
        (
            "query_parameters",
            pa.struct(
                [
                    ("named_parameters", _STRING_MAP),
                    ("pos_parameters", pa.list_(_STRING)),
                    ("is_truncated", pa.bool_()),
                ]
            ),
        ),
        ("query_tags", _STRING_MAP),
    ]
)
WORKSPACES = pa.schema(
    [
        *_strings("account_id", "workspace_id", "workspace_name", "workspace_url"),
        ("create_time", _TIME),
        ("status", _STRING),
    ]
)


@dataclass(frozen=True)
class SystemTable:
    """A system table: its name below `system`, its columns, and the column it is partitioned by."""

    schema_name: str
    name: str
    columns: pa.Schema
    partitioned_by: str | None = None


_AUDIT = SystemTable("access", "audit", AUDIT, "event_date")
_HISTORY = SystemTable("query", "history", QUERY_HISTORY)
_WORKSPACES = SystemTable("access", "workspaces_latest", WORKSPACES)
TABLES = (_AUDIT, _HISTORY, _WORKSPACES)


def map_columns(table: SystemTable) -> list[str]:
    """Names of the columns that are maps."""
    return [column.name for column in table.columns if pa.types.is_map(column.type)]


class SystemTables:
    """The system tables below `folder`, made anew by `create` and grown by `advance`. Not thread-safe."""

    def __init__(self, account: Account, folder: Path, workspace_urls: Mapping[str, str]) -> None:
        self._account = account
        self._folder = folder
        self._urls = workspace_urls
        self._tables: dict[tuple[str, str], AppendOnlyTable] = {}
        self._listed: list[Workspace] = []
        self._region_of = {place.workspace_id: place.region for place in account.workspaces}
        self.regions = tuple(dict.fromkeys(self._region_of.values()))
        """Names of the regions; one without a name if the account says nothing of regions."""
        self._feeds = [
            _Feed(table, region, [row for row in rows if region in self._shown_in(row)])
            for table, rows in ((_AUDIT, account.audit), (_HISTORY, account.query_history))
            for region in self.regions
        ]

    def path(self, table: SystemTable, region: str = "") -> Path:
        """Where the Delta table lies."""
        return self._folder / region / table.schema_name / table.name

    def region_of(self, workspace_id: str) -> str:
        """The region of a workspace; that of the first one, if it is none of the account's."""
        return self._region_of.get(workspace_id, self.regions[0])

    def _shown_in(self, row: ArrivingRow) -> Collection[str]:
        return row.regions or (self.region_of(str(row.row.get("workspace_id"))),)

    def create(self, at_ms: int) -> None:
        """Write all tables with the rows that have arrived by `at_ms` (ms UTC); older copies are removed."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._tables = {
            (region, table.name): AppendOnlyTable(self.path(table, region), table.columns, table.partitioned_by)
            for table in TABLES
            for region in self.regions
        }
        self._listed = []
        for feed in self._feeds:
            feed.shown = 0
        self.advance(at_ms)

    def advance(self, at_ms: int) -> None:
        """Append the rows that have arrived since the last call and by `at_ms` (ms UTC)."""
        self._list_workspaces(at_ms)
        for feed in self._feeds:
            self._append(feed.table, feed.region, feed.arrived(at_ms))

    def _list_workspaces(self, at_ms: int) -> None:
        """The list is of now: it holds no workspace that is not there yet, or any more."""
        listed = [workspace for workspace in self._account.workspaces if workspace.is_listed(at_ms)]
        if listed == self._listed:
            return
        rows = _arrow(map(self._workspace_row, listed), _WORKSPACES.columns)
        for region in self.regions:
            self._tables[region, _WORKSPACES.name].replace(rows)
        self._listed = listed

    def _append(self, table: SystemTable, region: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._tables[region, table.name].append(_arrow(rows, table.columns))

    def _workspace_row(self, workspace: Workspace) -> dict[str, Any]:
        return {
            "account_id": self._account.account_id,
            "workspace_id": workspace.workspace_id,
            "workspace_name": workspace.name,
            "workspace_url": spelled(self._urls.get(workspace.workspace_id), workspace.url_style),
            "create_time": None,
            "status": workspace.status,
        }


class _Feed:
    """Rows of a region in the order of their arrival, and how many of them are shown."""

    def __init__(self, table: SystemTable, region: str, rows: Sequence[ArrivingRow]) -> None:
        self.table, self.region = table, region
        self.shown = 0
        self._rows = sorted(rows, key=lambda row: row.arrives_at)

    def arrived(self, at_ms: int) -> list[Mapping[str, Any]]:
        first, self.shown = self.shown, bisect_right(self._rows, at_ms, key=lambda row: row.arrives_at)
        return [row.row for row in self._rows[first : self.shown]]


def spelled(url: str | None, style: str) -> str | None:
    """`url` the way `workspaces_latest` spells it: "full" as it is, "slash" with a slash at the end, "bare".

    "bare" drops the scheme where the client's default (https) is the right one; of "none" there is no address.
    """
    if url is None or style == "none":
        return None
    plain = url.rstrip("/")
    if style == "bare":
        return plain.removeprefix("https://")
    return plain + "/" if style == "slash" else plain


def _arrow(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    rows = list(rows)
    return pa.table(
        {field.name: _column([row.get(field.name) for row in rows], field.type) for field in schema},
        schema=schema,
    )


def _column(values: Iterable[Any], type_: pa.DataType) -> pa.Array:
    convert = _converter(type_)
    return pa.array([None if value is None else convert(value) for value in values], type_)


def _converter(type_: pa.DataType) -> Callable[[Any], Any]:
    """How a JSON value becomes one that Arrow takes for `type_`. Unknown members of a struct are left out."""
    if pa.types.is_map(type_):
        return lambda value: [(key, None if item is None else _text(item)) for key, item in value.items()]
    if pa.types.is_struct(type_):
        members = [(member.name, _converter(member.type)) for member in type_]
        return lambda value: {
            name: None if value.get(name) is None else convert(value[name]) for name, convert in members
        }
    if pa.types.is_timestamp(type_):
        return lambda value: value * 1000 if isinstance(value, int) else dt.datetime.fromisoformat(value)
    if pa.types.is_date(type_):
        return lambda value: (dt.date.fromisoformat(value) - _EPOCH).days
    return _text if pa.types.is_string(type_) else lambda value: value


def _text(value: Any) -> str:
    # Arrow takes UTF-8 only, which has no lone surrogates.
    text = value if isinstance(value, str) else str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
