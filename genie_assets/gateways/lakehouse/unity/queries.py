"""Questions about tables as one SELECT each, with its parameters."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

from genie_assets.domain.questions import Counted, Filter, Newest, Question, Rows
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.frames import arrow_schema, known_column
from genie_assets.gateways.lakehouse.refusals import COUNT
from genie_assets.gateways.lakehouse.unity.cells import from_texts, selected
from genie_assets.gateways.lakehouse.unity.conditions import Selection, Statement
from genie_assets.gateways.lakehouse.unity.names import listed, quoted, text_literal
from genie_assets.gateways.sql.texts import sql_from_template


def rows_sql(
    statement: Statement,
    rows: Rows,
    columns: Sequence[str],
    *,
    newest: Newest | None = None,
    distinct: bool = False,
    limit: int | None = None,
) -> str:
    """The SELECT of `Lakehouse.read`; each column travels as `cells.selected` says.

    So many parameters as a question has parts.

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


def schema_of(question: Question) -> pa.Schema:
    """The columns of a question's answer."""
    if not isinstance(question, Counted):
        return arrow_schema(question.rows.table, question.columns)
    schema = arrow_schema(question.rows.table, question.by)
    for name, type_ in (*((name, pa.bool_()) for name in question.flags), (COUNT, pa.int64())):
        schema = schema.append(pa.field(name, type_))
    return schema


def question_sql(statement: Statement, question: Question) -> str:
    """The SELECT of one question; LakehouseError if it makes no sense for the table."""
    if isinstance(question, Counted):
        return count_sql(statement, question.rows, question.by, question.flags, question.at_least)
    return rows_sql(
        statement,
        question.rows,
        question.columns,
        newest=question.newest,
        distinct=question.distinct,
        limit=question.limit,
    )


def together_sql(statement: Statement, questions: Mapping[str, Question]) -> str:
    """One SELECT for several questions: each row says whose answer it is of, and has its cells as texts."""
    width = max(len(schema_of(question)) for question in questions.values())
    parts = []
    for name, question in questions.items():
        cells = [f"CAST({quoted(column)} AS STRING)" for column in schema_of(question).names]
        cells += ["CAST(NULL AS STRING)"] * (width - len(cells))
        parts.append(
            sql_from_template(
                "lakehouse/part",
                whose=text_literal(name),
                cells=", ".join(f"{cell} AS {quoted(f'c{place}')}" for place, cell in enumerate(cells)),
                asked=question_sql(statement, question),
            )
        )
    return "UNION ALL\n".join(parts)


def taken_apart(questions: Mapping[str, Question], found: pd.DataFrame) -> dict[str, pa.Table]:
    """The answer to each question out of what `together_sql` brought.

    Raises:
        WarehouseError: a value is not of its column's type.
    """
    of_whom = found["question"]
    answers = {}
    for name, question in questions.items():
        rows, schema = found[of_whom == name], schema_of(question)
        columns = [from_texts(each, rows[f"c{place}"]) for place, each in enumerate(schema)]
        answers[name] = pa.table(columns, schema=schema)
    return answers


def _picked(chosen: Selection, table: Table, columns: Sequence[str]) -> str:
    expressions = (selected(known_column(table, name), chosen.reference(name)) for name in columns)
    return ", ".join(f"{sql} AS {quoted(name)}" for sql, name in zip(expressions, columns, strict=True))
