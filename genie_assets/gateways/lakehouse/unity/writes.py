"""Writes as SQL over one staged file. Each statement leaves the same behind, however often it runs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.sql_names import quoted
from genie_assets.domain.table import Course
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.frames import known_column
from genie_assets.gateways.lakehouse.identities import days_of, identity_of, telling_column
from genie_assets.gateways.lakehouse.literals import days_literal
from genie_assets.gateways.lakehouse.unity.names import Place, listed, text_literal
from genie_assets.gateways.sql.texts import sql_from_template
from genie_assets.gateways.sql.values import Parameter

# Columns of staged files that no table has: what to do with a row, and which row of the file it is.
_ACTION, _ROW = "__action", "__row"


def numbered(rows: pa.Table) -> pa.Table:
    """Rows to replace a day with: each knows which one it is."""
    return rows.append_column(_ROW, pa.array(range(rows.num_rows), pa.int64()))


def merge_source(rows: pa.Table, gone: pa.Table) -> pa.Table:
    """Rows to store and keys to delete, each with what to do."""
    stored = rows.append_column(_ACTION, pa.array(["store"] * rows.num_rows, pa.string()))
    deleted = gone.append_column(_ACTION, pa.array(["delete"] * gone.num_rows, pa.string()))
    return pa.concat_tables([stored, deleted], promote_options="default")


@dataclass(frozen=True)
class Reach:
    """Where stored rows with the keys of some other rows can be, so that the rest of a table is left alone.

    `ends` are the named parameters `low` and `high`, between which `column` lies. Ids rise with time, so that even
    in a large day they leave out most files.
    """

    days: Collection[date]
    column: str | None = None
    ends: Mapping[str, Parameter] = field(default_factory=dict)


def reach(table: Table, rows: pa.Table) -> Reach:
    """The partitions in which rows lie, and the range of the column of their key that tells most."""
    days, column = days_of(table, rows) or (), telling_column(table)
    if column is None:
        return Reach(days)
    ends = pc.min_max(rows[column.name]).as_py()
    return Reach(days, column.name, {"low": ends["min"], "high": ends["max"]})


def append_sql(table: Table, place: Place, file: str, where: Reach) -> str:
    """The statement that adds the rows of a file that are not there yet; to a history, only what is news."""
    if table.course is not None:
        return _append_to_course_sql(table, table.course, place, file, where)
    names = _joined(identity_of(table), [name for name in table.column_names if name in table.bookkeeping])
    return sql_from_template(
        "lakehouse/append",
        table=place.table(table),
        columns=listed(table.column_names),
        file=text_literal(file),
        same=_same(table, names, where),
        values=listed(table.column_names, "s."),
    )


def _append_to_course_sql(table: Table, course: Course, place: Place, file: str, where: Reach) -> str:
    at, says = quoted(course.at), quoted(course.says)
    return sql_from_template(
        "lakehouse/append_to_course",
        table=place.table(table),
        columns=listed(table.column_names),
        picked=listed(table.column_names, "r."),
        file=text_literal(file),
        within=_within(table, where),
        told=listed([*course.of, course.at, course.says]),
        thing=listed(course.of, "r."),
        at=at,
        says=says,
        neighbours=" AND ".join(f"n.{quoted(name)} = r.{quoted(name)}" for name in (*course.of, course.at)),
        same_thing=" AND ".join(f"t.{quoted(name)} = r.{quoted(name)}" for name in course.of),
        same=_same(table, identity_of(table), where),
        values=listed(table.column_names, "s."),
    )


def merge_sql(table: Table, place: Place, file: str, where: Reach) -> str:
    """The statement that stores and deletes the rows of a file of `merge_source`."""
    changing = [name for name in table.column_names if name not in identity_of(table)]
    return sql_from_template(
        "lakehouse/merge",
        table=place.table(table),
        columns=listed(table.column_names),
        file=text_literal(file),
        same=_same(table, identity_of(table), where),
        equal=_equal(table),
        changes=", ".join(f"{quoted(name)} = s.{quoted(name)}" for name in changing),
        values=listed(table.column_names, "s."),
    )


def fill_sql(table: Table, place: Place, file: str, where: Reach, column: str, names: Sequence[str]) -> str:
    """The statement that gives rows which lack `column` what a file has of the columns `names`.

    So many parameters: where it is written, from what, and what.
    """
    changing = [name for name in names if name not in identity_of(table)]
    return sql_from_template(
        "lakehouse/fill",
        table=place.table(table),
        columns=listed(names),
        file=text_literal(file),
        same=_same(table, identity_of(table), where),
        column=quoted(column),
        changes=", ".join(f"{quoted(name)} = s.{quoted(name)}" for name in changing),
    )


def merge_count_sql(table: Table, place: Place, file: str, where: Reach) -> str:
    """The SELECT that says what `merge_sql` would do: `inserted`, `updated`, `deleted`."""
    return sql_from_template(
        "lakehouse/merge_count",
        table=place.table(table),
        columns=listed(_joined(identity_of(table), table.content)),
        file=text_literal(file),
        within=_within(table, where),
        same=_same(table, identity_of(table), where),
        equal=_equal(table),
    )


def replace_day_sql(table: Table, place: Place, file: str, day: date, stored: Sequence[str]) -> str:
    """The statement that makes a day equal to the rows of a file.

    It takes no list of columns, so the rows get those that are `stored`, in the table's order.
    """
    known = set(table.column_names)
    columns = [quoted(name) if name in known else f"NULL AS {quoted(name)}" for name in stored]
    return sql_from_template(
        "lakehouse/replace_day",
        table=place.table(table),
        within=_within(table, Reach([day])),
        columns=", ".join(columns),
        file=text_literal(file),
    )


def replace_day_count_sql(table: Table, place: Place, file: str, day: date) -> str:
    """The SELECT that compares a day with a file: rows `stored`, and rows of the file that are the `same`."""
    return sql_from_template(
        "lakehouse/replace_day_count",
        table=place.table(table),
        columns=listed(_joined(identity_of(table), table.content)),
        file=text_literal(file),
        within=_within(table, Reach([day])),
        same=_same(table, identity_of(table), Reach([day])),
        equal=_equal(table),
    )


def _within(table: Table, where: Reach, alias: str = "") -> str:
    """The condition that a row is in reach; `alias` is the table's, with its dot."""
    parts = []
    if table.partitioned_by is not None:
        # Literal days, or all partitions would be read.
        literals = days_literal(where.days)
        days = f"IN ({literals})" if len(where.days) > 1 else f"= {literals}"
        parts.append(f"{alias}{quoted(table.partitioned_by)} {days}")
    if where.column is not None:
        parts.append(f"{alias}{quoted(where.column)} BETWEEN :low AND :high")
    return " AND ".join(parts) or "true"


def _same(table: Table, names: Sequence[str], where: Reach) -> str:
    """The condition that `t` and `s` are the same row."""
    parts = [_within(table, where, "t.")]
    for name in names:
        operator = "<=>" if known_column(table, name).nullable else "="
        parts.append(f"t.{quoted(name)} {operator} s.{quoted(name)}")
    return " AND ".join(parts)


def _equal(table: Table) -> str:
    """The condition that `t` and `s` say the same, bookkeeping left aside."""
    names = [name for name in table.content if name not in identity_of(table)]
    return " AND ".join(f"t.{quoted(name)} <=> s.{quoted(name)}" for name in names) or "true"


def _joined(*names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for part in names for name in part))
