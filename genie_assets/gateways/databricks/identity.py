"""Who we are to Databricks: the names under which our own calls appear in the audit log, and our metastore."""

import logging
from collections.abc import Mapping
from typing import Any

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.space_logins import Login
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
    names = _names(me)
    if not names:
        text = "Asked who we are, the workspace at DATABRICKS_HOST names nobody: is it Databricks that answers?"
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, text, http_status=200))
    return names


def own_login(http: WorkspaceHttp) -> Login:
    """Names and groups of the principal that is logged in, as far as the workspace tells them.

    Raises:
        CallError: if the workspace cannot be asked, or will not tell.
    """
    me = Retries().call(lambda: http.call("GET", _ME))
    told = me.get("groups")
    groups = [each.get("display") for each in (told if isinstance(told, list) else []) if isinstance(each, dict)]
    return Login(frozenset(_names(me)), frozenset(name for name in groups if isinstance(name, str) and name))


def _names(me: Mapping[str, Any]) -> tuple[str, ...]:
    told = me.get("userName"), me.get("applicationId")
    return tuple(name for name in told if isinstance(name, str) and name)
