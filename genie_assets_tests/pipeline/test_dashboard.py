"""Deploying the dashboard into a workspace: one dashboard whatever happens, and nothing of a person's is lost."""

import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.dashboards import Dashboard

from genie_assets.domain.dashboard.deployment import DEPLOYED_DASHBOARDS, Step, WantedDashboard
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.lakeview import Lakeview
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.dashboard import DashboardError, Deployed, Deployment
from genie_assets_tests.mortal import KilledError, Mortal
from genie_assets_tests.sandbox.accounts import ACCOUNT
from genie_assets_tests.sandbox.wire import workspace_client
from genie_sandbox.account import save
from genie_sandbox.client import SandboxProcess

NOW = dt.datetime(2026, 11, 27, tzinfo=dt.UTC)
NUMBERS = itertools.count()


def content(version: int) -> dict[str, Any]:
    page = {"name": "p", "displayName": f"Version {version}", "pageType": "PAGE_TYPE_CANVAS", "layout": []}
    return {"datasets": [{"name": "d", "queryLines": ["SELECT 1\n"]}], "pages": [page]}


class World:
    """A lakehouse of its own and a folder of its own in a workspace that all tests share."""

    def __init__(self, sandbox: SandboxProcess, lakehouse: Path) -> None:
        self.sandbox, self.client = sandbox, workspace_client(sandbox)
        number = next(NUMBERS)
        self.name, self.folder = f"Genie {number}", f"/Shared/{number}"
        self._lakehouse = lakehouse / str(next(NUMBERS))

    def wanted(self, version: int = 1, **fields: Any) -> WantedDashboard:
        return replace(
            WantedDashboard(self.name, self.folder, self.sandbox.warehouse_id, content(version)), **fields
        )

    def deploy(
        self,
        version: int = 1,
        *,
        viewers: str | None = None,
        force: bool = False,
        dies: Callable[[Any], Any] = lambda each: each,
        **fields: Any,
    ) -> Deployed:
        """One deployment of a process of its own; `dies` stands before what it uses."""
        workspaces = Workspaces(self.sandbox.host, token=self.sandbox.token, policy=HostPolicy(["127.0.0.1"]))
        dashboards = Lakeview(workspaces.home, retries=Retries(attempts=1), sleep=lambda _: None)
        wanted = self.wanted(version, **fields)
        return Deployment(dies(dashboards), dies(self.lake()), wanted, NOW, force).run(viewers)

    def lake(self) -> Lakehouse:
        return open_lakehouse(str(self._lakehouse))

    def dashboards(self) -> list[Dashboard]:
        """All that have our name, or one that a person gave."""
        names = (self.name, f"Our {self.name}")
        every = self.client.lakeview.list(page_size=100)
        return [self.client.lakeview.get(each.dashboard_id) for each in every if each.display_name in names]

    def shown(self) -> str:
        """The title of the one page of the one dashboard, if viewers see that."""
        (one,) = self.dashboards()
        published = self.client.lakeview.get_published(one.dashboard_id)
        assert published.revision_create_time >= one.update_time
        assert published.embed_credentials is False
        return str(json.loads(one.serialized_dashboard)["pages"][0]["displayName"])


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("account")
    save(ACCOUNT, folder)
    with SandboxProcess(folder, sql=False) as running:
        yield running


@pytest.fixture
def world(sandbox: SandboxProcess, tmp_path: Path) -> World:
    return World(sandbox, tmp_path)


def calls_that_change(sandbox: SandboxProcess) -> int:
    """Requests since the last reset that are no questions."""
    return sum(each["method"] != "GET" for each in sandbox.requests(latest=200)["latest"])


def test_deploying_twice_leaves_one_dashboard_and_changes_nothing(world: World) -> None:
    first = world.deploy(viewers="genie-viewers")
    assert (first.step, first.is_published_anew, first.dashboard.path) == (
        Step.CREATE,
        True,
        f"{world.folder}/{world.name}.lvdash.json",
    )
    assert ("genie-viewers", "CAN_READ") in {(each.principal, each.level) for each in first.grants or ()}
    version = world.lake().version(DEPLOYED_DASHBOARDS)
    world.sandbox.reset_requests()
    again = world.deploy(viewers="genie-viewers")
    assert (again.step, again.is_published_anew) == (Step.KEEP, False)
    assert calls_that_change(world.sandbox) == 0
    assert world.lake().version(DEPLOYED_DASHBOARDS) == version
    assert world.deploy(2).step is Step.UPDATE
    assert world.shown() == "Version 2"
    (one,) = world.dashboards()
    assert (one.dashboard_id, one.warehouse_id) == (first.dashboard.dashboard_id, world.sandbox.warehouse_id)


def test_what_a_person_changed_is_replaced_by_force_only(world: World) -> None:
    there = world.deploy().dashboard
    by_hand = Dashboard(serialized_dashboard=json.dumps(content(77)), warehouse_id=there.warehouse_id)
    world.client.lakeview.update(there.dashboard_id, by_hand)
    for version in (1, 2):
        with pytest.raises(DashboardError, match=r"was changed by hand since it was deployed.*diff.*--force"):
            world.deploy(version)
    (one,) = world.dashboards()
    assert json.loads(one.serialized_dashboard)["pages"][0]["displayName"] == "Version 77"
    assert world.deploy(2, force=True).step is Step.UPDATE
    assert world.shown() == "Version 2"


def test_a_stranger_at_our_path_is_left_alone(world: World) -> None:
    world.client.workspace.mkdirs(f"/Workspace{world.folder}")
    theirs = Dashboard(
        display_name=world.name, parent_path=world.folder, serialized_dashboard=json.dumps(content(5))
    )
    world.client.lakeview.create(theirs)
    with pytest.raises(DashboardError, match="was not deployed from this lakehouse"):
        world.deploy()
    (one,) = world.dashboards()
    assert one.warehouse_id is None


def test_a_renamed_and_moved_dashboard_is_found_and_stays_where_it_is(world: World) -> None:
    first = world.deploy().dashboard
    world.sandbox.move_dashboard(first.path, f"{world.folder}/team/Our {world.name}.lvdash.json")
    moved = world.deploy(2)
    assert (moved.step, moved.dashboard.dashboard_id) == (Step.UPDATE, first.dashboard_id)
    assert moved.dashboard.path == f"{world.folder}/team/Our {world.name}.lvdash.json"
    assert world.shown() == "Version 2"


def test_a_trashed_dashboard_is_made_anew(world: World) -> None:
    first = world.deploy().dashboard
    world.client.lakeview.trash(first.dashboard_id)
    again = world.deploy()
    assert (again.step, again.dashboard.dashboard_id != first.dashboard_id) == (Step.CREATE, True)
    assert world.shown() == "Version 1"


def test_a_failed_publication_is_repaired_by_the_next_deployment(world: World) -> None:
    world.deploy()
    # The draft is read and changed, the publication read and renewed: the fourth call fails.
    world.sandbox.faults({"effect": "status", "status": 503, "route": "dashboards", "every": 4})
    try:
        with pytest.raises(CallError, match="is stored, and could not be published"):
            world.deploy(2)
    finally:
        world.sandbox.clear_faults()
    world.deploy(2)
    assert world.shown() == "Version 2"
    # So are rights of the publisher that somebody gave to viewers, and a publication that was taken away.
    (one,) = world.dashboards()
    world.client.lakeview.publish(one.dashboard_id)
    assert world.deploy(2).is_published_anew
    world.client.lakeview.unpublish(one.dashboard_id)
    assert world.deploy(2).is_published_anew
    assert world.shown() == "Version 2"


def test_a_group_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(DashboardError, match="there is no group nobody"):
        world.deploy(viewers="nobody")
    assert world.shown() == "Version 1"


def test_who_may_not_manage_it_is_not_told_who_sees_it(world: World) -> None:
    refused = {
        "effect": "status",
        "status": 403,
        "error_code": "PERMISSION_DENIED",
        "route": "dashboard_permissions",
    }
    world.sandbox.faults(refused)
    try:
        assert world.deploy().grants is None
    finally:
        world.sandbox.clear_faults()
    assert world.deploy().grants


def test_an_unknown_warehouse_stores_the_draft_and_says_what_failed(world: World) -> None:
    with pytest.raises(CallError, match=r"is stored, and could not be published.*Deploy it again"):
        world.deploy(warehouse_id="fedcba9876543210")
    world.deploy()
    assert world.shown() == "Version 1"


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "changed"])
def test_a_kill_at_any_step_leaves_one_dashboard_and_work_for_the_next(
    sandbox: SandboxProcess, tmp_path: Path, is_there: bool
) -> None:
    killed = 0
    for last in itertools.count(1):
        world = World(sandbox, tmp_path)
        if is_there:
            world.deploy(1)
        try:
            world.deploy(2, viewers="genie-viewers", dies=Mortal(last))
        except KilledError:
            killed += 1
            # What comes next may be a later version already.
            done = world.deploy(2 + last % 2, viewers="genie-viewers")
            assert world.shown() == f"Version {2 + last % 2}", last
            assert "genie-viewers" in {each.principal for each in done.grants or ()}, last
            assert len(world.dashboards()) == 1
            continue
        break
    assert killed > 8


def test_two_that_deploy_at_once_leave_one_dashboard(world: World) -> None:
    class Slow:
        """Another deployment runs between what this one found and what it does about it."""

        def __init__(self, used: Any) -> None:
            self.used, self.is_first = used, True

        def __getattr__(self, name: str) -> Any:
            if name in ("create", "update") and self.is_first:
                self.is_first = False
                world.deploy()
            return getattr(self.used, name)

    world.deploy(dies=lambda used: Slow(used) if isinstance(used, Lakeview) else used)
    assert world.shown() == "Version 1"
