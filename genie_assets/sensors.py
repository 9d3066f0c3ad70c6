"""The sensors that run days again: those whose open errors are due, and those whose run was cut short."""

import datetime as dt
from collections.abc import Collection

import dagster as dg

from genie_assets.assets import genie_api_messages
from genie_assets.gateways.lakehouse import Lakehouse
from genie_assets.jobs import genie_retry
from genie_assets.partitions import CREATED_DATE
from genie_assets.pipeline.inspection import due_days
from genie_assets.resources import Clock
from genie_assets.schedules import REASON

MAX_DAYS_PER_TICK = 10
# A day is asked for at most once in this time. Run keys are remembered for ever, failed runs included: a key
# without a time would block a day for good after one crash.
BUCKET = dt.timedelta(minutes=30)

_EVENTS_PER_TICK = 200

PARTITION_TAG = "dagster/partition"
_IN_FLIGHT = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    job=genie_retry,
    minimum_interval_seconds=60,
    description="Runs the days again whose open API errors may be tried again now.",
)
def retry_open_errors(
    context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lakehouse], clock: dg.ResourceParam[Clock]
) -> dg.SensorResult | dg.SkipReason:
    """Run the days again whose open API errors may be tried again now; days already in flight are left alone."""
    now = clock.now()
    due = due_days(lake, now)
    if not due:
        return dg.SkipReason("No open error is due.")
    days = days_to_run(due, CREATED_DATE.get_partition_keys(now), days_in_flight(context.instance))
    if not days:
        return dg.SkipReason(f"Errors of {len(due)} days are due; their runs are under way or out of range.")
    bucket = int(now.timestamp() // BUCKET.total_seconds())
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                partition_key=day,
                run_key=f"retry/{day}/{bucket}",
                # Fresh messages go first.
                tags={REASON: "retry", "dagster/priority": "-1"},
            )
            for day in days
        ]
    )


def days_to_run(due: Collection[dt.date], partition_keys: Collection[str], busy: Collection[str]) -> list[str]:
    """The days to ask for in one tick, the newest first: due, a known partition, and not under way."""
    known, under_way = frozenset(partition_keys), frozenset(busy)
    runnable = [day.isoformat() for day in sorted(due, reverse=True)]
    return [day for day in runnable if day in known and day not in under_way][:MAX_DAYS_PER_TICK]


def days_in_flight(instance: dg.DagsterInstance) -> set[str]:
    """Days with a run that has been asked for and has not ended, whoever asked."""
    records = instance.get_run_records(dg.RunsFilter(statuses=_IN_FLIGHT))
    return {
        record.dagster_run.tags[PARTITION_TAG] for record in records if PARTITION_TAG in record.dagster_run.tags
    }


@dg.sensor(
    job=genie_retry,
    minimum_interval_seconds=60,
    description="Goes on with days whose run used up its time budget.",
)
def continue_pending(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Go on with the days whose latest fetch left messages for the next run."""
    events = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(
            genie_api_messages.key, after_storage_id=int(context.cursor) if context.cursor else None
        ),
        limit=_EVENTS_PER_TICK,
        ascending=True,
    ).records
    if not events:
        return dg.SkipReason("No day was fetched since the last look.")
    left = {}  # by day, as its latest fetch says
    for event in events:
        materialization = event.asset_materialization
        if materialization is not None and materialization.partition is not None:
            number = materialization.metadata.get("not_attempted")
            left[materialization.partition] = (event.storage_id, bool(number and number.value))
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(partition_key=day, run_key=f"continue/{storage_id}", tags={REASON: "continue"})
            for day, (storage_id, is_unfinished) in left.items()
            if is_unfinished
        ],
        cursor=str(events[-1].storage_id),
    )


SENSORS = [retry_open_errors, continue_pending]
