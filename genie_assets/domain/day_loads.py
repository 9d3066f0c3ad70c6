"""Days of the audit log: what it holds of each in few numbers, and of which it holds something not loaded yet.

Counts of what is stored would not do: a message of a deleted conversation is missing for ever, and a late vote
changes no count. So the log is compared with itself, as it was when the day was last loaded.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from genie_assets.domain.keys import Row
from genie_assets.domain.regions import is_late_in_a_region, notes_by_day
from genie_assets.domain.tables import TABLES

FINGERPRINT = ("event_count", "message_count", "newest_event_time", "events_hash")
"""The columns of `genie_day_loads` that tell one state of a day's log from another."""

LOADED_WITHIN = dt.timedelta(hours=5)
"""So long after its end a day may wait for a load: the schedule settled_days_daily comes at half past three, and
its runs may wait for others."""

HEALS_WITHIN = dt.timedelta(hours=3)
"""So long a late day may be known before it is told: it waits for the hourly look, and for runs before it."""

OF_A_LOAD = (*FINGERPRINT, "inputs_hash", "references_timestamp", "entered_count", "regions")
"""Those that tell whether a load would find anything else than the last one stored."""


def fingerprints(days: Iterable[Mapping[str, Any]]) -> dict[dt.date, Row]:
    """The rows of `genie_day_loads` for what the log holds, by day.

    Days of which it shows nothing that a load stores have none.

    Args:
        days: Rows of `sql/audit_days.sql`: of each day one per workspace.
    """
    parts: dict[dt.date, list[Mapping[str, Any]]] = {}
    for row in sorted(days, key=lambda each: str(each["workspace_id"])):
        if row["event_count"]:
            parts.setdefault(row["event_date"], []).append(row)
    return {day: {"event_date": day, **_fingerprint(rows)} for day, rows in parts.items()}


def _fingerprint(rows: list[Mapping[str, Any]]) -> Row:
    sums = " ".join(f"{row['workspace_id']}:{int(row['event_count'])}:{int(row['events_sum'])}" for row in rows)
    return {
        "event_count": sum(int(row["event_count"]) for row in rows),
        "message_count": sum(int(row["message_count"]) for row in rows),
        "newest_event_time": max((row["newest_event_time"] for row in rows), default=None),
        "events_hash": _hash(sums),
    }


def log_hash(rows: Iterable[Mapping[str, Any]]) -> str:
    """Hash of rows of the log, whatever their order."""
    return _hash(repr(sorted(repr(sorted(row.items(), key=lambda cell: cell[0])) for row in rows)))


def load_of(
    day: dt.date,
    days: Collection[Mapping[str, Any]],
    deletions: str,
    workspaces: Iterable[Mapping[str, Any]],
    chosen: Iterable[str],
) -> Row:
    """The row of `genie_day_loads` for a load that goes by this, but for when its references were written.

    So many parameters: all that a load goes by, besides what it finds in our own tables.

    Args:
        day: The day.
        days: Rows of `sql/audit_days.sql` for it; none if the log holds nothing.
        deletions: `log_hash` of rows of `sql/audit_deletions.sql` for it and later days.
        workspaces: Ids, names, addresses and statuses of the workspaces.
        chosen: Workspaces that are looked at; none stands for all.
    """
    shown = {row["workspace_id"] for row in days}
    state = fingerprints(days).get(day) or {"event_date": day, **_fingerprint([])}
    inputs = (
        tables_hash(),
        sorted(chosen),
        sorted(f"{row['workspace_id']} {row.get('unnamed_count') or 0}" for row in days),
        deletions,
        sorted(repr(sorted(row.items())) for row in workspaces if row["workspace_id"] in shown),
    )
    return {
        **state,
        "inputs_hash": _hash(repr(inputs)),
        "tables_hash": tables_hash(),
        "deletions_hash": deletions,
    }


@cache
def tables_hash() -> str:
    """Tells the tables' definitions of one version from those of another."""
    return _hash(
        repr([(table.name, [(column.name, column.type) for column in table.columns]) for table in TABLES])
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def is_the_same(
    one: Mapping[str, Any] | None, other: Mapping[str, Any] | None, names: Iterable[str] = FINGERPRINT
) -> bool:
    """Whether two rows show the same state of a day's log; None is a day never loaded, or without events."""
    if one is None or other is None:
        return one is other
    return all(one[name] == other[name] for name in names)


def first_load(noted: Mapping[str, Any] | None, now: dt.datetime) -> dt.datetime | None:
    """When a day was first loaded: now, unless a load is noted. None if an older version did not say when."""
    if noted is None or noted["events_hash"] is None:
        return now
    found: dt.datetime | None = noted["first_load_timestamp"]
    return found


def is_late(day: dt.date, last_load: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a day that ended some time ago was not loaded since: its last hours are missing, or all of it.

    Args:
        day: The day.
        last_load: When it was last loaded, UTC; None if never.
        now: The time, UTC.
    """
    ended = dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min, dt.UTC)
    return now >= ended + LOADED_WITHIN and (last_load is None or last_load < ended)


def skipped(loads: Iterable[Mapping[str, Any]], until: dt.date, lookback_days: int) -> list[dt.date]:
    """Days that nobody looked at while they were new, and that are too old by now to be looked at by themselves.

    Somebody loaded days while they were new, and then nobody loaded any for longer than the lookback is. What was
    loaded long after its day was loaded by hand, and says nothing of the days around it.

    Args:
        loads: Rows of `genie_day_loads`.
        until: The first day that is looked at now.
        lookback_days: For so many days after it a day counts as new.

    Returns:
        The days, the earliest first. On some of them there may have been nothing to load.
    """
    loaded = {row["event_date"]: row for row in loads if row["events_hash"] is not None}
    times = {
        day: {at.date() for name in ("first_load_timestamp", "last_load_timestamp") if (at := row[name])}
        for day, row in loaded.items()
    }
    as_new = [day for day, on in times.items() if on and (min(on) - day).days <= lookback_days]
    if not as_new:
        return []
    back = [dt.timedelta(days=days) for days in range(1, lookback_days + 1)]
    looked_at = {on - each for of_day in times.values() for on in of_day for each in back}
    days = (min(as_new) + dt.timedelta(days=after) for after in range((until - min(as_new)).days))
    return [day for day in days if day not in loaded and day not in looked_at]


def is_about_to_be_loaded(looked: dt.datetime | None, since: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a late day is no news to anybody yet: somebody looks, and has known of it for a short while at most.

    Rows come late every day, and are loaded within the hour. If nobody looks, nothing of it is about to happen.

    Args:
        looked: When somebody last looked for late days, UTC; None if nobody did.
        since: Since when the day is known to be late as it is now, UTC; None if that look did not find it so.
        now: The time, UTC.
    """
    return looked is not None and now - looked < HEALS_WITHIN and (since is None or now - since < HEALS_WITHIN)


def days_to_load(
    days: Collection[Mapping[str, Any]], loaded: Mapping[dt.date, Row], regions: Mapping[str, str | None]
) -> dict[dt.date, Row]:
    """Days whose log is not the one that their last load saw. What the log has forgotten since is no reason.

    Args:
        days: Rows of `sql/audit_days.sql`.
        loaded: What was noted of them.
        regions: All regions, each with why it could not be read; none if there is only one.
    """
    log = fingerprints(days)
    if not regions:
        return {day: row for day, row in log.items() if not is_the_same(row, loaded.get(day))}
    read = [region for region, problem in regions.items() if problem is None]
    now = notes_by_day(days)
    return {
        day: log.get(day) or loaded[day]
        for day in sorted({*log, *loaded})
        if is_late_in_a_region(now.get(day, {}), loaded.get(day, {}).get("regions"), read)
    }
