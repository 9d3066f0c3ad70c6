"""Reaching workspaces: which address, with which login, through which connections."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.credentials import Login, PersonalToken, ServicePrincipal
from genie_assets.gateways.hosts import HostPolicy, UnusableUrl, normalise_url
from genie_assets.gateways.retries import CallError
from genie_assets.gateways.scrubbing import register_secret, scrub_exception
from genie_assets.gateways.transport import WorkspaceHttp, pooled_session


@dataclass(frozen=True)
class _Connection:
    http: WorkspaceHttp
    client: WorkspaceClient


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
        policy: Hosts that may be sent credentials; Databricks' own by default.
        threads: Connections per host.
        timeout_seconds: How long to wait for the next bytes of an answer.
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
        if bool(token) == bool(client_id and client_secret):
            raise ValueError("give either a token, or a client id and its secret")
        for secret in filter(None, (token, client_secret)):
            register_secret(secret)
        self._home_url = home_url
        self._token, self._client_id, self._client_secret = token, client_id, client_secret
        self._urls = dict(urls or {})
        self._policy = policy or HostPolicy()
        self._threads, self._timeout_seconds = threads, timeout_seconds
        self._connections: dict[str, _Connection] = {}
        self._lock = threading.Lock()

    def http(self, workspace_id: str, url: str | None) -> WorkspaceHttp:
        """The connection to a workspace at its configured address, else at `url`.

        Raises:
            CallError: of class CONFIG, if it has no usable or no allowed address.
        """
        return self._connection(f"Workspace {workspace_id}", self._urls.get(workspace_id) or url).http

    def home(self) -> WorkspaceHttp:
        """The connection to the home workspace.

        Raises:
            CallError: of class CONFIG, if its host is not allowed.
        """
        return self._connection("DATABRICKS_HOST", self._home_url).http

    def client(self, workspace_id: str, url: str | None) -> WorkspaceClient:
        """The SDK's client of a workspace, with the same login, for the calls that the SDK models well.

        Its exceptions can hold a token: put them through `scrub_exception` before they are shown.

        Raises:
            CallError: of class CONFIG, if it has no usable or no allowed address.
        """
        return self._connection(f"Workspace {workspace_id}", self._urls.get(workspace_id) or url).client

    def _connection(self, who: str, url: str | None) -> _Connection:
        if not url:
            raise _misconfigured(
                f"{who} has no known address: it is not in system.access.workspaces_latest. "
                "Name it in GENIE_WORKSPACE_URLS."
            )
        try:
            host = normalise_url(url)
        except UnusableUrl as error:
            raise _misconfigured(f"{who} has no usable address: {error}.") from None
        with self._lock:
            connection = self._connections.get(host)
            if connection is None:
                # Asked before anything is built, so that no host outside the policy ever sees a credential.
                if not self._policy.allows(host):
                    raise _misconfigured(
                        f"{who} is at {host}, which is not a host of Databricks. If you trust it with your "
                        "credentials, add it to GENIE_ALLOWED_HOSTS."
                    )
                connection = self._connections[host] = self._connect(host)
        return connection

    def _connect(self, host: str) -> _Connection:
        session = pooled_session(host, self._threads)
        login: Login
        if self._token:
            login = PersonalToken(self._token)
        else:
            login = ServicePrincipal(
                host,
                self._client_id or "",
                self._client_secret or "",
                policy=self._policy,
                session=session,
            )
        try:
            config = Config(
                host=host,
                credentials_strategy=login,
                # Else the SDK objects to credentials of the environment, or reads the profile that it names.
                auth_type=login.auth_type(),
                profile="",
                product="genie-assets",
                product_version="0.1.0",
                http_timeout_seconds=self._timeout_seconds,
                retry_timeout_seconds=60,
                max_connection_pools=self._threads,
                max_connections_per_pool=self._threads,
                debug_headers=False,
            )
            return _Connection(
                WorkspaceHttp(config, login, session, timeout_seconds=self._timeout_seconds),
                WorkspaceClient(config=config),
            )
        except ValueError as error:
            text = f"The Databricks SDK cannot be set up for {host}: {scrub_exception(error)}"
        raise _misconfigured(text)


def _misconfigured(text: str) -> CallError:
    return CallError(FetchError(ErrorClass.CONFIG, text))
