"""Reaching workspaces: which address, with which credentials, through which connections."""

import threading
from collections.abc import Mapping

from databricks.sdk import WorkspaceClient

from genie_assets.gateways.hosts import HostPolicy
from genie_assets.gateways.transport import WorkspaceHttp


class Workspaces:
    """Every workspace that can be reached, one connection pool and one login per host. Safe to share by threads.

    Nothing is sent when it is built. A host is asked for a token only at the first call to it, and only if the
    host policy allows that host.

    Args:
        home_url: The workspace that holds the warehouse.
        token: A personal access token, or
        client_id: the application id of a service principal, with
        client_secret: its secret.
        urls: Configured addresses by workspace id; they win over the addresses that callers bring.
        policy: Hosts that may be sent credentials.
        threads: Connections per host.
        timeout_seconds: How long to wait for a connection or for the next bytes of an answer.
    """

    def __init__(
        self,
        home_url: str,
        *,
        token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        urls: Mapping[str, str] | None = None,
        policy: HostPolicy | None = None,
        threads: int = 16,
        timeout_seconds: float = 60.0,
    ) -> None:
        raise NotImplementedError

    def http(self, workspace_id: str, url: str | None) -> WorkspaceHttp:
        """The connection to a workspace at `url`, or at its configured address.

        Raises:
            CallFailed: of class CONFIG, if it has no usable or no allowed address.
        """
        raise NotImplementedError

    def home(self) -> WorkspaceHttp:
        """The connection to the home workspace.

        Raises:
            CallFailed: of class CONFIG, if its host is not allowed.
        """
        raise NotImplementedError

    def client(self, workspace_id: str, url: str | None) -> WorkspaceClient:
        """The SDK's client of a workspace, with the same login, for the calls that the SDK models well.

        Its exceptions can hold a token: put them through `scrub_exception` before they are shown.

        Raises:
            CallFailed: of class CONFIG, if it has no usable or no allowed address.
        """
        raise NotImplementedError
