"""Who we are to Databricks: the names under which our own calls appear in the audit log."""

import logging

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.retries import CallError, Retries
from genie_assets.gateways.transport import WorkspaceHttp

_WILL_NOT_TELL = frozenset({ErrorClass.PERMISSION, ErrorClass.NOT_FOUND, ErrorClass.CONFIG})
_LOG = logging.getLogger(__name__)


def own_names(http: WorkspaceHttp) -> tuple[str, ...]:
    """User name and application id of the principal that is logged in; empty if the workspace does not tell.

    Raises:
        CallError: if the workspace cannot be asked. Guessing would count our own reads as usage.
    """
    try:
        me = Retries().call(lambda: http.call("GET", "/api/2.0/preview/scim/v2/Me"))
    except CallError as problem:
        if problem.error.error_class not in _WILL_NOT_TELL:
            raise
        _LOG.warning("Our own name is unknown, so our own reads may look like usage: %s", problem)
        return ()
    names = (me.get("userName"), me.get("applicationId"))
    return tuple(name for name in names if isinstance(name, str) and name)
