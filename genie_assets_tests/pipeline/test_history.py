"""Old messages: they are found without a search, left alone when nothing happened to them, and never hidden."""

import datetime as dt
import itertools
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain import folded_again
from genie_assets.domain.questions import Equals, In, Question, Wanted
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_CONVERSATION_DAYS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    Table,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline import genie_api_messages as fetching
from genie_assets_tests.pipeline.world import BROKEN, HOUR, MONDAY, NOON, WEDNESDAY, World

NOON_MS = int(NOON.timestamp() * 1000)
DAY_MS = 24 * 3_600_000
BY_DAY = (GENIE_API_MESSAGES, MESSAGE_DETAILS, MESSAGE_ATTACHMENTS)


class WatchedLake:
    """A lakehouse that remembers in which days it was searched by conversation, and read with whole answers."""

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake
        self.days_read: list[set[dt.date] | None] = []
        self.days_read_whole: list[set[dt.date] | None] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lake, name)

    def read(self, table: Table, **kwargs: Any) -> Any:
        by_conversation = any(
            isinstance(each, In) and each.column == "conversation_id" for each in kwargs.get("where", ())
        )
        days = None if kwargs.get("days") is None else set(kwargs["days"])
        if table in BY_DAY and by_conversation:
            self.days_read.append(days)
        if "raw_json" in kwargs.get("columns", ()):
            self.days_read_whole.append(days)
        return self._lake.read(table, **kwargs)

    def together(self, questions: Mapping[str, Question]) -> Any:
        for question in questions.values():
            if isinstance(question, Wanted):
                rows, columns = question.rows, question.columns
                by_conversation = any(
                    isinstance(each, In) and each.column == "conversation_id" for each in rows.where
                )
                if rows.table in BY_DAY and by_conversation:
                    self.days_read.append(None if rows.days is None else set(rows.days))
                if "raw_json" in columns:
                    self.days_read_whole.append(None if rows.days is None else set(rows.days))
        return self._lake.together(questions)


def watched(world: World) -> WatchedLake:
    world.lake = WatchedLake(world.lake)  # type: ignore[assignment]
    return world.lake  # type: ignore[return-value]


def asked(world: World, message_id: str, day: dt.date, conversation_id: str = "c1", **body: Any) -> None:
    """A message asked at noon of a day."""
    created = NOON_MS + (day - MONDAY).days * DAY_MS
    world.ask(message_id, conversation_id=conversation_id, day=day, created_timestamp=created, **body)


def positions(world: World) -> dict[str, int]:
    return {row["message_id"]: row["conversation_position"] for row in world.rows(MESSAGE_DETAILS)}


def test_a_conversation_that_goes_on_is_found_without_a_search(world: World) -> None:
    """Reading by conversation alone would open every day there ever was; of old messages only places matter."""
    for message_id, day in (("m1", MONDAY), ("m2", WEDNESDAY)):
        asked(world, message_id, day)
        asked(world, f"other {message_id}", day, "c2" if day == MONDAY else "c3")
    world.load(MONDAY)
    lake = watched(world)
    world.load(WEDNESDAY)
    assert lake.days_read == [{MONDAY, WEDNESDAY}] * 2
    assert lake.days_read_whole == [{WEDNESDAY}]
    assert positions(world) == {"m1": 1, "m2": 2, "other m1": 1, "other m2": 1}


def test_what_a_list_brings_from_a_day_never_loaded_is_folded(world: World) -> None:
    asked(world, "m2", WEDNESDAY)
    asked(world, "m3", WEDNESDAY)
    world.message("m1", created_timestamp=NOON_MS)
    world.load(WEDNESDAY)
    assert {row["message_id"]: row["created_date"] for row in world.rows(MESSAGE_DETAILS)} == {
        "m1": MONDAY,
        "m2": WEDNESDAY,
        "m3": WEDNESDAY,
    }
    assert positions(world) == {"m1": 1, "m2": 2, "m3": 3}


def test_a_broken_append_has_left_its_way_to_the_messages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index comes first: the other way round, a crash in between would hide the messages for good."""
    asked(world, "m2", WEDNESDAY)
    asked(world, "m3", WEDNESDAY)
    world.message("m1", created_timestamp=NOON_MS)
    order = []
    append = world.lake.append

    def noting(table: Table, frame: Any) -> int:
        order.append(table.name)
        return append(table, frame)

    monkeypatch.setattr(world.lake, "append", noting)
    world.discover(WEDNESDAY)
    world.fetch(WEDNESDAY)
    assert order[:2] == ["genie_conversation_days", "genie_api_messages"]


def test_what_a_list_brings_along_is_not_stored_twice(world: World) -> None:
    """Only wanted messages are looked up before; the others when they come."""
    asked(world, "m1", MONDAY)
    asked(world, "n1", MONDAY)
    world.load(MONDAY)
    world.now += 48 * HOUR
    world.message("n1", created_timestamp=NOON_MS, feedback={"rating": "POSITIVE"})
    asked(world, "m2", WEDNESDAY)
    asked(world, "m3", WEDNESDAY)
    report = world.load(WEDNESDAY)
    assert world.genie.requests[-1].endpoint == "LIST"
    assert (report.tally.stored, report.tally.extra, report.tally.answered) == (3, 1, 2)
    stored = [row["message_id"] for row in world.rows(GENIE_API_MESSAGES)]
    assert stored == ["m1", "m2", "m3", "n1", "n1"]
    assert world.row(MESSAGE_DETAILS, "n1")["feedback_rating"] == "POSITIVE"


def test_reading_an_old_message_again_costs_nothing(world: World) -> None:
    asked(world, "m1", MONDAY)
    world.load(MONDAY)
    world.event("m1", day=WEDNESDAY, action="getConversationMessage")
    requests = len(world.genie.requests)
    tables = (*BY_DAY, GENIE_CONVERSATION_DAYS, MESSAGE_FETCH_ERRORS)
    versions = world.versions(*tables)
    lake = watched(world)
    world.load(WEDNESDAY)
    assert len(world.genie.requests) == requests
    assert lake.days_read == []
    assert world.versions(*tables) == versions


@pytest.mark.parametrize("reason", ["never folded", "fetched on this day", "failed on this day", "deleted"])
def test_an_old_message_that_is_more_than_read_is_folded(world: World, reason: str) -> None:
    asked(world, "m1", MONDAY, status="EXECUTING_QUERY" if reason == "fetched on this day" else "COMPLETED")
    if reason != "never folded":
        world.load(MONDAY)
    world.now += 48 * HOUR
    world.event("m1", day=WEDNESDAY, action="getConversationMessage")
    world.message("m1", created_timestamp=NOON_MS, content="now")
    if reason == "failed on this day":
        world.event("m1", day=WEDNESDAY, action="executeQuery")
        world.genie.errors["m1"] = BROKEN
    if reason == "deleted":
        world.delete("m1", day=WEDNESDAY)
    world.load(WEDNESDAY)
    row = world.row(MESSAGE_DETAILS, "m1")
    if reason == "failed on this day":
        assert row["api_fetch_status"] == "SERVER"
    elif reason == "deleted":
        assert row["is_deleted"]
    else:
        assert (row["status"], row["content"]) == ("COMPLETED", "now")


def test_parts_make_the_same_tables_as_one_fold(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = World(tmp_path / "other lake")
    reports = []
    for each, size in ((world, 8_000), (other, 2)):
        for number in range(7):
            query = {"query": "SELECT 1", "statement_id": f"st-{number}"}
            asked(each, f"m{number}", MONDAY, f"c{number % 4}", attachments=[{"query": query}])
            each.statement(f"st-{number}")
        monkeypatch.setattr(folded_again, "MESSAGES_PER_PART", size)
        each.discover()
        each.fetch()
        reports.append(each.fold())
    assert len(other.system_tables.windows) > len(world.system_tables.windows) == 1
    assert reports[0] == reports[1]
    assert (reports[0].messages, reports[0].details.inserted, reports[0].statements_found) == (7, 7, 7)
    for table in (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS, GENIE_CONVERSATION_DAYS):
        assert world.rows(table, columns=table.content) == other.rows(table, columns=table.content)


def test_a_lakehouse_without_the_index_gets_it(world: World, tmp_path: Path) -> None:
    """Tables of a version that had none hold conversations that only the index leads to."""
    asked(world, "m1", MONDAY)
    world.load(MONDAY)
    (index,) = tmp_path.rglob(GENIE_CONVERSATION_DAYS.name)
    shutil.rmtree(index)
    asked(world, "m2", WEDNESDAY)
    world.load(WEDNESDAY)
    assert positions(world) == {"m1": 1, "m2": 2}
    entries = {(row["conversation_id"], row["created_date"]) for row in world.rows(GENIE_CONVERSATION_DAYS)}
    assert entries == {("c1", MONDAY), ("c1", WEDNESDAY)}


def test_query_history_is_not_read_far_back_for_statements_that_are_known(world: World) -> None:
    """A long window has the warehouse read months of history for a conversation that goes on."""
    long_ago = MONDAY - dt.timedelta(days=90)

    def query(statement_id: str) -> list[dict[str, Any]]:
        return [{"query": {"query": "SELECT 1", "statement_id": statement_id}}]

    asked(world, "m1", long_ago, attachments=query("st-1"))
    world.statement("st-1", start_time=NOON - dt.timedelta(days=90))
    world.now -= dt.timedelta(days=90)
    world.load(long_ago)
    world.now += dt.timedelta(days=90)
    asked(world, "m2", MONDAY, attachments=query("st-2"))
    world.statement("st-2", start_time=NOON)
    world.load(MONDAY)
    assert world.system_tables.windows[-1][0] == NOON - dt.timedelta(days=1)
    rows = world.rows(MESSAGE_DETAILS)
    assert [row["query_execution_status"] for row in rows] == ["FINISHED", "FINISHED"]


def test_what_the_lakehouse_leaves_out_is_what_the_rules_call_current(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lakehouse picks out what is up to date before the rules see it: both must agree on every message."""
    hours = [None, -HOUR, HOUR]
    cases = list(itertools.product(["COMPLETED", "ASKING_AI"], hours, ["none", "open", "fetched"], [False, True]))
    for number, (status, changed, _, is_deleted) in enumerate(cases):
        message_id = f"m{number}"
        action = "getConversationMessage" if changed is None else "executeQuery"
        at = NOON + (changed or HOUR)
        world.event(message_id, f"c{number}", action=action, at=at)
        world.message(message_id, f"c{number}", status=status)
        if is_deleted:
            world.delete(message_id, f"c{number}")
    world.discover()
    references = world.rows(GENIE_MESSAGES_TO_FETCH)
    undeleted = [{**row, "is_deleted": False} for row in references]
    world.lake.replace_day(GENIE_MESSAGES_TO_FETCH, MONDAY, GENIE_MESSAGES_TO_FETCH.frame(undeleted))
    world.fetch()
    later = [
        {
            **row,
            "ingestion_timestamp": NOON + 2 * HOUR,
            "last_change_time": max(changed, NOON + 2 * HOUR) if (changed := row["last_change_time"]) else None,
        }
        if number % 2
        else {**row, "ingestion_timestamp": NOON + 2 * HOUR}
        for number, row in enumerate(references)
    ]
    world.lake.replace_day(GENIE_MESSAGES_TO_FETCH, MONDAY, GENIE_MESSAGES_TO_FETCH.frame(later))
    errors = [
        {
            "workspace_id": "w1",
            "message_id": f"m{number}",
            "error_class": "SERVER",
            "event_date": MONDAY,
            "error_timestamp": NOON + HOUR,
            "retry_count": 0,
            "resolved": error == "fetched",
            "resolution": "FETCHED" if error == "fetched" else None,
        }
        for number, (_, _, error, _) in enumerate(cases)
        if error != "none"
    ]
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(errors))
    world.genie.requests_allowed = 0
    picked = world.fetch()
    never = (Equals("is_deleted", True), Equals("is_deleted", False))
    monkeypatch.setattr(fetching, "PLAINLY_CURRENT", never)
    judged = world.fetch()
    assert picked.verdicts == judged.verdicts
    assert (picked.wanted, picked.stored_before) == (judged.wanted, judged.stored_before)
    assert len(picked.verdicts) >= 4
