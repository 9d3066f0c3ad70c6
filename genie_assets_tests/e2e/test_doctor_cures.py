"""Each thing that can be missing, alone: the doctor names it, and the lines that it prints mend it."""

import datetime as dt
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner
from dagster import DagsterRun, DagsterRunStatus
from dagster._cli import cli as dagster_commands
from dagster._core.scheduler.instigation import InstigatorStatus, SensorInstigatorData
from dagster._daemon.types import DaemonHeartbeat

from genie_assets.commands.cli import main
from genie_assets.commands.instances import open_home
from genie_assets.commands.mending import of_a_folder
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets_tests.e2e.carried_out import Administrator
from genie_assets_tests.e2e.pipelines import forget_settings
from genie_assets_tests.rooms import CHECKOUT
from genie_sandbox.account import Account, ArrivingRow, Principal, Space, Workspace, save
from genie_sandbox.client import SandboxProcess

NOW = round(dt.datetime.now(dt.UTC).timestamp() * 1000)
WE = "5f0c1d7e-0000-4000-8000-00000000abcd"
SPACE = {"space_id": "s1", "title": "Sales", "serialized_space": '{"version":2}'}
SCHEMAS = ("system.access", "system.query")
RUNBOOK = CHECKOUT / "docs/operations.md"
TABLES = ("system.access.audit", "system.query.history", "system.access.workspaces_latest")


def _account() -> Account:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    event = {"event_id": "e1", "event_time": NOW, "event_date": today, "workspace_id": "1"}
    event |= {"service_name": "aibiGenie", "action_name": "getSpace"}
    return Account(
        account_id="a",
        anchor=NOW,
        first_day=today,
        last_day=today,
        warehouse_id="0123456789abcdef",
        principal=Principal(WE, "s3cret-of-ours", "dapi0123456789", 77),
        workspaces=(Workspace("1", "One", region="eu"), Workspace("2", "Two", region="us")),
        spaces=(Space("1", "s1", SPACE), Space("2", "s2", {**SPACE, "space_id": "s2"})),
        audit=(ArrivingRow(NOW, event, ("eu", "us")),),
    )


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("account")
    save(_account(), folder)
    with SandboxProcess(folder) as running:
        yield running


@dataclass
class World:
    """An account in which all is well until something is broken, and who may mend it."""

    sandbox: SandboxProcess
    administrator: Administrator
    patch: pytest.MonkeyPatch

    def doctor(self, *options: str) -> dict[str, dict[str, Any]]:
        """What the doctor finds that is not in order, by its name."""
        done = CliRunner().invoke(main, ["doctor", "--json", *options])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        assert "s3cret" not in done.output
        found = [each for each in json.loads(done.output) if each["status"] in ("failed", "warning")]
        assert (done.exit_code == 1) == any(each["status"] == "failed" for each in found)
        return {each["name"]: each for each in found}

    def grant_all(self) -> None:
        """As it is at the start: all privileges on the catalogs, and nothing by itself on what is in them."""
        self.administrator.sql(f"GRANT ALL PRIVILEGES ON CATALOG main TO `{WE}`")
        for at in self.sandbox.urls.values():
            self.administrator.sql(
                f"GRANT ALL PRIVILEGES ON CATALOG system TO `{WE}`",
                *(f"REVOKE USE SCHEMA ON SCHEMA {each} FROM `{WE}`" for each in SCHEMAS),
                *(f"REVOKE SELECT ON TABLE {each} FROM `{WE}`" for each in TABLES),
                at=at,
            )


@pytest.fixture
def world(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name, value in {**sandbox.environment(), "GENIE_LAKEHOUSE": "tables"}.items():
        monkeypatch.setenv(name, value)
    knows = {**sandbox.environment(), **_regions(sandbox), "GENIE_LAKEHOUSE": "tables"}
    administrator = Administrator(sandbox, knows, monkeypatch.setenv)
    world = World(sandbox, administrator, monkeypatch)
    world.grant_all()
    return world


def _no_grant_on(table: str, number: str = "1") -> Callable[[World], None]:
    """All that is granted is on the other tables, in the region of a workspace."""

    def take_away(world: World) -> None:
        others = [each for each in TABLES if each != table]
        world.administrator.sql(
            f"REVOKE ALL PRIVILEGES ON CATALOG system FROM `{WE}`",
            f"GRANT USE CATALOG ON CATALOG system TO `{WE}`",
            *(f"GRANT USE SCHEMA ON SCHEMA {each.rpartition('.')[0]} TO `{WE}`" for each in others),
            *(f"GRANT SELECT ON TABLE {each} TO `{WE}`" for each in others),
            at=world.sandbox.urls[number],
        )

    return take_away


def _not_enabled(schema: str) -> Callable[[World], None]:
    def disable(world: World) -> None:
        told = world.administrator.call("GET", "/api/2.1/unity-catalog/current-metastore-assignment")
        path = f"/api/2.1/unity-catalog/metastores/{told['metastore_id']}/systemschemas/{schema}"
        world.administrator.call("DELETE", path)

    return disable


def _with(name: str, value: str | None) -> Callable[[World], None]:
    def change(world: World) -> None:
        if value is None:
            world.patch.delenv(name)
        else:
            world.patch.setenv(name, value)

    return change


def _nothing_is_set(world: World) -> None:
    for name in world.sandbox.environment():
        if name.startswith("DATABRICKS_"):
            world.patch.delenv(name)


def _token_that_ran_out(refused_as: str | None) -> Callable[[World], None]:
    def expire(world: World) -> None:
        _nothing_is_set(world)
        environment = world.sandbox.environment()
        for name in ("DATABRICKS_HOST", "DATABRICKS_WAREHOUSE_ID"):
            world.patch.setenv(name, environment[name])
        world.patch.setenv("DATABRICKS_TOKEN", world.sandbox.token)
        world.sandbox.expire_tokens(refused_as, personal=True)

    return expire


def _clock_is_off(world: World) -> None:
    world.sandbox.tell_time(skew_seconds=300)


def _may_not_use_the_warehouse(number: str) -> Callable[[World], None]:
    def take_away(world: World) -> None:
        path = f"/api/2.0/permissions/warehouses/{world.sandbox.warehouse_id}"
        world.administrator.call("PUT", path, {"access_control_list": []}, world.sandbox.urls[number])

    return take_away


def _in_two_regions(breaks: Callable[[World], None]) -> Callable[[World], None]:
    """The second workspace lies in another region, whose warehouse is known, and something there is broken."""

    def further(world: World) -> None:
        for name, value in _regions(world.sandbox).items():
            world.patch.setenv(name, value)
        breaks(world)

    return further


def _regions(sandbox: SandboxProcess) -> dict[str, str]:
    return {"GENIE_REGIONS": f"us={sandbox.urls['2']}/{sandbox.warehouse_id}", "GENIE_REGION_SECONDS": "5"}


def _other_warehouse(warehouse_id: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.patch.setenv("GENIE_REGIONS", f"us={world.sandbox.urls['2']}/{warehouse_id}")

    return change


def _not_entitled(number: str) -> Callable[[World], None]:
    def take_away(world: World) -> None:
        operation = {"op": "remove", "path": "entitlements", "value": [{"value": "databricks-sql-access"}]}
        path = "/api/2.0/preview/scim/v2/ServicePrincipals/77"
        world.administrator.call("PATCH", path, {"Operations": [operation]}, world.sandbox.urls[number])

    return take_away


def _may_only_run_the_space(number: str) -> Callable[[World], None]:
    def lower(world: World) -> None:
        entry = {"service_principal_name": WE, "permission_level": "CAN_RUN"}
        path, at = f"/api/2.0/permissions/genie/s{number}", world.sandbox.urls[number]
        world.administrator.call("PUT", path, {"access_control_list": [entry]}, at)

    return lower


def _lakehouse_is_a_file(world: World) -> None:
    Path("a file").write_text("x", encoding="utf-8")
    world.patch.setenv("GENIE_LAKEHOUSE", "a file")


def _only_granted(*grants: str, schema: bool = True) -> Callable[[World], None]:
    """The tables are in a schema of Unity Catalog, with a volume, and nothing else is granted."""

    def lack(world: World) -> None:
        world.patch.setenv("GENIE_LAKEHOUSE", "uc://main.genie")
        made = ["CREATE SCHEMA main.genie", "CREATE VOLUME main.genie.genie_assets_staging"]
        world.administrator.sql(
            "DROP SCHEMA IF EXISTS main.genie CASCADE",  # with what was granted on it
            *(made if schema else ()),
            f"REVOKE ALL PRIVILEGES, USE CATALOG ON CATALOG main FROM `{WE}`",
            *(f"GRANT {grant} TO `{WE}`" for grant in grants),
        )

    return lack


IN_SCHEMA = "USE SCHEMA, SELECT, MODIFY, CREATE TABLE, CREATE VOLUME ON SCHEMA main.genie"
IN_CATALOG = "USE CATALOG ON CATALOG main"
CASES: dict[str, tuple[Callable[[World], None], tuple[str, ...]]] = {
    "nothing is set": (_nothing_is_set, ("settings",)),
    "no host is set": (_with("DATABRICKS_HOST", None), ("settings",)),
    "no secret is set": (_with("DATABRICKS_CLIENT_SECRET", None), ("settings",)),
    "wrong host": (_with("DATABRICKS_HOST", "http://127.0.0.1:9"), ("warehouse",)),
    "wrong secret": (_with("DATABRICKS_CLIENT_SECRET", "s3cret-of-others"), ("warehouse",)),
    "expired token": (_token_that_ran_out(None), ("warehouse",)),
    "expired token, with 403": (_token_that_ran_out("code"), ("warehouse",)),
    "clock is off": (_clock_is_off, ("clock",)),
    "no such warehouse": (_with("DATABRICKS_WAREHOUSE_ID", "f" * 16), ("warehouse",)),
    "no id of a warehouse": (_with("DATABRICKS_WAREHOUSE_ID", "my-warehouse"), ("warehouse",)),
    "no CAN USE": (_may_not_use_the_warehouse("1"), ("warehouse",)),
    "no SQL entitlement": (_not_entitled("1"), ("warehouse",)),
    "no SQL entitlement in another workspace": (_not_entitled("2"), ("spaces",)),
    "CAN RUN instead of CAN MANAGE": (_may_only_run_the_space("1"), ("spaces.read", "spaces.export")),
    "the same in another workspace": (_may_only_run_the_space("2"), ("spaces.read", "spaces.export")),
    "the lakehouse is a file": (_lakehouse_is_a_file, ("GENIE_LAKEHOUSE",)),
    "no volume is granted": (_only_granted(IN_CATALOG, IN_SCHEMA), ("GENIE_LAKEHOUSE",)),
    "the volume may only be read": (_only_granted(IN_CATALOG, f"READ VOLUME, {IN_SCHEMA}"), ("GENIE_LAKEHOUSE",)),
    "the volume may only be written": (
        _only_granted(IN_CATALOG, f"WRITE VOLUME, {IN_SCHEMA}"),
        ("GENIE_LAKEHOUSE",),
    ),
    "no schema is granted": (_only_granted(IN_CATALOG), ("GENIE_LAKEHOUSE",)),
    "no catalog is granted": (_only_granted(IN_SCHEMA), ("GENIE_LAKEHOUSE",)),
    "there is no schema": (_only_granted(schema=False), ("GENIE_LAKEHOUSE",)),
    **{f"no grant on {table}": (_no_grant_on(table), (table,)) for table in TABLES},
    "access is not enabled": (_not_enabled("access"), (TABLES[0], TABLES[2])),
    "query is not enabled": (_not_enabled("query"), (TABLES[1],)),
}
# The same in another region: what is granted and switched there is its own.
FURTHER: dict[str, tuple[Callable[[World], None], tuple[str, ...]]] = {
    "no such warehouse": (_other_warehouse("f" * 16), ("regions.us",)),
    "no id of a warehouse": (_other_warehouse("my-warehouse"), ("regions.us",)),
    "nobody at its host": (_with("GENIE_REGIONS", f"us=http://127.0.0.1:9/{'f' * 16}"), ("regions.us",)),
    "no CAN USE": (_may_not_use_the_warehouse("2"), ("regions.us",)),
    "no SQL entitlement": (_not_entitled("2"), ("regions.us", "spaces")),
    **{f"no grant on {table}": (_no_grant_on(table, "2"), (table,)) for table in TABLES},
}
CASES |= {f"in another region: {name}": (_in_two_regions(how), told) for name, (how, told) in FURTHER.items()}


@pytest.mark.parametrize("case", CASES)
def test_what_is_missing_is_named_alone_and_the_printed_lines_mend_it(world: World, case: str) -> None:
    breaks, names = CASES[case]
    breaks(world)
    found = world.doctor()
    assert set(found) == set(names)
    for name in names:
        assert found[name]["cure"], name
    world.administrator.carry_out(found[names[0]]["cure"])  # of one cause, the same lines mend all
    assert world.doctor() == {}


def _shown(begins: str) -> list[str]:
    """The commands of the runbook's block that begins so, with what only a reader knows filled in."""
    blocks = re.findall(r"```\w+\n(.*?)```", RUNBOOK.read_text(encoding="utf-8"), flags=re.DOTALL)
    (block,) = (text for each in blocks if (text := dedent(each).strip()).startswith(begins))
    told = block.replace("\\\n", "").replace("<application-id>", WE).replace("<space-id>", "s1")
    return told.splitlines()


def test_what_the_runbook_says_to_grant_is_all_that_is_needed(world: World) -> None:
    world.administrator.sql(f"REVOKE ALL PRIVILEGES ON CATALOG system FROM `{WE}`")
    _may_only_run_the_space("1")(world)
    assert set(world.doctor()) == set(TABLES)
    world.administrator.carry_out(_shown("GRANT USE CATALOG ON CATALOG system"))
    assert set(world.doctor()) == {"spaces.read", "spaces.export"}, "which could not be looked at before"
    world.administrator.carry_out(_shown("databricks permissions update genie"))
    assert world.doctor() == {}


def test_a_try_to_write_names_what_reading_cannot_show(world: World) -> None:
    _only_granted(IN_CATALOG, "USE SCHEMA, READ VOLUME, WRITE VOLUME ON SCHEMA main.genie")(world)
    assert world.doctor() == {}
    found = world.doctor("--write")
    assert set(found) == {"write.create"}
    world.administrator.carry_out(found["write.create"]["cure"])
    assert world.doctor("--write") == {}


def test_a_folder_of_somebody_else_is_made_ours_and_no_folder_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = LakehouseError("GENIE_LAKEHOUSE: it may not be used")
    folder, me = tmp_path / "the tables", tmp_path.stat().st_uid + 1
    monkeypatch.setattr(os, "geteuid", lambda: me)
    assert of_a_folder(str(folder), problem) == (f"sudo install -d -m 700 -o {me} '{folder}'",)
    folder.mkdir()
    assert of_a_folder(f"file://{folder}", problem) == (f"sudo chown -R {me} '{folder}'",)
    monkeypatch.setattr(os, "geteuid", lambda: me - 1)
    assert of_a_folder(str(folder), problem) == ("GENIE_LAKEHOUSE=<folder>",), "it is ours already"


def _made_home(world: World, settings: str = "") -> None:
    """A Dagster home at the place where ours is by itself, which no variable names."""
    open_home(Path(".genie/dagster")).dispose()
    if settings:
        Path(".genie/dagster/dagster.yaml").write_text(settings, encoding="utf-8")
    assert "DAGSTER_HOME" not in os.environ, world


def test_a_pool_without_a_limit_is_limited_by_the_printed_line(world: World) -> None:
    _made_home(world, "telemetry:\n  enabled: false\n")
    pool = world.doctor()["dagster.pool"]
    assert pool["status"] == "failed"
    world.administrator.carry_out(pool["cure"])
    assert "dagster.pool" not in world.doctor()


@pytest.mark.long  # Dagster's commands start the code location
def test_schedules_and_sensors_that_are_off_are_switched_on_by_the_printed_lines(world: World) -> None:
    _made_home(world)
    found = world.doctor()
    assert set(found) == {"dagster.schedules", "dagster.sensors"}
    for each in found.values():
        world.administrator.carry_out(each["cure"])
    (daemon,) = world.doctor().values()
    home = Path(".genie/dagster").absolute()
    assert "Nothing starts the schedules and sensors that are on" in daemon["seen"]
    assert daemon["cure"] == [f"DAGSTER_HOME={home} dagster-daemon run -w workspace.yaml"]
    with open_home(home) as instance:
        for kind in ("SCHEDULER", "SENSOR"):  # as a daemon does twice a minute
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), kind, "one", None))
    assert world.doctor() == {}
    for minutes, names in ((45, {"dagster.code_location"}), (1, set())):
        ticked = SensorInstigatorData(last_tick_timestamp=time.time() - 60 * minutes)
        with open_home(home) as instance:
            for state in instance.all_instigator_state():
                if isinstance(state.instigator_data, SensorInstigatorData):
                    instance.update_instigator_state(state.with_data(ticked))
        # A daemon goes on without a code server that was killed, and all of it stands still.
        assert set(world.doctor()) == names
    with open_home(home) as instance:
        (state,) = (each for each in instance.all_instigator_state() if each.name == "continue_pending")
        instance.update_instigator_state(state.with_status(InstigatorStatus.STOPPED))
    (sensors,) = world.doctor().values()
    assert "off: continue_pending. It takes continue_pending" in sensors["seen"]
    assert sensors["cure"] == [f"DAGSTER_HOME={home} dagster sensor start continue_pending -w workspace.yaml"]
    Path("workspace.yaml").write_text("load_from:\n  - python_module: elsewhere\n", encoding="utf-8")
    assert "under the code location genie_assets" in world.doctor()["dagster.schedules"]["seen"]


@pytest.mark.long  # Dagster's command starts the code location
def test_the_runbooks_commands_of_dagster_queue_the_days_and_delete_a_run(world: World) -> None:
    _made_home(world)
    home = Path(".genie/dagster").absolute()
    world.patch.setenv("DAGSTER_HOME", str(home))
    with open_home(home) as instance:
        instance.add_run(DagsterRun("genie_daily", run_id="5f0c2d1a-0000-4000-8000-000000000000"))
    days = [(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=each)).isoformat() for each in (3, 2, 1)]
    (line,) = _shown("dagster job backfill")
    line = line.replace("2026-01-01", days[0]).replace("2026-01-31", days[-1])
    world.administrator.carry_out(["genie-assets init", line])
    deleting = ["run", "delete", "5f0c2d1a-0000-4000-8000-000000000000"]
    assert CliRunner().invoke(dagster_commands, deleting, input="DELETE\n").exit_code == 0
    with open_home(home) as instance:
        (backfill,) = instance.get_backfills()
        runs = instance.get_runs()
    assert backfill.partition_names == days
    assert {run.tags["dagster/backfill"] for run in runs} == {backfill.backfill_id}, "the other one is deleted"
    assert sorted(run.tags["dagster/partition"] for run in runs) == days
    assert {(run.job_name, run.status) for run in runs} == {("genie_daily", DagsterRunStatus.QUEUED)}
