"""What conditions mean, in plain Python, and conditions to try it with."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from genie_assets.domain.questions import Between, Equals, Exists, Filter, In, IsNull, Newest, Not, Rows
from genie_assets_tests.gateways.lakehouse.examples import (
    HOSTILE_TEXTS,
    LEDGER,
    MONDAY,
    NOTES,
    TUESDAY,
    WEDNESDAY,
    stored_text,
)

Row = dict[str, Any]
# The rows of every table by its name.
World = Mapping[str, Sequence[Row]]


def holds(condition: Filter, row: Row, world: World) -> bool:
    """Whether a row meets a condition."""
    match condition:
        case Exists(rows=rows, key=key, since=since):
            return any(is_counterpart(theirs, row, key, since) for theirs in selected(rows, world))
        case Not(conditions=inner):
            return not all(holds(each, row, world) for each in inner)
    value = stored_text(row.get(condition.column))
    match condition:
        case IsNull():
            return value is None
        case Equals(value=wanted):
            return value is not None and value == stored_text(wanted)
        case In(values=wanted):
            return value is not None and value in [stored_text(item) for item in wanted]
        case Between(low=low, high=high):
            if low is None and high is None:
                return True
            return value is not None and (low is None or low <= value) and (high is None or value <= high)


def is_counterpart(theirs: Row, ours: Row, key: Sequence[str], since: tuple[str, str] | None) -> bool:
    if any(ours.get(name) is None or ours[name] != theirs.get(name) for name in key):
        return False
    if since is None or ours.get(since[1]) is None:
        return True
    found = theirs.get(since[0])
    return found is not None and found >= ours[since[1]]


def selected(rows: Rows, world: World) -> list[Row]:
    """The rows of a table that meet all conditions."""
    return [
        row
        for row in world[rows.table.name]
        if (rows.days is None or row["day"] in rows.days) and all(holds(each, row, world) for each in rows.where)
    ]


def places_of_newest(rows: Sequence[Row], choice: Newest) -> set[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """For each combination of `per` its values, and the values of `by` in the row that must be taken."""
    latest: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in rows:
        group, rank = tuple(row.get(name) for name in choice.per), tuple(row.get(name) for name in choice.by)
        if group not in latest or _order(rank) > _order(latest[group]):
            latest[group] = rank
    return set(latest.items())


def _order(rank: tuple[Any, ...]) -> list[Any]:
    return [(0,) if value is None else (1, value) for value in rank]


COMPARABLE: dict[str, st.SearchStrategy[Any]] = {
    "author": st.sampled_from(HOSTILE_TEXTS),
    "text": st.sampled_from(HOSTILE_TEXTS),
    "number": st.integers(-3, 3),
    "pages": st.integers(-3, 3),
    "is_final": st.booleans(),
    "read_at": st.sampled_from([datetime(year, 1, 1, tzinfo=UTC) for year in (1, 1969, 1970, 2026, 2300, 9999)]),
    "due": st.sampled_from([date(1, 1, 1), MONDAY, TUESDAY, date(9999, 12, 31)]),
    "day": st.sampled_from([MONDAY, TUESDAY, WEDNESDAY]),
}


def condition_on(name: str) -> st.SearchStrategy[Filter]:
    values = COMPARABLE[name]
    return st.one_of(
        st.builds(Equals, st.just(name), values),
        st.builds(In, st.just(name), st.lists(st.none() | values, max_size=3)),
        st.builds(Between, st.just(name), st.none() | values, st.none() | values),
        st.builds(IsNull, st.just(name)),
    )


cell_conditions = st.sampled_from(sorted(COMPARABLE)).flatmap(condition_on)
comparable_rows = st.lists(
    st.fixed_dictionaries(
        {name: values if name in ("author", "day") else st.none() | values for name, values in COMPARABLE.items()}
    ),
    min_size=5,
    max_size=12,
)


def _counterparts(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    where = st.lists(inner, max_size=2)
    days = st.none() | st.sets(COMPARABLE["day"], min_size=1)
    rows = st.builds(Rows, st.just(NOTES), where, days) | st.builds(Rows, st.just(LEDGER), where)
    keys = st.lists(st.sampled_from(["author", "number", "day", "read_at", "is_final"]), min_size=1, unique=True)
    pairs = st.sampled_from(
        [
            None,
            ("read_at", "read_at"),
            ("due", "day"),
            ("pages", "pages"),
            ("text", "author"),
            ("number", "number"),
        ]
    )
    return st.builds(Exists, rows, keys.map(lambda names: names[:2]), pairs)


def conditions_within(depth: int) -> st.SearchStrategy[Filter]:
    """Conditions that hold others, at most `depth` deep."""
    if not depth:
        return cell_conditions
    inner = conditions_within(depth - 1)
    return st.one_of(
        cell_conditions, _counterparts(inner), st.builds(Not, st.lists(inner, min_size=1, max_size=2))
    )
