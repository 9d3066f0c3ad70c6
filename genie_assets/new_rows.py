"""New rows of the audit log within minutes, for those who want that (GENIE_NEW_ROWS_MINUTES): a job and a sensor.

The job asks the log, with one statement, whether it holds more of today and yesterday than was loaded. What it
found stands at the day's audit messages as an observation; the sensor starts the job and reads the observation, so
that no tick waits for a warehouse. Both are there only if the setting is: a warehouse that is asked so often never
goes to sleep.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from genie_assets.domain.waiting import last_days
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.pipeline.day_loads import late_days
from genie_assets.placement import Placement
from genie_assets.run_notes import noted_time, time_of
from genie_assets.runs import REASON, days_in_flight, last_start
from genie_assets.settings import Settings, load_settings
from genie_assets.wiring import Clock

JOB, SENSOR = "genie_new_rows", "load_new_rows"
_STATE, _AT = "state", "at"


def is_wanted(settings: Settings) -> bool:
    """Whether the log is watched."""
    return settings.genie_new_rows_minutes > 0


def build_new_rows(place: Placement, **options: Any) -> dg.JobDefinition:
    """The job."""

    @dg.op(out=dg.Out(dg.Nothing), description="Compare today's and yesterday's log with what was loaded of it.")
    def find_new_rows(
        genie_system_tables: dg.ResourceParam[SystemTables],
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetObservation | dg.Output[None]]:
        """Find the days of which the log holds more, with one statement to it and one to our tables."""
        now = genie_clock.now()
        found = late_days(_days(place, now), genie_system_tables, genie_lake)
        for day, row in sorted(found.items()):
            yield dg.AssetObservation(
                asset_key=place.key("audit_messages"),
                partition=day.isoformat(),
                description="The audit log holds more of the day than was loaded",
                metadata={_STATE: row["events_hash"], _AT: noted_time(now)},
            )
        yield dg.Output(None, metadata={"days": len(found)})

    @dg.job(
        name=JOB,
        description="Whether the audit log holds more of today and yesterday than was loaded. The sensor "
        f"{SENSOR} asks so every GENIE_NEW_ROWS_MINUTES, and loads the days.",
        **options,
    )
    def new_rows() -> None:
        """Find the days of which the log holds more than was loaded."""
        find_new_rows()

    return new_rows


def build_sensors(place: Placement, jobs: Mapping[str, Any]) -> list[dg.SensorDefinition]:
    """The sensor, if there is the job."""
    if JOB not in jobs:
        return []

    @dg.sensor(
        name=SENSOR,
        jobs=[jobs["genie_daily"], jobs[JOB]],
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Loads today and yesterday when the audit log holds more of them than was loaded, and has the "
        "log looked at every GENIE_NEW_ROWS_MINUTES.",
    )
    def load_new_rows(
        context: dg.SensorEvaluationContext, genie_clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult:
        """Load the days of which the latest look found more, and have the log looked at when it is time."""
        now, every = genie_clock.now(), dt.timedelta(minutes=load_settings().genie_new_rows_minutes)
        busy = days_in_flight(context.instance, place)
        loads = [
            dg.RunRequest(
                job_name="genie_daily",
                partition_key=day,
                # What a load does not change makes no second one.
                run_key=f"new_rows/{day}/{state}",
                tags={REASON: "new rows", "dagster/priority": "1"},
            )
            for day in (each.isoformat() for each in _days(place, now))
            if day not in busy and (state := _unloaded_state(context.instance, place, day))
        ]
        turn = int(now.timestamp() // every.total_seconds())
        asked = dg.RunRequest(job_name=JOB, run_key=f"look/{turn}", tags={REASON: "new rows"})
        return dg.SensorResult(run_requests=[*loads, asked])

    return [load_new_rows]


def _days(place: Placement, now: dt.datetime) -> list[dt.date]:
    """Today, and yesterday, of which rows still come."""
    return [day for day in last_days(now, 1) if place.has_day(day, now)]


def _unloaded_state(instance: dg.DagsterInstance, place: Placement, day: str) -> str | None:
    """The state of the log that the latest look found not loaded; None if the day was run since, or is."""
    found = dg.AssetRecordsFilter(place.key("audit_messages"), asset_partitions=[day])
    for record in instance.fetch_observations(found, limit=1).records:
        observed = record.event_log_entry.asset_observation
        metadata = observed.metadata if observed else {}
        if _STATE not in metadata or _AT not in metadata:
            return None
        looked = time_of(metadata[_AT])
        last = last_start(instance, place, day, "audit_messages")
        return str(metadata[_STATE].value) if last is None or last < looked else None
    return None
