"""The demo, as a newcomer runs it: from the wheel, on a machine where a real account's settings are exported."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.tables import (
    GENIE_DAY_LOADS,
    GENIE_MESSAGE_LOOKS,
    GENIE_SPACE_APPLIES,
    MESSAGE_DETAILS,
    TABLES,
    records,
)
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.e2e.deployment import REPOSITORY, Deployment, free_port
from genie_assets_tests.e2e.ended import gone, started
from genie_assets_tests.e2e.pipelines import in_order

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

# A look that finds nothing new is noted there, and nothing is looked at twice.
# And the demo changes no space.
FILLED = [table for table in TABLES if table not in (GENIE_MESSAGE_LOOKS, GENIE_SPACE_APPLIES)]
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
CLOSED_PORT = "http://127.0.0.1:9"
PARTITIONS = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
    partitionStats { numMaterialized numPartitions } } } }"""
RUNS = """query { runsOrError(limit: 100) { ... on Runs { results {
    pipelineName status repositoryOrigin { repositoryLocationName } } } } }"""


@dataclass
class Newcomer:
    """An empty folder, and settings that the demo must not use: exported ones, and those of an `.env`."""

    folder: Path
    programs: Path
    production: Path
    interrupted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for place in (self.folder, self.production):
            place.mkdir()
        line = f"GENIE_LAKEHOUSE={self.production / 'of the file'}\nDATABRICKS_TOKEN=not-for-the-demo\n"
        (self.folder / ".env").write_text(line, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        ours = ("DATABRICKS_", "GENIE_", "DAGSTER_", "PYTHON", "VIRTUAL_ENV")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), CLOSED_PORT)
        return inherited | proxies | {
            "DATABRICKS_HOST": "https://real.cloud.databricks.com",
            "DATABRICKS_CONFIG_PROFILE": "production",
            "GENIE_LAKEHOUSE": str(self.production / "lakehouse"),
            "GENIE_THREADS": "nonsense",
            "GENIE_FIRST_DAY": "2024-02-30",
            "DAGSTER_HOME": str(self.production / "dagster"),
            "AWS_ENDPOINT_URL": CLOSED_PORT,
            # A terminal that knows neither boxes nor check marks.
            "PYTHONIOENCODING": "latin-1",
        }  # fmt: skip

    def command(self, *words: str) -> list[str | Path]:
        return [self.programs / "genie-assets", *words]

    def demo(self, *options: str) -> tuple[dict[str, Any], str]:
        """Run the demo to its end; the result is its JSON and what it printed."""
        done = subprocess.run(
            self.command("demo", *(options or ("--messages", "600"))),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            check=False,
        )
        shown = done.stdout.decode("latin-1")
        assert done.returncode == 0, shown + done.stderr.decode("latin-1")
        return json.loads((self.folder / ".genie/demo/demo.json").read_text(encoding="utf-8")), shown


@pytest.fixture(scope="module")
def newcomer(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    folder = tmp_path_factory.mktemp("newcomer")
    return Newcomer(folder / "work", installed, folder / "production")


@pytest.fixture(scope="module")
def interrupted(newcomer: Newcomer) -> Newcomer:
    """The demo is ended by Ctrl-C in its midst, and killed when it goes on."""
    for number in (signal.SIGINT, signal.SIGKILL):
        command = newcomer.command("demo", "--messages", "600")
        with started(command, newcomer.folder, newcomer.environment) as demo:
            demo.says(" requests\n" if number == signal.SIGINT else "Loading 30 days")
            family = demo.family()
            demo.process.send_signal(number)
            assert demo.ends() == (130 if number == signal.SIGINT else -9), demo.shown
            assert gone(family), demo.shown
            newcomer.interrupted.append(demo.shown)
    return newcomer


@pytest.fixture(scope="module")
def first(interrupted: Newcomer) -> tuple[dict[str, Any], str]:
    return interrupted.demo()


def contents(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, with all columns."""
    lake = open_lakehouse(str(folder / ".genie/demo/lakehouse"), made_up=True)
    return {table.name: in_order(records(lake.read(table))) for table in TABLES}


def test_ctrl_c_ends_the_demo_with_one_sentence(interrupted):
    shown = interrupted.interrupted[0]
    assert shown.splitlines()[-1].startswith("Interrupted by Ctrl-C during ")
    assert "Traceback" not in shown


def test_the_demo_stores_exactly_the_truth_with_few_requests(first, newcomer):
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
        assert (newcomer.folder / ".genie/demo/lakehouse/genie_analytics" / table.name / "_delta_log").is_dir()


def test_nothing_that_is_exported_or_in_a_file_of_settings_is_used_by_the_demo(first, newcomer):
    assert list(newcomer.production.iterdir()) == []
    assert [path.name for path in (newcomer.folder / ".genie").iterdir()] == ["demo"]
    assert (newcomer.folder / ".genie").stat().st_mode & 0o777 == 0o700
    lakehouse = newcomer.folder / ".genie/demo/lakehouse"
    assert f"Tables  {lakehouse}/genie_analytics" in first[1].replace("\n", "")
    with pytest.raises(LakehouseError, match="is made up"):
        open_lakehouse(str(lakehouse)).read(MESSAGE_DETAILS)


def test_the_demo_says_which_faults_are_planted_and_that_nothing_else_failed(first):
    result, shown = first
    failed = {name for name, passed in result["checks"].items() if not passed}
    assert "no_open_errors_left" in failed
    assert result["expected_failures"].keys() == failed
    assert result["problems"] == []
    assert "on purpose: faults are planted in the made-up account" in shown
    for name in failed:
        assert any(line.startswith(f"{name}  ") for line in shown.splitlines())
    for name, count in result["errors_by_class"].items():
        assert f"  {name}: {count} " in shown or f"  {name}: " in shown
    assert "genie-assets init" in shown.splitlines()[-1]


def test_a_terminal_that_knows_few_characters_is_shown_nothing_else(first):
    _, shown = first
    assert shown.isascii()
    assert "\\u" not in shown
    assert "+-" in shown


def test_the_ui_shows_the_demos_runs_and_days_and_nothing_stays_when_its_terminal_is_closed(first, newcomer):
    port = free_port()
    command = newcomer.command("dev", "--demo", "--port", str(port))
    with started(command, newcomer.folder, newcomer.environment, in_terminal=True) as dev:
        dev.says(f"Dagster is ready at http://127.0.0.1:{port}")
        ui = Deployment(newcomer.folder / ".genie/demo/dagster", f"http://127.0.0.1:{port}")
        for asset in ("audit_messages", "enriched_message_details"):
            stats = ui.graphql(PARTITIONS, key={"path": [asset]})["partitionStats"]
            # One more if midnight has passed since.
            assert stats["numMaterialized"] == 30
            assert stats["numPartitions"] in (30, 31)
        runs = ui.graphql(RUNS)["results"]
        assert {run["repositoryOrigin"]["repositoryLocationName"] for run in runs} == {
            REPOSITORY["repositoryLocationName"]
        }
        assert sum(run["status"] == "SUCCESS" for run in runs) >= 36
        again = subprocess.run(
            newcomer.command("demo"),
            cwd=newcomer.folder,
            env=newcomer.environment,
            capture_output=True,
            check=False,
        )
        assert again.returncode == 1
        assert b"is in use by `genie-assets dev`" in again.stderr
        family = dev.family()
        dev.close_terminal()
        assert gone(family | {dev.process.pid}), dev.shown
        lines = dev.shown.splitlines()
    assert lines[0].startswith("The demo's UI; tables in ")
    assert len([line for line in lines if not line.startswith("Interrupted")]) == 2, lines


@pytest.mark.rare
def test_a_second_demo_asks_for_no_message_and_changes_no_row(first, newcomer):
    """Bookkeeping columns count too: a row that is already right must not be written again."""
    before = contents(newcomer.folder)
    result, _ = newcomer.demo()
    assert result["message_requests"] == 0
    assert result["matches_truth"] is True
    assert result["messages_stored"] == first[0]["messages_stored"]
    after = contents(newcomer.folder)
    assert {name: len(rows) for name, rows in after.items()} == {name: len(rows) for name, rows in before.items()}
    for table in TABLES:
        if table is not GENIE_DAY_LOADS:  # notes what each load and fold went by, and when
            assert after[table.name] == before[table.name], table.name
    assert all(before[table.name] for table in FILLED)
