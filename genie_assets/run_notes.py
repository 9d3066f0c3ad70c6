"""What runs and checks leave in their metadata for sensors and alerts, so that no tick asks a warehouse.

People read it too: each note is a table. Versions before noted JSON, which is read as well.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.waiting import Wait
from genie_assets.showing import whole_table

OF_ANSWERS = ("p50_response_ms", "p95_response_ms", "responses_timed", "spaces")
"""Under which names metadata say how a day was answered."""

WAITING = "waiting"
"""Under which name metadata say what waits for a run."""

CAUSES = "causes"
"""Under which name a check says how many messages cannot be read for which error class: alerts go by it."""

LEDGER = "ledger"
"""Under which name it says which ledger knows them, by its short name, if it is not that of messages."""

UNREAD_REGIONS = "unread_regions"
"""Under which name a check says which regions it misses, and what of each: alerts go by it."""

BESIDE_REGIONS = "beside_regions"
"""Under which name such a check says what it fails for besides, if it does."""

PACE = "pace"
"""Under which name metadata say on how many requests per second each workspace has settled."""

LATE_DAYS = "late_days"
"""Under which name metadata say which days are not loaded as the log has them."""

_CHANGED_SPACES = "changed_spaces"
_NO_TIME = "–"

_OF_WAITS = ("day", "became due (UTC)", "next due (UTC)", "left since (UTC)")
_OF_CAUSES = ("error class", "count")
_OF_REGIONS = ("region", "what is missing")
_OF_PACE = ("workspace id", "requests per second")
_OF_SPACES = ("workspace id", "space id")
_OF_LATE_DAYS = ("day", "late since (UTC)", "state of the log")


class LateDay(NamedTuple):
    """A day that is not loaded as the log has it: in which state the log is, and since when that is known."""

    state: str
    since: dt.datetime


def _rows(columns: Sequence[str], noted: dg.TableMetadataValue) -> list[list[Any]]:
    return [[record.data[name] for name in columns] for record in noted.records]


def _time(at: dt.datetime | None) -> str:
    """As people read it, and to the microsecond: sensors compare it with times of tables."""
    return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ") if at else _NO_TIME


def _time_of(text: str | None) -> dt.datetime | None:
    if text is None or text == _NO_TIME:
        return None
    at = dt.datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def noted_time(at: dt.datetime) -> dg.TimestampMetadataValue:
    """A time as metadata, which the UI shows in the reader's time zone."""
    return dg.MetadataValue.timestamp(at)


def time_of(noted: Any) -> dt.datetime:
    """What `noted_time` made metadata of, UTC."""
    if isinstance(noted, dg.TimestampMetadataValue):
        return dt.datetime.fromtimestamp(noted.value, dt.UTC)
    return dt.datetime.fromisoformat(str(noted.value))


def noted_waits_of_days(waits: Mapping[dt.date, Wait]) -> dg.TableMetadataValue:
    """What waits for a run, by day, as metadata."""
    return whole_table(_OF_WAITS, [[str(day), *map(_time, wait)] for day, wait in sorted(waits.items())])


def waits_of_days(value: Any) -> dict[dt.date, Wait]:
    """What `noted_waits_of_days` made metadata of."""
    if isinstance(value, dg.TableMetadataValue):
        rows = _rows(_OF_WAITS, value)
    else:
        rows = [[day, *times] for day, times in value.items()]
    return {dt.date.fromisoformat(day): Wait(*map(_time_of, times)) for day, *times in rows}


def noted_changed_spaces(spaces: Sequence[SpaceKey]) -> dict[str, Any]:
    """Spaces that were changed, as metadata; nothing if there are none."""
    return {_CHANGED_SPACES: whole_table(_OF_SPACES, spaces)} if spaces else {}


def changed_spaces_of(metadata: Mapping[str, Any]) -> list[SpaceKey]:
    """What `noted_changed_spaces` made metadata of."""
    noted = metadata.get(_CHANGED_SPACES)
    if noted is None:
        return []
    is_table = isinstance(noted, dg.TableMetadataValue)
    return [SpaceKey(*key) for key in (_rows(_OF_SPACES, noted) if is_table else noted.value)]


def noted_causes(counts: Mapping[str, int]) -> dict[str, Any]:
    """How many messages cannot be read for which error class, as metadata; the most frequent first."""
    return {CAUSES: whole_table(_OF_CAUSES, sorted(counts.items(), key=lambda item: (-item[1], item[0])))}


def causes_of(metadata: Mapping[str, Any]) -> dict[str, int]:
    """What `noted_causes` made metadata of, as far as it counts anything."""
    noted = metadata.get(CAUSES)
    if isinstance(noted, dg.TableMetadataValue):
        rows = _rows(_OF_CAUSES, noted)
    else:
        value = noted.value if noted is not None else None
        rows = [list(item) for item in value.items()] if isinstance(value, Mapping) else []
    return {str(name): number for name, number in rows if isinstance(number, int) and number > 0}


def noted_regions(regions: Mapping[str, str], *, beside: str) -> dict[str, Any]:
    """Which regions a check misses, as metadata; nothing if it misses none.

    Args:
        regions: What is missing of each, in a sentence.
        beside: What the check fails for besides, in a sentence or more; empty if for nothing.
    """
    if not regions:
        return {}
    return {UNREAD_REGIONS: whole_table(_OF_REGIONS, regions.items()), BESIDE_REGIONS: beside}


class MissedRegions(NamedTuple):
    """What `noted_regions` made metadata of."""

    regions: Mapping[str, str]
    beside: str


def regions_of(metadata: Mapping[str, Any]) -> MissedRegions | None:
    """Which regions a check misses; None if it says nothing of any."""
    noted, beside = metadata.get(UNREAD_REGIONS), metadata.get(BESIDE_REGIONS)
    if not isinstance(noted, dg.TableMetadataValue) or beside is None:
        return None
    return MissedRegions({str(name): str(text) for name, text in _rows(_OF_REGIONS, noted)}, str(beside.value))


def noted_pace(settled: Mapping[str, float]) -> dict[str, Any]:
    """The pace, for the next run; nothing where no limit is known."""
    rows = [(workspace_id, round(rate, 2)) for workspace_id, rate in sorted(settled.items())]
    return {PACE: whole_table(_OF_PACE, rows)} if rows else {}


def pace_of(value: Any) -> dict[str, float]:
    """Whatever an earlier version has noted, as far as it is a pace."""
    if isinstance(value, dg.TableMetadataValue):
        rows = [[record.data.get(name) for name in _OF_PACE] for record in value.records]
    else:
        rows = [list(item) for item in value.items()] if isinstance(value, Mapping) else []
    return {
        str(workspace_id): float(rate)
        for workspace_id, rate in rows
        if isinstance(rate, int | float) and 0 < rate < math.inf
    }


def noted_late_days(days: Mapping[dt.date, LateDay]) -> dg.TableMetadataValue:
    """Late days as metadata."""
    return whole_table(_OF_LATE_DAYS, [(str(day), _time(late.since), late.state) for day, late in days.items()])


def late_days_of(value: Any) -> dict[dt.date, LateDay]:
    """What `noted_late_days` made metadata of."""
    if isinstance(value, dg.TableMetadataValue):
        rows = _rows(_OF_LATE_DAYS, value)
    else:
        rows = [[day, since, state] for day, (state, since) in value.items()]
    found = {day: (state, _time_of(since)) for day, since, state in rows}
    return {dt.date.fromisoformat(day): LateDay(state, since) for day, (state, since) in found.items() if since}
