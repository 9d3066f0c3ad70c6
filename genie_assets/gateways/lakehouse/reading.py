"""One reading statement: parsed, and refused unless it does nothing but read tables and views of ours.

What is run later is what was understood here, written anew from the parsed statement, never the text itself. So
a text that two parsers understand in two ways gets nobody anywhere.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import sqlglot
from sqlglot import exp
from sqlglot.dialects.databricks import Databricks
from sqlglot.errors import SqlglotError

from genie_assets.domain.views import View, needed
from genie_assets.gateways.lakehouse.errors import LakehouseError

DIALECT = "databricks"

_LISTED = ": `genie-assets sql --list` shows what there is."
_READS_ONLY = "One statement that reads is run, such as SELECT * FROM message_overview LIMIT 10"
_WRITES = (exp.DDL, exp.DML, exp.Command, exp.Into, exp.Lock, exp.Set, exp.Pragma, exp.Use, exp.Transaction)
# Functions that the parser knows and that reach beyond the tables, by the beginnings of their names.
_FAR: tuple[str, ...] = ("AI", "ML", "READ", "SECRET", "TOFILE", "OPENJSON", "PREDICT", "FEATURES", "GENERATEE")
_FAR += ("GENERATETA", "GENERATETE", "CURRENTUSER", "SESSIONUSER", "CURRENTROLE", "CURRENTAVAILABLE")
# Functions of Databricks that the parser has no class for, and that only look at their arguments.
_HARMLESS = frozenset(
    re.findall(
        r"\w+",
        """
        aggregate array_append array_insert array_join array_position array_prepend array_size array_sort
        array_union arrays_zip bround char_length charindex contains date_from_unix_date elt endswith exists
        filter find_in_set forall get hash initcap inline inline_outer instr isnotnull isnull json_object_keys
        kurtosis lcase levenshtein locate make_date make_interval make_timestamp mask nullifzero nvl2 percentile
        percentile_approx regr_slope sentences sequence shuffle size skewness slice soundex space split_part
        startswith substring_index timestamp_micros timestamp_millis timestamp_seconds to_number transform
        translate trunc try_add try_divide try_element_at try_multiply try_subtract ucase unix_date unix_micros
        unix_millis unix_seconds url_decode url_encode weekday width_bucket xxhash64 zeroifnull zip_with
        """,
    )
)


@dataclass(frozen=True)
class Reading:
    """A statement that reads.

    Attributes:
        tree: The statement, parsed; names of ours have no schema.
        tables: Names of the tables that it reads, itself and by views, sorted.
        views: The views that it reads, each after those that it is made of.
    """

    tree: exp.Query
    tables: tuple[str, ...]
    views: tuple[View, ...]

    @property
    def trees(self) -> tuple[exp.Expression, ...]:
        """The statement's own tree and those of its views."""
        return (self.tree, *(parsed(view.query) for view in self.views))


def parsed(query: str) -> exp.Expression:
    """A text of ours, parsed."""
    return sqlglot.parse_one(query, read=DIALECT)


class _Faithful(Databricks.Generator):
    """Writes what was read: by itself, the library makes approximations of exact percentiles."""

    TRANSFORMS = {  # noqa: RUF012 - the library's own way
        kind: how for kind, how in Databricks.Generator.TRANSFORMS.items() if kind is not exp.WithinGroup
    }


def in_databricks(tree: exp.Expression) -> str:
    """A statement in Databricks' words."""
    return _Faithful(comments=False).generate(tree)


def understood(
    text: str, tables: Collection[str], views: Mapping[str, View], schema: tuple[str, ...] = ()
) -> Reading:
    """The statement in a text.

    Args:
        text: What somebody wrote, in the words of Databricks SQL.
        tables: Names of our tables.
        views: Our views.
        schema: Catalog and schema, or the schema, that a name may carry.

    Raises:
        LakehouseError: it is no single statement, does more than read, or reads what is not ours.
    """
    tree = _one(text)
    _refuse_all_but_reading(tree)
    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    if taken := sorted(own & {*tables, *views}):
        raise LakehouseError(f"{taken[0]} is the name of a table or view: give the query in WITH another name.")
    read = set()
    for table in tree.find_all(exp.Table):
        name = _known_name(table, {*tables, *views}, own, schema)
        if name not in own:
            read.add(name)
    _shorten(tree)
    used = needed(read, views)
    read |= {each for view in used for each in view.reads}
    return Reading(tree, tuple(sorted(read & set(tables))), tuple(used))


def _one(text: str) -> exp.Query:
    try:
        found = [each for each in sqlglot.parse(text, read=DIALECT) if each is not None]
    except (SqlglotError, RecursionError) as problem:
        raise LakehouseError(f"This is no SQL that can be read{_where(problem)}. {_READS_ONLY}.") from None
    if len(found) != 1:
        count = f"These are {len(found)} statements" if found else "There is no statement"
        raise LakehouseError(f"{count}. {_READS_ONLY}.")
    if not isinstance(found[0], exp.Query):
        raise LakehouseError(f"{text.split()[0].upper()} does not only read. {_READS_ONLY}.")
    return found[0]


def _where(problem: Exception) -> str:
    errors = getattr(problem, "errors", None)
    if not errors or errors[0].get("line") is None:
        return ""
    near = (errors[0].get("highlight") or "").strip()
    return f" (line {errors[0]['line']}, column {errors[0]['col']}{', near ' + near if near else ''})"


def _word(tree: exp.Expression) -> str:
    return str(tree.this).split()[0].upper() if isinstance(tree, exp.Command) else tree.key.upper()


def _refuse_all_but_reading(tree: exp.Query) -> None:
    for node in tree.walk():
        if isinstance(node, _WRITES):
            raise LakehouseError(f"{_word(node)} does not only read. {_READS_ONLY}.")
        if isinstance(node, exp.Placeholder | exp.Parameter | exp.SessionParameter):
            raise LakehouseError(f"Values are written into the statement: {node.sql(DIALECT)} is a parameter.")
        if isinstance(node, exp.Func) and not _is_harmless(node):
            name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
            raise LakehouseError(f"{name}() is not known to look at its arguments only, and is not run.")


def _is_harmless(call: exp.Func) -> bool:
    if isinstance(call, exp.Anonymous | exp.AnonymousAggFunc):
        return call.name.lower() in _HARMLESS
    return not type(call).__name__.upper().startswith(_FAR)


def _known_name(table: exp.Table, ours: Collection[str], own: Collection[str], schema: tuple[str, ...]) -> str:
    parts = [part.name.lower() for part in table.parts] if isinstance(table.this, exp.Identifier) else []
    if not parts:
        raise LakehouseError(f"{table.sql(DIALECT)} is no table or view of ours.")
    name, place = parts[-1], tuple(parts[:-1])
    if not place and name in own:
        return name
    if place and place != tuple(each.lower() for each in schema)[-len(place) :]:
        raise LakehouseError(f"{table.sql(DIALECT)} is not ours{_LISTED}")
    if name not in ours:
        hint = _similar(name, ours)
        raise LakehouseError(f"There is no table or view {table.name}{hint or _LISTED}")
    return name


def _similar(name: str, names: Collection[str]) -> str:
    close = get_close_matches(name, sorted(names), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _shorten(tree: exp.Query) -> None:
    """Take the schema from names, which are told apart without it."""
    for table in tree.find_all(exp.Table):
        table.set("db", None)
        table.set("catalog", None)
        table.this.set("this", table.name.lower())
    for column in tree.find_all(exp.Column):
        if column.args.get("db"):
            column.set("db", None)
            column.set("catalog", None)


def unknown_column(reading: Reading, columns: Mapping[str, Collection[str]]) -> str | None:
    """A sentence about a column that nothing in the statement has; None if there is none such.

    Args:
        reading: The statement.
        columns: The columns of every table and view.
    """
    names = [table.name for table in reading.tree.find_all(exp.Table) if table.name in columns]
    known = {each for name in names for each in columns[name]}
    known |= {each.alias_or_name.lower() for each in reading.tree.find_all(exp.Alias, exp.TableAlias)}
    known |= {
        each.name for alias in reading.tree.find_all(exp.TableAlias) for each in alias.args.get("columns") or ()
    }
    for column in reading.tree.find_all(exp.Column):
        name = column.name.lower()
        if name and not isinstance(column.this, exp.Star) and name not in known:
            where = " or ".join(dict.fromkeys(names)) or "the statement"
            return f"There is no column {column.name} in {where}{_similar(name, known)}"
    return None


def narrowed(reading: Reading, known: Collection[str]) -> Reading:
    """The same statement, when some of its views are worked out already and what only they read is not needed."""
    views = {view.name: view for view in reading.views if view.name not in known}
    read = {table.name for table in reading.tree.find_all(exp.Table)}
    used = needed(read, views)
    read |= {each for view in used for each in view.reads}
    return Reading(reading.tree, tuple(sorted(read & set(reading.tables))), tuple(used))


def mentioned(reading: Reading) -> frozenset[str] | None:
    """Names of all columns that the statement or its views mention; None if it takes all of them."""
    if any(_takes_all(star) for star in reading.tree.find_all(exp.Star)):
        return None
    return frozenset(_column_names(reading.trees))


def _takes_all(star: exp.Star) -> bool:
    return not isinstance(star.parent, exp.Count)


def _column_names(trees: Collection[exp.Expression]) -> Iterator[str]:
    for tree in trees:
        yield from (column.name.lower() for column in tree.find_all(exp.Column))
