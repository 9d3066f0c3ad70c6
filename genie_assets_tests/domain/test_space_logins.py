"""Whether a login may take its own access by way of a group."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.space_access import Access
from genie_assets.domain.space_logins import Login, locks_out, of_groups_that_lose

OURS, THEIRS, US = ("GROUP", "ours"), ("GROUP", "theirs"), ("SERVICE_PRINCIPAL", "us")
LOGIN = Login(frozenset({"US"}), frozenset({"ours"}))
MANAGE = "CAN_MANAGE"

levels = st.dictionaries(
    st.sampled_from([OURS, THEIRS, US, ("GROUP", "users"), ("USER", "ours")]),
    st.sampled_from(["CAN_VIEW", "CAN_EDIT", MANAGE, "CAN_DO_MORE"]),
)


@given(before=levels, after=levels, inherited=levels)
def test_after_what_locks_nobody_out_whoever_managed_by_a_group_still_does(
    before: Any, after: Any, inherited: Any
) -> None:
    planned = Access(before, after)
    locked = locks_out(planned.changes, (after, inherited), LOGIN)
    manages = [
        any(level == MANAGE and LOGIN.is_surely(each) for each, level in (*held.items(), *inherited.items()))
        for held in (before, after)
    ]
    if not locked and manages == [True, False]:
        kept = {each for each, level in before.items() if level == MANAGE and LOGIN.is_surely(each)}
        higher = {each for each in kept if after.get(each) == "CAN_DO_MORE"}
        assert higher or kept == {US}, "only its own entry is left, of which `takes_from` tells"


@pytest.mark.parametrize(
    ("after", "inherited", "login", "locked"),
    [
        ({}, {}, LOGIN, (OURS,)),
        ({}, {}, Login(), (OURS, THEIRS)),
        ({}, {("GROUP", "admins"): MANAGE}, Login(groups=frozenset({"admins"})), ()),
        ({OURS: "CAN_EDIT", THEIRS: MANAGE}, {}, LOGIN, (OURS,)),
        ({THEIRS: MANAGE}, {}, Login(), (OURS,)),
        ({OURS: MANAGE}, {}, LOGIN, ()),
        ({US: MANAGE}, {}, LOGIN, ()),
        ({("USER", "us"): "CAN_RUN"}, {OURS: MANAGE}, LOGIN, ()),
        ({("GROUP", "users"): MANAGE}, {}, Login(), ()),
        ({("GROUP", "OURS"): MANAGE}, {}, LOGIN, (OURS,)),
        ({OURS: MANAGE, THEIRS: "CAN_DO_MORE"}, {}, Login(), ()),
    ],
)
def test_the_groups_that_may_lock_out_are_named_or_the_sure_ones_alone(
    after: Any, inherited: Any, login: Login, locked: Any
) -> None:
    changes = Access({OURS: MANAGE, THEIRS: MANAGE}, after).changes
    assert locks_out(changes, (after, inherited), login) == locked


def test_a_plan_says_from_which_groups_it_takes_what_they_manage_by() -> None:
    before: Any = {("GROUP", f"g{number}"): MANAGE for number in range(7)} | {US: MANAGE, OURS: "CAN_EDIT"}
    (told,) = of_groups_that_lose(Access(before, {}).changes)
    assert "from group g0 and group g1 and group g2 and group g3 and group g4 and 2 more." in told
    assert of_groups_that_lose(Access(before, before | {OURS: "CAN_RUN"}).changes) == ()
