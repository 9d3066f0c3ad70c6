"""Answers are stored batch by batch: crashes, records that cannot be stored, a store that is down."""

from typing import Any

import pandas as pd
import pytest

from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    Table,
)
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets_tests.pipeline.world import BROKEN, HOUR, MONDAY, World


class BrokenLake:
    """A lakehouse of which some operations fail."""

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake
        self.broken_tables: set[str] = set()
        self.refused_ids: set[str] = set()
        self.failures = 0  # so many answers cannot be stored at first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lake, name)

    def append(self, table: Table, frame: pd.DataFrame) -> int:
        self._check(table, frame)
        return self._lake.append(table, frame)

    def store(self, table: Table, frame: pd.DataFrame, *, delete: pd.DataFrame | None = None) -> None:
        self._check(table, frame)
        self._lake.store(table, frame, delete=delete)

    def _check(self, table: Table, frame: pd.DataFrame) -> None:
        if table is GENIE_API_MESSAGES and self.failures:
            self.failures -= 1
            raise LakehouseError(f"{table.name}: try again")
        if len(frame) and table.name in self.broken_tables:
            raise LakehouseError(f"{table.name}: disk full")
        if table is GENIE_API_MESSAGES and not self.refused_ids.isdisjoint(frame["message_id"]):
            raise LakehouseError(f"{table.name}: a value does not fit")


@pytest.fixture
def broken(world: World, monkeypatch: pytest.MonkeyPatch) -> BrokenLake:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    return BrokenLake(world.lake)


def test_answers_are_committed_a_hundred_at_a_time(world: World) -> None:
    world.ask(*(f"m{n:03}" for n in range(250)))
    world.discover()
    before = world.lake.version(GENIE_API_MESSAGES)
    report = world.fetch()
    assert report.tally.batches == 3
    assert world.lake.version(GENIE_API_MESSAGES) == (before or 0) + 3
    sizes = pd.Series([row["ingestion_batch_id"] for row in world.rows(GENIE_API_MESSAGES)]).value_counts()
    assert sorted(sizes) == [50, 100, 100]
    assert set(sizes.index) == {f"2026-03-02/run1/{n:05}" for n in (1, 2, 3)}


def test_a_crash_between_log_and_ledger_heals(world: World, broken: BrokenLake) -> None:
    """The answer is stored, its error still open: nothing is asked for twice, and the error is resolved."""
    world.ask("m1")
    world.genie.errors["m1"] = BROKEN
    world.load()
    del world.genie.errors["m1"]
    world.now += HOUR
    broken.broken_tables = {MESSAGE_FETCH_ERRORS.name}
    with pytest.raises(LakehouseError):
        world.fetch(lake=broken)  # type: ignore[arg-type]
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolved"] is False
    asked = len(world.genie.requests)
    report = world.load()
    assert (report.wanted, len(world.genie.requests)) == (0, asked)
    assert world.row(MESSAGE_FETCH_ERRORS, "m1")["resolution"] == "FETCHED"
    assert len(world.rows(GENIE_API_MESSAGES)) == 1
    assert world.row(MESSAGE_DETAILS, "m1")["api_fetch_status"] == "SUCCESS"


def test_a_record_that_cannot_be_read_is_set_aside(world: World) -> None:
    world.ask("m1", "poison", "m3")
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    world.message("poison", unknown_field=deep)
    report = world.load()
    assert (report.tally.stored, report.tally.errors_by_class) == (2, {"BAD_PAYLOAD": 1})
    assert world.row(MESSAGE_FETCH_ERRORS, "poison")["resolved"] is False
    assert [row["message_id"] for row in world.rows(MESSAGE_DETAILS)] == ["m1", "m3"]
    assert world.state().accounting().lost == 0


def test_a_record_that_cannot_be_stored_is_set_aside_and_counts_its_attempts(
    world: World, broken: BrokenLake
) -> None:
    """Its open error was taken for resolved by the answer, so that its attempts began anew each time."""
    world.ask("m1", "poison", "m3")
    broken.refused_ids = {"poison"}
    world.discover()
    report = world.fetch(lake=broken)  # type: ignore[arg-type]
    assert (report.tally.stored, report.tally.failed, report.tally.answered) == (2, 1, 2)
    first = world.row(MESSAGE_FETCH_ERRORS, "poison")
    assert (first["error_class"], first["retry_count"], first["resolved"]) == ("BAD_PAYLOAD", 0, False)
    world.now = first["next_retry_timestamp"]
    world.ask("m4")
    world.discover()
    world.fetch(lake=broken)  # type: ignore[arg-type]
    second = world.row(MESSAGE_FETCH_ERRORS, "poison")
    assert (second["retry_count"], second["first_error_timestamp"]) == (1, first["first_error_timestamp"])
    assert [row["message_id"] for row in world.rows(GENIE_API_MESSAGES)] == ["m1", "m3", "m4"]
    world.fold()
    assert world.state().accounting().lost == 0


def test_a_store_that_is_down_is_no_fault_of_the_messages(world: World, broken: BrokenLake) -> None:
    world.ask("m1", "m2")
    world.discover()
    broken.broken_tables = {GENIE_API_MESSAGES.name}
    with pytest.raises(LakehouseError, match="disk full"):
        world.fetch(lake=broken)  # type: ignore[arg-type]
    assert not world.rows(MESSAGE_FETCH_ERRORS)
    assert world.load().tally.stored == 2


@pytest.mark.parametrize("created", [9 * 10**18, "0001-01-01T00:00:00Z", -5, "soon", None])
def test_an_absurd_time_does_not_stop_the_runs_that_follow(world: World, created: Any) -> None:
    world.ask(
        "odd",
        created_timestamp=created,
        status="ASKING_AI",
        attachments=[{"query": {"query": "SELECT 1", "statement_id": "st-1"}}],
    )
    world.ask("m2", conversation_id="c2")
    for _ in range(2):
        world.load()
        world.now += 48 * HOUR
    assert world.row(MESSAGE_DETAILS, "odd")["created_date"] == MONDAY
    assert world.row(MESSAGE_DETAILS, "odd")["created_timestamp"] is None


def test_an_answer_that_comes_back_is_history_and_not_taken_for_a_failed_try(
    world: World, broken: BrokenLake
) -> None:
    """Withheld, then shown again: the log lost the third answer if storing it had to be tried twice."""
    world.ask("m1", content="whole")
    world.load()
    for content in ("withheld", "whole", "whole"):
        world.now += HOUR
        world.event("m1", action="updateConversationMessage")
        world.message("m1", content=content)
        world.discover()
        broken.failures = 1
        world.fetch(lake=broken)  # type: ignore[arg-type]
    rows = sorted(world.rows(GENIE_API_MESSAGES), key=lambda row: row["api_fetch_timestamp"])
    assert ["withheld" in row["raw_json"] for row in rows] == [False, True, False]
    assert rows[0]["content_hash"] == rows[2]["content_hash"]
    assert len({tuple(row[name] for name in GENIE_API_MESSAGES.key) for row in rows}) == 3
