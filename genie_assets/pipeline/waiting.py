"""What waits for a run, by day: errors and unfinished messages that are due, and messages that no run has come to.

All of it is found in the tables. What to do about it, and when, the sensors say; what it means, `domain`.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

from genie_assets.domain import ledger
from genie_assets.domain.health import NOWHERE, PENDING_FOR, seen_since
from genie_assets.domain.keys import MESSAGE, MessageKey, Row
from genie_assets.domain.questions import Between, Counted, In, Newest, Not, Rows, Wanted
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_FETCH_ERRORS,
    records,
)
from genie_assets.domain.waiting import LEFT_BEHIND, UNFINISHED, Wait, last_days, wait_of
from genie_assets.domain.worklist import next_looks
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.day_loads import days_loaded_since
from genie_assets.pipeline.stored import known_answers

Since = dict[dt.date, dt.datetime]
"""Days for which something waits, each with the time from which on the latest of it has waited, UTC."""


_DAYS_AT_ONCE = 62


def due_days(lake: Lakehouse, now: dt.datetime) -> Counter[dt.date]:
    """How many open errors of each event day may be tried again now."""
    counted = lake.count(MESSAGE_FETCH_ERRORS, by=["event_date"], where=ledger.due(now))
    return Counter({row["event_date"]: row["count"] for row in counted})


def newest_due(lake: Lakehouse, now: dt.datetime) -> Since:
    """Days with open errors that may be tried again now, each with the time at which its latest became due."""
    columns = ["event_date", "next_retry_timestamp"]
    latest = Newest(per=columns[:1], by=columns[1:])
    frame = lake.read(MESSAGE_FETCH_ERRORS, columns=columns, where=ledger.due(now), newest=latest)
    return {row["event_date"]: row["next_retry_timestamp"] for row in records(frame) if row["event_date"]}


def due_looks(lake: Lakehouse, now: dt.datetime, days: Collection[dt.date]) -> Since:
    """Days whose run would look at an unfinished message that is due, each with the time since when one is.

    Args:
        lake: The tables.
        now: The time, UTC.
        days: On which the messages were touched.
    """
    found = lake.read(GENIE_API_MESSAGES, columns=MESSAGE, where=_unfinished(days).where, distinct=True)
    looks = _looks(lake, {row["message_id"] for row in records(found)}, days)
    due = ((day, at) for day, times in looks.items() for at in times if at <= now)
    since: Since = {}
    for day, at in due:
        since[day] = max(at, since.get(day, at))
    return since


def _unfinished(days: Collection[dt.date]) -> Rows:
    """Unfinished answers that runs of these days, or later ones, have read.

    Not those that were asked on them: an old message that is asked for a new try has not ended either.
    """
    return Rows(GENIE_API_MESSAGES, [*UNFINISHED, Between("event_date", low=min(days))])


def _looks(
    lake: Lakehouse, message_ids: Collection[str], days: Collection[dt.date]
) -> Mapping[dt.date, list[dt.datetime]]:
    """When unfinished messages are looked at again, by the day whose run does."""
    due = next_looks(known_answers(lake, message_ids))
    looks: defaultdict[dt.date, list[dt.datetime]] = defaultdict(list)
    if not due:
        return looks
    touched = lake.read(
        GENIE_MESSAGES_TO_FETCH,
        columns=[*MESSAGE, "event_date"],
        days=days,
        where=[In("message_id", {key.message_id for key in due})],
        newest=Newest(per=MESSAGE, by=["event_date"]),
    )
    for row in records(touched):
        if MessageKey.of(row) in due:
            looks[row["event_date"]].append(due[MessageKey.of(row)])
    return looks


# An hour until the next look, and some more: it may be late.
_AHEAD = [dt.timedelta(minutes=minutes) for minutes in range(15, 105, 15)]


def what_waits(
    lake: Lakehouse, now: dt.datetime, days: Collection[dt.date], **besides: Wanted
) -> tuple[dict[dt.date, Wait], dict[str, list[Row]]]:
    """What waits for a run, by day, until the next look in an hour: one question, unless messages had not ended.

    Args:
        lake: The tables.
        now: The time, UTC.
        days: Days of which nothing may be missing; of errors it is all days.
        besides: What else is to be asked at the same time.

    Returns:
        The waits, and the answers to what else was asked.
    """
    day, at, seen = "event_date", "next_retry_timestamp", "ingestion_timestamp"
    soon = Rows(MESSAGE_FETCH_ERRORS, [*ledger.OPEN, Between(at, now, now + _AHEAD[-1])])
    steps = {f"within_{number}": Between(at, high=now + ahead) for number, ahead in enumerate(_AHEAD)}
    found = lake.together(
        {
            "due": Wanted(Rows(MESSAGE_FETCH_ERRORS, ledger.due(now)), [day, at], Newest([day], [at])),
            "soon": Counted(soon, [day], steps),
            "unfinished": Wanted(_unfinished(days), MESSAGE, distinct=True),
            "left": Wanted(Rows(GENIE_MESSAGES_TO_FETCH, [LEFT_BEHIND], days), [day, seen], Newest([day], [seen])),
            **besides,
        }
    )
    times: defaultdict[dt.date, list[dt.datetime]] = defaultdict(list)
    for row in found["due"]:
        times[row[day]].append(row[at])
    for row in found["soon"]:
        times[row[day]].append(now + next(ahead for ahead, name in zip(_AHEAD, steps, strict=True) if row[name]))
    unfinished = {row["message_id"] for row in found["unfinished"]}
    for each, looks in (_looks(lake, unfinished, days) if unfinished else {}).items():
        times[each] += looks
    left = {row[day]: row[seen] for row in found["left"]}
    waits = {each: wait_of(times.get(each, ()), now, left.get(each)) for each in {*times, *left} if each}
    return waits, {name: found[name] for name in besides}


def left_behind(lake: Lakehouse, days: Collection[dt.date]) -> Since:
    """Of these event days those with messages that no run has come to, with the time when the latest was seen."""
    columns = ["event_date", "ingestion_timestamp"]
    latest = Newest(per=columns[:1], by=columns[1:])
    frame = lake.read(GENIE_MESSAGES_TO_FETCH, columns=columns, days=days, where=[LEFT_BEHIND], newest=latest)
    return {row["event_date"]: row["ingestion_timestamp"] for row in records(frame)}


def lost(lake: Lakehouse, now: dt.datetime, days: Collection[dt.date]) -> Counter[dt.date]:
    """How many messages of each of these event days are nowhere, and were not seen lately.

    So many days at once that a year of them does not take a year's memory.
    """
    where = [*NOWHERE, Not([seen_since(now - PENDING_FOR)])]
    newest_first, found = sorted(days, reverse=True), Counter[dt.date]()
    for start in range(0, len(newest_first), _DAYS_AT_ONCE):
        part = newest_first[start : start + _DAYS_AT_ONCE]
        for row in lake.count(GENIE_MESSAGES_TO_FETCH, by=["event_date"], days=part, where=where):
            found[row["event_date"]] += row["count"]
    return found


def lost_lately(lake: Lakehouse, now: dt.datetime, lookback_days: int) -> Counter[dt.date]:
    """What is lost of the last days, and of older ones that were loaded since: no sensor goes on with those."""
    days = last_days(now, lookback_days)
    since = dt.datetime.combine(min(days), dt.time.min, dt.UTC)
    return lost(lake, now, {*days, *days_loaded_since(since, lake)})
