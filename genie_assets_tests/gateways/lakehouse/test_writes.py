"""What every engine promises to writers."""

import traceback
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.tables import GENIE_SPACE_VERSIONS, Table
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.results import MergeResult
from genie_assets_tests.gateways.lakehouse.conftest import WITH_MEMORY
from genie_assets_tests.gateways.lakehouse.examples import (
    HOSTILE_TEXTS,
    LEDGER,
    MONDAY,
    NOON,
    NOTES,
    TUESDAY,
    WEDNESDAY,
    NewLake,
    cells,
    expected_rows,
    few_examples,
    note,
    rows_of,
    stored,
    stored_text,
    whole,
    write,
)


def test_an_append_is_one_commit_and_an_empty_one_is_none(lake: Lakehouse) -> None:
    assert lake.append(NOTES, NOTES.frame([])) == 0
    assert not lake.exists(NOTES)
    lake.append(NOTES, NOTES.frame([note("a")]))
    version = lake.version(NOTES)
    assert version is not None
    assert lake.append(NOTES, NOTES.frame([note("b", day=MONDAY), note("c", day=TUESDAY)])) == 2
    assert lake.append(NOTES, NOTES.frame([])) == 0
    assert lake.version(NOTES) == version + 1


def test_a_prepared_table_exists_without_rows_and_preparing_it_again_commits_nothing(lake: Lakehouse) -> None:
    """Who asks for errors must find none, not a table that is missing until the first error."""
    lake.prepare(NOTES)
    assert (lake.exists(NOTES), len(lake.read(NOTES))) == (True, 0)
    lake.append(NOTES, NOTES.frame([note("a")]))
    version = lake.version(NOTES)
    lake.prepare(NOTES)
    assert (lake.version(NOTES), len(lake.read(NOTES))) == (version, 1)


def test_a_value_is_filled_in_where_it_is_lacking_and_all_else_stays(lake: Lakehouse) -> None:
    later = NOON + timedelta(hours=1)
    kept = [note("a", pages=1), note("b", text="known"), note("c", None, TUESDAY)]
    lake.append(NOTES, NOTES.frame(kept))
    told = [note("a", pages=9), note("b"), note("c", None, TUESDAY), note("a", 2), note("a", day=WEDNESDAY)]
    filled = {"text": "'; --", "written_at": later}
    lake.fill(NOTES, NOTES.frame({**row, **filled} for row in told[:4]), "text", besides=["written_at"])
    lake.fill(NOTES, NOTES.frame([{**told[4], **filled}]), "text")  # a row of another day is another one
    lake.fill(NOTES, NOTES.frame([]), "text")
    a, b, c = kept
    assert stored(lake, NOTES) == expected_rows(NOTES, [{**a, **filled}, b, {**c, **filled}])


def test_no_value_is_filled_in_twice_for_one_row(lake: Lakehouse) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    with pytest.raises(LakehouseError, match="repeat the key"):
        lake.fill(NOTES, NOTES.frame([note("a", text="one"), note("a", text="other")]), "text")


def unfit(**cells: Any) -> pd.DataFrame:
    return pd.DataFrame([{"day": MONDAY, "author": "SECRET", **cells}])


UNFIT = {
    "day": unfit(day=None),
    "author": unfit(author=float("nan")),
    "nonsense": unfit(nonsense=1),
    "number": unfit(number="SECRET"),
    "pages": unfit(pages=2**40),
    "text": unfit(text=17),
    "is_final": unfit(is_final="SECRET"),
    "read_at": unfit(read_at=pd.Timestamp("2026-01-01 12:00")),
    "tags": unfit(tags="SECRET"),
    "due": unfit(due="SECRET"),
}


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.parametrize("verb", ["append", "replace_day", "merge"])
def test_a_frame_that_does_not_fit_is_refused_by_column_and_not_by_value(
    lake: Lakehouse, name: str, verb: str
) -> None:
    """pyarrow's messages quote the value, which may be a user's question: it must not reach a log."""
    lake.append(NOTES, NOTES.frame([note("a")]))
    version = lake.version(NOTES)
    with pytest.raises(LakehouseError, match=f"notes.*{name}") as caught:
        write(lake, verb, NOTES, UNFIT[name])
    assert "SECRET" not in "".join(traceback.format_exception(caught.value))
    assert lake.version(NOTES) == version


def test_a_fraction_is_not_cut_to_an_integer(lake: Lakehouse) -> None:
    with pytest.raises(LakehouseError, match="number"):
        lake.append(
            NOTES, pd.DataFrame({"day": [MONDAY], "author": ["a"], "number": pd.Series([1.5], dtype=object)})
        )


def test_frames_made_by_other_means_are_understood(lake: Lakehouse) -> None:
    frame = pd.DataFrame(
        {
            "author": pd.Series(["a", "b"], dtype="string"),
            "day": [MONDAY, MONDAY],
            "number": [1.0, float("nan")],
            "read_at": pd.to_datetime(["2026-01-01T10:00:00.123456789+02:00", None]),
            "tags": [np.array(["x"], dtype=object), None],
            "is_final": [True, None],
            "text": [np.nan, "t"],
        }
    )
    lake.append(NOTES, frame)
    first, second = rows_of(NOTES, lake.read(NOTES).sort_values("author"))
    assert first == whole(
        NOTES,
        {
            "author": "a",
            "day": MONDAY,
            "number": 1,
            "read_at": datetime(2026, 1, 1, 8, 0, 0, 123456, tzinfo=UTC),
            "tags": ["x"],
            "is_final": True,
        },
    )
    assert second == whole(NOTES, {"author": "b", "day": MONDAY, "text": "t"})


def test_replacing_a_day_leaves_every_other_day_as_it_was(lake: Lakehouse) -> None:
    """Writers that overwrite by partition have been seen to delete all days but the one they write."""
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        assert lake.replace_day(NOTES, day, NOTES.frame([note("a", day=day), note("b", day=day)]))
    assert lake.replace_day(NOTES, TUESDAY, NOTES.frame([note("c", day=TUESDAY)]))
    found = lake.read(NOTES)
    assert sorted(zip(found["day"], found["author"], strict=True)) == [
        (MONDAY, "a"),
        (MONDAY, "b"),
        (TUESDAY, "c"),
        (WEDNESDAY, "a"),
        (WEDNESDAY, "b"),
    ]
    assert lake.replace_day(NOTES, MONDAY, NOTES.frame([]))
    assert set(lake.read(NOTES)["day"]) == {TUESDAY, WEDNESDAY}


def test_the_same_day_again_commits_nothing_whatever_its_order_and_time_of_writing(lake: Lakehouse) -> None:
    rows = [note("a", None, tags=["x"]), note("b", text="t"), note("c", is_final=True, due=MONDAY)]
    assert lake.replace_day(NOTES, MONDAY, NOTES.frame(rows))
    version = lake.version(NOTES)
    later = [{**row, "written_at": NOON + timedelta(hours=1)} for row in reversed(rows)]
    assert not lake.replace_day(NOTES, MONDAY, NOTES.frame(later))
    assert not lake.replace_day(NOTES, TUESDAY, NOTES.frame([]))
    assert lake.version(NOTES) == version
    assert set(lake.read(NOTES)["written_at"]) == {pd.Timestamp(NOON)}


@pytest.mark.parametrize(
    "changed",
    [
        [note("a", None, tags=["x"])],
        [note("a", None, tags=["x"]), note("b", text="t"), note("c")],
        [note("a", None, tags=["y"]), note("b", text="t")],
        [note("a", None, tags=["x"]), note("b", text=None)],
        [note("a", 0, tags=["x"]), note("b", text="t")],
        [],
    ],
    ids=["row gone", "row more", "list differs", "value became NULL", "NULL key became 0", "empty"],
)
def test_any_difference_is_written(lake: Lakehouse, changed: list[dict[str, Any]]) -> None:
    lake.replace_day(NOTES, MONDAY, NOTES.frame([note("a", None, tags=["x"]), note("b", text="t")]))
    assert lake.replace_day(NOTES, MONDAY, NOTES.frame(changed))
    assert stored(lake, NOTES) == expected_rows(NOTES, changed)


def test_a_row_of_another_day_is_refused(lake: Lakehouse) -> None:
    with pytest.raises(LakehouseError, match="another day"):
        lake.replace_day(NOTES, MONDAY, NOTES.frame([note("a"), note("b", day=TUESDAY)]))
    assert not lake.exists(NOTES)


def test_a_merge_inserts_updates_deletes_and_leaves_the_rest(lake: Lakehouse) -> None:
    rows = [note("same", text="t"), note("changed", text="old"), note("gone"), note("other", day=TUESDAY)]
    assert lake.merge(NOTES, NOTES.frame(rows)) == MergeResult(inserted=4)
    version = lake.version(NOTES)
    later: dict[str, Any] = {"written_at": NOON + timedelta(days=1)}
    result = lake.merge(
        NOTES,
        NOTES.frame([note("same", text="t", **later), note("changed", text="new", **later), note("new", **later)]),
        delete=NOTES.frame([note("gone"), note("never there")]),
    )
    assert result == MergeResult(inserted=1, updated=1, deleted=1)
    assert lake.version(NOTES) == version + 1
    assert stored(lake, NOTES) == expected_rows(
        NOTES,
        [rows[0], note("changed", text="new", **later), note("new", **later), rows[3]],
    )


@pytest.mark.parametrize("table", [NOTES, LEDGER], ids=lambda table: table.name)
def test_a_merge_that_changes_nothing_commits_nothing(lake: Lakehouse, table: Table) -> None:
    rows = [note("a", None, tags=[None, "x"], text=""), note("b", pages=0, is_final=False)]
    lake.merge(table, table.frame(rows))
    version = lake.version(table)
    again = table.frame([{**row, "written_at": NOON + timedelta(days=1)} for row in rows])
    assert lake.merge(table, again) == MergeResult()
    assert lake.merge(table, table.frame([]), delete=table.frame([note("c")])) == MergeResult()
    assert lake.merge(table, table.frame([])).changed == 0
    assert lake.version(table) == version


def test_nothing_to_delete_does_not_create_a_table(lake: Lakehouse) -> None:
    assert lake.merge(NOTES, NOTES.frame([]), delete=NOTES.frame([note("a")])) == MergeResult()
    assert not lake.exists(NOTES)


def test_a_row_moves_to_another_day_in_one_commit(lake: Lakehouse) -> None:
    lake.merge(NOTES, NOTES.frame([note("a", day=MONDAY, text="t"), note("b", day=MONDAY)]))
    version = lake.version(NOTES)
    moved = lake.merge(NOTES, NOTES.frame([note("a", day=TUESDAY)]), delete=NOTES.frame([note("a", day=MONDAY)]))
    assert moved == MergeResult(inserted=1, deleted=1)
    found = lake.read(NOTES)
    assert sorted(zip(found["day"], found["author"], strict=True)) == [(MONDAY, "b"), (TUESDAY, "a")]
    assert version is not None
    assert lake.version(NOTES) == version + 1


@pytest.mark.parametrize("verb", ["merge", "replace_day"])
def test_a_key_that_occurs_twice_is_an_error(lake: Lakehouse, verb: str) -> None:
    """A MERGE would insert both rows, or fail in the middle of the night when one of them is stored."""
    doubled = NOTES.frame([note("a", None, text="1"), note("a", None, text="2"), note("b")])
    with pytest.raises(LakehouseError, match="repeat the key"):
        lake.merge(NOTES, doubled) if verb == "merge" else lake.replace_day(NOTES, MONDAY, doubled)
    with pytest.raises(LakehouseError, match="both merged and deleted"):
        lake.merge(NOTES, NOTES.frame([note("a")]), delete=NOTES.frame([note("a")]))
    assert not lake.exists(NOTES)


def test_rows_with_a_null_in_their_key_are_found_among_rows_without(lake: Lakehouse) -> None:
    """The range of the keys that are not NULL must not prune the row whose key is."""
    versions = GENIE_SPACE_VERSIONS
    base = {"workspace_id": "w", "space_id": "s", "valid_from": NOON}
    lake.merge(
        versions, versions.frame([{**base, "config_hash": config_hash} for config_hash in ("a", None, "z")])
    )
    result = lake.merge(
        versions,
        versions.frame([{**base, "config_hash": config_hash, "title": "t"} for config_hash in ("m", None, "n")]),
        delete=versions.frame([{**base, "config_hash": "z"}]),
    )
    assert result == MergeResult(inserted=2, updated=1, deleted=1)
    found = lake.read(versions)
    assert sorted(zip(found["config_hash"].fillna("-"), found["title"].fillna("-"), strict=True)) == [
        ("-", "t"),
        ("a", "-"),
        ("m", "t"),
        ("n", "t"),
    ]


batches = st.lists(
    st.tuples(
        st.sampled_from([*HOSTILE_TEXTS[:10], "\ud800"]),
        st.none() | st.integers(0, 2),
        st.sampled_from([MONDAY, TUESDAY]),
        cells,
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda change: (stored_text(change[0]), change[1]),
)


@WITH_MEMORY
@pytest.mark.parametrize("table", [NOTES, LEDGER], ids=lambda table: table.name)
@given(steps=st.lists(batches, min_size=1, max_size=4))
@few_examples
def test_merges_are_a_dictionary_update_and_repeating_one_changes_nothing(
    new_lake: NewLake, table: Table, steps: list[list[Any]]
) -> None:
    lake = new_lake()
    model: dict[Any, dict[str, Any]] = {}
    for step in steps:
        upserts, deletes = [], []
        for author, number, day, values, is_upsert in step:
            place = (stored_text(author), number, day if table is NOTES else None)
            if is_upsert:
                upserts.append(note(author, number, day, **values))
            else:
                deletes.append(note(author, number, day))
            if not is_upsert:
                model.pop(place, None)
            elif place not in model or whole(table, model[place]) != whole(table, upserts[-1]):
                model[place] = upserts[-1]
        lake.merge(table, table.frame(upserts), delete=table.frame(deletes))
        assert stored(lake, table) == expected_rows(table, list(model.values()))
        version = lake.version(table)
        assert lake.merge(table, table.frame(upserts), delete=table.frame(deletes)) == MergeResult()
        assert lake.version(table) == version


@given(steps=st.lists(st.tuples(st.sampled_from([MONDAY, TUESDAY]), batches), min_size=1, max_size=4))
@few_examples
def test_a_replaced_day_is_the_frame_and_repeating_it_changes_nothing(
    new_lake: NewLake, steps: list[tuple[date, list[Any]]]
) -> None:
    lake = new_lake()
    model: dict[date, list[dict[str, Any]]] = {}
    for day, batch in steps:
        rows = [note(author, number, day, **values) for author, number, _, values, _ in batch]
        written = lake.replace_day(NOTES, day, NOTES.frame(rows))
        assert written == (expected_rows(NOTES, rows) != expected_rows(NOTES, model.get(day, [])))
        model[day] = rows
        assert stored(lake, NOTES) == expected_rows(NOTES, [row for rows in model.values() for row in rows])
        assert not lake.replace_day(NOTES, day, NOTES.frame(rows))
