"""Running the code location's jobs in this process: for the CLI and the demo, without webserver or daemon."""

import datetime as dt
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.utils import make_new_run_id

from genie_assets.commands.instances import HomeError, naming, open_home
from genie_assets.commands.interrupts import CommandEnded, Work, apart, under_way
from genie_assets.commands.processes import this_process
from genie_assets.commands.run_events import RunOutcome, outcome, reason
from genie_assets.commands.turns import (
    Say,
    Waiting,
    end_dead,
    give_up,
    help_along,
    is_first,
    wait_for_turn,
)
from genie_assets.definitions import build_defs
from genie_assets.gateways.scrubbing import scrub

# The event log has everything; a console line costs milliseconds.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
# The UI shows runs with the code location that they are said to come from.
_ORIGIN = RemoteRepositoryOrigin(
    ManagedGrpcPythonEnvCodeLocationOrigin(
        LoadableTargetOrigin(executable_path=sys.executable, module_name="genie_assets.definitions"),
        location_name="genie_assets",
    ),
    "__repository__",
)
# Whoever started the command runs it again. The daemon must not, behind their back.
_NO_RETRIES = {"dagster/max_retries": "0"}
_LOOK_EVERY = 0.5
_LOOK_AFTER_EVERY = 5.0
# What is between two events of a run ends on its own within the first; bookkeeping takes a fraction of the second.
_SECONDS_TO_STOP = 1.0
_SECONDS_TO_GIVE_UP = 4.0
_LONGEST_END = 60.0

_left_open: list[Iterator[dg.DagsterEvent]] = []


class RunFailedError(Exception):
    """A run did not succeed. The message is what our code said about it, or else what raised it; scrubbed."""


class Runner:
    """Runs jobs against a persistent Dagster instance, so that the UI shows them.

    Args:
        home: The instance's folder (DAGSTER_HOME); made if it is missing.
        say: Is told what a person should know while they wait, one line at a time. By default it is printed.

    Raises:
        HomeError: the folder cannot be used.
    """

    def __init__(self, home: Path, say: Say | None = None) -> None:
        self._home = home
        self._say = say or (lambda line: click.echo(line, err=True))
        self._instance, self._definitions = apart(self._opened)

    def run(
        self, job_name: str, day: dt.date | None = None, config: Mapping[str, Any] = MappingProxyType({})
    ) -> RunOutcome:
        """Run a job, for one day if it is partitioned. Waits while another run asks the Genie API.

        When it is interrupted, or anything is raised, the run is marked and holds nothing any more.

        Raises:
            RunFailedError: with the reason.
            CommandEnded: the run was ended elsewhere, in Dagster's UI for instance; what it does may go on here.
            HomeError: the runs cannot be kept.
        """
        job = self._definitions.resolve_job_def(job_name)
        task = _Task(self._instance, self._home, job, day, self._say)
        task.config = {**_QUIET, **config}
        with under_way(f"{job_name} of {day}" if day else job_name), naming(self._home):
            work = Work(task.execute)
            attendance = Work(task.attend)
            try:
                while not work.has_ended(_LOOK_EVERY):
                    if attendance.has_ended(0):
                        attendance.result()
                run, events = work.result()
            except BaseException as problem:
                work.stop(_SECONDS_TO_STOP)
                task.give_up(problem)
                raise
            finally:
                attendance.stop(0)
        if not run.is_success:
            raise RunFailedError(reason(events))
        return outcome(events)

    def close(self) -> None:
        """Release the instance."""
        self._instance.dispose()

    def _opened(self) -> tuple[dg.DagsterInstance, dg.Definitions]:
        instance = open_home(self._home)
        with naming(self._home):
            end_dead(instance, self._say)
        return instance, build_defs()


class _Task:
    """One run, from its waiting to its end."""

    def __init__(
        self, instance: dg.DagsterInstance, home: Path, job: dg.JobDefinition, day: dt.date | None, say: Say
    ) -> None:
        self._instance = instance
        self._home = home
        self._job = job
        self._day = day
        self._say = say
        self.config: Mapping[str, Any] = _QUIET
        self._run_id = ""
        self._pools = _pools_of(job)
        self._is_started = threading.Event()

    def execute(self, stop: threading.Event) -> tuple[dg.DagsterRun, list[dg.DagsterEvent]]:
        """Wait, and run it to its end; or to its next event once it is to stop."""
        run = self._created(stop)
        self._is_started.set()
        events = []
        iterator = execute_run_iterator(InMemoryJob(self._job), run, self._instance)
        for event in iterator:
            events.append(event)
            if stop.is_set():
                # Closed here, Dagster's generators would print that they cannot be.
                _left_open.append(iterator)
                break
        return self._instance.get_run_by_id(self._run_id) or run, events

    def attend(self, stop: threading.Event) -> None:
        """Look after the run: wake it if Dagster forgot it at the pool, say for whom it waits there after all.

        Raises:
            CommandEnded: somebody else ended it.
        """
        waiting = Waiting(self._say)
        while not stop.wait(_LOOK_AFTER_EVERY):
            # The run itself will meet what is wrong with the home; a look that fails is no reason to end it.
            with suppress(HomeError), naming(self._home):
                if self._is_started.is_set() and self._was_ended(stop):
                    sentence = f"Run {self._run_id[:8]} was ended in Dagster, so nothing after it is done."
                    raise CommandEnded(sentence, 1)
                if whom := help_along(self._instance, self._run_id, self._pools):
                    waiting.is_for(whom)

    def give_up(self, problem: BaseException) -> None:
        """Mark the run. What keeps us from it for seconds is left to the next command (`end_dead`)."""
        is_told = isinstance(problem, (CommandEnded, KeyboardInterrupt))
        text = problem.sentence if isinstance(problem, CommandEnded) else f"{type(problem).__name__}: {problem}"

        run_id = self._run_id

        def mark(_stop: threading.Event) -> None:
            # An instance of its own: the thread that works may hold the other one's locks.
            with dg.DagsterInstance.from_ref(self._instance.get_ref()) as instance:
                give_up(instance, run_id, scrub(text), canceled=is_told)

        if run_id:
            Work(mark).has_ended(_SECONDS_TO_GIVE_UP)

    def _was_ended(self, stop: threading.Event) -> bool:
        run = self._instance.get_run_by_id(self._run_id)
        if run is None or run.status in (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED):
            return True
        # At the end of its work, it is finished a moment before its thread is.
        return run.is_finished and not stop.wait(_LONGEST_END)

    def _created(self, stop: threading.Event) -> dg.DagsterRun:
        """The run, once nobody is in its way."""
        partition = self._job.get_tags_for_partition_key(self._day.isoformat(), None) if self._day else {}
        tags = {**self._job.run_tags, **partition, **this_process().tags, **_NO_RETRIES}
        while True:
            wait_for_turn(self._instance, self._pools, self._say, stop.wait)
            if stop.is_set():
                raise CommandEnded("Stopped.", 1)
            # Known before there is such a run: whatever happens, it can be marked. Deleted ones leave traces.
            self._run_id = make_new_run_id()
            run = self._instance.create_run_for_job(
                self._job,
                run_id=self._run_id,
                run_config=self.config,
                tags=tags,
                remote_job_origin=_ORIGIN.get_job_origin(self._job.name),
            )
            if is_first(self._instance, self._run_id, self._pools):
                return run
            self._instance.delete_run(self._run_id)


def _pools_of(job: dg.JobDefinition) -> list[str]:
    ops = [node for node in job.all_node_defs if isinstance(node, dg.OpDefinition)]
    return sorted({pool for op in ops for pool in op.pools})


def days_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """All days from first to last, both included."""
    return [first + dt.timedelta(days=offset) for offset in range((last - first).days + 1)]


__all__ = ["HomeError", "RunFailedError", "RunOutcome", "Runner", "days_between"]
