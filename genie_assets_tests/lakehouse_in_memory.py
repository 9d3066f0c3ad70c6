"""A lakehouse of plain rows in memory: a third engine, for tests that ask it many thousands of times.

Every call is one commit, as the interface promises it; what real engines do about failures and races is not here.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from genie_assets.domain.questions import Between, Equals, Exists, Filter, In, IsNull, Newest, Not, Rows
from genie_assets.domain.table import storable
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.frames import arrow_schema, to_records
from genie_assets.gateways.lakehouse.identities import identity_of
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.results import MaintenanceReport, MergeResult

if TYPE_CHECKING:
    from genie_assets.gateways.lakehouse.reading import Reading

Row = dict[str, Any]
Test = Callable[[Row], bool]
Stored = dict[str, list[Row]]
"""The rows of each table by its name."""


class LakehouseInMemory(Lakehouse):
    """The tables as one process opens them.

    Args:
        stored: What is stored, and shared with whoever opens it besides.
    """

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._commits: Counter[str] = Counter()

    def exists(self, table: Table) -> bool:
        """Whether the table was ever written."""
        return table.name in self._stored

    def version(self, table: Table) -> int | None:
        """How often it was written through this object."""
        return self._commits[table.name] if self.exists(table) else None

    def prepare(self, table: Table) -> None:
        """Make the table exist."""
        self._stored.setdefault(table.name, [])

    def _rows(
        self, rows: Rows, columns: Sequence[str], newest: Newest | None, distinct: bool, limit: int | None
    ) -> pa.Table:
        found = self._selected(rows)
        if newest is not None:
            latest: dict[tuple[Any, ...], Row] = {}
            for row in sorted(found, key=lambda row: _order(row, newest.by)):
                latest[tuple(row[name] for name in newest.per)] = row
            found = list(latest.values())
        told = [{name: row[name] for name in columns} for row in found]
        if distinct:
            told = list({repr(row): row for row in told}.values())
        return _arrow(told[:limit], arrow_schema(rows.table, columns))

    def _count(self, rows: Rows, by: Sequence[str], flags: Mapping[str, Filter], at_least: int) -> pa.Table:
        tests = {name: self._test(each) for name, each in flags.items()}
        counts: Counter[tuple[Any, ...]] = Counter()
        for row in self._selected(rows):
            counts[*(row[name] for name in by), *(test(row) for test in tests.values())] += 1
        names = [*by, *flags, "count"]
        told = [dict(zip(names, (*values, number), strict=True)) for values, number in counts.items()]
        schema = [*arrow_schema(rows.table, by), *(pa.field(name, pa.bool_()) for name in flags)]
        return _arrow(
            [row for row in told if row["count"] >= at_least], pa.schema([*schema, ("count", pa.int64())])
        )

    def _selected(self, rows: Rows) -> list[Row]:
        tests = [self._test(each) for each in rows.where]
        return [
            row
            for row in self._stored.get(rows.table.name, ())
            if (rows.days is None or row[str(rows.table.partitioned_by)] in rows.days)
            and all(test(row) for test in tests)
        ]

    def _test(self, condition: Filter) -> Test:
        """What a condition means, with whatever it looks up looked up once."""
        match condition:
            case Exists():
                return self._counterparts(condition)
            case Not(conditions=inner):
                tests = [self._test(each) for each in inner]
                return lambda row: not all(test(row) for test in tests)
            case IsNull(column=name):
                return lambda row: row[name] is None
            case Equals(column=name, value=value):
                wanted = storable(value)
                return lambda row: row[name] is not None and row[name] == wanted
            case In(column=name, values=values):
                among = {storable(value) for value in values} - {None}
                return lambda row: row[name] in among
            case Between(column=name, low=low, high=high):
                return lambda row: (
                    (low is None and high is None)
                    or (
                        row[name] is not None
                        and (low is None or low <= row[name])
                        and (high is None or row[name] <= high)
                    )
                )

    def _counterparts(self, condition: Exists) -> Test:
        theirs: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for row in self._selected(condition.rows):
            theirs[tuple(row[name] for name in condition.key)].append(row)
        since = condition.since

        def test(row: Row) -> bool:
            key = tuple(row[name] for name in condition.key)
            found = () if None in key else theirs.get(key, ())
            if since is None or row[since[1]] is None:
                return bool(found)
            return any(each[since[0]] is not None and each[since[0]] >= row[since[1]] for each in found)

        return test

    def _append(self, table: Table, rows: pa.Table) -> None:
        new, course = to_records(table, rows), table.course
        if course is not None:
            new = [row for row in new if not self._is_repeat(table, row)]
        self._commit(table, [*self._stored.get(table.name, ()), *new])

    def _is_repeat(self, table: Table, row: Row) -> bool:
        course = table.course
        if course is None or row[course.at] is None:
            return False
        same = [
            each
            for each in self._stored.get(table.name, ())
            if all(each[name] == row[name] for name in course.of) and each[course.at] is not None
        ]
        before = [each for each in same if each[course.at] <= row[course.at]]
        after = [each for each in same if each[course.at] > row[course.at]]
        near = [*sorted(before, key=lambda each: each[course.at])[-1:]]
        near += sorted(after, key=lambda each: each[course.at])[:1]
        return any(each[course.says] == row[course.says] for each in near)

    def _replace_day(self, table: Table, day: date, rows: pa.Table) -> bool:
        new, stored = to_records(table, rows), self._stored.get(table.name, [])
        was = [row for row in stored if row[str(table.partitioned_by)] == day]
        if _content(table, was) == _content(table, new):
            self.prepare(table)
            return False
        self._commit(table, [*(row for row in stored if row not in was), *new])
        return True

    def _merge(self, table: Table, rows: pa.Table, gone: pa.Table) -> MergeResult:
        identity = identity_of(table)
        stored = {_key(row, identity): row for row in self._stored.get(table.name, ())}
        leave = [key for row in to_records(table, gone) if (key := _key(row, identity)) in stored]
        inserted = updated = 0
        for row in to_records(table, rows):
            was = stored.get(_key(row, identity))
            if was is None or _content(table, [was]) != _content(table, [row]):
                inserted, updated = inserted + (was is None), updated + (was is not None)
                stored[_key(row, identity)] = row
        for key in leave:
            del stored[key]
        if inserted or updated or leave:
            self._commit(table, list(stored.values()))
        return MergeResult(inserted, updated, len(leave))

    def _fill(self, table: Table, rows: pa.Table, column: str) -> None:
        identity = identity_of(table)
        told = {_key(row, identity): row for row in to_records(table, rows)}
        self._commit(
            table,
            [
                {**row, **told[key]} if (key := _key(row, identity)) in told and row[column] is None else row
                for row in self._stored.get(table.name, ())
            ],
        )

    def _commit(self, table: Table, rows: list[Row]) -> None:
        self._stored[table.name] = rows
        self._commits[table.name] += 1

    def ask(self, reading: "Reading", *, limit: int) -> pa.Table:
        """Nobody asks it in SQL."""
        raise NotImplementedError

    def maintain(self, table: Table, *, today: date) -> MaintenanceReport:
        """There is nothing to tidy up."""
        raise NotImplementedError

    def keep(self, name: str, data: bytes) -> str:
        """No file is kept beside it."""
        raise NotImplementedError

    def kept_json(self, name: str) -> Any:
        """No file is kept beside it."""
        raise NotImplementedError

    def names_beginning(self, beginning: str) -> list[str]:
        """Nothing but tables."""
        return [name for name in self._stored if name.startswith(beginning)]

    def probe(self) -> bool:
        """Whether anything is stored."""
        return bool(self._stored)

    def _drop(self, table: Table) -> None:
        self._stored.pop(table.name, None)


def _order(row: Row, names: Iterable[str]) -> list[tuple[bool, Any]]:
    """NULL comes before every value."""
    return [(row[name] is not None, row[name] if row[name] is not None else 0) for name in names]


def _key(row: Row, names: Iterable[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _content(table: Table, rows: Iterable[Row]) -> list[str]:
    return sorted(
        repr([row[name] for name in dict.fromkeys([*identity_of(table), *table.content])]) for row in rows
    )


def _arrow(rows: list[Row], schema: pa.Schema) -> pa.Table:
    columns = [pa.array([row[field.name] for row in rows], field.type) for field in schema]
    return pa.table(columns, schema=schema)
