"""The unified host: one address for all workspaces, where a request itself has to say which one it is for."""

from urllib.parse import parse_qsl

from genie_sandbox.responses import Answer, error_answer
from genie_sandbox.server.request import Scope

_HEADERS = (b"x-databricks-workspace-id", b"x-databricks-org-id")
_PARAMETERS = ("o", "w")


def named_workspace(scope: Scope) -> str | None:
    """The workspace that a request names: in a header, today's or the older one, or in its address."""
    headers = dict(scope["headers"])
    for name in _HEADERS:
        if headers.get(name):
            return str(headers[name].decode("latin-1"))
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    return next((query[name] for name in _PARAMETERS if query.get(name)), None)


def nobodys_request() -> Answer:
    """The refusal of a request that names no workspace, or none that runs."""
    return error_answer(400, "Unable to load OAuth Config", "INVALID_PARAMETER_VALUE")
