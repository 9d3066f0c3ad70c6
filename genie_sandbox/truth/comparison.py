"""Compares stored tables with the truth, row by row."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from genie_assets.domain.tables import GENIE_API_MESSAGES, MESSAGE_FETCH_ERRORS, Table
from genie_sandbox.truth.tables import comparable

Row = Mapping[str, Any]


def differences(table: Table, expected: Iterable[Row], actual: Sequence[Row]) -> list[str]:
    """How a table differs from its truth, one sentence per row; empty if it is exactly right.

    Args:
        table: The table.
        expected: Rows of `truth.truth`; only their own columns are compared.
        actual: All rows of the table.
    """
    key = ("workspace_id", "message_id") if table is GENIE_API_MESSAGES else table.key
    wanted = {_place(row, key): comparable(row) for row in expected}
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    problems = []
    for row in _current(table, actual):
        place = _place(row, key)
        if place in found:
            problems.append(f"{table.name} {place} is there twice")
        found[place] = comparable(row)
    problems += [f"{table.name} {place} is missing" for place in wanted.keys() - found.keys()]
    problems += [f"{table.name} {place} should not be there" for place in found.keys() - wanted.keys()]
    for place in wanted.keys() & found.keys():
        right, real = wanted[place], found[place]
        wrong = {name: (right[name], real.get(name)) for name in right if right[name] != real.get(name)}
        problems += [
            f"{table.name} {place}: {name} should be {_short(values[0])}, is {_short(values[1])}"
            for name, values in wrong.items()
        ]
    return problems


def _current(table: Table, rows: Sequence[Row]) -> Iterable[Row]:
    """The rows that the truth speaks of: open errors, and the latest answer of each message."""
    if table is MESSAGE_FETCH_ERRORS:
        return [row for row in rows if not row["resolved"]]
    if table is GENIE_API_MESSAGES:
        ordered = sorted(rows, key=lambda row: row["api_fetch_timestamp"])
        return {(row["workspace_id"], row["message_id"]): row for row in ordered}.values()
    return rows


def _place(row: Row, key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
