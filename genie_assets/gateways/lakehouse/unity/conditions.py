"""Conditions as SQL: every value is a parameter, and what is looked up elsewhere is a join.

A join, unlike a subquery in a condition, can stand beneath NOT and in a list of columns, too. No condition that is
built here is NULL where another one asks whether it is met.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.questions import Between, Equals, Exists, Filter, In, IsNull, Not, Rows, near_and_far
from genie_assets.domain.sql_names import quoted
from genie_assets.domain.tables import Column, Table
from genie_assets.gateways.lakehouse.frames import arrow_values, known_column
from genie_assets.gateways.lakehouse.identities import telling_name
from genie_assets.gateways.lakehouse.literals import days_literal
from genie_assets.gateways.lakehouse.unity.cells import sql_type
from genie_assets.gateways.lakehouse.unity.names import Place, text_literal
from genie_assets.gateways.lakehouse.unity.shapes import Shape
from genie_assets.gateways.sql.texts import sql_from_template
from genie_assets.gateways.sql.values import Parameter

# Short lists are written out, so that files are left out by them; longer ones travel as one parameter.
_SHORT = 20
# A request may have 16 MiB, in which a list takes up to twice its length. What does not fit travels in a file.
LONGEST_LISTS = 4 * 1024 * 1024

ShapeOf = Callable[[Table], Shape | None]


@dataclass
class Statement:
    """What the parts of one statement share: its parameters, its long lists, and names that are taken."""

    place: Place
    shape_of: ShapeOf
    # Keeps a list in a file, and returns the file's path.
    keep_list: Callable[[pa.Array], str]
    longest_lists: int = LONGEST_LISTS
    parameters: dict[str, Parameter] = field(default_factory=dict)
    joins: int = 0
    listed: int = 0

    def has_room_for(self, text: str) -> bool:
        """Whether a list may travel as a parameter; it then counts as one that does."""
        fits = self.listed + len(text) <= self.longest_lists
        self.listed += len(text) if fits else 0
        return fits

    def bind(self, value: Parameter) -> str:
        """The marker of a new parameter."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def alias(self) -> str:
        """A name for a join that no other has."""
        self.joins += 1
        return f"j{self.joins}"


class Selection:
    """Some rows of a table, as `source` and `conditions` of a SELECT; the table is called `t` in it."""

    def __init__(self, statement: Statement, rows: Rows) -> None:
        """Translate the conditions.

        Raises:
            LakehouseError: a condition makes no sense for its table, or a table cannot be looked up.
        """
        self._statement, self._table = statement, rows.table
        self._shape = statement.shape_of(rows.table)
        self._joins: list[str] = []
        on_ours, on_theirs = near_and_far(rows.where)
        near = [] if rows.days is None else [self.condition(In(str(rows.table.partitioned_by), rows.days))]
        near += [self.condition(each) for each in on_ours]
        # What is known of our own rows before other tables are looked into.
        self._near, self._near_joins = near, list(self._joins)
        far = [self.condition(each) for each in on_theirs]
        self.conditions = " AND ".join([*near, *far]) or "true"

    @property
    def source(self) -> str:
        """The table with its joins. Conditions that are asked for later may add to them."""
        return self._relation(self._joins)

    def reference(self, name: str) -> str:
        """A column's value: NULL where the stored table lacks it."""
        column = known_column(self._table, name)
        if self._shape is not None and name in self._shape.columns:
            return f"t.{quoted(name)}"
        return f"CAST(NULL AS {sql_type(column)})"

    def condition(self, each: Filter) -> str:
        """A condition in brackets, or one that binds as strongly as if it were."""
        match each:
            case Exists():
                return self._exists(each)
            case Not(conditions=inner):
                return f"NOT {self.flag(inner)}"
            case _:
                column = known_column(self._table, each.column)
                return f"({self._on_a_cell(column, each)})"

    def flag(self, wanted: Sequence[Filter]) -> str:
        """Whether all conditions are met: true or false, never NULL."""
        return f"coalesce({' AND '.join(map(self.condition, wanted)) or 'true'}, false)"

    def _relation(self, joins: Sequence[str]) -> str:
        stored = self._shape is not None
        table = self._statement.place.table(self._table) if stored else "(SELECT 1 AS `nothing` WHERE false)"
        return "\n".join([f"{table} AS t", *joins])

    def _on_a_cell(self, column: Column, each: Equals | In | Between | IsNull) -> str:
        cell = self.reference(column.name)
        match each:
            case Equals(value=value):
                return self._in(column, arrow_values(self._table, column, [value]))
            case In(values=values):
                return self._in(column, arrow_values(self._table, column, list(values)).unique())
            case Between(low=None, high=None):
                return "true"
            case Between(low=low, high=high):
                bounds = [
                    f"{cell} {operator} {self._bound(column, value)}"
                    for operator, value in ((">=", low), ("<=", high))
                    if value is not None
                ]
                return " AND ".join(bounds)
            case IsNull():
                return f"{cell} IS NULL"

    def _bound(self, column: Column, value: Any) -> str:
        return self._value(column, arrow_values(self._table, column, [value])[0].as_py())

    def _value(self, column: Column, value: Any) -> str:
        return days_literal([value]) if column.type == "DATE" else self._statement.bind(value)

    def _in(self, column: Column, values: pa.Array) -> str:
        cell = self.reference(column.name)
        if not len(values):
            return "false"
        if column.type == "DATE":
            return f"{cell} IN ({days_literal(values.to_pylist())})"
        if len(values) <= _SHORT:
            markers = [self._value(column, value) for value in values.to_pylist()]
            return f"{cell} IN ({', '.join(markers)})"
        ends = pc.min_max(values).as_py()
        low, high = self._value(column, ends["min"]), self._value(column, ends["max"])
        # The ends are there to leave out files.
        return f"{self._join_list(column, cell, values)}.value IS NOT NULL AND {cell} BETWEEN {low} AND {high}"

    def _join_list(self, column: Column, cell: str, values: pa.Array) -> str:
        """Join a list of values; the name under which they are found."""
        alias, kind = self._statement.alias(), "STRING"
        if column.type != "STRING":
            kind = "BIGINT"
            values = values.cast(pa.int64())
            cell = f"unix_micros({cell})" if column.type == "TIMESTAMP" else cell
        same = f"{cell} = {alias}.value"
        text = json.dumps(values.to_pylist())
        if self._statement.has_room_for(text):
            marker, type_ = self._statement.bind(text), text_literal(f"ARRAY<{kind}>")
            parts = {"list": marker, "type": type_, "alias": alias, "same": same}
            self._joins.append(sql_from_template("lakehouse/listed", **parts))
        else:
            parts = {"file": text_literal(self._statement.keep_list(values)), "alias": alias, "same": same}
            self._joins.append(sql_from_template("lakehouse/listed_in_file", **parts))
        return alias

    def _exists(self, exists: Exists) -> str:
        theirs = Selection(self._statement, exists.rows)
        alias = self._statement.alias()
        keys = [f"k{place}" for place in range(len(exists.key))]
        picked = [f"{theirs.reference(name)} AS {key}" for key, name in zip(keys, exists.key, strict=True)]
        if exists.since:
            picked.append(f"{theirs.reference(exists.since[0])} AS age")
        same = [f"{self.reference(name)} = {alias}.{key}" for key, name in zip(keys, exists.key, strict=True)]
        self._joins.append(
            sql_from_template(
                "lakehouse/counterparts",
                keys=", ".join(keys),
                latest="max(age)" if exists.since else "true",
                picked=", ".join(picked),
                source=theirs.source,
                conditions=f"{theirs.conditions}{self._among_candidates(theirs, telling_name(exists))}",
                alias=alias,
                same=" AND ".join(same),
            )
        )
        found = f"{alias}.k0 IS NOT NULL"
        if exists.since is None:
            return f"({found})"
        ours = self.reference(exists.since[1])
        return f"({found} AND ({ours} IS NULL OR coalesce({alias}.latest >= {ours}, false)))"

    def _among_candidates(self, theirs: "Selection", name: str) -> str:
        """The further condition on their rows that a column has one of the values of our rows.

        Nothing is gained where all our rows are asked about.
        """
        if not self._near:
            return ""
        candidates = sql_from_template(
            "lakehouse/candidates",
            column=self.reference(name),
            source=self._relation(self._near_joins),
            conditions=" AND ".join(self._near),
        )
        return f" AND {theirs.reference(name)} IN (\n{candidates})"
