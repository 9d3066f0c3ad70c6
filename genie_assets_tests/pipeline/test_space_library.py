"""Reading stored spaces, on both lakehouses."""

import json
from collections.abc import Iterator

import pytest

from genie_assets.domain.inventory import SpaceNameError, Standing, standing
from genie_assets.domain.keys import SpaceKey
from genie_assets.pipeline.space_library import SpaceLibrary
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.pipeline.world import FORBIDDEN, HOUR, NOON, NOT_FOUND, World


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.mark.parametrize("place", ["files", pytest.param("unity", marks=pytest.mark.long)])
def test_a_space_is_found_now_and_at_any_time(request: pytest.FixtureRequest, world: World, place: str) -> None:
    if place == "unity":
        world.lake = request.getfixturevalue("server").new_lake()
    world.event("m1")
    world.discover()
    for hour, config in enumerate("ABC"):
        world.now = NOON + hour * HOUR
        world.genie.spaces = {
            "s1": {"space_id": "s1", "title": "Sales", "serialized_space": json.dumps({"config": config})},
            "s2": {"space_id": "s2", "title": "Odd 'title'", "serialized_space": "{}"} if hour == 0 else NOT_FOUND,
            "s3": FORBIDDEN,
        }
        world.back_up()
    library = SpaceLibrary(world.lake)
    assert {row["space_id"]: standing(row) for row in library.spaces} == {
        "s1": Standing.BACKED_UP,
        "s2": Standing.GONE,
        "s3": Standing.NEVER,
    }
    assert library.workspaces == {"w1": "Prod"}
    key = SpaceKey.of(library.find("Sales@Prod"))
    assert [row["changed_sections"] for row in library.history(key)] == [None, ["other"], ["other"]]
    texts = {
        each: library.state(each)[1]["serialized_space"]
        for each in ("Sales", "s1:v1", "sales:2026-03-02T13:30", "Odd 'title'")
    }
    assert texts == {
        "Sales": '{"config": "C"}',
        "s1:v1": '{"config": "A"}',
        "sales:2026-03-02T13:30": '{"config": "B"}',
        "Odd 'title'": "{}",
    }
    with pytest.raises(SpaceNameError, match="known since 2026-03-02 12:00 UTC"):
        library.state("Sales:2026-03-01")
