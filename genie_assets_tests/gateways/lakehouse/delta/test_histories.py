"""A history in files: what its neighbour in time says already is not added, whoever wrote that."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from genie_assets.domain.message_log import repeated
from genie_assets.domain.tables import GENIE_API_MESSAGES
from genie_assets.gateways.lakehouse.delta import histories
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse

MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OpenAnother = Callable[[], Lakehouse]


@pytest.fixture
def another(tmp_path: Path) -> OpenAnother:
    """Opens the same lakehouse, as another process would, and looks what the history holds."""

    def opened() -> Lakehouse:
        lake = open_lakehouse(str(tmp_path))
        lake.records(GENIE_API_MESSAGES)
        return lake

    return opened


def answer(content: str, minute: int, message_id: str = "m", day: date = MONDAY) -> dict[str, Any]:
    at = NOON + timedelta(minutes=minute)
    ids = {"workspace_id": "w", "space_id": "s", "conversation_id": "c", "message_id": message_id}
    written = {"ingestion_timestamp": at, "ingestion_batch_id": uuid4().hex}
    return {**ids, "created_date": day, "content_hash": content, "api_fetch_timestamp": at, **written}


def add(lake: Lakehouse, *answers: dict[str, Any]) -> None:
    lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame(answers))


def course(lake: Lakehouse, message_id: str = "m") -> str:
    rows = sorted(lake.records(GENIE_API_MESSAGES), key=lambda row: row["api_fetch_timestamp"])
    return "".join(row["content_hash"] for row in rows if row["message_id"] == message_id)


def test_what_another_process_has_added_meanwhile_is_not_said_again(another: OpenAnother) -> None:
    first, second, third = another(), another(), another()
    add(first, answer("A", 10), answer("B", 20), answer("Z", 10, "other"))
    add(second, answer("B", 21))
    assert course(another()) == "AB", "it has read the same a minute later"
    add(third, answer("A", 9), answer("B", 15))
    assert course(another()) == "AB", "it was paused, and has read it before"
    add(second, answer("A", 30), answer("Z", 30, "other"))
    assert (course(another()), course(another(), "other")) == ("ABA", "Z"), "what comes back is history"
    add(third, answer("C", 12), answer("B", 5), answer("Z", 31, "other"))
    assert (course(another()), course(another(), "other")) == ("BACBA", "Z"), "also when it adds for a second time"


def test_who_adds_alone_reads_nothing_again(another: OpenAnother, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load of a day adds a hundred answers at a time: to look at the day each time would take hours."""
    looks: list[object] = []
    scan = histories.scan

    def counted(*args: Any) -> Any:
        looks.append(args)
        return scan(*args)

    monkeypatch.setattr(histories, "scan", counted)
    add(another(), answer("A", 0))
    lake = another()
    for minute in range(1, 4):
        add(lake, answer("AB"[minute % 2], minute))
    assert not looks
    add(another(), answer("Z", 0, "other", MONDAY + timedelta(days=1)))
    add(lake, answer("A", 5))
    assert not looks, "somebody else works on another day"
    add(another(), answer("Z", 0, "other"))
    add(lake, answer("B", 6))
    assert len(looks) == 1
    assert course(lake) == "ABABAB"


def test_processes_that_add_at_once_never_repeat_each_other(another: OpenAnother) -> None:
    lakes = [another() for _ in range(3)]
    add(another(), answer("A", 0))
    chance = random.Random(3)
    told = [[answer(chance.choice("AB"), chance.randrange(60), name) for name in "mn"] for _ in range(15)]

    def work(number: int) -> None:
        for each in told[number :: len(lakes)]:
            add(lakes[number], *each)

    with ThreadPoolExecutor(len(lakes)) as pool:
        list(pool.map(work, range(len(lakes))))
    rows = lakes[0].records(GENIE_API_MESSAGES)
    assert repeated(rows) == 0
    assert len(rows) >= 4
