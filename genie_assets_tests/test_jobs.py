"""The maintenance job: which tables it takes, what it tells of them, and what it does when one fails."""

import datetime as dt
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._daemon.monitoring.run_monitoring import check_run_timeout

import genie_assets
from genie_assets.definitions import build_defs
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_SPACE_DETAILS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    TABLES,
    Table,
)
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.lakehouse.results import MaintenanceReport
from genie_assets.placement import Placement
from genie_assets.wiring import Clock
from genie_assets_tests.day_runs import QUIET

TODAY = dt.date(2026, 3, 3)
DAY = dt.date(2026, 3, 2)


class ClockOnTuesday(Clock):
    def now(self) -> dt.datetime:
        return dt.datetime(2026, 3, 3, 4, tzinfo=dt.UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lakehouse:
    """Two tables with two files on a closed day, one of which has two on the present day as well."""
    lake = open_lakehouse(str(tmp_path))
    for number, day in enumerate((DAY, DAY, TODAY, TODAY)):
        lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame([row(GENIE_API_MESSAGES, number, day)]))
    for number in range(2):
        lake.append(MESSAGE_DETAILS, MESSAGE_DETAILS.frame([row(MESSAGE_DETAILS, number, DAY)]))
    return lake


def row(table: Table, number: int, day: dt.date) -> dict[str, Any]:
    moment = dt.datetime.combine(day, dt.time(12), dt.UTC)
    values: dict[str, Any] = {
        "STRING": f"id-{number}",
        "LONG": number,
        "INT": number,
        "BOOLEAN": False,
        "DATE": day,
        "TIMESTAMP": moment,
        "ARRAY<STRING>": [],
    }
    return {column.name: values[column.type] for column in table.columns}


def run(lake: Any, *tables: str) -> dg.ExecuteInProcessResult:
    config: dict[str, Any] = {**QUIET}
    if tables:
        config["ops"] = {"maintain_tables": {"config": {"tables": list(tables)}}}
    resources: dict[str, Any] = {"lake": dg.ResourceDefinition.hardcoded_resource(lake), "clock": ClockOnTuesday()}
    job = build_defs(**resources).resolve_job_def("genie_maintenance")
    return job.execute_in_process(run_config=config, instance=dg.DagsterInstance.ephemeral(), raise_on_error=False)


def observed(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """The numbers that stand at each asset, by table."""
    found = [
        event.asset_observation_data.asset_observation
        for event in result.all_events
        if event.event_type == dg.DagsterEventType.ASSET_OBSERVATION
    ]
    of_table = {table.name: Placement().table_key(table) for table in TABLES}
    assert all(each.asset_key == of_table[str(each.metadata["table"].value)] for each in found)
    return {str(each.metadata["table"].value): plain(each.metadata) for each in found}


def plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.value for name, value in metadata.items()}


def summary_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """The numbers that stand at the op's output."""
    (output,) = [
        event for event in result.all_events if event.is_successful_output and event.step_key == "maintain_tables"
    ]
    return plain(output.step_output_data.metadata)


def failure_of(result: dg.ExecuteInProcessResult) -> dg.Failure | Any:
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return failure.user_failure_data


def test_every_table_is_maintained_and_its_numbers_stand_at_its_asset_and_at_the_op(lake: Lakehouse) -> None:
    result = run(lake)
    assert result.success
    assert "dagster/max_runtime" in result.dagster_run.tags
    tables, summary = observed(result), summary_of(result)
    assert summary["seconds"] == pytest.approx(sum(numbers["seconds"] for numbers in tables.values()))
    assert tables.keys() == {table.name for table in TABLES}
    messages = tables["genie_api_messages"]
    assert messages.pop("seconds") > 0
    assert messages.pop("bytes_before") > messages.pop("bytes_after") > 0
    assert messages == {
        "table": "genie_api_messages",
        "files_before": 4,
        "files_after": 3,  # the two of the present day are left alone
        "version_before": 4,
        "version_after": 5,
        "days_compacted": 1,
        "files_vacuumed": 0,
    }
    assert "version_after" not in tables["genie_space_details"]  # it does not exist
    assert {
        name: summary[name] for name in ("tables_maintained", "tables_failed", "files_before", "files_after")
    } == {
        "tables_maintained": len(TABLES),
        "tables_failed": 0,
        "files_before": 6,
        "files_after": 4,
    }
    assert summary["days_compacted"] == 2
    (line,) = [each.data for each in summary["tables"].records if each.data["table"] == "genie_api_messages"]
    assert list(line.values())[:3] == ["genie_api_messages", 4, 3]
    assert observed(run(lake))["genie_api_messages"]["days_compacted"] == 0


def test_only_the_tables_of_the_config_are_maintained(lake: Lakehouse) -> None:
    result = run(lake, "message_details", "genie_space_details")
    assert result.success
    assert observed(result).keys() == {"message_details", "genie_space_details"}
    assert summary_of(result)["tables_maintained"] == 2
    assert lake.version(GENIE_API_MESSAGES) == 4


def test_a_table_that_does_not_exist_is_refused_before_anything_is_done(lake: Lakehouse) -> None:
    result = run(lake, "message_details", "mesage_details")
    assert not result.success
    assert failure_of(result).description.startswith("There is no table mesage_details: choose from ")
    assert "message_details" in failure_of(result).description
    assert observed(result) == {}


class Partly:
    """A lakehouse in which some tables cannot be maintained."""

    def __init__(self, *broken: Table) -> None:
        self._broken = broken

    def maintain(self, table: Table, *, today: dt.date) -> MaintenanceReport:
        assert today == TODAY
        if table in self._broken:
            raise LakehouseError(f"{table.name}: the storage failed")
        return MaintenanceReport(files_before=9, files_after=2, version_before=7, version_after=8)


def test_a_table_that_fails_does_not_stop_the_others_and_fails_the_job_at_its_end() -> None:
    result = run(Partly(TABLES[0], MESSAGE_FETCH_ERRORS))
    assert not result.success
    failed = {TABLES[0].name, "message_fetch_errors"}
    assert observed(result).keys() == {table.name for table in TABLES} - failed
    failure = failure_of(result)
    assert failure.description == (
        f"2 of {len(TABLES)} tables could not be maintained. "
        f"{TABLES[0].name}: the storage failed; message_fetch_errors: the storage failed"
    )
    numbers = plain(failure.metadata)
    assert (numbers["tables_maintained"], numbers["tables_failed"]) == (len(TABLES) - 2, 2)
    assert numbers["files_before"] == 9 * (len(TABLES) - 2)
    assert GENIE_SPACE_DETAILS.name in {each.data["table"] for each in numbers["tables"].records}


@pytest.mark.parametrize(("minutes", "seconds"), [(None, "9600"), ("1", "3720"), ("1440", "176400")])
def test_every_job_has_a_longest_time_that_leaves_room_for_what_is_not_asking(
    minutes: str | None, seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice the time in which a run asks, as it may wait as long for another one; and an hour for all else."""
    monkeypatch.delenv("GENIE_RUN_MINUTES", raising=False)
    if minutes:
        monkeypatch.setenv("GENIE_RUN_MINUTES", minutes)
    jobs = [job for job in build_defs().get_repository_def().get_all_jobs() if job.name != "__ASSET_JOB"]
    assert len(jobs) == 12
    assert {job.name: job.tags.get("dagster/max_runtime") for job in jobs} == {job.name: seconds for job in jobs}


def test_a_run_of_ours_that_takes_too_long_is_ended_by_the_instance(
    tmp_path: Path,
) -> None:
    """By Dagster's own monitoring, with the settings that we ship."""
    shutil.copy(Path(genie_assets.__file__).parents[1] / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_monitoring_enabled
        # A code server that is deployed anew failed every run that waited, within seconds.
        queue = instance.get_concurrency_config().run_queue_config
        assert (queue.max_concurrent_runs, queue.max_user_code_failure_retries) == (1, 30)
        job = build_defs().resolve_job_def("genie_spaces")
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=job.run_tags)
        longest = int(run.tags[dg.MAX_RUNTIME_SECONDS_TAG])
        for seconds, status in ((longest - 60, "STARTED"), (longest + 60, "FAILURE")):
            record = instance.get_run_record_by_id(run.run_id)
            assert record is not None
            began = dt.datetime.now(dt.UTC).timestamp() - seconds
            check_run_timeout(instance, record._replace(start_time=began), logging.getLogger("test"), 0.0)
            after = instance.get_run_by_id(run.run_id)
            assert after is not None
            assert after.status.value == status
