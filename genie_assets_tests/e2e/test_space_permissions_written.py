"""Permissions of spaces, planned and set through the command line, in two workspaces of a sandbox."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import Result

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.space_access import Access, WantedAccess
from genie_assets.domain.space_plans import Applied, Plan
from genie_assets.domain.space_transfers import Destination
from genie_assets.domain.tables import GENIE_SPACE_APPLIES
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.planned_access import planned_access, wanted_access
from genie_assets.pipeline.ports import LiveSpaces
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.space_access import Patience
from genie_assets.pipeline.space_apply import Apply
from genie_assets.pipeline.space_plans import restore_plan, transfer_plan
from genie_assets.settings import load_settings
from genie_assets.wiring import open_live_spaces
from genie_assets_tests.e2e.desk import (
    BAD,
    DESK,
    EDITED,
    GOOD,
    OUR_GROUP,
    Desk,
    body,
    desk_in,
    promote,
)
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.mortal import KilledError, Mortal
from genie_assets_tests.pipeline.world import NOON
from genie_assets_tests.rooms import CHECKOUT
from genie_assets_tests.sandbox.accounts import FIRST, PRINCIPAL, SECOND
from genie_assets_tests.sandbox.wire import call
from genie_sandbox.client import SandboxProcess

ANN = {"user_name": "ann@example.com", "permission_level": "CAN_RUN"}
BOB = {"user_name": "bob@example.com", "permission_level": "CAN_EDIT"}
VIEWERS = {"group_name": "genie-viewers", "permission_level": "CAN_VIEW"}
NO_PATIENCE = Patience(1, lambda: None)
OWN = {"service_principal_name": PRINCIPAL.application_id, "permission_level": "CAN_MANAGE"}


def grant(desk: Desk, *entries: Any, method: str = "PUT", space: str = DESK, workspace: str = FIRST) -> None:
    desk.send(workspace, f"/api/2.0/permissions/genie/{space}", {"access_control_list": [*entries]}, method)


def granted(desk: Desk, space: str = DESK, workspace: str = FIRST) -> dict[str, str]:
    """What the space grants itself to others than our principal."""
    path = f"/api/2.0/permissions/genie/{space}"
    entries = call(desk.sandbox.urls[workspace], path, desk.sandbox.token).json()["access_control_list"]
    return {
        entry.get("user_name") or entry["group_name"]: level["permission_level"]
        for entry in entries
        for level in entry["all_permissions"]
        if not level["inherited"] and "service_principal_name" not in entry
    }


BEFORE = {"ann@example.com": "CAN_RUN", "genie-viewers": "CAN_VIEW"}


@pytest.fixture
def desk(desk_sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The space was edited badly; then Ann got more, Bob was let in, and the viewers were locked out."""
    grant_first = [OWN, ANN, VIEWERS]
    with desk_in(desk_sandbox, tmp_path, monkeypatch) as one:
        grant(one, *grant_first)
        one.look_at_permissions()
        grant(one, OWN, ANN | {"permission_level": "CAN_MANAGE"}, BOB)
        yield one


NOW = {"ann@example.com": "CAN_MANAGE", "bob@example.com": "CAN_EDIT"}


def restore(desk: Desk, *options: str) -> Result:
    return desk.spaces("restore", DESK, "--at", "2026-03-02T13:30", "--plan", "plan.json", *options)


def noted(desk: Desk) -> list[tuple[str, str | None]]:
    return [(row["result"], row["permissions"]) for row in desk.applies()]


DIFFERENCE = """\
permissions
  + group genie-viewers: CAN_VIEW
  ~ user ann@example.com: CAN_MANAGE -> CAN_RUN (less)
  - user bob@example.com: CAN_EDIT
"""


def test_permissions_are_shown_and_only_set_by_a_plan_that_says_so(desk: Desk) -> None:
    desk.change(serialized_space=json.dumps(GOOD), description="Refunds")
    desk.back_up()
    desk.change(serialized_space=json.dumps(BAD))
    at = ("restore", DESK, "--at", "2026-03-02T14:30", "--plan", "plan.json")
    left_alone = desk.spaces(*at).output
    assert f"{DIFFERENCE}  Not part of this plan: it leaves permissions alone" in left_alone
    assert "APPLIED: Done, and read back." in desk.apply().output
    assert (granted(desk), desk.read()["serialized_space"]) == (NOW, json.dumps(GOOD))

    assert "There is nothing to do: the space says so already." in desk.spaces(*at).output
    shown = desk.spaces(*at, "--permissions").output
    assert DIFFERENCE in shown
    assert DIFFERENCE in (CHECKOUT / "docs/spaces.md").read_text(encoding="utf-8"), "as the document shows it"
    assert "3 changes (permissions)" in " ".join(shown.split())
    assert "as a look at the source found them on 2026-03-02 13:00 UTC." in " ".join(shown.split())
    assert "Not part of" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert granted(desk) == NOW
    done = desk.apply()
    assert DIFFERENCE in done.output, "and again by who applies it"
    assert "APPLIED: The space was as planned already; its permissions are set" in done.output
    assert granted(desk) == BEFORE
    assert "ALREADY" in desk.apply().output
    assert noted(desk) == [("APPLIED", None), ("APPLIED", "APPLIED"), ("ALREADY", "ALREADY")]
    assert "Permissions are as wanted." in desk.spaces(*at, "--permissions").output


def test_whatever_others_did_to_permissions_since_is_told_and_not_overwritten(desk: Desk) -> None:
    restore(desk, "--permissions")
    grant(desk, {"group_name": "users", "permission_level": "CAN_RUN"}, method="PATCH")
    refused = desk.apply()
    assert (refused.exit_code, "  + group users: CAN_RUN\n" in refused.output) == (1, True)
    assert "REFUSED: Nothing was sent: who may use the space changed since the plan was made" in refused.output
    assert (granted(desk), desk.read()["serialized_space"]) == (NOW | {"users": "CAN_RUN"}, json.dumps(BAD))
    assert noted(desk) == [("REFUSED", "CHANGED")]


REFUSED = {"effect": "status", "route": "space_permissions", "message": "No."}


@pytest.mark.parametrize(("status", "code"), [(403, "PERMISSION_DENIED"), (404, "ENDPOINT_NOT_FOUND")])
def test_who_may_not_see_permissions_plans_and_applies_all_the_rest_and_says_so(
    desk: Desk, status: int, code: str
) -> None:
    desk.change(description="Mine")
    restore(desk, "--permissions")
    desk.sandbox.faults(REFUSED | {"status": status, "error_code": code})
    apart = restore(desk, "--plan", "other.json").output
    why = f"who may use it cannot be read: {status} {code}"
    assert f"Permissions are not compared: {why}" in " ".join(apart.split())
    without = " ".join(restore(desk, "--permissions", "--plan", "other.json").output.split())
    assert f"Note: Permissions are left alone: {why}" in without
    assert json.loads(Path("other.json").read_text())["permissions"] is None

    partly = desk.apply()
    told = f"PARTLY: The space is as planned, but its permissions are not: {why}"
    assert (partly.exit_code, told in partly.output, "Everything else is done." in partly.output) == (
        1,
        True,
        True,
    )
    assert desk.read()["serialized_space"] == json.dumps(BAD), "nobody restored it: the version is that of 13:30"
    assert noted(desk) == [("PARTLY", "NOT SET")]
    desk.sandbox.clear_faults()
    assert "APPLIED" in desk.apply().output
    assert granted(desk) == BEFORE
    desk.sandbox.faults(REFUSED | {"status": status, "error_code": code})
    same = " ".join(restore(desk, "--permissions").output.split())
    assert "nothing to do" not in same, "that is what cannot be told"
    assert f"wanted already. No plan was written. Permissions are not compared: {why}" in same
    assert "There is nothing to do" in restore(desk).output
    desk.sandbox.clear_faults()


def test_a_space_that_may_only_be_edited_gets_all_but_permissions(desk: Desk) -> None:
    desk.change(EDITED, serialized_space=json.dumps(GOOD))
    places = ("--to", FIRST, "--into", EDITED, "--permissions", "--plan", "plan.json")
    shown = " ".join(desk.spaces("promote", DESK, *places).output.split())
    assert "Note: Permissions are left alone: who may use it cannot be read: 403 PERMISSION_DENIED" in shown
    assert ("edited0." in shown, "edited0.." in shown, "not compared" in shown) == (True, False, False)
    assert "APPLIED" in desk.apply().output
    assert desk.read(EDITED)["serialized_space"] == json.dumps(BAD)
    assert noted(desk) == [("APPLIED", None)]


def test_a_level_that_is_refused_stops_no_other_one(desk: Desk) -> None:
    restore(desk, "--permissions")
    # Looked at twice, then sent one by one: the second one is refused.
    desk.sandbox.faults(REFUSED | {"status": 403, "every": 4, "times": 1})
    partly = desk.apply()
    assert "PARTLY" in partly.output
    assert "user ann@example.com from CAN_MANAGE to CAN_RUN (403" in partly.output
    assert granted(desk) == BEFORE | {"ann@example.com": "CAN_MANAGE"}
    assert "APPLIED" in desk.apply().output
    assert granted(desk) == BEFORE


def applied(desk: Desk, plan: Plan) -> Applied:
    """By our principal."""
    run = Run(NOON.date(), "a", desk.world.clock)
    return Apply(plan, live_spaces(desk), desk.world.lake, run, NO_PATIENCE).carry_out(PRINCIPAL.application_id)


def live_spaces(desk: Desk) -> LiveSpaces:
    settings = load_settings()
    return open_live_spaces(settings, settings.writing(), desk.sandbox.urls.get)


def with_access(plan: Plan, wanted: WantedAccess | str, live: LiveSpaces) -> Plan:
    found = planned_access(plan, wanted, live)
    assert isinstance(found, Access)
    return replace(plan, access=found)


def test_a_login_does_not_take_its_own_access(desk: Desk) -> None:
    live = live_spaces(desk)
    plan = restore_plan({"workspace_id": FIRST, "space_id": DESK, **body(GOOD)}, live)
    others = WantedAccess({("USER", "ann@example.com"): "CAN_RUN"}, is_all=True)
    done = applied(desk, with_access(plan, others, live))
    assert (done.result, done.permissions) == ("PARTLY", "NOT SET")
    assert "they would take access from the login that sets them" in done.message
    assert (granted(desk), desk.read()["serialized_space"]) == (NOW, json.dumps(GOOD))


MANAGERS = {"group_name": OUR_GROUP, "permission_level": "CAN_MANAGE"}
VIEWERS_MANAGE = VIEWERS | {"permission_level": "CAN_MANAGE"}
NO_ME = {"effect": "status", "route": "me", "status": 403, "error_code": "PERMISSION_DENIED", "message": "No."}


@pytest.fixture
def edited(desk: Desk) -> Iterator[Path]:
    """A folder of a space that our principal itself may only edit, and manages as a member of a group."""
    path = f"/api/2.0/permissions/genie/{EDITED}"
    url, administrator = desk.sandbox.urls[FIRST], desk.sandbox.administrators_token

    def by_administrator(*entries: Any) -> None:
        call(url, path, administrator, method="PUT", body={"access_control_list": [*entries]})

    by_administrator(MANAGERS, VIEWERS_MANAGE)
    desk.back_up((FIRST, EDITED))
    desk.spaces("export", EDITED, "--out", "backup")
    (folder,) = Path("backup/spaces").iterdir()
    yield folder
    by_administrator()


def plan_for_groups(desk: Desk, folder: Path, *levels: tuple[str, str]) -> str:
    """What the plan says that gives these levels to these groups."""
    told = [{"group_name": name, "permission_level": level} for name, level in levels]
    write_permissions(folder, *told)
    return desk.spaces("import", str(folder), "--to", FIRST, "--permissions", "--plan", "plan.json").output


def times_asked_who_we_are(desk: Desk) -> int:
    return int(desk.sandbox.requests()["by_route"].get("me", 0))


def test_a_group_by_which_alone_the_login_manages_is_not_taken_and_all_else_is_done(
    desk: Desk, edited: Path
) -> None:
    before, told = granted(desk, EDITED), "The plan takes CAN MANAGE from group genie-managers."
    change_title(edited, "Loans")
    shown = plan_for_groups(desk, edited, (OUR_GROUP, "CAN_RUN"), ("genie-viewers", "CAN_VIEW"))
    assert "takes CAN MANAGE from group genie-managers and group genie-viewers. Who manages" in flat(shown)
    assert max(map(len, shown.splitlines())) <= 80
    partly = flat(desk.apply().output)
    assert "PARTLY: The space is as planned, but its permissions are not: group genie-managers would not" in partly
    assert "Let another one apply the plan, or grant CAN_MANAGE to that login by its own name." in partly
    assert (granted(desk, EDITED), desk.read(EDITED)["title"], noted(desk)) == (
        before,
        "Loans",
        [("PARTLY", "NOT SET")],
    )
    odd = flat(plan_for_groups(desk, edited, (OUR_GROUP, "CAN_RUN"), ("Genie-viewers", "CAN_FLY")))
    for note in (told, "CAN_FLY for group Genie-viewers is a level", "Genie-viewers and genie-viewers differ"):
        assert note in odd


def test_only_an_apply_asks_for_groups_and_only_where_one_is_taken_from(desk: Desk, edited: Path) -> None:
    before, levels = granted(desk, EDITED), ((OUR_GROUP, "CAN_RUN"), ("genie-viewers", "CAN_RUN"))
    desk.sandbox.reset_requests()
    plan_for_groups(desk, edited, *levels)
    plan = Path("plan.json").read_bytes()
    assert times_asked_who_we_are(desk) == 0
    desk.sandbox.faults(NO_ME)
    plan_for_groups(desk, edited, *levels)
    assert Path("plan.json").read_bytes() == plan, "the same, whoever plans"
    partly = flat(desk.apply().output)
    assert "group genie-managers and group genie-viewers would not manage the space any more" in partly
    assert granted(desk, EDITED) == before
    desk.sandbox.clear_faults()

    desk.sandbox.reset_requests()
    plan_for_groups(desk, edited, ("genie-viewers", "CAN_RUN"))
    assert "APPLIED" in desk.apply().output, "our own group stays"
    assert times_asked_who_we_are(desk) == 2
    plan_for_groups(desk, edited, ("genie-viewers", "CAN_VIEW"))
    assert "APPLIED" in desk.apply().output
    assert times_asked_who_we_are(desk) == 3, "who applies is noted, as ever"
    assert granted(desk, EDITED) == before | {"genie-viewers": "CAN_VIEW"}


def test_who_is_let_in_by_name_needs_no_group_once_that_was_granted(desk: Desk, edited: Path) -> None:
    before = granted(desk, EDITED)
    write_permissions(edited, MANAGERS | {"permission_level": "CAN_RUN"}, OWN)
    desk.spaces("import", str(edited), "--to", FIRST, "--permissions", "--plan", "plan.json")
    # Looked at twice; then the login's own level is sent first, and refused.
    desk.sandbox.faults(REFUSED | {"status": 403, "every": 3, "times": 1})
    partly = flat(desk.apply().output)
    assert ("PARTLY" in partly, "nobody was taken away" in partly) == (True, True)
    assert granted(desk, EDITED) == before
    desk.sandbox.clear_faults()
    assert "APPLIED" in desk.apply().output
    assert granted(desk, EDITED) == before | {OUR_GROUP: "CAN_RUN"}


def change_title(folder: Path, title: str) -> None:
    file = folder / "space.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"title": title}))


def write_permissions(folder: Path, *entries: Any) -> None:
    (folder / "permissions.json").write_text(json.dumps(entries))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_promotion_lets_in_whom_the_source_names_and_takes_nobody_away(desk: Desk) -> None:
    shown = promote(desk, "--permissions").output
    assert "  + group genie-viewers: CAN_VIEW\n  + service principal" in shown
    assert "APPLIED: Done, and read back. So are its permissions." in desk.apply().output
    (made,) = desk.titled("Refund desk", SECOND)
    assert granted(desk, made, SECOND) == BEFORE
    grant(desk, BOB, ANN | {"permission_level": "CAN_VIEW"}, space=made, workspace=SECOND, method="PATCH")
    again = promote(desk, "--permissions").output
    assert "  ~ user ann@example.com: CAN_VIEW -> CAN_RUN (more)\n" in again
    assert "bob" not in again
    assert "APPLIED" in desk.apply().output
    assert granted(desk, made, SECOND) == BEFORE | {"bob@example.com": "CAN_EDIT"}


def test_who_makes_a_space_manages_it_and_all_others_get_what_is_planned(desk: Desk) -> None:
    live = live_spaces(desk)
    source = {"workspace_id": FIRST, "space_id": DESK, **body(GOOD)}
    plan = transfer_plan("promote", source, Destination(SECOND, warehouse_id="wh"), live)
    levels = {
        ("USER", "ann@example.com"): "CAN_RUN",
        ("SERVICE_PRINCIPAL", PRINCIPAL.application_id.upper()): "CAN_EDIT",
    }
    done = applied(desk, with_access(plan, WantedAccess(levels), live))
    assert (done.result, done.permissions) == ("APPLIED", "APPLIED")
    assert "The login that made the space manages it" in done.message
    assert granted(desk, str(done.space_id), SECOND) == {"ann@example.com": "CAN_RUN"}
    desk.send(SECOND, f"/api/2.0/genie/spaces/{done.space_id}", None, "DELETE")


def test_a_new_space_that_no_list_shows_yet_is_not_made_twice_by_who_sets_the_rest(desk: Desk) -> None:
    promote(desk, "--permissions")
    desk.sandbox.faults(REFUSED | {"status": 403, "error_code": "PERMISSION_DENIED"})
    assert "PARTLY" in desk.apply().output
    desk.sandbox.clear_faults()
    desk.sandbox.faults({"effect": "stale", "route": "list_spaces"})
    assert "APPLIED" in desk.apply().output
    desk.sandbox.clear_faults()
    (made,) = desk.titled("Refund desk", SECOND)
    assert granted(desk, made, SECOND) == BEFORE
    desk.send(SECOND, f"/api/2.0/genie/spaces/{made}", None, "DELETE")


def test_permissions_go_through_git_and_into_the_pull_request(desk: Desk) -> None:
    desk.spaces("export", DESK, "--out", "backup")
    (folder,) = Path("backup/spaces").iterdir()
    to = ("--to", SECOND, "--warehouse", "wh", "--permissions", "--plan", "plan.json")
    untold = " ".join(desk.spaces("import", str(folder), *to).output.split())
    assert "Note: Permissions are left alone: the folder does not tell who may use it" in untold

    desk.spaces("export", DESK, "--out", "backup", "--permissions")
    told = json.loads((folder / "permissions.json").read_text())
    assert told == [VIEWERS, OWN, ANN]
    (resource,) = Path("backup/resources").iterdir()
    (space,) = yaml.safe_load(resource.read_text())["resources"]["genie_spaces"].values()
    assert space["permissions"][0] == {"level": "CAN_VIEW", "group_name": "genie-viewers"}
    before = {file: file.read_bytes() for file in Path("backup").rglob("*") if file.is_file()}
    desk.spaces("export", DESK, "--out", "backup")
    assert {file: file.read_bytes() for file in before} == before, "told once, told again"

    (folder / "permissions.json").write_text(json.dumps([*told, BOB]))
    desk.spaces("import", str(folder), *to)
    for form in ("text", "markdown"):
        shown = desk.spaces("diff", "plan.json:before", "plan.json", "--format", form).output
        assert "+ user bob@example.com: CAN_EDIT\n" in shown
    assert "+ user bob@example.com: CAN_EDIT\n" in desk.spaces("diff", DESK, str(folder)).output
    of_a_version = desk.spaces("diff", f"{DESK}:v1", "plan.json").output
    assert "Permissions are not compared: only one of the two" in of_a_version
    assert "APPLIED" in desk.apply().output
    (made,) = desk.titled("Refund desk", SECOND)
    assert granted(desk, made, SECOND) == BEFORE | {"bob@example.com": "CAN_EDIT"}

    (folder / "permissions.json").write_text(json.dumps([OWN | {"permission_level": "CAN_RUN"}]))
    less = desk.spaces("import", str(folder), "--to", FIRST, "--permissions", "--plan", "less.json").output
    assert "takes access from the login that observes" in " ".join(less.split())

    (folder / "permissions.json").write_text('[{"user_name": "x"}]')
    broken = desk.spaces("import", str(folder), *to)
    assert "permissions.json: Each entry must name one principal and its permission_level." in broken.output
    (folder / "permissions.json").write_text(json.dumps([BOB | {"user_name": "\x1b[2Jbob"}] * 2))
    assert r"permissions.json: \x1b[2Jbob stands there twice." in desk.spaces("import", str(folder), *to).output


def test_what_nobody_looked_at_is_not_known_and_not_nobody(desk: Desk) -> None:
    shown = " ".join(desk.spaces("restore", DESK, "--at", "2026-03-02T12:30", "--permissions").output.split())
    assert "Permissions are left alone: no look up to 2026-03-02 12:30 UTC has told who may use it." in shown
    assert granted(desk) == NOW


@pytest.fixture(params=["files", pytest.param("unity", marks=pytest.mark.long)])
def lake(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path) -> Iterator[Lakehouse]:
    """The desk's tables, in which its permissions were seen as they were at first."""
    if request.param == "files":
        yield desk.world.lake
        return
    with UnityServer(tmp_path / "warehouse") as warehouse:
        desk.world.lake = warehouse.new_lake()
        grant(desk, OWN, ANN, VIEWERS)
        desk.look_at_permissions()
        yield desk.world.lake


@pytest.mark.parametrize("action", ["restore", "promote"])
def test_an_apply_that_is_killed_after_any_step_ends_as_planned_with_the_next(
    desk: Desk, lake: Lakehouse, action: str
) -> None:
    live = live_spaces(desk)
    wanted = wanted_access(lake, SpaceKey(FIRST, DESK), is_all=True)
    source = {"workspace_id": FIRST, "space_id": DESK, **body(GOOD)}
    before = {name: body(BAD)[name] for name in ("serialized_space", "description")}
    ended: list[str] = []
    halves: set[tuple[bool, bool]] = set()
    for last in itertools.count(1):
        if action == "restore":
            desk.change(**before)
            grant(desk, OWN, ANN | {"permission_level": "CAN_MANAGE"}, BOB)
            plan = restore_plan(source, live)
        else:
            plan = transfer_plan("promote", source, Destination(SECOND, warehouse_id="wh"), live)
        plan = with_access(plan, wanted, live)
        mortal = Mortal(last)
        run, next_run = (Run(NOON.date(), f"{name}{last}", desk.world.clock) for name in "ab")
        try:
            Apply(plan, mortal(live), mortal(lake), run, NO_PATIENCE).carry_out("ann")
        except KilledError:
            pass
        else:
            break
        halves.add(_how_far(desk, action))
        done = Apply(plan, live, lake, next_run, NO_PATIENCE).carry_out("ann")
        ended.append(done.result)
        key = SpaceKey(plan.workspace_id, str(done.space_id))
        assert granted(desk, key.space_id, key.workspace_id) == BEFORE
        assert desk.read(key.space_id, key.workspace_id)["serialized_space"] == json.dumps(GOOD)
        if action == "promote":
            assert desk.titled("Refund desk", SECOND) == [key.space_id]
            desk.send(SECOND, f"/api/2.0/genie/spaces/{key.space_id}", None, "DELETE")
    sent = ended.index("ALREADY")
    assert (ended[:sent], set(ended[sent:])) == (["APPLIED"] * sent, {"ALREADY"})
    assert halves == {(False, False), (True, False), (True, True)}
    assert {row["permissions"] for row in lake.records(GENIE_SPACE_APPLIES)} >= {"APPLIED", "ALREADY"}


def _how_far(desk: Desk, action: str) -> tuple[bool, bool]:
    """Whether the space, and whether its permissions are as planned."""
    if action == "restore":
        return desk.read()["serialized_space"] == json.dumps(GOOD), granted(desk) == BEFORE
    made = desk.titled("Refund desk", SECOND)
    return bool(made), bool(made) and granted(desk, made[0], SECOND) == BEFORE
