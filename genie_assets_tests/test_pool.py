"""Whether the instance keeps callers of the Genie API apart, and that a run says so if it does not."""

import os
from pathlib import Path

import dagster as dg
import pytest

from genie_assets.definitions import build_defs
from genie_assets.pool import GENIE_API_POOL, pool_problem
from genie_assets_tests.day_runs import QUIET
from genie_assets_tests.e2e.pipelines import forget_settings


def instance_with(home: Path, settings: str = "") -> dg.DagsterInstance:
    (home / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\n{settings}")
    return dg.DagsterInstance.from_config(str(home))


@pytest.mark.parametrize(
    ("settings", "slots", "found"),
    [
        ("", None, "has no limit"),
        ("", 1, None),
        ("", 3, "has a limit of 3"),
        ("concurrency: {pools: {default_limit: 1}}", None, None),
        ("concurrency: {pools: {default_limit: 4}}", None, "has a limit of 4"),
        ("concurrency: {pools: {default_limit: 4}}", 1, None),
    ],
)
def test_a_pool_that_lets_two_callers_in_is_told(
    settings: str, slots: int | None, found: str | None, tmp_path: Path
) -> None:
    with instance_with(tmp_path, settings) as instance:
        if slots:
            instance.event_log_storage.set_concurrency_slots(GENIE_API_POOL, slots)
        problem = pool_problem(instance)
        assert (problem is None) == (found is None)
        if problem and found:
            assert found in problem
            assert problem.endswith("run `dagster instance concurrency set genie_api 1`.")
            assert "\n" not in problem


def test_a_run_on_an_instance_without_a_limit_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_settings(monkeypatch)
    monkeypatch.setenv("DATABRICKS_HOST", "https://127.0.0.1:9")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-any")
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "w1")
    monkeypatch.setenv("GENIE_LAKEHOUSE", str(tmp_path / "lake"))
    assert not [name for name in os.environ if name.startswith("DAGSTER_HOME")]
    (tmp_path / "home").mkdir()
    with instance_with(tmp_path / "home") as instance:
        told = []
        for _ in range(2):
            job = build_defs().resolve_job_def("genie_retry")
            ran = job.execute_in_process(
                instance=instance, partition_key="2026-03-02", raise_on_error=False, run_config=QUIET
            )
            logs = [entry for entry in instance.all_logs(ran.run_id) if int(entry.level) >= 30]
            told.append([entry.user_message for entry in logs if GENIE_API_POOL in entry.user_message])
            instance.event_log_storage.set_concurrency_slots(GENIE_API_POOL, 1)
    assert [len(each) for each in told] == [1, 0]
