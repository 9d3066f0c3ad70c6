"""Histories in files (`Table.course`): what a row's neighbour in time says already is not added, whoever wrote it.

delta-rs lets appends pass each other. So each addition to a history carries the application transactions of its
days, as commits do that depend on which keys are stored: of two at once the second is refused, and decided anew.
Their numbers tell, too, whether anybody else has added to a day since this process first looked: as long as nobody
has, it knows what is stored, and nothing is read again.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Transaction

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.delta.commits import Change
from genie_assets.gateways.lakehouse.delta.conditions import of_days
from genie_assets.gateways.lakehouse.delta.merges import appended, once_at_a_time, transaction_names, with_keys_of
from genie_assets.gateways.lakehouse.delta.reads import scan
from genie_assets.gateways.lakehouse.identities import days_of

_NONE_YET = -1  # the number of a transaction that was never made


class Histories:
    """What one process knows of who else adds to histories."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}

    def looked_at(self, table: Table, delta: DeltaTable | None) -> None:
        """Note how far a history is, the first time that it is opened; None if there is none yet."""
        if table.course is not None and table.name not in self._numbers:
            found = (
                {} if delta is None else {name: delta.transaction_version(name) for name in transaction_names()}
            )
            self._numbers[table.name] = {name: number for name, number in found.items() if number is not None}

    def added(self, delta: DeltaTable, table: Table, rows: pa.Table) -> Change[Sequence[Transaction]]:
        """Add rows to a history; the result is for `noted`."""
        once = once_at_a_time(delta, days_of(table, rows))
        new = rows if self._is_alone(table, once) else _without_repeats(delta, table, rows)
        if not new.num_rows:
            return Change(())
        return Change(once, appended(delta, new).make, once)

    def noted(self, table: Table, made: Sequence[Transaction]) -> None:
        """Note what this process has added itself. Where others have, too, it never counts as alone again."""
        numbers = self._numbers.setdefault(table.name, {})
        for each in made:
            if numbers.get(each.app_id, _NONE_YET) == each.version - 1:
                numbers[each.app_id] = each.version

    def _is_alone(self, table: Table, once: Sequence[Transaction]) -> bool:
        numbers = self._numbers.get(table.name, {})
        return all(numbers.get(each.app_id, _NONE_YET) == each.version - 1 for each in once)


def _without_repeats(delta: DeltaTable, table: Table, rows: pa.Table) -> pa.Table:
    """Those of the rows that say something else than the rows of their thing before and after them."""
    course = table.course
    if course is None:
        return rows
    stored = scan(
        delta,
        table,
        [*course.of, course.at, course.says],
        (*of_days(table, days_of(table, rows)), *with_keys_of(table, rows)),
    )
    courses: defaultdict[tuple[Any, ...], list[tuple[Any, Any]]] = defaultdict(list)
    for row in (row for part in stored for row in part.to_pylist()):
        if row[course.at] is not None:
            courses[tuple(row[name] for name in course.of)].append((row[course.at], row[course.says]))
    for each in courses.values():
        each.sort(key=itemgetter(0))
    told = rows.select([*course.of, course.at, course.says]).to_pylist()
    says_more = [
        row[course.says]
        not in _neighbours(courses.get(tuple(row[name] for name in course.of), ()), row[course.at])
        for row in told
    ]
    return rows.filter(pa.array(says_more, pa.bool_()))


def _neighbours(course: Sequence[tuple[Any, Any]], at: Any) -> list[Any]:
    """What the rows just before and just after a time say."""
    if at is None:
        return []
    place = bisect_right(course, at, key=itemgetter(0))
    return [said for _, said in course[max(0, place - 1) : place + 1]]
