"""Questions about tables as one SELECT each, with its parameters."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from genie_assets.domain.digests import DIGEST, LENGTH
from genie_assets.domain.questions import Counted, Filter, Newest, Question, Rows
from genie_assets.domain.sql_names import quoted
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.frames import arrow_schema, known_column
from genie_assets.gateways.lakehouse.refusals import COUNT
from genie_assets.gateways.lakehouse.unity.cells import from_texts, selected
from genie_assets.gateways.lakehouse.unity.conditions import Selection, Statement
from genie_assets.gateways.lakehouse.unity.names import listed, text_literal
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets.gateways.sql.texts import sql_from_template


def rows_sql(
    statement: Statement,
    rows: Rows,
    columns: Sequence[str],
    *,
    newest: Newest | None = None,
    distinct: bool = False,
    limit: int | None = None,
    compared: Sequence[str] = (),
) -> str:
    """The SELECT of `Lakehouse.read`; each column travels as `cells.selected` says.

    So many parameters as a question has parts.

    Raises:
        LakehouseError: the question makes no sense for the table.
    """
    chosen = Selection(statement, rows)
    picked = _picked(chosen, rows.table, columns)
    if compared:
        columns = [*columns, DIGEST]
        picked += f", {_digest(chosen, rows.table, compared)} AS {quoted(DIGEST)}"
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
        wanted = arrow_schema(question.rows.table, question.columns)
        return wanted.append(pa.field(DIGEST, pa.string())) if question.compared else wanted
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
        compared=question.compared,
    )


def together_sql(statement: Statement, questions: Mapping[str, Question]) -> str:
    """One SELECT for several questions: each row says whose answer it is of, and has its cells as texts.

    They travel as one list, for columns that only other answers have would be sent as NULL; but documents do not,
    whose quotes would be escaped twice.
    """
    width = max(len(_documents(question)) for question in questions.values())
    parts = []
    for name, question in questions.items():
        documents = _documents(question)
        plain = [each for each in schema_of(question).names if each not in documents]
        cells = [f"to_json(array({', '.join(map(_as_text, plain))})) AS `cells`"]
        texts = [*map(_as_text, documents), *["CAST(NULL AS STRING)"] * (width - len(documents))]
        cells += [f"{text} AS {quoted(f'd{place}')}" for place, text in enumerate(texts)]
        parts.append(
            sql_from_template(
                "lakehouse/part",
                whose=text_literal(name),
                cells=", ".join(cells),
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
        rows, schema, documents = found[of_whom == name], schema_of(question), _documents(question)
        plain = [each for each in schema.names if each not in documents]
        texts = dict(zip(plain, _columns(rows["cells"], len(plain)), strict=True))
        texts |= {each: rows[f"d{place}"] for place, each in enumerate(documents)}
        answers[name] = pa.table([from_texts(each, texts[each.name]) for each in schema], schema=schema)
    return answers


def _documents(question: Question) -> list[str]:
    return [
        name for name in schema_of(question).names if name != COUNT and _is_document(question.rows.table, name)
    ]


def _is_document(table: Table, name: str) -> bool:
    return any(column.name == name and column.is_document for column in table.columns)


def _as_text(name: str) -> str:
    return f"CAST({quoted(name)} AS STRING)"


def _columns(lists: "pd.Series[Any]", width: int) -> list["pd.Series[Any]"]:
    """Lists of cells as columns."""
    try:
        columns = [list(cells) for cells in zip(*map(json.loads, lists), strict=True)] or [[]] * width
    except (TypeError, ValueError):
        columns = []
    if len(columns) != width:
        raise WarehouseError("The SQL warehouse sent a row that has not the cells that were asked for.")
    return [pd.Series(cells, dtype=object) for cells in columns]


def _picked(chosen: Selection, table: Table, columns: Sequence[str]) -> str:
    expressions = (selected(known_column(table, name), chosen.reference(name)) for name in columns)
    return ", ".join(f"{sql} AS {quoted(name)}" for sql, name in zip(expressions, columns, strict=True))


def _digest(chosen: Selection, table: Table, names: Sequence[str]) -> str:
    """What `domain.digests.digest_of` works out of the same cells."""
    texts = (f"CAST({selected(known_column(table, name), chosen.reference(name))} AS STRING)" for name in names)
    cells = ", ".join(f"coalesce(concat(octet_length({text}), ':', {text}), '-')" for text in texts)
    return f"left(sha2(concat({cells}), 256), {LENGTH})"
