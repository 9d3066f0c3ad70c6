"""Whatever JSON comes with a 200, it is an answer or one sentence: a wrong type anywhere is never a traceback."""

import copy
import json
import time
from functools import cache
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer, MessagesRequest, ReadProbe
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.identity import own_names
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.sql.volumes import Volumes
from genie_assets.gateways.sql.warehouse import SqlWarehouse, WarehouseError
from genie_assets_tests.gateways.genie.server import message as one_message
from genie_assets_tests.gateways.genie.server import outcome as outcome_of
from genie_assets_tests.gateways.stub_server import Reply, StubServer

TOKEN = "dapi0123456789abcdef0123456789abcdef"
ONCE = Retries(attempts=1)
MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

# What a portal, a proxy or a mistaken address may say.
PORTALS: list[Any] = [
    {"status": "ok"},
    {"status": "ok", "message": "Welcome"},
    {"status": ["SUCCEEDED"]},
    {"status": {"state": "SUCCEEDED"}},
    {"status": {"state": 7}},
    {"error": "not found"},
    {"data": [], "result": "none", "manifest": []},
    {},
    [],
    None,
    "ok",
    17,
]
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["abc", "-1", "1", "1e400", "SUCCEEDED", "RUNNING", "FAILED", "CLOSED", "s", "m", "c"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)

STATEMENT: dict[str, Any] = {
    "statement_id": "s1",
    "status": {"state": "SUCCEEDED", "error": {"error_code": "BAD_REQUEST", "message": "no"}},
    "manifest": {
        "schema": {
            "column_count": 2,
            "columns": [
                {"name": "n", "type_name": "LONG", "position": 0},
                {"name": "t", "type_name": "TIMESTAMP", "type_text": "TIMESTAMP"},
            ],
        },
        "total_row_count": 3,
        "truncated": False,
    },
    "result": {
        "chunk_index": 0,
        "row_count": 1,
        "data_array": [["1", "2026-01-01T00:00:00Z"]],
        "next_chunk_index": 1,
        "next_chunk_internal_link": "/api/2.0/sql/statements/s1/result/chunks/1",
    },
}
LINKS: dict[str, Any] = {
    "external_links": [
        {
            "external_link": "HERE/part",
            "http_headers": {"x": "y"},
            "chunk_index": 1,
            "row_count": 2,
            "next_chunk_index": None,
        }
    ]
}
ROWS: list[Any] = [["2", None], ["3", "2026-01-02 00:00:00"]]


def nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, item in items for each in nodes(item, (*path, key)))]


@st.composite
def nearly(draw: st.DrawFn, right: Any) -> Any:
    """A right answer, in which one or two things are something else or missing."""
    value = copy.deepcopy(right)
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(nodes(value)))
        if not path:
            return draw(ODD)
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        if draw(st.booleans()):
            parent[path[-1]] = draw(ODD)
        else:
            del parent[path[-1]]
    return value


@pytest.fixture(scope="module")
def stub():
    with StubServer(lambda _: Reply({})).running() as server:
        yield server


@cache
def workspaces(stub):
    return Workspaces(stub.url, token=TOKEN, policy=HostPolicy(["127.0.0.1"]), timeouts=Timeouts(5))


def outcome(call):
    try:
        return call()
    except CallError as failed:
        return failed.error


def answering(stub, *, statement=STATEMENT, chunk=LINKS, rows=ROWS):
    def answer(request):
        if request.path.endswith("/part"):
            return Reply(rows)
        if "/chunks/" in request.path:
            return Reply(json.dumps(chunk).replace("HERE", stub.url))
        return Reply(json.dumps(statement).replace("HERE", stub.url))

    stub.answer = answer


def ask(stub):
    """The result of a query, or the sentence that took its place."""
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    warehouse = SqlWarehouse(
        workspaces(stub).home, "w1", retries=ONCE, clock=lambda: now[0], sleep=sleep, timeout_seconds=30
    )
    try:
        return warehouse.query("SELECT 1")
    except WarehouseError as error:
        sentence = str(error)
        assert sentence
        assert sentence.isprintable()
        assert len(sentence) < 1500
        return sentence


def test_the_right_answer_is_right(stub):
    answering(stub)
    assert ask(stub)["n"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("body", PORTALS, ids=str)
def test_a_portal_in_the_place_of_the_warehouse(stub, body):
    answering(stub, statement=body)
    found = ask(stub)
    assert isinstance(found, pd.DataFrame | str)
    if body != {"status": {"state": "SUCCEEDED"}}:
        assert "DATABRICKS_HOST" in found


@MANY
@given(statement=nearly(STATEMENT))
def test_an_odd_statement(stub, statement):
    answering(stub, statement=statement)
    assert isinstance(ask(stub), pd.DataFrame | str)


@MANY
@given(chunk=nearly(LINKS), rows=nearly(ROWS))
def test_an_odd_chunk_or_an_odd_linked_result(stub, chunk, rows):
    answering(stub, chunk=chunk, rows=rows)
    assert isinstance(ask(stub), pd.DataFrame | str)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"statement": STATEMENT | {"status": "ok"}}, "status is not an object"),
        ({"statement": STATEMENT | {"manifest": []}}, "manifest is not an object"),
        ({"statement": STATEMENT | {"manifest": {"total_row_count": "abc"}}}, "total_row_count is not a number"),
        ({"statement": STATEMENT | {"result": {"data_array": [None]}}}, "data_array is not a list of rows"),
        ({"statement": STATEMENT | {"result": {"data_array": "rows"}}}, "data_array is not a list of rows"),
        ({"statement": STATEMENT | {"result": {"next_chunk_index": -1}}}, "next_chunk_index is not a number"),
        ({"statement": STATEMENT | {"result": {"data_array": [["1", None]], "row_count": 2}}}, "1 of 2 rows"),
        ({"statement": {"status": {"state": "RUNNING"}}}, "statement_id is not there"),
        ({"chunk": [1, 2]}, "not an object"),
        ({"chunk": {"external_links": [7]}}, "external_links is not a list of objects"),
        ({"chunk": {"external_links": [{"external_link": 7}]}}, "external_link is not text"),
        ({"chunk": {"external_links": [{"external_link": "https://[::1"}]}}, "not https"),
        ({"rows": {"status": "ok"}}, "something else than the linked rows"),
        ({"rows": [1, 2]}, "a linked result is not a list of rows"),
        ({"rows": []}, "0 of 2 rows of a part"),
        ({"rows": "<html>"}, "something else than the linked rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_odd_part_of_a_result_is_named(stub, changes, complaint):
    answering(stub, **changes)
    assert complaint in ask(stub)


def test_a_result_that_goes_on_and_on_is_left(stub):
    """More rows than were announced, chunk by chunk: counted at the end only, they would fill the memory."""
    numbers = iter(range(1, 10**9))
    asked = []

    def answer(request):
        asked.append(request.path)
        more = {"data_array": [["1", None]], "next_chunk_index": next(numbers)}
        return Reply(more if "/chunks/" in request.path else STATEMENT)

    stub.answer = answer
    assert ask(stub) == "The SQL warehouse sent 4 of 3 rows of a result."
    assert len(asked) < 10


MESSAGE = {
    "message_id": "m",
    "conversation_id": "c",
    "status": "COMPLETED",
    "attachments": [{"text": {"content": "x"}}],
}
PAGE = {"messages": [MESSAGE, {"message_id": "n", "conversation_id": "c"}], "next_page_token": "t"}
SPACE = {"space_id": "s", "title": "t", "serialized_space": "{}"}
SPACES = {"spaces": [SPACE], "next_page_token": ""}


def genie(stub):
    return GenieApi(workspaces(stub), threads=2, retries=ONCE, pacer_of=lambda _: Pacer(5000))


def genie_answers(stub, *, page=PAGE, message=MESSAGE, space=SPACE, spaces=SPACES, probe=SPACES):
    def answer(request):
        parts = request.path.split("/")[5:]
        if not parts:
            return Reply(spaces)
        if len(parts) == 1:
            return Reply(space)
        if len(parts) == 2:
            return Reply(probe)
        return Reply(
            message if len(parts) == 5 else page if "page_token" not in request.query else {"messages": []}
        )

    stub.answer = answer


@MANY
@given(page=nearly(PAGE), message=nearly(MESSAGE), space=nearly(SPACE), spaces=nearly({"spaces": [SPACE]}))
def test_an_odd_answer_of_the_genie_api_is_a_value(stub, page, message, space, spaces):
    genie_answers(stub, page=page, message=message, space=space, spaces=spaces, probe=page)
    api = genie(stub)
    assert isinstance(one_message(api, stub, "m"), Answer | FetchError)
    assert isinstance(api.get_space("1", stub.url, "s"), Answer | FetchError)
    assert isinstance(outcome_of(api, ReadProbe("1", stub.url, "s")), FetchError | None)
    listed = api.list_spaces("1", stub.url)
    assert all(isinstance(each.body["space_id"], str) for each in listed.spaces)
    request = MessagesRequest("1", stub.url, "s", "c", ("m", "n"), "LIST")
    (result,) = api.fetch([request], deadline=time.monotonic() + 20)
    assert {"m", "n"} <= result.answers.keys() | result.errors.keys()


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206])
def test_a_good_status_that_brings_no_message_is_no_failure_of_the_server(stub, status):
    """Taken for one, it counted against asking the workspace any further."""
    stub.answer = lambda _: Reply(b"" if status == 204 else MESSAGE, status)
    found = one_message(genie(stub), stub, "m")
    assert isinstance(found, FetchError)
    assert (found.error_class, found.http_status, found.burden) == (ErrorClass.BAD_PAYLOAD, status, 0)


def test_no_habit_of_a_list_loses_a_message(stub):
    """An empty page, tokens that a URL cannot hold as they are, entries again, numbers as texts, a BOM."""
    token = "a+b/c==&page_size=1 %2F \u00fc?#"
    entries = [
        {"message_id": name, "conversation_id": "c", "created_timestamp": "1795000000000"} for name in "mno"
    ]
    pages = {
        None: {"next_page_token": "empty"},
        "empty": {"messages": [], "next_page_token": token},
        token: {"messages": entries[:2], "next_page_token": "last"},
        "last": {"messages": [None, *entries[:0:-1]], "next_page_token": ""},
    }
    bodies = {name: b"\xef\xbb\xbf" + json.dumps(page).encode() for name, page in pages.items()}
    stub.answer = lambda request: Reply(bodies[request.query.get("page_token")])
    stub.requests.clear()
    request = MessagesRequest("1", stub.url, "s", "c", ("m", "n", "o"), "LIST")
    (result,) = genie(stub).fetch([request], deadline=time.monotonic() + 20)
    assert (result.answers.keys(), len(stub.requests)) == ({"m", "n", "o"}, 4)


@pytest.mark.parametrize("body", [each for each in PORTALS if each not in ({},)], ids=str)
def test_a_portal_is_no_empty_list(stub, body):
    """Taken for one, a workspace had no spaces, and everybody was allowed to read everything."""
    genie_answers(stub, spaces=body, probe=body)
    listed = genie(stub).list_spaces("1", stub.url)
    assert listed.error is not None
    assert listed.error.error_class is ErrorClass.BAD_PAYLOAD
    refused = outcome_of(genie(stub), ReadProbe("1", stub.url, "s"))
    assert refused is not None
    assert refused.error_class is ErrorClass.BAD_PAYLOAD


def test_an_empty_list_may_be_left_out(stub):
    bodies: list[dict[str, Any]] = [{}, {"spaces": []}, {"spaces": [], "more": 1}, {"next_page_token": ""}]
    for body in bodies:
        genie_answers(stub, spaces=body)
        assert genie(stub).list_spaces("1", stub.url).error is None


@MANY
@given(body=nearly({"userName": "me", "applicationId": "app", "emails": []}))
def test_who_we_are_is_a_name_or_a_failure(stub, body):
    stub.answer = lambda _: Reply(body)
    names = outcome(lambda: own_names(workspaces(stub).home()))
    if isinstance(names, FetchError):
        assert names.error_class is ErrorClass.BAD_PAYLOAD
    else:
        assert names
        assert all(isinstance(name, str) for name in names)


@MANY
@given(page=nearly({"contents": [{"path": "/Volumes/a/b/c/x", "is_directory": False}], "next_page_token": ""}))
def test_an_odd_list_of_a_folder(stub, page):
    stub.answer = lambda request: Reply({"contents": []} if request.query else page)
    names = outcome(lambda: Volumes(workspaces(stub).home, retries=ONCE).names("/Volumes/a/b/c"))
    if isinstance(names, FetchError):
        assert names.error_class is ErrorClass.BAD_PAYLOAD
    else:
        assert names is not None
        assert all("/" not in name and name not in ("", ".", "..") for name in names)


def test_a_folder_that_never_ends_is_left(stub):
    numbers = iter(range(10**9))
    stub.answer = lambda _: Reply({"contents": [], "next_page_token": str(next(numbers))})
    with pytest.raises(CallError, match="does not end after 20 pages"):
        Volumes(workspaces(stub).home, retries=ONCE, most_pages=20).names("/Volumes/a/b/c")


LOGIN = {"access_token": "good-token", "token_type": "Bearer", "expires_in": 3600}


@MANY
@given(discovery=nearly({"token_endpoint": "HERE/oidc/v1/token", "issuer": "x"}), login=nearly(LOGIN))
def test_an_odd_login_is_a_failure_that_is_no_messages(stub, discovery, login):
    def answer(request):
        if request.path.endswith("oauth-authorization-server"):
            return Reply(json.dumps(discovery).replace("HERE", stub.url))
        return Reply(login if request.path == "/oidc/v1/token" else {"ok": True})

    stub.answer = answer
    http = Workspaces(
        stub.url, client_id="app", client_secret="s7cr7t-of-the-app", policy=HostPolicy(["127.0.0.1"])
    ).home()
    found = outcome(lambda: http.call("GET", "/x"))
    if isinstance(found, FetchError):
        assert found.error_class in (ErrorClass.AUTH, ErrorClass.CONFIG, ErrorClass.BAD_PAYLOAD)
        assert found.message.isprintable()
    else:
        assert found == {"ok": True}
