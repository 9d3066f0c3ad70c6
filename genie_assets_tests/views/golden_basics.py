"""What the golden answers are counted with: rows, groups, shares, nearest ranks."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

Row = dict[str, Any]
Rows = Mapping[str, list[Row]]
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PERCENTS = (50, 95, 99)


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def nearest_rank(values: Iterable[int | None], percent: int) -> int | None:
    known = sorted(value for value in values if value is not None)
    return known[math.ceil(percent * len(known) / 100) - 1] if known else None


def grouped(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    found: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return found


def distinct(rows: Iterable[Row], name: str) -> int:
    return len({row[name] for row in rows} - {None})


def highest(rows: Iterable[Row], name: str) -> Any:
    return max((row[name] for row in rows if row[name] is not None), default=None)
