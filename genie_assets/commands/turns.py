"""Whose turn it is: one run at a time asks the Genie API, whoever started it and from whichever process.

Dagster has a pool for that, and its in-process executor waits for it busily, silently and, if whoever holds the
pool was killed, for ever. So we look before a run is started. A run whose process is provably gone is marked as
failed and lets go of the pool; for any other we wait, and say for whom.

What is left to Dagster is the moment in which two runs start at once. Of ours, one steps back (`is_first`). A run
that Dagster's daemon starts in that moment meets ours at the pool, where one waits for a step of the other.
"""

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterator

import dagster as dg
from dagster._core.storage.dagster_run import RunRecord
from dagster._core.storage.tags import PARTITION_NAME_TAG, POOL_TAG_PREFIX
from dagster._utils.concurrency import ClaimedSlotInfo, ConcurrencyKeyInfo, PendingStepInfo

from genie_assets.commands.processes import process_of
from genie_assets.commands.terminal import readable

Say = Callable[[str], None]
Pause = Callable[[float], bool]
"""Waits for so many seconds, without a processor. True if there is no need to go on waiting."""

_ACTIVE = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
_IN_FLIGHT = (dg.DagsterRunStatus.NOT_STARTED, *_ACTIVE)
_LOOK_EVERY = 1.0
_SAY_EVERY = 60.0
# One that was created and not started in this time never will be.
_LONGEST_START = dt.timedelta(minutes=10)
# A run that was ended by force may still be in a request.
_LONGEST_END = dt.timedelta(seconds=60)
_NOT_SURE = (
    "Whether it still does anything cannot be seen from here. If it does not, end it in Dagster's UI, or with "
    "`dagster run delete {}`"
)


def wait_for_turn(instance: dg.DagsterInstance, pools: Collection[str], say: Say, pause: Pause) -> None:
    """Come back when these pools have room: no run holds them, or will as soon as it comes to it.

    Args:
        instance: Whose runs are meant.
        pools: What the run that is to be started takes.
        say: Is told for whom we wait, at once and about every minute.
        pause: How we wait.
    """
    waiting = Waiting(say)
    while True:
        end_dead(instance, say)
        reason = next((reason for pool in pools for reason in _reasons(instance, pool)), None)
        if reason is None:
            return
        waiting.is_for(reason)
        if pause(_LOOK_EVERY):
            return


class Waiting:
    """Says for whom we wait and since when, at once and about every minute."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._since = dt.datetime.now(dt.UTC)
        self._said: float | None = None

    def is_for(self, whom: str) -> None:
        """We still wait, for a run or a pool."""
        if self._said is None or time.monotonic() - self._said >= _SAY_EVERY:
            self._said = time.monotonic()
            self._say(f"Waiting since {self._since:%H:%M} UTC for {whom}.")


def is_first(instance: dg.DagsterInstance, run_id: str, pools: Collection[str]) -> bool:
    """Whether a run that was just created may start: the pools have room beside those that came before it."""
    (own,) = instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    for pool in pools:
        ahead = [
            other
            for other in _holders(instance, pool)
            if other.storage_id < own.storage_id
            or (other.storage_id > own.storage_id and other.dagster_run.status in _ACTIVE)
        ]
        if len(ahead) >= _limit(instance.event_log_storage.get_concurrency_info(pool)):
            return False
    return True


def end_dead(instance: dg.DagsterInstance, say: Say) -> None:
    """Mark the runs as failed whose process is provably gone, and free what they hold."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=_IN_FLIGHT)):
        run = record.dagster_run
        process = process_of(run.tags)
        if process is None or not process.is_gone:
            continue
        reason = (
            f"The {process} that executed this run is gone: it was killed, or the machine stopped. What it stored "
            "stays. Run the same again, and it goes on from there."
        )
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, reason)
        else:
            instance.report_run_failed(run, reason)
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        say(f"{_name(run)} was cut short, its {process} is gone: it is marked as failed now.")


def give_up(instance: dg.DagsterInstance, run_id: str, reason: str, *, canceled: bool) -> None:
    """Mark a run of ours as canceled, or else as failed, unless it has ended; free what it holds."""
    run = instance.get_run_by_id(run_id)
    if run is None:
        return
    if not run.is_finished:
        report = instance.report_run_canceled if canceled else instance.report_run_failed
        report(run, reason)
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def help_along(instance: dg.DagsterInstance, run_id: str, pools: Collection[str]) -> str | None:
    """For whom a started run of ours waits at a pool, or None; wakes it if it waits for nobody.

    A step that queues in the moment in which the slot becomes free is forgotten until the next step of the pool
    ends (Dagster 1.13).
    """
    storage = instance.event_log_storage
    for pool in pools:
        info = storage.get_concurrency_info(pool)
        if all(step.run_id != run_id or step.assigned_timestamp for step in info.pending_steps):
            continue
        wake = getattr(storage, "assign_pending_steps", None)
        if info.assigned_step_count < info.slot_count and wake is not None:
            wake([pool])
        others = [record for record in _holders(instance, pool) if record.dagster_run.run_id != run_id]
        return _whom(others[0]) if others else f"the pool {readable(pool)}"
    return None


def _reasons(instance: dg.DagsterInstance, pool: str) -> Iterator[str]:
    """For whom or what a run that takes the pool has to wait."""
    storage = instance.event_log_storage
    info = storage.get_concurrency_info(pool)
    if _limit(info) == 0:
        yield f"the pool {readable(pool)} to let somebody in: its limit is 0"
    holders = _holders(instance, pool)
    if len(holders) >= _limit(info):
        yield from map(_whom, holders)
    known = {record.dagster_run.run_id for record in holders}
    claims: list[ClaimedSlotInfo | PendingStepInfo] = [*info.claimed_slots, *info.pending_steps]
    for run_id in {claim.run_id for claim in claims} - known:
        if _needs_nothing(instance, run_id):
            storage.free_concurrency_slots_for_run(run_id)
        elif run_id in info.active_run_ids:
            yield f"run {run_id[:8]}, which was ended a moment ago, to let go of the pool {readable(pool)}"


def _limit(info: ConcurrencyKeyInfo) -> int:
    # Without a limit nothing keeps callers apart but this.
    return 1 if info.limit is None else info.limit


def _holders(instance: dg.DagsterInstance, pool: str) -> list[RunRecord]:
    """Runs that hold the pool, or will as soon as they come to it; the latest first."""
    tags = {f"{POOL_TAG_PREFIX}{pool}": "true"}
    now = dt.datetime.now(dt.UTC)
    return [
        record
        for record in instance.get_run_records(dg.RunsFilter(statuses=_IN_FLIGHT, tags=tags))
        if record.dagster_run.status in _ACTIVE
        # When those start that others created is for Dagster's daemon to say, and it sees ours.
        or (process_of(record.dagster_run.tags) and now - _utc(record.create_timestamp) < _LONGEST_START)
    ]


def _needs_nothing(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run that has a claim on a pool has ended for good, or was deleted."""
    records = instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    if not records:
        return True
    run, ended = records[0].dagster_run, records[0].end_time
    if not run.is_finished:
        return False
    process = process_of(run.tags)
    gone = process is not None and process.is_gone
    return gone or ended is None or time.time() - ended > _LONGEST_END.total_seconds()


def _whom(record: RunRecord) -> str:
    run = record.dagster_run
    process = process_of(run.tags)
    by = f"in {readable(process)}" if process else "started by Dagster"
    started = dt.datetime.fromtimestamp(record.start_time, dt.UTC) if record.start_time else None
    since = started or _utc(record.create_timestamp)
    known = f"{_name(run)} {by}, under way since {since:%Y-%m-%d %H:%M} UTC"
    return known if process is not None and process.is_here else f"{known}. {_NOT_SURE.format(run.run_id)}"


def _name(run: dg.DagsterRun) -> str:
    day = run.tags.get(PARTITION_NAME_TAG)
    of_day = f" of {readable(day, longest=40)}" if day else ""
    return f"run {run.run_id[:8]} ({readable(run.job_name, longest=80)}{of_day})"


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
