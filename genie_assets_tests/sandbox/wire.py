"""Talking to a sandbox over HTTP without a client library, where a test is about the bytes on the wire."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

from genie_sandbox.client import SandboxProcess


@dataclass(frozen=True)
class Reply:
    """A response as it came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def call(
    url: str,
    path: str,
    token: str | None = None,
    *,
    method: str = "GET",
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """One request on a connection of its own; `body` is sent as JSON unless it is bytes."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    sent = {"Authorization": f"Bearer {token}"} if token else {}
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        connection.request(method, path, data, sent | (headers or {}))
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def genie_path(*ids: str) -> str:
    """The path of a space, of a conversation's messages or of a message, by how many ids are given."""
    space, conversation, message = (quote(name, safe="") for name in (*ids, "", "", "")[:3])
    path = f"/api/2.0/genie/spaces/{space}"
    if conversation:
        path += f"/conversations/{conversation}/messages"
    return f"{path}/{message}" if message else path


def workspace_client(sandbox: SandboxProcess, url: str | None = None, retry_seconds: int = 5) -> WorkspaceClient:
    """The real SDK, logged in as the service principal."""
    return WorkspaceClient(
        config=Config(
            host=url or sandbox.host,
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            retry_timeout_seconds=retry_seconds,
        )
    )
