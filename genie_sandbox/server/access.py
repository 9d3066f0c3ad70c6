"""Access lists of objects: how the API shows them, and what a grant makes of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from genie_sandbox.responses import ApiError

Grant = tuple[str, str, str]  # kind of principal, its name, level

# The groups of the account; no other may be granted anything.
_GROUPS = frozenset({"admins", "users", "genie-viewers", "genie-managers"})
_PRINCIPALS = ("group_name", "user_name", "service_principal_name")


def access_list(own: Iterable[Grant], inherited: Iterable[Grant]) -> list[dict[str, Any]]:
    """An `access_control_list`: one entry for each principal, with everything that gives it a level."""
    entries: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for grants, is_inherited in ((own, False), (inherited, True)):
        for kind, name, level in grants:
            entries.setdefault((kind, name), []).append({"permission_level": level, "inherited": is_inherited})
    return [
        {kind: name, "display_name": name, "all_permissions": levels} for (kind, name), levels in entries.items()
    ]


def granted(grants: Iterable[Grant], entries: Any, *, levels: Sequence[str], only: bool) -> tuple[Grant, ...]:
    """The grants after some were given, and with `only` all others taken away.

    Raises:
        ApiError: 400 for what is no list of grants of these levels, 404 for a group that there is not.
    """
    if not isinstance(entries, list):
        raise ApiError(400, "access_control_list must be a list.")
    kept = {} if only else {grant[:2]: grant for grant in grants}
    for entry in entries:
        grant = _grant(entry, levels)
        kept[grant[:2]] = grant
    return tuple(kept.values())


def _grant(entry: Any, levels: Sequence[str]) -> Grant:
    kind = next((each for each in _PRINCIPALS if isinstance(entry, dict) and entry.get(each)), None)
    if kind is None or entry.get("permission_level") not in levels:
        raise ApiError(400, "Each entry needs a principal and a permission_level that its object has.")
    if kind == "group_name" and entry[kind] not in _GROUPS:
        raise ApiError(404, f"Principal: GroupName({entry[kind]}) does not exist")
    return kind, entry[kind], entry["permission_level"]
