"""AI/BI dashboards of the home workspace: Lakeview's calls, and those of folders and permissions that they need.

What was deployed, and whether it may be replaced, is not decided here.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from genie_assets.domain.dashboard.deployment import Grant, Publication, StoredDashboard, WantedDashboard
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.transport import WorkspaceHttp

_DASHBOARDS = "/api/2.0/lakeview/dashboards"
_PERMISSIONS = "/api/2.0/permissions/dashboards"
_CONFLICTS = frozenset({409, 412})
# What was just made may not be found for a while.
_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)

T = TypeVar("T")


class Lakeview:
    """The dashboards that one workspace shows us. Every method raises CallError for what does not pass.

    Args:
        connect: Gives the connection to the workspace (`Workspaces.home`).
        retries: How passing trouble is met.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        connect: Callable[[], WorkspaceHttp],
        *,
        retries: Retries | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connect, self._retries, self._sleep = connect, retries or Retries(), sleep

    @property
    def host(self) -> str:
        """The workspace's address."""
        return self._connect().host

    def get(self, dashboard_id: str) -> StoredDashboard | None:
        """A dashboard, trashed ones included; None if there is none."""
        answer = self._unless_gone(lambda: self._call("GET", _one(dashboard_id)))
        return None if answer is None else _dashboard(answer)

    def at(self, path: str, *, patient: bool = False) -> StoredDashboard | None:
        """The dashboard whose file is there.

        Args:
            path: Its path, without `/Workspace`.
            patient: It is known to be there, and may not be found yet.
        """
        for wait in (*_WAITS, None) if patient else (None,):
            status = self._unless_gone(
                lambda: self._call("GET", "/api/2.0/workspace/get-status", query={"path": f"/Workspace{path}"})
            )
            found = status.get("resource_id") if status else None
            if isinstance(found, str) and (dashboard := self.get(found)):
                return dashboard
            if wait is not None:
                self._sleep(wait)
        return None

    def make_folder(self, path: str) -> None:
        """Make a folder with those above it; one that is there stays."""
        self._retried(
            lambda: self._connect().send("POST", "/api/2.0/workspace/mkdirs", body={"path": f"/Workspace{path}"})
        )

    def create(self, wanted: WantedDashboard) -> StoredDashboard | None:
        """Make a dashboard; None if its path is taken, by whomever.

        A lost answer is no reason to fear a second one: the path takes one dashboard only.
        """
        body = {**_body(wanted, wanted.display_name), "parent_path": wanted.folder}
        return self._unless_conflict(lambda: self._call("POST", _DASHBOARDS, body=body))

    def update(self, found: StoredDashboard, wanted: WantedDashboard) -> StoredDashboard | None:
        """Change the draft, which keeps its name and place; None if somebody changed it since it was read."""
        body = {**_body(wanted, found.display_name), "etag": found.etag}
        return self._unless_conflict(lambda: self._call("PATCH", _one(found.dashboard_id), body=body))

    def published(self, dashboard_id: str) -> Publication | None:
        """What viewers see; None if it is not published."""
        answer = self._unless_gone(lambda: self._call("GET", f"{_one(dashboard_id)}/published"))
        if answer is None:
            return None
        embeds = answer.get("embed_credentials") is not False
        return Publication(_text(answer, "warehouse_id"), embeds, _text(answer, "revision_create_time"))

    def publish(self, dashboard_id: str, wanted: WantedDashboard) -> None:
        """Show viewers the draft."""
        body = {"embed_credentials": wanted.embeds_credentials, "warehouse_id": wanted.warehouse_id}
        try:
            self._call("POST", f"{_one(dashboard_id)}/published", body=body)
        except CallError as failed:
            error = failed.error
        else:
            return
        text = f"The dashboard is stored, and could not be published: {error.message} Deploy it again."
        raise CallError(FetchError(error.error_class, text, error.http_status, error.error_code))

    def grants(self, dashboard_id: str) -> tuple[Grant, ...] | None:
        """Who may do what with it; None if that is not told to us, who may not manage it."""
        try:
            answer = self._call("GET", f"{_PERMISSIONS}/{_quoted(dashboard_id)}")
        except CallError as failed:
            if failed.error.error_class is ErrorClass.PERMISSION:
                return None
            raise
        return tuple(_grants(answer))

    def let_read(self, dashboard_id: str, group: str) -> bool:
        """Let a group see it; False if there is no such group."""
        body = {"access_control_list": [{"group_name": group, "permission_level": "CAN_READ"}]}
        path = f"{_PERMISSIONS}/{_quoted(dashboard_id)}"
        return self._unless_gone(lambda: self._call("PATCH", path, body=body)) is not None

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        return self._retried(lambda: self._connect().call(method, path, **options))

    def _retried(self, attempt: Callable[[], T]) -> T:
        return self._retries.call(attempt)

    def _unless_gone(self, attempt: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        try:
            return attempt()
        except CallError as failed:
            # A bare 404 may come from anything on the way.
            if failed.error.error_class is ErrorClass.NOT_FOUND and failed.error.error_code:
                return None
            raise

    def _unless_conflict(self, attempt: Callable[[], dict[str, Any]]) -> StoredDashboard | None:
        try:
            answer = attempt()
        except CallError as failed:
            if failed.error.http_status in _CONFLICTS:
                return None
            raise
        stored = _dashboard(answer)
        if "serialized_dashboard" in answer:
            return stored
        return self.get(stored.dashboard_id) or stored


def _body(wanted: WantedDashboard, display_name: str) -> dict[str, Any]:
    # All three, always: Databricks clears the warehouse where it is left out.
    text = json.dumps(wanted.content, ensure_ascii=False)
    return {"display_name": display_name, "warehouse_id": wanted.warehouse_id, "serialized_dashboard": text}


def _dashboard(answer: Mapping[str, Any]) -> StoredDashboard:
    dashboard_id = answer.get("dashboard_id")
    if not isinstance(dashboard_id, str) or not dashboard_id:
        text = "The answer is not one of Databricks' dashboards: it has no dashboard_id."
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, text, http_status=200))
    try:
        content = json.loads(_text(answer, "serialized_dashboard"))
    except ValueError:
        content = None
    return StoredDashboard(
        dashboard_id=dashboard_id,
        display_name=_text(answer, "display_name"),
        path=_text(answer, "path"),
        warehouse_id=_text(answer, "warehouse_id"),
        etag=_text(answer, "etag"),
        content=content if isinstance(content, dict) else {},
        updated_at=_text(answer, "update_time"),
        is_trashed=answer.get("lifecycle_state") == "TRASHED",
    )


def _grants(answer: Mapping[str, Any]) -> Iterator[Grant]:
    for entry in answer.get("access_control_list") or ():
        group = entry.get("group_name")
        principal = group or entry.get("user_name") or entry.get("service_principal_name") or ""
        for level in entry.get("all_permissions") or ():
            is_inherited = bool(level.get("inherited"))
            yield Grant(str(principal), bool(group), str(level.get("permission_level")), is_inherited)


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def _one(dashboard_id: str) -> str:
    return f"{_DASHBOARDS}/{_quoted(dashboard_id)}"


def _quoted(part: str) -> str:
    return quote(part, safe="")
