"""Cells on their way out of the warehouse: how a column is selected, and read back to exactly what is stored."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from genie_assets.domain.tables import Column, Table
from genie_assets.gateways.sql.errors import WarehouseError


def selected(column: Column, reference: str) -> str:
    """The expression by which a column travels: times as integers, for JSON shows only their milliseconds."""
    match column.type:
        case "TIMESTAMP":
            return f"unix_micros({reference})"
        case "ARRAY<STRING>":
            return f"to_json({reference})"
        case _:
            return reference


def sql_type(column: Column) -> str:
    """The column's type in SQL."""
    return "BIGINT" if column.type == "LONG" else column.type


def may_be_large(table: Table, names: Sequence[str]) -> bool:
    """Whether rows with these columns may be too big to come inline: a few thousand documents do not fit."""
    return any(column.is_document for column in table.columns if column.name in names)


def received(schema: pa.Schema, part: pd.DataFrame) -> pa.RecordBatch:
    """Rows as the warehouse sent them, with exactly the types of `schema`.

    Raises:
        WarehouseError: they have other columns or types.
    """
    for field in schema:
        if field.name not in part:
            raise WarehouseError(f"The SQL warehouse sent a result without the column {field.name}.")
    return pa.record_batch([_array(field, part[field.name]) for field in schema], schema=schema)


def _array(field: pa.Field, cells: "pd.Series[Any]") -> pa.Array:
    try:
        if pa.types.is_timestamp(field.type):
            return pa.Array.from_pandas(cells, type=pa.int64()).cast(field.type)
        if pa.types.is_list(field.type):
            return pa.array([None if text is None else json.loads(text) for text in cells], field.type)
        return pa.Array.from_pandas(cells, type=field.type)
    except (pa.lib.ArrowException, TypeError, ValueError):
        pass
    # Raised here, without what Arrow says: it quotes the value.
    raise WarehouseError(f"The SQL warehouse sent a value of {field.name} that is no {field.type}.")


def from_texts(field: pa.Field, texts: "pd.Series[Any]") -> pa.Array:
    """Cells that came as texts, with their own type.

    Raises:
        WarehouseError: one is not of that type.
    """
    try:
        if pa.types.is_list(field.type):
            return pa.array([None if text is None else json.loads(text) for text in texts], field.type)
        cells = pa.Array.from_pandas(texts, type=pa.string())
        if pa.types.is_timestamp(field.type):
            return cells.cast(pa.int64()).cast(field.type)
        return cells.cast(field.type)
    except (pa.lib.ArrowException, TypeError, ValueError):
        pass
    raise WarehouseError(f"The SQL warehouse sent a value of {field.name} that is no {field.type}.")
