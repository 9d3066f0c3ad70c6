"""What `configuration_effects` must say, worked out in plain Python from the versions and the golden messages."""

import datetime as dt
import math
from collections.abc import Collection, Iterable
from statistics import fmean, variance
from typing import Any

Row = dict[str, Any]
DAY = dt.timedelta(days=1)
MEASURES = ("SUCCESS", "POSITIVE RATING", "RESPONSE TIME")


def configuration_effects(
    versions: Iterable[Row], overview: Collection[Row], not_loaded: Collection[dt.date]
) -> list[Row]:
    found: list[Row] = []
    spaces: dict[tuple[str, str], list[Row]] = {}
    for row in versions:
        spaces.setdefault((row["workspace_id"], row["space_id"]), []).append(row)
    for key, rows in spaces.items():
        asked = [
            row
            for row in overview
            if (row["workspace_id"], row["space_id"]) == key and row["is_judged"] and row["asked_at"] is not None
        ]
        ordered = sorted(rows, key=lambda row: row["valid_from"])
        bounds = [_bounds(before, row) for before, row in zip([None, *ordered], ordered, strict=False)]
        for place in range(1, len(ordered)):
            found += _effects(ordered[place], bounds, place, asked, not_loaded)
    return found


def _bounds(before: Row | None, row: Row) -> tuple[dt.datetime | None, dt.datetime, dt.datetime]:
    """When it was changed, if that is told; until when the old and from when the new configuration held."""
    told = row.get("update_time")
    if before and told and before["valid_from"] < told <= row["valid_from"]:
        return told, told, told
    day_before = row["valid_from"] - DAY
    return None, max(before["valid_from"], day_before) if before else day_before, row["valid_from"]


def _effects(
    row: Row, bounds: list[Any], place: int, asked: list[Row], not_loaded: Collection[dt.date]
) -> list[Row]:
    changed_at, before_until, after_from = bounds[place]
    before_from = max(bounds[place - 1][2], before_until - 14 * DAY)
    after_until = after_from + 14 * DAY
    if place + 1 < len(bounds):
        after_until = min(after_until, bounds[place + 1][1])
    same = {
        "workspace_id": row["workspace_id"],
        "space_id": row["space_id"],
        "space_name": row["title"],
        "found_at": row["valid_from"],
        "changed_at": changed_at,
        "changed_sections": row["changed_sections"],
        "before_from": before_from,
        "before_until": before_until,
        "after_from": after_from,
        "after_until": after_until,
        "days_not_loaded": sum(before_from.date() <= day <= after_until.date() for day in not_loaded),
    }
    old = [each for each in asked if before_from <= each["asked_at"] < min(before_until, after_until)]
    new = [each for each in asked if max(before_from, after_from) <= each["asked_at"] < after_until]
    return [
        {**same, "measure": name, **_compared(name, _values(name, old), _values(name, new))} for name in MEASURES
    ]


def _values(measure: str, rows: list[Row]) -> list[float]:
    if measure == "SUCCESS":
        return [float(row["outcome"] == "ANSWERED") for row in rows]
    if measure == "POSITIVE RATING":
        return [float(row["rating"] == "POSITIVE") for row in rows if row["rating"] is not None]
    return [math.log(max(1, row["response_time_ms"])) for row in rows if row["response_time_ms"] is not None]


def _compared(measure: str, old: list[float], new: list[float]) -> Row:
    is_time = measure == "RESPONSE TIME"

    def shown(values: list[float]) -> float | None:
        if not values:
            return None
        return float(round(math.exp(fmean(values)))) if is_time else fmean(values)

    return {
        "messages_before": len(old),
        "messages_after": len(new),
        "value_before": shown(old),
        "value_after": shown(new),
        "verdict": verdict(old, new, is_time=is_time),
    }


def verdict(old: list[float], new: list[float], *, is_time: bool) -> str:
    """What can be said of two samples: shares of zeros and ones, or logarithms of times."""
    n = min(len(old), len(new))
    if n < 30:
        return "TOO FEW"
    difference = fmean(new) - fmean(old)
    if difference == 0:
        return "NO DIFFERENCE"
    if is_time:
        error = math.sqrt(variance(old) / len(old) + variance(new) / len(new))
        is_beyond_chance = abs(difference) > (1.96 + 2.4 / (n - 1)) * error
    else:
        share, parts = fmean([*old, *new]), 1 / len(old) + 1 / len(new)
        if n * min(share, 1 - share) < 5:
            return "TOO FEW"
        is_beyond_chance = abs(difference) - 0.5 * parts > 1.96 * math.sqrt(share * (1 - share) * parts)
    if not is_beyond_chance:
        return "NO DIFFERENCE"
    return "BETTER" if (difference < 0) == is_time else "WORSE"
