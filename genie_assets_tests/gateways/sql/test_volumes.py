"""Files in volumes, against a real HTTP server."""

from urllib.parse import unquote

import pytest

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.sql.volumes import Volumes
from genie_assets_tests.gateways.stub_server import Reply, StubServer

TOKEN = "dapi0123456789abcdef0123456789abcdef"
FILES, FOLDERS = "/api/2.0/fs/files", "/api/2.0/fs/directories"
GONE = Reply({"error_code": "NOT_FOUND", "message": "no such volume"}, 404)
HOSTILE = "/Volumes/main/it's #1?/v/a b%2F..\u2603/1.parquet"


@pytest.fixture
def stub():
    with StubServer(lambda _: Reply(b"", 204)).running() as server:
        yield server


@pytest.fixture
def volumes(stub):
    workspaces = Workspaces(stub.url, token=TOKEN, policy=HostPolicy(["127.0.0.1"]), timeouts=Timeouts(2))
    return Volumes(workspaces.home, retries=Retries(attempts=3, first_wait=0.01))


def test_a_file_is_sent_as_it_is_to_its_quoted_path(stub, volumes):
    data = bytes(range(256)) * 3
    assert volumes.upload(HOSTILE, data)
    (request,) = stub.requests
    assert (request.method, request.query, request.body) == ("PUT", {"overwrite": "true"}, data)
    assert request.headers["Content-Type"] == "application/octet-stream"
    assert request.token == TOKEN
    assert request.path.count("/") == (FILES + HOSTILE).count("/")
    assert "?" not in request.path
    assert unquote(request.path) == FILES + HOSTILE


def test_files_and_folders_are_deleted_by_their_quoted_paths(stub, volumes):
    assert volumes.delete_file(HOSTILE)
    assert volumes.delete_folder(HOSTILE)
    assert [(request.method, unquote(request.path)) for request in stub.requests] == [
        ("DELETE", FILES + HOSTILE),
        ("DELETE", FOLDERS + HOSTILE),
    ]


def test_a_folder_is_listed_to_its_last_page(stub, volumes):
    pages = {
        "": {"contents": [{"path": "/Volumes/a/b/c/x", "is_directory": True}], "next_page_token": "t/1"},
        "t/1": {"next_page_token": "t/2"},
        "t/2": {"contents": [{"path": "/Volumes/a/b/c/y z"}], "next_page_token": ""},
    }
    stub.answer = lambda request: Reply(pages[request.query.get("page_token", "")])
    assert volumes.names("/Volumes/a/b/c") == ["x", "y z"]
    assert [request.query for request in stub.requests] == [{}, {"page_token": "t/1"}, {"page_token": "t/2"}]


def test_pages_that_go_round_in_a_circle_come_to_an_end(stub, volumes):
    stub.answer = lambda _: Reply({"contents": [{"path": "/Volumes/a/b/c/x"}], "next_page_token": "same"})
    assert volumes.names("/Volumes/a/b/c") == ["x", "x"]


def test_what_is_gone_is_an_answer(stub, volumes):
    """Two runs may sweep the same leftovers, and a volume may have to be created first."""
    stub.answer = lambda _: GONE
    assert volumes.names("/Volumes/a/b/c") is None
    assert not volumes.upload("/Volumes/a/b/c/x", b"")
    assert not volumes.delete_file("/Volumes/a/b/c/x")
    assert not volumes.delete_folder("/Volumes/a/b/c")
    assert [(request.method, request.path) for request in stub.requests] == [
        ("GET", f"{FOLDERS}/Volumes/a/b/c"),
        ("PUT", f"{FILES}/Volumes/a/b/c/x"),
        ("PUT", f"{FOLDERS}/Volumes/a/b/c"),
        ("DELETE", f"{FILES}/Volumes/a/b/c/x"),
        ("DELETE", f"{FOLDERS}/Volumes/a/b/c"),
    ]


def test_a_folder_that_a_file_does_not_bring_along_is_made(stub, volumes):
    """It is documented that folders can be made, and not that they come by themselves."""
    made = []

    def strict(request):
        if request.path.startswith(FOLDERS):
            made.append(request.path)
        return Reply(b"", 204) if made else GONE

    stub.answer = strict
    assert volumes.upload("/Volumes/a/b/c/run/1.parquet", b"rows")
    assert made == [f"{FOLDERS}/Volumes/a/b/c/run"]
    assert stub.requests[-1].body == b"rows"


def test_passing_trouble_is_met_again_and_a_refusal_is_not(stub, volumes):
    troubles = [Reply({}, 503), Reply({}, drop=True)]
    stub.answer = lambda _: troubles.pop() if troubles else Reply(b"", 204)
    assert volumes.upload("/Volumes/a/b/c/x", b"rows")
    assert [request.body for request in stub.requests] == [b"rows"] * 3
    stub.answer = lambda _: Reply({"error_code": "PERMISSION_DENIED", "message": f"no {TOKEN}"}, 403)
    with pytest.raises(CallError) as caught:
        volumes.upload("/Volumes/a/b/c/x", b"rows")
    assert caught.value.error.error_class is ErrorClass.PERMISSION
    assert TOKEN not in str(caught.value)
    assert len(stub.requests) == 4
