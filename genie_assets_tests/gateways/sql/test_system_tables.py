"""What system tables are asked, and what is made of their answers."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets.gateways.sql.system_tables import SystemTables

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
COLUMNS = (
    *(
        "workspace_id",
        "workspace_name",
        "workspace_url",
        "status",
        "action_name",
        "actor",
        "is_refused",
        "is_agents",
        "agent_id",
        "space_event_id",
        "lone_event_id",
        "space_id",
    ),
    *(
        "conversation_id",
        "message_id",
        "first_event_time",
        "last_event_time",
        "event_count",
        "event_date",
        "newest",
    ),
    *("statement_id", "execution_status", "total_duration_ms", "waiting_for_compute_duration_ms", "start_time"),
    *("waiting_at_capacity_duration_ms", "compilation_duration_ms", "execution_duration_ms", "end_time"),
    *("result_fetch_duration_ms", "from_result_cache", "update_time", "warehouse_id", "read_rows", "read_bytes"),
    "error_message",
)


class Warehouse:
    """Answers every statement with one frame, in all columns there are, and remembers what it was asked."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame.reindex(columns=[*COLUMNS], fill_value=None)
        self.parameters: list[Mapping[str, Any]] = []

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        self.parameters.append(parameters or {})
        return self.frame.copy()


def tables(warehouse: Warehouse, *own: str, **options: Any) -> SystemTables:
    return SystemTables(warehouse, own_principals=lambda: own, **options)


def workspaces(*urls: str | None) -> Warehouse:
    rows = [
        {"workspace_id": str(n), "workspace_name": "w", "workspace_url": url}
        for n, url in enumerate(urls, start=1)
    ]
    return Warehouse(pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("url", "usable"),
    [
        ("https://A.cloud.databricks.com/", "https://a.cloud.databricks.com"),
        ("a.cloud.databricks.com", "https://a.cloud.databricks.com"),
        ("http://127.0.0.1:41234/", "http://127.0.0.1:41234"),
        ("127.0.0.1:41234", "http://127.0.0.1:41234"),
        ("https://127.0.0.1:41234", "https://127.0.0.1:41234"),
        ("https://user@evil.example", None),
        (None, None),
    ],
)
def test_an_address_is_made_whole_or_unknown(url: str | None, usable: str | None) -> None:
    """A bare address on the machine of the home workspace has its scheme; any other one is https."""
    found = tables(workspaces(url), home_url="http://127.0.0.1:8080").workspaces()
    assert found["workspace_url"].tolist() == [usable]


def test_only_the_workspaces_of_the_setting_are_looked_at() -> None:
    found = tables(workspaces("https://a.databricks.com", "https://b.databricks.com"), workspace_ids=["1"])
    assert found.workspaces()["workspace_id"].tolist() == ["1"]


def test_own_names_are_compared_in_lower_case_and_nobody_is_not_everybody() -> None:
    """An empty list would match every event that names no actor."""
    warehouse = workspaces("https://a.databricks.com")
    tables(warehouse, "App-ID", "Me@Example.com").message_events(dt.date(2026, 3, 2))
    tables(warehouse).message_events(dt.date(2026, 3, 2))
    assert [asked["own_principals"] for asked in warehouse.parameters] == ["app-id,me@example.com", "-"]


def test_many_statements_are_asked_for_in_parts_and_unusable_ids_not_at_all() -> None:
    warehouse = Warehouse(pd.DataFrame({"statement_id": ["x"]}))
    ids = [f"s.{n}" for n in range(5_001)]
    found = tables(warehouse).query_history([*ids, "a,b", "", "x\ny"], from_time=NOW, to_time=NOW)
    asked = [part.split(",") for part in (one["statement_ids"] for one in warehouse.parameters)]
    assert [len(part) for part in asked] == [5_000, 1]
    assert sorted(asked[0] + asked[1]) == sorted(ids)
    assert len(found) == 2


ASKED = {
    "message_events": lambda asked: asked.message_events(NOW.date()),
    "deletions": lambda asked: asked.deletions(NOW.date(), NOW.date()),
    "query_history": lambda asked: asked.query_history(["s"], from_time=NOW, to_time=NOW),
    "workspaces": lambda asked: asked.workspaces(),
    "latest_audit_event": lambda asked: asked.latest_audit_event(NOW.date()),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (pd.DataFrame(), "without the column"),
        (pd.DataFrame({"ok": ["yes"]}), "without the column"),
        (pd.DataFrame({name: [{"a": 1}] for name in COLUMNS}), "which is not a"),
        (
            pd.DataFrame({name: ["text"] for name in COLUMNS if name != "workspace_id"} | {"workspace_id": [7]}),
            "not",
        ),
    ],
    ids=["nothing", "something else", "objects", "texts"],
)
def test_a_result_that_is_not_the_tables_is_one_sentence(ask: Any, frame: pd.DataFrame, complaint: str) -> None:
    """A missing column would be a KeyError in the middle of a run, a text in the place of a time a TypeError."""
    warehouse = Warehouse(frame)
    warehouse.frame = frame
    with pytest.raises(WarehouseError, match=complaint):
        ask(tables(warehouse))
