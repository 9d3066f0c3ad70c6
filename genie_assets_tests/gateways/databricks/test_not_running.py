"""Workspaces that do not run: nobody asks them, what is wanted of them waits, and it is said why."""

import json
import threading
import time
from collections import Counter
from typing import Any

import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer, MessagesRequest, ReadProbe, SpaceRequest, SpacesOfWorkspace
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.settings import load_settings
from genie_assets.wiring import open_genie_api, open_system_tables
from genie_assets_tests.gateways.genie.server import message, outcome
from genie_assets_tests.gateways.stub_server import Reply, StubServer

TOKEN = "dapi0123456789abcdef0123456789abcdef"
DOWN = ["BANNED", "FAILED", "PROVISIONING", "NOT_PROVISIONED", "banned "]
ASKED = ["RUNNING", None, "", "SOMETHING_NEW"]
COLUMNS = ("workspace_id", "workspace_name", "workspace_url", "status")


class Account:
    """A home workspace that knows the status of all, and answers for every one of them."""

    def __init__(self, statuses: dict[str, str | None]) -> None:
        self.statuses, self.url = statuses, ""
        self.sql: Reply | None = None
        self.answers: dict[str, Reply] = {}  # of workspaces that answer otherwise

    def __call__(self, request):
        if request.path.startswith("/api/2.0/sql/"):
            return self.sql or Reply(self._listed())
        if (said := self.answers.get(request.headers.get("X-Databricks-Workspace-Id", ""))) is not None:
            return said
        if request.path.endswith("/spaces"):
            return Reply({"spaces": [{"space_id": "s"}]})
        return Reply({"message_id": "m", "conversation_id": "c"})

    def _listed(self):
        rows = [[name, f"the {name}", self.url, status] for name, status in self.statuses.items()]
        columns = [{"name": name, "type_name": "STRING"} for name in COLUMNS]
        return {
            "status": {"state": "SUCCEEDED"},
            "manifest": {"schema": {"columns": columns}, "total_row_count": len(rows)},
            "result": {"data_array": rows},
        }


@pytest.fixture
def account():
    return Account({"up": "RUNNING", "down": "BANNED"})


@pytest.fixture
def stub(account, monkeypatch):
    for name in ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "GENIE_WORKSPACES", "GENIE_WORKSPACE_URLS"):
        monkeypatch.delenv(name, raising=False)
    with StubServer(account).running() as server:
        account.url = server.url
        monkeypatch.setenv("DATABRICKS_HOST", server.url)
        monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
        monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "w1")
        monkeypatch.setenv("GENIE_ALLOWED_HOSTS", "127.0.0.1")
        yield server


def genie():
    settings = load_settings()
    return open_genie_api(settings, settings.databricks())


def wanted(server, workspace_id, *message_ids):
    return MessagesRequest(workspace_id, server.url, "s", "c", message_ids or ("m",), "LIST")


def genie_requests(server):
    return [path for path in server.paths() if "/genie/" in path]


def test_a_workspace_that_does_not_run_is_never_asked_and_its_messages_are_open_errors(stub):
    requests = [wanted(stub, "down", "m", "n"), *(wanted(stub, "up") for _ in range(20))]
    results = list(genie().fetch(requests, deadline=time.monotonic() + 30))
    errors = [error for result in results for error in result.errors.values()]
    assert Counter(error.error_class for error in errors) == {ErrorClass.NOT_RUNNING: 2}
    assert "Workspace down is BANNED" in errors[0].message
    assert sum(bool(result.answers) for result in results) == 20
    # Asked for once, whatever the number of threads that want to know.
    assert sum(path.startswith("/api/2.0/sql/") for path in stub.paths()) == 1


def test_nothing_else_asks_it_either(stub):
    api = genie()
    answers = [
        message(api, stub, "m", workspace_id="down"),
        outcome(api, SpaceRequest("down", stub.url, "s")),
        outcome(api, SpacesOfWorkspace("down", stub.url)),
        outcome(api, ReadProbe("down", stub.url, "s")),
        api.get_space("down", stub.url, "s"),
        api.list_spaces("down", stub.url).error,
    ]
    assert {answer.error_class for answer in answers if isinstance(answer, FetchError)} == {ErrorClass.NOT_RUNNING}
    assert all(isinstance(answer, FetchError) for answer in answers)
    assert genie_requests(stub) == []
    assert isinstance(message(api, stub, "m", workspace_id="up"), Answer)


@pytest.mark.parametrize("status", [*DOWN, *ASKED])
def test_only_what_is_known_not_to_run_is_left_alone(stub, account, status):
    account.statuses["new"] = status
    answer = message(genie(), stub, "m", workspace_id="new")
    assert isinstance(answer, FetchError) == (status in DOWN)


def test_an_address_that_the_operator_named_is_asked_whatever_the_table_says(stub, monkeypatch):
    monkeypatch.setenv("GENIE_WORKSPACE_URLS", f"down={stub.url}")
    assert isinstance(outcome(genie(), MessagesRequest("down", None, "s", "c", ("m",), "GET")), Answer)


@pytest.mark.parametrize("sql", [Reply({"error_code": "PERMISSION_DENIED"}, 403), Reply({"status": "ok"})])
def test_all_are_asked_if_their_status_cannot_be_known(stub, account, caplog, sql):
    account.sql = sql
    assert isinstance(message(genie(), stub, "m", workspace_id="down"), Answer)
    assert "every one is asked" in caplog.text


def test_the_table_of_workspaces_brings_the_status(stub):
    settings = load_settings()
    tables = open_system_tables(settings, settings.databricks())
    assert dict(zip(tables.workspaces()["workspace_id"], tables.workspaces()["status"], strict=True)) == {
        "up": "RUNNING",
        "down": "BANNED",
    }
    assert tables.statuses() == {"up": "RUNNING", "down": "BANNED"}
    (statement,) = {json.loads(request.body)["statement"] for request in stub.requests}
    assert "status" in statement


def test_a_workspace_that_is_not_listed_any_more_is_asked_where_it_was_and_its_silence_is_its_end(stub, account):
    """Databricks takes the rows of cancelled workspaces away."""
    assert isinstance(message(genie(), stub, "m", workspace_id="gone"), Answer), "known stays known"
    account.answers["gone"] = Reply({"error_code": "ENDPOINT_NOT_FOUND", "message": "No API here."}, 404)
    api = genie()
    problems = [
        message(api, stub, "m", workspace_id="gone"),
        api.get_space("gone", stub.url, "s"),
        api.list_spaces("gone", stub.url).error,
    ]
    assert {each.error_class for each in problems} == {ErrorClass.NOT_RUNNING}
    assert "workspaces_latest does not name it any more" in problems[0].message
    nowhere = outcome(api, MessagesRequest("gone", None, "s", "c", ("m",), "GET"))
    assert nowhere.error_class is ErrorClass.CONFIG, "it may not be listed yet"
    account.answers["gone"] = Reply({"error_code": "PERMISSION_DENIED", "message": "No."}, 403)
    assert message(api, stub, "m", workspace_id="gone").error_class is ErrorClass.PERMISSION, "it answers"
    account.answers["up"] = Reply({"error_code": "ENDPOINT_NOT_FOUND", "message": "No API here."}, 404)
    assert message(api, stub, "m", workspace_id="up").error_class is ErrorClass.CONFIG


def test_what_is_not_looked_at_is_listed_all_the_same_and_a_known_address_asks_for_no_list(
    stub, account, monkeypatch
):
    monkeypatch.setenv("GENIE_WORKSPACES", "other")
    account.answers["up"] = account.answers["far"] = Reply({"error_code": "ENDPOINT_NOT_FOUND"}, 404)
    assert message(genie(), stub, "m", workspace_id="up").error_class is ErrorClass.CONFIG
    monkeypatch.setenv("GENIE_WORKSPACE_URLS", f"far={stub.url}")
    before = len(stub.paths())
    assert message(genie(), stub, "m", workspace_id="far").error_class is ErrorClass.CONFIG
    assert not any(path.startswith("/api/2.0/sql/") for path in stub.paths()[before:])


def test_threads_wait_for_one_look_at_the_statuses():
    looks = []

    def statuses():
        looks.append(1)
        time.sleep(0.05)
        return {"down": "BANNED"}

    workspaces = Workspaces("https://x.databricks.com", token=TOKEN, policy=HostPolicy(), statuses=statuses)
    api = GenieApi(workspaces, retries=Retries(attempts=1), pacer_of=lambda _: Pacer(100))
    errors: list[Any] = []
    threads = [
        threading.Thread(target=lambda: errors.append(api.get_space("down", "https://y.databricks.com", "s")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [error.error_class for error in errors] == [ErrorClass.NOT_RUNNING] * 8
    assert len(looks) == 1
