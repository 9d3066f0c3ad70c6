"""The connection to one workspace, logged in: JSON in and out, or bytes in."""

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from databricks.sdk.core import Config

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.run_costs import endpoint_of
from genie_assets.gateways.databricks.credentials import Login
from genie_assets.gateways.databricks.exchange import MOST_BYTES, HttpAnswer, Timeouts, exchange
from genie_assets.gateways.databricks.http_answers import (
    MOST_VALUES,
    answer_error,
    check_empty,
    json_object,
)
from genie_assets.gateways.databricks.metering import Meter
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.databricks.told_time import ToldTime


@dataclass(frozen=True)
class AnswerLimits:
    """What an answer may be.

    Args:
        most_bytes: Size of its body, packed and unpacked.
        most_values: Number of JSON values in it.
        seconds: How long to wait for all of it, if less than `Timeouts.whole`.
    """

    most_bytes: int = MOST_BYTES
    most_values: int = MOST_VALUES
    seconds: float | None = None


USUAL = AnswerLimits()


class WorkspaceHttp:
    """One workspace. Safe to share by threads.

    So many parameters: what it is made of, and who hears of its requests.

    Args:
        config: The SDK's configuration of it: host and user agent.
        login: Gives the tokens.
        session: Carries the requests.
        timeouts: How long to wait for an answer.
        told_time: Hears what time each good answer says it is.
        meter: Counts the requests.
    """

    def __init__(
        self,
        config: Config,
        login: Login,
        session: requests.Session,
        *,
        timeouts: Timeouts,
        told_time: ToldTime | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.meter = meter or Meter()
        self.host = str(config.host)
        self._user_agent = config.user_agent
        self._login = login
        self._session = session
        self._told_time = told_time or ToldTime()
        self._timeouts = timeouts

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        limits: AnswerLimits = USUAL,
    ) -> dict[str, Any]:
        """Make one call, once.

        Args:
            method: HTTP method.
            path: Path under the host, quoted.
            query: Query parameters, not quoted.
            body: JSON body.
            limits: What the answer may be.

        Returns:
            The JSON object of the answer, untouched.

        Raises:
            CallError: for every way to fail. After a 401 it is transient if another token may help.
        """
        return self.sized_call(method, path, query=query, body=body, limits=limits)[0]

    def sized_call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        limits: AnswerLimits = USUAL,
    ) -> tuple[dict[str, Any], int]:
        """As `call`, with the size of the answer in bytes."""
        options = {"params": query, **_json(body)}
        answer = self._exchange(method, path, limits, good=(200,), **options)
        return json_object(answer, most_values=limits.most_values), len(answer.body)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        data: bytes | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Make one call, once, whose answer says nothing but that it worked.

        Args:
            method: HTTP method.
            path: Path under the host, quoted.
            query: Query parameters, not quoted.
            data: The body, sent as it is, or
            body: a JSON body.

        Raises:
            CallError: as for `call`; and BAD_PAYLOAD, if the answer says anything else.
        """
        options = {"params": query, **_json(body)}
        if data is not None:
            options |= {"data": data, "content_type": "application/octet-stream"}
        check_empty(self._exchange(method, path, USUAL, good=(200, 201, 204), **options))

    def _exchange(
        self,
        method: str,
        path: str,
        limits: AnswerLimits,
        *,
        good: Collection[int],
        content_type: str | None = None,
        **options: Any,
    ) -> HttpAnswer:
        token = self._login.token()
        headers = {**self._login.headers, "Authorization": f"Bearer {token}", "User-Agent": self._user_agent}
        if content_type:
            headers["Content-Type"] = content_type
        with self.meter.request(endpoint_of(method, path)) as sent:
            answer = sent.answer = exchange(
                self._session,
                method,
                self.host + path,
                timeouts=self._timeouts,
                most_bytes=limits.most_bytes,
                seconds=limits.seconds,
                headers=headers,
                **options,
            )
        if answer.status not in good:
            raise self._failure(answer, token)
        self._told_time.heard(answer.headers.get("Date"))
        return answer

    def _failure(self, answer: HttpAnswer, token: str) -> CallError:
        failed = answer_error(answer, dt.datetime.now(dt.UTC), token)
        if failed.error.error_class is ErrorClass.AUTH and self._login.refuse(token):
            return CallError(failed.error, transient=True)
        return failed


def _json(body: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if body is None else {"data": json.dumps(body).encode(), "content_type": "application/json"}
