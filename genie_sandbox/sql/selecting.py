"""Databricks' newer query syntax in older terms: GROUP BY ALL, QUALIFY, * EXCEPT and exact percentiles."""

from collections.abc import Callable

import sqlglot
from sqlglot import exp

from genie_sandbox.sql.errors import unsupported

ColumnsOf = Callable[[str], list[str]]

# Aggregates that the parser does not know as such.
_MORE_AGGREGATES = frozenset(
    {
        "TRY_SUM",
        "TRY_AVG",
        "PERCENTILE",
        "KURTOSIS",
        "SKEWNESS",
        "LISTAGG",
        "STRING_AGG",
        "BIT_XOR",
        "HISTOGRAM_NUMERIC",
    }
)


def group_by_all(select: exp.Select) -> None:
    """GROUP BY ALL names the select list's items that hold no aggregate."""
    group = select.args.get("group")
    if group is None or not group.args.get("all"):
        return
    if any(item.is_star for item in select.expressions):
        raise unsupported("GROUP BY ALL with * in the select list")
    keys = [item.unalias().copy() for item in select.expressions if not _is_aggregate(item)]
    constants = (exp.Literal, exp.Null, exp.Boolean)
    select.set(
        "group", exp.Group(expressions=[key for key in keys if not isinstance(key, constants)]) if keys else None
    )


def exact_percentiles(statement: exp.Expression) -> None:
    """PERCENTILE_DISC is the value at the nearest rank, as in Spark; the engine takes another one."""
    for within in list(statement.find_all(exp.WithinGroup)):
        call, order = within.this, within.expression
        if not isinstance(call, exp.PercentileDisc):
            continue
        value = order.expressions[0].this
        if order.expressions[0].args.get("desc"):
            raise unsupported("PERCENTILE_DISC in descending order")
        text = "CASE WHEN COUNT({v}) > 0 THEN ELEMENT_AT(SORT_ARRAY(COLLECT_LIST({v})), {rank}) END"
        rank = "CAST(GREATEST(CEIL({p} * COUNT({v})), 1) AS INT)"
        parts = {"v": value.sql(dialect="databricks"), "p": call.this.sql(dialect="databricks")}
        within.replace(sqlglot.parse_one(text.format(rank=rank.format(**parts), **parts), read="databricks"))


def _is_aggregate(item: exp.Expression) -> bool:
    for node in item.walk(prune=lambda node: isinstance(node, exp.Query | exp.Window)):
        if isinstance(node, exp.AggFunc) or (
            isinstance(node, exp.Anonymous) and node.name.upper() in _MORE_AGGREGATES
        ):
            return not isinstance(node.parent, exp.Window)
    return False


def without_qualify(select: exp.Select) -> exp.Select:
    """QUALIFY filters outside: `SELECT <names> FROM (SELECT …, <condition> AS flag …) WHERE flag`.

    The parts that come after QUALIFY, such as ORDER BY and LIMIT, move outside.
    """
    qualify = select.args.get("qualify")
    if qualify is None:
        return select
    flag = "_qualifies"
    outer = exp.Select(expressions=[exp.Star(except_=[exp.to_identifier(flag)])])
    for part in ("with_", "order", "limit", "offset"):
        outer.set(part, select.args.get(part))
        select.set(part, None)
    select.set("qualify", None)
    condition = _with_aliases_replaced(qualify.this, select)
    place = select.parent
    inner = select.copy()
    inner.append("expressions", exp.alias_(condition, flag, quoted=True))
    outer = outer.from_(inner.subquery("_t"), copy=False).where(exp.column(flag, quoted=True), copy=False)
    if place is not None:
        select.replace(outer)
    return outer


def _with_aliases_replaced(condition: exp.Expression, select: exp.Select) -> exp.Expression:
    aliases = {item.alias.lower(): item.this for item in select.expressions if isinstance(item, exp.Alias)}

    def replaced(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and not node.table and node.name.lower() in aliases:
            return exp.paren(aliases[node.name.lower()].copy())
        return node

    return condition.copy().transform(replaced)


def expand_star(select: exp.Select, columns_of: ColumnsOf) -> None:
    """`* EXCEPT (…)` becomes the names that are left; the engine is asked which columns there are."""
    items: list[exp.Expression] = []
    for item in select.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if not isinstance(star, exp.Star) or not any(star.args.values()):
            items.append(item)
            continue
        if any(value for name, value in star.args.items() if name != "except_"):
            raise unsupported("* REPLACE and * RENAME")
        left_out = {name.name.lower() for name in star.args["except_"]}
        table = item.args.get("table") if isinstance(item, exp.Column) else None
        items.extend(
            exp.column(exp.to_identifier(name, quoted=True), table=table.copy() if table else None)
            for name in columns_of(_probe(select, table))
            if name.lower() not in left_out
        )
    select.set("expressions", items)


def _probe(select: exp.Select, table: exp.Identifier | None) -> str:
    star = exp.Column(this=exp.Star(), table=table.copy()) if table else exp.Star()
    probe = exp.Select(expressions=[star])
    for part in ("from_", "joins", "laterals"):
        value = select.args.get(part)
        probe.set(part, [item.copy() for item in value] if isinstance(value, list) else value and value.copy())
    node: exp.Expression | None = select
    ctes: list[exp.Expression] = []
    while node is not None:
        with_ = node.args.get("with_")
        ctes = [*(cte.copy() for cte in with_.expressions), *ctes] if with_ else ctes
        node = node.parent
    if ctes:
        probe.set("with_", exp.With(expressions=ctes))
    return probe.sql(dialect="spark", comments=False)
