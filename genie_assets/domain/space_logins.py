"""The login that changes permissions: who it is, and whether a change takes its own access by way of a group."""

from collections.abc import Iterable
from dataclasses import dataclass

from genie_assets.domain.space_access import AccessChange, Levels, all_named
from genie_assets.domain.space_permissions import PRINCIPALS, Principal, rank

_GROUP = PRINCIPALS["group_name"]
_MANAGE = "CAN_MANAGE"
# Everybody in a workspace, or in the account, is in these, whether the record of a login names them or not.
_OF_ALL = frozenset({"users", "account users"})


@dataclass(frozen=True)
class Login:
    """Who is logged in, as far as Databricks tells it: a group that is not in here may still be one of its groups.

    Attributes:
        names: User name and application id.
        groups: Groups of which it is a member, in the workspace that was asked.
    """

    names: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def is_surely(self, principal: Principal) -> bool:
        """Whether what is granted to this principal is granted to the login."""
        kind, name = principal
        if kind == _GROUP:
            return name in self.groups | _OF_ALL
        return name.casefold() in {each.casefold() for each in self.names}


def groups_that_lose(changes: Iterable[AccessChange]) -> tuple[Principal, ...]:
    """Groups that do not manage the space any more after these changes."""
    return tuple(
        each.principal
        for each in changes
        if each.principal[0] == _GROUP and each.before and rank(each.before) >= rank(_MANAGE) and not each.is_wider
    )


def locks_out(changes: Iterable[AccessChange], stays: Iterable[Levels], login: Login) -> tuple[Principal, ...]:
    """The groups by which the login may manage the space now, and after these changes no more.

    None, where something that stays surely lets it manage. Else those of which it surely is a member; where that
    is known of none, all: a record may leave out groups of which it is a member by way of others.

    Args:
        changes: What is to change.
        stays: What is granted afterwards: by the space itself, and by what it inherits.
        login: Who makes the changes.
    """
    if any(level == _MANAGE and login.is_surely(each) for levels in stays for each, level in levels.items()):
        return ()
    lost = groups_that_lose(changes)
    return tuple(each for each in lost if login.is_surely(each)) or lost


def of_groups_that_lose(changes: Iterable[AccessChange]) -> tuple[str, ...]:
    """What a plan says of them beforehand, in the same words to everybody."""
    lost = groups_that_lose(changes)
    text = (
        "The plan takes CAN MANAGE from {names}. Who manages the space by that alone cannot set these permissions."
    )
    return (text.format(names=all_named(lost)),) if lost else ()
