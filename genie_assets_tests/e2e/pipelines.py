"""The real code location, run in this process against a sandbox process."""

import datetime as dt
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from genie_assets.commands.running import days_between
from genie_assets.definitions import build_defs
from genie_assets.domain.tables import GENIE_DAY_LOADS, TABLES, Table, records
from genie_assets.settings import load_settings
from genie_assets.wiring import Clock, open_lake
from genie_assets_tests.day_runs import QUIET, ours
from genie_sandbox.account import Account, save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.truth.comparison import differences
from genie_sandbox.truth.tables import comparable, possible_extras, truth, truth_of_space_events

# What a write is stamped with; two loads of the same thing differ in it.
BOOKKEEPING = ("ingestion_timestamp", "ingestion_batch_id")

Row = dict[str, Any]
Tables = Mapping[str, list[Row]]


class ClockAt(Clock):
    """The time of a pipeline that runs later than now."""

    def __init__(self, later: dt.timedelta) -> None:
        self._later = later

    def now(self) -> dt.datetime:
        return super().now() + self._later


class ClockThatStands(Clock):
    """The time of a pipeline whose notes a test has to know to the microsecond."""

    def __init__(self, time: dt.datetime) -> None:
        self._time = time

    def now(self) -> dt.datetime:
        return self._time


class Pipeline:
    """Our jobs on an instance of their own. The environment decides which workspaces and tables they use."""

    def __init__(self) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        self.lake = open_lake(load_settings())

    def run(
        self, job: str, day: dt.date | None = None, *, succeeds: bool = True, **overrides: Any
    ) -> dg.ExecuteInProcessResult:
        """Run a job; `overrides` replace resources. The run must end as `succeeds` says."""
        result = (
            build_defs(**overrides)
            .resolve_job_def(job)
            .execute_in_process(
                instance=self.instance,
                partition_key=day.isoformat() if day else None,
                run_config=QUIET,
                raise_on_error=False,
            )
        )
        assert result.success == succeeds, [event.message for event in result.all_events if event.is_failure]
        return result

    def check(
        self, name: str, day: dt.date | None = None, asset: str = "enriched_message_details"
    ) -> dg.AssetCheckEvaluation:
        """Run one check by itself; the asset tells it from others of that name."""
        definitions = ours()
        named = [each for each in definitions.resolve_asset_graph().asset_check_keys if each.name == name]
        (key,) = named if len(named) == 1 else [each for each in named if each.asset_key == dg.AssetKey(asset)]
        everything = definitions.get_repository_def().get_job("__ASSET_JOB")
        job = everything.get_subset(asset_selection=set(), asset_check_selection={key})
        result = job.execute_in_process(
            instance=self.instance,
            tags={"dagster/partition": day.isoformat()} if day else None,
            run_config=QUIET,
        )
        (evaluation,) = result.get_asset_check_evaluations()
        return evaluation

    def rows(self, table: Table) -> list[Row]:
        return records(self.lake.read(table))

    def tables(self) -> dict[str, list[Row]]:
        """All rows of all tables with all columns, in a fixed order."""
        return {table.name: in_order(self.rows(table)) for table in TABLES}


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(map(comparable, rows), key=repr)


def without_bookkeeping(tables: Tables) -> dict[str, list[Row]]:
    return {
        name: in_order({k: v for k, v in row.items() if k not in BOOKKEEPING} for row in rows)
        for name, rows in tables.items()
    }


def without_notes(tables: Tables) -> dict[str, list[Row]]:
    """The tables without what a day's load and fold note of what they went by: other days' rows are among that."""
    seen = ("event_date", "event_count", "message_count", "newest_event_time", "events_hash")
    loads = in_order({name: row[name] for name in seen} for row in tables[GENIE_DAY_LOADS.name])
    return {**tables, GENIE_DAY_LOADS.name: loads}


def metadata_of(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """The metadata of the asset's materialization, as plain values."""
    (found,) = [
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(asset)
    ]
    return {name: value.value for name, value in found.metadata.items()}


def evaluations_of(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def doubled_keys(table: Table, rows: Iterable[Row]) -> list[str]:
    """Which keys a table holds more than once."""
    keys = Counter(table.key_of(row) for row in rows)
    return [f"{table.name} holds {key} {count} times" for key, count in keys.items() if count > 1]


def days_of(account: Account) -> list[dt.date]:
    return days_between(dt.date.fromisoformat(account.first_day), dt.date.fromisoformat(account.last_day))


def differences_from_truth(
    account: Account, sandbox: SandboxProcess, pipeline: Pipeline, urls: Mapping[str, str] | None = None
) -> list[str]:
    """How the tables differ from the truth at the sandbox's time; messages of which no audit row has arrived yet,
    but which a LIST may bring, are neither asked for nor objected to. `urls` are the workspaces' own by default.
    """
    at = sandbox.now_ms()
    now = round(dt.datetime.now(dt.UTC).timestamp() * 1000)
    expected = truth(account, at=at, now=now, urls=urls or sandbox.urls) | truth_of_space_events(account, at=at)
    extras = possible_extras(account, at)
    problems = []
    for table in TABLES:
        if table.name in expected:
            rows = [
                row for row in pipeline.rows(table) if (row["workspace_id"], row.get("message_id")) not in extras
            ]
            problems += differences(table, expected[table.name], rows)
    return problems


@contextmanager
def sandbox_of(
    account: Account, folder: Path, *, sql: bool = True, state: Path | None = None
) -> Iterator[SandboxProcess]:
    """A sandbox that serves the account; tables in Unity Catalog outlive it in `state`."""
    save(account, folder)
    with SandboxProcess(folder, sql=sql, state=state) as sandbox:
        yield sandbox


def point_at(sandbox: SandboxProcess, lakehouse: Path, patch: pytest.MonkeyPatch) -> None:
    """Set the environment to this sandbox and these tables, and to nothing else."""
    forget_settings(patch)
    for name, value in sandbox.environment().items():
        patch.setenv(name, value)
    patch.setenv("GENIE_LAKEHOUSE", str(lakehouse))
    patch.setenv("GENIE_REQUESTS_PER_SECOND", "1000")


def forget_settings(patch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("ARM_", "DATABRICKS_", "GENIE_", "DAGSTER_HOME")):
            patch.delenv(name)


def last_night() -> dt.datetime:
    """Shortly before the last midnight, UTC: days are whole and all has ended, at whatever hour of today."""
    now = dt.datetime.now(dt.UTC)
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(minutes=10)


def recent_anchor() -> dt.datetime:
    """The end of a made-up account: now, because partitions and deadlines go by the real time.

    An account of one day needs an hour of it: until there is one, its day is the one before.
    """
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    midnight = now.replace(hour=0, minute=0, second=0)
    return now if now - midnight > dt.timedelta(hours=1) else midnight - dt.timedelta(seconds=1)
