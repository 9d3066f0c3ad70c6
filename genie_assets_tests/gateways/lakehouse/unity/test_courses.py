"""A history in Unity Catalog: what its neighbour in time says already is not added, whoever wrote that."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from genie_assets.domain.message_log import repeated
from genie_assets.domain.tables import GENIE_API_MESSAGES
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer

pytestmark = pytest.mark.servers

MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OpenAnother = Callable[[], Lakehouse]


@pytest.fixture
def another(unity_server: UnityServer) -> OpenAnother:
    """Opens the same lakehouse, as another process would."""
    uri = f"uc://main.lake_{uuid4().hex}"
    return lambda: unity_server.lake(uri)


def answer(content: str, minute: int, message_id: str = "m") -> dict[str, Any]:
    at = NOON + timedelta(minutes=minute)
    ids = {"workspace_id": "w", "space_id": "s", "conversation_id": "c", "message_id": message_id}
    written = {"ingestion_timestamp": at, "ingestion_batch_id": uuid4().hex}
    return {**ids, "created_date": MONDAY, "content_hash": content, "api_fetch_timestamp": at, **written}


def add(lake: Lakehouse, *answers: dict[str, Any]) -> None:
    lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame(answers))


def course(lake: Lakehouse, message_id: str = "m") -> str:
    rows = sorted(lake.records(GENIE_API_MESSAGES), key=lambda row: row["api_fetch_timestamp"])
    return "".join(row["content_hash"] for row in rows if row["message_id"] == message_id)


def test_what_the_answer_before_or_after_it_says_is_not_added_and_one_that_comes_back_is(
    another: OpenAnother,
) -> None:
    add(another(), answer("A", 10), answer("B", 20), answer("Z", 10, "other"))
    add(another(), answer("B", 21))
    assert course(another()) == "AB", "another process has read the same a minute later"
    add(another(), answer("A", 9), answer("B", 15))
    assert course(another()) == "AB", "one that was paused has read it before"
    add(another(), answer("A", 30), answer("B", 30, "other"))
    assert (course(another()), course(another(), "other")) == ("ABA", "ZB"), "what comes back is history"
    add(another(), answer("C", 12), answer("B", 5))
    assert course(another()) == "BACBA"


def test_answers_in_any_order_by_many_writers_never_repeat_their_neighbour(another: OpenAnother) -> None:
    chance, lake = random.Random(7), another()
    for _ in range(12):
        add(lake, *(answer(chance.choice("AB"), chance.randrange(60), name) for name in ("m", "n")))
    rows = lake.records(GENIE_API_MESSAGES)
    assert repeated(rows) == 0
    assert all(one != other for name in "mn" for one, other in pairwise(course(lake, name)))
    assert len(rows) >= 4


def test_of_two_that_write_the_same_at_once_the_second_adds_nothing(
    unity_server: UnityServer, another: OpenAnother
) -> None:
    """It has read the table before the first one's commit, is refused, and looks again."""
    first, second = another(), another()
    add(first, answer("A", 10))
    second.read(GENIE_API_MESSAGES)
    holds = unity_server.engine.holds
    held = holds.add({"point": "before_commit", "table": GENIE_API_MESSAGES.name})
    with ThreadPoolExecutor() as pool:
        overtaken = pool.submit(add, second, answer("B", 21), answer("C", 21, "other"))
        while not any(hold["waiting"] for hold in holds.report()):
            time.sleep(0.01)
        add(first, answer("B", 20))
        holds.release(held)
        overtaken.result(60)
    assert (course(another()), course(another(), "other")) == ("AB", "C")


def test_a_repeated_statement_whose_answer_was_lost_adds_nothing(
    unity_server: UnityServer, another: OpenAnother
) -> None:
    lake = another()
    add(lake, answer("A", 10))
    unity_server.loses_answers = True
    try:
        add(lake, answer("B", 20))
    finally:
        unity_server.loses_answers = False
    assert unity_server.lost
    assert course(another()) == "AB"
