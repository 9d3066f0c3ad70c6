"""The sandbox's dashboards: what Databricks is known to do with them, and what it refuses."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.errors import DatabricksError, NotFound, PermissionDenied, ResourceConflict
from databricks.sdk.service.dashboards import Dashboard, LifecycleState
from databricks.sdk.service.workspace import ObjectType

from genie_assets_tests.sandbox.accounts import ACCOUNT
from genie_assets_tests.sandbox.wire import call, workspace_client
from genie_sandbox.account import save
from genie_sandbox.client import SandboxProcess

CONTENT = json.dumps({"datasets": [], "pages": [{"name": "p", "displayName": "P"}]})


@pytest.fixture
def sandbox(data: Path) -> Iterator[SandboxProcess]:
    """One for each test: what one of them makes is in the way of the next."""
    with SandboxProcess(data, sql=False) as running:
        yield running


def made(client: Any, **fields: Any) -> Dashboard:
    named = {
        "display_name": "D",
        "parent_path": "/Shared",
        "serialized_dashboard": CONTENT,
        "warehouse_id": ACCOUNT.warehouse_id,
    }
    return client.lakeview.create(Dashboard(**named | fields))


def test_a_path_is_taken_once_and_leads_to_the_dashboard(sandbox: SandboxProcess) -> None:
    client = workspace_client(sandbox)
    first = made(client)
    assert first.path == "/Shared/D.lvdash.json"
    with pytest.raises(ResourceConflict, match=r"A node with name 'D.lvdash.json' already exists"):
        made(client)
    status = client.workspace.get_status("/Workspace/Shared/D.lvdash.json")
    assert (status.object_type, status.resource_id) == (ObjectType.DASHBOARD, first.dashboard_id)
    with pytest.raises(NotFound, match="doesn't exist"):
        made(client, parent_path="/Workspace/nowhere")
    client.workspace.mkdirs("/Workspace/nowhere/else")
    assert made(client, parent_path="/Workspace/nowhere/else").path == "/nowhere/else/D.lvdash.json"
    assert next(each.dashboard_id for each in client.lakeview.list(page_size=1)) == first.dashboard_id


def test_what_a_patch_leaves_out_is_kept_but_for_the_warehouse(sandbox: SandboxProcess) -> None:
    client = workspace_client(sandbox)
    first = made(client)
    changed = client.lakeview.update(first.dashboard_id, Dashboard(display_name="E", etag=first.etag))
    assert (changed.path, changed.warehouse_id) == ("/Shared/E.lvdash.json", None)
    page = json.loads(changed.serialized_dashboard)["pages"][0]
    assert page["pageType"] == "PAGE_TYPE_CANVAS"
    assert int(changed.etag) > int(first.etag)
    with pytest.raises(ResourceConflict, match="etag differs"):
        client.lakeview.update(first.dashboard_id, Dashboard(display_name="F", etag=first.etag))
    path, query = f"/api/2.0/lakeview/dashboards/{first.dashboard_id}", "dataset_catalog=c&dataset_schema=s"
    body = {"serialized_dashboard": json.dumps({"datasets": [{"name": "d", "catalog": "x"}]})}
    answer = call(sandbox.host, f"{path}?{query}", sandbox.token, method="PATCH", body=body).json()
    assert json.loads(answer["serialized_dashboard"])["datasets"] == [{"name": "d", "catalog": "c", "schema": "s"}]


def test_a_publication_is_a_copy_and_is_current_until_the_draft_changes(sandbox: SandboxProcess) -> None:
    client = workspace_client(sandbox)
    first = made(client)
    with pytest.raises(NotFound, match="Unable to find published dashboard"):
        client.lakeview.get_published(first.dashboard_id)
    # Not in the error classes by which the SDK tells refusals apart.
    with pytest.raises(DatabricksError, match="Warehouse x does not exist"):
        client.lakeview.publish(first.dashboard_id, warehouse_id="x")
    assert client.lakeview.publish(first.dashboard_id).embed_credentials is True
    published = client.lakeview.get_published(first.dashboard_id)
    assert published.revision_create_time >= first.update_time
    changed = client.lakeview.update(first.dashboard_id, Dashboard(display_name="E"))
    again = client.lakeview.get_published(first.dashboard_id)
    assert (again.display_name, again.revision_create_time < changed.update_time) == ("D", True)


def test_what_is_trashed_is_seen_but_not_changed(sandbox: SandboxProcess) -> None:
    client = workspace_client(sandbox)
    first = made(client)
    client.lakeview.trash(first.dashboard_id)
    found = client.lakeview.get(first.dashboard_id)
    assert found.lifecycle_state is LifecycleState.TRASHED
    assert found.parent_path.endswith("/Trash")
    for refused in (
        lambda: client.lakeview.update(first.dashboard_id, Dashboard()),
        lambda: client.lakeview.trash(first.dashboard_id),
    ):
        with pytest.raises(PermissionDenied, match=r"\[TRASHED\] is not among the accepted states"):
            refused()
    assert made(client).dashboard_id != first.dashboard_id


def test_who_may_see_it_is_granted_and_inherited(sandbox: SandboxProcess) -> None:
    client = workspace_client(sandbox)
    path = f"/api/2.0/permissions/dashboards/{made(client).dashboard_id}"

    def grant(group: str) -> Any:
        body = {"access_control_list": [{"group_name": group, "permission_level": "CAN_READ"}]}
        return call(sandbox.host, path, sandbox.token, method="PATCH", body=body)

    assert grant("nobody-knows").status == 404
    entries = {
        (entry["display_name"], level["permission_level"], level["inherited"])
        for entry in grant("genie-viewers").json()["access_control_list"]
        for level in entry["all_permissions"]
    }
    assert ("genie-viewers", "CAN_READ", False) in entries
    assert ("users", "CAN_MANAGE", True) in entries


def test_dashboards_outlive_the_process_and_can_be_moved_by_hand(tmp_path: Path) -> None:
    save(ACCOUNT, tmp_path / "account")
    with SandboxProcess(tmp_path / "account", state=tmp_path / "state", sql=False) as running:
        client = workspace_client(running)
        first = made(client)
        client.lakeview.publish(first.dashboard_id, embed_credentials=False)
        running.move_dashboard("/Shared/D.lvdash.json", "/Users/ana/Genie.lvdash.json")
    with SandboxProcess(tmp_path / "account", state=tmp_path / "state", sql=False) as running:
        client = workspace_client(running)
        assert client.lakeview.get(first.dashboard_id).path == "/Users/ana/Genie.lvdash.json"
        assert client.lakeview.get_published(first.dashboard_id).embed_credentials is False
