"""Access of planned spaces: what is wanted, what differs, and that a half-done plan can be done again."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.space_access import (
    Access,
    AccessChange,
    WantedAccess,
    access,
    differing,
    doubts,
    entries_of,
    granted_by,
    in_words,
    left_to_do,
    levels_of,
    takes_from,
    wanted_at,
    who_stays,
)
from genie_assets.domain.space_plans import PlanError, creation_plan, file_text, plan_of

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ANN, BOB, ALL = ("USER", "ann@x"), ("SERVICE_PRINCIPAL", "b0b"), ("GROUP", "all \U0001f600 of us")
LEVELS = ["CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE", "CAN_DO_MORE"]

granted = st.dictionaries(st.sampled_from([ANN, BOB, ALL, ("GROUP", "g")]), st.sampled_from(LEVELS))


def row(principal: tuple[str, str], level: str, since: int, until: int | None = None, **more: Any) -> Any:
    valid_to = None if until is None else NOON + until * HOUR
    told = {"principal_type": principal[0], "principal": principal[1], "permission_level": level}
    return {**told, "is_inherited": False, "valid_from": NOON + since * HOUR, "valid_to": valid_to, **more}


@given(before=granted, wanted=granted, is_all=st.booleans(), steps=st.integers(0, 4))
def test_a_plan_that_was_carried_out_half_is_carried_out_again_and_ends_as_planned(
    before: Any, wanted: Any, is_all: bool, steps: int
) -> None:
    planned = access(WantedAccess(wanted, is_all=is_all), before)
    assert planned.after == (wanted if is_all else before | wanted)
    now = dict(before)
    for change in planned.changes[:steps]:
        now |= {change.principal: change.after} if change.after else {}
        if change.after is None:
            del now[change.principal]
    assert differing(planned, now, is_new=False) == ()
    assert left_to_do(planned, now) == planned.changes[steps:]
    assert levels_of(json.loads(json.dumps(entries_of(planned.after)))) == planned.after


@given(before=granted, after=granted, now=granted)
def test_what_others_did_meanwhile_is_told(before: Any, after: Any, now: Any) -> None:
    odd = {each.principal for each in differing(Access(before, after), now, is_new=False)}
    assert odd == {
        each
        for each in {*before, *after, *now}
        if now.get(each) != before.get(each) and now.get(each) != after.get(each)
    }
    of_new = {each.principal for each in differing(Access({}, after), now, is_new=True)}
    assert of_new == {each for each in after if now.get(each) not in (None, after[each])}


def test_what_is_wanted_is_what_was_in_force_and_what_is_inherited_is_let_be() -> None:
    rows = [
        row(ANN, "CAN_RUN", 0, 2),
        row(ANN, "CAN_MANAGE", 2),
        row(BOB, "CAN_VIEW", 1, 3),
        row(ALL, "CAN_MANAGE", 0, is_inherited=True),
    ]
    assert wanted_at(rows, NOON - HOUR, is_all=True) is None, "nothing was known then, which is not nobody"
    assert wanted_at([], None, is_all=False) is None
    first = wanted_at(rows, NOON + HOUR, is_all=True)
    assert first == WantedAccess({ANN: "CAN_RUN", BOB: "CAN_VIEW"}, frozenset({ALL}), is_all=True)
    last = wanted_at(rows, None, is_all=True)
    assert first is not None
    assert last is not None
    assert (first.since, last.since) == (NOON + HOUR, NOON + 3 * HOUR), "ends are changes, too"
    assert "on 2026-03-02 13:00 UTC. Looks from then to the time that is wanted found the same" in first.age[0]
    assert WantedAccess({}).age == (), "a folder has no looks"
    assert wanted_at(rows, None, is_all=False) == WantedAccess({ANN: "CAN_MANAGE"}, frozenset({ALL}))
    twice = [row(ANN, "CAN_MANAGE", 1), row(ANN, "CAN_RUN", 0), row(BOB, "CAN_VIEW", 0), row(BOB, "CAN_EDIT", 1)]
    for looks in (twice, twice[::-1]):
        assert wanted_at(looks, None, is_all=True) == WantedAccess({ANN: "CAN_RUN", BOB: "CAN_VIEW"}, is_all=True)
    planned = access(first, {ALL: "CAN_RUN", ANN: "CAN_MANAGE", ("USER", "new"): "CAN_VIEW"})
    assert planned.changes == (
        AccessChange(BOB, None, "CAN_VIEW"),
        AccessChange(ANN, "CAN_MANAGE", "CAN_RUN"),
        AccessChange(("USER", "new"), "CAN_VIEW", None),
    ), "more first, then less, then none; what ALL has besides was never known"
    assert [each.is_wider for each in planned.changes] == [True, False, False]
    assert in_words(planned.changes[:1]) == "service principal b0b from none to CAN_VIEW"
    assert takes_from(planned.changes, "ann@x")
    assert takes_from(planned.changes, "Ann@X"), "a name is the same, however it is spelled"
    assert takes_from(planned.changes, None), "nobody knows from whom"
    assert not takes_from(planned.changes, "b0b")
    assert not takes_from(planned.changes[:1], None)
    many = [AccessChange(("USER", str(number) * 200), None, "CAN_RUN") for number in range(9)]
    assert in_words(many).endswith("and 4 more")
    assert len(in_words(many)) < 900


@given(before=granted, after=granted, shown=st.booleans())
def test_taking_somebody_away_undoes_no_grant_that_a_look_does_not_show_yet(
    before: Any, after: Any, shown: bool
) -> None:
    changes = Access(before, after).changes
    done, gone = ([each for each in changes if (each.after is None) is is_gone] for is_gone in (False, True))
    look = {**before, **(after if shown else {})}
    assert who_stays(look, done, gone) == after
    theirs = ("USER", "somebody@else")
    assert who_stays({**look, theirs: "CAN_VIEW"}, done, gone) == {**after, theirs: "CAN_VIEW"}


def test_only_what_a_space_grants_itself_is_read_and_a_list_that_is_not_whole_is_unknown() -> None:
    both = [{"permission_level": "CAN_MANAGE", "inherited": True}, {"permission_level": "CAN_RUN"}]
    entries: list[Any] = [{"user_name": "ann@x", "all_permissions": both}]
    entries.append({"group_name": "admins", "all_permissions": both[:1]})
    assert granted_by({"access_control_list": entries}) == {ANN: "CAN_RUN"}
    half: dict[str, Any] = {"user_name": "eve@x", "all_permissions": [*both, {"permission_level": None}]}
    broken: dict[str, Any] = {"group_name": "a\ud800b", "all_permissions": both}
    robot: dict[str, Any] = {"robot_name": "r", "all_permissions": both}
    for odd in (*([*entries, each] for each in (robot, half, broken)), [], None):
        assert granted_by({"access_control_list": odd}) is None


def test_a_plan_holds_permissions_and_is_refused_where_they_were_edited() -> None:
    new = {"title": "Sales", "warehouse_id": "wh", "serialized_space": '{"version":2}'}
    plan = replace(creation_plan("promote", "x", "2", new), access=Access({}, {ANN: "CAN_RUN", BOB: "CAN_VIEW"}))
    text = file_text(plan)
    assert (plan_of(text), file_text(plan_of(text))) == (plan, text)
    assert json.loads(text)["permissions"]["changes"] == [
        {"service_principal_name": "b0b", "from": None, "to": "CAN_VIEW"},
        {"user_name": "ann@x", "from": None, "to": "CAN_RUN"},
    ]
    for old, edited in (("CAN_RUN", "CAN_MANAGE"), ("ann@x", "eve@x"), ("user_name", "group_name")):
        with pytest.raises(PlanError, match=r"was changed after it was made|holds no plan"):
            plan_of(text.replace(old, edited))


@pytest.mark.parametrize(
    "entries",
    [
        None,
        {},
        ["x"],
        [{"user_name": "a"}],
        [{"permission_level": "CAN_RUN"}],
        [{"user_name": "", "permission_level": "CAN_RUN"}],
        [{"user_name": "a", "group_name": "b", "permission_level": "CAN_RUN"}],
        [{"user_name": "a", "permission_level": "CAN_RUN"}] * 2,
    ],
)
def test_what_names_no_levels_is_refused(entries: Any) -> None:
    with pytest.raises(ValueError, match=r"must name one principal|stands there twice"):
        levels_of(entries)


@pytest.mark.parametrize("principal", [ANN, BOB])
def test_who_is_spelled_otherwise_is_the_same_one(principal: tuple[str, str]) -> None:
    """People write e-mail addresses into files as they like; one was taken away, and another one let in."""
    kind, name = principal
    loud = (kind, name.upper())
    same = access(WantedAccess({loud: "CAN_RUN"}, is_all=True), {principal: "CAN_RUN", ALL: "CAN_VIEW"})
    assert same.changes == (AccessChange(ALL, "CAN_VIEW", None),)
    of_a_new_space = access(WantedAccess({loud: "CAN_EDIT"}), {})
    assert left_to_do(of_a_new_space, {principal: "CAN_EDIT"}) == ()
    assert differing(of_a_new_space, {principal: "CAN_EDIT"}, is_new=False) == ()
    done = [AccessChange(loud, None, "CAN_EDIT")]
    assert who_stays({principal: "CAN_RUN", ALL: "CAN_VIEW"}, done, []) == {loud: "CAN_EDIT", ALL: "CAN_VIEW"}
    assert who_stays({principal: "CAN_RUN"}, [], done) == {}
    with pytest.raises(ValueError, match="stands there twice"):
        levels_of([*entries_of({principal: "CAN_RUN"}), *entries_of({loud: "CAN_RUN"})])


def test_groups_that_differ_in_capitals_may_be_two() -> None:
    """Whether they are one is not known, and nobody shall be let in for another one."""
    planned = access(WantedAccess({("GROUP", "Team"): "CAN_RUN"}, is_all=True), {("GROUP", "team"): "CAN_RUN"})
    assert len(planned.changes) == 2
    assert doubts(planned) == ("The groups Team and team differ in capitals only, and are taken for two.",)
    both: Any = {("GROUP", "Team"): "CAN_RUN", ("GROUP", "team"): "CAN_RUN"}
    assert doubts(Access(both, {**both, ANN: "CAN_RUN"})) == (), "nothing becomes of either"


def test_a_level_that_is_not_known_is_named_and_many_do_not_hide_what_follows() -> None:
    odd = access(WantedAccess({ANN: "CAN_FLY", BOB: "CAN_RUN"}), {})
    assert doubts(odd) == ("CAN_FLY for user ann@x is a level that this version does not know.",)
    assert doubts(Access({ANN: "CAN_FLY"}, {ANN: "CAN_RUN"})) == ()
    many = doubts(Access({}, {("USER", str(number)): "CAN_FLY" for number in range(9)}))
    assert (len(many), many[-1]) == (6, "There are 4 more such doubts.")


def test_an_entry_with_two_principals_is_refused_by_their_names() -> None:
    with pytest.raises(ValueError, match=r"^An entry names user_name a and group_name b: each must name one"):
        levels_of([{"user_name": "a", "group_name": "b", "permission_level": "CAN_RUN"}])
