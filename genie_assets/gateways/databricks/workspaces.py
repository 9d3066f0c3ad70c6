"""Reaching workspaces: which address, with which login, through which connections."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

from genie_assets.domain.outcomes import POLICIES, ErrorClass, FetchError
from genie_assets.domain.workspaces import is_running
from genie_assets.gateways.databricks.bounds import pooled_session
from genie_assets.gateways.databricks.credentials import Login, PersonalToken, of_a_login
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import Address, HostPolicy, UnusableUrl, read_address
from genie_assets.gateways.databricks.metering import Meter
from genie_assets.gateways.databricks.pasting import flaw
from genie_assets.gateways.databricks.principals import AzurePrincipal, ServicePrincipal, Tenant
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.databricks.told_time import ToldTime
from genie_assets.gateways.databricks.transport import WorkspaceHttp
from genie_assets.gateways.scrubbing import one_line, register_secret, scrub_exception


@dataclass(frozen=True)
class _Connection:
    http: WorkspaceHttp
    client: WorkspaceClient


class Workspaces:
    """Every workspace that can be reached, one connection pool and one login per host. Safe to share by threads.

    So many parameters: each is a setting of its own. Nothing is sent when it is built. A host is asked for a
    token only at the first call to it, and only if the host policy allows that host.

    Args:
        home_url: The workspace that holds the warehouse.
        token: A personal access token, or
        client_id: the application id of a service principal, with
        client_secret: its secret; and
        tenant: its directory, if it is Azure's and not Databricks' own.
        urls: Configured addresses by workspace id; they win over the addresses that callers bring.
        statuses: Gives all workspaces that the account lists, with their status; asked at the first use of an
            address that a caller brings. What the operator named an address for is asked, whatever its status.
        policy: Hosts that may be sent credentials; Databricks' own by default.
        threads: Connections per host.
        timeouts: How long to wait for an answer.
        meter: Counts what all of them are asked, and log-ins.

    Raises:
        ValueError: the login is not one of these, or cannot be what somebody meant to give.
    """

    def __init__(
        self,
        home_url: str,
        *,
        token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        tenant: Tenant | None = None,
        urls: Mapping[str, str] | None = None,
        statuses: Callable[[], Mapping[str, str | None]] | None = None,
        policy: HostPolicy | None = None,
        threads: int = 16,
        timeouts: Timeouts | None = None,
        meter: Meter | None = None,
    ) -> None:
        if bool(token) == bool(client_id and client_secret):
            raise ValueError("give either a token, or a client id and its secret")
        named = {"token": token, "client id": client_id, "client secret": client_secret}
        for name, text in (named | {"tenant id": tenant.id if tenant else None}).items():
            if text and (problem := flaw(text, blanks=name == "client secret")):
                raise ValueError(f"The {name} {problem}.")
        for secret in filter(None, (token, client_secret)):
            register_secret(secret)
        self._home_url = home_url
        self._token, self._tenant = token, tenant
        self._client_id, self._client_secret = client_id or "", client_secret or ""
        self._urls = dict(urls or {})
        self._ask_statuses, self._asking = statuses, threading.Lock()
        self._known_statuses: Mapping[str, str | None] | None = None
        self._policy = policy or HostPolicy()
        self._threads, self._timeouts = threads, timeouts or Timeouts()
        self._connections: dict[Address, _Connection] = {}
        self._lock = threading.Lock()
        self.told_time = ToldTime()
        """What time Databricks says it is, whichever workspace answered last."""
        self._meter = meter or Meter()

    def http(self, workspace_id: str, url: str | None) -> WorkspaceHttp:
        """The connection to a workspace at its configured address, else at `url`.

        Raises:
            CallError: of class CONFIG, if it has no usable or no allowed address; of class NOT_RUNNING, if it is
                banned, failed or not set up.
        """
        return self._workspace(workspace_id, url).http

    def home(self) -> WorkspaceHttp:
        """The connection to the home workspace.

        Raises:
            CallError: of class CONFIG, if its host is not allowed.
        """
        return self._connection("DATABRICKS_HOST", self._home_url, None).http

    def region(self, name: str, url: str) -> WorkspaceHttp:
        """The connection to the workspace that holds the warehouse of a further region.

        Raises:
            CallError: of class CONFIG, if its host is not allowed.
        """
        return self._connection(f"Region {name} of GENIE_REGIONS", url, None).http

    def client(self, workspace_id: str, url: str | None) -> WorkspaceClient:
        """The SDK's client of a workspace, with the same login, for the calls that the SDK models well.

        Its exceptions can hold a token: put them through `scrub_exception` before they are shown.

        Raises:
            CallError: as for `http`.
        """
        return self._workspace(workspace_id, url).client

    def _workspace(self, workspace_id: str, url: str | None) -> _Connection:
        configured = self._urls.get(workspace_id)
        status = None if configured else self._statuses().get(workspace_id)
        if status is not None and not is_running(status):
            text = (
                f"Workspace {workspace_id} is {one_line(status, 40)}, says system.access.workspaces_latest: "
                "it is not asked, and what is wanted of it waits until it runs."
            )
            raise CallError(FetchError(ErrorClass.NOT_RUNNING, text))
        return self._connection(f"Workspace {workspace_id}", configured or url, workspace_id)

    def explained(self, workspace_id: str, error: FetchError) -> FetchError:
        """A failure to reach a workspace, told as its end if the account does not list it any more.

        Databricks takes the row of a cancelled workspace away, and its host answers nobody, or with a page.
        """
        # One without an address may not be listed yet.
        is_unknown = error.error_class is ErrorClass.CONFIG and error.http_status is None
        # The list is asked for last: to read it takes a statement.
        if workspace_id in self._urls or is_unknown or not POLICIES[error.error_class].of_the_way:
            return error
        listed = self._statuses()
        if not listed or workspace_id in listed:
            return error
        text = (
            f"Workspace {workspace_id} cannot be reached, and system.access.workspaces_latest does not name it "
            "any more. If it was cancelled, close its errors with `genie-assets errors close --workspace ID`; if "
            f"it was not, name its address in GENIE_WORKSPACE_URLS. {error.message}"
        )
        # It holds for all that is wanted of it, asked for or not.
        return replace(error, error_class=ErrorClass.NOT_RUNNING, message=text, was_asked=True)

    def note_statuses(self, statuses: Mapping[str, str | None]) -> None:
        """Take note of all workspaces that the account lists, with their status: who has read it need not ask."""
        self._known_statuses = dict(statuses)

    def _statuses(self) -> Mapping[str, str | None]:
        with self._asking:
            if self._known_statuses is None:
                self._known_statuses = self._ask_statuses() if self._ask_statuses else {}
            return self._known_statuses

    def _connection(self, who: str, url: str | None, workspace_id: str | None) -> _Connection:
        if not url:
            raise _misconfigured(
                f"{who} has no known address: it is not in system.access.workspaces_latest. "
                "Name it in GENIE_WORKSPACE_URLS. Or let GENIE_WORKSPACES name only others, and close its errors "
                "with `genie-assets errors close --workspace ID`."
            )
        try:
            address = read_address(url)
        except UnusableUrl as error:
            raise _misconfigured(f"{who} has no usable address: {error}.") from None
        if workspace_id and address.workspace_id not in (None, workspace_id):
            raise _misconfigured(
                f"{who} has the address of workspace {address.workspace_id}, which would answer for it. Name its "
                "own in GENIE_WORKSPACE_URLS."
            )
        # Said even where the address does not: a host of many workspaces would answer for another one.
        address = address.naming(workspace_id)
        with self._lock:
            connection = self._connections.get(address)
            if connection is None:
                # Asked before anything is built, so that no host outside the policy ever sees a credential.
                if not self._policy.allows(address.host):
                    raise _misconfigured(
                        f"{who} is at {address.host}, which is not a host of Databricks. If you trust it with "
                        "your credentials, add it to GENIE_ALLOWED_HOSTS."
                    )
                connection = self._connections[address] = self._connect(address)
        return connection

    def _connect(self, address: Address) -> _Connection:
        session = pooled_session(address.host, self._threads)
        login = self._login(address, session)
        try:
            config = Config(
                host=address.host,
                credentials_strategy=login,
                # Else the SDK objects to credentials of the environment, or reads the profile that it names.
                auth_type=login.auth_type(),
                profile="",
                product="genie-assets",
                product_version="0.1.0",
                http_timeout_seconds=self._timeouts.read,
                retry_timeout_seconds=60,
                max_connection_pools=self._threads,
                max_connections_per_pool=self._threads,
                debug_headers=False,
            )
            return _Connection(
                WorkspaceHttp(
                    config,
                    login,
                    session,
                    timeouts=self._timeouts,
                    told_time=self.told_time,
                    meter=self._meter,
                ),
                WorkspaceClient(config=config),
            )
        except ValueError as error:
            text = f"The Databricks SDK cannot be set up for {address.host}: {scrub_exception(error)}"
        raise _misconfigured(text)

    def _login(self, address: Address, session: requests.Session) -> Login:
        if self._token:
            return PersonalToken(self._token, headers=address.headers)
        who = self._client_id, self._client_secret
        means: dict[str, Any] = {
            "session": session,
            "timeouts": of_a_login(self._timeouts),
            "meter": self._meter,
        }
        if self._tenant:
            return AzurePrincipal(address, self._tenant, *who, **means)
        return ServicePrincipal(address, *who, policy=self._policy, **means)


def _misconfigured(text: str) -> CallError:
    return CallError(FetchError(ErrorClass.CONFIG, text))
