"""Tokens that run out as a 403, the one address of all workspaces, and a server whose time is not ours."""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from genie_assets_tests.sandbox.accounts import ANCHOR, ELSEWHERE, FIRST, HOUR, SALES, SECOND
from genie_assets_tests.sandbox.wire import call, genie_path
from genie_sandbox.client import SandboxProcess

MESSAGE = genie_path(SALES, "talk", "m000")
BODIES = {
    "code": ("application/json", b'{"error_code":"403","message":"Invalid access token."}'),
    "page": ("text/html;charset=iso-8859-1", b"<title>Error 403 Invalid access token.</title>"),
    "expiring": ("application/json", b'"error_code":"PERMISSION_DENIED","message":"Token is expiring within 30 s'),
    "text": ("text/plain; charset=utf-8", b"Invalid Token"),
}
FORM = b"grant_type=client_credentials&client_id=%s&client_secret=%s"


@pytest.fixture
def faulty(sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    yield sandbox
    sandbox.clear_faults()
    sandbox.tell_time()


def token_of(sandbox: SandboxProcess, url: str, headers: dict[str, str] | None = None, query: str = "") -> str:
    secret = sandbox.client_secret.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D").replace(":", "%3A")
    form = FORM % (sandbox.client_id.encode(), secret.encode())
    reply = call(url, f"/oidc/v1/token{query}", method="POST", body=form, headers=headers)
    assert reply.status == 200
    return str(reply.json()["access_token"])


@pytest.mark.parametrize("body", BODIES)
def test_tokens_run_out_as_a_403_until_a_new_one_is_asked_for(faulty: SandboxProcess, body: str) -> None:
    token = token_of(faulty, faulty.host)
    assert call(faulty.host, MESSAGE, token).status == 200
    assert faulty.expire_tokens(refused_as=body) >= 1
    refused = call(faulty.host, MESSAGE, token)
    kind, text = BODIES[body]
    assert (refused.status, refused.headers["content-type"]) == (403, kind)
    assert text in refused.body
    assert call(faulty.host, MESSAGE, token_of(faulty, faulty.host)).status == 200
    assert call(faulty.host, MESSAGE, faulty.token).status == 200


def test_tokens_run_out_as_a_401_by_default_and_may_be_short_lived_from_the_start(faulty: SandboxProcess) -> None:
    token = token_of(faulty, faulty.host)
    faulty.expire_tokens()
    assert call(faulty.host, MESSAGE, token).status == 401
    faulty.faults({"effect": "token_ttl", "seconds": 0.001, "told_seconds": 3600, "refused_as": "text"})
    short_lived = token_of(faulty, faulty.host)
    time.sleep(0.01)  # ten times its life
    assert call(faulty.host, MESSAGE, short_lived).body == b"Invalid Token"


def test_a_403_of_a_token_can_stay_whatever_token_is_shown(faulty: SandboxProcess) -> None:
    faulty.faults({"effect": "token_refused", "body": "page", "route": "get_message"})
    for token in (faulty.token, token_of(faulty, faulty.host)):
        assert call(faulty.host, MESSAGE, token).status == 403
    assert call(faulty.host, genie_path(SALES), faulty.token).status == 200
    with pytest.raises(RuntimeError, match="refused_as must be one of"):
        faulty.expire_tokens(refused_as="never")


@pytest.mark.parametrize("name", ["X-Databricks-Workspace-Id", "X-Databricks-Org-Id", "o", "w"])
def test_the_unified_host_answers_for_the_workspace_that_a_request_names(
    sandbox: SandboxProcess, name: str
) -> None:
    def ask(workspace_id: str, path: str) -> int:
        headers = {name: workspace_id} if "-" in name else {}
        query = "" if headers else f"?{name}={workspace_id}"
        token = token_of(sandbox, sandbox.unified_host, headers, query)
        return call(sandbox.unified_host, path + query, token, headers=headers).status

    assert ask(FIRST, MESSAGE) == 200
    assert ask(SECOND, genie_path(ELSEWHERE, "talk", "m000")) == 200
    assert ask(SECOND, MESSAGE) == 404


@pytest.mark.parametrize("headers", [{}, {"X-Databricks-Workspace-Id": "9"}])
@pytest.mark.parametrize("path", [MESSAGE, "/oidc/.well-known/oauth-authorization-server"])
def test_the_unified_host_refuses_whoever_names_no_workspace(
    sandbox: SandboxProcess, path: str, headers: dict[str, str]
) -> None:
    refused = call(sandbox.unified_host, path, sandbox.token, headers=headers)
    assert (refused.status, refused.json()["message"]) == (400, "Unable to load OAuth Config")


def test_hosts_say_what_they_are(sandbox: SandboxProcess) -> None:
    path = "/.well-known/databricks-config"
    of_one = call(sandbox.host, path).json()
    assert of_one == {"oidc_endpoint": f"{sandbox.host}/oidc", "account_id": "account", "workspace_id": FIRST}
    of_all = call(sandbox.unified_host, path).json()
    assert of_all == {"oidc_endpoint": f"{sandbox.unified_host}/oidc", "account_id": "account"}


def test_the_server_may_tell_another_time(faulty: SandboxProcess) -> None:
    def told() -> float:
        return parsedate_to_datetime(call(faulty.host, MESSAGE, faulty.token).headers["date"]).timestamp()

    at_first = told()
    faulty.tell_time(skew_seconds=-300)
    assert 240 < at_first - told() <= 300
    faulty.tell_time(of="sandbox", skew_seconds=300)
    assert told() == ANCHOR // 1000 + 300
    with pytest.raises(RuntimeError, match="give of, which is machine or sandbox"):
        faulty.tell_time(of="nobody")


@pytest.mark.servers
def test_the_clock_can_begin_before_the_end_of_the_account(data: Path) -> None:
    with SandboxProcess(data, sql=False, clock_ms=ANCHOR - 5 * HOUR) as earlier:
        assert earlier.now_ms() == ANCHOR - 5 * HOUR
        assert call(earlier.host, genie_path(SALES, "change", "changing"), earlier.token).status == 404
        earlier.set_clock(ANCHOR)
        assert call(earlier.host, genie_path(SALES, "change", "changing"), earlier.token).status == 200
