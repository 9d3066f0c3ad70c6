"""Questions about tables as one SELECT each, with its parameters."""

from collections.abc import Mapping, Sequence

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse import Filter, Newest, Rows
from genie_assets.gateways.lakehouse.refusals import COUNT, refuse_lists, refuse_names_of_columns
from genie_assets.gateways.lakehouse.schema import known_column
from genie_assets.gateways.lakehouse.unity_cells import selected
from genie_assets.gateways.lakehouse.unity_conditions import Selection, Statement
from genie_assets.gateways.lakehouse.unity_names import listed, quoted
from genie_assets.gateways.sql_texts import sql_from_template


def rows_sql(
    statement: Statement,
    rows: Rows,
    columns: Sequence[str],
    *,
    newest: Newest | None = None,
    distinct: bool = False,
    limit: int | None = None,
) -> str:
    """The SELECT of `Lakehouse.read`; each column travels as `unity_cells.selected` says.

    Raises:
        LakehouseError: the question makes no sense for the table.
    """
    chosen = Selection(statement, rows)
    picked = _picked(chosen, rows.table, columns)
    parts = {
        "distinct": " DISTINCT" if distinct else "",
        "source": chosen.source,
        "conditions": chosen.conditions,
        "limit": "" if limit is None else f" LIMIT {int(limit)}",
    }
    if newest is None:
        return sql_from_template("lakehouse/read", columns=picked, **parts)
    refuse_lists(rows.table, (*newest.per, *newest.by))
    return sql_from_template(
        "lakehouse/read_newest",
        columns=listed(columns),
        picked=picked,
        per=", ".join(map(chosen.reference, newest.per)) or "true",
        by=", ".join(f"{chosen.reference(name)} DESC NULLS LAST" for name in newest.by) or "true",
        **parts,
    )


def count_sql(
    statement: Statement, rows: Rows, by: Sequence[str], flags: Mapping[str, Filter], at_least: int
) -> str:
    """The SELECT of `Lakehouse.count`: the columns of `by`, the flags, and `count`.

    Raises:
        LakehouseError: the question makes no sense for the table.
    """
    refuse_names_of_columns(rows.table, flags)
    chosen = Selection(statement, rows)
    picked = [_picked(chosen, rows.table, by)] if by else []
    picked += [f"{chosen.flag([flag])} AS {quoted(name)}" for name, flag in flags.items()]
    keys = listed([*by, *flags])
    return sql_from_template(
        "lakehouse/count",
        columns=listed([*by, *flags, COUNT]),
        keys=f"{keys}, " if keys else "",
        picked=", ".join(picked) or "true AS `met`",
        source=chosen.source,
        conditions=chosen.conditions,
        group=f"GROUP BY {keys}" if keys else "",
        at_least=str(max(1, int(at_least))),
    )


def _picked(chosen: Selection, table: Table, columns: Sequence[str]) -> str:
    expressions = (selected(known_column(table, name), chosen.reference(name)) for name in columns)
    return ", ".join(f"{sql} AS {quoted(name)}" for sql, name in zip(expressions, columns, strict=True))
