"""The sensors that run days again: those whose open errors are due, and those of which messages were left behind.

They ask again from facts only and keep no cursor; and none can ask for ever: what a run does not change is asked
for at growing distances. Tables in files are asked themselves. A warehouse is never asked: what waits was found by
the hourly look (`late_days`), and is left by every run since.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from functools import cache
from itertools import islice

import dagster as dg

from genie_assets.assets import only_these_spaces
from genie_assets.domain.numbers import form, many
from genie_assets.domain.sql_names import schema_in
from genie_assets.domain.waiting import Wait, is_worth_a_run, last_days
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.jobs import Jobs
from genie_assets.late_days import Look, latest_look
from genie_assets.pipeline.waiting import due_looks, left_behind, newest_due
from genie_assets.placement import Placement
from genie_assets.runs import (
    REASON,
    days_in_flight,
    last_in_vain,
    last_start,
    latest_fetch,
    noted_waits,
    spaces_to_look_at,
)
from genie_assets.settings import load_settings
from genie_assets.wiring import Clock

MAX_DAYS_PER_TICK = 10
LATE_DAYS_AT_ONCE = 3
# A day is asked for at most once in this time. Run keys are remembered for ever, failed runs included: a key
# without a time would block a day for good after one crash.
BUCKET = dt.timedelta(minutes=30)


def build_sensors(place: Placement, jobs: Jobs) -> list[dg.SensorDefinition]:
    """All sensors."""

    @dg.sensor(
        job=jobs["genie_retry"],
        minimum_interval_seconds=60,
        description="Runs the days again whose open API errors, or unfinished messages, are due for another look.",
    )
    def retry_open_errors(
        context: dg.SensorEvaluationContext,
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult | dg.SkipReason:
        """Run the days again of which an open error or an unfinished message is due, unless they are under way."""
        now = genie_clock.now()
        due = _due(context.instance, place, genie_lake, now)
        if not due:
            return dg.SkipReason("No open error and no unfinished message is due.")
        partitions = {day: since for day, since in due.items() if place.has_day(day, now)}
        days = days_to_run(
            partitions,
            days_in_flight(context.instance, place),
            lambda day: last_start(context.instance, place, day),
            now,
        )
        if not days:
            return dg.SkipReason(_why_not(due, partitions, place))
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    partition_key=day,
                    run_key=f"retry/{day}/{_bucket(now)}",
                    # Fresh messages go first.
                    tags={REASON: "retry", "dagster/priority": "-1"},
                )
                for day in days
            ]
        )

    @dg.sensor(
        job=jobs["genie_retry"],
        minimum_interval_seconds=60,
        description="Goes on with days of which messages were left behind: a run ran out of time, or failed.",
    )
    def continue_pending(
        context: dg.SensorEvaluationContext,
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult | dg.SkipReason:
        """Go on with the days of GENIE_LOOKBACK_DAYS of which no run has come to some messages."""
        now, instance = genie_clock.now(), context.instance
        waiting = _left(context.instance, place, genie_lake, now)
        if not waiting:
            return dg.SkipReason("A run has come to every message.")
        fetch_of = cache(lambda day: latest_fetch(instance, place, day))
        chosen = days_to_run(
            waiting,
            days_in_flight(instance, place),
            lambda day: last_in_vain(last_start(instance, place, day), fetch_of(day)),
            now,
        )
        if not chosen:
            return dg.SkipReason(
                f"Messages of {many(len(waiting), 'day')} were left behind; their runs are under way, or have "
                "just changed nothing."
            )
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    partition_key=day,
                    # A run that got somewhere is gone on with at once, whatever the bucket.
                    run_key=f"continue/{day}/{fetch_of(day).storage_id}/{_bucket(now)}",
                    tags={REASON: "continue"},
                )
                for day in chosen
            ]
        )

    @dg.sensor(
        job=jobs["genie_daily"],
        minimum_interval_seconds=60,
        description="Loads days that were never loaded, or of which late rows have come, a few at a time.",
    )
    def load_late_days(
        context: dg.SensorEvaluationContext, genie_clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult | dg.SkipReason:
        """Load the days that the latest look at the audit log found; no warehouse is asked."""
        now, look = genie_clock.now(), latest_look(context.instance, place)
        if look.at is None:
            return dg.SkipReason(
                "Nobody has looked yet: the schedule late_days_hourly does, or genie_late_days by hand."
            )
        busy = days_in_flight(context.instance, place)
        chosen = late_days_to_run(
            look, busy, lambda day: last_start(context.instance, place, day, "audit_messages"), now
        )
        within = [day for day in chosen if place.has_day(day, now)]
        if not within:
            return dg.SkipReason(
                f"{many(len(look.days), 'day')} {form(len(look.days), 'is', 'are')} late; as many are under way "
                f"as may be, or were just run."
            )
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    partition_key=day.isoformat(),
                    run_key=f"late/{day}/{look.days[day].state}/{_bucket(now)}",
                    # Whatever else there is to do goes first.
                    tags={REASON: "late", "dagster/priority": "-2"},
                )
                for day in within
            ]
        )

    return [retry_open_errors, continue_pending, load_late_days, _of_changed_spaces(place, jobs)]


def _bucket(now: dt.datetime) -> int:
    return int(now.timestamp() // BUCKET.total_seconds())


def _of_changed_spaces(place: Placement, jobs: Jobs) -> dg.SensorDefinition:
    @dg.sensor(
        job=jobs["genie_spaces"],
        minimum_interval_seconds=60,
        description="Looks at the spaces of which the audit log has just shown a change.",
    )
    def look_at_changed_spaces(
        context: dg.SensorEvaluationContext, genie_clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult | dg.SkipReason:
        """Look at the spaces that runs found changed; neither a warehouse nor a table is asked."""
        found = spaces_to_look_at(context.instance, place, genie_clock.now())
        if not found.spaces:
            return dg.SkipReason("No run has found a change of a space since the latest look at spaces.")
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    run_key=f"changed_spaces/{found.storage_id}",
                    run_config=only_these_spaces(place, found.spaces),
                    tags={REASON: "changed_spaces"},
                )
            ]
        )

    return look_at_changed_spaces


def days_to_run(
    due: Mapping[dt.date, dt.datetime],
    busy: Collection[str],
    last_start_of: Callable[[str], dt.datetime | None],
    now: dt.datetime,
) -> list[str]:
    """The days to ask for in one tick, the newest first: due, worth a run, and not under way.

    Args:
        due: When the latest due error of each day became due.
        busy: Days that are under way.
        last_start_of: When the latest run of a day began; asked for few days only.
        now: The time, UTC.
    """
    candidates = (day for day in sorted(due, reverse=True) if day.isoformat() not in busy)
    chosen = (
        day.isoformat() for day in candidates if is_worth_a_run(due[day], last_start_of(day.isoformat()), now)
    )
    return list(islice(chosen, MAX_DAYS_PER_TICK))


def late_days_to_run(
    look: Look,
    busy: Collection[str],
    last_start_of: Callable[[str], dt.datetime | None],
    now: dt.datetime,
) -> list[dt.date]:
    """The late days to ask for in one tick, the newest first: so many that a few are under way.

    Args:
        look: The latest look, which does not know what was run since.
        busy: Days that are under way, for whatever reason.
        last_start_of: When the latest run of a day began.
        now: The time, UTC.
    """
    chosen: list[dt.date] = []
    for day in sorted(look.days, reverse=True):
        if len(busy) + len(chosen) >= LATE_DAYS_AT_ONCE:
            break
        last = last_start_of(day.isoformat()) if day.isoformat() not in busy else look.at
        was_run_since = last is not None and look.at is not None and last >= look.at
        if not was_run_since and is_worth_a_run(look.days[day].since, last, now):
            chosen.append(day)
    return chosen


def _latest(*waiting: Mapping[dt.date, dt.datetime]) -> dict[dt.date, dt.datetime]:
    """For each day the latest of its times."""
    days = {day for each in waiting for day in each}
    return {day: max(each[day] for each in waiting if day in each) for day in days}


def _lookback(now: dt.datetime) -> list[dt.date]:
    return last_days(now, load_settings().genie_lookback_days)


def _why_not(due: Collection[dt.date], partitions: Collection[dt.date], place: Placement) -> str:
    within, outside = len(partitions), sorted(set(due) - set(partitions))
    sentences = [
        f"Looks at {many(within, 'day')} are due; their runs are under way, or have just changed nothing."
    ]
    if outside:
        sentences.append(
            f"Errors of {many(len(outside), 'day')} are due that no run can be asked for, from {outside[0]} on: "
            f"partitions begin on {place.first_day} (GENIE_FIRST_DAY) and end today."
        )
    return " ".join(sentences if within else sentences[1:])


def _due(
    instance: dg.DagsterInstance, place: Placement, lake: Lakehouse, now: dt.datetime
) -> dict[dt.date, dt.datetime]:
    """Days of which an error or an unfinished message is due, and since when."""
    if not _is_in_a_warehouse():
        return _latest(newest_due(lake, now), due_looks(lake, now, _lookback(now)))
    due = {day: wait.due_since(now) for day, wait in _waits(instance, place).items()}
    return {day: since for day, since in due.items() if since is not None}


def _left(
    instance: dg.DagsterInstance, place: Placement, lake: Lakehouse, now: dt.datetime
) -> dict[dt.date, dt.datetime]:
    """Days of GENIE_LOOKBACK_DAYS of which messages were left behind, and since when."""
    days = [day for day in _lookback(now) if place.has_day(day, now)]
    if not _is_in_a_warehouse():
        return left_behind(lake, days)
    left = {day: wait.left for day, wait in _waits(instance, place).items() if day in days}
    return {day: since for day, since in left.items() if since is not None}


def _waits(instance: dg.DagsterInstance, place: Placement) -> dict[dt.date, Wait]:
    look = latest_look(instance, place)
    return noted_waits(instance, place, look.at, look.waits)


def _is_in_a_warehouse() -> bool:
    """Whether a question to the tables wakes a warehouse, which costs money and takes longer than a tick may."""
    return schema_in(load_settings().genie_lakehouse) is not None
