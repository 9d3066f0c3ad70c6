"""What the account's principal may do in the workspaces besides Genie: its entitlements, and its warehouse."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from genie_sandbox.account import ADMINISTRATOR, Principal
from genie_sandbox.responses import Answer, ApiError, endpoint_not_found, error_answer, json_answer
from genie_sandbox.server.access import Grant, access_list, granted
from genie_sandbox.server.request import OPEN_ROUTES, Request

SQL_ACCESS = "databricks-sql-access"
ENTITLEMENTS = frozenset({SQL_ACCESS, "workspace-access"})
_LEVELS = ("CAN_VIEW", "CAN_MONITOR", "CAN_USE", "CAN_MANAGE")
_TO_USE = frozenset(_LEVELS[1:])
# What can be called without being entitled to Databricks SQL.
_FOR_ALL = OPEN_ROUTES | {"me", "principals", "tokens", "files", "metastore", "tables", "functions", "unknown"}


class Rights:
    """Entitlements in each workspace, and permissions on the warehouse. The administrator has all of them.

    Args:
        principal: The account's principal; at the start it is entitled to everything, and may use the warehouse.
        warehouse_id: The warehouse.
    """

    def __init__(self, principal: Principal, warehouse_id: str) -> None:
        self._principal = principal
        self._warehouse_id = warehouse_id
        self._entitlements: defaultdict[str, frozenset[str]] = defaultdict(lambda: ENTITLEMENTS)
        ours: tuple[Grant, ...] = (("service_principal_name", principal.application_id, "CAN_USE"),)
        # The workspace at whose address it is asked: a region has a warehouse of its own, though by the same id.
        self._grants: defaultdict[str, tuple[Grant, ...]] = defaultdict(lambda: ours)

    def refusal(self, request: Request, caller: str) -> Answer | None:
        """The refusal of a request that its caller may not make; None if it may."""
        if caller == ADMINISTRATOR or request.route in _FOR_ALL:
            return None
        if SQL_ACCESS not in self._entitlements[request.workspace_id]:
            return error_answer(403, f"This API is disabled for users without the {SQL_ACCESS} entitlement.")
        if request.route == "statements" and request.method == "POST" and not self._may_use(request.workspace_id):
            who = self._principal.application_id
            return error_answer(403, f"{who} is not authorized to use this SQL warehouse. Ask an administrator.")
        return None

    def _may_use(self, workspace_id: str) -> bool:
        groups = {("group_name", name) for name in ("users", *self._principal.groups)}
        us = {("service_principal_name", self._principal.application_id.lower()), *groups}
        return any(
            (kind, name.lower()) in us and level in _TO_USE for kind, name, level in self._grants[workspace_id]
        )

    def entitlements(self, workspace_id: str) -> dict[str, Any]:
        """What our principal's record says of its entitlements in a workspace; nothing where it has none."""
        named = [{"value": name} for name in sorted(self._entitlements[workspace_id])]
        return {"entitlements": named} if named else {}

    def answer(self, request: Request, caller: str, body: bytes) -> Answer:
        """The answer to who asks about the permissions of the warehouse, or changes entitlements."""
        try:
            if request.route == "warehouse_permissions":
                return self._permissions(request, caller, body)
            return self._principals(request, caller, body)
        except ApiError as error:
            return error.answer

    def _permissions(self, request: Request, caller: str, body: bytes) -> Answer:
        if request.method not in ("GET", "PATCH", "PUT"):
            return endpoint_not_found(request.method, request.shown_path)
        if _last(request) != self._warehouse_id:
            raise ApiError(404, f"SQL warehouse {_last(request)} does not exist.")
        _refuse_others(caller)
        if request.method != "GET":
            entries = _object(body).get("access_control_list")
            before, only = self._grants[request.workspace_id], request.method == "PUT"
            self._grants[request.workspace_id] = granted(before, entries, levels=_LEVELS, only=only)
        listed = access_list(self._grants[request.workspace_id], [("group_name", "admins", "CAN_MANAGE")])
        return json_answer(
            {
                "object_id": f"/sql/warehouses/{self._warehouse_id}",
                "object_type": "warehouses",
                "access_control_list": listed,
            }
        )

    def _principals(self, request: Request, caller: str, body: bytes) -> Answer:
        """PATCH with operations that add or remove entitlements, as SCIM writes them."""
        if request.method != "PATCH":
            return endpoint_not_found(request.method, request.shown_path)
        if _last(request) != str(self._principal.user_id):
            raise ApiError(404, f"Service principal {_last(request)} does not exist.")
        _refuse_others(caller)
        for operation in _object(body).get("Operations") or []:
            self._operate(request.workspace_id, operation)
        return Answer(204, b"")

    def _operate(self, workspace_id: str, operation: Any) -> None:
        match operation:
            case {"op": "add" | "remove" as how, "path": "entitlements", "value": [*values]}:
                named = frozenset(str(value.get("value")) for value in values if isinstance(value, Mapping))
                if not named or named - ENTITLEMENTS:
                    raise ApiError(400, f"Entitlements are {', '.join(sorted(ENTITLEMENTS))}.")
                now = self._entitlements[workspace_id]
                self._entitlements[workspace_id] = now | named if how == "add" else now - named
            case _:
                raise ApiError(400, "The sandbox's principals have entitlements, to add and to remove.")


def _last(request: Request) -> str:
    return request.path.rpartition(b"/")[2].decode("ascii", "replace")


def _refuse_others(caller: str) -> None:
    if caller != ADMINISTRATOR:
        raise ApiError(403, "Only an administrator of the workspace may do that.")


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ApiError(400, "The request's body is not a JSON object.", "MALFORMED_REQUEST")
    return value
