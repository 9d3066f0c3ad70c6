"""Logging in to a workspace: a personal token, or tokens that are asked for and renewed before they end.

Who gives out the tokens of a service principal, and how it is asked, is in `principals`. The SDK's own OAuth login
asks without a timeout, follows redirects with the secret, and goes to whatever address the host names. Ours plugs
into the SDK's `Config` in its place.
"""

import datetime as dt
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import requests
from databricks.sdk.credentials_provider import CredentialsProvider, CredentialsStrategy

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.run_costs import login_endpoint
from genie_assets.gateways.databricks.exchange import MIB, HttpAnswer, Timeouts, exchange
from genie_assets.gateways.databricks.http_answers import answer_error, json_object
from genie_assets.gateways.databricks.metering import Meter
from genie_assets.gateways.databricks.retries import CallError

_READ_SECONDS = 30.0  # others wait for a login
_LONGEST_SECONDS = 60.0  # for the whole of one answer
_EARLY_SECONDS = 60.0  # a token is renewed so long before it ends, or at four fifths of a short life
_LONGEST_LIFE_SECONDS = 24 * 3600.0
_TOKEN = re.compile(r"[!-~]{1,16384}")  # what a header can carry
# What a failed login must not be taken for: it says nothing of a message, least of all that it is gone.
_NOT_OF_A_MESSAGE = {
    ErrorClass.NOT_FOUND: ErrorClass.CONFIG,
    ErrorClass.PERMISSION: ErrorClass.AUTH,
    ErrorClass.BAD_REFERENCE: ErrorClass.AUTH,
    ErrorClass.TOO_BIG: ErrorClass.BAD_PAYLOAD,
}


class Login(CredentialsStrategy):
    """Gives the Authorization header for one host. Safe to share by threads.

    Args:
        headers: What every request to that host carries besides.
    """

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self.headers = dict(headers or {})

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
        return lambda: {**self.headers, "Authorization": f"Bearer {self.token()}"}


def of_a_login(timeouts: Timeouts) -> Timeouts:
    """How long a login is waited for where calls are waited for so long: no longer, and half a minute at most."""
    return replace(timeouts, read=min(timeouts.read, _READ_SECONDS))


class PersonalToken(Login):
    """A personal access token: good until its owner revokes it."""

    def __init__(self, token: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(headers)
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


@dataclass(frozen=True)
class Order:
    """How a token is asked for: the POST that brings it.

    Attributes:
        url: Who gives it out.
        form: What is sent.
        headers: What is sent besides.
    """

    url: str
    form: Mapping[str, str]
    headers: Mapping[str, str]


class Renewed(Login):
    """Tokens of a principal, one at a time, renewed before they end.

    So many parameters: what the tokens are for, whose they are, and the means, which tests replace.

    Args:
        place: For messages: at which host we log in.
        settings: For messages: where id and secret stand.
        secrets: What no message may hold.
        session: Carries the requests.
        timeouts: How long to wait for an answer.
        clock: Monotonic seconds.
        headers: What every request with the token carries besides.
        meter: Counts what is asked.
    """

    def __init__(
        self,
        place: str,
        settings: str,
        secrets: tuple[str, ...],
        *,
        session: requests.Session,
        timeouts: Timeouts,
        clock: Callable[[], float] = time.monotonic,
        headers: Mapping[str, str] | None = None,
        meter: Meter | None = None,
    ) -> None:
        super().__init__(headers)
        self._meter = meter or Meter()
        self._place, self._settings, self._secrets = place, settings, secrets
        self._session, self._timeouts, self._clock = session, timeouts, clock
        self._lock = threading.Lock()
        self._minted: _Minted | None = None
        self._failed_at, self._failure = float("-inf"), None  # type: float, CallError | None

    def order(self) -> Order:
        """How the next token is asked for.

        Raises:
            CallError: if that cannot be found out.
        """
        raise NotImplementedError

    def was_served(self, order: Order) -> None:
        """Told that a token came of an order."""

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
        try:
            order = self.order()
            asked_at = self._clock()
            answer = self.exchange("POST", order.url, headers=dict(order.headers), data=dict(order.form))
            body = json_object(answer)
        except CallError as failed:
            error = failed.error
            kind = _NOT_OF_A_MESSAGE.get(error.error_class, error.error_class)
            is_told = self._settings in error.message
            text = error.message if is_told else f"Logging in at {self._place}: {error.message}"
            problem = CallError(replace(error, error_class=kind, message=text), transient=failed.transient)
        else:
            token, seconds = body.get("access_token"), _seconds(body.get("expires_in"))
            if isinstance(token, str) and _TOKEN.fullmatch(token):
                self.was_served(order)
                return _Minted(token, asked_at + seconds - min(_EARLY_SECONDS, seconds / 5))
            text = f"{self._place} answered the login without a usable token."
            problem = CallError(FetchError(ErrorClass.AUTH, text, http_status=200))
        raise problem

    def exchange(self, method: str, url: str, **options: Any) -> HttpAnswer:
        """Ask whoever has to do with the login.

        Raises:
            CallError: if the answer is not 200; AUTH where it refuses us.
        """
        with self._meter.request(login_endpoint(method)) as sent:
            answer = sent.answer = exchange(
                self._session,
                method,
                url,
                timeouts=self._timeouts,
                most_bytes=MIB,
                seconds=_LONGEST_SECONDS,
                **options,
            )
        if answer.status == 200:
            return answer
        failed = answer_error(answer, dt.datetime.now(dt.UTC), *self._secrets)
        if answer.status not in (400, 401, 403) or failed.error.error_class is ErrorClass.CONFIG:
            raise failed
        text = f"{self._place} did not accept {self._settings}: {failed.error.message}"
        raise CallError(FetchError(ErrorClass.AUTH, text, answer.status, failed.error.error_code))


def _seconds(value: Any) -> float:
    """Life of a token. Databricks' is an hour; an answer that does not say is trusted for a minute."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    return min(max(0.0, seconds), _LONGEST_LIFE_SECONDS) if math.isfinite(seconds) else 60.0
