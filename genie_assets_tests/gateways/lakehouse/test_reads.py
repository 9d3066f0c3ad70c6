"""What every engine promises to readers."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.questions import Between, Equals, Filter, In
from genie_assets.domain.tables import TABLES, Table
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import (
    HOSTILE_TEXTS,
    LEDGER,
    MONDAY,
    NOTES,
    NewLake,
    authors,
    cells,
    expected_rows,
    few_examples,
    note,
    numbers,
    rows_of,
    stored,
    texts,
)
from genie_assets_tests.gateways.lakehouse.meanings import (
    COMPARABLE,
    cell_conditions,
    comparable_rows,
    holds,
)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_that_was_never_written_reads_as_no_rows_with_the_right_types(
    lake: Lakehouse, table: Table
) -> None:
    assert rows_of(table, lake.read(table)) == []
    assert list(lake.read(table, columns=table.key[:1]).columns) == list(table.key[:1])
    assert not lake.exists(table)
    assert lake.version(table) is None


@given(
    rows=st.lists(st.builds(lambda c, n, a, d: note(a, n, d, **c), cells, numbers, texts, st.dates()), max_size=5)
)
@few_examples
def test_every_value_comes_back_as_it_was_given(new_lake: NewLake, rows: list[dict[str, Any]]) -> None:
    lake = new_lake()
    assert lake.append(NOTES, NOTES.frame(rows)) == len(rows)
    assert stored(lake, NOTES) == expected_rows(NOTES, rows)


def test_hostile_texts_are_stored_and_found_again_exactly(lake: Lakehouse) -> None:
    lake.append(NOTES, NOTES.frame([note(text, number, text=text) for number, text in enumerate(HOSTILE_TEXTS)]))
    for number, text in enumerate(HOSTILE_TEXTS):
        for condition in (Equals("author", text), In("author", [text]), Between("author", text, text)):
            found = lake.read(NOTES, columns=["number", "text"], where=[condition])
            assert found.to_dict("records") == [{"number": number, "text": text}]


def test_a_lone_surrogate_neither_stops_the_other_rows_nor_hides_its_own(lake: Lakehouse) -> None:
    lake.append(NOTES, NOTES.frame([note("a", text="x\ud800y"), note("\udfff", tags=["\ud83d", None]), note("c")]))
    assert authors(lake.read(NOTES)) == ["a", "c", "\ufffd"]
    assert lake.read(NOTES, where=[Equals("author", "\udfff")])["tags"].tolist() == [["\ufffd", None]]
    assert lake.read(NOTES, where=[Equals("author", "a")])["text"].tolist() == ["x\ufffdy"]


@given(
    rows=comparable_rows,
    wanted=st.lists(cell_conditions, max_size=2),
    days=st.none() | st.sets(COMPARABLE["day"]),
)
@settings(few_examples, max_examples=60)
def test_conditions_select_what_their_meaning_says(
    new_lake: NewLake, rows: list[dict[str, Any]], wanted: list[Filter], days: set[date] | None
) -> None:
    lake = new_lake()
    rows = [{**row, "written_at": datetime(2026, 1, 1, 0, 0, place, tzinfo=UTC)} for place, row in enumerate(rows)]
    lake.append(NOTES, NOTES.frame(rows))
    found = lake.read(NOTES, columns=["written_at"], days=days, where=wanted)
    assert sorted(moment.second for moment in found["written_at"]) == [
        place
        for place, row in enumerate(rows)
        if all(holds(condition, row, {}) for condition in wanted) and (days is None or row["day"] in days)
    ]


@pytest.mark.parametrize("prefix", ["it's ", "", "ß" * 100], ids=["quoted", "number", "long"])
@pytest.mark.parametrize("count", [500, 501, 20_000])
def test_a_list_of_any_length_selects_exactly_its_members(lake: Lakehouse, count: int, prefix: str) -> None:
    """Long lists are sent as ranges; the rows in the gaps must not come along, nor those at the ends be lost."""
    lake.append(NOTES, NOTES.frame([note(f"{prefix}{number}", number) for number in range(3000)]))
    values = [f"{prefix}{number}" for number in range(0, 2 * count, 2)]
    found = lake.read(NOTES, columns=["number"], where=[In("author", values)])
    assert sorted(found["number"]) == list(range(0, min(3000, 2 * count), 2))


def test_columns_come_in_the_order_asked_for_and_those_of_conditions_stay_behind(lake: Lakehouse) -> None:
    lake.append(NOTES, NOTES.frame([note("a", pages=1), note("b", pages=2)]))
    found = lake.read(NOTES, columns=["pages", "author"], where=[Equals("day", MONDAY), Equals("number", 1)])
    assert list(found.columns) == ["pages", "author"]
    assert authors(found) == ["a", "b"]


@pytest.mark.parametrize(
    "question",
    [
        {"columns": ["nonsense"]},
        {"where": [Equals("nonsense", 1)]},
        {"where": [Equals("number", "one")]},
        {"where": [Equals("tags", ["a"])]},
        {"days": ["2026-03-02"]},
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_a_question_that_makes_no_sense_is_refused(
    lake: Lakehouse, question: dict[str, Any], exists: bool
) -> None:
    if exists:
        lake.append(NOTES, NOTES.frame([note("a")]))
    with pytest.raises(LakehouseError, match="notes"):
        lake.read(NOTES, **question)


def test_days_of_a_table_without_partitions_are_refused(lake: Lakehouse) -> None:
    with pytest.raises(LakehouseError, match="ledger has no partitions"):
        lake.read(LEDGER, days=[MONDAY])
    with pytest.raises(LakehouseError, match="ledger has no partitions"):
        lake.replace_day(LEDGER, MONDAY, LEDGER.frame([]))


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("uc://main.genie_analytics", "uc://"),
        ("https://example.com/lake", "https"),
        ("hdfs://host/lake", "hdfs"),
        ("", "empty"),
        ("/tmp/50%20off", "must not contain"),
        ("/tmp/a[b]", "must not contain"),
        ("file:///tmp/a%5Bb", "must not contain"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused_by_the_name_of_its_setting(uri: str, reason: str) -> None:
    with pytest.raises(LakehouseError, match=reason) as caught:
        open_lakehouse(uri)
    assert "GENIE_LAKEHOUSE" in str(caught.value)


@pytest.mark.parametrize("folder", ["a[b]", "a^b", "a%20b"])
def test_a_relative_place_in_a_folder_that_cannot_be_used_is_refused_too(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    with pytest.raises(LakehouseError, match=f"GENIE_LAKEHOUSE: .*{re.escape(folder)}"):
        open_lakehouse(".genie/lakehouse")


@pytest.mark.parametrize("folder", ["100%", "a#b", "Büro mit Leerzeichen"])
def test_a_relative_place_in_a_folder_with_another_odd_name_works(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    open_lakehouse(".genie/lakehouse").append(NOTES, NOTES.frame([note("a")]))
    assert open_lakehouse(".genie/lakehouse").read(NOTES)["author"].tolist() == ["a"]


def test_times_of_other_zones_are_the_same_moment(lake: Lakehouse) -> None:
    moment = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=5)))
    lake.append(NOTES, NOTES.frame([note("a", read_at=moment)]))
    assert lake.read(NOTES, where=[Equals("read_at", moment.astimezone(UTC))])["author"].tolist() == ["a"]
    assert lake.read(NOTES, where=[Between("read_at", moment, moment)])["read_at"].tolist() == [
        pd.Timestamp(moment)
    ]
