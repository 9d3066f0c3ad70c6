"""A daemon's days in seconds: what its schedules and sensors ask for is run here, on a clock that jumps.

Everything is taken from the definitions: no schedule, sensor or job is named here. Between two jumps the daemon
evaluates of each schedule only the latest tick that it missed, where Dagster's own would catch up on a few.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._utils.schedules import get_latest_completed_cron_tick

from genie_assets.wiring import Clock
from genie_assets_tests.day_runs import QUIET

# More evaluations in a row, each with something to do, are no catching up any more.
_MOST_ROUNDS = 60


class JumpingClock(Clock):
    """The pipeline's time. It goes on like any other, and jumps when it is told to."""

    def __init__(self, at: dt.datetime) -> None:
        self.jump_to(at)

    def jump_to(self, at: dt.datetime) -> None:
        self._at, self._since = at, time.monotonic()

    def now(self) -> dt.datetime:
        return self._at + dt.timedelta(seconds=time.monotonic() - self._since)


@contextmanager
def dagster_at(clock: Clock) -> Iterator[None]:
    """Let Dagster note its runs and events at the time of the clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dagster._time._mockable_get_current_datetime", clock.now)
        patch.setattr("dagster._time._mockable_get_current_timestamp", lambda: clock.now().timestamp())
        patch.setattr(time, "time", lambda: clock.now().timestamp())
        yield


def kept_instance(folder: Path) -> dg.DagsterInstance:
    """One that is kept in a folder: a schedule opens its own anew, and cannot open one in memory."""
    home = folder / "dagster"
    home.mkdir()
    return dg.DagsterInstance.local_temp(str(home))


class Daemon:
    """Runs what the definitions' schedules and sensors ask for, all of them switched on.

    Args:
        definitions: The code location.
        instance: Where runs are noted.
        clock: The time.
    """

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance, clock: Clock) -> None:
        self._definitions, self._instance, self._clock = definitions, instance, clock
        self._repository = definitions.get_repository_def()
        self._began = clock.now()
        self._keys: set[tuple[str, str]] = set()
        self._ticks: dict[str, dt.datetime] = {}
        self._cursors: dict[str, str | None] = {}
        self._jobs: dict[str, dg.JobDefinition] = {}
        self.runs: Counter[tuple[str, bool]] = Counter()
        self.latest: dict[str, dg.ExecuteInProcessResult] = {}

    def catch_up(self) -> Iterator[int]:
        """Run what the schedules ask for now; then what the sensors do, until they ask for no more.

        Yields the number of the round before the sensors are evaluated again: time goes on in between.
        """
        self._run(request for schedule in self._repository.schedule_defs for request in self._ticked(schedule))
        for number in range(_MOST_ROUNDS):
            asked = [request for sensor in self._definitions.sensors or () for request in self._sensed(sensor)]
            if not asked:
                return
            self._run(asked)
            yield number
        raise AssertionError(f"the sensors ask for ever: {asked}")

    def run(self, *jobs: str) -> None:
        """Run jobs that nobody asked for."""
        self._run((job, dg.RunRequest()) for job in jobs)

    def _ticked(self, schedule: dg.ScheduleDefinition) -> Iterator[tuple[str, dg.RunRequest]]:
        tick = get_latest_completed_cron_tick(str(schedule.cron_schedule), self._clock.now(), "UTC")
        if tick is None or tick < self._began or self._ticks.get(schedule.name) == tick:
            return
        self._ticks[schedule.name] = tick
        with dg.build_schedule_context(
            instance=self._instance,
            scheduled_execution_time=tick,
            repository_def=self._repository,
            resources=self._resources(schedule.required_resource_keys),
        ) as context:
            asked = schedule.evaluate_tick(context).run_requests or []
        yield from self._new(schedule.name, schedule.job_name, asked)

    def _sensed(self, sensor: dg.SensorDefinition) -> Iterator[tuple[str, dg.RunRequest]]:
        with dg.build_sensor_context(
            instance=self._instance,
            cursor=self._cursors.get(sensor.name),
            definitions=self._definitions,
            resources=self._resources(sensor.required_resource_keys),
        ) as context:
            found = sensor.evaluate_tick(context)
        self._cursors[sensor.name] = found.cursor
        # One that starts nothing has no job.
        yield from self._new(sensor.name, sensor.job_name if sensor.targets else "", found.run_requests or [])

    def _resources(self, keys: Collection[str]) -> dict[str, Any]:
        """Only what somebody asks for: each is made anew for every look."""
        return {key: resource for key, resource in (self._definitions.resources or {}).items() if key in keys}

    def _new(self, name: str, job: str, requests: Iterable[dg.RunRequest]) -> Iterator[tuple[str, dg.RunRequest]]:
        """The requests that nobody has made before: Dagster remembers their keys for ever."""
        for request in requests:
            if request.run_key is None or (name, request.run_key) not in self._keys:
                self._keys.add((name, str(request.run_key)))
                yield request.job_name or job, request

    def _run(self, asked: Iterable[tuple[str, dg.RunRequest]]) -> None:
        """One run at a time, by priority, as the shipped instance has it."""
        for job, request in sorted(asked, key=lambda each: -int(each[1].tags.get("dagster/priority", "0"))):
            if job not in self._jobs:
                self._jobs[job] = self._definitions.resolve_job_def(job)
            result = self._jobs[job].execute_in_process(
                instance=self._instance,
                partition_key=request.partition_key,
                tags=dict(request.tags),
                run_config={**request.run_config, **QUIET},
                raise_on_error=False,
            )
            self.runs[job, result.success] += 1
            self.latest[job] = result
