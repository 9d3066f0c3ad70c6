"""The Genie API of the sandbox answers as Databricks does, at the moment of its clock."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from databricks.sdk.errors import NotFound, PermissionDenied
from hypothesis import given
from hypothesis import strategies as st

from genie_assets_tests.sandbox.accounts import (
    ANCHOR,
    ELSEWHERE,
    FORBIDDEN,
    HOUR,
    MESSAGES,
    ODD_ID,
    RUN_ONLY,
    SALES,
    TRASHED,
)
from genie_assets_tests.sandbox.wire import call, genie_path, workspace_client
from genie_sandbox.client import SandboxProcess
from genie_sandbox.responses import ApiError
from genie_sandbox.server.paging import Page

TALK = [
    message.message_id for message in MESSAGES if message.conversation_id == "talk" and message.space_id == SALES
]


def test_the_newer_list_has_views_a_silent_limit_and_names_what_may_not_be_exported(
    sandbox: SandboxProcess,
) -> None:
    def listed(query: str, status: int = 200) -> Any:
        reply = call(sandbox.host, f"/api/2.0/genie/agents?{query}", sandbox.token)
        assert reply.status == status
        return reply.json()

    basic, full = listed("page_size=5000"), listed("view=GENIE_AGENT_VIEW_FULL")
    assert {f"agents/{SALES}", f"agents/{RUN_ONLY}"} <= {agent["name"] for agent in basic["genie_agents"]}
    assert "unreachable" not in basic
    assert full["unreachable"] == [f"agents/{RUN_ONLY}"]
    assert not {f"agents/{each}" for each in (FORBIDDEN, TRASHED, RUN_ONLY)} & {
        agent["name"] for agent in full["genie_agents"]
    }
    for odd in ("page_size=-1", "view=ALL", "page_token=eHg6eHg="):
        assert listed(odd, 400)["error_code"] == "INVALID_PARAMETER_VALUE"


class TestMessages:
    def test_a_message_is_served_as_in_the_data_at_the_time_of_the_clock(self, data: Path) -> None:
        changing = next(message for message in MESSAGES if message.message_id == "changing")
        with SandboxProcess(data, sql=False) as own:
            path = genie_path(SALES, "change", "changing")
            assert call(own.host, path, own.token).json() == changing.states[0].body
            assert call(own.host, genie_path(SALES, "change", "future"), own.token).status == 404
            assert call(own.host, genie_path(SALES, "leaves", "leaves"), own.token).status == 200

            assert own.advance(hours=1) == ANCHOR + HOUR
            reply = call(own.host, path, own.token)
            assert reply.json() == changing.states[1].body
            assert rb"lone \ud800 surrogate" in reply.body
            assert call(own.host, genie_path(SALES, "leaves", "leaves"), own.token).status == 404
            assert call(own.host, genie_path(SALES, "leaves"), own.token).status == 404

            own.set_clock(ANCHOR + 5 * HOUR)
            assert call(own.host, genie_path(SALES, "change", "future"), own.token).status == 200
            listed = call(own.host, genie_path(SALES, "change"), own.token).json()["messages"]
            assert [message["message_id"] for message in listed] == ["changing", "future"]
            with pytest.raises(RuntimeError, match="cannot go back"):
                own.set_clock(ANCHOR)

    def test_ids_may_hold_anything_once_they_are_encoded(self, sandbox: SandboxProcess) -> None:
        """Guards against decoding before splitting: an encoded slash is part of the id."""
        client = workspace_client(sandbox)
        message: Any = client.api_client.do("GET", genie_path(SALES, ODD_ID, ODD_ID))
        assert message["message_id"] == ODD_ID
        listed: Any = client.api_client.do("GET", genie_path(SALES, ODD_ID))
        assert len(listed["messages"]) == 1

    @pytest.mark.parametrize(("page_size", "calls"), [(None, 7), (1, 130), (47, 3), (65, 2), (100, 2)])
    def test_the_pages_of_a_conversation_hold_each_message_once(
        self, sandbox: SandboxProcess, page_size: int | None, calls: int
    ) -> None:
        found: list[str] = []
        query = {} if page_size is None else {"page_size": page_size}
        sandbox.reset_requests()
        client = workspace_client(sandbox)
        token = None
        while token != "":
            page: Any = client.api_client.do("GET", genie_path(SALES, "talk"), query=query)
            found += [message["message_id"] for message in page["messages"]]
            token = query["page_token"] = page.get("next_page_token", "")
        assert found == TALK
        assert sandbox.requests()["by_route"]["list_messages"] == calls

    @pytest.mark.parametrize(
        "query", ["page_size=101", "page_size=x", "page_size=-1", "page_token=x", "page_token=eA=="]
    )
    def test_unusable_paging_is_refused(self, sandbox: SandboxProcess, query: str) -> None:
        for path in (genie_path(SALES, "talk"), f"{genie_path(SALES)}/conversations", "/api/2.0/genie/spaces"):
            reply = call(sandbox.host, f"{path}?{query}", sandbox.token)
            assert (reply.status, reply.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    def test_a_page_token_is_good_for_its_own_list_only(self, sandbox: SandboxProcess) -> None:
        token = call(sandbox.host, genie_path(SALES, "talk"), sandbox.token).json()["next_page_token"]
        reply = call(sandbox.host, f"{genie_path(SALES, 'change')}?page_token={token}", sandbox.token)
        assert reply.status == 400

    @pytest.mark.parametrize(
        ("ids", "status", "error_code"),
        [
            ((SALES, "talk", "nobody"), 404, "RESOURCE_DOES_NOT_EXIST"),
            ((SALES, "change", "m000"), 404, "RESOURCE_DOES_NOT_EXIST"),
            ((SALES, "nothing"), 404, "RESOURCE_DOES_NOT_EXIST"),
            (("nowhere", "talk", "m000"), 404, "RESOURCE_DOES_NOT_EXIST"),
            ((ELSEWHERE, "talk", "m000"), 404, "RESOURCE_DOES_NOT_EXIST"),
            ((TRASHED, "talk", "gone"), 404, "RESOURCE_DOES_NOT_EXIST"),
            ((TRASHED, "talk"), 404, "RESOURCE_DOES_NOT_EXIST"),
            ((SALES, "hidden", "hidden"), 403, "PERMISSION_DENIED"),
            ((SALES, "hidden"), 403, "PERMISSION_DENIED"),
            ((FORBIDDEN, "talk", "no"), 403, "PERMISSION_DENIED"),
            ((FORBIDDEN, "talk"), 403, "PERMISSION_DENIED"),
            ((FORBIDDEN,), 403, "PERMISSION_DENIED"),
            ((TRASHED,), 404, "RESOURCE_DOES_NOT_EXIST"),
        ],
    )
    def test_what_may_not_be_seen_is_refused_in_databricks_shape(
        self, sandbox: SandboxProcess, ids: tuple[str, ...], status: int, error_code: str
    ) -> None:
        reply = call(sandbox.host, genie_path(*ids), sandbox.token)
        assert (reply.status, reply.json()["error_code"]) == (status, error_code)
        assert {detail["@type"].rpartition(".")[2] for detail in reply.json()["details"]} == {
            "ErrorInfo",
            "RequestInfo",
        }
        expected = NotFound if status == 404 else PermissionDenied
        with pytest.raises(expected):
            workspace_client(sandbox).api_client.do("GET", genie_path(*ids))

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/api/2.0/unheard/of"),
            ("PUT", genie_path(SALES)),
            ("GET", f"{genie_path(SALES)}/talks"),
            ("GET", f"{genie_path(SALES)}/"),
            ("GET", f"{genie_path(SALES, 'talk', 'm000')}/query-result"),
            ("POST", "/api/2.0/sql/statements/"),
        ],
    )
    def test_a_path_that_no_api_has_is_an_unknown_endpoint(
        self, sandbox: SandboxProcess, method: str, path: str
    ) -> None:
        reply = call(sandbox.host, path, sandbox.token, method=method)
        assert (reply.status, reply.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")


class TestConversationsAndSpaces:
    def conversations(self, sandbox: SandboxProcess, space_id: str, include_all: bool) -> list[str]:
        query: dict[str, Any] = {"page_size": 2} | ({"include_all": True} if include_all else {})
        found: list[str] = []
        while True:
            page: Any = workspace_client(sandbox).api_client.do(
                "GET", f"{genie_path(space_id)}/conversations", query=query
            )
            found += [item["conversation_id"] for item in page.get("conversations", [])]
            if not page.get("next_page_token"):
                return found
            query["page_token"] = page["next_page_token"]

    def test_only_a_manager_sees_the_conversations_of_others(self, sandbox: SandboxProcess) -> None:
        everybody = self.conversations(sandbox, SALES, include_all=True)
        assert sorted(everybody) == sorted(["talk", "change", "leaves", "hidden", ODD_ID, "mine"])
        assert self.conversations(sandbox, SALES, include_all=False) == ["mine"]
        assert self.conversations(sandbox, RUN_ONLY, include_all=False) == []
        with pytest.raises(PermissionDenied):
            self.conversations(sandbox, RUN_ONLY, include_all=True)

    def test_the_list_of_spaces_shows_what_may_be_seen_and_no_configuration(self, sandbox: SandboxProcess) -> None:
        spaces = call(sandbox.host, "/api/2.0/genie/spaces", sandbox.token).json()["spaces"]
        assert [space["space_id"] for space in spaces] == [SALES, RUN_ONLY]
        assert not any("serialized_space" in space for space in spaces)

    @pytest.mark.parametrize(("space_id", "export_status"), [(SALES, 200), (RUN_ONLY, 403)])
    def test_a_configuration_is_exported_to_managers_who_ask(
        self, sandbox: SandboxProcess, space_id: str, export_status: int
    ) -> None:
        plain = call(sandbox.host, genie_path(space_id), sandbox.token).json()
        assert plain["title"] == f"Title of {space_id}"
        assert "serialized_space" not in plain
        export = call(sandbox.host, f"{genie_path(space_id)}?include_serialized_space=true", sandbox.token)
        assert export.status == export_status
        if export_status == 200:
            assert export.json()["serialized_space"] == '{"version":2}'

    def test_spaces_are_created_changed_and_trashed_and_stay_so_over_a_restart(
        self, data: Path, tmp_path: Path
    ) -> None:
        new = {"title": "New", "warehouse_id": "wh", "serialized_space": '{"version":2,"config":{}}'}
        with SandboxProcess(data, sql=False, state=tmp_path / "state") as own:
            do: Callable[..., Any] = workspace_client(own).api_client.do
            made = do("POST", "/api/2.0/genie/spaces", body=new)
            assert len(made["space_id"]) == 32
            path = genie_path(made["space_id"])
            changed = do("PATCH", path, body={"title": "Newer", "etag": made["etag"]})
            assert changed["etag"] != made["etag"]
            stale = call(own.host, path, own.token, method="PATCH", body={"title": "x", "etag": made["etag"]})
            assert (stale.status, stale.json()["error_code"]) == (409, "ABORTED")
            do("DELETE", genie_path(SALES))
            own.advance(hours=2)
        with SandboxProcess(data, sql=False, state=tmp_path / "state") as own:
            assert own.now_ms() == ANCHOR + 2 * HOUR
            export = call(own.host, f"{path}?include_serialized_space=true", own.token).json()
            assert (export["title"], export["serialized_space"]) == ("Newer", new["serialized_space"])
            assert call(own.host, genie_path(SALES, "talk", "m000"), own.token).status == 404

    @pytest.mark.parametrize(
        ("body", "error_code"),
        [
            ({"warehouse_id": "wh"}, "INVALID_PARAMETER_VALUE"),
            ({"warehouse_id": "wh", "serialized_space": "{"}, "INVALID_PARAMETER_VALUE"),
            ({"warehouse_id": "wh", "serialized_space": {"version": 2}}, "INVALID_PARAMETER_VALUE"),
            (b"{", "MALFORMED_REQUEST"),
            ([], "MALFORMED_REQUEST"),
        ],
    )
    def test_an_unusable_space_is_refused(self, sandbox: SandboxProcess, body: Any, error_code: str) -> None:
        reply = call(sandbox.host, "/api/2.0/genie/spaces", sandbox.token, method="POST", body=body)
        assert (reply.status, reply.json()["error_code"]) == (400, error_code)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 100), st.one_of(st.none(), st.integers(1, 9)))
def test_following_the_tokens_shows_every_visible_item_once_and_in_order(
    visible: list[bool], size: int, limit: int | None
) -> None:
    items = list(enumerate(visible))
    query, found = {"page_size": str(size)}, []
    for _ in range(len(items) + 1):
        rows, token = Page.of(query, "list", limit).cut(items, lambda item: item[0] if item[1] else None)
        found += rows
        assert len(rows) <= min(size, limit or size)
        if token is None:
            break
        assert rows
        query["page_token"] = token
    assert token is None
    assert found == [number for number, shown in items if shown]


@given(st.text(max_size=30))
def test_an_invented_page_token_is_refused(token: str) -> None:
    if token:
        with pytest.raises(ApiError):
            Page.of({"page_token": token}, "list")


class TestWritingSpaces:
    NEW: ClassVar[Any] = {"title": "New", "warehouse_id": "wh", "serialized_space": '{"version":2,"config":{}}'}

    def write(self, sandbox: SandboxProcess, path: str, body: Any, method: str = "PATCH") -> tuple[int, Any]:
        reply = call(sandbox.host, path, sandbox.token, method=method, body=body)
        return reply.status, reply.json()

    @pytest.fixture
    def made(self, sandbox: SandboxProcess) -> Iterator[dict[str, Any]]:
        made = self.write(sandbox, "/api/2.0/genie/spaces", self.NEW, "POST")[1]
        yield made
        sandbox.clear_faults()
        self.write(sandbox, genie_path(made["space_id"]), None, "DELETE")

    @pytest.mark.parametrize(
        ("configuration", "problem"),
        [
            (
                {"data_sources": {"tables": [{"identifier": "b"}, {"identifier": "a"}]}},
                "data_sources.tables must be",
            ),
            (
                {"t": [{"identifier": "a", "column_configs": [{"column_name": "y"}, {"column_name": "x"}]}]},
                "sorted by column_name",
            ),
            ({"benchmarks": {"questions": [{"id": "1"}, {"id": "1"}]}}, "sorted by id, each once"),
        ],
    )
    def test_unsorted_lists_are_refused(
        self, sandbox: SandboxProcess, made: Any, configuration: Any, problem: str
    ) -> None:
        text = json.dumps({"version": 2} | configuration)
        status, answer = self.write(sandbox, genie_path(made["space_id"]), {"serialized_space": text})
        assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert problem in answer["message"]

    def test_who_may_do_what_with_a_space_is_shown_to_managers_and_granted_by_them(
        self, sandbox: SandboxProcess, made: Any
    ) -> None:
        path = f"/api/2.0/permissions/genie/{made['space_id']}"
        grant = {"access_control_list": [{"group_name": "users", "permission_level": "CAN_RUN"}]}
        shown = self.write(sandbox, path, grant)[1]
        assert (shown["object_type"], shown["object_id"]) == ("genie", f"/genie/{made['space_id']}")
        levels = {
            next(iter(entry.values())): entry["all_permissions"][0] for entry in shown["access_control_list"]
        }
        assert levels["users"] == {"permission_level": "CAN_RUN", "inherited": False}
        assert levels["admins"] == {"permission_level": "CAN_MANAGE", "inherited": True}
        assert call(sandbox.host, path, sandbox.token).json() == shown
        alone = self.write(sandbox, path, {"access_control_list": []}, "PUT")[1]
        assert {next(iter(entry.values())) for entry in alone["access_control_list"]} == levels.keys() - {"users"}
        unknown = {"access_control_list": [{"group_name": "users", "permission_level": "CAN_FLY"}]}
        assert self.write(sandbox, path, unknown)[0] == 400
        assert call(sandbox.host, f"/api/2.0/permissions/genie/{RUN_ONLY}", sandbox.token).status == 403
        assert call(sandbox.host, "/api/2.0/permissions/genie/nobody", sandbox.token).status == 404

    def test_a_space_that_may_only_be_run_cannot_be_written(self, sandbox: SandboxProcess) -> None:
        assert self.write(sandbox, genie_path(RUN_ONLY), {"title": "x"})[0] == 403

    def test_a_reader_may_lag_behind(self, sandbox: SandboxProcess, made: Any) -> None:
        path = genie_path(made["space_id"])
        self.write(sandbox, path, {"title": "Newer"})
        sandbox.faults({"effect": "stale", "route": "get_space", "times": 1})
        titles = [call(sandbox.host, path, sandbox.token).json()["title"] for _ in range(2)]
        assert titles == ["New", "Newer"]

    def test_a_list_may_lag_behind(self, sandbox: SandboxProcess, made: Any) -> None:
        sandbox.faults({"effect": "stale", "route": "list_spaces", "times": 1})
        lists = [call(sandbox.host, "/api/2.0/genie/spaces", sandbox.token).json()["spaces"] for _ in range(2)]
        assert [made["space_id"] in [space["space_id"] for space in spaces] for spaces in lists] == [False, True]

    def test_a_conflict_may_leave_another_title(self, sandbox: SandboxProcess, made: Any) -> None:
        path, body = genie_path(made["space_id"]), {"title": "Half", "etag": "old"}
        assert self.write(sandbox, path, body)[0] == 409
        assert call(sandbox.host, path, sandbox.token).json()["title"] == "New"
        sandbox.faults({"effect": "weak_etag"})
        assert self.write(sandbox, path, body)[0] == 409
        assert call(sandbox.host, path, sandbox.token).json()["title"] == "Half"
