"""The metastore: which one it is, and which of its system schemas are enabled."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from genie_sandbox.account import ADMINISTRATOR
from genie_sandbox.responses import ApiError, to_json
from genie_sandbox.sql.engine import SailEngine
from genie_sandbox.sql.http import ASKED_WORKSPACE, ASKING_PRINCIPAL, answering

METASTORE_ID = "6f1d2c3b-0000-4000-8000-000000000001"
_ONE = "/api/2.1/unity-catalog/metastores/{metastore_id}/systemschemas"


class MetastoreRoutes:
    """Handlers of the API for the one metastore of an engine."""

    def __init__(self, engine: SailEngine) -> None:
        self._catalog = engine.catalog

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/api/2.1/unity-catalog/current-metastore-assignment", answering(self._assignment)),
            Route(_ONE, answering(self._list)),
            Route(_ONE + "/{schema}", answering(self._switch), methods=["PUT", "DELETE"]),
        ]

    async def _assignment(self, request: Request) -> Response:
        workspace_id = request.scope.get(ASKED_WORKSPACE, "")
        return _sent({"metastore_id": METASTORE_ID, "workspace_id": workspace_id})

    async def _list(self, request: Request) -> Response:
        _check(request)
        states = self._catalog.system_schemas()
        shown = [{"schema": name, "state": _STATES[is_on]} for name, is_on in states.items()]
        return _sent({"schemas": shown})

    async def _switch(self, request: Request) -> Response:
        _check(request)
        schema, wanted = request.path_params["schema"], request.method == "PUT"
        known = self._catalog.system_schemas()
        if schema not in known:
            raise ApiError(404, f"There is no system schema {schema}.", "NOT_FOUND")
        if wanted and known[schema]:
            raise ApiError(409, f"The system schema {schema} already exists.", "ALREADY_EXISTS")
        self._catalog.enable_system_schema(schema, is_on=wanted)
        return _sent({})


_STATES = {True: "ENABLE_COMPLETED", False: "AVAILABLE"}


def _check(request: Request) -> None:
    if request.path_params["metastore_id"] != METASTORE_ID:
        raise ApiError(404, "There is no such metastore.", "METASTORE_DOES_NOT_EXIST")
    if request.scope.get(ASKING_PRINCIPAL, ADMINISTRATOR) != ADMINISTRATOR:
        raise ApiError(403, "Only account and metastore administrators may see and enable system schemas.")


def _sent(answer: dict[str, object]) -> Response:
    return Response(to_json(answer), media_type="application/json")
