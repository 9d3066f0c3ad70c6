"""The code location as Dagster sees it."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

from genie_assets.checks import DAILY_CHECKS, STANDING_CHECKS
from genie_assets.definitions import build_defs
from genie_assets.domain.tables import TABLES
from genie_assets.resources import RunBudget
from genie_assets_tests.pipeline.world import FORBIDDEN, MONDAY, World

TABLE_OF = {
    "audit_messages": "genie_messages_to_fetch",
    "genie_api_messages": "genie_api_messages",
    "enriched_message_details": "message_details",
    "genie_space_details": "genie_space_details",
}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs()


def test_everything_fits_together(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_the_graph_is_the_one_that_the_documentation_draws(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    shape = {
        key.to_user_string(): (
            sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
            graph.get(key).is_partitioned,
            sorted(getattr(graph.get(key), "pools", None) or ()),
        )
        for key in graph.get_all_asset_keys()
    }
    pool = ["genie_api"]
    assert shape == {
        "system/access/audit": ([], False, []),
        "system/query/history": ([], False, []),
        "databricks/genie": ([], False, []),
        "audit_messages": (["system/access/audit"], True, []),
        "genie_api_messages": (["audit_messages", "databricks/genie"], True, pool),
        "enriched_message_details": (["genie_api_messages", "system/query/history"], True, pool),
        "genie_space_details": (["databricks/genie", "enriched_message_details"], False, pool),
    }


def test_days_are_utc_and_include_today(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for name in ("audit_messages", "genie_api_messages", "enriched_message_details"):
        partitions = graph.get(dg.AssetKey(name)).partitions_def
        assert isinstance(partitions, dg.DailyPartitionsDefinition)
        assert (partitions.timezone, partitions.end_offset, partitions.minute_offset) == ("UTC", 1, 0)
        assert partitions.get_first_partition_key() == "2025-01-01"


def test_every_asset_says_what_it_is(definitions: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    tables = {table.name: table for table in TABLES}
    for name, spec in specs.items():
        assert spec.description, name
        assert spec.kinds, name
        assert spec.group_name == ("genie" if name in TABLE_OF else "databricks")
    for name, table_name in TABLE_OF.items():
        spec, table = specs[name], tables[table_name]
        assert spec.owners == ["team:data-platform"]
        assert spec.metadata["dagster/table_name"] == f"genie_analytics.{table_name}"
        columns = spec.metadata["dagster/column_schema"].columns
        assert [(c.name, c.constraints.nullable) for c in columns] == [(c.name, c.nullable) for c in table.columns]
        assert all(column.description for column in columns)


def test_every_check_says_what_it_holds_true(definitions: dg.Definitions) -> None:
    specs = [spec for check in [*DAILY_CHECKS, *STANDING_CHECKS] for spec in check.check_specs]
    assert {"api_success_rate", "nothing_is_lost", "no_open_errors_left", "audit_is_fresh"} <= {
        s.name for s in specs
    }
    assert all(spec.description for spec in specs)
    # A blocking check would keep good rows of a day from being folded because of bad ones.
    assert not any(spec.blocking for spec in specs)


def test_every_job_runs_what_its_name_says(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    daily = {check.check_key for check in DAILY_CHECKS}
    expected = {
        "genie_daily": (["audit_messages", "enriched_message_details", "genie_api_messages"], daily, True),
        "genie_retry": (["enriched_message_details", "genie_api_messages"], daily, True),
        "genie_spaces": (["genie_space_details"], set(), False),
        "genie_standing_checks": ([], {check.check_key for check in STANDING_CHECKS}, False),
        "genie_maintenance": ([], set(), False),
    }
    jobs = {job.name: job for job in definitions.get_repository_def().get_all_jobs() if job.name[0] != "_"}
    assert set(jobs) == set(expected)
    assert graph.asset_check_keys == daily | {check.check_key for check in STANDING_CHECKS}
    for name, (assets, checks, partitioned) in expected.items():
        layer = jobs[name].asset_layer
        assert jobs[name].description
        assert sorted(key.to_user_string() for key in layer.selected_asset_keys) == assets, name
        assert layer.asset_graph.asset_check_keys == checks, name
        assert (jobs[name].partitions_def is not None) is partitioned


def test_every_schedule_and_sensor_says_what_it_does(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    automations = [*repository.schedule_defs, *repository.sensor_defs]
    assert automations
    assert [each.name for each in automations if not each.description] == []


def test_assets_run_in_threads_of_one_process(definitions: dg.Definitions) -> None:
    assert definitions.resolve_job_def("genie_daily").executor_def is dg.in_process_executor


def test_an_unknown_resource_is_refused() -> None:
    with pytest.raises(TypeError, match="warehouse"):
        build_defs(warehouse=object())


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


def run_day(world: World, instance: dg.DagsterInstance, job: str = "genie_daily") -> dg.ExecuteInProcessResult:
    definitions = build_defs(
        system_tables=world.system_tables,
        genie=world.genie,
        lake=world.lake,
        clock=_Clock(world),
        budget=RunBudget(minutes=1),
    )
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=MONDAY.isoformat(),
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


class _Clock:
    def __init__(self, world: World) -> None:
        self.now = world.clock


def test_a_day_runs_and_its_checks_are_of_that_day(tmp_path: Path) -> None:
    """Partitioned checks are a preview: an upgrade that no longer records their day must be noticed."""
    world = World(tmp_path / "lake")
    world.ask("m1", "m2", attachments=[{"query": {"query": "SELECT 1", "statement_id": "st-1"}}])
    for n in range(4):
        world.ask(f"cut{n}", conversation_id=f"c{n + 2}")
    world.statement("st-1")
    world.genie.requests_allowed = 3
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_day(world, instance)
        assert result.success
        evaluations = result.get_asset_check_evaluations()
        assert {e.check_name: (e.passed, e.partition) for e in evaluations} == {
            check.check_key.name: (True, MONDAY.isoformat()) for check in DAILY_CHECKS
        }
        (lost,) = [e for e in evaluations if e.check_name == "nothing_is_lost"]
        counts = {name: value.value for name, value in lost.metadata.items()}
        assert (counts["discovered"], counts["stored"], counts["pending"], counts["lost"]) == (6, 4, 2, 0)
        world.genie.requests_allowed = 100
        assert run_day(world, instance, "genie_retry").success


def test_a_run_in_which_nothing_worked_fails_but_leaves_its_ledger(tmp_path: Path) -> None:
    world = World(tmp_path / "lake")
    for n in range(20):
        world.event(f"m{n}", f"c{n}")
        world.genie.errors[f"m{n}"] = FORBIDDEN
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_day(world, instance)
    assert [event.step_key for event in result.all_events if event.is_step_failure] == ["genie_api_messages"]
    assert world.state().accounting(pending=0).open_errors == 20
