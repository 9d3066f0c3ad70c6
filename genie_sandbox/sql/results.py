"""Rows as the Statement Execution API sends them: every value a string or null, in chunks."""

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

Row = list[str | None]
Text = Callable[[Any], str]

_UTC = dt.UTC
_SIMPLE: Mapping[str, tuple[str, str]] = {
    "bool": ("BOOLEAN", "BOOLEAN"),
    "int8": ("BYTE", "TINYINT"),
    "int16": ("SHORT", "SMALLINT"),
    "int32": ("INT", "INT"),
    "int64": ("LONG", "BIGINT"),
    "uint8": ("SHORT", "SMALLINT"),
    "uint16": ("INT", "INT"),
    "uint32": ("LONG", "BIGINT"),
    "uint64": ("LONG", "BIGINT"),
    "float": ("FLOAT", "FLOAT"),
    "double": ("DOUBLE", "DOUBLE"),
    "string": ("STRING", "STRING"),
    "large_string": ("STRING", "STRING"),
    "string_view": ("STRING", "STRING"),
    "binary": ("BINARY", "BINARY"),
    "large_binary": ("BINARY", "BINARY"),
    "binary_view": ("BINARY", "BINARY"),
    "date32[day]": ("DATE", "DATE"),
    "null": ("NULL", "VOID"),
    "month_interval": ("INTERVAL", "INTERVAL YEAR TO MONTH"),
}


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows of a result."""

    index: int
    row_offset: int
    rows: list[Row]
    byte_count: int

    def head(self) -> dict[str, int]:
        """What the manifest and every answer say about the chunk."""
        return {"chunk_index": self.index, "row_offset": self.row_offset, "row_count": len(self.rows)}


@dataclass(frozen=True)
class Result:
    """A finished query's rows, as strings, and their manifest."""

    columns: list[dict[str, Any]]
    chunks: list[Chunk]
    truncated: bool
    byte_count: int = field(default=0)

    def manifest(self, file_format: str) -> dict[str, Any]:
        """The manifest of the API's answer."""
        return {
            "format": file_format,
            "schema": {"column_count": len(self.columns), "columns": self.columns},
            "total_chunk_count": len(self.chunks),
            "chunks": [{**chunk.head(), "byte_count": chunk.byte_count} for chunk in self.chunks],
            "total_row_count": sum(len(chunk.rows) for chunk in self.chunks),
            "total_byte_count": self.byte_count,
            "truncated": self.truncated,
        }


def result_of(table: pa.Table, *, chunk_bytes: int, row_limit: int | None, byte_limit: int | None) -> Result:
    """Rows of `table` as strings, at most `row_limit` rows and about `byte_limit` bytes, in chunks."""
    truncated = row_limit is not None and table.num_rows > row_limit
    columns = [_strings(column) for column in table.slice(0, row_limit).columns]
    chunks: list[Chunk] = []
    rows: list[Row] = []
    offset = total = size = 0
    for values in zip(*columns, strict=True):
        row = list(values)
        row_size = sum(4 if value is None else len(value) + 3 for value in row) + 2
        if byte_limit is not None and total + row_size > byte_limit:
            truncated = True
            break
        if rows and size + row_size > chunk_bytes:
            chunks.append(Chunk(len(chunks), offset, rows, size))
            offset, rows, size = offset + len(rows), [], 0
        rows.append(row)
        size += row_size
        total += row_size
    if rows:
        chunks.append(Chunk(len(chunks), offset, rows, size))
    return Result([_described(*item) for item in enumerate(table.schema)], chunks, truncated, total)


def _described(position: int, column: pa.Field) -> dict[str, Any]:
    name, text = _type(column.type)
    described: dict[str, Any] = {
        "name": column.name,
        "type_text": text,
        "type_name": name,
        "position": position,
    }
    if name == "DECIMAL":
        described |= {"type_precision": column.type.precision, "type_scale": column.type.scale}
    return described


def type_text(type_: pa.DataType) -> str:
    """The SQL name of an Arrow type."""
    return _type(type_)[1]


def _type(type_: pa.DataType) -> tuple[str, str]:
    if str(type_) in _SIMPLE:
        return _SIMPLE[str(type_)]
    if pa.types.is_timestamp(type_):
        name = "TIMESTAMP" if type_.tz else "TIMESTAMP_NTZ"
        return name, name
    if pa.types.is_decimal(type_):
        return "DECIMAL", f"DECIMAL({type_.precision},{type_.scale})"
    if pa.types.is_map(type_):
        return "MAP", f"MAP<{type_text(type_.key_type)}, {type_text(type_.item_type)}>"
    if pa.types.is_struct(type_):
        return "STRUCT", f"STRUCT<{', '.join(f'{member.name}: {type_text(member.type)}' for member in type_)}>"
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return "ARRAY", f"ARRAY<{type_text(type_.value_type)}>"
    if pa.types.is_duration(type_):
        return "INTERVAL", "INTERVAL DAY TO SECOND"
    return "USER_DEFINED_TYPE", str(type_)


def _strings(column: pa.ChunkedArray) -> list[str | None]:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        values: list[str | None] = column.to_pylist()
        return values
    text = _text_of(column.type)
    return [None if value is None else text(value) for value in column.to_pylist()]


def _text_of(type_: pa.DataType) -> Text:
    if pa.types.is_nested(type_):
        plain = _plain_of(type_)
        return lambda value: json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    for matches, text in _TEXTS:
        if matches(type_):
            return text
    return str


def _plain_of(type_: pa.DataType) -> Callable[[Any], Any]:
    """How a nested value becomes what JSON can hold. Null members are kept: the reader sees the whole shape."""
    if pa.types.is_map(type_):
        item_of = _maybe(_plain_of(type_.item_type))
        key_of = _text_of(type_.key_type)
        return lambda value: {key_of(key): item_of(item) for key, item in value}
    if pa.types.is_struct(type_):
        members = [(member.name, _maybe(_plain_of(member.type))) for member in type_]
        return lambda value: {name: convert(value[name]) for name, convert in members}
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        element_of = _maybe(_plain_of(type_.value_type))
        return lambda value: [element_of(element) for element in value]
    if pa.types.is_boolean(type_) or pa.types.is_integer(type_):
        return lambda value: value
    if pa.types.is_floating(type_):
        return lambda value: value if value == value and abs(value) != float("inf") else _number(value)
    return _text_of(type_)


def _maybe(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _timestamp(value: dt.datetime) -> str:
    if value.tzinfo is not None:
        return _timestamp(value.astimezone(_UTC).replace(tzinfo=None)) + "Z"
    return value.isoformat(timespec="milliseconds" if value.microsecond % 1000 == 0 else "microseconds")


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if abs(value) == float("inf"):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value).replace("e+", "E").replace("e", "E")


def _interval(value: dt.timedelta) -> str:
    seconds, micros = divmod(abs(value) // dt.timedelta(microseconds=1), 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    sign = "-" if value < dt.timedelta(0) else ""
    return f"{sign}{days} {hour:02}:{minute:02}:{second:02}.{micros:06}000"


_TEXTS: tuple[tuple[Callable[[pa.DataType], bool], Text], ...] = (
    (pa.types.is_boolean, lambda value: "true" if value else "false"),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_date, lambda value: value.isoformat()),
    (pa.types.is_floating, _number),
    (pa.types.is_decimal, lambda value: format(value, "f")),
    (pa.types.is_binary, lambda value: base64.b64encode(value).decode("ascii")),
    (pa.types.is_large_binary, lambda value: base64.b64encode(value).decode("ascii")),
    (pa.types.is_duration, _interval),
)
