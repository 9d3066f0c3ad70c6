"""What can be asked of tables: conditions on rows, counterparts in other tables, and the choice of the newest."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from genie_assets.domain.tables import Table


@dataclass(frozen=True)
class Equals:
    """Rows whose `column` is `value`; a NULL equals nothing."""

    column: str
    value: Any


@dataclass(frozen=True)
class In:
    """Rows whose `column` is one of `values`, of which there may be many thousands; a NULL is never in."""

    column: str
    values: Collection[Any]


@dataclass(frozen=True)
class Between:
    """Rows whose `column` lies between `low` and `high`, both included; None leaves that end open."""

    column: str
    low: Any = None
    high: Any = None


@dataclass(frozen=True)
class IsNull:
    """Rows whose `column` is unknown."""

    column: str


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, to be looked up in a condition."""

    table: Table
    where: "Sequence[Filter]" = ()
    days: Collection[date] | None = None


@dataclass(frozen=True)
class Exists:
    """Rows that have a counterpart among `rows`: one with the same values in the `key` columns of both tables.

    A NULL in the key has no counterpart. With `since`, a pair of one column of theirs and one of ours, the
    counterpart must not be older: its value is at least ours, or ours is NULL.
    """

    rows: Rows
    key: Sequence[str]
    since: tuple[str, str] | None = None


@dataclass(frozen=True)
class Not:
    """Rows that do not meet all of these conditions; one that cannot be decided, for NULL, is not met."""

    conditions: "Sequence[Filter]"


Filter = Equals | In | Between | IsNull | Exists | Not


@dataclass(frozen=True)
class Newest:
    """Of the rows with equal values in the `per` columns only one: the last in the order of the `by` columns.

    NULL comes before every value. It is chosen among the rows that meet all other conditions.
    """

    per: Sequence[str]
    by: Sequence[str]


@dataclass(frozen=True)
class Wanted:
    """A question for rows, as `Lakehouse.read` takes its parts; asked together with others.

    Columns in `compared` are wanted only to tell whether a row says the same as another: the answer has their
    values, or their digest in the column `digests.DIGEST` where values would have to travel.
    """

    rows: Rows
    columns: Sequence[str]
    newest: Newest | None = None
    distinct: bool = False
    limit: int | None = None
    compared: Sequence[str] = ()


@dataclass(frozen=True)
class Counted:
    """A question for the number of rows, as `Lakehouse.count` takes its parts; asked together with others."""

    rows: Rows
    by: Sequence[str] = ()
    flags: Mapping[str, Filter] = field(default_factory=dict)
    at_least: int = 1


Question = Wanted | Counted


def lookups_of(each: Filter) -> Iterator[Exists]:
    """What a condition asks of other tables, at any depth."""
    match each:
        case Exists():
            yield each
        case Not(conditions=inner):
            for condition in inner:
                yield from lookups_of(condition)


def near_and_far(where: Iterable[Filter]) -> tuple[list[Filter], list[Filter]]:
    """Conditions on a table's own rows, and those that ask another table."""
    near: list[Filter] = []
    far: list[Filter] = []
    for each in where:
        (far if any(lookups_of(each)) else near).append(each)
    return near, far
