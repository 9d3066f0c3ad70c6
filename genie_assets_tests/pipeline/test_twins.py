"""A key that is stored twice is found in every table that claims one, on both lakehouses."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.message_log import repeated
from genie_assets.domain.tables import GENIE_API_MESSAGES, MESSAGE_ATTACHMENTS, MESSAGE_DETAILS, TABLES, Table
from genie_assets.pipeline.twins import OF_DAYS, OF_NO_DAY, Keys, duplicate_keys, standing_keys
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.pipeline.world import MONDAY, NOON, TUESDAY, World


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.fixture(params=["delta", pytest.param("unity", marks=pytest.mark.long)])
def on_both(request: pytest.FixtureRequest, world: World) -> World:
    if request.param == "unity":
        world.lake = request.getfixturevalue("server").new_lake()
    return world


_EXAMPLES = {"LONG": 1, "INT": 1, "BOOLEAN": True, "ARRAY<STRING>": ["x"], "TIMESTAMP": NOON}


def a_row(table: Table, text: str = "x", **cells: Any) -> dict[str, Any]:
    """Some row of a table, of Monday; what has no days is of Monday only if its text is "x"."""
    day = MONDAY if text == "x" or table in OF_DAYS else TUESDAY
    examples = _EXAMPLES | {"STRING": text, "DATE": day}
    return {each.name: examples[each.type] for each in table.columns} | cells


def test_a_key_that_is_twice_is_found_in_every_table_that_claims_one(on_both: World) -> None:
    lake = on_both.lake
    for table in TABLES:
        lake.append(table, table.frame([a_row(table)]))
    assert set(duplicate_keys(MONDAY, lake).values()) == {0}
    assert set(standing_keys(lake).values()) == {Keys(rows=1, too_many=0)}
    for table in TABLES:
        lake.append(table, table.frame([a_row(table, "y"), a_row(table, "y")]))
    assert duplicate_keys(MONDAY, lake) == {table.name: 1 for table in OF_DAYS}
    assert standing_keys(lake) == {table.name: Keys(rows=3, too_many=1) for table in OF_NO_DAY}
    assert len(OF_DAYS) + len(OF_NO_DAY) == len(TABLES)


def test_the_twin_of_a_message_is_found_on_whichever_day_it_is(world: World) -> None:
    for table in (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS):
        world.lake.append(table, table.frame([a_row(table), a_row(table, created_date=TUESDAY)]))
    found = duplicate_keys(MONDAY, world.lake)
    assert {name for name, number in found.items() if number} == {"message_details", "message_attachments"}


def test_an_answer_without_a_time_that_two_runs_stored_on_two_days_is_found(world: World) -> None:
    rows = [
        a_row(GENIE_API_MESSAGES, message_id=message_id, created_timestamp=None, created_date=day)
        | {"api_fetch_timestamp": dt.datetime.combine(day, dt.time(12), dt.UTC)}
        for message_id in ("twice", "changed")
        for day in (MONDAY, TUESDAY)
    ]
    rows[-1]["content_hash"] = "other"
    world.lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame(rows))
    assert [duplicate_keys(day, world.lake)["genie_api_messages"] for day in (MONDAY, TUESDAY)] == [1, 1]


def test_an_answer_that_comes_back_is_history_and_one_that_is_repeated_is_not(world: World) -> None:
    hours = [NOON + n * dt.timedelta(hours=1) for n in range(4)]
    for message_id, answers in (("back", "aba"), ("twice", "abb"), ("both", "abbab"[:4])):
        rows = [
            a_row(GENIE_API_MESSAGES, message_id=message_id, content_hash=answer, api_fetch_timestamp=at)
            for at, answer in zip(hours, answers, strict=False)
        ]
        world.lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame(rows))
    assert duplicate_keys(MONDAY, world.lake)["genie_api_messages"] == 2


@given(st.lists(st.sampled_from("ab"), max_size=6), st.randoms())
def test_repetitions_are_counted_in_the_order_of_time(answers: list[str], random: Any) -> None:
    rows = [
        {
            "workspace_id": "w",
            "message_id": "m",
            "content_hash": answer,
            "api_fetch_timestamp": NOON.replace(minute=n),
        }
        for n, answer in enumerate(answers)
    ]
    random.shuffle(rows)
    assert repeated(rows) == sum(answers[n] == answers[n + 1] for n in range(len(answers) - 1))
