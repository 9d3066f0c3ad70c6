"""Spaces backed up to Unity Catalog, promoted with a plan through the command line, and verified there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from genie_assets_tests.e2e.desk import BAD, DESK, Desk, account_of_a_desk, desk_in
from genie_assets_tests.sandbox.accounts import FIRST, SECOND
from genie_assets_tests.sandbox.wire import genie_path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with (
        account_of_a_desk(tmp_path / "account", sql=True) as sandbox,
        desk_in(sandbox, tmp_path, monkeypatch, "uc://main.desks") as one,
    ):
        yield one


def test_a_space_is_promoted_from_tables_in_unity_catalog_and_what_was_done_stands_there(desk: Desk) -> None:
    viewers = {"group_name": "genie-viewers", "permission_level": "CAN_VIEW"}
    desk.send(FIRST, f"/api/2.0/permissions/genie/{DESK}", {"access_control_list": [viewers]})
    desk.look_at_permissions()
    places = ("--from", FIRST, "--to", SECOND, "--warehouse", "wh", "--map", "dev=prod")
    shown = desk.spaces("promote", DESK, *places, "--permissions", "--plan", "plan.json")
    assert (shown.exit_code, "  + group genie-viewers: CAN_VIEW" in shown.output) == (0, True)
    assert desk.titled("Refund desk", SECOND) == []

    done = desk.apply()
    assert (done.exit_code, "APPLIED: Done, and read back." in done.output) == (0, True)
    (made,) = desk.titled("Refund desk", SECOND)
    assert desk.read(made, SECOND)["serialized_space"] == json.dumps(BAD).replace("dev.", "prod.")
    assert "ALREADY" in desk.apply().output
    assert [(row["space_id"], row["result"], row["permissions"]) for row in desk.applies()] == [
        (made, "APPLIED", "APPLIED"),
        (made, "ALREADY", "ALREADY"),
    ]
    assert not (desk.folder / "lake").exists()

    desk.back_up((SECOND, made))
    assert f"{made}@{SECOND}" in desk.spaces("list").output
    assert "1 version" in desk.spaces("history", made).output
    assert "prod.shop.orders" in desk.spaces("diff", DESK, made).output
    desk.send(SECOND, genie_path(made), {"description": "Mine"})
    undo = desk.spaces("restore", made, "--at", "2030-01-01", "--plan", "undo.json")
    assert "-   Mine" in undo.output
    assert "APPLIED" in desk.apply("undo.json").output
    assert not desk.read(made, SECOND)["description"]
