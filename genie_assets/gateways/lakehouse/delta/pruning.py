"""SQL by which the engine skips files: it may let too many rows through, and never too few."""

from itertools import pairwise
from os.path import commonprefix
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.tables import Column
from genie_assets.gateways.lakehouse.literals import day_literal, days_literal

# Up to here a list is sent as it is, and skips every file without one of its values. The engine takes 0.05 ms per
# value.
LONGEST_LIST = 500
# Of a longer list, values that lie together are sent as a range. Each takes the engine 1 to 2 ms and time per row,
# so a gap is left in its range unless it is wide, as a part of all that the list spans.
_MOST_RANGES = 16
_WIDE_GAP = 1 / 1000


def literals(column: Column, values: pa.Array) -> list[str]:
    """Values of the column, none of them NULL, as DataFusion literals."""
    # Times stay numbers: Python's own cannot hold all of them, and pyarrow loads pandas to make one.
    plain = values.cast(pa.int64()) if column.type == "TIMESTAMP" else values
    return [_literal(column, value) for value in plain.to_pylist()]


def _literal(column: Column, value: Any) -> str:
    match column.type:
        case "STRING":
            # Doubling is enough: in the dialect of `scan` a backslash means itself.
            return "'" + value.replace("'", "''") + "'"
        case "DATE":
            return day_literal(value)
        case "TIMESTAMP":
            # A TIMESTAMP literal counts nanoseconds, which end in the year 2262.
            return f"""arrow_cast({value}, 'Timestamp(Microsecond, Some("UTC"))')"""
        case "BOOLEAN":
            return "true" if value else "false"
        case _:
            return str(int(value))


def quoted(name: str) -> str:
    """A name in DataFusion's SQL."""
    return '"' + name.replace('"', '""') + '"'


def values_sql(column: Column, values: pa.Array) -> str:
    """An expression that holds where the column has one of these distinct values, and in few other rows."""
    if not len(values):
        return "false"
    if len(values) <= LONGEST_LIST:
        return _list_sql(column, values)
    ordered = values.take(pc.sort_indices(values))
    singles, parts = [], []
    for first, last in pairwise(_cuts(_places(ordered))):
        if last - first == 1:
            singles.append(first)
        else:
            ends = literals(column, ordered.take(pa.array([first, last - 1])))
            parts.append("({0} >= {1} AND {0} <= {2})".format(quoted(column.name), *ends))
    return " OR ".join([*parts, *([_list_sql(column, ordered.take(pa.array(singles)))] if singles else [])])


def days_sql(files: pa.Table, partitioned_by: str, column: Column, values: pa.Array) -> str | None:
    """An expression that holds in the partitions whose files may hold one of many values.

    Args:
        files: path, partition and statistics of every file, as `DeltaTable.get_add_actions` tells them.
        partitioned_by: the column by whose days the table is partitioned.
        column: the column to have one of the values.
        values: the values, distinct.

    Returns:
        None where it would skip nothing.
    """
    smallest, largest = f"min.{column.name}", f"max.{column.name}"
    if column.type != "STRING" or smallest not in files.schema.names:
        return None
    ordered = np.sort(values.to_numpy(zero_copy_only=False))
    days = files[f"partition.{partitioned_by}"].to_pylist()
    ends = zip(files[smallest].to_pylist(), files[largest].to_pylist(), strict=True)
    touched = {day for day, (low, high) in zip(days, ends, strict=True) if _any_between(ordered, low, high)}
    if None in touched or len(touched) == len(set(days)):
        return None
    return f"{quoted(partitioned_by)} IN ({days_literal(touched)})" if touched else "false"


def _any_between(ordered: np.ndarray, low: str | None, high: str | None) -> bool:
    if low is None or high is None:
        return True  # nothing is known of this file
    return bool(np.searchsorted(ordered, low, "left") < np.searchsorted(ordered, high, "right"))


def _list_sql(column: Column, values: pa.Array) -> str:
    return f"{quoted(column.name)} IN ({', '.join(literals(column, values))})"


def _cuts(places: list[int]) -> list[int]:
    """Where to cut an ordered list, ends included: at its widest gaps, into few ranges and some single values."""
    wide = (places[-1] - places[0]) * _WIDE_GAP
    widths = {cut: places[cut] - places[cut - 1] for cut in range(1, len(places))}
    gaps = sorted(
        (cut for cut, width in widths.items() if width > wide), key=lambda cut: widths[cut], reverse=True
    )
    cuts, best = {0, len(places)}, 0
    singles, ranges = 0, 1
    for count, cut in enumerate(gaps[: LONGEST_LIST + _MOST_RANGES], start=1):
        # The cut takes one range apart; what is a single value on either side of it is a range no more.
        alone = (cut - 1 in cuts) + (cut + 1 in cuts)
        singles, ranges = singles + alone, ranges + 1 - alone
        cuts.add(cut)
        if singles <= LONGEST_LIST and ranges <= _MOST_RANGES:
            best = count
    return sorted({0, len(places), *gaps[:best]})


def _places(ordered: pa.Array) -> list[int]:
    """Each value as a number, so that gaps can be compared; it need not be exact."""
    if pa.types.is_string(ordered.type):
        return _places_of_texts(ordered.to_pylist())
    return ordered.cast(pa.int64() if not pa.types.is_date(ordered.type) else pa.int32()).to_pylist()


def _places_of_texts(texts: list[str]) -> list[int]:
    width = max(map(len, texts))
    same = len(commonprefix([texts[0], texts[-1]]))  # noqa: RUF071 - these are no paths
    try:
        return [int(text.ljust(width, "0"), 16) for text in texts]
    except ValueError:
        return [int.from_bytes(text[same : same + 16].encode().ljust(64, b"\0")) for text in texts]
