"""What every engine promises about looking rows up in other tables, choosing among them and counting them."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.digests import is_same
from genie_assets.domain.questions import (
    Between,
    Counted,
    Equals,
    Exists,
    Filter,
    In,
    IsNull,
    Newest,
    Not,
    Rows,
    Wanted,
)
from genie_assets.domain.table import storable
from genie_assets.domain.tables import Table, records
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
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
    authors,
    column,
    few_examples,
    note,
)
from genie_assets_tests.gateways.lakehouse.meanings import (
    COMPARABLE,
    Row,
    World,
    comparable_rows,
    conditions_within,
    holds,
    places_of_newest,
    selected,
)

AUTHOR = ["author"]
DAYS = [MONDAY, TUESDAY, WEDNESDAY]
LATER, EARLIER = NOON + timedelta(seconds=1), NOON - timedelta(microseconds=1)
# A third table, like the ledger: nothing is ever written to it.
NOWHERE = replace(LEDGER, name="nowhere")


def filled(lake: Lakehouse, notes: list[Row], ledger: list[Row]) -> World:
    """Store rows, told apart by `written_at`, and return them as stored."""
    world: dict[str, list[Row]] = {}
    for table, rows in ((NOTES, notes), (LEDGER, ledger)):
        world[table.name] = [
            note(**{**row, "written_at": NOON + timedelta(seconds=place)}) for place, row in enumerate(rows)
        ]
        lake.append(table, table.frame(world[table.name]))
    return world


def matching(lake: Lakehouse, *where: Filter, table: Table = NOTES, **question: Any) -> list[str]:
    return authors(lake.read(table, columns=AUTHOR, where=where, **question))


@WITH_MEMORY
@given(
    notes=comparable_rows,
    ledger=comparable_rows,
    where=st.lists(conditions_within(2), min_size=1, max_size=2),
    flag=conditions_within(2),
    days=st.none() | st.sets(COMPARABLE["day"], min_size=1),
)
@settings(few_examples, max_examples=50)
def test_conditions_within_conditions_select_and_count_what_their_meaning_says(
    new_lake: NewLake,
    notes: list[Row],
    ledger: list[Row],
    where: list[Filter],
    flag: Filter,
    days: set[date] | None,
) -> None:
    lake = new_lake()
    world = filled(lake, notes, ledger)
    expected = selected(Rows(NOTES, where, days), world)
    found = lake.read(NOTES, columns=["written_at"], days=days, where=where)
    assert sorted(found["written_at"]) == [row["written_at"] for row in expected]
    counts = lake.count(NOTES, by=["is_final"], flags={"flagged": flag}, days=days, where=where)
    assert Counter({(row["is_final"], row["flagged"]): row["count"] for row in counts}) == Counter(
        (row["is_final"], holds(flag, row, world)) for row in expected
    )


def test_questions_that_are_asked_together_are_answered_as_each_alone(lake: Lakehouse) -> None:
    rows = [note(HOSTILE_TEXTS[-1], day=MONDAY), note("b", day=TUESDAY), note("b", day=MONDAY)]
    filled(lake, rows, [note("b")])
    in_ledger = Exists(Rows(LEDGER), AUTHOR)
    questions: dict[str, Wanted | Counted] = {
        "all it's": Wanted(Rows(NOTES), NOTES.column_names),
        "newest": Wanted(Rows(NOTES, days=[MONDAY]), AUTHOR, newest=Newest(AUTHOR, ["written_at"]), limit=9),
        "none": Wanted(Rows(NOWHERE), AUTHOR, distinct=True),
        "counted": Counted(Rows(NOTES), by=["day"], flags={"known": in_ledger}),
        "many": Counted(Rows(NOTES, [in_ledger]), by=AUTHOR, at_least=2),
        "nobody": Counted(Rows(NOWHERE)),
    }
    together = lake.together(questions)
    alone = {name: lake.together({name: question})[name] for name, question in questions.items()}
    assert {name: sorted(map(repr, found)) for name, found in together.items()} == {
        name: sorted(map(repr, found)) for name, found in alone.items()
    }
    assert sorted(map(repr, alone["all it's"])) == sorted(map(repr, lake.records(NOTES)))
    counted = lake.count(NOTES, by=["day"], flags={"known": in_ledger})
    assert sorted(map(repr, alone["counted"])) == sorted(map(repr, counted))
    assert (together["none"], together["many"]) == ([], [{"author": "b", "count": 2}])
    assert lake.together({}) == {}


def test_a_row_is_told_from_others_though_its_values_do_not_travel(lake: Lakehouse) -> None:
    plain = replace(NOTES, bookkeeping=("written_at", "tags"))
    ends = [{"read_at": NOON.replace(year=year), "due": date(year, 1, 2)} for year in (1, 9999)]
    stored = [note(text, text=text, day=MONDAY) for text in HOSTILE_TEXTS]
    stored += [note(f"w{place}", None, is_final=True, **cells) for place, cells in enumerate(({}, *ends))]
    stored += [note("split", text="ab", pages=1), note("no text", text=None), note("empty", text="")]
    filled(lake, stored, [])
    asked = {"all": Wanted(Rows(NOTES), AUTHOR, compared=plain.content)}
    found = {row["author"]: row for row in lake.together(asked)["all"]}
    assert len(found) == len({row["author"] for row in stored})
    for row in stored:
        previous = found[storable(row["author"])]
        assert is_same(plain, row, previous), row
        others: list[Row] = [{"text": f"{row.get('text')}."}, {"is_final": not row.get("is_final")}]
        others += [{"pages": 77}, {"due": TUESDAY}, {"read_at": LATER}]
        assert not any(is_same(plain, {**row, **cells}, previous) for cells in others)
    assert not is_same(plain, {**stored[-2], "text": ""}, found["no text"])


def test_a_counterpart_has_the_whole_key_and_null_has_none(lake: Lakehouse) -> None:
    lake.append(NOTES, NOTES.frame([note("a", 1), note("b", 1), note("c", None), note("d", 2), note("e", 9)]))
    lake.append(LEDGER, LEDGER.frame([note("a", 1), note("b", 2), note("c", None), note("d", 2), note("d", 2)]))
    there = Exists(Rows(LEDGER), key=("author", "number"))
    assert matching(lake, there) == ["a", "d"]
    assert matching(lake, Not([there])) == ["b", "c", "e"]
    assert matching(lake, Exists(Rows(LEDGER), key=AUTHOR)) == ["a", "b", "c", "d"]


def test_keys_are_equal_only_if_their_cells_are(lake: Lakehouse) -> None:
    """A key glued together from texts would take ("a", "b|c") for ("a|b", "c"); floats are rounded."""
    notes = [note("a|b", 1, text="c"), note("x", 2**62), note("y", None)]
    ledger = [note("a", 1, text="b|c"), note("x", 2**62 + 1), note("x", None), note("y", 0)]
    lake.append(NOTES, NOTES.frame(notes))
    lake.append(LEDGER, LEDGER.frame(ledger))
    assert matching(lake, Exists(Rows(LEDGER), key=("author", "text"))) == []
    assert matching(lake, Exists(Rows(LEDGER), key=("author", "number"))) == []


@pytest.mark.parametrize("key", [("author", "text"), ("text", "author"), ("text",)])
def test_hostile_texts_have_their_counterparts(lake: Lakehouse, key: tuple[str, ...]) -> None:
    lake.append(NOTES, NOTES.frame([note(text, text=text) for text in HOSTILE_TEXTS]))
    lake.append(LEDGER, LEDGER.frame([note(text, text=text) for text in HOSTILE_TEXTS[::2]]))
    assert matching(lake, Exists(Rows(LEDGER), key)) == sorted(HOSTILE_TEXTS[::2])


@pytest.mark.parametrize(
    ("ours", "theirs", "is_met"),
    [
        (NOON, [NOON], True),
        (NOON, [EARLIER], False),
        (NOON, [EARLIER, LATER, None], True),
        (NOON, [None], False),
        (None, [EARLIER], True),
        (None, [None], True),
        (None, [], False),
    ],
)
def test_a_counterpart_must_not_be_older(
    lake: Lakehouse, ours: datetime | None, theirs: list[datetime | None], is_met: bool
) -> None:
    lake.append(NOTES, NOTES.frame([note("a", read_at=ours)]))
    # Another row's counterpart, so that no case is met by mistake for a key that is elsewhere.
    lake.append(LEDGER, LEDGER.frame([note("b", written_at=LATER), *(note("a", written_at=t) for t in theirs)]))
    recent = Exists(Rows(LEDGER), key=("author", "number"), since=("written_at", "read_at"))
    assert matching(lake, recent) == ["a"] * is_met
    assert matching(lake, Not([recent])) == ["a"] * (not is_met)


def test_counterparts_are_sought_only_among_the_rows_that_are_named(lake: Lakehouse) -> None:
    lake.append(LEDGER, LEDGER.frame([note("a"), note("b"), note("c"), note("d")]))
    lake.append(
        NOTES, NOTES.frame([note(author, day=day, pages=1) for author, day in zip("abc", DAYS, strict=True)])
    )
    lake.append(NOTES, NOTES.frame([note("d", pages=2)]))
    assert matching(lake, Exists(Rows(NOTES, days=[MONDAY, TUESDAY]), AUTHOR), table=LEDGER) == ["a", "b", "d"]
    assert matching(lake, Exists(Rows(NOTES, [Equals("pages", 2)]), AUTHOR), table=LEDGER) == ["d"]
    assert matching(lake, Exists(Rows(NOTES, days=[]), AUTHOR), table=LEDGER) == []
    nested = Exists(Rows(NOTES, [Not([Exists(Rows(LEDGER, [In("author", ["a", "c"])]), AUTHOR)])]), AUTHOR)
    assert matching(lake, nested, table=LEDGER) == ["b", "d"]


def test_a_table_may_be_looked_up_in_itself(lake: Lakehouse) -> None:
    lake.append(NOTES, NOTES.frame([note("a", 1), note("a", 2, day=TUESDAY), note("b", 1)]))
    later = Exists(Rows(NOTES, days=[TUESDAY]), AUTHOR)
    assert matching(lake, later, days=[MONDAY]) == ["a"]


def test_conditions_that_cannot_be_decided_are_not_met(lake: Lakehouse) -> None:
    lake.append(NOTES, NOTES.frame([note("null"), note("one", pages=1), note("two", pages=2, text="x")]))
    assert matching(lake, Not([Equals("pages", 1)])) == ["null", "two"]
    assert matching(lake, Not([In("pages", [1, None])])) == ["null", "two"]
    assert matching(lake, Not([Between("pages", 2)])) == ["null", "one"]
    assert matching(lake, Not([Equals("pages", 2), Equals("text", "x")])) == ["null", "one"]
    assert matching(lake, Not([Not([Equals("pages", 1)])])) == ["one"]
    assert matching(lake, Not([IsNull("pages")])) == ["one", "two"]
    assert matching(lake, Not([Between("pages")])) == []


def test_tables_that_do_not_exist_hold_no_counterpart(lake: Lakehouse) -> None:
    there = Exists(Rows(NOWHERE), AUTHOR)
    assert matching(lake, there) == []
    assert lake.count(NOTES, flags={"there": there}) == []
    lake.append(NOTES, NOTES.frame([note("a")]))
    assert matching(lake, there) == []
    assert matching(lake, Not([there])) == ["a"]
    assert lake.count(NOTES, flags={"there": there}) == [{"there": False, "count": 1}]


def test_columns_that_an_older_table_lacks_are_null_there(lake: Lakehouse) -> None:
    newer = replace(NOTES, columns=(*NOTES.columns, column("mood", "STRING"), column("seen_at", "TIMESTAMP")))
    lake.append(NOTES, NOTES.frame([note("a"), note("b")]))
    lake.append(LEDGER, LEDGER.frame([note("a"), note("b")]))
    assert matching(lake, Not([Equals("mood", "good")]), table=newer) == ["a", "b"]
    assert matching(lake, Exists(Rows(LEDGER), AUTHOR, since=("read_at", "seen_at")), table=newer) == ["a", "b"]
    assert matching(lake, Exists(Rows(newer), AUTHOR, since=("seen_at", "written_at")), table=LEDGER) == []
    assert lake.count(newer, by=["mood"]) == [{"mood": None, "count": 2}]
    assert len(lake.read(newer, newest=Newest(per=["mood"], by=["seen_at"]))) == 1


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(
    "condition",
    [
        Exists(Rows(LEDGER), key=("nonsense",)),
        Exists(Rows(LEDGER, [Equals("nonsense", 1)]), AUTHOR),
        Exists(Rows(LEDGER, [Equals("number", "one")]), AUTHOR),
        Exists(Rows(LEDGER, days=[MONDAY]), AUTHOR),
        Exists(Rows(LEDGER), AUTHOR, since=("nonsense", "read_at")),
        Exists(Rows(LEDGER), AUTHOR, since=("read_at", "nonsense")),
        Exists(Rows(LEDGER, [Exists(Rows(NOTES), ["nonsense"])]), AUTHOR),
        Not([Equals("nonsense", 1)]),
    ],
)
def test_conditions_that_make_no_sense_are_refused(lake: Lakehouse, condition: Filter, exists: bool) -> None:
    if exists:
        lake.append(NOTES, NOTES.frame([note("a")]))
        lake.append(LEDGER, LEDGER.frame([note("a")]))
    with pytest.raises(LakehouseError, match=r"notes|ledger"):
        lake.read(NOTES, where=[condition])
    with pytest.raises(LakehouseError, match=r"notes|ledger"):
        lake.count(NOTES, flags={"flag": condition})


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(
    "question",
    [
        {"newest": Newest(per=["nonsense"], by=["number"])},
        {"newest": Newest(per=["author"], by=["nonsense"])},
        {"columns": ["nonsense"], "distinct": True},
        {"columns": ["nonsense"], "limit": 1},
    ],
)
def test_choices_among_unknown_columns_are_refused(
    lake: Lakehouse, question: dict[str, Any], exists: bool
) -> None:
    if exists:
        lake.append(NOTES, NOTES.frame([note("a")]))
    with pytest.raises(LakehouseError, match="notes"):
        lake.read(NOTES, **question)


@given(
    rows=comparable_rows, names=st.permutations(sorted(COMPARABLE)), per=st.integers(1, 2), by=st.integers(1, 2)
)
@few_examples
def test_the_newest_row_of_each_group_is_taken(
    new_lake: NewLake, rows: list[Row], names: list[str], per: int, by: int
) -> None:
    lake = new_lake()
    world = filled(lake, rows, [])
    choice = Newest(per=names[:per], by=names[per : per + by])
    found = records(lake.read(NOTES, columns=names, newest=choice))
    taken = [(tuple(row[name] for name in choice.per), tuple(row[name] for name in choice.by)) for row in found]
    assert len(taken) == len(set(taken))
    assert set(taken) == places_of_newest(world["notes"], choice)
    stored = [tuple(row[name] for name in names) for row in world["notes"]]
    assert all(tuple(row.values()) in stored for row in found)


def test_the_newest_row_is_chosen_among_those_that_meet_the_conditions(lake: Lakehouse) -> None:
    rows = [note("a", number, pages=number, text=f"text {number}") for number in range(4)]
    lake.append(NOTES, NOTES.frame([*rows, note("b", None), note("b", -1, tags=["x"])]))
    lake.append(LEDGER, LEDGER.frame([note("a", 3)]))
    unseen = [Not([Exists(Rows(LEDGER), ("author", "number"))])]
    found = lake.read(NOTES, columns=["text", "tags"], where=unseen, newest=Newest(AUTHOR, ["number"]))
    # The columns of the choice are not asked for, and stay behind.
    assert sorted(map(str, records(found))) == [
        "{'text': 'text 2', 'tags': None}",
        "{'text': None, 'tags': ['x']}",
    ]
    few = lake.read(NOTES, columns=["day"], newest=Newest(AUTHOR, ["number"]), distinct=True)
    assert few["day"].tolist() == [MONDAY]


def test_rows_come_once_if_they_are_equal_in_all_columns(lake: Lakehouse) -> None:
    values = [None, "", "NULL", "a"]
    lists: list[Any] = [None, [], [None], ["None"], ["a", "b"], ["a, b"]]
    rows = [
        note("a", text=text, tags=tags, pages=place % 2 or None)
        for text in values
        for tags in lists
        for place in range(3)
    ]
    lake.append(NOTES, NOTES.frame(rows))
    lake.append(NOTES, NOTES.frame(rows))
    texts = lake.read(NOTES, columns=["text"], distinct=True)["text"]
    assert sorted(texts, key=str) == sorted(values, key=str)
    both = lake.read(NOTES, columns=["text", "tags", "pages"], distinct=True)
    assert len(both) == len(values) * len(lists) * 2
    assert Counter(map(str, records(both))).most_common(1)[0][1] == 1
    assert len(lake.read(NOTES, columns=["text"], distinct=True, where=[Not([IsNull("text")])])) == 3


def test_a_limit_is_reached_and_not_exceeded(lake: Lakehouse) -> None:
    for day in DAYS:
        lake.append(NOTES, NOTES.frame([note(f"a{number % 4}", number, day) for number in range(20)]))
    wanted: dict[str, Any] = {"columns": AUTHOR, "where": [Between("number", low=8)]}
    assert [len(lake.read(NOTES, **wanted, limit=limit)) for limit in (0, 1, 13, 36, 99)] == [0, 1, 13, 36, 36]
    assert set(lake.read(NOTES, **wanted, limit=99)["author"]) == {"a0", "a1", "a2", "a3"}
    assert len(lake.read(NOTES, **wanted, distinct=True, limit=3)["author"].unique()) == 3
    assert len(lake.read(NOTES, **wanted, newest=Newest(["day"], ["number"]), limit=2)) == 2
    assert lake.read(NOWHERE, limit=5).empty


def test_rows_are_counted_by_their_values_and_flags(lake: Lakehouse) -> None:
    moment = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    rows = [
        note("a", pages=1, read_at=moment, due=date(1, 1, 1)),
        note("a", pages=1, read_at=moment, due=date(1, 1, 1), is_final=True),
        note("a", pages=None),
        note("it's", pages=2, is_final=False),
    ]
    lake.append(NOTES, NOTES.frame(rows))
    counts = lake.count(
        NOTES,
        by=["author", "read_at", "due"],
        flags={"has_pages": Not([IsNull("pages")]), "quoted": Equals("author", "it's")},
    )
    assert sorted(counts, key=lambda row: (row["author"], row["has_pages"])) == [
        {"author": "a", "read_at": None, "due": None, "has_pages": False, "quoted": False, "count": 1},
        {"author": "a", "read_at": moment, "due": date(1, 1, 1), "has_pages": True, "quoted": False, "count": 2},
        {"author": "it's", "read_at": None, "due": None, "has_pages": True, "quoted": True, "count": 1},
    ]
    assert lake.count(NOTES) == [{"count": 4}]
    assert lake.count(NOTES, flags={"all": Between("pages")}) == [{"all": True, "count": 4}]
    assert lake.count(NOTES, by=["author"], at_least=2) == [{"author": "a", "count": 3}]
    assert lake.count(NOTES, where=[Equals("author", "nobody")]) == []
    assert lake.count(NOTES, days=[TUESDAY]) == lake.count(NOWHERE) == lake.count(NOWHERE, by=AUTHOR) == []


def test_many_rows_are_counted_and_chosen_as_few_are(lake: Lakehouse) -> None:
    """More rows than any engine hands over at once: partial counts and choices must be joined."""
    rows = 40_000
    frame = NOTES.frame([{}]).iloc[[0] * rows].reset_index(drop=True)
    frame["author"] = [f"a{number % 7}" for number in range(rows)]
    frame["number"] = range(rows)
    frame["day"] = [TUESDAY if number % 3 else MONDAY for number in range(rows)]
    lake.append(NOTES, frame)
    counts = lake.count(NOTES, by=["author"], flags={"even": In("number", range(0, rows, 2))})
    assert {(row["author"], row["even"]): row["count"] for row in counts} == Counter(
        (f"a{number % 7}", number % 2 == 0) for number in range(rows)
    )
    assert len(lake.read(NOTES, columns=["author", "day"], distinct=True)) == 14
    newest = lake.read(NOTES, columns=["number"], newest=Newest(AUTHOR, ["number"]))
    assert sorted(newest["number"]) == list(range(rows - 7, rows))
    lake.append(LEDGER, frame.iloc[::2].reset_index(drop=True))
    unseen = lake.read(NOTES, columns=["number"], where=[Not([Exists(Rows(LEDGER), ("author", "number"))])])
    assert sorted(unseen["number"]) == list(range(1, rows, 2))


@pytest.mark.parametrize("name", ["author", "count"])
def test_a_flag_that_could_be_taken_for_a_column_is_refused(lake: Lakehouse, name: str) -> None:
    with pytest.raises(LakehouseError, match="notes"):
        lake.count(NOTES, flags={name: IsNull("text")})
