"""What a space needs in its workspace (tables, functions, a warehouse), and what a look at each of them told.

A finding is no part of a plan: it depends on who looks, and when. One login is told 404 where another is told 403
and a third one sees the table, and a plan is the same text whoever makes it. So the plan names what is needed, and
what was found of it is shown beside it, by whoever makes the plan and again by whoever applies it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from genie_assets.domain.configurations import parsed
from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.outcomes import POLICIES, UNREACHABLE, ErrorClass, FetchError
from genie_assets.domain.space_mapping import identifiers, parts_of

_UNREADABLE = "the configuration cannot be read, and so not what it names"
_NOT_IN_UNITY_CATALOG = "hive_metastore"
_GONE = ("DELETED", "DELETING")


class Needed(StrEnum):
    """What kind of thing is needed."""

    TABLE = "table"  # views and metric views, too: Unity Catalog knows them by the same address
    FUNCTION = "function"
    WAREHOUSE = "warehouse"
    OTHER = "other thing"  # named in a part of the configuration that this version does not know


class Standing(StrEnum):
    """What is known of a thing."""

    THERE = "there"
    NOT_FOUND = "not found"  # for this login: who may not see a thing is told the same
    UNKNOWN = "not known"


@dataclass(frozen=True, order=True)
class Reference:
    """A thing that a space names."""

    kind: Needed
    name: str


@dataclass(frozen=True)
class Finding:
    """What a look at one thing told; `why` it is not there or not known."""

    reference: Reference
    standing: Standing
    why: str = ""


_KINDS: Mapping[str, Needed] = {
    **dict.fromkeys(("tables", "metric_views", "left", "right"), Needed.TABLE),
    **dict.fromkeys(("sql_functions", "functions"), Needed.FUNCTION),
}


def references_of(state: Mapping[str, Any]) -> list[Reference]:
    """What a space needs, by the columns `serialized_space` and `warehouse_id`; each thing once.

    A configuration that cannot be read is a thing of its own, so that nobody takes it for one that needs nothing.
    """
    found = set(_named(state.get("serialized_space")))
    known = {each.name for each in found if each.kind is not Needed.OTHER}
    found = {each for each in found if each.kind is not Needed.OTHER or each.name not in known}
    if state.get("warehouse_id"):
        found.add(Reference(Needed.WAREHOUSE, state["warehouse_id"]))
    return sorted(found)


def not_to_be_looked_up(reference: Reference) -> Finding | None:
    """What is known of a thing that cannot be asked for; None if it can."""
    why = None
    parts = parts_of(reference.name)
    if reference.kind is Needed.OTHER:
        why = _UNREADABLE if reference == _WHOLE else "this version does not know where such things are asked for"
    elif not is_usable_id(reference.name):
        why = "its name cannot be used in an address"
    elif reference.kind is not Needed.WAREHOUSE and (len(parts) != 3 or not all(parts)):
        why = "its name is not of the form catalog.schema.name"
    elif reference.kind is not Needed.WAREHOUSE and parts[0].casefold() == _NOT_IN_UNITY_CATALOG:
        why = "it is not in Unity Catalog"
    return Finding(reference, Standing.UNKNOWN, why) if why else None


def finding(reference: Reference, answer: Mapping[str, Any] | FetchError) -> Finding:
    """What an answer tells of a thing. Only one that names the thing says that it is there.

    Without `include_browse`, Unity Catalog shows a table to who may select from it and a function to who may
    execute it, and else to its owners and admins.
    """
    if isinstance(answer, FetchError):
        return _not_seen(reference, answer)
    is_warehouse = reference.kind is Needed.WAREHOUSE
    told = answer.get("id" if is_warehouse else "full_name")
    if not isinstance(told, str) or parts_of(told.casefold()) != parts_of(reference.name.casefold()):
        return Finding(reference, Standing.UNKNOWN, "the answer speaks of something else")
    if is_warehouse and answer.get("state") in _GONE:
        return Finding(reference, Standing.NOT_FOUND, "it is deleted")
    if answer.get("browse_only") is True:
        return Finding(reference, Standing.UNKNOWN, "this login sees that it is there, and may not read it")
    return Finding(reference, Standing.THERE)


def is_hopeless(failures: Iterable[FetchError]) -> bool:
    """Whether nothing more is to be asked of a workspace after these failures, earliest first."""
    weight = 0
    for failure in failures:
        weight += failure.burden
        is_busy = failure.error_class is ErrorClass.RATE_LIMITED
        if is_busy or POLICIES[failure.error_class].of_the_way or weight >= UNREACHABLE:
            return True
    return False


def not_asked(reference: Reference) -> Finding:
    """What is known of a thing that was not asked for any more."""
    return Finding(reference, Standing.UNKNOWN, "not asked for any more, after such failures")


_WHOLE = Reference(Needed.OTHER, "the configuration")


def _named(text: Any) -> Iterator[Reference]:
    if not text:
        return
    try:
        value = parsed(text)
    except (ValueError, ArithmeticError, RecursionError):
        yield _WHOLE
        return
    for within, name in identifiers(value):
        yield Reference(_KINDS.get(within, Needed.OTHER), name)


def _not_seen(reference: Reference, failure: FetchError) -> Finding:
    if failure.error_class is ErrorClass.NOT_FOUND:
        return Finding(reference, Standing.NOT_FOUND, "not there, or not for this login to see")
    if failure.error_class is ErrorClass.PERMISSION:
        return Finding(reference, Standing.UNKNOWN, "this login may not look at it")
    return Finding(reference, Standing.UNKNOWN, failure.message)
