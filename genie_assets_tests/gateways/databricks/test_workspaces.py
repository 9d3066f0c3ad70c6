"""Reaching workspaces, against a real HTTP server: logins, failures told apart, and nothing secret in them."""

import base64
import gzip
import logging
import re
import threading
import time
import traceback
from typing import Any

import pytest
from databricks.sdk.errors import DatabricksError

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.scrubbing import scrub_exception
from genie_assets_tests.gateways.stub_server import Reply, StubServer

TOKEN = "dapi0123456789abcdef0123456789abcdef"
SECRET = "s/ecret+of the pri:ncipal"
LOOPBACK = HostPolicy(["127.0.0.1"])
WHICH = "Unable to load OAuth Config"


@pytest.fixture
def stub():
    with StubServer(lambda request: Reply({"path": request.path})).running() as server:
        yield server


def connect(server, **options):
    options = {"token": TOKEN, "policy": LOOPBACK, "timeouts": Timeouts(2), **options}
    return Workspaces(server.url, **options).home()


def failure(http, method="GET", path="/api/x", **options):
    with pytest.raises(CallError) as caught:
        http.call(method, path, **options)
    return caught.value


def test_a_call_carries_login_query_and_body_and_brings_the_answer_untouched(stub):
    stub.answer = lambda _: Reply('{"user_id": 9223372036854775807, "text": "ä\\ud83d\\ude00"}')
    http = connect(stub)
    answer = http.call("POST", "/api/a%2Fb", query={"page_token": "a b&c=/"}, body={"x": "ü"})
    assert answer == {"user_id": 9223372036854775807, "text": "ä😀"}
    request = stub.requests[-1]
    assert (request.method, request.path) == ("POST", "/api/a%2Fb")
    assert request.query == {"page_token": "a b&c=/"}
    assert request.token == TOKEN
    assert request.headers["User-Agent"].startswith("genie-assets/")


def test_connections_are_kept_and_compressed_answers_understood(stub):
    stub.answer = lambda _: Reply(gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})
    http = connect(stub)
    assert [http.call("GET", "/x") for _ in range(5)] == [{"a": 1}] * 5
    assert len({request.peer for request in stub.requests}) == 1


LEAK = f"upstream connect error; request was: GET /x Authorization: Bearer {TOKEN}, token {TOKEN}"


@pytest.mark.parametrize(
    ("reply", "error_class", "transient"),
    [
        (Reply({"error_code": "PERMISSION_DENIED", "message": "no"}, 403), ErrorClass.PERMISSION, False),
        (Reply("Blocked by IP access list", 403, content_type="text/plain"), ErrorClass.PERMISSION, False),
        (Reply({"error_code": "RESOURCE_DOES_NOT_EXIST"}, 404), ErrorClass.NOT_FOUND, False),
        (Reply({"error_code": "RESOURCE_DOES_NOT_EXIST"}, 400), ErrorClass.NOT_FOUND, False),
        (Reply({"error_code": "ENDPOINT_NOT_FOUND"}, 404), ErrorClass.CONFIG, False),
        (Reply(b'\xef\xbb\xbf{"error_code": "ENDPOINT_NOT_FOUND"}', 404), ErrorClass.CONFIG, False),
        (Reply({"error_code": "INVALID_PARAMETER_VALUE"}, 400), ErrorClass.BAD_REFERENCE, False),
        (Reply("", 404), ErrorClass.NOT_FOUND, False),
        (Reply({"error_code": "UNAUTHENTICATED"}, 401), ErrorClass.AUTH, False),
        (Reply("<html><body>Log in</body></html>", 401, content_type="text/html"), ErrorClass.AUTH, False),
        (Reply({"error_code": "REQUEST_LIMIT_EXCEEDED"}, 429), ErrorClass.RATE_LIMITED, True),
        (Reply("slow down", 429, content_type="text/plain"), ErrorClass.RATE_LIMITED, True),
        (Reply({"error_code": "INTERNAL_ERROR"}, 500), ErrorClass.SERVER, True),
        (Reply({"error_code": "NOT_IMPLEMENTED"}, 501), ErrorClass.SERVER, False),
        (Reply(LEAK, 502, content_type="text/plain"), ErrorClass.SERVER, True),
        (Reply(LEAK, 503, content_type="text/plain"), ErrorClass.SERVER, True),
        (Reply("<title>Gateway Timeout</title>", 504, content_type="text/html"), ErrorClass.TIMEOUT, True),
        (Reply("TEMPORARILY_UNAVAILABLE: come back", 503), ErrorClass.SERVER, True),
        (Reply(b"\xff\xfe\x00", 500), ErrorClass.SERVER, True),
        (Reply([1, 2], 500), ErrorClass.SERVER, True),
        (Reply("<html>Sign in</html>", 200, content_type="text/html"), ErrorClass.BAD_PAYLOAD, True),
        (Reply("", 200), ErrorClass.BAD_PAYLOAD, True),
        (Reply('{"a": NaN}', 200), ErrorClass.BAD_PAYLOAD, True),
        (Reply("[" * 100_000, 200), ErrorClass.BAD_PAYLOAD, True),
        (Reply('{"a": 1', 200), ErrorClass.BAD_PAYLOAD, True),
        (Reply([{"message_id": "m"}], 200), ErrorClass.BAD_PAYLOAD, False),
        (Reply("null", 200), ErrorClass.BAD_PAYLOAD, False),
        (Reply("", 302, {"Location": "https://elsewhere.example/login.html"}), ErrorClass.CONFIG, False),
        (Reply({}, drop=True), ErrorClass.NETWORK, True),
        (Reply({"long": "x" * 100_000}, cut=True), ErrorClass.NETWORK, True),
        (Reply({}, hang_seconds=1.5), ErrorClass.TIMEOUT, True),
    ],
)
def test_each_way_to_fail_is_told_apart_and_shows_no_secret(stub, caplog, reply, error_class, transient):
    """SDK 0.60 writes the bearer token into its exception when it cannot parse a proxy's error."""
    caplog.set_level(logging.DEBUG)
    stub.answer = lambda _: reply
    failed = failure(connect(stub, timeouts=Timeouts(0.5)))
    assert (failed.error.error_class, failed.transient) == (error_class, transient)
    answered = not (reply.drop or reply.cut or reply.hang_seconds)
    assert failed.error.http_status == (reply.status if answered else None)
    everything = "".join(traceback.format_exception(failed)) + repr(failed.error) + caplog.text
    assert TOKEN not in everything
    assert failed.error.message


def test_what_the_server_says_is_kept(stub):
    stub.answer = lambda _: Reply(
        {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "Too many"}, 429, {"Retry-After": "12"}
    )
    error = failure(connect(stub)).error
    assert (error.http_status, error.error_code, error.retry_after_seconds) == (429, "REQUEST_LIMIT_EXCEEDED", 12)
    assert error.message == "429 REQUEST_LIMIT_EXCEEDED: Too many"


def test_a_refused_connection_and_an_unknown_host_are_network_errors(stub):
    with StubServer(lambda _: Reply({})).running() as other:
        gone = other
    assert failure(connect(gone)).error.error_class is ErrorClass.NETWORK
    unknown = Workspaces("https://no-such-host.invalid", token=TOKEN, policy=HostPolicy(["*.invalid"])).home()
    assert failure(unknown).error.error_class is ErrorClass.NETWORK


def test_an_answer_that_trickles_in_for_ever_is_given_up(stub):
    """A read timeout alone starts again with every byte."""
    stub.answer = lambda _: Reply({"long": "x" * 1000}, trickle_seconds=0.05)
    started = time.monotonic()
    assert failure(connect(stub, timeouts=Timeouts(0.3, reads=2))).error.error_class is ErrorClass.TIMEOUT
    assert time.monotonic() - started < 2


def test_no_redirect_is_followed_with_a_token(stub):
    with StubServer(lambda _: Reply({"stolen": True})).running() as thief:
        stub.answer = lambda request: Reply("", 307, {"Location": f"{thief.url}{request.path}"})
        for options in ({"token": TOKEN}, {"token": None, "client_id": "app", "client_secret": SECRET}):
            failure(connect(stub, **options))
        assert thief.requests == []


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        (None, "GENIE_WORKSPACE_URLS"),
        ("", "GENIE_WORKSPACE_URLS"),
        ("https://u@x.databricks.com", "no usable address"),
        ("https://databricks.com.evil.com", "GENIE_ALLOWED_HOSTS"),
        ("http://127.0.0.1:1", "GENIE_ALLOWED_HOSTS"),
    ],
)
def test_a_workspace_without_a_trusted_address_gets_no_request(url, complaint):
    workspaces = Workspaces("https://x.cloud.databricks.com", token=TOKEN)
    with pytest.raises(CallError, match=complaint) as caught:
        workspaces.http("42", url)
    assert caught.value.error.error_class is ErrorClass.CONFIG
    assert caught.value.error.http_status is None


def test_a_configured_address_wins_and_each_workspace_is_connected_to_once(stub):
    workspaces = Workspaces(stub.url, token=TOKEN, policy=LOOPBACK, urls={"42": stub.url})
    http = workspaces.http("42", "https://elsewhere.cloud.databricks.com")
    assert http.host == stub.url
    assert workspaces.http("42", f"{stub.url}/?o=42") is http
    assert workspaces.http("43", f"{stub.url}/") is workspaces.http("43", f"{stub.url.upper()}?w=43")
    assert workspaces.http("43", stub.url) is not http
    assert workspaces.home() is workspaces.home()


@pytest.mark.parametrize("login", [{}, {"token": None, "client_id": "app-1", "client_secret": SECRET}])
def test_every_request_says_which_workspace_it_is_for(stub, login):
    """A host of many workspaces refuses it otherwise, or lets another workspace answer."""
    stub.answer = lambda request: Reply({"access_token": "t"}, 404 if "well-known" in request.path else 200)
    workspaces = Workspaces(f"{stub.url}/?o=7", **{"token": TOKEN, "policy": LOOPBACK, **login})
    for named, http in (("7", workspaces.home()), ("42", workspaces.http("42", stub.url))):
        stub.requests.clear()
        http.call("GET", "/api/x")
        assert {request.headers.get("X-Databricks-Workspace-Id") for request in stub.requests} == {named}
    workspaces.client("42", stub.url).api_client.do("GET", "/api/x")
    assert stub.requests[-1].headers["X-Databricks-Workspace-Id"] == "42"


def test_an_address_of_another_workspace_and_an_id_that_no_header_holds(stub):
    workspaces = Workspaces(stub.url, token=TOKEN, policy=LOOPBACK)
    with pytest.raises(CallError, match="has the address of workspace 43") as caught:
        workspaces.http("42", f"{stub.url}/?o=43")
    assert caught.value.error.error_class is ErrorClass.CONFIG
    workspaces.http("4\r\nX-Evil: 2", stub.url).call("GET", "/x")
    assert not {"X-Databricks-Workspace-Id", "X-Evil"} & set(stub.requests[-1].headers)


def test_a_host_of_many_workspaces_that_was_not_told_which_one_says_what_to_write(stub):
    stub.answer = lambda _: Reply({"error_code": "INVALID_PARAMETER_VALUE", "message": WHICH}, 400)
    for options in ({}, {"token": None, "client_id": "app-1", "client_secret": SECRET}):
        failed = failure(connect(stub, **options))
        assert failed.error.error_class is ErrorClass.CONFIG
        assert "write its address as https://host/?o=<workspace id>" in failed.error.message


@pytest.mark.parametrize("first", [400, 404])
def test_the_host_itself_says_where_its_account_logs_in(stub, first):
    issuer = Issuer()

    def answer(request):
        if request.path == "/oidc/.well-known/oauth-authorization-server":
            return Reply({"error_code": "X", "message": WHICH}, first)
        if request.path == "/.well-known/databricks-config":
            return Reply({"oidc_endpoint": f"{stub.url}/oidc/accounts/{{account_id}}", "account_id": "a/1"})
        if request.path == "/oidc/accounts/a%2F1/.well-known/oauth-authorization-server":
            return Reply({"token_endpoint": f"{stub.url}/oidc/accounts/a%2F1/v1/token"})
        if request.path == "/oidc/accounts/a%2F1/v1/token":
            issuer.issued += 1
            return Reply({"access_token": f"issued-{issuer.issued}", "expires_in": 3600})
        return issuer(request)

    stub.answer = answer
    assert principal(stub).call("GET", "/api/x") == {"ok": True}
    assert issuer.issued == 1


def test_login_must_be_one_of_two():
    both = {"token": TOKEN, "client_id": "a", "client_secret": "b"}
    wrongs: list[dict[str, Any]] = [{}, both, {"client_id": "a"}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="either a token"):
            Workspaces("https://x.databricks.com", **wrong)


def test_credentials_of_the_environment_are_left_alone(stub, monkeypatch):
    """The SDK reads them by itself and refuses to choose, or shows headers if told so."""
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-of-somebody-else")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "x")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "y")
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "not-there")
    monkeypatch.setenv("DATABRICKS_DEBUG_HEADERS", "true")
    connect(stub).call("GET", "/x")
    assert stub.requests[-1].token == TOKEN


def test_proxies_of_the_environment_are_used_and_logins_of_netrc_are_not(stub, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\ndefault login some password body\n")
    monkeypatch.setenv("NETRC", str(netrc))
    connect(stub).call("GET", "/x")
    assert stub.requests[-1].token == TOKEN
    monkeypatch.setenv("http_proxy", stub.url)
    monkeypatch.setenv("no_proxy", "")
    far_away = Workspaces("http://far.example", token=TOKEN, policy=HostPolicy(["far.example"])).home()
    assert far_away.call("GET", "/x") == {"path": "/x"}
    assert stub.requests[-1].headers["Host"] == "far.example"


def test_the_sdk_client_shares_the_login(stub):
    stub.answer = lambda _: Reply(LEAK, 502, content_type="text/plain")
    client = Workspaces(stub.url, token=TOKEN, policy=LOOPBACK).client("1", stub.url)
    with pytest.raises(DatabricksError) as caught:
        client.api_client.do("GET", "/api/x")
    assert stub.requests[-1].token == TOKEN
    assert TOKEN not in scrub_exception(caught.value)


class Issuer:
    """An OAuth server: tokens `seconds` long; only the newest `good` ones are accepted."""

    def __init__(self, seconds=3600):
        self.seconds, self.issued, self.revoked, self.lock = seconds, 0, set(), threading.Lock()
        self.discovery = Reply({"error_code": "NOT_FOUND"}, 404)
        self.refusal: Reply | None = None
        self.hang_seconds = 0.0

    def __call__(self, request):
        if request.path.startswith("/oidc/.well-known"):
            return self.discovery
        if request.path == "/oidc/v1/token":
            if self.refusal:
                return self.refusal
            with self.lock:
                self.issued += 1
                token = {
                    "access_token": f"issued-{self.issued}",
                    "token_type": "Bearer",
                    "expires_in": self.seconds,
                }
            return Reply(token, hang_seconds=self.hang_seconds)
        known = re.fullmatch(r"issued-[0-9]+", request.token or "") and request.token not in self.revoked
        return Reply({"ok": True}) if known else Reply({"error_code": "UNAUTHENTICATED"}, 401)


def principal(server, **options):
    return connect(server, token=None, client_id="app-1", client_secret=SECRET, **options)


def token_requests(server):
    return [request for request in server.requests if request.path == "/oidc/v1/token"]


def test_a_service_principal_logs_in_once_for_all_threads(stub):
    stub.answer = Issuer()
    stub.answer.hang_seconds = 0.1
    http = principal(stub)
    assert stub.requests == []  # nothing is sent before the first call
    threads = [threading.Thread(target=http.call, args=("GET", "/api/x")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert stub.answer.issued == 1
    login = token_requests(stub)[0]
    scheme, encoded = login.headers["Authorization"].split()
    assert (scheme, base64.b64decode(encoded)) == ("Basic", b"app-1:s/ecret+of the pri:ncipal")
    assert login.body == b"grant_type=client_credentials&scope=all-apis"


def test_tokens_are_renewed_before_they_end(stub):
    """SDK 0.60 takes a token that lives shorter than 40 seconds for expired and asks for one per call."""
    stub.answer = Issuer(seconds=1)
    http = principal(stub)
    until = time.monotonic() + 2.2
    calls = 0
    while time.monotonic() < until:
        assert http.call("GET", "/api/x") == {"ok": True}
        calls += 1
        time.sleep(0.02)
    assert 3 <= stub.answer.issued <= 4 < calls


def test_a_refused_token_is_replaced_and_the_call_may_be_made_again(stub):
    stub.answer = Issuer()
    http = principal(stub)
    http.call("GET", "/api/x")
    stub.answer.revoked.add("issued-1")
    failed = failure(http)
    assert (failed.error.error_class, failed.transient) == (ErrorClass.AUTH, True)
    assert http.call("GET", "/api/x") == {"ok": True}
    assert stub.answer.issued == 2


def test_a_wrong_secret_is_an_auth_error_that_names_the_settings(stub):
    stub.answer = Issuer()
    stub.answer.refusal = Reply({"error": "invalid_client", "error_description": f"bad secret {SECRET}"}, 401)
    failed = failure(principal(stub))
    assert (failed.error.error_class, failed.transient) == (ErrorClass.AUTH, False)
    assert "DATABRICKS_CLIENT_SECRET" in failed.error.message
    assert SECRET not in "".join(traceback.format_exception(failed))


def test_a_login_that_hangs_ends_and_holds_up_nobody_for_long(stub):
    """SDK 0.60 asks for tokens without any timeout, one thread after the other."""
    stub.answer = Issuer()
    stub.answer.hang_seconds = 5
    http, failures, started = principal(stub, timeouts=Timeouts(0.4)), [], time.monotonic()
    threads = [threading.Thread(target=lambda: failures.append(failure(http))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert time.monotonic() - started < 2
    assert {failed.error.error_class for failed in failures} == {ErrorClass.TIMEOUT}
    assert len(failures) == 8


def test_the_secret_goes_only_to_hosts_that_are_allowed(stub):
    with StubServer(lambda _: Reply({"access_token": "x"})).running() as thief:
        stub.answer = Issuer()
        url = thief.url.replace("127.0.0.1", "localhost")
        stub.answer.discovery = Reply({"token_endpoint": f"{url}/oidc/v1/token"})
        failed = failure(principal(stub))
        assert failed.error.error_class is ErrorClass.CONFIG
        assert "GENIE_ALLOWED_HOSTS" in failed.error.message
        assert thief.requests == []


def test_a_login_answer_without_a_token_is_an_auth_error(stub):
    stub.answer = Issuer()
    stub.answer.refusal = Reply({"token_type": "Bearer"})
    assert failure(principal(stub)).error.error_class is ErrorClass.AUTH
