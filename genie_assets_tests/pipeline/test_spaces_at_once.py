"""Two processes without a common pool look at one space: the tables are right wherever one overtakes the other."""

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.space_permissions import widened
from genie_assets.domain.tables import GENIE_SPACE_DETAILS, GENIE_SPACE_PERMISSIONS, GENIE_SPACE_VERSIONS
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.overtaken import Overtaken
from genie_assets_tests.pipeline.test_space_permissions import access, in_force
from genie_assets_tests.pipeline.world import HOUR, World

pytestmark = pytest.mark.slow  # real tables

Seen = tuple[str, Mapping[str, str]]  # a configuration, and levels by group

# What was known, what the process sees that is overtaken, and what the other one sees.
ALL_NEW = (("A", {"team": "CAN_RUN"}), ("B", {"team": "CAN_EDIT"}), ("C", {"team": "CAN_MANAGE"}))
TAKEN_AWAY: tuple[Seen, Seen, Seen] = (("A", {"team": "CAN_RUN"}), ("B", {"team": "CAN_RUN"}), ("C", {}))
FIRST_LOOK = (None, ("B", {"team": "CAN_EDIT"}), ("C", {"team": "CAN_RUN"}))


def show(world: World, seen: Seen) -> None:
    config, levels = seen
    body = {"space_id": "s1", "title": f"Title {config}", "serialized_space": json.dumps({"config": config})}
    world.genie.spaces["s1"], world.genie.access["s1"] = body, access(**levels)
    world.genie.tags["s1"] = {"config": config}


def process(path: Path, world: World, before: int = 0, work: Callable[[], object] = int) -> int:
    """Back up the space in a process of its own, and let another one work before the call of that number.

    Returns:
        How many calls it took.
    """
    ours, beside = world.lake, Overtaken(open_lakehouse(str(path)), before, work)
    lake: Any = beside
    world.now += HOUR
    world.lake = lake
    try:
        world.back_up()
    finally:
        world.lake = ours
    return beside.calls


def configs(world: World) -> list[str]:
    """The history of configurations, which has no gap and no overlap."""
    versions = sorted(world.rows(GENIE_SPACE_VERSIONS), key=lambda row: row["valid_from"])
    assert all(one["valid_to"] == next_one["valid_from"] for one, next_one in pairwise(versions))
    assert versions[-1]["valid_to"] is None
    return [json.loads(row["serialized_space"])["config"] for row in versions]


@pytest.mark.parametrize("apart", [4, pytest.param(1, marks=pytest.mark.rare)])
@pytest.mark.parametrize("case", [ALL_NEW, TAKEN_AWAY, FIRST_LOOK], ids=["all new", "taken away", "first look"])
def test_an_older_look_at_a_space_that_is_stored_later_leaves_no_trace_over_the_newer_one(
    tmp_path: Path, case: tuple[Seen | None, Seen, Seen], apart: int
) -> None:
    """The newer version ended before it began, and was there a second time; its access was widened once more."""
    known, older, newer = case
    calls = number = 3
    while True:
        path = tmp_path / str(number)
        world = World(path)
        if known is not None:
            show(world, known)
            process(path, world)
        show(world, older)

        def overtake(path: Path = path, world: World = world) -> None:
            show(world, newer)
            process(path, world)

        calls = process(path, world, number, overtake)
        if calls < number:
            break
        world.now += 47 * HOUR
        process(path, world)
        (row,) = world.rows(GENIE_SPACE_DETAILS)
        shown = (row["title"], json.loads(row["serialized_space"])["config"], json.loads(row["tags"])["config"])
        assert shown == ("Title C", "C", "C"), f"overtaken before call {number}"
        assert configs(world) in ([*"ABC"[known is None :]], ["A", "C"][known is None :])
        assert in_force(world) == {"admins": "CAN_MANAGE", **newer[1]}
        told = widened(world.rows(GENIE_SPACE_PERMISSIONS), world.now)
        levels = [each["permission_level"] for each in told]
        assert len(set(levels)) == len(levels), f"told twice, overtaken before call {number}: {levels}"
        number += apart
    assert number > 6
