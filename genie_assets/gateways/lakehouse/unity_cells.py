"""Cells on their way out of the warehouse: how a column is selected, and read back to exactly what is stored."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from genie_assets.domain.tables import Column

# Columns that hold whole documents: a few thousand of them do not fit into an inline result.
_DOCUMENTS = ("_json", "serialized_space")


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


def may_be_large(names: Sequence[str]) -> bool:
    """Whether rows with these columns may be too big to come inline."""
    return any(name.endswith(_DOCUMENTS) for name in names)


def received(schema: pa.Schema, part: pd.DataFrame) -> pa.RecordBatch:
    """Rows as the warehouse sent them, with exactly the types of `schema`."""
    return pa.record_batch([_array(field.type, part[field.name]) for field in schema], schema=schema)


def _array(type_: pa.DataType, cells: "pd.Series[Any]") -> pa.Array:
    if pa.types.is_timestamp(type_):
        return pa.Array.from_pandas(cells, type=pa.int64()).cast(type_)
    if pa.types.is_list(type_):
        return pa.array([None if text is None else json.loads(text) for text in cells], type_)
    return pa.Array.from_pandas(cells, type=type_)
