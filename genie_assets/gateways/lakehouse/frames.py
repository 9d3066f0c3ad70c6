"""The border between Arrow and frames or rows: exact types both ways, and refusals that name table and column."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from genie_assets.domain.table import storable
from genie_assets.domain.tables import Column, ColumnType, Table
from genie_assets.gateways.lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    import pandas as pd

ARROW_TYPES: Mapping[ColumnType, pa.DataType] = {
    "STRING": pa.string(),
    "LONG": pa.int64(),
    "INT": pa.int32(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "ARRAY<STRING>": pa.list_(pa.string()),
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How values of exactly one Python type become numbers in an array: the type, the number, the code of its width.
_PLAIN: Mapping[ColumnType, tuple[type, Callable[[Any], int], str]] = {
    "LONG": (int, int, "q"),
    "INT": (int, int, "i"),
    "BOOLEAN": (bool, int, "b"),
    "DATE": (date, lambda day: (day - _EPOCH.date()).days, "i"),
    "TIMESTAMP": (datetime, lambda moment: (moment - _EPOCH) // timedelta(microseconds=1), "q"),
}

# pyarrow reports values that do not fit through all of these. Their texts quote the value, which may be a
# user's words: they are never passed on.
_DOES_NOT_FIT = (pa.lib.ArrowException, TypeError, ValueError, OverflowError)


def arrow_field(column: Column) -> pa.Field:
    """The column as Arrow sees it. Nullable throughout, because `to_arrow` has already refused wrong NULLs."""
    return pa.field(column.name, ARROW_TYPES[column.type])


def arrow_schema(table: Table, names: Sequence[str] | None = None) -> pa.Schema:
    """The table's columns, or those of `names` in that order; LakehouseError if it has no such column."""
    return pa.schema(
        [arrow_field(known_column(table, name)) for name in (table.column_names if names is None else names)]
    )


def known_column(table: Table, name: str) -> Column:
    """The column called `name`; LakehouseError if the table has none."""
    try:
        return table.column(name)
    except KeyError:
        raise LakehouseError(f"{table.name}: there is no column {name!r}") from None


def to_arrow(table: Table, frame: "pd.DataFrame", names: Sequence[str] | None = None) -> pa.Table:
    """A frame's columns `names` (default: all of the table's) with exactly the stored types.

    Raises:
        LakehouseError: a column is unknown to the table, a value does not fit its column, or NULL stands where the
            table does not allow it.
    """
    schema = arrow_schema(table, names)
    if names is None:
        for name in frame.columns:
            known_column(table, name)
    dtypes = _dtypes(table)
    return pa.table([_arrow_values(table, field, frame, dtypes[field.name]) for field in schema], schema=schema)


@cache
def _dtypes(table: Table) -> Mapping[str, Any]:
    return {str(name): dtype for name, dtype in table.frame(()).dtypes.items()}


def _arrow_values(table: Table, field: pa.Field, frame: "pd.DataFrame", dtype: Any) -> Any:
    if field.name in frame.columns:
        values = _converted(table, field, frame[field.name], dtype)
    else:
        values = pa.nulls(len(frame), field.type)
    if values.null_count and not table.column(field.name).nullable:
        raise LakehouseError(f"{table.name}.{field.name}: NULL is not allowed")
    return values


def _converted(table: Table, field: pa.Field, series: "pd.Series[Any]", dtype: Any) -> Any:
    if field.type == pa.list_(pa.string()) and any(isinstance(value, str) for value in series):
        raise _misfit(table, field)  # pyarrow would take a text for the list of its characters
    try:
        # The cast refuses what pyarrow would let pass: fractions in an integer column, times without a zone.
        series = series.astype(dtype)
        try:
            return pa.Array.from_pandas(series, type=field.type)
        except UnicodeEncodeError:
            return pa.Array.from_pandas(series.map(storable), type=field.type)
    except _DOES_NOT_FIT:
        raise _misfit(table, field) from None


def _misfit(table: Table, field: pa.Field) -> LakehouseError:
    return LakehouseError(f"{table.name}.{field.name}: a value is not a {table.column(field.name).type}")


def arrow_values(table: Table, column: Column, values: Sequence[Any]) -> pa.Array:
    """Values to compare a column with, as the column stores them; NULLs are dropped, for nothing equals them.

    Raises:
        LakehouseError: a value does not fit the column, or the column is a list.
    """
    if column.type == "ARRAY<STRING>":
        raise LakehouseError(f"{table.name}.{column.name}: lists cannot be compared")
    known = [storable(value) for value in values if value is not None]
    try:
        plain = _plain_array(column, known)
        return _any_array(column, known).drop_null() if plain is None else plain
    except _DOES_NOT_FIT:
        raise _misfit(table, arrow_field(column)) from None


def _plain_array(column: Column, values: Sequence[Any]) -> pa.Array | None:
    """Values of the column's own Python type; None if one is of another type.

    Made from bytes: pyarrow looks for pandas, which takes most of a second, before it takes a list.
    """
    if column.type == "STRING":
        if any(type(value) is not str for value in values):
            return None
        texts = pa.lib.StringBuilder()
        texts.append_values(values)
        return texts.finish()
    kind, number, width = _PLAIN[column.type]
    if any(type(value) is not kind for value in values):
        return None
    if kind is datetime and any(value.tzinfo is None for value in values):
        return None
    numbers = array(width, map(number, values))
    if kind is bool:
        return pa.Array.from_buffers(pa.int8(), len(numbers), [None, pa.py_buffer(numbers)]).cast(pa.bool_())
    return pa.Array.from_buffers(ARROW_TYPES[column.type], len(numbers), [None, pa.py_buffer(numbers)])


def _any_array(column: Column, values: Sequence[Any]) -> pa.Array:
    import pandas as pd

    return pa.Array.from_pandas(pd.Series(values, dtype=object), type=ARROW_TYPES[column.type])


def to_frame(rows: pa.Table) -> "pd.DataFrame":
    """Rows as a frame with the types of `Table.frame`."""
    import pandas as pd

    frame = rows.to_pandas(types_mapper=_nullable_pandas_types().get)
    for field in rows.schema:
        if pa.types.is_list(field.type):
            frame[field.name] = pd.Series(rows[field.name].to_pylist(), dtype=object)
    return frame


@cache
def _nullable_pandas_types() -> Mapping[pa.DataType, Any]:
    import pandas as pd

    return {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.bool_(): pd.BooleanDtype()}


def to_records(table: Table, rows: pa.Table) -> list[dict[str, Any]]:
    """Rows as dictionaries of Python's own values.

    Raises:
        LakehouseError: a time lies outside the years 1 to 9999.
    """
    columns = {field.name: _python_values(table, field, rows[field.name]) for field in rows.schema}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _python_values(table: Table, field: pa.Field, cells: Any) -> list[Any]:
    if not pa.types.is_timestamp(field.type):
        return cells.to_pylist()
    try:
        return [
            None if ticks is None else _EPOCH + timedelta(microseconds=ticks)
            for ticks in cells.cast(pa.int64()).to_pylist()
        ]
    except OverflowError:
        pass
    raise LakehouseError(f"{table.name}.{field.name}: a stored time lies outside the years 1 to 9999")
