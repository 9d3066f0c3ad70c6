"""What is broken now, read from a Dagster instance: the latest verdict of each check, the latest run of each job.

Nothing here goes by a cursor of events: whatever was missed, deleted or came twice, the next look sees what is
true then. No table and no warehouse is asked. Silence is not health: checks that nobody evaluates though their
schedule is on, and runs that wait and do not start, are broken, too.
"""

import datetime as dt
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

from genie_assets.broken_runs import days_text, of_failed_runs, of_lost_regions, of_waiting_runs, utc
from genie_assets.domain.advice import NOT_EVALUATED, REGION_UNREAD, advice, check_advice
from genie_assets.domain.incidents import Broken, Severity
from genie_assets.domain.numbers import form, many
from genie_assets.domain.side_ledgers import SIDE_LEDGERS, SideLedger
from genie_assets.run_notes import LEDGER, causes_of, regions_of

# How long after the last evaluation, or after it was switched on, a schedule's checks must have come: twice the
# time of a run, waiting included, beyond the time between two ticks.
EVALUATED_WITHIN: Mapping[str, dt.timedelta] = {
    "today_hourly": dt.timedelta(hours=6),
    "standing_checks_daily": dt.timedelta(hours=30),
}


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
        # Of one region the last word counts: checks say more.
        *of_lost_regions(instance, now),
        *_of_regions(failed),
        *_of_checks(failed),
        *of_failed_runs(instance, watched.jobs, now),
        *of_waiting_runs(instance, watched.jobs, now),
        *_of_silence(instance, "today_hourly", watched.daily, now),
        *_of_silence(instance, "standing_checks_daily", watched.standing, now),
    ]


class _Failing(NamedTuple):
    key: dg.AssetCheckKey
    day: str | None
    severity: Severity
    description: str
    causes: Mapping[str, int]
    regions: Mapping[str, str]
    ledger: SideLedger | None
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
    metadata = verdict.metadata if verdict is not None else {}
    of = metadata.get(LEDGER)
    ledger = next((each for each in SIDE_LEDGERS if of is not None and each.name == of.value), None)
    known = causes_of(metadata)
    text = (verdict.description if verdict is not None else None) or ""
    missed, at = regions_of(metadata), _evaluated_at(record)
    if missed is None:
        return _Failing(record.key, record.partition, severity, text, known, {}, ledger, at)
    return _Failing(record.key, record.partition, severity, missed.beside, known, missed.regions, ledger, at)


def _evaluated_at(record: AssetCheckExecutionRecord) -> dt.datetime:
    """By the clock of whoever evaluated it, which is that of the runs; the database may have another."""
    return utc(record.event.timestamp if record.event else record.create_timestamp)


def _of_classes(failing: Iterable[_Failing]) -> Iterator[Broken]:
    """One incident for each error class, whichever checks and days show it."""
    by_class: dict[str, list[_Failing]] = defaultdict(list)
    for each in failing:
        for name in each.causes:
            by_class[name].append(each)
    for name, those in by_class.items():
        what = f"{name}: {_how_much(name, those)} cannot be read, as {_checks_and_days(those)} found"
        severity = Severity.ERROR if any(each.severity is Severity.ERROR for each in those) else Severity.WARN
        since = min(each.at for each in those)
        # What mends the messages mends the rest; only what concerns no message has a command of its own.
        ledger = None if any(each.ledger is None for each in those) else those[0].ledger
        todo = advice(name, ledger)
        yield Broken(f"class:{name}", severity, what, todo, since, _check_path(those[0].key))


_MESSAGES = ("message", "messages")


def _how_much(name: str, those: Iterable[_Failing]) -> str:
    """How many messages, and how many of what lies around them."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for each in those:
        counts[each.ledger.things if each.ledger else _MESSAGES][each.key.name] += each.causes[name]
    # Each check counts all that it sees: what two of them see is not twice there.
    most = {things: max(counted.values()) for things, counted in counts.items()}
    return " and ".join(f"{count:,} {form(count, *things)}" for things, count in most.items())


def _of_regions(failing: Iterable[_Failing]) -> Iterator[Broken]:
    """One incident for each region that is missing, whichever checks miss it."""
    by_region: dict[str, list[_Failing]] = defaultdict(list)
    for each in sorted(failing, key=lambda each: each.key.name):
        for name in each.regions:
            by_region[name].append(each)
    for name, those in by_region.items():
        # Two checks may say the same.
        told = " ".join(dict.fromkeys(each.regions[name] for each in those))
        what = f"Region {name} is missing, as {_checks_and_days(those)} found: {told}"
        severity = Severity.ERROR if any(each.severity is Severity.ERROR for each in those) else Severity.WARN
        since = min(each.at for each in those)
        yield Broken(f"region:{name}", severity, what, REGION_UNREAD, since, _check_path(those[0].key))


def _of_checks(failing: Iterable[_Failing]) -> Iterator[Broken]:
    """One incident for each other check, on however many days it fails, and for whatever else it fails for."""
    by_check: dict[dg.AssetCheckKey, list[_Failing]] = defaultdict(list)
    for each in failing:
        if not each.causes and not (each.regions and not each.description):
            by_check[each.key].append(each)
    for key, those in by_check.items():
        newest = max(those, key=lambda each: each.at)
        of_days = f" on {days_text(days)}" if (days := [each.day for each in those if each.day]) else ""
        what = f"{key.name} fails{of_days}. {newest.description.partition(chr(10))[0]}".rstrip(". ")
        what += "" if what.endswith("?") else "."
        severity = Severity.ERROR if any(each.severity is Severity.ERROR for each in those) else Severity.WARN
        since = min(each.at for each in those)
        cause = f"check:{'/'.join(key.asset_key.path)}:{key.name}"
        yield Broken(cause, severity, what, check_advice(key.name), since, _check_path(key))


def _checks_and_days(those: Sequence[_Failing]) -> str:
    names = " and ".join(sorted({each.key.name for each in those}))
    days = [each.day for each in those if each.day]
    return f"{names} ({days_text(days)})" if days else names


def _check_path(key: dg.AssetCheckKey) -> str:
    path = "/".join(quote(part, safe="") for part in key.asset_key.path)
    return f"assets/{path}?view=checks&checkDetail={quote(key.name, safe='')}"


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
        last = max(on_since, _evaluated_at(latest)) if latest is not None else on_since
        if now - last > EVALUATED_WITHIN[schedule]:
            silent[key] = last
    if silent:
        what = (
            f"The schedule {schedule} is on, but {len(silent)} of its {many(len(keys), 'check')} "
            f"{form(len(silent), 'was', 'were')} not evaluated "
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
            return utc(data.start_timestamp)
    return None
