"""Logging in to a workspace: a personal token, or OAuth tokens of a service principal.

The SDK's own OAuth login asks for tokens without a timeout, follows redirects with them, and goes to whatever
address the host names. This one plugs into the SDK's `Config` in its place.
"""

import base64
import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from databricks.sdk.credentials_provider import CredentialsProvider, CredentialsStrategy

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.exchange import answer_error, exchange, json_object
from genie_assets.gateways.hosts import HostPolicy
from genie_assets.gateways.retries import CallError

_DISCOVERY_PATH = "/oidc/.well-known/oauth-authorization-server"
_TOKEN_PATH = "/oidc/v1/token"  # noqa: S105 - a path
_TIMEOUT = (10.0, 30.0)  # connect, read; seconds
_EARLY_SECONDS = 60.0  # a token is renewed so long before it ends, or at four fifths of a short life


class Login(CredentialsStrategy):
    """Gives the Authorization header for one host. Safe to share by threads."""

    def auth_type(self) -> str:
        """Names the kind of login in the SDK's user agent."""
        raise NotImplementedError

    def token(self) -> str:
        """A token that is good now; asks for one if need be.

        Raises:
            CallError: if none can be had.
        """
        raise NotImplementedError

    def refuse(self, token: str) -> bool:
        """Tell that the host refused `token`. Returns whether the next one may be another."""
        raise NotImplementedError

    def __call__(self, cfg: Any) -> CredentialsProvider:  # noqa: ARG002 - the SDK's signature
        """What the SDK calls for its headers."""
        return lambda: {"Authorization": f"Bearer {self.token()}"}


class PersonalToken(Login):
    """A personal access token: good until its owner revokes it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_type(self) -> str:
        """As the SDK calls it."""
        return "pat"

    def token(self) -> str:
        """The token."""
        return self._token

    def refuse(self, token: str) -> bool:  # noqa: ARG002 - there is only this one
        """There is no other."""
        return False


@dataclass(frozen=True)
class _Minted:
    token: str
    renew_at: float


class ServicePrincipal(Login):
    """OAuth tokens of a service principal, one at a time, renewed before they end.

    Args:
        host: The workspace, `https://host`.
        client_id: Application id.
        client_secret: Its secret.
        policy: Hosts that may be sent the secret; the host may name another one for its tokens.
        session: Carries the requests.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        host: str,
        client_id: str,
        client_secret: str,
        *,
        policy: HostPolicy,
        session: requests.Session,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host, self._policy, self._session, self._clock = host, policy, session, clock
        self._secret = client_secret
        # As they are, as the SDK sends them; RFC 6749 would have them form-encoded first.
        pair = f"{client_id}:{client_secret}"
        self._basic = base64.b64encode(pair.encode()).decode()
        self._lock = threading.Lock()
        self._endpoint: str | None = None
        self._minted: _Minted | None = None
        self._failed_at, self._failure = float("-inf"), None  # type: float, CallError | None

    def auth_type(self) -> str:
        """As the SDK calls it."""
        return "oauth-m2m"

    def token(self) -> str:
        """The present token, or a new one if it ends soon or was refused."""
        minted = self._minted
        if minted is not None and self._clock() < minted.renew_at:
            return minted.token
        came = self._clock()
        with self._lock:
            if self._minted is not None and self._clock() < self._minted.renew_at:
                return self._minted.token
            # Whoever waited while another thread failed shares its failure, instead of failing in turn.
            if self._failure is not None and self._failed_at >= came:
                raise CallError(self._failure.error, transient=self._failure.transient)
            try:
                self._minted, self._failure = self._mint(), None
            except CallError as error:
                self._failed_at, self._failure = self._clock(), error
                raise
            return self._minted.token

    def refuse(self, token: str) -> bool:
        """Forget `token`, so that the next call asks for another."""
        with self._lock:
            if self._minted is not None and self._minted.token == token:
                self._minted = None
        return True

    def _mint(self) -> _Minted:
        if self._endpoint is None:
            self._endpoint = self._discover()
        asked_at = self._clock()
        answer = self._exchange(
            "POST",
            self._endpoint,
            headers={"Authorization": f"Basic {self._basic}"},
            data={"grant_type": "client_credentials", "scope": "all-apis"},
        )
        body = json_object(answer)
        token, seconds = body.get("access_token"), _seconds(body.get("expires_in"))
        if not isinstance(token, str) or not token:
            raise CallError(
                FetchError(ErrorClass.AUTH, f"{self._host} answered the login without a token.", answer.status)
            )
        return _Minted(token, asked_at + seconds - min(_EARLY_SECONDS, seconds / 5))

    def _discover(self) -> str:
        """Where the host gives out tokens. A host without discovery has it in the usual place."""
        try:
            endpoint = json_object(self._exchange("GET", self._host + _DISCOVERY_PATH)).get("token_endpoint")
        except CallError as error:
            if error.error.http_status != 404:
                raise
            endpoint = None
        endpoint = endpoint if isinstance(endpoint, str) else self._host + _TOKEN_PATH
        if endpoint.startswith(f"{self._host}/"):
            return endpoint
        origin = "/".join(endpoint.split("/")[:3])
        if not self._policy.allows(origin):
            text = f"{self._host} gives out its tokens at a host that GENIE_ALLOWED_HOSTS does not allow."
            raise CallError(FetchError(ErrorClass.CONFIG, text))
        return endpoint

    def _exchange(self, method: str, url: str, **options: Any) -> Any:
        answer = exchange(self._session, method, url, timeout=_TIMEOUT, secrets=(self._secret,), **options)
        if answer.status == 200:
            return answer
        failed = answer_error(answer, dt.datetime.now(dt.UTC), self._secret, self._basic)
        if answer.status not in (400, 401, 403):
            raise failed
        text = (
            f"{self._host} did not accept DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET: "
            f"{failed.error.message}"
        )
        raise CallError(FetchError(ErrorClass.AUTH, text, answer.status, failed.error.error_code))


def _seconds(value: Any) -> float:
    """Life of a token. Databricks' is an hour; an answer that does not say is trusted for a minute."""
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return 60.0
