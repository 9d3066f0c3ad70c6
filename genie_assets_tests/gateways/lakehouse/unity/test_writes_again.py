"""Writes in Unity Catalog: statements that may run twice, late or beside those of others, and how few they are."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from genie_assets.domain.questions import Equals
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.results import MergeResult
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets_tests.gateways.lakehouse.examples import (
    LEDGER,
    MONDAY,
    NOON,
    NOTES,
    TUESDAY,
    authors,
    column,
    note,
    stored,
)
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.places import opened
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer

NEWER = replace(NOTES, columns=(*NOTES.columns, column("mood", "STRING")))


def story(lake: Lakehouse) -> list[Any]:
    """Every kind of write, each in more than one state of the table; what they answered."""
    later: dict[str, Any] = {"written_at": NOON + timedelta(hours=1)}
    return [
        lake.append(NOTES, NOTES.frame([note("a"), note("b", None)])),
        lake.append(NOTES, NOTES.frame([note("c"), note("c", 2), note("c", 2)])),
        lake.merge(LEDGER, LEDGER.frame([note("a", text="old"), note("b"), note("n", None)])),
        lake.merge(
            LEDGER,
            LEDGER.frame([note("a", text="new", **later), note("b", **later), note("d")]),
            delete=LEDGER.frame([note("n", None), note("gone")]),
        ),
        lake.merge(NEWER, NEWER.frame([note("a", mood="good"), note("e", day=TUESDAY)])),
        lake.replace_day(NEWER, TUESDAY, NEWER.frame([note("f", day=TUESDAY, mood="bad")])),
        lake.replace_day(NEWER, TUESDAY, NEWER.frame([note("f", day=TUESDAY, mood="bad", **later)])),
        lake.replace_day(NEWER, TUESDAY, NEWER.frame([])),
    ]


def test_answers_that_get_lost_change_nothing(unity_server: UnityServer, losing: UnityServer) -> None:
    """The client cannot know that a statement ran: it sends it again, and every statement must bear that."""
    troubled = losing.new_lake()
    answers = story(troubled)
    assert losing.lost > 30
    losing.loses_answers = False
    calm = unity_server.new_lake()
    assert answers == story(calm)
    assert answers[3:5] == [MergeResult(inserted=1, updated=1, deleted=1), MergeResult(inserted=1, updated=1)]
    for table in (NEWER, LEDGER):
        assert stored(troubled, table) == stored(calm, table)


def test_a_row_that_is_stored_twice_is_not_taken_for_another_one(lake: Lakehouse) -> None:
    """Two rows are stored and two of the stored ones are right, but it is one row, twice."""
    lake.append(NOTES, NOTES.frame([note("a"), note("a")]))
    assert lake.replace_day(NOTES, MONDAY, NOTES.frame([note("a"), note("b")]))
    assert authors(lake.read(NOTES)) == ["a", "b"]


def test_a_statement_that_comes_late_cannot_undo_later_writes(lake: Lakehouse, warehouse: Recording) -> None:
    """Sent twice after a lost answer, the first one may wait in a queue until other writes are done."""
    lake.merge(NOTES, NOTES.frame([note("a", text="old")]))
    lake.replace_day(NOTES, TUESDAY, NOTES.frame([note("a", day=TUESDAY, text="old")]))
    sent = zip(warehouse.statements, warehouse.parameters, strict=True)
    late = [(text, given) for text, given in sent if "MERGE INTO" in text or "REPLACE WHERE" in text]
    lake.merge(NOTES, NOTES.frame([note("a", text="new")]))
    lake.replace_day(NOTES, TUESDAY, NOTES.frame([note("a", day=TUESDAY, text="new")]))
    assert len(late) == 2
    for statement, given in late:
        with pytest.raises(WarehouseError, match="PATH_NOT_FOUND"):
            warehouse.execute(statement, given)
    assert lake.read(NOTES)["text"].tolist() == ["new", "new"]


def test_rows_that_another_process_stores_at_the_same_time_are_stored_once(
    unity_server: UnityServer, place: Place
) -> None:
    """What was counted before a MERGE may not be so any more when it runs."""
    other = unity_server.lake(f"uc://{place.catalog}.{place.schema}")
    other.merge(LEDGER, LEDGER.frame([note("old", text="x")]))
    frame, gone = LEDGER.frame([note("a"), note("b", None, text="t")]), LEDGER.frame([note("old")])

    def overtake(statement: str) -> None:
        if "MERGE INTO" in statement:
            assert other.merge(LEDGER, frame, delete=gone).inserted == 2
            assert other.append(NOTES, NOTES.frame([note("a")])) == 1

    first = opened(unity_server, Recording(unity_server.warehouse(), overtake), place)
    assert first.merge(LEDGER, frame, delete=gone) == MergeResult(inserted=2, deleted=1)
    other.merge(LEDGER, LEDGER.frame([]), delete=frame)
    first.append(NOTES, NOTES.frame([note("a")]))
    assert authors(other.read(LEDGER)) == ["a", "b"]
    assert authors(other.read(NOTES)) == ["a"]


def test_a_write_takes_few_statements_once_the_table_is_known(lake: Lakehouse, warehouse: Recording) -> None:
    """A statement costs a second of a warehouse."""
    lake.append(NOTES, NOTES.frame([note("a")]))
    warehouse.statements.clear()
    lake.append(NOTES, NOTES.frame([note("b")]))
    lake.read(NOTES, where=[Equals("author", "a")])
    assert warehouse.kinds == ["MERGE INTO", "SELECT t."]
    warehouse.statements.clear()
    lake.merge(NOTES, NOTES.frame([note("a", text="t")]))
    lake.merge(NOTES, NOTES.frame([note("a", text="t")]))
    assert [kind.split("(")[0] for kind in warehouse.kinds] == ["SELECT count_if", "MERGE INTO", "SELECT count_if"]


def test_what_is_known_to_differ_is_written_without_a_look(lake: Lakehouse, warehouse: Recording) -> None:
    """It takes one statement, and leaves the same behind as with a look."""
    lake.append(NOTES, NOTES.frame([note("a"), note("b")]))
    warehouse.statements.clear()
    lake.store(NOTES, NOTES.frame([note("a", text="t"), note("c")]), delete=NOTES.frame([note("b")]))
    assert warehouse.kinds == ["MERGE INTO"]
    assert sorted((row["author"], row["text"]) for row in lake.records(NOTES)) == [("a", "t"), ("c", None)]
    warehouse.statements.clear()
    lake.store_day(NOTES, MONDAY, NOTES.frame([note("d")]))
    lake.store(NOTES, NOTES.frame([]))
    assert warehouse.kinds == ["INSERT INTO"]
    assert authors(lake.read(NOTES)) == ["d"]


def test_two_merges_of_the_same_new_key_must_conflict(
    unity_server: UnityServer, lake: Lakehouse, place: Place
) -> None:
    """With deletion vectors Databricks would let both pass: two new rows are not the same row."""
    for table in (NOTES, LEDGER):
        lake.prepare(table)
        detail = unity_server.warehouse().query(f"DESCRIBE DETAIL {place.table(table)}")
        assert "'delta.enableDeletionVectors': 'false'" in str(dict(detail["properties"].iloc[0]))
