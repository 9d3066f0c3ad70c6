"""SQL alerts of the sandbox: kept and given back, and never evaluated; a test asks the warehouse itself."""

import copy
import datetime as dt
import json
import secrets
from typing import Any

from genie_sandbox.responses import Answer, ApiError, endpoint_not_found, json_answer
from genie_sandbox.server.paging import Page
from genie_sandbox.server.request import Request
from genie_sandbox.server.state import Clock

ALERTS = "/api/2.0/alerts"
_NEEDED = ("display_name", "evaluation", "query_text", "schedule", "warehouse_id")


class AlertApi:
    """Answers requests about alerts; who asks has been checked before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._alerts: dict[tuple[str, str], dict[str, Any]] = {}

    def answer(self, request: Request, body: bytes) -> Answer:
        """The answer to a request, refusals included."""
        alert_id = request.path.decode("ascii", "replace").removeprefix(ALERTS).strip("/")
        try:
            match request.method, bool(alert_id):
                case "POST", False:
                    return json_answer(self._create(request.workspace_id, _object(body)))
                case "GET", False:
                    return json_answer(self._list(request))
                case "GET", True:
                    return json_answer(self._one(request.workspace_id, alert_id))
                case "PATCH", True:
                    return json_answer(self._update(request, alert_id, _object(body)))
                case "DELETE", True:
                    self._one(request.workspace_id, alert_id)
                    del self._alerts[request.workspace_id, alert_id]
                    return json_answer({})
        except ApiError as error:
            return error.answer
        return endpoint_not_found(request.method, request.shown_path)

    def _create(self, workspace_id: str, wanted: dict[str, Any]) -> dict[str, Any]:
        missing = [name for name in _NEEDED if not wanted.get(name)]
        if missing:
            raise ApiError(400, f"Missing required field: {missing[0]}", "INVALID_PARAMETER_VALUE")
        alert = {**wanted, "id": secrets.token_hex(16), "lifecycle_state": "ACTIVE"}
        alert["create_time"] = alert["update_time"] = self._now()
        self._alerts[workspace_id, alert["id"]] = alert
        return alert

    def _update(self, request: Request, alert_id: str, wanted: dict[str, Any]) -> dict[str, Any]:
        alert = self._one(request.workspace_id, alert_id)
        mask = [each for each in request.query.get("update_mask", "").split(",") if each]
        if not mask:
            raise ApiError(400, "update_mask is required.", "INVALID_PARAMETER_VALUE")
        alert.update({name: wanted.get(name) for name in mask}, update_time=self._now())
        return alert

    def _one(self, workspace_id: str, alert_id: str) -> dict[str, Any]:
        found = self._alerts.get((workspace_id, alert_id))
        if found is None:
            raise ApiError(404, f"Alert {alert_id} does not exist.", "RESOURCE_DOES_NOT_EXIST")
        return found

    def _list(self, request: Request) -> dict[str, Any]:
        page = Page.of(request.query, f"alerts/{request.workspace_id}")
        mine = [each for (owner, _), each in self._alerts.items() if owner == request.workspace_id]
        rows, token = page.cut(mine, copy.deepcopy)
        return {"results": rows} | ({"next_page_token": token} if token else {})

    def _now(self) -> str:
        return dt.datetime.fromtimestamp(self._clock.now_ms / 1000, dt.UTC).isoformat()


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError(400, f"The request body is not valid JSON: {error}", "MALFORMED_REQUEST") from error
    if not isinstance(value, dict):
        raise ApiError(400, "The request body must be a JSON object.", "MALFORMED_REQUEST")
    return value
