"""Tables, functions and warehouses of any workspace, asked for one by one, never changed, and none woken."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.space_mapping import parts_of
from genie_assets.domain.space_references import Needed, Reference
from genie_assets.gateways.databricks.retries import CallError, Retries

# `GET` of each; https://docs.databricks.com/api/workspace/tables/get and its neighbours.
_PATHS: Mapping[Needed, str] = {
    Needed.TABLE: "/api/2.1/unity-catalog/tables/",
    Needed.FUNCTION: "/api/2.1/unity-catalog/functions/",
    Needed.WAREHOUSE: "/api/2.0/sql/warehouses/",
}
# A person waits for this, and what stays unknown is said to be so.
_SHORT = Retries(attempts=2, total_seconds=10.0)


class _Workspaces(Protocol):
    def http(self, workspace_id: str, url: str | None) -> Any: ...


class LiveReferences:
    """Things that spaces name, as one login sees them now. What fails is a value.

    Args:
        workspaces: How to reach them.
        url_of: The address of a workspace, as far as it is known.
        retries: How passing trouble is met.
    """

    def __init__(
        self, workspaces: _Workspaces, url_of: Callable[[str], str | None], retries: Retries = _SHORT
    ) -> None:
        self._workspaces, self._url_of, self._retries = workspaces, url_of, retries

    def look_up(self, workspace_id: str, reference: Reference) -> Mapping[str, Any] | FetchError:
        """One thing, of a kind and with a name that can be asked for."""
        url = self._url_of(workspace_id)
        return look_up(lambda: self._workspaces.http(workspace_id, url), reference, self._retries)


def look_up(
    connect: Callable[[], Any], reference: Reference, retries: Retries = _SHORT
) -> Mapping[str, Any] | FetchError:
    """One thing of a workspace, of a kind and with a name that can be asked for. What fails is a value.

    Args:
        connect: Gives the connection to the workspace.
        reference: The thing.
        retries: How passing trouble is met.
    """
    is_warehouse = reference.kind is Needed.WAREHOUSE
    name = reference.name if is_warehouse else ".".join(parts_of(reference.name))
    path = _PATHS[reference.kind] + quote(name, safe="")

    def once() -> Mapping[str, Any]:
        answer: Mapping[str, Any] = connect().call("GET", path)
        return answer

    try:
        return retries.call(once)
    except CallError as failed:
        return failed.error
