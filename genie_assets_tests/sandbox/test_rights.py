"""Who may use the warehouse and the API of the sandbox, and who gives that."""

from typing import Any

from genie_assets_tests.sandbox.accounts import FIRST, PRINCIPAL, RUN_ONLY, SECOND
from genie_assets_tests.sandbox.wire import call
from genie_sandbox.client import SandboxProcess

ENTITLEMENTS = f"/api/2.0/preview/scim/v2/ServicePrincipals/{PRINCIPAL.user_id}"
USE = "/api/2.0/permissions/warehouses/wh"
SPACE = f"/api/2.0/permissions/genie/{RUN_ONLY}"
SPACES, STATEMENTS, ME = "/api/2.0/genie/spaces", "/api/2.0/sql/statements/", "/api/2.0/preview/scim/v2/Me"


def operation(how: str) -> dict[str, Any]:
    return {"Operations": [{"op": how, "path": "entitlements", "value": [{"value": "databricks-sql-access"}]}]}


def level(name: str, who: str = PRINCIPAL.application_id) -> dict[str, Any]:
    return {"access_control_list": [{"service_principal_name": who, "permission_level": name}]}


def test_only_the_administrator_gives_rights(sandbox: SandboxProcess) -> None:
    given = {ENTITLEMENTS: operation("add"), USE: level("CAN_USE"), SPACE: level("CAN_RUN")}
    for path, body in given.items():
        assert call(sandbox.host, path, sandbox.token, method="PATCH", body=body).status == 403, path
        assert call(sandbox.host, path, sandbox.administrators_token, method="PATCH", body=body).status < 300, path
    for path, body, status in (
        (ENTITLEMENTS, {"Operations": [{"op": "add", "path": "entitlements", "value": [{"value": "x"}]}]}, 400),
        (ENTITLEMENTS + "0", operation("add"), 404),
        (USE + "0", level("CAN_USE"), 404),
        (USE, level("CAN_FLY"), 400),
        (SPACE + "0", level("CAN_RUN"), 404),
    ):
        refused = call(sandbox.host, path, sandbox.administrators_token, method="PATCH", body=body)
        assert refused.status == status, (path, body)


def test_without_the_entitlement_a_workspace_answers_who_we_are_and_little_else(sandbox: SandboxProcess) -> None:
    first, second, administrator = sandbox.urls[FIRST], sandbox.urls[SECOND], sandbox.administrators_token
    assert call(first, ENTITLEMENTS, administrator, method="PATCH", body=operation("remove")).status == 204
    refused = call(first, SPACES, sandbox.token)
    assert (refused.status, "entitlement" in refused.json()["message"]) == (403, True)
    assert call(second, SPACES, sandbox.token).status == 200, "each workspace has its own"
    assert call(first, SPACES, administrator).status == 200
    told = call(first, ME, sandbox.token).json()
    assert [each["value"] for each in told["entitlements"]] == ["workspace-access"]
    assert call(first, ENTITLEMENTS, administrator, method="PATCH", body=operation("add")).status == 204
    assert call(first, SPACES, sandbox.token).status == 200


def test_statements_take_a_level_on_the_warehouse(sandbox: SandboxProcess) -> None:
    administrator = sandbox.administrators_token

    def asked() -> int:  # without an engine, whoever is let in finds nothing
        return call(sandbox.host, STATEMENTS, sandbox.token, method="POST", body={}).status

    for body, status in (
        (level("CAN_VIEW"), 403),
        (level("CAN_MONITOR"), 404),
        (level("CAN_USE", "somebody"), 403),
        ({"access_control_list": [{"group_name": "users", "permission_level": "CAN_USE"}]}, 404),
        (level("CAN_USE"), 404),
    ):
        shown = call(sandbox.host, USE, administrator, method="PUT", body=body).json()
        assert len(shown["access_control_list"]) == 2, "the administrators are among them"
        assert asked() == status, body


def test_a_level_that_is_granted_on_a_space_counts_before_what_the_account_says(sandbox: SandboxProcess) -> None:
    export = f"{SPACES}/{RUN_ONLY}?include_serialized_space=true"
    conversations = f"{SPACES}/{RUN_ONLY}/conversations?include_all=true"
    for name, statuses in (
        ("CAN_RUN", (403, 403)),
        ("CAN_EDIT", (200, 403)),
        ("CAN_MANAGE", (200, 200)),
        ("CAN_RUN", (403, 403)),
    ):
        call(sandbox.host, SPACE, sandbox.administrators_token, method="PATCH", body=level(name))
        assert (
            tuple(call(sandbox.host, path, sandbox.token).status for path in (export, conversations)) == statuses
        )


def test_a_personal_token_runs_out_and_another_one_is_good(sandbox: SandboxProcess) -> None:
    made = call(sandbox.host, "/api/2.0/token/create", sandbox.token, method="POST", body={}).json()["token_value"]
    assert call(sandbox.host, ME, made).status == 200
    sandbox.expire_tokens("expiring", personal=True)
    assert [call(sandbox.host, ME, token).status for token in (sandbox.token, made)] == [403, 403]
    sandbox.expire_tokens(personal=True)
    assert call(sandbox.host, ME, made).status == 401
    assert call(sandbox.host, ME, sandbox.administrators_token).status == 200
