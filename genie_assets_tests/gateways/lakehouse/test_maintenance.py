"""Tables that grow new columns, and tables that are tidied up."""

from dataclasses import replace

import pytest

from genie_assets.domain.questions import Equals, IsNull
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, Table
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets_tests.gateways.lakehouse.examples import (
    LEDGER,
    MONDAY,
    NOTES,
    TUESDAY,
    WEDNESDAY,
    column,
    note,
    stored,
    write,
)

YOUNGER = replace(
    NOTES,
    columns=(*NOTES.columns, column("mood", "STRING"), column("score", "LONG", nullable=False)),
    statistics=(*NOTES.statistics, "score"),
)


@pytest.mark.parametrize("verb", ["append", "replace_day", "merge"])
def test_a_new_column_is_null_in_old_rows_and_stored_in_new_ones(lake: Lakehouse, verb: str) -> None:
    lake.append(NOTES, NOTES.frame([note("old", day=TUESDAY)]))
    assert lake.read(YOUNGER)["mood"].tolist() == [None]
    assert lake.read(YOUNGER, where=[IsNull("score")])["author"].tolist() == ["old"]
    assert lake.read(YOUNGER, where=[Equals("mood", "x")]).empty
    fresh = YOUNGER.frame([note("new", mood="good", score=3)])
    write(lake, verb, YOUNGER, fresh)
    found = lake.read(YOUNGER).sort_values("author")
    assert list(zip(found["author"], found["mood"], found["score"].fillna(-1), strict=True)) == [
        ("new", "good", 3),
        ("old", None, -1),
    ]


def test_an_older_version_of_the_code_can_still_write_and_keeps_the_newer_columns(lake: Lakehouse) -> None:
    newer = replace(NOTES, columns=(*NOTES.columns, column("mood", "STRING")))
    lake.append(newer, newer.frame([note("a", mood="good")]))
    lake.append(NOTES, NOTES.frame([note("b")]))
    lake.merge(NOTES, NOTES.frame([note("a", text="changed"), note("c")]))
    lake.replace_day(NOTES, TUESDAY, NOTES.frame([note("d", day=TUESDAY)]))
    found = lake.read(newer).sort_values("author")
    assert list(zip(found["author"], found["text"], found["mood"], strict=True)) == [
        ("a", "changed", "good"),
        ("b", None, None),
        ("c", None, None),
        ("d", None, None),
    ]


@pytest.mark.parametrize("verb", ["append", "replace_day", "merge"])
def test_a_column_that_changed_its_type_is_refused_by_name(lake: Lakehouse, verb: str) -> None:
    lake.append(NOTES, NOTES.frame([note("a", pages=1)]))
    version = lake.version(NOTES)
    changed = replace(
        NOTES, columns=tuple(replace(c, type="STRING") if c.name == "pages" else c for c in NOTES.columns)
    )
    frame = changed.frame([note("b", pages="many")])
    with pytest.raises(LakehouseError, match=r"notes\.pages"):
        write(lake, verb, changed, frame)
    assert lake.version(NOTES) == version


@pytest.mark.parametrize("table", [NOTES, LEDGER, GENIE_MESSAGES_TO_FETCH], ids=lambda table: table.name)
def test_maintenance_keeps_every_row_and_has_nothing_to_do_the_second_time(lake: Lakehouse, table: Table) -> None:
    for number in range(6):
        day = (MONDAY, TUESDAY, WEDNESDAY)[number % 3]
        row = {"workspace_id": "w", "message_id": f"m{number}", "event_date": day}
        lake.append(table, table.frame([row if table is GENIE_MESSAGES_TO_FETCH else note(f"a{number}", day=day)]))
    before = stored(lake, table)
    first = lake.maintain(table, today=WEDNESDAY)
    assert stored(lake, table) == before
    assert first.files_before == 6
    # Today's two files are left alone; the other days became one file each.
    assert first.files_after == (4 if table.partitioned_by else 1)
    assert first.days_compacted == (2 if table.partitioned_by else 1)
    assert 0 < first.bytes_after < first.bytes_before
    second = lake.maintain(table, today=WEDNESDAY)
    assert second.days_compacted == second.files_vacuumed == 0
    assert second.version_before == second.version_after == first.version_after
    assert second.files_after == first.files_after


def test_maintaining_a_table_that_does_not_exist_does_nothing(lake: Lakehouse) -> None:
    assert lake.maintain(NOTES, today=MONDAY).version_after is None
    assert not lake.exists(NOTES)
