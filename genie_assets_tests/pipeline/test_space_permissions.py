"""Access lists as stored: known stays known, and a widened access is told by the check."""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.folded_again import FAR_AHEAD as FAR
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.tables import GENIE_SPACE_PERMISSIONS
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.space_permissions import keep_permissions
from genie_assets_tests.day_runs import standing
from genie_assets_tests.overtaken import Overtaken
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, NOON, NOT_FOUND, URL, World
from genie_assets_tests.test_check_sentences import HOSTILE, tokens

pytestmark = pytest.mark.slow  # real tables


def access(**levels: str) -> dict[str, Any]:
    """An answer by the names of groups; admins stand in each."""
    told = {"admins": "CAN_MANAGE"} | levels
    return {
        "access_control_list": [
            {"group_name": name, "all_permissions": [{"permission_level": level}]} for name, level in told.items()
        ]
    }


def in_force(world: World) -> dict[str, str]:
    rows = world.rows(GENIE_SPACE_PERMISSIONS)
    return {row["principal"]: row["permission_level"] for row in rows if row["valid_to"] is None}


@pytest.mark.parametrize("answer", [FORBIDDEN, NOT_FOUND, BROKEN, {}, {"access_control_list": []}])
def test_what_cannot_be_read_changes_nothing_that_is_known(world: World, answer: Any) -> None:
    world.genie.spaces = {"s1": {"space_id": "s1", "title": "One", "serialized_space": "{}"}}
    world.genie.access = {"s1": access(team="CAN_RUN")}
    report = world.back_up()
    assert (report.permissions.read, report.permissions.unknown, report.permissions.changed) == (1, 0, 2)
    stored = world.versions(GENIE_SPACE_PERMISSIONS)
    world.genie.access = {"s1": answer}
    world.now += 24 * HOUR
    report = world.back_up()
    assert (report.readable, report.permissions.read, report.permissions.unknown) == (1, 0, 1)
    assert world.versions(GENIE_SPACE_PERMISSIONS) == stored
    assert in_force(world) == {"admins": "CAN_MANAGE", "team": "CAN_RUN"}


def test_a_widened_access_turns_the_check_yellow_and_names_no_person(world: World) -> None:
    world.genie.spaces = {"s1": {"space_id": "s1", "title": HOSTILE, "serialized_space": "{}"}}
    world.genie.access = {"s1": access(team="CAN_RUN")}
    world.back_up()
    assert standing(world, "no_access_was_widened").passed
    wider = access(team="CAN_EDIT")
    person = {"user_name": "ann@example.com", "all_permissions": [{"permission_level": "CAN_VIEW"}]}
    wider["access_control_list"].append(person)
    world.genie.access = {"s1": wider}
    for hours in (24, 48):
        world.now = NOON + hours * HOUR
        world.back_up()
        told = standing(world, "no_access_was_widened")
        assert (told.passed, told.metadata["accesses_widened"].value) == (False, 2)
        assert tokens(told.description or "") == {"paragraph_open", "paragraph_close", "inline", "text"}
        assert "ann@" not in f"{told.description}{told.metadata}"
    world.now = NOON + 5 * 24 * HOUR
    assert standing(world, "no_access_was_widened").passed


@pytest.mark.long  # the rule alone is tested in the domain
@pytest.mark.parametrize("later", [{"team": "CAN_MANAGE"}, {}], ids=["changed again", "taken away"])
def test_no_access_is_in_force_for_longer_than_the_next_look_saw_it(tmp_path: Path, later: dict[str, str]) -> None:
    """A process that was overtaken before its last write let what it saw last until the next day."""
    number = 1
    while True:
        path = tmp_path / str(number)
        world = World(path)

        def look(lake: Any, levels: dict[str, str], world: World = world) -> None:
            world.genie.access["s1"] = access(**levels)
            world.now += HOUR
            keep_permissions({SpaceKey("w1", "s1")}, {"w1": URL}, genie=world.genie, lake=lake, run=world.run())

        look(world.lake, {"team": "CAN_RUN"})
        beside = Overtaken(world.lake, number, partial(look, open_lakehouse(str(path)), later))
        look(beside, {"team": "CAN_EDIT"})
        if beside.calls < number:
            break
        overtaken = world.now
        world.now += 24 * HOUR
        look(world.lake, later)
        rows = [row for row in world.rows(GENIE_SPACE_PERMISSIONS) if row["principal"] == "team"]
        ends = [(row["valid_from"], row["valid_to"] or FAR) for row in rows]
        periods = sorted((begin, end) for begin, end in ends if begin != end)
        assert all(one[1] == following[0] for one, following in pairwise(periods)), f"before call {number}"
        assert {at for each in periods for at in each} <= {NOON + HOUR, NOON + 2 * HOUR, overtaken, FAR}, number
        assert in_force(world) == {"admins": "CAN_MANAGE", **later}
        number += 1
    assert number > 4


def test_a_space_that_cannot_be_read_is_not_asked_for_its_access(world: World) -> None:
    closed: FetchError = FORBIDDEN
    world.genie.spaces = {"s1": closed}
    assert world.back_up().permissions.unknown == 0
