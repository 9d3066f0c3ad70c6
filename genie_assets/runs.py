"""Runs of ours on a Dagster instance that others may use, too: which are ours, under way, the latest."""

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import dagster as dg

from genie_assets.domain.clocks import skew_problem
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.waiting import Wait
from genie_assets.pipeline.run import Run
from genie_assets.placement import Placement
from genie_assets.run_notes import OF_ANSWERS, PACE, WAITING, changed_spaces_of, pace_of, waits_of_days
from genie_assets.wiring import Clock, RunBudget

JOB_NAMES = frozenset(
    {
        *("genie_daily", "genie_retry", "genie_spaces", "genie_reconciliation"),
        *("genie_standing_checks", "genie_late_days", "genie_new_rows", "genie_maintenance"),
        *(
            "genie_views",
            "genie_report",
            "genie_dashboard",
            "genie_sql_alert",
            "genie_costs",
            "genie_conversations",
            "genie_evaluations",
        ),
    }
)
PARTITION_TAG = "dagster/partition"
REASON = "genie/reason"
"""The tag of a run that says who asked for it."""
# Far more than end between two looks, which are an hour apart.
_MOST_RUNS = 500
# An older change is left to the daily look.
_CHANGES_COUNT_FOR = dt.timedelta(hours=3)
# Dagster's own constant of runs in progress lacks those that are queued or not started.
UNENDED = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def run_of(context: dg.AssetExecutionContext, clock: Clock, budget: RunBudget | None = None) -> Run:
    """A run of an asset, as the pipeline sees it.

    Args:
        context: Dagster's view of it.
        clock: The time.
        budget: How long it may ask the Genie API, counted from now; None for one that does not ask it.
    """
    day = dt.date.fromisoformat(context.partition_key) if context.has_partition_key else clock.now().date()
    deadline = budget.deadline() if budget else math.inf
    return Run(day, context.run.run_id[:8], clock.now, deadline)


def clock_metadata(
    context: dg.AssetExecutionContext, ours: dt.datetime, theirs: dt.datetime | None
) -> dict[str, str]:
    """Say in the log and in the metadata if our clock and Databricks' are far apart; nothing if they are not.

    Only one asset of a run says it.

    Args:
        context: Whose log it is said in.
        ours: The time by our clock, UTC.
        theirs: The time by Databricks' clock, UTC; None if no answer has told it.
    """
    problem = skew_problem(ours, theirs)
    if problem is None:
        return {}
    context.log.warning(problem)
    return {"clock": problem}


def latest_metadata(instance: dg.DagsterInstance, which: dg.AssetRecordsFilter) -> Mapping[str, dg.MetadataValue]:
    """What the latest of these materializations told; nothing if there is none."""
    for event in instance.fetch_materializations(which, limit=1).records:
        return event.asset_materialization.metadata if event.asset_materialization else {}
    return {}


def known_pace(context: dg.AssetExecutionContext) -> dict[str, float]:
    """The pace on which the latest run of the asset had settled: requests per second by workspace id."""
    noted = latest_metadata(context.instance, dg.AssetRecordsFilter(context.asset_key)).get(PACE)
    return pace_of(noted.value) if noted else {}


def known_of_answers(context: dg.AssetExecutionContext) -> dict[str, Any]:
    """What the latest run of the day told of its answers; nothing if none did, or it does not go on to tell."""
    of_the_day = dg.AssetRecordsFilter(context.asset_key, asset_partitions=[context.partition_key])
    told = latest_metadata(context.instance, of_the_day)
    return {name: value for name, value in told.items() if name in OF_ANSWERS}


def days_in_flight(instance: dg.DagsterInstance, place: Placement) -> set[str]:
    """Days with a run of ours that has been asked for and has not ended, whoever asked.

    Others have runs of the same days: of their own assets.
    """
    records = instance.get_run_records(dg.RunsFilter(statuses=list(UNENDED)))
    runs = [record.dagster_run for record in records]
    fetched = place.key("genie_api_messages")
    return {
        run.tags[PARTITION_TAG]
        for run in runs
        if PARTITION_TAG in run.tags and (run.job_name in JOB_NAMES or fetched in (run.asset_selection or ()))
    }


def is_queued_still(instance: dg.DagsterInstance, reason: str, day: str | None = None) -> bool:
    """Whether a run that was asked for before, for the same reason, has not begun.

    Args:
        instance: The instance.
        reason: What the run's tag `genie/reason` says.
        day: The day that it is of, if it is of one.
    """
    tags = {REASON: reason} | ({PARTITION_TAG: day} if day else {})
    return instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED], tags=tags)) > 0


def last_start(
    instance: dg.DagsterInstance, place: Placement, day: str, asset: str = "genie_api_messages"
) -> dt.datetime | None:
    """When the latest run that was to make an asset of a day began, however it ended; None if there is none, UTC.

    Dagster notes what a run will make when it is asked for: so one that failed before it made anything counts.

    Args:
        instance: The instance.
        place: Where our assets are.
        day: The day.
        asset: A run of `genie_retry` fetches, and reads no audit log: who asks for that names `audit_messages`.
    """
    made = place.key(asset)
    planned = instance.event_log_storage.get_latest_planned_materialization_info(made, day)
    record = instance.get_run_record_by_id(planned.run_id) if planned else None
    if record is None:
        return None
    if record.start_time is None:  # it never started
        return record.create_timestamp
    return dt.datetime.fromtimestamp(record.start_time, dt.UTC)


class LatestFetch(NamedTuple):
    """A day's latest fetch that ended well: its number in Dagster, when it was, and whether it only began."""

    storage_id: int = 0
    at: dt.datetime | None = None
    got_somewhere: bool = False


def latest_fetch(instance: dg.DagsterInstance, place: Placement, day: str) -> LatestFetch:
    """The latest fetch of a day; number 0 if there is none."""
    fetched = dg.AssetRecordsFilter(place.key("genie_api_messages"), asset_partitions=[day])
    for event in instance.fetch_materializations(fetched, limit=1).records:
        metadata = event.asset_materialization.metadata if event.asset_materialization else {}
        left, wanted = (getattr(metadata.get(name), "value", 0) or 0 for name in ("not_attempted", "wanted"))
        return LatestFetch(event.storage_id, dt.datetime.fromtimestamp(event.timestamp, dt.UTC), 0 < left < wanted)
    return LatestFetch()


class ChangedSpaces(NamedTuple):
    """Spaces that were found changed, and the number in Dagster of the latest finding."""

    storage_id: int
    spaces: tuple[SpaceKey, ...]


def noted_waits(
    instance: dg.DagsterInstance, place: Placement, looked: dt.datetime | None, waits: Mapping[dt.date, Wait]
) -> dict[dt.date, Wait]:
    """What waits for a run by the latest look at the tables, and by what the runs since then have left.

    Args:
        instance: The instance.
        place: Where our assets are.
        looked: When somebody looked, UTC; None if nobody did.
        waits: What was found then, by day.
    """
    since = looked.timestamp() if looked else None
    fetched = dg.AssetRecordsFilter(place.key("genie_api_messages"), after_timestamp=since)
    known = dict(waits)
    for event in reversed(instance.fetch_materializations(fetched, limit=_MOST_RUNS).records):
        made = event.asset_materialization
        if made is not None and WAITING in made.metadata:
            known |= waits_of_days(made.metadata[WAITING].value)
    return {day: wait for day, wait in known.items() if any(wait)}


def spaces_to_look_at(instance: dg.DagsterInstance, place: Placement, now: dt.datetime) -> ChangedSpaces:
    """Spaces that runs of the last hours found changed since the latest look at spaces began, however it ended."""
    looked = last_start_at_spaces(instance, place)
    since = max(now - _CHANGES_COUNT_FOR, looked) if looked else now - _CHANGES_COUNT_FOR
    discovered = dg.AssetRecordsFilter(place.key("audit_messages"), after_timestamp=since.timestamp())
    newest, spaces = 0, set[SpaceKey]()
    for event in instance.fetch_materializations(discovered, limit=_MOST_RUNS).records:
        made = event.asset_materialization
        found = changed_spaces_of(made.metadata) if made else []
        if found:
            newest = max(newest, event.storage_id)
            spaces.update(found)
    return ChangedSpaces(newest, tuple(sorted(spaces)))


def last_start_at_spaces(instance: dg.DagsterInstance, place: Placement) -> dt.datetime | None:
    """When the latest run that was to look at spaces was asked for; None if there is none, UTC."""
    looked = place.key("genie_space_details")
    planned = instance.event_log_storage.get_latest_planned_materialization_info(looked)
    record = instance.get_run_record_by_id(planned.run_id) if planned else None
    return record.create_timestamp if record else None


def last_in_vain(began: dt.datetime | None, fetch: LatestFetch) -> dt.datetime | None:
    """When the latest run of a day began, unless it got somewhere and ran out of time: None then, or without one.

    A run that could not ask for a single message would be followed by one that cannot either, and so on.

    Args:
        began: When the day's latest run began; None if there is none.
        fetch: Its latest fetch that ended well.
    """
    got_somewhere = fetch.got_somewhere and began is not None and fetch.at is not None and fetch.at >= began
    return None if got_somewhere else began
