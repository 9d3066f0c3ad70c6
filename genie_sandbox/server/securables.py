"""Tables, functions and warehouses that spaces name, each asked for alone by its name."""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from genie_sandbox.account import Account, Securable, Space
from genie_sandbox.responses import Answer, endpoint_not_found, error_answer, json_answer
from genie_sandbox.server.request import Request

_KINDS = {"tables": "table", "functions": "function", "warehouses": "warehouse"}
# As Unity Catalog says it; a warehouse is refused with the code of its status.
_MISSING = {"table": "TABLE_DOES_NOT_EXIST", "function": "ROUTINE_DOES_NOT_EXIST", "warehouse": None}


class Securables:
    """What is there: what the spaces of the account name, its warehouse, and what the account lists besides."""

    def __init__(self, account: Account) -> None:
        named = [*_named_by(account.spaces), Securable("warehouse", account.warehouse_id), *account.securables]
        self._all = {(one.kind, one.name.casefold()): one for one in named}

    def answer(self, request: Request) -> Answer:
        """The answer to a request, refusals included."""
        kind = _KINDS[request.route]
        if kind == "warehouse" and request.path.endswith(b"/warehouses"):
            return self._warehouses(request.workspace_id)
        name = unquote(request.path.rpartition(b"/")[2].decode("ascii", "replace"))
        if request.method != "GET":
            return endpoint_not_found(request.method, request.shown_path)
        found = self._all.get((kind, name.casefold()))
        if found is None or (found.workspaces and request.workspace_id not in found.workspaces):
            return error_answer(404, f"{kind.capitalize()} '{name}' does not exist.", _MISSING[kind])
        if found.access == "none" or (found.access == "browse" and "include_browse" not in request.query):
            return error_answer(403, f"User does not have the right to look at {kind} '{name}'.")
        return json_answer(_body(found))

    def _warehouses(self, workspace_id: str) -> Answer:
        """Those that our principal may see from a workspace."""
        seen = [
            _body(one)
            for one in self._all.values()
            if one.kind == "warehouse"
            and one.access != "none"
            and (not one.workspaces or workspace_id in one.workspaces)
        ]
        return json_answer({"warehouses": seen})


def _body(found: Securable) -> dict[str, Any]:
    if found.kind == "warehouse":
        return {"id": found.name, "name": f"Warehouse {found.name}", "state": found.state}
    catalog, schema, name = found.name.split(".")
    parts = {"catalog_name": catalog, "schema_name": schema, "name": name, "full_name": found.name}
    return parts | ({"browse_only": True} if found.access == "browse" else {})


def _named_by(spaces: Iterable[Space]) -> Iterator[Securable]:
    for space in spaces:
        try:
            configuration = json.loads(space.body.get("serialized_space") or "{}")
        except ValueError:
            continue  # one that is broken names nothing
        for within, name in _identifiers(configuration):
            if len(name.split(".")) == 3:
                yield Securable("function" if within == "sql_functions" else "table", name)


def _identifiers(value: Any, within: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "identifier" and isinstance(part, str):
                yield within, part
            yield from _identifiers(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from _identifiers(part, within)
