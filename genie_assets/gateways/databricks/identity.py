"""Who we are to Databricks: the names under which our own calls appear in the audit log, and our metastore."""

import logging

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.transport import WorkspaceHttp

_ME = "/api/2.0/preview/scim/v2/Me"
_WILL_NOT_TELL = frozenset({ErrorClass.PERMISSION, ErrorClass.NOT_FOUND, ErrorClass.CONFIG})
_LOG = logging.getLogger(__name__)


def metastore_id(http: WorkspaceHttp) -> str | None:
    """The id of the metastore that a workspace is assigned to; None if the workspace does not tell.

    Raises:
        CallError: if the workspace cannot be asked.
    """
    try:
        told = Retries().call(lambda: http.call("GET", "/api/2.1/unity-catalog/current-metastore-assignment"))
    except CallError as problem:
        if problem.error.error_class not in _WILL_NOT_TELL:
            raise
        return None
    found = told.get("metastore_id")
    return found if isinstance(found, str) and found else None


def own_id(http: WorkspaceHttp) -> str | None:
    """The id that the principal who is logged in has in a workspace; None if the workspace does not tell.

    Raises:
        CallError: if the workspace cannot be asked.
    """
    found = Retries().call(lambda: http.call("GET", _ME)).get("id")
    return found if isinstance(found, str) and found else None


def warehouse_ids(http: WorkspaceHttp) -> list[str]:
    """The ids of the SQL warehouses that the principal may see in a workspace.

    Raises:
        CallError: if the workspace cannot be asked.
    """
    listed = Retries().call(lambda: http.call("GET", "/api/2.0/sql/warehouses")).get("warehouses")
    shown = listed if isinstance(listed, list) else []
    return [each["id"] for each in shown if isinstance(each, dict) and isinstance(each.get("id"), str)]


def own_names(http: WorkspaceHttp) -> tuple[str, ...]:
    """User name and application id of the principal that is logged in; empty if the workspace does not tell.

    Raises:
        CallError: if the workspace cannot be asked, or answers something else. Guessing would count our own reads
            as usage.
    """
    try:
        me = Retries().call(lambda: http.call("GET", _ME))
    except CallError as problem:
        if problem.error.error_class not in _WILL_NOT_TELL:
            raise
        _LOG.warning("Our own name is unknown, so our own reads may look like usage: %s", problem)
        return ()
    names = tuple(name for name in (me.get("userName"), me.get("applicationId")) if isinstance(name, str) and name)
    if not names:
        text = "Asked who we are, the workspace at DATABRICKS_HOST names nobody: is it Databricks that answers?"
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, text, http_status=200))
    return names
