"""Cells on their way out of the warehouse: how a column is selected, and read back to exactly what is stored."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from genie_assets.domain.tables import Column
from genie_assets.gateways.sql_errors import WarehouseError

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
