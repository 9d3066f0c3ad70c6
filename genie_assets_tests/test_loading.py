"""The definitions load: in every process, without a setting, with the days that are set, and without a secret."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

from genie_assets.definitions import build_defs
from genie_assets.settings import SettingsError
from genie_assets_tests.day_runs import DAILY


@pytest.mark.parametrize("first_day", [None, "2026-02-03"])
def test_days_are_utc_and_go_from_the_first_day_that_is_set_to_today(
    first_day: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENIE_FIRST_DAY", raising=False)
    if first_day:
        monkeypatch.setenv("GENIE_FIRST_DAY", first_day)
    graph = build_defs().resolve_asset_graph()
    for name in DAILY:
        partitions = graph.get(dg.AssetKey(name)).partitions_def
        assert isinstance(partitions, dg.DailyPartitionsDefinition)
        assert (partitions.timezone, partitions.end_offset, partitions.minute_offset) == ("UTC", 1, 0)
        assert partitions.get_first_partition_key() == (first_day or "2025-01-01")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("yesterday", "GENIE_FIRST_DAY must be a UTC day such as 2026-01-31."),
        ("1926-01-01", "GENIE_FIRST_DAY is 1926-01-01, but the first day that can be loaded lies between"),
        ("2226-01-01", "GENIE_FIRST_DAY is 2226-01-01, but the first day that can be loaded lies between"),
    ],
)
def test_a_first_day_that_is_none_is_one_sentence_when_the_definitions_load(
    value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENIE_FIRST_DAY", value)
    with pytest.raises(SettingsError) as refused:
        build_defs()
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_dagsters_own_processes_read_dot_env_before_they_load_the_days(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GENIE_FIRST_DAY=soon\n")
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    loaded = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "genie_assets.definitions"],
        cwd=tmp_path,
        env=bare | {"PYTHONPATH": str(Path(__file__).parents[1]), "DAGSTER_DISABLE_TELEMETRY": "yes"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert loaded.returncode != 0
    assert "GENIE_FIRST_DAY must be a UTC day such as 2026-01-31." in loaded.stdout + loaded.stderr


@pytest.mark.parametrize(
    "planted",
    [
        {"DATABRICKS_TOKEN": "dapi-planted-secret"},
        {"DATABRICKS_CLIENT_ID": "planted-client", "DATABRICKS_CLIENT_SECRET": "dose-planted-secret"},
    ],
)
def test_no_secret_gets_into_what_the_ui_is_served(
    planted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_HOST", "https://planted.cloud.databricks.com")
    for name, value in planted.items():
        monkeypatch.setenv(name, value)
    snapshot = dg.serialize_value(RepositorySnap.from_def(build_defs().get_repository_def()))
    assert "genie_api_messages" in snapshot
    assert all(name in snapshot for name in planted), "the credentials are to be taken from the environment"
    assert not [value for value in planted.values() if value in snapshot]


def test_the_definitions_load_without_any_setting(tmp_path: Path) -> None:
    """A code server, a CI job and a first look have no credentials."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    loaded = subprocess.run(
        [
            sys.executable,
            "-W",
            "error::DeprecationWarning:genie_assets",
            "-c",
            "import genie_assets.definitions as d; d.defs.get_repository_def()",
        ],
        cwd=tmp_path,
        env=bare | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
