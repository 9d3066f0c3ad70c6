"""From the texts of a statement's result to typed columns, and from Python values to statement parameters.

Statement Execution sends every value as text or null. Some gateways and servers send numbers, booleans and
objects instead; both are read.
"""

import datetime as dt
import decimal
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from genie_assets.gateways.scrubbing import one_line

_SHOWN_CHARACTERS = 80

Parameter = str | int | float | bool | dt.date | dt.datetime | None

# Names of UTC behind a time, as in "2026-08-12 02:00:00 UTC" or "...Z[UTC]".
_ZONE_NAME = re.compile(r"\s*(UTC|GMT|Etc/UTC|\[[^\]]*\])$")
_BARE_ZONE = re.compile(r"[+-]\d{2}(:?\d{2})?$")


class UnreadableValueError(Exception):
    """A value does not fit the type of its column. The message names the column and never the value."""


def parameter(name: str, value: Parameter) -> dict[str, str]:
    """A named parameter as the API takes it: typed text, and no `value` at all for NULL.

    Raises:
        TypeError: for a value of another type, or a datetime without time zone.
    """
    if value is None:
        return {"name": name, "type": "STRING"}
    for kinds, type_name, spell in _PARAMETERS:
        if isinstance(value, kinds):
            return {"name": name, "type": type_name, "value": spell(value)}
    raise TypeError(f"parameter {name} cannot be a {type(value).__name__}")


def _spell_timestamp(value: dt.datetime) -> str:
    if value.tzinfo is None:
        raise TypeError("a datetime parameter needs a time zone")
    # With a zone in it, the text means the same whatever the session's time zone is.
    return value.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


# In this order: a bool is an int, and a datetime is a date.
_PARAMETERS: tuple[tuple[type, str, Callable[[Any], str]], ...] = (
    (bool, "BOOLEAN", lambda value: "true" if value else "false"),
    (int, "BIGINT", str),
    (float, "DOUBLE", repr),
    (dt.datetime, "TIMESTAMP", _spell_timestamp),
    (dt.date, "DATE", dt.date.isoformat),
    (str, "STRING", str),
)


def frame(columns: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """A typed frame.

    Args:
        columns: `manifest.schema.columns`.
        rows: The rows of all chunks.

    Returns:
        BYTE/SHORT/INT/LONG as Int64, FLOAT/DOUBLE as Float64, BOOLEAN as boolean, TIMESTAMP as
        datetime64[us, UTC] (without a zone in the text: UTC), and as objects: STRING as str, DATE as
        datetime.date, DECIMAL as decimal.Decimal, ARRAY/MAP/STRUCT/VARIANT as parsed JSON (the text itself if it
        is no JSON), everything else as it came. NULL is None or NA.

    Raises:
        UnreadableValueError: if a value does not fit its column.
    """
    series = {}
    for place, column in enumerate(columns):
        name = str(column.get("name"))
        if name in series:
            raise UnreadableValueError(f"The result has two columns named {_shown(name)}.")
        series[name] = _series(name, _type_name(column), _column(name, place, rows))
    return pd.DataFrame(series)


def _shown(name: str) -> str:
    return one_line(name, _SHOWN_CHARACTERS)


def _type_name(column: Mapping[str, Any]) -> str:
    """The type without its brackets: of `decimal(10,2)` or `array<string>` the first word."""
    text = str(column.get("type_name") or column.get("type_text") or "STRING")
    return re.split(r"[(<\s]", text.strip())[0]


def _column(name: str, place: int, rows: Sequence[Sequence[Any]]) -> list[Any]:
    try:
        return [row[place] for row in rows]
    except (IndexError, TypeError):
        pass
    raise UnreadableValueError(f"A row lacks the column {_shown(name)}.")


def _series(name: str, type_name: str, values: list[Any]) -> "pd.Series[Any]":
    read, dtype = _READERS.get(type_name.upper(), (lambda value: value, "object"))
    try:
        return pd.Series([None if value is None else read(value) for value in values], dtype=dtype)
    except (ValueError, TypeError, ArithmeticError, OverflowError):
        pass
    raise UnreadableValueError(f"A value of the column {_shown(name)} is not a {_shown(type_name)}.")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _integer(value: Any) -> int:
    # Never through a float: ids use all 64 bits.
    if isinstance(value, float) and not value.is_integer():
        raise ValueError("not a whole number")
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise ValueError("more than 64 bits")
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = {"true": True, "false": False}.get(str(value).strip().lower())
    if known is None:
        raise ValueError("neither true nor false")
    return known


def _timestamp(value: Any) -> dt.datetime:
    text = _ZONE_NAME.sub("", str(value).strip())
    # Python wants minutes in an offset; Spark may leave them out.
    if "T" in text or " " in text:
        text = _BARE_ZONE.sub(lambda zone: zone[0] if zone[1] else f"{zone[0]}:00", text)
    moment = dt.datetime.fromisoformat(text)
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _date(value: Any) -> dt.date:
    return dt.date.fromisoformat(str(value).strip()[:10])


def _nested(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


_READERS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    # The API's own names, and the SQL names of the same types.
    **dict.fromkeys(("BYTE", "SHORT", "INT", "LONG"), (_integer, "Int64")),
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT"), (_integer, "Int64")),
    **dict.fromkeys(("FLOAT", "DOUBLE", "REAL"), (float, "Float64")),
    "BOOLEAN": (_boolean, "boolean"),
    **dict.fromkeys(("STRING", "CHAR", "VARCHAR"), (_text, "object")),
    "DATE": (_date, "object"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ"), (_timestamp, "datetime64[us, UTC]")),
    **dict.fromkeys(("DECIMAL", "NUMERIC"), (lambda value: decimal.Decimal(str(value)), "object")),
    **dict.fromkeys(("ARRAY", "MAP", "STRUCT", "VARIANT"), (_nested, "object")),
}
