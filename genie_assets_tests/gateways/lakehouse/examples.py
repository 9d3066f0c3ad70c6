"""Tables small enough to think about, hostile values, and frames as plain rows."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from genie_assets.domain.tables import Column, Table
from genie_assets.gateways.lakehouse.interface import Lakehouse

NewLake = Callable[[], Lakehouse]

MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def column(name: str, type_: Any, *, nullable: bool = True) -> Column:
    return Column(name, type_, f"What {name} means.", nullable)


# One column of every type, partitioned, with a key of two columns of which one may be NULL.
NOTES = Table(
    name="notes",
    asset="notes",
    row="note",
    description="A table with a column of every type.",
    key=("author", "number"),
    partitioned_by="day",
    z_order_by=("author", "number"),
    statistics=("day", "author", "number"),
    bookkeeping=("written_at",),
    columns=(
        column("day", "DATE", nullable=False),
        column("author", "STRING", nullable=False),
        column("number", "LONG"),
        column("text", "STRING"),
        column("pages", "INT"),
        column("is_final", "BOOLEAN"),
        column("read_at", "TIMESTAMP"),
        column("tags", "ARRAY<STRING>"),
        column("due", "DATE"),
        column("written_at", "TIMESTAMP"),
    ),
)

# The same without partitions.
LEDGER = Table(
    name="ledger",
    asset="ledger",
    row="entry",
    description="A table without partitions.",
    key=("author", "number"),
    statistics=("author", "number"),
    bookkeeping=("written_at",),
    columns=NOTES.columns,
)


def note(author: str, number: int | None = 1, day: date = MONDAY, **cells: Any) -> dict[str, Any]:
    return {"author": author, "number": number, "day": day, "written_at": NOON, **cells}


few_examples = settings(
    max_examples=25,
    deadline=None,
    # `new_lake` makes a new lakehouse at each call, so examples do not share one.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

HOSTILE_TEXTS = [
    "",
    "'",
    "''",
    "\\",
    "\\'",
    '"',
    "`",
    "\x00",
    "a\x00b",
    "line\nbreak\r\n\ttab",
    "' OR '1'='1",
    "x') OR true --",
    "'; DROP TABLE notes; --",
    "%s ${x} {0} :name ? $1",
    "/* comment */ -- comment",
    "ärger 日本語 😀 \u202e\u200b\ufeff",
    "\U0010ffff",
    "e\u0301",
    "\u00e9",
    "NULL",
    "NaN",
    "null",
    "DATE '2026-01-01'",
    "../../etc/passwd",
    " leading and trailing ",
    "x" * 5000,
]

# Surrogates included: the API's JSON can hold them.
texts = st.text(st.characters(exclude_categories=()), max_size=20) | st.sampled_from(HOSTILE_TEXTS)
moments = st.datetimes(timezones=st.just(UTC))
cells = st.fixed_dictionaries(
    {},
    optional={
        "text": st.none() | texts,
        "pages": st.none() | st.integers(-(2**31), 2**31 - 1),
        "is_final": st.none() | st.booleans(),
        "read_at": st.none() | moments,
        "tags": st.none() | st.lists(st.none() | texts, max_size=3),
        "due": st.none() | st.dates(),
    },
)
numbers = st.none() | st.integers(-(2**63), 2**63 - 1)


def stored_text(value: Any) -> Any:
    if isinstance(value, list):
        return [stored_text(item) for item in value]
    if isinstance(value, str):
        return "".join("\ufffd" if 0xD800 <= ord(character) <= 0xDFFF else character for character in value)
    return value


def rows_of(table: Table, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame as plain rows, after checking that its types are those of the table."""
    expected = table.frame(())
    assert list(frame.columns) == list(expected.columns)
    assert frame.dtypes.to_dict() == expected.dtypes.to_dict()
    return [
        {
            str(name): None if value is None or value is pd.NaT or value is pd.NA else value
            for name, value in row.items()
        }
        for row in frame.to_dict("records")
    ]


def whole(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {name: stored_text(row.get(name)) for name in table.column_names}


def authors(frame: pd.DataFrame) -> list[str]:
    return sorted(frame["author"])


def stored(lake: Lakehouse, table: Table) -> Counter[str]:
    return Counter(repr(sorted(row.items())) for row in rows_of(table, lake.read(table)))


def expected_rows(table: Table, rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(
        repr(sorted(row.items())) for row in rows_of(table, table.frame([whole(table, r) for r in rows]))
    )


def write(lake: Lakehouse, verb: str, table: Table, frame: pd.DataFrame) -> None:
    """Write Monday's rows in one of the three ways."""
    match verb:
        case "append":
            lake.append(table, frame)
        case "replace_day":
            lake.replace_day(table, MONDAY, frame)
        case "merge":
            lake.merge(table, frame)
