"""A real webserver and daemon: a week is loaded by a backfill, and the retry sensor heals what failed in it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import dagster as dg
import pytest
from click.testing import CliRunner

from genie_assets.commands.cli import main
from genie_assets.domain.tables import MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS, records
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pool import GENIE_API_POOL
from genie_assets_tests.e2e.deployment import Deployment, deployed, wait_for
from genie_assets_tests.e2e.pipelines import days_of, forget_settings, recent_anchor, sandbox_of
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DAILY = ["audit_messages", "genie_api_messages", "enriched_message_details"]
CHECKS = {"api_success_rate", "ledger_is_true", "nothing_is_lost", "keys_are_unique", "enrichment_coverage"}
DAY, SENSOR = "dagster/partition", "retry_open_errors"


@dataclass(frozen=True)
class Loaded:
    """A week that a backfill has loaded while the API failed for two conversations."""

    deployment: Deployment
    sandbox: SandboxProcess
    account: Account
    instance: dg.DagsterInstance
    lake: Lakehouse
    lakehouse: str
    backfill_id: str
    broken: frozenset[str]  # conversation ids

    @property
    def days(self) -> list[str]:
        return [day.isoformat() for day in days_of(self.account)]

    def runs(self, tag: str, value: str) -> list[dg.DagsterRun]:
        return list(self.instance.get_runs(dg.RunsFilter(tags={tag: value})))

    def failures(self, run: dg.DagsterRun) -> list[str]:
        """What went wrong in the run."""
        events = [log.dagster_event for log in self.instance.all_logs(run.run_id)]
        return [
            f"{run.tags[DAY]} {event.step_key}: {event.message} {event.event_specific_data}"
            for event in events
            if event is not None and event.is_failure
        ]

    def of_broken(self, resolved: bool) -> set[str]:
        """Message ids of the ledger."""
        return {
            row["message_id"]
            for row in records(self.lake.read(MESSAGE_FETCH_ERRORS))
            if row["resolved"] == resolved
        }


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    account = generate_uniform(
        seed=5, anchor=recent_anchor(), conversations=42, messages_per_conversation=3, days=7, workspaces=2
    )
    # One early and one late in the week: two days will have to be run again.
    ordered = sorted(account.messages, key=lambda message: message.states[0].at)
    broken = frozenset(ordered[place].conversation_id for place in (5, 80))
    folder = tmp_path_factory.mktemp("deployment")
    lakehouse = str(folder / "lakehouse")
    with pytest.MonkeyPatch.context() as patch, sandbox_of(account, folder / "account") as sandbox:
        forget_settings(patch)
        sandbox.faults(*({"effect": "status", "status": 500, "conversation_id": one} for one in broken))
        settings = {**sandbox.environment(), "GENIE_LAKEHOUSE": lakehouse, "GENIE_REQUESTS_PER_SECOND": "1000"}
        with deployed(folder / "home", settings) as deployment:
            days = [day.isoformat() for day in days_of(account)]
            backfill_id = deployment.backfill(DAILY, days)
            wait_for(
                "The end of the backfill",
                lambda: deployment.backfill_status(backfill_id).startswith(("COMPLETED", "FAILED")),
                seconds=600,
            )
            with dg.DagsterInstance.from_config(str(folder / "home")) as instance:
                lake = open_lakehouse(lakehouse)
                yield Loaded(deployment, sandbox, account, instance, lake, lakehouse, backfill_id, broken)


def test_a_backfill_of_a_week_succeeds_day_by_day_and_checks_every_day(week):
    """Dagster calls a backfill completed even if all its runs failed, so the runs themselves are looked at."""
    runs = week.runs("dagster/backfill", week.backfill_id)
    assert sorted(run.tags[DAY] for run in runs) == week.days
    assert [failure for run in runs for failure in week.failures(run)] == []
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    for run in runs:
        events = week.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        found = [event.dagster_event.asset_check_evaluation_data for event in events]
        daily = {one.check_name: one for one in found}
        assert daily.keys() == CHECKS, "standing checks belong to no asset that a backfill of days makes"
        assert {one.partition for one in daily.values()} == {run.tags[DAY]}
        assert daily["nothing_is_lost"].passed
        assert daily["keys_are_unique"].passed


def test_a_backfill_has_one_caller_of_the_api_at_a_time(week):
    """Runs that waited for each other at the pool could hang for ever: a freed slot did not always wake them."""
    callers = []
    for run in week.runs("dagster/backfill", week.backfill_id):
        times: dict[str, dict[str, float]] = {}
        for event in week.instance.all_logs(run.run_id):
            step = event.dagster_event and event.dagster_event.step_key
            if step in ("genie_api_messages", "enriched_message_details"):
                times.setdefault(step, {})[event.dagster_event_type] = event.timestamp
        assert not [
            event for event in week.instance.all_logs(run.run_id) if "blocked by limit" in event.user_message
        ]
        callers += [
            (time[dg.DagsterEventType.STEP_START], time[dg.DagsterEventType.STEP_SUCCESS])
            for time in times.values()
        ]
    assert len(callers) == 2 * len(week.days)
    assert all(end <= start for (_, end), (start, _) in pairwise(sorted(callers)))
    # Whoever runs a job beside the daemon, such as `genie-assets load`, is held up by the pool.
    assert week.instance.event_log_storage.get_concurrency_info(GENIE_API_POOL).slot_count == 1


def test_the_retry_sensor_heals_what_failed_with_one_run_a_day(week):
    expected = {one.message_id for one in week.account.messages if one.conversation_id in week.broken}
    assert week.of_broken(resolved=False) == expected
    stored = {row["message_id"] for row in records(week.lake.read(MESSAGE_DETAILS))}
    assert stored == {one.message_id for one in week.account.messages} - expected

    week.sandbox.clear_faults()
    command = ["errors", "requeue", "--all"]
    done = CliRunner().invoke(main, command, env={"GENIE_LAKEHOUSE": week.lakehouse})
    assert f"Due now: {len(expected)} errors" in done.output
    due = {
        row["event_date"].isoformat()
        for row in records(week.lake.read(MESSAGE_FETCH_ERRORS))
        if row["next_retry_timestamp"] <= dt.datetime.now(dt.UTC)
    }
    assert len(due) >= 2

    week.deployment.start_sensor(SENSOR)
    wait_for("The healing of all errors", lambda: week.of_broken(resolved=True) == expected, seconds=300)
    assert not week.of_broken(resolved=False)
    # The next tick must see that nothing is left to do.
    ticks = wait_for("A second tick", lambda: (t := week.deployment.ticks(SENSOR))[1:] and t, seconds=180)
    assert [tick["status"] for tick in ticks[:2]] == ["SUCCESS", "SKIPPED"], ticks
    finished = {dg.DagsterRunStatus.SUCCESS}
    wait_for(
        "The end of the retries",
        lambda: {run.status for run in week.runs("genie/reason", "retry")} == finished,
        seconds=120,
    )
    runs = week.runs("genie/reason", "retry")
    assert sorted(run.tags[DAY] for run in runs) == sorted(due)
    assert {run.job_name for run in runs} == {"genie_retry"}
    assert {run.tags.get("dagster/max_runtime") for run in runs} == {"9600"}
    errors = records(week.lake.read(MESSAGE_FETCH_ERRORS))
    assert {row["resolution"] for row in errors} == {"FETCHED"}
    stored = {row["message_id"] for row in records(week.lake.read(MESSAGE_DETAILS))}
    assert stored == {one.message_id for one in week.account.messages}
