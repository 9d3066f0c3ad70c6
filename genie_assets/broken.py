"""What is broken now, read from a Dagster instance: the latest verdict of each check, the latest run of each job.

Nothing here goes by a cursor of events: whatever was missed, deleted or came twice, the next look sees what is
true then. No table and no warehouse is asked. Silence is not health: checks that nobody evaluates though their
schedule is on, and runs that wait and do not start, are broken, too.
"""

import datetime as dt
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType, ScheduleInstigatorData
from dagster._core.storage.asset_check_execution_record import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from dagster._utils.error import SerializableErrorInfo

from genie_assets.domain.advice import NOT_EVALUATED, RUN_FAILED, RUNS_WAIT, advice, check_advice
from genie_assets.domain.incidents import Broken, Severity
from genie_assets.gateways.scrubbing import scrub
from genie_assets.reporting import CAUSES
from genie_assets.runs import PARTITION_TAG, UNENDED

# Maintenance deletes what is older, and GENIE_LOOKBACK_DAYS are as many by default.
_RUNS_OF = dt.timedelta(days=30)
_MOST_FAILED_RUNS, _MOST_ERRORS_READ = 200, 30
# A run of an hour may wait for another one that takes its whole time.
WAIT_ALLOWED = dt.timedelta(hours=3)
# How long after the last evaluation, or after it was switched on, a schedule's checks must have come: twice the
# time of a run, waiting included, beyond the time between two ticks.
EVALUATED_WITHIN: Mapping[str, dt.timedelta] = {
    "today_hourly": dt.timedelta(hours=6),
    "standing_checks_daily": dt.timedelta(hours=30),
}
# Exceptions whose texts are sentences of ours. Of others only the name is told: a text may quote a row.
_OUR_ERRORS = frozenset({"Failure", "CallError", "LakehouseError", "SettingsError", "WarehouseError"})
# What a run of the second job does, one of the first does, too.
_DONE_BY_MORE = {"genie_retry": "genie_daily"}


@dataclass(frozen=True)
class Watched:
    """What is looked at.

    Attributes:
        daily: Checks of days, which `today_hourly` has evaluated.
        standing: Checks of all days, which `standing_checks_daily` has evaluated.
        jobs: Names of jobs.
        days: The days of GENIE_LOOKBACK_DAYS: what is wrong with older ones, standing checks say.
    """

    daily: Sequence[dg.AssetCheckKey]
    standing: Sequence[dg.AssetCheckKey]
    jobs: Collection[str]
    days: Sequence[str]


def broken_now(instance: dg.DagsterInstance, watched: Watched, now: dt.datetime) -> list[Broken]:
    """All that is broken at a time, UTC."""
    failed = [
        *_failing(instance, watched.daily, watched.days),
        *_failing(instance, watched.standing, None),
    ]
    return [
        *_of_classes(failed),
        *_of_checks(failed),
        *_of_failed_runs(instance, watched.jobs, now),
        *_of_waiting_runs(instance, watched.jobs, now),
        *_of_silence(instance, "today_hourly", watched.daily, now),
        *_of_silence(instance, "standing_checks_daily", watched.standing, now),
    ]


class _Failing(NamedTuple):
    key: dg.AssetCheckKey
    day: str | None
    severity: Severity
    description: str
    causes: Mapping[str, int]
    at: dt.datetime


def _failing(
    instance: dg.DagsterInstance, keys: Sequence[dg.AssetCheckKey], days: Sequence[str] | None
) -> list[_Failing]:
    """The latest verdicts that say no. An evaluation that is under way has none yet: the one before it counts."""
    infos = instance.event_log_storage.get_asset_check_partition_info(list(keys), partition_keys=days)
    passed = AssetCheckExecutionRecordStatus.SUCCEEDED
    found = (
        _latest_verdict(instance, info.check_key, PartitionKeyFilter(key=info.partition_key))
        for info in infos
        if info.latest_execution_status is not passed
    )
    return [_failing_of(each) for each in found if each is not None and each.status is not passed]


def _latest_verdict(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, partition: PartitionKeyFilter | None = None
) -> AssetCheckExecutionRecord | None:
    records = instance.event_log_storage.get_asset_check_execution_history(
        key, limit=1, status=COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES, partition_filter=partition
    )
    return next(iter(records), None)


def _failing_of(record: AssetCheckExecutionRecord) -> _Failing:
    verdict = record.evaluation
    severity = Severity.ERROR
    if verdict is not None and verdict.severity is dg.AssetCheckSeverity.WARN:
        severity = Severity.WARN
    noted = verdict.metadata.get(CAUSES) if verdict is not None else None
    causes = noted.value if noted is not None and isinstance(noted.value, Mapping) else {}
    known = {str(name): number for name, number in causes.items() if isinstance(number, int) and number > 0}
    text = (verdict.description if verdict is not None else None) or ""
    return _Failing(record.key, record.partition, severity, text, known, _utc(record.create_timestamp))


def _of_classes(failing: Iterable[_Failing]) -> Iterator[Broken]:
    """One incident for each error class, whichever checks and days show it."""
    by_class: dict[str, list[_Failing]] = defaultdict(list)
    for each in failing:
        for name in each.causes:
            by_class[name].append(each)
    for name, those in by_class.items():
        counts: Counter[str] = Counter()
        for each in those:
            counts[each.key.name] += each.causes[name]
        # Each check counts all that it sees: what two of them see is not twice there.
        what = f"{name}: {max(counts.values()):,} messages cannot be read, as {_checks_and_days(those)} found"
        severity = Severity.ERROR if any(each.severity is Severity.ERROR for each in those) else Severity.WARN
        since = min(each.at for each in those)
        yield Broken(f"class:{name}", severity, what, advice(name), since, _check_path(those[0].key))


def _of_checks(failing: Iterable[_Failing]) -> Iterator[Broken]:
    """One incident for each other check, on however many days it fails."""
    by_check: dict[dg.AssetCheckKey, list[_Failing]] = defaultdict(list)
    for each in failing:
        if not each.causes:
            by_check[each.key].append(each)
    for key, those in by_check.items():
        newest = max(those, key=lambda each: each.at)
        of_days = f" on {_days(days)}" if (days := [each.day for each in those if each.day]) else ""
        what = f"{key.name} fails{of_days}. {newest.description.partition(chr(10))[0]}".rstrip(". ") + "."
        severity = Severity.ERROR if any(each.severity is Severity.ERROR for each in those) else Severity.WARN
        since = min(each.at for each in those)
        cause = f"check:{'/'.join(key.asset_key.path)}:{key.name}"
        yield Broken(cause, severity, what, check_advice(key.name), since, _check_path(key))


def _checks_and_days(those: Sequence[_Failing]) -> str:
    names = " and ".join(sorted({each.key.name for each in those}))
    days = [each.day for each in those if each.day]
    return f"{names} ({_days(days)})" if days else names


def _days(days: Collection[str]) -> str:
    different = sorted(set(days))
    if len(different) == 1:
        return different[0]
    return f"{len(different)} days, {different[0]} to {different[-1]}"


def _check_path(key: dg.AssetCheckKey) -> str:
    path = "/".join(quote(part, safe="") for part in key.asset_key.path)
    return f"assets/{path}?view=checks&checkDetail={quote(key.name, safe='')}"


class _FailedRun(NamedTuple):
    job: str
    day: str | None
    run_id: str
    at: dt.datetime


def _of_failed_runs(instance: dg.DagsterInstance, jobs: Collection[str], now: dt.datetime) -> Iterator[Broken]:
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
        of_days = f" ({_days(days)})" if days else ""
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
        ended = _utc(record.end_time) if record.end_time else record.create_timestamp
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


def _of_waiting_runs(instance: dg.DagsterInstance, jobs: Collection[str], now: dt.datetime) -> Iterator[Broken]:
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
    if any(record.start_time and now - _utc(record.start_time) < WAIT_ALLOWED for record in recent):
        return
    what = f"{len(waiting):,} runs wait, and none has started for {WAIT_ALLOWED // dt.timedelta(hours=1)} hours."
    path = f"runs/{oldest.dagster_run.run_id}"
    yield Broken("runs:wait", Severity.ERROR, what, RUNS_WAIT, oldest.create_timestamp, path)


def _of_silence(
    instance: dg.DagsterInstance, schedule: str, keys: Sequence[dg.AssetCheckKey], now: dt.datetime
) -> Iterator[Broken]:
    """Checks that nobody has evaluated though their schedule is on: one incident for the schedule."""
    on_since = _on_since(instance, schedule)
    if on_since is None:
        return
    silent = {}
    for key in keys:
        latest = _latest_verdict(instance, key)
        last = max(on_since, _utc(latest.create_timestamp)) if latest is not None else on_since
        if now - last > EVALUATED_WITHIN[schedule]:
            silent[key] = last
    if silent:
        what = (
            f"The schedule {schedule} is on, but {len(silent)} of its {len(keys)} checks were not evaluated "
            f"since: {', '.join(sorted({key.name for key in silent}))}."
        )
        since, path = min(silent.values()), "automation"
        yield Broken(f"silent:{schedule}", Severity.ERROR, what, NOT_EVALUATED, since, path)


def _on_since(instance: dg.DagsterInstance, schedule: str) -> dt.datetime | None:
    """Since when a schedule of ours is on, UTC; None while it is off."""
    if instance.schedule_storage is None:  # an instance in memory, in which nothing runs by itself
        return None
    states = instance.all_instigator_state(
        instigator_type=InstigatorType.SCHEDULE,
        instigator_statuses={InstigatorStatus.RUNNING, InstigatorStatus.DECLARED_IN_CODE},
    )
    for state in states:
        data = state.instigator_data
        if state.instigator_name == schedule and isinstance(data, ScheduleInstigatorData) and data.start_timestamp:
            return _utc(data.start_timestamp)
    return None


def _utc(timestamp: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(timestamp, dt.UTC)
