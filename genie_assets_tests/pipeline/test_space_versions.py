"""The history of a space that two runs write at once, on both lakehouses."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.questions import Wanted
from genie_assets.domain.tables import GENIE_SPACE_DETAILS, GENIE_SPACE_VERSIONS, Table
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, NOON, NOT_FOUND, World

PLACES = ["in_files", pytest.param("in_unity_catalog", marks=pytest.mark.long)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.fixture
def in_files(world: World) -> World:
    return world


@pytest.fixture
def in_unity_catalog(world: World, server: UnityServer) -> World:
    world.lake = server.new_lake()
    return world


class _Overtaken:
    """A lakehouse that somebody else uses right before the first new version is written."""

    def __init__(self, lake: Lakehouse, meanwhile: Callable[[], object]) -> None:
        self._lake, self._meanwhile = lake, [meanwhile]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lake, name)

    def store(self, table: Table, frame: Any, **options: Any) -> None:
        if table is GENIE_SPACE_VERSIONS and self._meanwhile:
            self._meanwhile.pop()()
        self._lake.store(table, frame, **options)


def look(world: World, config: str | None, hour: int, lake: Any = None) -> None:
    """Back up the space with this configuration, or fail to, at an hour after noon."""
    usual, now = world.lake, world.now
    body = {"space_id": "s1", "title": "Sales", "serialized_space": json.dumps({"config": config})}
    world.genie.spaces["s1"] = body if config else BROKEN
    world.lake, world.now = lake or usual, NOON + hour * HOUR
    world.back_up()
    world.lake, world.now = usual, now


def timeline(world: World) -> list[tuple[str, int, int | None]]:
    def hour(at: Any) -> int | None:
        return None if at is None else (at - NOON) // HOUR

    return sorted(
        (json.loads(row["serialized_space"])["config"], hour(row["valid_from"]) or 0, hour(row["valid_to"]))
        for row in world.rows(GENIE_SPACE_VERSIONS)
    )


class _Watched:
    """A lakehouse that notes which columns of versions are read."""

    def __init__(self, lake: Lakehouse) -> None:
        self._lake, self.columns = lake, list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lake, name)

    def read(self, table: Table, **options: Any) -> Any:
        if table is GENIE_SPACE_VERSIONS:
            self.columns += options.get("columns") or table.column_names
        return self._lake.read(table, **options)

    def together(self, questions: Mapping[str, Wanted]) -> Any:
        for question in questions.values():
            if question.rows.table is GENIE_SPACE_VERSIONS:
                self.columns += question.columns
        return self._lake.together(questions)


@pytest.mark.parametrize("place", PLACES)
def test_a_look_that_finds_nothing_new_reads_no_text_of_a_version(
    request: pytest.FixtureRequest, place: str
) -> None:
    world: World = request.getfixturevalue(place)
    look(world, "A", 0)
    watched = _Watched(world.lake)
    look(world, "A", 30, watched)
    assert watched.columns
    assert "serialized_space" not in watched.columns
    look(world, "B", 60, watched)
    assert "serialized_space" in watched.columns
    assert timeline(world) == [("A", 0, 60), ("B", 60, None)]
    assert [row["changed_sections"] for row in world.rows(GENIE_SPACE_VERSIONS) if not row["valid_to"]] == [
        ["other"]
    ]


GOOD = {"space_id": "s1", "title": "Sales", "warehouse_id": "wh", "update_time": "2026-03-02T09:00:00Z"}
GOOD |= {"serialized_space": '{ "config": ["A", "\\u00e4"] }'}
HARMLESS: list[Any] = [
    *(FORBIDDEN, BROKEN, NOT_FOUND, FetchError(ErrorClass.BAD_PAYLOAD, "No JSON.", 200)),
    {"space_id": "s1"},
    {"space_id": "s1", "title": "", "warehouse_id": None, "serialized_space": ""},
    GOOD | {"no_export": True},
    GOOD | {"serialized_space": '{"config":["A","\u00e4"],"benchmarks":{"questions":[]}}'},
    GOOD | {"serialized_space": '{"config": "older"}', "title": "Older", "update_time": "2026-03-02T08:59:59Z"},
]


@pytest.mark.parametrize("place", PLACES)
def test_no_forbidden_broken_empty_poorer_or_stale_answer_touches_what_is_kept(
    request: pytest.FixtureRequest, place: str
) -> None:
    world: World = request.getfixturevalue(place)
    world.genie.spaces["s1"] = GOOD
    world.back_up()
    kept = {name: value for name, value in world.rows(GENIE_SPACE_DETAILS)[0].items() if name in GOOD}
    assert kept["serialized_space"] == GOOD["serialized_space"]
    (version,) = world.rows(GENIE_SPACE_VERSIONS)
    for answer in HARMLESS:
        world.now += 48 * HOUR
        world.genie.spaces["s1"] = answer
        world.back_up()
        (row,) = world.rows(GENIE_SPACE_DETAILS)
        assert {name: row[name] for name in kept} == kept, answer
        assert world.rows(GENIE_SPACE_VERSIONS) == [version], answer


CASES = [
    ("B", None, [("A", 0, 1), ("B", 1, None)]),
    ("C", None, [("A", 0, 1), ("B", 1, 2), ("C", 2, None)]),
    ("C", "B", [("A", 0, 1), ("B", 1, 2), ("B", 30, None), ("C", 2, 30)]),
    ("C", "D", [("A", 0, 1), ("B", 1, 2), ("C", 2, 30), ("D", 30, None)]),
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("theirs", "after", "expected"), CASES)
def test_a_later_look_mends_the_history_that_two_runs_wrote_at_once(
    request: pytest.FixtureRequest, place: str, theirs: str, after: str | None, expected: list[Any]
) -> None:
    """Both found A in force and wrote another: two were in force then, for ever."""
    world: World = request.getfixturevalue(place)
    lake = world.lake
    look(world, "A", 0)
    look(world, "B", 1, _Overtaken(lake, lambda: look(world, theirs, 2, lake)))
    assert sum(end is None for _, _, end in timeline(world)) == 2
    look(world, after, 30)
    assert timeline(world) == expected
    look(world, after, 60)
    assert timeline(world) == expected
