"""Asking a SQL warehouse, against a real HTTP server that speaks Statement Execution."""

import datetime as dt
import json
import logging
import threading

import pytest

from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.sql.warehouse import SqlWarehouse, WarehouseError
from genie_assets_tests.gateways.stub_server import Reply, StubServer

TOKEN = "dapi0123456789abcdef0123456789abcdef"
STATEMENTS = "/api/2.0/sql/statements/"
LONG = {"schema": {"columns": [{"name": "n", "type_name": "LONG"}]}}


def succeeded(rows, *, following=None, **manifest):
    result = {"data_array": rows} | ({} if following is None else {"next_chunk_index": following})
    return {
        "statement_id": "s/1",
        "status": {"state": "SUCCEEDED"},
        "manifest": LONG | manifest,
        "result": result,
    }


def failed(state, code="BAD_REQUEST", message="reasons"):
    error = {"error_code": code, "message": message}
    return {"statement_id": "s/1", "status": {"state": state, "error": error}}


@pytest.fixture
def stub():
    with StubServer(lambda _: Reply(succeeded([]))).running() as server:
        yield server


def warehouse_at(server, **options):
    workspaces = Workspaces(server.url, token=TOKEN, policy=HostPolicy(["127.0.0.1"]), timeouts=Timeouts(2))
    options = {"retries": Retries(attempts=3, first_wait=0.01), "sleep": lambda _: None, **options}
    return SqlWarehouse(workspaces.home, "w1", **options)


def numbers(frame):
    return list(frame["n"])


def test_a_statement_travels_with_named_typed_parameters_apart_from_its_text(stub):
    stub.answer = lambda _: Reply(succeeded([["1"], [None]]))
    frame = warehouse_at(stub).query("SELECT :d, :who", {"d": dt.date(2026, 8, 12), "who": "x' OR 1=1 --"})
    assert frame["n"].tolist()[0] == 1
    assert frame["n"].isna().tolist() == [False, True]
    request = json.loads(stub.requests[0].body)
    assert request == {
        "statement": "SELECT :d, :who",
        "warehouse_id": "w1",
        "parameters": [
            {"name": "d", "type": "DATE", "value": "2026-08-12"},
            {"name": "who", "type": "STRING", "value": "x' OR 1=1 --"},
        ],
        "wait_timeout": "30s",
        "on_wait_timeout": "CONTINUE",
        "format": "JSON_ARRAY",
        "disposition": "INLINE",
    }


def test_a_long_statement_is_waited_for_with_growing_waits_and_all_chunks_are_read(stub):
    states = ["PENDING", "RUNNING", "RUNNING", "RUNNING"]

    def answer(request):
        if request.path.endswith("/chunks/1"):
            return Reply({"data_array": [["3"]], "next_chunk_index": 2})
        if request.path.endswith("/chunks/2"):
            return Reply({"data_array": [["4"]], "next_chunk_index": None})
        if states:
            return Reply({"statement_id": "s/1", "status": {"state": states.pop(0)}})
        return Reply(succeeded([["1"], ["2"]], following=1, total_row_count=4))

    stub.answer = answer
    waits: list[float] = []
    assert numbers(warehouse_at(stub, sleep=waits.append).query("SELECT 1")) == [1, 2, 3, 4]
    assert waits == [0.5, 1, 2, 4]
    assert {request.path for request in stub.requests[1:5]} == {f"{STATEMENTS}s%2F1"}


def test_a_statement_that_takes_too_long_is_cancelled(stub):
    stub.answer = lambda _: Reply({"statement_id": "s/1", "status": {"state": "RUNNING"}})
    time = [0.0]

    def sleep(seconds):
        time[0] += seconds

    with pytest.raises(WarehouseError, match=r"within 60 seconds.*DATABRICKS_WAREHOUSE_ID"):
        warehouse_at(stub, timeout_seconds=60, clock=lambda: time[0], sleep=sleep).query("SELECT 1")
    assert stub.requests[-1].path == f"{STATEMENTS}s%2F1/cancel"
    assert 50 <= time[0] <= 60


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (failed("FAILED", message="[TABLE_OR_VIEW_NOT_FOUND] system.access.audit"), "SELECT on it granted"),
        (failed("FAILED", message="[INSUFFICIENT_PERMISSIONS] no USE SCHEMA"), "Grant USE CATALOG"),
        (failed("FAILED", message=f"boom, Bearer {TOKEN}"), "w1 refused a statement: boom"),
        (failed("CANCELED"), "canceled by the SQL warehouse w1"),
        (
            failed("RE\nQUEUED"),
            "w1 shows a statement in the unknown state RE QUEUED: reasons",
        ),
        (failed("CLOSED"), "closed by the SQL warehouse w1"),
        ({"status": {"state": "FAILED"}}, "no reason given"),
        ({"something": "else"}, "not Databricks' SQL API"),
        (succeeded([["1"]], total_row_count=2), "sent 1 of 2 rows"),
        (succeeded([["1"]], truncated=True), "cut it"),
        (succeeded([["x"]]), "column n is not a LONG"),
        (succeeded([["1"]], following=0), "twice"),
    ],
)
def test_a_statement_that_failed_with_status_200_is_one_clear_sentence(stub, body, complaint):
    """Taken for success, a FAILED statement is an empty audit log."""
    stub.answer = lambda _: Reply(body)
    with pytest.raises(WarehouseError, match=complaint) as caught:
        warehouse_at(stub).query("SELECT 1")
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (
            Reply({"error_code": "UNAUTHENTICATED", "message": "bad"}, 401),
            "DATABRICKS_CLIENT_SECRET.*DATABRICKS_TOKEN",
        ),
        (Reply({"error_code": "PERMISSION_DENIED", "message": "no"}, 403), "DATABRICKS_WAREHOUSE_ID.*CAN USE"),
        (Reply({"error_code": "RESOURCE_DOES_NOT_EXIST"}, 404), "no SQL warehouse w1 .DATABRICKS_WAREHOUSE_ID"),
        (Reply({"error_code": "INVALID_PARAMETER_VALUE"}, 400), "DATABRICKS_WAREHOUSE_ID"),
        (Reply("<html>", 200, content_type="text/html"), "DATABRICKS_HOST"),
        (Reply("", 302, {"Location": "/login.html"}), "DATABRICKS_HOST"),
        (Reply(f"upstream Authorization: Bearer {TOKEN}", 503, content_type="text/plain"), "503"),
        (Reply({}, drop=True), "DATABRICKS_HOST cannot be reached"),
    ],
)
def test_a_connection_that_fails_is_one_clear_sentence_that_names_the_setting(stub, reply, complaint):
    stub.answer = lambda _: reply
    with pytest.raises(WarehouseError, match=complaint) as caught:
        warehouse_at(stub).query("SELECT 1")
    assert TOKEN not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_host_that_is_not_allowed_is_never_sent_the_statement(stub):
    workspaces = Workspaces(stub.url, token=TOKEN)
    with pytest.raises(WarehouseError, match="GENIE_ALLOWED_HOSTS"):
        SqlWarehouse(workspaces.home, "w1").query("SELECT 1")
    assert stub.requests == []


def test_passing_trouble_is_retried(stub):
    troubles = [Reply({}, 503), Reply({}, drop=True)]
    stub.answer = lambda _: troubles.pop() if troubles else Reply(succeeded([["1"]]))
    assert numbers(warehouse_at(stub).query("SELECT 1")) == [1]


@pytest.mark.parametrize(
    "inline",
    [
        failed(
            "FAILED", message="Inline byte limit exceeded. Statements executed with disposition=INLINE can have…"
        ),
        failed("CLOSED"),
        succeeded([["1"]], truncated=True),
    ],
)
def test_a_result_too_big_to_come_inline_is_fetched_through_links_without_our_login(stub, caplog, inline):
    caplog.set_level(logging.DEBUG)
    attempts = []

    def stored(request):
        attempts.append(request)
        if len(attempts) == 1:
            return Reply({}, 503)
        return Reply([["1"], ["2"]] if request.path == "/part-0" else [["3"]])

    with StubServer(stored).running() as store:

        def link(number, following=None):
            url = f"{store.url}/part-{number}?X-Amz-Signature=presigned{number}"
            headers = {"x-needed": "yes"}
            entry = {"external_link": url, "http_headers": headers, "next_chunk_index": following}
            return {"external_links": [entry]}

        def answer(request):
            if request.path.endswith("/chunks/1"):
                return Reply(link(1))
            if json.loads(request.body)["disposition"] == "INLINE":
                return Reply(inline)
            return Reply(succeeded(None, total_row_count=3) | {"result": link(0, following=1)})

        stub.answer = answer
        assert numbers(warehouse_at(stub).query("SELECT 1")) == [1, 2, 3]
        assert all("Authorization" not in request.headers for request in store.requests)
        assert {request.headers["x-needed"] for request in store.requests} == {"yes"}
    assert "/part-0" not in caplog.text
    assert "presigned" not in caplog.text


def test_a_link_that_is_refused_or_not_https_is_an_error_without_the_link(stub):
    for url in (f"{stub.url}/part?sig=presigned", "http://store.example/part?sig=presigned"):
        result = {"result": {"external_links": [{"external_link": url}]}}

        def answer(request, result=result):
            if request.path == "/part":
                return Reply("expired sig=presigned", 403)
            return Reply(succeeded(None) | result)

        stub.answer = answer
        with pytest.raises(WarehouseError) as caught:
            warehouse_at(stub).query("SELECT 1")
        assert "presigned" not in str(caught.value)


def test_threads_may_ask_at_the_same_time(stub):
    stub.answer = lambda request: Reply(succeeded([[json.loads(request.body)["statement"]]]), hang_seconds=0.02)
    warehouse, found = warehouse_at(stub), {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: numbers(warehouse.query(str(n)))})) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == {n: [n] for n in range(8)}


def test_chunks_are_followed_by_their_link_where_no_number_is_named(stub):
    def answer(request):
        if request.path.endswith("/chunks/1"):
            return Reply({"data_array": [["2"]]})
        body = succeeded([["1"]])
        body["result"]["next_chunk_internal_link"] = f"{STATEMENTS}s%2F1/result/chunks/1?row_offset=1"
        return Reply(body)

    stub.answer = answer
    assert numbers(warehouse_at(stub).query("SELECT 1")) == [1, 2]


@pytest.mark.parametrize(("failures", "works"), [(2, True), (3, False)])
def test_a_statement_that_failed_in_passing_is_run_again(stub, failures, works):
    answers = [failed("FAILED", "TEMPORARILY_UNAVAILABLE")] * failures + [succeeded([["1"]])]
    stub.answer = lambda _: Reply(answers.pop(0))
    if works:
        assert numbers(warehouse_at(stub).query("SELECT 1")) == [1]
    else:
        with pytest.raises(WarehouseError, match="reasons"):
            warehouse_at(stub).query("SELECT 1")
    assert len(stub.requests) == 3


def test_a_statement_that_is_wrong_is_not_run_again(stub):
    stub.answer = lambda _: Reply(failed("FAILED"))
    with pytest.raises(WarehouseError):
        warehouse_at(stub).query("SELECT 1")
    assert len(stub.requests) == 1


CONFLICTS = [
    "[DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT] Transaction conflict detected",
    "[DELTA_CONCURRENT_DELETE_READ] A concurrent transaction deleted data",
    "io.delta.exceptions.ConcurrentAppendException: Files were added to partition",
    "[DELTA_METADATA_CHANGED] The metadata of the Delta table has been changed",
]


@pytest.mark.parametrize("message", CONFLICTS)
def test_a_write_that_met_another_writer_is_run_again(stub, message):
    """Delta refuses one of two writers that touch the same files; nothing of its statement was written."""
    answers = [failed("FAILED", message=message)] * 5 + [succeeded([["1"]])]
    stub.answer = lambda _: Reply(answers.pop(0))
    warehouse_at(stub).execute("MERGE INTO t")
    assert {json.loads(request.body)["statement"] for request in stub.requests} == {"MERGE INTO t"}
    assert len(stub.requests) == 6


def test_a_write_that_is_always_overtaken_ends_with_an_error(stub):
    stub.answer = lambda _: Reply(failed("FAILED", message=CONFLICTS[0]))
    with pytest.raises(WarehouseError, match="conflict") as caught:
        warehouse_at(stub).execute("MERGE INTO t")
    assert caught.value.passing
    assert len(stub.requests) == 8


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (
            "[TABLE_OR_VIEW_NOT_FOUND] The table `a`.`b` cannot be found.",
            "TABLE_OR_VIEW_NOT_FOUND",
        ),
        ("[A_B.C_D] what ends in [BRACKETS_TOO]", "A_B.C_D"),
        ("PERMISSION_DENIED: User does not have CREATE SCHEMA on Catalog 'main'.", "PERMISSION_DENIED"),
        ("[RequestId=1f ErrorClass=SCHEMA_DOES_NOT_EXIST] Schema 'a.b' does not exist.", "SCHEMA_DOES_NOT_EXIST"),
        ("com.databricks.X.UnityCatalogServiceException: PERMISSION_DENIED: no SELECT", "PERMISSION_DENIED"),
        # A name that sounds like another problem.
        ("[TABLE_OR_VIEW_NOT_FOUND] `main`.`external_links`.`t` cannot be found.", "TABLE_OR_VIEW_NOT_FOUND"),
        # Without one, the API's own code says at least something.
        ("something else: THIS_OR_THAT", "NOT_FOUND"),
    ],
)
def test_the_error_condition_of_a_refusal_is_known(stub, message, condition):
    stub.answer = lambda _: Reply(failed("FAILED", "not_found", message))
    with pytest.raises(WarehouseError) as caught:
        warehouse_at(stub).execute("CREATE TABLE t")
    assert caught.value.condition == condition
    assert len(stub.requests) == 1


def test_a_result_that_may_be_big_comes_through_links_from_the_start_and_part_by_part(stub):
    def answer(request):
        if request.path.startswith("/part-"):
            return Reply([[request.path[-1]]])
        links = [{"external_link": f"{stub.url}/part-{number}"} for number in (1, 2)]
        return Reply(succeeded(None, total_row_count=2) | {"result": {"external_links": links}})

    stub.answer = answer
    parts = [numbers(part) for part in warehouse_at(stub).batches("SELECT 1", by_links=True)]
    assert [part for part in parts if part] == [[1], [2]]
    posts = [json.loads(request.body) for request in stub.requests if request.method == "POST"]
    assert [post["disposition"] for post in posts] == ["EXTERNAL_LINKS"]


def test_a_link_that_expired_while_others_were_read_is_replaced(stub):
    """Links are good for some minutes, and a result may have many."""

    def answer(request):
        if request.path.startswith("/part-"):
            number, age = request.path[-1], request.query["age"]
            return Reply("expired", 403) if (number, age) == ("1", "old") else Reply([[number]])
        age = "new" if "/chunks/" in request.path else "old"
        links = [{"external_link": f"{stub.url}/part-{n}?age={age}", "chunk_index": n} for n in (0, 1)]
        if age == "new":
            return Reply({"external_links": links[int(request.path[-1]) :]})
        return Reply(succeeded(None, total_row_count=2) | {"result": {"external_links": links}})

    stub.answer = answer
    parts = [numbers(part) for part in warehouse_at(stub).batches("SELECT 1", by_links=True)]
    assert [part for part in parts if part] == [[0], [1]]
    assert [request.path for request in stub.requests if "/chunks/" in request.path] == [
        f"{STATEMENTS}s%2F1/result/chunks/1"
    ]


def test_an_answer_to_a_poll_need_not_repeat_the_id(stub):
    running = {"statement_id": "s/1", "status": {"state": "RUNNING"}}
    polled = [{"status": {"state": "RUNNING"}}, succeeded([["1"]]) | {"statement_id": None}]
    stub.answer = lambda request: Reply(running if request.method == "POST" else polled.pop(0))
    assert numbers(warehouse_at(stub).query("SELECT 1")) == [1]
    assert {request.path for request in stub.requests if request.method == "GET"} == {f"{STATEMENTS}s%2F1"}


@pytest.mark.parametrize("type_text", ["BIGINT", "bigint", "decimal(20,0)"])
def test_a_column_may_tell_its_type_as_text(stub, type_text):
    columns = {"schema": {"columns": [{"name": "n", "type_text": type_text}]}}
    stub.answer = lambda _: Reply(succeeded([["9007199254740993"]]) | {"manifest": columns})
    assert numbers(warehouse_at(stub).query("SELECT 1")) == [9007199254740993]


def test_a_result_in_parts_that_is_not_whole_is_an_error(stub):
    stub.answer = lambda _: Reply(succeeded([["1"]], total_row_count=2))
    with pytest.raises(WarehouseError, match="1 of 2 rows"):
        list(warehouse_at(stub).batches("SELECT 1"))


def test_an_empty_result_has_one_part_with_its_columns(stub):
    parts = list(warehouse_at(stub).batches("SELECT 1"))
    assert [list(part.columns) for part in parts] == [["n"]]


@pytest.mark.parametrize("state", ["PENDING", "SUCCEEDED"])
def test_a_statement_that_is_forgotten_is_not_taken_for_a_warehouse_that_is_not_there(stub, state):
    """The setting is right: who looked for another warehouse would look in vain."""
    gone = Reply({"error_code": "NOT_FOUND", "message": "The statement s/1 was not found."}, 404)
    began = succeeded([["1"]], following=1, total_row_count=2) | {"status": {"state": state}}
    stub.answer = lambda request: gone if request.method == "GET" else Reply(began)
    with pytest.raises(
        WarehouseError, match="knows the statement, or its result, no more: 404 NOT_FOUND"
    ) as raised:
        warehouse_at(stub).query("SELECT 1")
    assert "DATABRICKS_WAREHOUSE_ID" not in str(raised.value)
