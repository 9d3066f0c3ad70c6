"""Old runs that nothing refers to any more, and their end: Dagster keeps every run for ever.

A run is more than its log: deleting it deletes its materializations, and frees its run key to be asked for again.
So only runs go that are ours, have ended long ago, and are the latest of nothing: no partition's latest
materialization, attempt or observation, no check's latest evaluation. What the UI shows of assets, partitions and
checks stays as it is. Run keys of that age name a time that is past: no schedule or sensor asks for them again.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import dagster as dg

from genie_assets.runs import ENDED, JOB_NAMES

# Dagster's own job, in which assets run that were selected in the UI.
_ASSET_JOB = "__ASSET_JOB"
_PAGE = 200
# In a deployment with many runs of others, so many of them are looked at in one go.
_MOST_LOOKS = 20_000

_MATERIALIZED, _PLANNED = (
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
)
_OBSERVED, _CHECKED = dg.DagsterEventType.ASSET_OBSERVATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION
_TO_CHECK = dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
_NO_VERDICT = "PLANNED"


@dataclass(frozen=True)
class Ours:
    """The assets and checks of this code location, by their keys."""

    assets: frozenset[dg.AssetKey]
    checks: frozenset[dg.AssetCheckKey]


def prunable_runs(
    instance: dg.DagsterInstance, ours: Ours, *, created_before: dt.datetime, at_most: int
) -> list[dg.DagsterRun]:
    """Old runs of ours that are the latest of nothing, by job the oldest first.

    Args:
        instance: Where the runs are.
        ours: What must be ours alone in a run, and keep what it shows.
        created_before: Which runs are old.
        at_most: How many to look for.
    """
    kept = latest_run_ids(instance, ours)
    old = (run for run in _old_runs(instance, created_before) if run.run_id not in kept)
    mine = (run for run in old if _is_ours(instance, ours, run) and not _is_part_of_open_backfill(instance, run))
    return list(islice(mine, at_most))


def delete_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Delete a run with its events, its captured output and, on SQLite, the file that held the events."""
    instance.delete_run(run.run_id)
    with suppress(Exception):  # what is left there harms nobody
        instance.compute_log_manager.delete_logs(prefix=[run.run_id])
    # Dagster's default storage has a file per run, which deleting the events leaves as large as it was.
    path_of = getattr(instance.event_log_storage, "path_for_shard", None)
    if path_of is not None:
        file = Path(path_of(run.run_id))
        for suffix in ("", "-wal", "-shm"):
            file.with_name(f"{file.name}{suffix}").unlink(missing_ok=True)


def latest_run_ids(instance: dg.DagsterInstance, ours: Ours) -> set[str]:
    """Runs that are the latest of something: what the UI shows of assets and checks comes from them."""
    of_assets = (run_id for key in ours.assets for run_id in _latest_of_asset(instance, key))
    return {*of_assets, *_latest_of_checks(instance, ours)}


def _latest_of_asset(instance: dg.DagsterInstance, key: dg.AssetKey) -> Iterator[str]:
    storage = instance.event_log_storage
    newest = [
        *instance.fetch_materializations(key, limit=1).records,
        *instance.fetch_observations(key, limit=1).records,
    ]
    yield from (record.run_id for record in newest)
    planned = storage.get_latest_planned_materialization_info(key)
    if planned:
        yield planned.run_id
    attempts = storage.get_latest_asset_partition_materialization_attempts_without_materializations(key)
    yield from (run_id for run_id, _ in attempts.values())
    latest = list(storage.get_latest_storage_id_by_partition(key, _MATERIALIZED).values())
    for start in range(0, len(latest), _PAGE):
        ids = latest[start : start + _PAGE]
        records = instance.fetch_materializations(dg.AssetRecordsFilter(key, storage_ids=ids), limit=_PAGE).records
        yield from (record.run_id for record in records)


def _latest_of_checks(instance: dg.DagsterInstance, ours: Ours) -> Iterator[str]:
    """A run that was to evaluate a check and did not is the latest; so is the one that did before it."""
    storage = instance.event_log_storage
    without_verdict: dict[dg.AssetCheckKey, set[str | None]] = defaultdict(set)
    for info in storage.get_asset_check_partition_info(list(ours.checks)):
        yield info.latest_planned_run_id
        if info.latest_execution_status.value == _NO_VERDICT:
            without_verdict[info.check_key].add(info.partition_key)
    for key, partitions in without_verdict.items():
        yield from _latest_verdicts(instance, key, partitions)


def _latest_verdicts(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, partitions: set[str | None]
) -> Iterator[str]:
    cursor = None
    while partitions:
        page = instance.event_log_storage.get_asset_check_execution_history(key, limit=_PAGE, cursor=cursor)
        for record in page:
            if record.status.value != _NO_VERDICT and record.partition in partitions:
                partitions.remove(record.partition)
                yield record.run_id
        if len(page) < _PAGE:
            break
        cursor = page[-1].id


def _old_runs(instance: dg.DagsterInstance, created_before: dt.datetime) -> Iterator[dg.DagsterRun]:
    """Ended runs that may be ours, by job the oldest first."""
    looks = 0
    for job_name in (*sorted(JOB_NAMES), _ASSET_JOB):
        cursor, filters = (
            None,
            dg.RunsFilter(job_name=job_name, statuses=list(ENDED), created_before=created_before),
        )
        while looks < _MOST_LOOKS:
            page = instance.get_run_records(filters, limit=_PAGE, cursor=cursor, ascending=True)
            yield from (record.dagster_run for record in page)
            looks += len(page)
            if len(page) < _PAGE:
                break
            cursor = page[-1].dagster_run.run_id


def _is_ours(instance: dg.DagsterInstance, ours: Ours, run: dg.DagsterRun) -> bool:
    """Whether a run with a name of ours is about our assets only; another code location may use the names, too."""
    of_type = {_MATERIALIZED, _PLANNED, _OBSERVED, _CHECKED, _TO_CHECK}
    events = (log.dagster_event for log in instance.all_logs(run.run_id, of_type=of_type))
    keys = {_asset_of(event) for event in events if event is not None}
    return keys <= ours.assets and (bool(keys) or run.job_name in JOB_NAMES)


def _asset_of(event: dg.DagsterEvent) -> dg.AssetKey | None:
    # Dagster's own property knows materializations and observations only.
    return event.asset_key or getattr(event.event_specific_data, "asset_key", None)


def _is_part_of_open_backfill(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    backfill_id = run.tags.get("dagster/backfill")
    backfill = instance.get_backfill(backfill_id) if backfill_id else None
    return backfill is not None and backfill.status.value in ("REQUESTED", "CANCELING", "FAILING")
