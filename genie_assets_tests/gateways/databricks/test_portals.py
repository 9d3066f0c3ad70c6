"""A status alone is believed nowhere: portals and proxies answer 200 to everything, or 404, or 403."""

import base64

import pytest

from genie_assets.domain import ledger
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.sql.volumes import Volumes
from genie_assets.gateways.sql.warehouse import SqlWarehouse, WarehouseError
from genie_assets_tests.gateways.stub_server import Reply, StubServer

TOKEN = "dapi0123456789abcdef0123456789abcdef"
LOGIN_PAGE = Reply("<html><title>Sign in</title></html>", 200, content_type="text/html")
ELSE = {
    "a page": LOGIN_PAGE,
    "a page that says it was created": Reply("<html>", 201, content_type="text/html"),
    "JSON of somebody else": Reply({"status": "ok"}),
    "an error with status 200": Reply({"error_code": "PERMISSION_DENIED", "message": "no"}),
    "text": Reply("OK", content_type="text/plain"),
}
AS_IT_SHOULD_BE = {"204": Reply(b"", 204), "200": Reply(b""), "201": Reply(b"", 201), "an object": Reply({})}


@pytest.fixture
def stub():
    with StubServer(lambda _: Reply(b"", 204)).running() as server:
        yield server


def workspaces(stub, **login):
    login = login or {"token": TOKEN}
    return Workspaces(stub.url, policy=HostPolicy(["127.0.0.1"]), timeouts=Timeouts(5), **login)


def volumes(stub, attempts=2):
    return Volumes(workspaces(stub).home, retries=Retries(attempts=attempts, first_wait=0.01))


DEEDS = {
    "upload": lambda volumes: volumes.upload("/Volumes/a/b/c/x", b"rows"),
    "delete a file": lambda volumes: volumes.delete_file("/Volumes/a/b/c/x"),
    "delete a folder": lambda volumes: volumes.delete_folder("/Volumes/a/b/c"),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
@pytest.mark.parametrize("reply", ELSE.values(), ids=ELSE)
def test_nothing_was_done_where_something_else_answers(stub, deed, reply):
    """Taken for an upload, the statement that reads the file fails next, and speaks of missing grants."""
    stub.answer = lambda _: reply
    with pytest.raises(CallError) as caught:
        deed(volumes(stub))
    assert (caught.value.error.error_class, caught.value.error.http_status) == (
        ErrorClass.BAD_PAYLOAD,
        reply.status,
    )
    assert "Is it Databricks that answers?" in caught.value.error.message
    assert "Sign in" not in caught.value.error.message


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
@pytest.mark.parametrize("reply", AS_IT_SHOULD_BE.values(), ids=AS_IT_SHOULD_BE)
def test_what_databricks_may_say_is_taken(stub, deed, reply):
    stub.answer = lambda _: reply
    assert deed(volumes(stub))


def test_a_portal_that_passes_is_waited_out(stub):
    replies = [LOGIN_PAGE, Reply(b"", 204)]
    stub.answer = lambda _: replies.pop(0)
    assert volumes(stub).upload("/Volumes/a/b/c/x", b"rows")
    assert [request.body for request in stub.requests] == [b"rows"] * 2


@pytest.mark.parametrize("body", ["<html>404 page not found</html>", "", {"status": "not found"}])
def test_only_databricks_own_word_says_that_something_is_gone(stub, body):
    """A bare 404 may come from anything on the way; taken for a missing volume, one would be created."""
    stub.answer = lambda _: Reply(body, 404)
    for deed in (*DEEDS.values(), lambda volumes: volumes.names("/Volumes/a/b/c")):
        with pytest.raises(CallError) as caught:
            deed(volumes(stub))
        assert caught.value.error.http_status == 404
    stub.answer = lambda _: Reply({"error_code": "ENDPOINT_NOT_FOUND", "message": "no API"}, 404)
    with pytest.raises(CallError) as caught:
        DEEDS["delete a file"](volumes(stub))
    assert caught.value.error.error_class is ErrorClass.CONFIG


@pytest.mark.parametrize(("cancelled", "warned"), [(Reply({}), False), (Reply(b""), False), (LOGIN_PAGE, True)])
def test_a_cancel_is_believed_if_databricks_says_so(stub, caplog, cancelled, warned):
    def answer(request):
        if request.path.endswith("/cancel"):
            return cancelled
        return Reply({"statement_id": "s", "status": {"state": "RUNNING"}})

    stub.answer, now = answer, [0.0]
    warehouse = SqlWarehouse(
        workspaces(stub).home,
        "w1",
        timeout_seconds=10,
        clock=lambda: now[0],
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        retries=Retries(attempts=1),
    )
    with pytest.raises(WarehouseError, match="did not end within 10 seconds"):
        warehouse.query("SELECT 1")
    assert ("could not be cancelled" in caplog.text) == warned


PRINCIPAL = {"client_id": "app-1", "client_secret": "s3cret-of-the-principal"}
DISCOVERY = "/oidc/.well-known/oauth-authorization-server"


class Login:
    """An OAuth server: what it answers to discovery and to the login can be replaced."""

    def __init__(self, discovery=None, token=None):
        self.discovery, self.token = discovery, token

    def __call__(self, request):
        if request.path == DISCOVERY:
            return self.discovery or Reply({"error_code": "NOT_FOUND"}, 404)
        if request.path == "/oidc/v1/token":
            return self.token or Reply({"access_token": "good-token", "expires_in": 3600})
        return Reply({"ok": True})


def call_failure(http):
    with pytest.raises(CallError) as caught:
        http.call("GET", "/x")
    return caught.value


def test_where_tokens_are_is_not_learned_from_somebody_else(stub):
    """A portal's answer stayed in force for good: no login worked after it."""
    stub.answer = Login(discovery=Reply({"status": "ok"}))
    http = workspaces(stub, **PRINCIPAL).home()
    failed = call_failure(http)
    assert (failed.error.error_class, failed.transient) == (ErrorClass.BAD_PAYLOAD, True)
    assert "does not say where it gives out tokens" in failed.error.message
    stub.answer = Login(discovery=Reply("<html>", 404), token=Reply("<html>", 404))
    assert call_failure(http).error.error_class is ErrorClass.CONFIG
    stub.answer = Login(discovery=Reply({"token_endpoint": f"{stub.url}/oidc/v1/token"}))
    assert http.call("GET", "/x") == {"ok": True}
    assert stub.paths().count(DISCOVERY) == 3


@pytest.mark.parametrize(
    ("reply", "error_class"),
    [
        (Reply({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}, 404), ErrorClass.CONFIG),
        (Reply({"error_code": "PERMISSION_DENIED", "message": "no"}, 405), ErrorClass.AUTH),
        (Reply({"error": "invalid_client", "error_description": "wrong"}, 401), ErrorClass.AUTH),
        (Reply({"error_code": "INVALID_PARAMETER_VALUE"}, 422), ErrorClass.AUTH),
        (LOGIN_PAGE, ErrorClass.BAD_PAYLOAD),
        (Reply({"access_token": "x" * 2**21}), ErrorClass.BAD_PAYLOAD),
        (Reply({"access_token": "a\nb"}), ErrorClass.AUTH),
        (Reply({"access_token": "\u201ctoken\u201d"}), ErrorClass.AUTH),
        (Reply({"access_token": ["a"]}), ErrorClass.AUTH),
        (Reply({}, 503), ErrorClass.SERVER),
        (Reply({}, 429), ErrorClass.RATE_LIMITED),
    ],
)
def test_a_login_that_fails_says_nothing_of_a_message(stub, reply, error_class):
    """A 404 of the login in Databricks' shape made stored messages count as deleted."""
    stub.answer = Login(token=reply)
    error = call_failure(workspaces(stub, **PRINCIPAL).home()).error
    assert error.error_class is error_class
    assert not ledger.is_gone(error, was_stored=True)
    assert stub.url in error.message
    assert PRINCIPAL["client_secret"] not in error.message
    assert base64.b64encode(b"app-1:s3cret-of-the-principal").decode() not in error.message


@pytest.mark.parametrize("life", ["1e400", 10**400, "never", None, -5, True, [], {"a": 1}], ids=str)
def test_however_long_a_token_is_said_to_live_it_is_used_and_renewed(stub, life):
    """More digits than a float has were an OverflowError for all workspaces."""
    stub.answer = Login(token=Reply({"access_token": "good-token", "expires_in": life}))
    assert workspaces(stub, **PRINCIPAL).home().call("GET", "/x") == {"ok": True}


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"error_code": "403", "message": "Invalid access token."}, 403),
        Reply("<html><title>Invalid access token</title></html>", 403, content_type="text/html"),
        Reply({"error_code": "PERMISSION_DENIED", "message": "Token is expiring within 30 seconds"}, 403),
        Reply("Invalid Token", 403, content_type="text/plain"),
        Reply({"error_code": "PERMISSION_DENIED", "message": "Access token expired. Obtain a new one."}, 403),
        Reply({"error": "The token has been revoked"}, 403),
        Reply({"error_code": "403", "message": "Expired access token"}, 403),
    ],
)
def test_a_token_that_ran_out_may_come_back_as_403(stub, reply):
    """It is renewed as after a 401, and blamed on the login and not on the rights to a message."""
    stub.answer = lambda request: reply if request.path == "/x" else Login()(request)
    failed = call_failure(workspaces(stub, **PRINCIPAL).home())
    assert (failed.error.error_class, failed.transient) == (ErrorClass.AUTH, True)
    failed = call_failure(workspaces(stub).home())
    assert (failed.error.error_class, failed.transient) == (ErrorClass.AUTH, False)


_BLOCKED = "Source IP address: 192.0.2.7 is blocked by Databricks IP ACL for workspace: 12 [ReqId: 7d1f]"


@pytest.mark.parametrize("path", ["/x", "/oidc/v1/token"])
@pytest.mark.parametrize(
    "reply",
    [
        Reply({"error_code": 403, "message": _BLOCKED}, 403),
        Reply({"error_code": "PERMISSION_DENIED", "message": "Unauthorized network access to workspace: 12"}, 403),
        Reply(_BLOCKED, 403, content_type="text/plain"),
    ],
)
def test_a_403_of_the_network_is_one_of_the_way_and_not_of_a_grant(stub, reply, path):
    """To grant CAN MANAGE helps nobody whom an IP access list refuses, nor does a request for every message."""
    stub.answer = lambda request: reply if request.path == path else Login()(request)
    error = call_failure(workspaces(stub, **PRINCIPAL).home()).error
    assert error.error_class is ErrorClass.CONFIG
    assert error.message.endswith("must let in the address from which this runs)")
