"""A project of somebody else takes the definitions in."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import dagster as dg
import pytest

from genie_assets.definitions import build_defs
from genie_assets.domain.tables import GENIE_API_MESSAGES
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.day_runs import DAILY, QUIET

HOST = '''
"""A project with a resource called databricks, an executor and an asset of its own."""

import os
from pathlib import Path

import dagster as dg

from genie_assets.definitions import build_defs
from genie_assets.wiring import RunBudget
from genie_assets_tests.pipeline.world import World


class ClockOf:
    def __init__(self, world: World) -> None:
        self.now = world.clock


class Warehouse(dg.ConfigurableResource):
    name: str


@dg.asset(group_name="theirs")
def report(databricks: Warehouse) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"name": databricks.name})


world = World(Path(os.environ["LAKE"]))
world.ask("m1", "m2")
ours = {"system_tables": world.system_tables, "genie": world.genie, "lake": world.lake, "clock": ClockOf(world)}
defs = dg.Definitions.merge(
    dg.Definitions(
        assets=[report],
        resources={"databricks": Warehouse(name="theirs")},
        executor=dg.multiprocess_executor.configured({"max_concurrent": 1}),
    ),
    build_defs(key_prefix="ai/genie", owners=["team:ai"], group="ai", budget=RunBudget(1), **ours),
)
'''


@pytest.mark.long
def test_a_project_with_a_databricks_resource_and_an_executor_takes_us_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Selected without a job of ours, assets run in its executor: a process per step, which share no memory."""
    (tmp_path / "host.py").write_text(HOST)
    monkeypatch.setenv("LAKE", str(tmp_path / "lake"))
    monkeypatch.syspath_prepend(tmp_path)
    import host  # type: ignore[import-not-found]

    merged: dg.Definitions = host.defs
    dg.Definitions.validate_loadable(merged)
    ours = [spec for spec in merged.resolve_all_asset_specs() if spec.key != dg.AssetKey("report")]
    assert {(spec.group_name, tuple(spec.key.path[:2])) for spec in ours} == {("ai", ("ai", "genie"))}
    assert {tuple(spec.owners) for spec in ours} == {("team:ai",), ()}
    with dg.DagsterInstance.ephemeral() as instance:
        daily = merged.resolve_job_def("genie_daily")
        assert daily.executor_def is dg.in_process_executor
        first = daily.execute_in_process(instance=instance, partition_key="2026-03-02", run_config=QUIET)
        assert all(evaluation.passed for evaluation in first.get_asset_check_evaluations())
        maintained = merged.resolve_job_def("genie_maintenance")
        observed = maintained.execute_in_process(instance=instance, run_config=QUIET).all_events
        keys = {e.asset_key for e in observed if e.event_type == dg.DagsterEventType.ASSET_OBSERVATION}
        assert keys == {spec.key for spec in ours if "dagster/table_name" in spec.metadata}
        asset_job = merged.get_repository_def().get_job("__ASSET_JOB")
        theirs = asset_job.get_subset(asset_selection={dg.AssetKey("report")})
        (event,) = theirs.execute_in_process(instance=instance).get_asset_materialization_events()
        assert event.step_materialization_data.materialization.metadata["name"].value == "theirs"

    (tmp_path / "home").mkdir()
    environment = os.environ | {
        "LAKE": str(tmp_path / "second"),
        "DAGSTER_HOME": str(tmp_path / "home"),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONPATH": f"{Path(__file__).parents[1]}:{tmp_path}",
    }
    selection = " or ".join(f"key:ai/genie/{name}" for name in DAILY[:2])
    command = ["asset", "materialize", "--select", selection, "--partition", "2026-03-02", "-m", "host"]
    ran = subprocess.run(
        [sys.executable, "-m", "dagster", *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as instance:
        (run,) = instance.get_runs()
        logs = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
        workers = {log.dagster_event.step_key: log.dagster_event.pid for log in logs if log.dagster_event}
        checked = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    # What one found, the next one fetched, and two checks judged, and one that looks at both tables.
    assert len(workers) == len(set(workers.values())) == 5
    assert [log.user_message for log in checked if not log.dagster_event.asset_check_evaluation_data.passed] == []
    assert len(checked) == 4
    assert len(open_lakehouse(str(tmp_path / "second")).read(GENIE_API_MESSAGES)) == 2


def test_a_project_keeps_its_own_warnings() -> None:
    before = list(warnings.filters)
    with warnings.catch_warnings():
        warnings.simplefilter("error", dg.PreviewWarning)
        warnings.simplefilter("error", dg.BetaWarning)
        build_defs().get_repository_def()
    assert warnings.filters == before
