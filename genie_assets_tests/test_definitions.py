"""The code location as Dagster sees it."""

import datetime as dt
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

import genie_assets.definitions
from genie_assets.definitions import build_defs
from genie_assets.domain.tables import GENIE_API_MESSAGES, TABLES
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.reporting import MEANINGS
from genie_assets.settings import SettingsError
from genie_assets.wiring import RunBudget
from genie_assets_tests.pipeline.world import FORBIDDEN, MONDAY, World

TABLE_OF = {
    "audit_messages": "genie_messages_to_fetch",
    "genie_api_messages": "genie_api_messages",
    "enriched_message_details": "message_details",
    "genie_space_details": "genie_space_details",
}
# Filled by the runs of an asset, without one of their own.
BESIDE = {table.name: table.asset for table in TABLES if table.name not in TABLE_OF.values()}
DAILY = ["audit_messages", "genie_api_messages", "enriched_message_details"]
DAILY_CHECKS = {f"genie_api_messages:{name}" for name in ("api_success_rate", "ledger_is_true")} | {
    f"enriched_message_details:{name}" for name in ("nothing_is_lost", "keys_are_unique", "enrichment_coverage")
}
STANDING_CHECKS = {
    "message_fetch_errors:no_open_errors_left",
    "message_fetch_errors:no_message_is_lost",
    "message_fetch_errors:no_key_is_twice",
    "message_fetch_errors:every_stored_day_is_a_partition",
    "space_fetch_errors:spaces_are_backed_up",
    "genie_space_permissions:no_access_was_widened",
    "system/access/audit:audit_is_fresh",
    "system/access/audit:every_day_is_loaded",
}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs()


def checks_of(job: dg.JobDefinition) -> set[str]:
    return {key.to_user_string() for key in job.asset_layer.asset_graph.asset_check_keys}


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
        "observability_views": (["enriched_message_details", "genie_space_details"], False, []),
        "observability_report": (["enriched_message_details", "genie_space_details"], False, []),
        **{table: ([asset], False, []) for table, asset in BESIDE.items()},
    }
    assert len(BESIDE) == 10


def test_every_table_is_in_the_graph(definitions: dg.Definitions) -> None:
    shown = [spec.metadata.get("dagster/table_name") for spec in definitions.resolve_all_asset_specs()]
    assert sorted(filter(None, shown)) == sorted(f"genie_analytics.{table.name}" for table in TABLES)


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


def test_every_asset_says_what_it_is(definitions: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    tables = {table.name: table for table in TABLES}
    for name, spec in specs.items():
        assert spec.description, name
        assert spec.kinds, name
        ours = name in TABLE_OF or name in BESIDE or name in {"observability_report", "observability_views"}
        assert spec.group_name == ("genie" if ours else "databricks")
    for name, table_name in (TABLE_OF | {name: name for name in BESIDE}).items():
        spec, table = specs[name], tables[table_name]
        assert spec.owners == ["team:data-platform"]
        assert spec.metadata["dagster/table_name"] == f"genie_analytics.{table_name}"
        columns = spec.metadata["dagster/column_schema"].columns
        assert [(c.name, c.constraints.nullable) for c in columns] == [(c.name, c.nullable) for c in table.columns]
        assert all(column.description for column in columns)


def test_every_check_says_what_it_holds_true(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    specs = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert {key.to_user_string() for key in graph.asset_check_keys} == DAILY_CHECKS | STANDING_CHECKS
    assert all(spec.description for spec in specs)
    # A blocking check would keep good rows of a day from being folded because of bad ones.
    assert not any(spec.blocking for spec in specs)


def test_every_job_runs_what_its_name_says(definitions: dg.Definitions) -> None:
    expected: dict[str, tuple[list[str], set[str], bool]] = {
        "genie_daily": (sorted(DAILY), DAILY_CHECKS, True),
        "genie_retry": (["enriched_message_details", "genie_api_messages"], DAILY_CHECKS, True),
        "genie_spaces": (["genie_space_details"], set(), False),
        "genie_standing_checks": ([], STANDING_CHECKS, False),
        "genie_late_days": ([], set(), False),
        "genie_maintenance": ([], set(), False),
        "genie_views": (["observability_views"], set(), False),
        "genie_report": (["observability_report"], set(), False),
    }
    jobs = {job.name: job for job in definitions.get_repository_def().get_all_jobs() if job.name[0] != "_"}
    assert set(jobs) == set(expected)
    for name, (assets, checks, partitioned) in expected.items():
        layer = jobs[name].asset_layer
        assert jobs[name].description
        assert sorted(key.to_user_string() for key in layer.selected_asset_keys) == assets, name
        assert checks_of(jobs[name]) == checks, name
        assert (jobs[name].partitions_def is not None) is partitioned
        # Not by the definitions: in a project with an executor of its own, ours must still be one process.
        assert jobs[name].executor_def is dg.in_process_executor


def test_a_backfill_of_assets_runs_the_checks_of_the_day_and_no_others(definitions: dg.Definitions) -> None:
    """Selected in the UI, assets bring all their checks along, once per day of the backfill."""
    keys = [dg.AssetKey(name) for name in DAILY]
    (job,) = (j for j in definitions.get_repository_def().get_all_jobs() if j.name == "__ASSET_JOB")
    assert checks_of(job.get_subset(asset_selection=set(keys))) == DAILY_CHECKS
    spaces = job.get_subset(asset_selection={dg.AssetKey("genie_space_details")})
    assert checks_of(spaces) == set()


def test_every_schedule_and_sensor_says_what_it_does(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    automations: list[Any] = [*repository.schedule_defs, *repository.sensor_defs]
    assert automations
    assert [each.name for each in automations if not each.description] == []


def test_assets_that_are_selected_in_the_ui_run_in_one_process_where_we_are_alone() -> None:
    assert genie_assets.definitions.defs.executor is dg.in_process_executor
    assert build_defs().executor is None


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


def run_day(
    world: World,
    instance: dg.DagsterInstance,
    job: str = "genie_daily",
    *,
    day: dt.date = MONDAY,
    tags: dict[str, str] | None = None,
    **overrides: Any,
) -> dg.ExecuteInProcessResult:
    """Run a job, of a day if it has days, against a world in memory."""
    resources: dict[str, Any] = {"system_tables": world.system_tables, "genie": world.genie, "lake": world.lake}
    resources |= {"clock": ClockOf(world), "budget": RunBudget(minutes=1)}
    definition = build_defs(**(resources | overrides)).resolve_job_def(job)
    return definition.execute_in_process(
        instance=instance,
        partition_key=day.isoformat() if definition.partitions_def is not None else None,
        tags=tags,
        raise_on_error=False,
        run_config=QUIET,
    )


class ClockOf:
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
        assert {
            f"{e.asset_key.to_user_string()}:{e.check_name}": (e.passed, e.partition) for e in evaluations
        } == {name: (True, MONDAY.isoformat()) for name in DAILY_CHECKS}
        assert {e.description for e in evaluations} == {""}
        (lost,) = [e for e in evaluations if e.check_name == "nothing_is_lost"]
        counts = {name: value.value for name, value in lost.metadata.items()}
        assert (counts["discovered"], counts["stored"], counts["pending"], counts["lost"]) == (6, 4, 2, 0)
        world.genie.requests_allowed = 100
        assert run_day(world, instance, "genie_retry").success


def test_whatever_a_run_tells_is_explained_at_its_asset(tmp_path: Path, definitions: dg.Definitions) -> None:
    world = World(tmp_path / "lake")
    world.ask("m1", "m2", attachments=[{"query": {"query": "SELECT 1", "statement_id": "st-1"}}])
    world.event("gone", "c9")
    told: dict[str, set[str]] = {}
    with dg.DagsterInstance.ephemeral() as instance:
        for job in ("genie_daily", "genie_spaces"):
            for event in run_day(world, instance, job).get_asset_materialization_events():
                assert event.asset_key is not None
                metadata = event.step_materialization_data.materialization.metadata
                told[event.asset_key.to_user_string()] = set(metadata)
                texts = [name for name, each in metadata.items() if not isinstance(each.value, int | float)]
                # What sensors read is no text for people.
                readable = set(texts) - {"waiting"}
                assert {type(metadata[name]) for name in readable} <= {dg.MarkdownMetadataValue}
    assert told.keys() == MEANINGS.keys() == TABLE_OF.keys()
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    for asset, names in told.items():
        # In the order in which they are explained, and all but what the day had no reason to tell.
        assert len(names) > len(MEANINGS[asset]) / 2
        assert [name for name in names if f"| `{name}` | " not in (specs[asset].description or "")] == []


def test_a_run_in_which_nothing_worked_fails_but_leaves_its_ledger(tmp_path: Path) -> None:
    world = World(tmp_path / "lake")
    for n in range(20):
        world.event(f"m{n}", f"c{n}")
        world.genie.errors[f"m{n}"] = FORBIDDEN
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_day(world, instance)
    assert [event.step_key for event in result.all_events if event.is_step_failure] == ["genie_api_messages"]
    assert world.state().accounting().open_errors == 20


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
    # What one found, the next one fetched, and two checks judged.
    assert len(workers) == len(set(workers.values())) == 4
    assert [log.user_message for log in checked if not log.dagster_event.asset_check_evaluation_data.passed] == []
    assert len(checked) == 2
    assert len(open_lakehouse(str(tmp_path / "second")).read(GENIE_API_MESSAGES)) == 2


def test_a_project_keeps_its_own_warnings() -> None:
    before = list(warnings.filters)
    with warnings.catch_warnings():
        warnings.simplefilter("error", dg.PreviewWarning)
        warnings.simplefilter("error", dg.BetaWarning)
        build_defs().get_repository_def()
    assert warnings.filters == before
