"""Access lists: what an answer says, what it changes, what is told of it."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.space_permissions import (
    AccessList,
    access_list,
    changed_permissions,
    ends_in_line,
    widened,
)

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ANN = {"user_name": "ann@example.com"}
LEVELS = ["CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE", "CAN_DO_MORE"]

levels = st.dictionaries(
    st.tuples(st.sampled_from(["USER", "GROUP"]), st.sampled_from("abc")),
    st.tuples(st.sampled_from(LEVELS), st.booleans()),
    min_size=1,
)


def entry(principal: dict[str, str], *of: str, inherited: bool = False) -> dict[str, Any]:
    return principal | {"all_permissions": [{"permission_level": level, "inherited": inherited} for level in of]}


def body(*entries: Any) -> dict[str, Any]:
    return {"object_type": "genie", "access_control_list": list(entries)}


def after(rows: list[dict[str, Any]], written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Stored rows after a merge by key."""
    merged = {(row["principal_type"], row["principal"], row["valid_from"]): row for row in (*rows, *written)}
    return list(merged.values())


def in_force(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["valid_to"] is None]


def test_the_highest_level_counts_and_what_is_odd_makes_the_list_partial() -> None:
    seen = access_list(
        body(entry(ANN, "CAN_RUN", "CAN_MANAGE"), entry({"group_name": "all"}, "CAN_VIEW", inherited=True))
    )
    assert seen == AccessList(
        {("USER", "ann@example.com"): ("CAN_MANAGE", False), ("GROUP", "all"): ("CAN_VIEW", True)}
    )
    partial = access_list(body(entry(ANN, "CAN_RUN"), "odd", {"robot_name": "r"}, {"group_name": "g"}))
    assert partial == AccessList({("USER", "ann@example.com"): ("CAN_RUN", False)}, is_whole=False)
    half = access_list(body(entry({"group_name": "half \ud800"}, "CAN_RUN")))
    assert half
    assert next(iter(half.levels))[1].encode()


@pytest.mark.parametrize(
    "answer", [{}, body(), {"access_control_list": None}, body("odd"), {"access_control_list": {}}]
)
def test_an_answer_that_names_nobody_is_unknown_and_not_nobody(answer: dict[str, Any]) -> None:
    assert access_list(answer) is None


@given(looks=st.lists(st.tuples(levels, st.booleans()), min_size=1, max_size=6), data=st.data())
def test_what_is_in_force_is_what_was_seen_last_whatever_came_before(
    looks: list[tuple[dict[Any, Any], bool]], data: st.DataObject
) -> None:
    rows: list[dict[str, Any]] = []
    expected: dict[Any, Any] = {}
    for hour, (seen, is_whole) in enumerate(looks):
        expected = dict(seen) if is_whole else expected | seen
        now = NOON + data.draw(st.integers(-1, 1)) * HOUR + hour * HOUR  # a clock may go back
        written = changed_permissions(in_force(rows), AccessList(seen, is_whole), now)
        rows = after(rows, written)
        assert not changed_permissions(in_force(rows), AccessList(seen, is_whole), now + HOUR)
    kept = {
        (r["principal_type"], r["principal"]): (r["permission_level"], r["is_inherited"]) for r in in_force(rows)
    }
    assert kept == expected
    assert len(in_force(rows)) == len(kept)
    assert all(row["valid_to"] is None or row["valid_to"] > row["valid_from"] for row in rows)


def test_more_than_before_is_told_once_for_some_days_and_the_first_look_is_not() -> None:
    group, ann = ("GROUP", "g"), ("USER", "ann@example.com")
    first = AccessList({group: ("CAN_RUN", True), ann: ("CAN_EDIT", False)})
    rows = after([], changed_permissions([], first, NOON))
    assert widened(rows, NOON) == []
    # One is raised, one is lowered, one is new.
    second = AccessList(
        {group: ("CAN_MANAGE", True), ann: ("CAN_VIEW", False), ("USER", "new"): ("CAN_VIEW", False)}
    )
    rows = after(rows, changed_permissions(in_force(rows), second, NOON + HOUR))
    rows = after(rows, changed_permissions(in_force(rows), second, NOON + 2 * HOUR))
    told = [(row["principal"], row["previous_level"]) for row in widened(rows, NOON + 2 * HOUR)]
    assert sorted(told) == [("g", "CAN_RUN"), ("new", None)]
    assert widened(rows, NOON + 4 * 24 * HOUR) == []


def row(level: str, since: int, until: int | None = None) -> dict[str, Any]:
    """Access of a group, by the hours from when and to when it is known."""
    of = {"principal_type": "GROUP", "principal": "g", "permission_level": level, "is_inherited": False}
    return of | {"valid_from": NOON + since * HOUR, "valid_to": None if until is None else NOON + until * HOUR}


@pytest.mark.parametrize(
    ("stored", "periods"),
    [
        ([row("CAN_RUN", 0)], [("CAN_RUN", 0, 1), ("CAN_EDIT", 1, None)]),
        # Another process looked later: it found the access taken away, changed once more, or as it was.
        ([row("CAN_RUN", 0, 2)], [("CAN_RUN", 0, 1), ("CAN_EDIT", 1, 2)]),
        (
            [row("CAN_RUN", 0, 2), row("CAN_MANAGE", 2)],
            [("CAN_RUN", 0, 1), ("CAN_EDIT", 1, 2), ("CAN_MANAGE", 2, None)],
        ),
        ([row("CAN_RUN", 0, 2), row("CAN_EDIT", 2)], [("CAN_RUN", 0, 1), ("CAN_EDIT", 1, None)]),
    ],
)
def test_access_that_another_process_saw_later_ends_what_we_saw_when_it_looked(
    stored: list[dict[str, Any]], periods: list[tuple[str, int, int | None]]
) -> None:
    written = changed_permissions(
        [row("CAN_RUN", 0)], AccessList({("GROUP", "g"): ("CAN_EDIT", False)}), NOON + HOUR
    )
    rows = after(stored, [each for each in written if each["valid_to"] is None])
    rows = after(rows, ends_in_line(written, rows))
    found = [
        each
        for each in sorted(rows, key=lambda each: each["valid_from"])
        if each["valid_to"] != each["valid_from"]
    ]
    expected = [row(*period) for period in periods]
    assert [{name: each[name] for name in expected[0]} for each in found] == expected
    assert ends_in_line([], rows) == []


def test_two_runs_at_once_tell_of_one_widening_once_and_the_next_look_mends_it() -> None:
    group = ("GROUP", "g")
    rows = after([], changed_permissions([], AccessList({group: ("CAN_RUN", True)}), NOON))
    wider = AccessList({group: ("CAN_EDIT", True)})
    before = in_force(rows)
    for seconds in (3600, 3601):
        rows = after(rows, changed_permissions(before, wider, NOON + dt.timedelta(seconds=seconds)))
    assert len(in_force(rows)) == 2
    rows = after(rows, changed_permissions(in_force(rows), wider, NOON + 2 * HOUR))
    assert [row["valid_from"] for row in in_force(rows)] == [NOON + HOUR]
    assert len(widened(rows, NOON + 2 * HOUR)) == 1
