"""Which runs are broken now: failed with nothing to make up for it, not started for long, or without a region.

Read from a Dagster instance for `broken`; checks do not belong here.
"""

import datetime as dt
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import dagster as dg
from dagster._utils.error import SerializableErrorInfo

from genie_assets.domain.advice import REGION_UNREAD, RUN_FAILED, RUNS_WAIT
from genie_assets.domain.incidents import Broken, Severity
from genie_assets.domain.numbers import form, many
from genie_assets.gateways.scrubbing import scrub
from genie_assets.lost_regions import regions_lost_to
from genie_assets.runs import PARTITION_TAG, UNENDED

# Maintenance deletes what is older, and GENIE_LOOKBACK_DAYS are as many by default.
_RUNS_OF = dt.timedelta(days=30)
_MOST_FAILED_RUNS, _MOST_ERRORS_READ = 200, 30
# A run of an hour may wait for another one that takes its whole time.
WAIT_ALLOWED = dt.timedelta(hours=3)
# Three runs of the hour in a row: a warehouse that was slow to start once wakes nobody.
UNREAD_ALLOWED = dt.timedelta(minutes=90)
_LOADS_DAYS, _MOST_RUNS_WITHOUT = "genie_daily", 200
# Exceptions whose texts are sentences of ours. Of others only the name is told: a text may quote a row.
_OUR_ERRORS = frozenset({"Failure", "CallError", "LakehouseError", "SettingsError", "WarehouseError"})
# What a run of the second job does, one of the first does, too.
_DONE_BY_MORE = {"genie_retry": "genie_daily"}


def utc(timestamp: float) -> dt.datetime:
    """Seconds since 1970 as a time."""
    return dt.datetime.fromtimestamp(timestamp, dt.UTC)


def days_text(days: Collection[str]) -> str:
    """One day, or how many there are, and from when to when."""
    different = sorted(set(days))
    if len(different) == 1:
        return different[0]
    return f"{len(different)} days, {different[0]} to {different[-1]}"


class _FailedRun(NamedTuple):
    job: str
    day: str | None
    run_id: str
    at: dt.datetime


def of_failed_runs(instance: dg.DagsterInstance, jobs: Collection[str], now: dt.datetime) -> Iterator[Broken]:
    """One incident for each error that ended runs, whichever jobs and days it ended."""
    failed = [run for job in sorted(jobs) for run in _failed_runs(instance, job, now)]
    newest_first = sorted(failed, key=lambda run: run.at, reverse=True)
    by_error: dict[str, list[_FailedRun]] = defaultdict(list)
    for run in newest_first[:_MOST_ERRORS_READ]:
        by_error[_error_of(instance, run.run_id)].append(run)
    # Of older ones only the job tells them apart; where one of its errors is known, it stands for them.
    told = {run.job: error for error, runs in by_error.items() for run in runs}
    for run in newest_first[_MOST_ERRORS_READ:]:
        by_error[told.get(run.job, "")].append(run)
    for error, runs in by_error.items():
        counts = Counter(run.job for run in runs)
        days = [run.day for run in runs if run.day]
        of_days = f" ({days_text(days)})" if days else ""
        of_jobs = ", ".join(f"{job} {count}" for job, count in sorted(counts.items()))
        what = f"Runs failed: {of_jobs}{of_days}. {error or 'Their errors are not known here.'}"
        since, latest = min(run.at for run in runs), runs[0].run_id
        yield Broken(f"run:{_fingerprint(error)}", Severity.ERROR, what, RUN_FAILED, since, f"runs/{latest}")


def _failed_runs(instance: dg.DagsterInstance, job: str, now: dt.datetime) -> Iterator[_FailedRun]:
    """The latest run of each day of a job, or of the job, if it failed and nothing made up for it since."""
    filters = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.FAILURE], created_after=now - _RUNS_OF)
    seen: set[str | None] = set()
    for record in instance.get_run_records(filters, limit=_MOST_FAILED_RUNS):
        run = record.dagster_run
        day = run.tags.get(PARTITION_TAG)
        # Dagster tries it again by itself: that run speaks for it.
        if day in seen or run.tags.get("dagster/will_retry") == "true":
            continue
        seen.add(day)
        ended = utc(record.end_time) if record.end_time else record.create_timestamp
        if not _is_made_up_for(instance, job, day, record.create_timestamp):
            yield _FailedRun(job, day, run.run_id, ended)


def _is_made_up_for(instance: dg.DagsterInstance, job: str, day: str | None, since: dt.datetime) -> bool:
    names = filter(None, [job, _DONE_BY_MORE.get(job)])
    tags = {PARTITION_TAG: day} if day else {}
    return any(
        instance.get_run_records(
            dg.RunsFilter(job_name=name, tags=tags, statuses=[dg.DagsterRunStatus.SUCCESS], created_after=since),
            limit=1,
        )
        for name in names
    )


def _error_of(instance: dg.DagsterInstance, run_id: str) -> str:
    """Why a run failed, in a sentence of ours or by the name of the exception; an empty text if nobody knows."""
    of_type = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    for entry in instance.all_logs(run_id, of_type=of_type):
        data = entry.dagster_event.event_specific_data if entry.dagster_event else None
        error, failure = getattr(data, "error", None), getattr(data, "user_failure_data", None)
        if failure is not None and failure.description:
            return scrub(failure.description)
        if isinstance(error, SerializableErrorInfo):
            return _sentence_of(error)
    return ""


def _sentence_of(error: SerializableErrorInfo) -> str:
    raised = error
    while raised.cause is not None and (raised.cls_name or "").startswith("Dagster"):
        raised = raised.cause
    name = raised.cls_name or "An exception"
    # Dagster's text begins with the full name of the class.
    text = raised.message.partition(f"{name}: ")[2].strip()
    return scrub(text) if name in _OUR_ERRORS and text else f"{name} ended them."


def _fingerprint(text: str) -> str:
    """The same for the same error on another day or of another id."""
    return hashlib.sha256(re.sub(r"[0-9a-f]*[0-9][0-9a-f-]*", "#", text).encode()).hexdigest()[:12]


def of_waiting_runs(instance: dg.DagsterInstance, jobs: Collection[str], now: dt.datetime) -> Iterator[Broken]:
    """Runs that have not started for long, while none did: a long queue that moves is none."""
    waits = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING)
    ours = [
        record
        for record in instance.get_run_records(dg.RunsFilter(statuses=list(UNENDED)))
        if record.dagster_run.job_name in jobs
    ]
    waiting = [record for record in ours if record.dagster_run.status in waits]
    if not waiting:
        return
    oldest = min(waiting, key=lambda record: record.create_timestamp)
    if now - oldest.create_timestamp < WAIT_ALLOWED:
        return
    recent = [*ours, *instance.get_run_records(dg.RunsFilter(updated_after=now - WAIT_ALLOWED), limit=100)]
    if any(record.start_time and now - utc(record.start_time) < WAIT_ALLOWED for record in recent):
        return
    what = (
        f"{many(len(waiting), 'run')} {form(len(waiting), 'waits', 'wait')}, and none has started for "
        f"{WAIT_ALLOWED // dt.timedelta(hours=1)} hours."
    )
    path = f"runs/{oldest.dagster_run.run_id}"
    yield Broken("runs:wait", Severity.ERROR, what, RUNS_WAIT, oldest.create_timestamp, path)


def of_lost_regions(instance: dg.DagsterInstance, now: dt.datetime) -> Iterator[Broken]:
    """One incident for each region that the runs of days have been without for long, whichever days they loaded.

    The checks that miss a region are evaluated once a day; runs try to read it every hour, and note it if they
    cannot. A run that failed says nothing of regions.
    """
    if not any(regions_lost_to(each.dagster_run) for each in _runs_of_days(instance, now, limit=1)):
        return
    runs = _runs_of_days(instance, now, limit=_MOST_RUNS_WITHOUT)
    lost = [regions_lost_to(each.dagster_run) for each in runs]
    for name, why in lost[0].items() if lost else ():
        in_a_row = runs[: next((number for number, each in enumerate(lost) if name not in each), len(runs))]
        since = in_a_row[-1].create_timestamp
        if in_a_row[0].create_timestamp - since >= UNREAD_ALLOWED:
            count, path = len(in_a_row), f"runs/{in_a_row[0].dagster_run.run_id}"
            what = f"Region {name} is missing, as the last {count} runs of {_LOADS_DAYS} found: {scrub(why)}"
            yield Broken(f"region:{name}", Severity.ERROR, what, REGION_UNREAD, since, path)


def _runs_of_days(instance: dg.DagsterInstance, now: dt.datetime, *, limit: int) -> Sequence[dg.RunRecord]:
    """The latest runs that loaded a day, the newest first."""
    filters = dg.RunsFilter(
        job_name=_LOADS_DAYS, statuses=[dg.DagsterRunStatus.SUCCESS], created_after=now - _RUNS_OF
    )
    return instance.get_run_records(filters, limit=limit)
