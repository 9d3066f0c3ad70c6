"""The connection to one workspace, logged in: JSON in and out, or bytes in."""

import datetime as dt
import json
from collections.abc import Collection, Mapping
from typing import Any

import requests
from databricks.sdk.core import Config
from requests.adapters import HTTPAdapter

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.credentials import Login
from genie_assets.gateways.exchange import HttpAnswer, answer_error, exchange, json_object
from genie_assets.gateways.retries import CallError

CONNECT_SECONDS = 10.0


def pooled_session(url: str, connections: int) -> requests.Session:
    """A session that keeps so many connections to one host open. It never retries by itself.

    Proxies and certificates that the environment names are looked up once; requests would do it for every
    request, at a quarter of its cost. And it would put a login of ~/.netrc in the place of ours.
    """
    session = requests.Session()
    environment = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify = environment["proxies"], environment["verify"]
    session.trust_env = False
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=connections, pool_block=False)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class WorkspaceHttp:
    """One workspace. Safe to share by threads.

    Args:
        config: The SDK's configuration of it: host and user agent.
        login: Gives the tokens.
        session: Carries the requests.
        timeout_seconds: How long to wait for the next bytes of an answer.
    """

    def __init__(self, config: Config, login: Login, session: requests.Session, *, timeout_seconds: float) -> None:
        self.host = str(config.host)
        self._user_agent = config.user_agent
        self._login = login
        self._session = session
        self._timeout = (min(CONNECT_SECONDS, timeout_seconds), timeout_seconds)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Make one call, once.

        Args:
            method: HTTP method.
            path: Path under the host, quoted.
            query: Query parameters, not quoted.
            body: JSON body.

        Returns:
            The JSON object of the answer, untouched.

        Raises:
            CallError: for every way to fail. After a 401 it is transient if another token may help.
        """
        options: dict[str, Any] = {"params": query}
        if body is not None:
            options |= {"data": json.dumps(body).encode(), "content_type": "application/json"}
        answer = self._exchange(method, path, good=(200,), **options)
        return json_object(answer)

    def send(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, data: bytes | None = None
    ) -> None:
        """Make one call, once, whose answer says nothing but that it worked.

        Args:
            method: HTTP method.
            path: Path under the host, quoted.
            query: Query parameters, not quoted.
            data: The body, sent as it is.

        Raises:
            CallError: as for `call`.
        """
        options: dict[str, Any] = {"params": query}
        if data is not None:
            options |= {"data": data, "content_type": "application/octet-stream"}
        self._exchange(method, path, good=(200, 201, 204), **options)

    def _exchange(
        self, method: str, path: str, *, good: Collection[int], content_type: str | None = None, **options: Any
    ) -> HttpAnswer:
        token = self._login.token()
        headers = {"Authorization": f"Bearer {token}", "User-Agent": self._user_agent}
        if content_type:
            headers["Content-Type"] = content_type
        answer = exchange(
            self._session,
            method,
            self.host + path,
            timeout=self._timeout,
            secrets=(token,),
            headers=headers,
            **options,
        )
        if answer.status not in good:
            raise self._failure(answer, token)
        return answer

    def _failure(self, answer: HttpAnswer, token: str) -> CallError:
        failed = answer_error(answer, dt.datetime.now(dt.UTC), token)
        if failed.error.error_class is ErrorClass.AUTH and self._login.refuse(token):
            return CallError(failed.error, transient=True)
        return failed
