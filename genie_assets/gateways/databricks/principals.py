"""Service principals: who gives out their tokens, and how it is asked.

Databricks' own log in at the workspace; those of Azure at Microsoft Entra ID, which knows no workspace.
"""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.credentials import Order, Renewed
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import Address, HostPolicy
from genie_assets.gateways.databricks.http_answers import json_object
from genie_assets.gateways.databricks.metering import Meter
from genie_assets.gateways.databricks.retries import CallError

_SERVER_PATH = "/.well-known/oauth-authorization-server"
_HOST_PATH = "/.well-known/databricks-config"
_TOKEN_PATH = "/oidc/v1/token"  # noqa: S105 - a path
# The id under which Entra ID knows Databricks, the same in every tenant.
_DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
# By the end of a workspace's host: where the tenants of its cloud log in.
_AUTHORITIES = {
    ".azure.us": "https://login.microsoftonline.us",
    ".azure.cn": "https://login.chinacloudapi.cn",
    "": "https://login.microsoftonline.com",
}


class ServicePrincipal(Renewed):
    """OAuth tokens of a service principal of Databricks, for one workspace.

    So many parameters: where, who, and the means, which tests replace.

    Args:
        address: The workspace.
        client_id: Application id.
        client_secret: Its secret.
        policy: Hosts that may be sent the secret; the host may name another one for its tokens.
        session: Carries the requests.
        timeouts: How long to wait for an answer.
        clock: Monotonic seconds.
        meter: Counts what is asked.
    """

    def __init__(
        self,
        address: Address,
        client_id: str,
        client_secret: str,
        *,
        policy: HostPolicy,
        session: requests.Session,
        timeouts: Timeouts,
        clock: Callable[[], float] = time.monotonic,
        meter: Meter | None = None,
    ) -> None:
        # As they are, as the SDK sends them; RFC 6749 would have them form-encoded first.
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        super().__init__(
            address.host,
            "DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET",
            (client_secret, basic),
            session=session,
            timeouts=timeouts,
            clock=clock,
            headers=address.headers,
            meter=meter,
        )
        self._host, self._policy, self._basic = address.host, policy, basic
        self._endpoint: str | None = None

    def auth_type(self) -> str:
        """As the SDK calls it."""
        return "oauth-m2m"

    def order(self) -> Order:
        """The workspace is asked where it gives out tokens, until one came from there."""
        return Order(
            self._endpoint or self._discover(),
            {"grant_type": "client_credentials", "scope": "all-apis"},
            {**self.headers, "Authorization": f"Basic {self._basic}"},
        )

    def was_served(self, order: Order) -> None:
        """Kept only now: where tokens are is not to be learned from somebody who gives out none."""
        self._endpoint = order.url

    def _discover(self) -> str:
        """Where the host gives out tokens. A host without discovery has it in the usual place."""
        try:
            endpoint = self._asked(f"{self._host}/oidc{_SERVER_PATH}").get("token_endpoint")
        except CallError as error:
            if error.error.http_status not in (400, 404):
                raise
            issuer = self._issuer()
            if issuer is None and error.error.http_status == 400:
                raise
            path = f"{issuer}{_SERVER_PATH}" if issuer else None
            endpoint = self._asked(path).get("token_endpoint") if path else self._host + _TOKEN_PATH
        return self._trusted(endpoint)

    def _issuer(self) -> str | None:
        """Where a host of many workspaces says that its account logs in; None if it says nothing."""
        try:
            told = self._asked(self._host + _HOST_PATH)
        except CallError:
            return None
        issuer, account = told.get("oidc_endpoint"), told.get("account_id")
        if not isinstance(issuer, str) or ("{account_id}" in issuer and not isinstance(account, str)):
            return None
        return self._trusted(issuer.replace("{account_id}", quote(str(account), safe="")).rstrip("/"))

    def _asked(self, url: str) -> dict[str, Any]:
        return json_object(self.exchange("GET", url, headers=self.headers))

    def _trusted(self, url: Any) -> str:
        """The URL, if it may be sent the secret."""
        if not isinstance(url, str):
            text = f"{self._host} does not say where it gives out tokens: is it Databricks that answers?"
            raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, text, http_status=200), transient=True)
        if url.startswith(f"{self._host}/"):
            return url
        origin = "/".join(url.split("/")[:3])
        if not self._policy.allows(origin):
            text = f"{self._host} gives out its tokens at a host that GENIE_ALLOWED_HOSTS does not allow."
            raise CallError(FetchError(ErrorClass.CONFIG, text))
        return url


@dataclass(frozen=True)
class Tenant:
    """The directory that an Azure service principal belongs to.

    Attributes:
        id: Its id, or a domain of it.
        authority: Where it logs in; by default where the tenants of the workspace's cloud do.
    """

    id: str
    authority: str | None = None

    def authority_for(self, host: str) -> str:
        """Where it logs in for a workspace at `host`."""
        return self.authority or next(login for end, login in _AUTHORITIES.items() if host.endswith(end))


class AzurePrincipal(Renewed):
    """Tokens of Microsoft Entra ID for an Azure service principal; each is good in every workspace of its tenant.

    So many parameters: who, and the means, which tests replace.

    Args:
        address: The workspace that it is for.
        tenant: Its directory.
        client_id: Application id.
        client_secret: Its secret.
        session: Carries the requests.
        timeouts: How long to wait for an answer.
        clock: Monotonic seconds.
        meter: Counts what is asked.
    """

    def __init__(
        self,
        address: Address,
        tenant: Tenant,
        client_id: str,
        client_secret: str,
        *,
        session: requests.Session,
        timeouts: Timeouts,
        clock: Callable[[], float] = time.monotonic,
        meter: Meter | None = None,
    ) -> None:
        authority = tenant.authority_for(address.host)
        super().__init__(
            authority,
            "the Azure service principal (ARM_CLIENT_ID, ARM_CLIENT_SECRET, ARM_TENANT_ID, or azure_credentials)",
            (client_secret,),
            session=session,
            timeouts=timeouts,
            clock=clock,
            headers=address.headers,
            meter=meter,
        )
        form: Mapping[str, str] = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "scope": f"{_DATABRICKS}/.default",
        }
        self._order = Order(f"{authority}/{quote(tenant.id, safe='')}/oauth2/v2.0/token", form, {})

    def auth_type(self) -> str:
        """As the SDK calls it."""
        return "azure-client-secret"

    def order(self) -> Order:
        """Always the same."""
        return self._order
