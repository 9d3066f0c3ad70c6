"""The checks, and days on which the API does not give everything: real jobs, a sandbox of plain messages."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from deltalake import DeltaTable

from genie_assets.domain import ledger
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets.run_notes import causes_of
from genie_assets.wiring import RunBudget
from genie_assets_tests.e2e.pipelines import (
    Pipeline,
    evaluations_of,
    metadata_of,
    point_at,
    recent_anchor,
    sandbox_of,
)
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

pytestmark = pytest.mark.slow

DAILY = {"api_success_rate", "ledger_is_true", "nothing_is_lost", "keys_are_unique", "enrichment_coverage"}
IDS = ("workspace_id", "space_id", "conversation_id", "message_id")


@pytest.fixture(scope="module")
def account() -> Account:
    """150 conversations of two messages over two days, in one workspace."""
    return generate_uniform(seed=3, anchor=recent_anchor(), conversations=150, messages_per_conversation=2, days=2)


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture
def pipeline(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """No tables yet, and a sandbox without faults."""
    point_at(sandbox, tmp_path / "lakehouse", monkeypatch)
    yield Pipeline()
    sandbox.clear_faults()


@pytest.fixture(scope="module")
def day(account: Account) -> dt.date:
    return dt.date.fromisoformat(account.first_day)


@pytest.fixture(scope="module")
def conversations(account: Account, day: dt.date) -> list[str]:
    """Those that lie within the day."""
    days: dict[str, set[dt.date]] = {}
    for message in account.messages:
        asked = dt.datetime.fromtimestamp(message.states[0].at / 1000, dt.UTC).date()
        days.setdefault(message.conversation_id, set()).add(asked)
    return [conversation_id for conversation_id, seen in days.items() if seen == {day}]


def forbid(sandbox: SandboxProcess, conversation_ids: list[str]) -> None:
    sandbox.faults(
        *({"effect": "status", "status": 403, "conversation_id": one, "route": "any"} for one in conversation_ids)
    )


def test_a_day_without_trouble_passes_every_check_and_records_each_for_its_day(pipeline, day, conversations):
    """Partitioned checks are a preview in Dagster: this notices an upgrade that records them without the day."""
    result = pipeline.run("genie_daily", day)
    evaluations = evaluations_of(result)
    assert evaluations.keys() == DAILY
    assert {name: one.passed for name, one in evaluations.items()} == dict.fromkeys(DAILY, True)
    assert {one.partition for one in evaluations.values()} == {day.isoformat()}
    assert evaluations["api_success_rate"].metadata["success_rate"].value == 1.0
    counted = {name: value.value for name, value in evaluations["nothing_is_lost"].metadata.items()}
    wanted = metadata_of(result, "genie_api_messages")["wanted"]
    told = {name: count for name, count in counted.items() if count}
    assert told == {"messages_discovered": wanted, "messages_stored": wanted}
    parts = ("with_an_open_error", "deleted", "closed_by_hand", "pending", "lost")
    assert counted.keys() - told.keys() == {f"messages_{each}" for each in parts}
    assert wanted >= 2 * len(conversations)


@pytest.mark.parametrize(
    ("share", "passed", "severity"),
    [
        (0.007, True, None),
        (0.04, False, dg.AssetCheckSeverity.WARN),
        (0.20, False, dg.AssetCheckSeverity.ERROR),
    ],
)
def test_the_success_rate_is_judged_and_the_run_succeeds_all_the_same(
    share, passed, severity, pipeline, day, conversations, sandbox
):
    forbidden = conversations[: max(1, round(share * len(conversations)))]
    forbid(sandbox, forbidden)
    result = pipeline.run("genie_daily", day)
    evaluations = evaluations_of(result)
    rate = evaluations["api_success_rate"]
    assert rate.passed == passed
    assert severity is None or rate.severity == severity
    failed = 2 * len(forbidden)
    asked: Any = rate.metadata["messages_asked_for"].value
    assert rate.metadata["success_rate"].value == pytest.approx((asked - failed) / asked, abs=1e-4)
    assert severity is None or causes_of(rate.metadata) == {"PERMISSION": failed}
    assert evaluations["nothing_is_lost"].passed
    errors = pipeline.rows(MESSAGE_FETCH_ERRORS)
    assert {row["conversation_id"] for row in errors} == set(forbidden)
    assert {row["error_class"] for row in errors} == {"PERMISSION"}
    assert len(errors) == failed
    assert len(pipeline.rows(MESSAGE_DETAILS)) == asked - failed


def test_a_day_of_which_nothing_can_be_read_fails_at_once_and_the_ledger_knows_why(pipeline, day, sandbox):
    sandbox.faults(
        {"effect": "status", "status": 403, "route": "get_message"},
        {"effect": "status", "status": 403, "route": "list_messages"},
    )
    result = pipeline.run("genie_daily", day, succeeds=False)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == "genie_api_messages"
    data = failure.step_failure_data
    assert "None of the messages" in data.error_display_string
    assert data.user_failure_data.metadata["failed"].value == data.user_failure_data.metadata["wanted"].value > 20
    # Trying the step again at once could only repeat every refusal.
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
    assert not pipeline.rows(MESSAGE_DETAILS)
    errors = pipeline.rows(MESSAGE_FETCH_ERRORS)
    assert len(errors) == data.user_failure_data.metadata["failed"].value
    now = dt.datetime.now(dt.UTC)
    assert all(not row["resolved"] and row["next_retry_timestamp"] > now for row in errors)


def test_nothing_is_lost_notices_a_single_missing_row(pipeline, day, tmp_path):
    pipeline.run("genie_daily", day)
    assert pipeline.check("nothing_is_lost", day).passed
    victim = pipeline.rows(MESSAGE_DETAILS)[0]["message_id"]
    table = DeltaTable(tmp_path / "lakehouse/genie_analytics/message_details")
    assert table.delete(f"message_id = '{victim}'")["num_deleted_rows"] == 1
    evaluation = pipeline.check("nothing_is_lost", day)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert evaluation.metadata["messages_lost"].value == 1
    # What is stored of the API's answers brings it back.
    assert evaluations_of(pipeline.run("genie_daily", day))["nothing_is_lost"].passed
    assert pipeline.check("nothing_is_lost", day).passed


def test_keys_are_unique_notices_a_row_that_is_stored_twice(pipeline, day, tmp_path):
    """Also where its twin lies in the partition of another day."""
    pipeline.run("genie_daily", day)
    assert pipeline.check("keys_are_unique", day).passed
    row = pipeline.lake.read(MESSAGE_DETAILS).iloc[[0]]
    pipeline.lake.append(MESSAGE_DETAILS, row.assign(created_date=day - dt.timedelta(days=1)))
    evaluation = pipeline.check("keys_are_unique", day)
    assert not evaluation.passed
    assert evaluation.metadata["rows_too_many"].value == 1
    assert "1 row too many in message_details" in (evaluation.description or "")
    assert pipeline.check("keys_are_unique", day, asset="message_attachments").passed


def test_the_ledger_is_not_true_while_it_has_an_error_of_a_message_that_was_read_since(pipeline, day):
    """A run that dies between its log and its ledger leaves one; the next run sees it and puts it right."""
    pipeline.run("genie_daily", day)
    assert pipeline.check("ledger_is_true", day).passed
    ids = {name: value for name, value in pipeline.rows(MESSAGE_DETAILS)[0].items() if name in IDS}
    before = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    error = FetchError(ErrorClass.SERVER, "500")
    row = ledger.failed(ids, error, previous=None, event_date=day, now=before, jitter=0.5)
    killed = {**row, "ingestion_batch_id": "killed"}
    pipeline.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame([killed]))
    evaluation = pipeline.check("ledger_is_true", day)
    assert not evaluation.passed
    assert evaluation.metadata["outdated_errors"].value == 1
    assert evaluations_of(pipeline.run("genie_daily", day))["ledger_is_true"].passed
    assert [row["resolution"] for row in pipeline.rows(MESSAGE_FETCH_ERRORS)] == ["FETCHED"]


def test_what_the_time_did_not_suffice_for_is_pending_and_the_next_run_fetches_it(pipeline, day, sandbox):
    sandbox.faults({"effect": "latency", "latency_ms": 600, "route": "list_messages"})
    first = pipeline.run("genie_daily", day, budget=RunBudget(minutes=0.04))
    numbers = metadata_of(first, "genie_api_messages")
    assert 0 < numbers["pending"] < numbers["wanted"]
    assert numbers["failed"] == 0
    lost = evaluations_of(first)["nothing_is_lost"]
    assert lost.passed
    assert lost.metadata["messages_pending"].value == numbers["pending"]
    assert not pipeline.rows(MESSAGE_FETCH_ERRORS)

    sandbox.clear_faults()
    second = pipeline.run("genie_daily", day)
    assert metadata_of(second, "genie_api_messages")["wanted"] == numbers["pending"]
    assert metadata_of(second, "genie_api_messages")["pending"] == 0
    assert evaluations_of(second)["nothing_is_lost"].metadata["messages_stored"].value == numbers["wanted"]
