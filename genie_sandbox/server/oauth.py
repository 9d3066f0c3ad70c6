"""Who may call the sandbox: OAuth M2M per workspace, as Databricks does it, and one personal access token."""

import base64
import binascii
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from genie_sandbox.account import ADMINISTRATOR, Principal
from genie_sandbox.responses import Answer, error_answer, json_answer
from genie_sandbox.server.refused_tokens import refused_token

TOKEN_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a token lasts, how long the caller is told that it does, and how it is refused when it has run out.

    `refused_as` is one of `refused_tokens.BODIES`, or None for the 401 that it should be.
    """

    seconds: float = TOKEN_SECONDS
    told_seconds: float = TOKEN_SECONDS
    refused_as: str | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    workspace_id: str
    ends_at: float  # of time.monotonic()
    refused_as: str | None = None


class Gatekeeper:
    """Issues tokens that are good in one workspace until they expire, and checks those that are presented.

    Args:
        principal: Who may log in.
        administrators_token: A personal access token of the administrator, good in every workspace.
    """

    def __init__(self, principal: Principal, administrators_token: str) -> None:
        self._principal = principal
        # Each with the refusal that it now meets, if it has run out.
        self._personal: dict[bytes, Answer | None] = {f"Bearer {principal.token}".encode(): None}
        self._administrators = f"Bearer {administrators_token}".encode()
        self._tokens: dict[bytes, _Token] = {}

    def refusal(self, headers: list[tuple[bytes, bytes]], workspace_id: str) -> Answer | None:
        """None when `headers` carry a credential that is good in the workspace, else the refusal to answer."""
        presented = _header(headers, b"authorization")
        if not presented:
            return error_answer(401, "Credential was not sent or was of an unsupported type for this API.")
        token = self._tokens.get(presented)
        if token is None:
            if presented in self._personal:
                return self._personal[presented]
            is_good = presented == self._administrators
            return None if is_good else error_answer(401, "Invalid access token.")
        if token.workspace_id != workspace_id:
            return error_answer(401, "The access token was issued for another workspace.")
        if token.ends_at <= time.monotonic():
            return refused_token(token.refused_as) if token.refused_as else _expired()
        return None

    def caller(self, headers: list[tuple[bytes, bytes]]) -> str:
        """Who sent a request that is let in: the account's principal, or the administrator."""
        is_administrator = _header(headers, b"authorization") == self._administrators
        return ADMINISTRATOR if is_administrator else self._principal.application_id

    def expire_personal(self, refused_as: str | None) -> int:
        """Let the personal access tokens have run out, and say how many there are; new ones are good."""
        refused = refused_token(refused_as) if refused_as else _expired()
        self._personal = dict.fromkeys(self._personal, refused)
        return len(self._personal)

    def expire_all(self, refused_as: str | None) -> int:
        """Let every token that was issued have run out, and say how many; personal ones do not by themselves."""
        now = time.monotonic()
        good = {name: token for name, token in self._tokens.items() if token.ends_at > now}
        self._tokens |= {name: _Token(token.workspace_id, now, refused_as) for name, token in good.items()}
        return len(good)

    def discovery(self, url: str) -> Answer:
        """The OAuth metadata of the workspace at `url`."""
        return json_answer(
            {
                "issuer": f"{url}/oidc",
                "authorization_endpoint": f"{url}/oidc/v1/authorize",
                "token_endpoint": f"{url}/oidc/v1/token",
                "grant_types_supported": ["client_credentials"],
                "scopes_supported": ["all-apis"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            }
        )

    def token(
        self, headers: list[tuple[bytes, bytes]], body: bytes, workspace_id: str, validity: Validity
    ) -> Answer:
        """Answer a token request. A token issued now is good as `validity` says."""
        form = {name: values[-1] for name, values in parse_qs(body.decode("latin-1")).items()}
        given = _basic(_header(headers, b"authorization")) or (
            form.get("client_id", ""),
            form.get("client_secret", ""),
        )
        if given != (self._principal.application_id, self._principal.client_secret):
            return _oauth_error(401, "invalid_client", "Client authentication failed")
        if form.get("grant_type") != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type", "Only client_credentials is supported")
        self._forget_expired()
        token = secrets.token_urlsafe(32)
        self._tokens[f"Bearer {token}".encode()] = _Token(
            workspace_id, time.monotonic() + validity.seconds, validity.refused_as
        )
        return json_answer(
            {
                "access_token": token,
                "token_type": "Bearer",
                "scope": "all-apis",
                "expires_in": int(validity.told_seconds),
            }
        )

    def host_metadata(self, url: str, account_id: str, workspace_id: str | None) -> Answer:
        """What the host at `url` says of itself; a unified one belongs to no workspace."""
        facts = {"oidc_endpoint": f"{url}/oidc", "account_id": account_id}
        return json_answer(facts | ({"workspace_id": workspace_id} if workspace_id else {}))

    def new_personal_token(self) -> Answer:
        """Another personal access token of the principal, good in every workspace."""
        token = f"dapi{secrets.token_hex(16)}"
        self._personal[f"Bearer {token}".encode()] = None
        return json_answer({"token_value": token, "token_info": {"token_id": secrets.token_hex(32)}})

    def me(self, entitlements: Mapping[str, Any]) -> Answer:
        """The SCIM record of the principal itself, which is that of a user, with its groups and entitlements."""
        groups = [{"display": name, "type": "direct", "value": name} for name in self._principal.groups]
        return json_answer(
            {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "id": str(self._principal.user_id),
                "userName": self._principal.application_id,
                "displayName": "genie-assets",
                "active": True,
                **({"groups": groups} if groups else {}),
                **entitlements,
            }
        )

    def _forget_expired(self) -> None:
        # An hour of grace: a client that is late shall hear "expired", not "invalid".
        before = time.monotonic() - TOKEN_SECONDS
        self._tokens = {name: token for name, token in self._tokens.items() if token.ends_at > before}


def _expired() -> Answer:
    return error_answer(401, "The access token expired.")


def _oauth_error(status: int, error: str, description: str) -> Answer:
    return json_answer({"error": error, "error_description": description}, status)


def _header(headers: list[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    return next((value for name, value in headers if name == wanted), b"")


def _basic(header: bytes) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        client_id, _, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, client_secret
