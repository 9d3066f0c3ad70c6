"""Who shall have access to a planned space: what is wanted, what a plan says of it, and what is to be done.

Only what a space grants itself counts here. What is inherited, from a folder or a role, is neither compared nor
written. Levels and names are kept as they are told; who asks and who sends does not belong here.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from genie_assets.domain.keys import Row
from genie_assets.domain.space_permissions import (
    PRINCIPALS,
    Principal,
    access_list,
    is_known_level,
    own_levels,
    rank,
)

Levels = Mapping[Principal, str]

_MOST_NAMED, _LONGEST_NAME = 5, 100
_REPLACED = "\ufffd"

_KINDS = {kind: name for name, kind in PRINCIPALS.items()}
_GROUP = PRINCIPALS["group_name"]


@dataclass(frozen=True)
class AccessChange:
    """What becomes of the access of one principal; None is no access of its own."""

    principal: Principal
    before: str | None
    after: str | None

    @property
    def is_wider(self) -> bool:
        """Whether the principal may do more than before."""
        return self.after is not None and (self.before is None or rank(self.after) > rank(self.before))


@dataclass(frozen=True)
class Access:
    """What a space grants, as it was reviewed, and as it shall be."""

    before: Levels
    after: Levels

    @property
    def changes(self) -> tuple[AccessChange, ...]:
        """What differs, principal by principal."""
        return changes_of(self.before, self.after)


@dataclass(frozen=True)
class WantedAccess:
    """What a space shall grant.

    Attributes:
        levels: By principal.
        untold: Principals of whom is only known that they inherit access: what they have besides is let be.
        is_all: Whoever is in neither of these loses what the space grants them. Else they keep it.
        since: The latest look that found any of it changed, UTC; None where it does not come from looks.
    """

    levels: Levels
    untold: frozenset[Principal] = frozenset()
    is_all: bool = False
    since: dt.datetime | None = field(default=None, compare=False)

    @property
    def age(self) -> tuple[str, ...]:
        """How old it is, for who reviews it. What is stored of looks is changes: none is told from one without."""
        if self.since is None:
            return ()
        found = (
            f"The permissions wanted are as a look at the source found them on {self.since:%Y-%m-%d %H:%M} UTC."
        )
        return (f"{found} Looks from then to the time that is wanted found the same, or there were none.",)


def changes_of(before: Levels, after: Levels) -> tuple[AccessChange, ...]:
    """What differs: first who gets more, then who gets less, then who loses it."""
    changes = [
        AccessChange(principal, before.get(principal), after.get(principal))
        for principal in sorted({*before, *after})
        if before.get(principal) != after.get(principal)
    ]
    return tuple(sorted(changes, key=lambda each: (not each.is_wider, each.after is None)))


def wanted_at(rows: Iterable[Row], at: dt.datetime | None, *, is_all: bool) -> WantedAccess | None:
    """What a space granted at a time, or at the last look; None if no look had told it then.

    Args:
        rows: Its rows of `genie_space_permissions`.
        at: The time, UTC; None is the last look.
        is_all: Whether others shall lose what they have.
    """
    known = list(rows)
    if at is not None and not any(row["valid_from"] <= at for row in known):
        return None
    times = [time for row in known for time in (row["valid_from"], row["valid_to"]) if time]
    since = max((time for time in times if at is None or time <= at), default=None)
    if at is not None:
        known = [row for row in known if row["valid_from"] <= at and (not row["valid_to"] or at < row["valid_to"])]
    else:
        known = [row for row in known if row["valid_to"] is None]
    if not known:
        return None
    # Two looks at once may have written one principal twice: the earliest counts, as for the next look.
    known.sort(key=lambda row: row["valid_from"], reverse=True)
    granted = {_principal(row): row["permission_level"] for row in known if not row["is_inherited"]}
    inherited = frozenset(_principal(row) for row in known if row["is_inherited"])
    return WantedAccess(granted, inherited - granted.keys(), is_all, since)


def granted_by(body: Mapping[str, Any]) -> Levels | None:
    """What a space grants itself, by an answer of the permissions API; None if that cannot be told whole."""
    seen = access_list(body)
    if seen is None or not seen.is_whole:
        return None
    levels = own_levels(body)
    # Such a name is not as it was told, and whoever has it would be taken away with the next list that we send.
    return None if any(_REPLACED in name for _, name in levels) else levels


def access(wanted: WantedAccess, now: Levels) -> Access:
    """What is to become of what a space grants now. Who is known there already is called as there."""
    untold = {_identity(each) for each in wanted.untold}
    kept = {each: level for each, level in now.items() if not wanted.is_all or _identity(each) in untold}
    return Access(dict(now), {**kept, **_called_as_in(now, wanted.levels)})


def _called_as_in(others: Iterable[Principal], levels: Levels) -> Levels:
    """The levels, with everybody who is among the others called as there."""
    called = {_identity(each): each for each in others}
    return {called.get(_identity(each), each): level for each, level in levels.items()}


def _identity(principal: Principal) -> Principal:
    """Who it is: e-mail addresses and application ids are the same in capitals. Of groups that is not known."""
    kind, name = principal
    return kind, name if kind == _GROUP else name.casefold()


def differing(planned: Access, now: Levels, *, is_new: bool) -> tuple[AccessChange, ...]:
    """What is neither as it was reviewed nor as it is planned, from the plan's state before to now.

    Principals are taken one by one, so that a plan which was carried out half can be carried out again.

    Args:
        planned: What the plan says.
        now: What the space grants.
        is_new: The plan has made the space: what it grants besides comes from the making, and is let be.
    """
    now = _called_as_in([*planned.before, *planned.after], now)
    names = {*planned.before, *planned.after, *(() if is_new else now)}
    odd = [
        each
        for each in names
        if now.get(each) not in (planned.before.get(each), planned.after.get(each))
        and not (is_new and each not in planned.after)
    ]
    return changes_of(
        {each: planned.before[each] for each in odd if each in planned.before},
        {each: now[each] for each in odd if each in now},
    )


def left_to_do(planned: Access, now: Levels) -> tuple[AccessChange, ...]:
    """What of the planned changes does not show yet."""
    now = _called_as_in([*planned.before, *planned.after], now)
    return tuple(each for each in planned.changes if now.get(each.principal) != each.after)


def who_stays(now: Levels, done: Collection[AccessChange], gone: Collection[AccessChange]) -> Levels:
    """What the space shall still grant when those who are to lose it are taken away.

    Args:
        now: What it grants, by a look that may be behind.
        done: Changes that were just made, whether the look shows them or not.
        gone: Those who lose it.
    """
    granted = {each.principal: each.after for each in done if each.after is not None}
    left = {_identity(each.principal) for each in gone}
    still = {**_called_as_in(granted, now), **granted}
    return {each: level for each, level in still.items() if _identity(each) not in left}


def takes_from(changes: Iterable[AccessChange], login: str | None) -> bool:
    """Whether these changes take access from whoever goes by this name; from anybody, if the name is not known."""
    return any((login is None or _is(each.principal, login)) and not each.is_wider for each in changes)


def of_others(planned: Access, login: str) -> Access:
    """What is planned for all but whoever goes by this name."""
    before, after = (
        {each: level for each, level in levels.items() if not _is(each, login)}
        for levels in (planned.before, planned.after)
    )
    return Access(before, after)


def entries_of(levels: Levels) -> list[Row]:
    """Levels as the permissions API takes them, and as files hold them."""
    return [
        {_KINDS[kind]: name, "permission_level": level}
        for (kind, name), level in sorted(levels.items())
        if kind in _KINDS
    ]


def levels_of(entries: Any) -> Levels:
    """Levels from a file.

    Raises:
        ValueError: it holds something else.
    """
    found: dict[Principal, str] = {}
    seen: set[Principal] = set()
    for entry in entries if isinstance(entries, list) else [None]:
        told = entry if isinstance(entry, dict) else {}
        named = [name for name in PRINCIPALS if isinstance(told.get(name), str) and told[name]]
        level = told.get("permission_level")
        if len(named) > 1:
            both = " and ".join(f"{name} {_cut(told[name])}" for name in named)
            raise ValueError(f"An entry names {both}: each must name one principal.")
        if len(named) != 1 or not isinstance(level, str) or not level:
            raise ValueError("Each entry must name one principal and its permission_level.")
        principal = PRINCIPALS[named[0]], told[named[0]]
        if _identity(principal) in seen:
            raise ValueError(f"{principal[1]} stands there twice.")
        seen.add(_identity(principal))
        found[principal] = level
    return found


def doubts(planned: Access) -> tuple[str, ...]:
    """What a reviewer has to look at twice: unknown levels, and groups that differ in capitals only."""
    odd = [each for each in planned.changes if each.after is not None and not is_known_level(each.after)]
    levels = [
        f"{_cut(each.after or '')} for {_cut(named(each.principal))} is a level that this version does not know."
        for each in odd
    ]
    changed = {each.principal for each in planned.changes}
    groups = sorted(each for each in {*planned.before, *planned.after} if each[0] == _GROUP)
    twins = [
        f"The groups {_cut(one[1])} and {_cut(other[1])} differ in capitals only, and are taken for two."
        for one, other in combinations(groups, 2)
        if one[1].casefold() == other[1].casefold() and changed & {one, other}
    ]
    told = [*levels, *twins]
    more = [f"There are {len(told) - _MOST_NAMED} more such doubts."] if len(told) > _MOST_NAMED else []
    return (*told[:_MOST_NAMED], *more)


def named(principal: Principal) -> str:
    """A principal in words."""
    return f"{principal[0].lower().replace('_', ' ')} {principal[1]}"


def all_named(principals: Collection[Principal]) -> str:
    """Principals for a sentence; a handful of them at most."""
    names = [_cut(named(each)) for each in [*principals][:_MOST_NAMED]]
    more = len(principals) - len(names)
    return " and ".join([*names, f"{more} more"] if more > 0 else names)


def in_words(changes: Collection[AccessChange]) -> str:
    """What was to change, for a sentence; a handful of them at most, so that what follows is still read."""
    steps = [
        f"{_cut(named(each.principal))} from {_cut(each.before or 'none')} to {_cut(each.after or 'none')}"
        for each in [*changes][:_MOST_NAMED]
    ]
    more = len(changes) - len(steps)
    return ", ".join(steps) + (f" and {more} more" if more > 0 else "")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]} ..."


def _is(principal: Principal, login: str) -> bool:
    # Databricks takes a user for the same one, however the name is spelled.
    return principal[1].casefold() == login.casefold()


def _principal(row: Row) -> Principal:
    return row["principal_type"], row["principal"]
