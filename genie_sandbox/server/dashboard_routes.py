"""The calls of dashboards: Lakeview, the workspace's folders, and who may see a dashboard."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genie_sandbox.responses import Answer, ApiError, endpoint_not_found, error_answer, json_answer
from genie_sandbox.server.dashboard_values import Dashboard, Published
from genie_sandbox.server.dashboards import Dashboards, canonical
from genie_sandbox.server.paging import Page
from genie_sandbox.server.request import Request
from genie_sandbox.server.state import Clock

DASHBOARDS = "/api/2.0/lakeview/dashboards"
WORKSPACE = "/api/2.0/workspace/"
PERMISSIONS = "/api/2.0/permissions/dashboards/"
_REBINDING = {"dataset_catalog": "catalog", "dataset_schema": "schema"}


class DashboardApi:
    """Answers requests about dashboards; who asks has been checked before."""

    def __init__(self, dashboards: Dashboards, clock: Clock) -> None:
        self._dashboards, self._clock = dashboards, clock

    def answer(self, request: Request, body: bytes) -> Answer:
        """The answer to a request of one of the routes, refusals included."""
        path = request.path.decode("ascii", "replace")
        try:
            if request.route == "workspace_objects":
                return self._workspace(request, path.removeprefix(WORKSPACE), body)
            if request.route == "dashboard_permissions":
                return self._permissions(request, path.removeprefix(PERMISSIONS), body)
            return self._lakeview(request, path.removeprefix(DASHBOARDS).strip("/"), body)
        except ApiError as error:
            return error.answer

    def _lakeview(self, request: Request, path: str, body: bytes) -> Answer:
        dashboard_id, _, rest = path.partition("/")
        calls: Mapping[tuple[str, bool, str], Callable[[], Any]] = {
            ("POST", False, ""): lambda: self._create(request, body),
            ("GET", False, ""): lambda: self._list(request),
            ("GET", True, ""): lambda: self._dashboards.get(request.workspace_id, dashboard_id).body(),
            ("PATCH", True, ""): lambda: self._update(request, dashboard_id, body),
            ("DELETE", True, ""): lambda: self._dashboards.trash(request.workspace_id, dashboard_id),
            ("GET", True, "published"): lambda: _shown(
                self._dashboards.published(request.workspace_id, dashboard_id)
            ),
            ("POST", True, "published"): lambda: self._publish(request, dashboard_id, body),
            ("DELETE", True, "published"): lambda: self._dashboards.unpublish(request.workspace_id, dashboard_id),
        }
        call = calls.get((request.method, bool(dashboard_id), rest))
        if call is None:
            return endpoint_not_found(request.method, request.shown_path)
        return json_answer(call() or {})

    def _create(self, request: Request, body: bytes) -> dict[str, Any]:
        now = self._clock.now_ms
        return self._dashboards.create(request.workspace_id, _object(body), _rebound(request), now).body()

    def _update(self, request: Request, dashboard_id: str, body: bytes) -> dict[str, Any]:
        wanted, now = _object(body), self._clock.now_ms
        return self._dashboards.update(request.workspace_id, dashboard_id, wanted, _rebound(request), now).body()

    def _publish(self, request: Request, dashboard_id: str, body: bytes) -> dict[str, Any]:
        wanted, now = _object(body), self._clock.now_ms
        return _shown(self._dashboards.publish(request.workspace_id, dashboard_id, wanted, now))

    def _list(self, request: Request) -> dict[str, Any]:
        trashed = request.query.get("show_trashed", "").lower() == "true"
        page = Page.of(request.query, f"dashboards/{request.workspace_id}/{trashed}")
        rows, token = page.cut(self._dashboards.listed(request.workspace_id, trashed=trashed), Dashboard.summary)
        return {"dashboards": rows} | ({"next_page_token": token} if token else {})

    def _workspace(self, request: Request, call: str, body: bytes) -> Answer:
        if (request.method, call) == ("POST", "mkdirs"):
            self._dashboards.make_folder(request.workspace_id, canonical(str(_object(body).get("path", ""))))
            return json_answer({})
        if (request.method, call) != ("GET", "get-status"):
            return endpoint_not_found(request.method, request.shown_path)
        asked = request.query.get("path", "")
        path = canonical(asked)
        if self._dashboards.has_folder(request.workspace_id, path):
            return json_answer({"object_type": "DIRECTORY", "path": path, "object_id": 1})
        found = self._dashboards.at(request.workspace_id, path)
        if found is None:
            return error_answer(404, f"Path ({asked}) doesn't exist.")
        number = int(found.dashboard_id[:12], 16)
        status = {"object_type": "DASHBOARD", "path": path, "object_id": number}
        return json_answer(status | {"resource_id": found.dashboard_id})

    def _permissions(self, request: Request, dashboard_id: str, body: bytes) -> Answer:
        if request.method not in ("GET", "PATCH", "PUT"):
            return endpoint_not_found(request.method, request.shown_path)
        if request.method != "GET":
            entries = _object(body).get("access_control_list")
            self._dashboards.grant(request.workspace_id, dashboard_id, entries, only=request.method == "PUT")
        return json_answer(self._dashboards.permissions(request.workspace_id, dashboard_id))


def moves_by_hand(dashboards: Dashboards) -> Route:
    """The switch with which a test does what a person does in the file browser: rename a dashboard, or move it."""

    async def move(request: HttpRequest) -> Response:
        wanted = await request.json()
        try:
            moved = dashboards.move(wanted["workspace_id"], wanted["path"], wanted["to"])
        except (KeyError, ValueError) as problem:
            return JSONResponse({"error": str(problem)}, status_code=400)
        return JSONResponse({"path": moved.path})

    return Route("/_sandbox/dashboards", move, methods=["POST"])


def _shown(published: Published) -> dict[str, Any]:
    return {
        "display_name": published.display_name,
        "warehouse_id": published.warehouse_id,
        "embed_credentials": published.embed_credentials,
        "revision_create_time": published.time,
    }


def _rebound(request: Request) -> dict[str, str]:
    return {own: request.query[name] for name, own in _REBINDING.items() if request.query.get(name)}


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError(400, f"The request body is not valid JSON: {error}", "MALFORMED_REQUEST") from error
    if not isinstance(value, dict):
        raise ApiError(400, "The request body must be a JSON object.", "MALFORMED_REQUEST")
    return value
