"""The demo, as a newcomer runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.tables import GENIE_MESSAGE_LOOKS, TABLES, records
from genie_assets.gateways.lakehouse import open_lakehouse
from genie_assets_tests.e2e.pipelines import in_order

pytestmark = pytest.mark.slow

# A look that finds nothing new is noted there, and nothing is looked at twice.
FILLED = [table for table in TABLES if table is not GENIE_MESSAGE_LOOKS]
KEYS = {
    "messages_expected",
    "messages_stored",
    "open_errors",
    "deleted",
    "pending",
    "message_requests",
    "space_requests",
    "success_rate",
    "checks",
    "matches_truth",
    "seconds",
}


def run_demo(folder: Path, **settings: str) -> tuple[dict[str, Any], str]:
    """Run the demo in `folder`; the result is its JSON and what it printed."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DATABRICKS_", "GENIE_", "DAGSTER_"))
    }
    # Settings of a real account that the demo must not use.
    ours |= {"DATABRICKS_HOST": "https://real.cloud.databricks.com", "DATABRICKS_TOKEN": "not-for-the-demo"}
    ours |= settings
    done = subprocess.run(
        [Path(sys.executable).parent / "genie-assets", "demo", "--messages", "600"],
        cwd=folder,
        env=ours,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / ".genie/demo.json").read_text(encoding="utf-8")), done.stdout


def contents(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, with all columns."""
    lake = open_lakehouse(str(folder / ".genie/lakehouse"))
    return {table.name: in_order(records(lake.read(table))) for table in TABLES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("newcomer")


@pytest.fixture(scope="module")
def first(folder: Path) -> tuple[dict[str, Any], str]:
    return run_demo(folder)


def test_the_demo_stores_exactly_the_truth_with_few_requests(first, folder):
    result, shown = first
    assert result.keys() >= KEYS
    assert result["differences"] == []
    assert result["matches_truth"] is True
    assert result["checks"]["nothing_is_lost"] is True
    assert result["checks"]["keys_are_unique"] is True
    assert result["messages_expected"] >= 600
    parts = ("messages_stored", "open_errors", "deleted", "pending")
    assert sum(result[part] for part in parts) == result["messages_expected"]
    assert 0 < result["message_requests"] / result["messages_expected"] <= 0.5
    assert result["open_errors"] > 0
    assert 0 < result["success_rate"] < 1
    assert f"{result['messages_stored']:,}" in shown
    assert "equal, row by row" in shown
    for table in FILLED:
        assert (folder / ".genie/lakehouse/genie_analytics" / table.name / "_delta_log").is_dir()


def test_a_second_demo_asks_for_no_message_and_changes_no_row(first, folder):
    """Bookkeeping columns count too: a row that is already right must not be written again."""
    before = contents(folder)
    result, _ = run_demo(folder)
    assert result["message_requests"] == 0
    assert result["matches_truth"] is True
    assert result["messages_stored"] == first[0]["messages_stored"]
    after = contents(folder)
    assert {name: len(rows) for name, rows in after.items()} == {name: len(rows) for name, rows in before.items()}
    for table in TABLES:
        assert after[table.name] == before[table.name], table.name
    assert all(before[table.name] for table in FILLED)


def test_the_demo_ends_with_the_same_tables_in_unity_catalog(tmp_path):
    result, _ = run_demo(tmp_path, GENIE_LAKEHOUSE="uc://main.genie_analytics", GENIE_TABLE_LAYOUT="liquid")
    assert result["differences"] == []
    assert result["matches_truth"] is True
    assert result["messages_expected"] >= 600
    assert result["checks"]["nothing_is_lost"] is True
    assert result["checks"]["keys_are_unique"] is True
    assert not (tmp_path / ".genie/lakehouse").exists()
