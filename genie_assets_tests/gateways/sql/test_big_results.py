"""Results of statements are bounded, too: inline, behind links, and all together."""

import json

import pytest

from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.sql.results import ResultLimits
from genie_assets.gateways.sql.warehouse import SqlWarehouse, WarehouseError
from genie_assets_tests.gateways.databricks.test_bounds import bomb
from genie_assets_tests.gateways.stub_server import Reply, StubServer

TOKEN = "dapi0123456789abcdef0123456789abcdef"
MIB = 2**20
COLUMNS = {"schema": {"columns": [{"name": "n", "type_name": "STRING"}]}}


@pytest.fixture
def stub():
    with StubServer(lambda _: Reply({})).running() as server:
        yield server


def warehouse(stub, **limits):
    workspaces = Workspaces(stub.url, token=TOKEN, policy=HostPolicy(["127.0.0.1"]), timeouts=Timeouts(30))
    return SqlWarehouse(
        workspaces.home,
        "w1",
        retries=Retries(attempts=2, first_wait=0.01),
        sleep=lambda _: None,
        limits=ResultLimits(**limits),
    )


def succeeded(**result):
    return {"statement_id": "s", "status": {"state": "SUCCEEDED"}, "manifest": COLUMNS, "result": result}


def sentence(stub, **limits):
    with pytest.raises(WarehouseError) as caught:
        warehouse(stub, **limits).query("SELECT 1")
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_twenty_five_mib_come_inline(stub):
    """As much as the API sends so, and what JSON adds to it."""
    rows = [[f'"{"x" * 1000}"'] for _ in range(25 * 1024)]
    stub.answer = lambda _: Reply(succeeded(data_array=rows))
    frame = warehouse(stub).query("SELECT 1")
    assert len(frame) == len(rows)


def test_more_than_that_is_refused_in_whatever_form(stub):
    for reply in (
        Reply(bomb(100), headers={"Content-Encoding": "gzip"}),
        Reply(b'{"a": "' + b"x" * (65 * MIB) + b'"}'),
        Reply(b'{"a": [' + b"[]," * 11_000_000 + b"[]]}"),
    ):
        stub.answer = lambda _, reply=reply: reply
        assert sentence(stub).startswith(
            "The answer at DATABRICKS_HOST is bigger than any of Databricks' SQL API: "
        )
        stub.requests.clear()


def test_a_linked_result_has_a_limit_of_its_own(stub):
    limits = {"linked_bytes": MIB, "linked_values": 10_000}
    linked = [Reply([["x"]])]
    link = {"external_links": [{"external_link": f"{stub.url}/part?sig=presigned"}]}
    stub.answer = lambda request: linked[0] if request.path == "/part" else Reply(succeeded(**link))
    assert warehouse(stub, **limits).query("SELECT 1")["n"].tolist() == ["x"]
    for reply in (
        Reply(bomb(50), headers={"Content-Encoding": "gzip"}),
        Reply(json.dumps([["x" * 2 * MIB]])),
        Reply(json.dumps([[]] * 20_000)),
    ):
        linked[0] = reply
        told = sentence(stub, **limits)
        assert told.startswith("A linked result of the SQL warehouse could not be fetched: The answer ")
        assert "presigned" not in told


def test_a_store_that_fails_is_not_taken_for_the_workspace(stub):
    with StubServer(lambda _: Reply({})).running() as store:
        pass
    link = {"external_links": [{"external_link": f"{store.url}/part?sig=presigned"}]}
    stub.answer = lambda _: Reply(succeeded(**link))
    assert sentence(stub) == (
        "A linked result of the SQL warehouse could not be fetched: "
        f"127.0.0.1:{store.port} refuses the connection: nothing listens there."
    )


def test_all_parts_together_have_a_limit_where_they_are_held_at_once(stub):
    numbers = iter(range(1, 1000))

    def answer(request):
        return Reply(succeeded(data_array=[["x" * MIB]], next_chunk_index=next(numbers)) | chunk())

    def chunk():
        return {"data_array": [["x" * MIB]], "next_chunk_index": next(numbers)}

    stub.answer = answer
    assert sentence(stub, held_bytes=3 * MIB) == "A result is too big to be held at once: more than 3 MiB."
    parts = 0
    for part in warehouse(stub, held_bytes=3 * MIB).batches("SELECT 1"):
        parts += len(part)
        if parts == 20:
            break
    assert parts == 20
