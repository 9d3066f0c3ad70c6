"""The assets: real jobs against a sandbox with a believable account of six days."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.run_notes import OF_ANSWERS, pace_of
from genie_assets_tests.e2e.pipelines import (
    ClockAt,
    Pipeline,
    Row,
    days_of,
    metadata_of,
    point_at,
    recent_anchor,
    sandbox_of,
)
from genie_sandbox.account import Account, Message
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(seed=11, anchor=recent_anchor(), days=6, messages=300)


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture
def pipeline(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """No tables yet, and a sandbox without faults whose requests are counted from here on."""
    point_at(sandbox, tmp_path / "lakehouse", monkeypatch)
    sandbox.reset_requests()
    yield Pipeline()
    sandbox.clear_faults()


def asked_on(message: Message) -> dt.date:
    return dt.datetime.fromtimestamp(message.states[0].at / 1000, dt.UTC).date()


@pytest.fixture(scope="module")
def busy_day(account: Account) -> dt.date:
    return Counter(map(asked_on, account.messages)).most_common(1)[0][0]


def row_of(rows: list[Row], message_id: str) -> Row:
    (row,) = [row for row in rows if row["message_id"] == message_id]
    return row


def requests_for_messages(sandbox: SandboxProcess) -> int:
    by_route = sandbox.requests()["by_route"]
    return by_route.get("get_message", 0) + by_route.get("list_messages", 0)


def test_a_run_tells_in_numbers_what_it_did(pipeline, busy_day, sandbox):
    """The UI plots only numbers; they must be those of the tables and of the server, not of wishes."""
    result = pipeline.run("genie_daily", busy_day)
    references = [row for row in pipeline.rows(GENIE_MESSAGES_TO_FETCH) if row["event_date"] == busy_day]
    discovery = metadata_of(result, "audit_messages")
    assert discovery["dagster/partition_row_count"] == len(references) > 0
    assert discovery["new"] == sum(row["is_new"] for row in references) > 0
    assert discovery["workspaces"] == len({row["workspace_id"] for row in references})

    fetch = metadata_of(result, "genie_api_messages")
    errors = [row for row in pipeline.rows(MESSAGE_FETCH_ERRORS) if not row["resolved"]]
    assert fetch["stored"] + fetch["brought_along"] == len(pipeline.rows(GENIE_API_MESSAGES)) > 0
    assert fetch["requests"] == requests_for_messages(sandbox) > 0
    assert fetch["stored"] + fetch["failed"] == fetch["wanted"] + sum(
        row["error_class"] == "BAD_REFERENCE" for row in errors
    )
    assert fetch["failed"] == len(errors)
    assert fetch["pending"] == 0
    assert fetch["success_rate"] == pytest.approx(fetch["answered"] / fetch["wanted"], abs=1e-6)
    assert 0 < fetch["requests_per_message"] <= 1
    assert fetch["fetch_seconds"] > 0

    folded = metadata_of(result, "enriched_message_details")
    details = pipeline.rows(MESSAGE_DETAILS)
    assert folded["messages"] == folded["inserted"] == len(details)
    assert folded["dagster/partition_row_count"] == sum(row["created_date"] == busy_day for row in details)
    assert 0 < folded["statements_found"] <= folded["statements"]
    times = sorted(
        row["response_time_ms"]
        for row in details
        if row["created_date"] == busy_day and row["response_time_ms"] is not None and not row["is_deleted"]
        if row["status"] in ("COMPLETED", "QUERY_RESULT_EXPIRED") and row["attachments_count"] is not None
    )
    assert folded["responses_timed"] == len(times) > 20
    assert folded["p95_response_ms"] == times[-(-95 * len(times) // 100) - 1]
    for metadata in (discovery, fetch, folded):
        shown = {name: value for name, value in metadata.items() if not isinstance(value, int | float)}
        assert shown.keys() <= {"verdicts", "errors", "statuses", "enrichment", "not_running", "waiting", "spaces"}

    spaces = metadata_of(pipeline.run("genie_spaces"), "genie_space_details")
    stored = pipeline.rows(GENIE_SPACE_DETAILS)
    assert spaces["dagster/row_count"] == spaces["spaces"] + spaces["waiting"] == len(stored)
    assert spaces["exported"] == sum(row["serialized_space"] is not None for row in stored) > 0
    titled = sum(row["title"] is not None for row in stored)
    # The fold has looked at those of its day a moment ago: what could not be exported waits.
    assert spaces["exported"] <= spaces["readable"] <= titled <= spaces["readable"] + spaces["waiting"]
    assert titled > spaces["exported"]


def test_a_day_that_is_run_again_asks_for_nothing_and_writes_nothing(pipeline, busy_day, sandbox):
    first = metadata_of(pipeline.run("genie_daily", busy_day), "enriched_message_details")
    before = pipeline.tables()
    sandbox.reset_requests()
    result = pipeline.run("genie_daily", busy_day)
    again, folded = (metadata_of(result, name) for name in ("genie_api_messages", "enriched_message_details"))
    # The latest run of a day is the one that is plotted: what was not asked again is told again.
    told = {name: first[name] for name in OF_ANSWERS}
    assert {name: folded[name] for name in OF_ANSWERS} == told
    assert (again["wanted"], again["requests"]) == (0, 0)
    assert "success_rate" not in again  # nothing was asked for: no rate, not 0 and not 100 %
    assert requests_for_messages(sandbox) == 0
    assert pipeline.tables() == before


def test_the_pace_on_which_a_run_has_settled_is_known_to_the_next_one(pipeline, account, busy_day, sandbox):
    """Each searched for the limit anew, and was refused until it had found it."""
    other = next(day for day in days_of(account) if day != busy_day)
    sandbox.faults({"effect": "rate_limit", "requests_per_second": 20, "burst": 2})
    settled = metadata_of(pipeline.run("genie_daily", busy_day), "genie_api_messages")["pace"]
    assert pace_of(settled)
    assert all(rate < 1000 for rate in pace_of(settled).values())
    sandbox.clear_faults()
    assert metadata_of(pipeline.run("genie_daily", other), "genie_api_messages")["pace"] == settled


def test_a_message_that_is_gone_after_it_was_stored_stays_and_is_marked(pipeline, account, sandbox):
    """A message that still runs is looked at again; by then its user has deleted it."""
    (running, *_) = account.notes["special"]["running"]
    message = next(one for one in account.messages if one.message_id == running)
    day = asked_on(message)
    pipeline.run("genie_daily", day)
    stored = row_of(pipeline.rows(MESSAGE_DETAILS), running)
    assert not stored["is_deleted"]
    sandbox.faults({"effect": "status", "status": 404, "message_id": running})
    sandbox.faults({"effect": "status", "status": 404, "conversation_id": message.conversation_id})
    result = pipeline.run("genie_daily", day, clock=ClockAt(dt.timedelta(hours=25)))
    assert metadata_of(result, "genie_api_messages")["found_deleted"] == 1
    marked = row_of(pipeline.rows(MESSAGE_DETAILS), running)
    assert marked["is_deleted"]
    assert marked["content"] == stored["content"]
    assert not [
        row for row in pipeline.rows(MESSAGE_FETCH_ERRORS) if row["message_id"] == running and not row["resolved"]
    ]
    # Nothing is left to do, though the message never ended.
    sandbox.reset_requests()
    pipeline.run("genie_daily", day, clock=ClockAt(dt.timedelta(hours=60)))
    assert all(running not in request["path"] for request in sandbox.requests(latest=1000)["latest"])


def test_a_permission_that_is_granted_later_heals_the_error_once_it_is_due_and_not_before(
    pipeline, account, busy_day, sandbox
):
    conversation_id = plain_conversation(account, busy_day)
    sandbox.faults({"effect": "status", "status": 403, "conversation_id": conversation_id})
    pipeline.run("genie_daily", busy_day)
    refused = [row for row in pipeline.rows(MESSAGE_FETCH_ERRORS) if row["conversation_id"] == conversation_id]
    assert refused
    assert {row["error_class"] for row in refused} == {"PERMISSION"}

    sandbox.clear_faults()  # granted
    sandbox.reset_requests()
    pipeline.run("genie_daily", busy_day)
    assert all(conversation_id not in request["path"] for request in sandbox.requests(latest=1000)["latest"])

    pipeline.run("genie_retry", busy_day, clock=ClockAt(dt.timedelta(hours=2)))
    healed = [row for row in pipeline.rows(MESSAGE_FETCH_ERRORS) if row["conversation_id"] == conversation_id]
    assert [(row["resolved"], row["resolution"]) for row in healed] == [(True, "FETCHED")] * len(refused)
    assert {row["message_id"] for row in refused} <= {row["message_id"] for row in pipeline.rows(MESSAGE_DETAILS)}


def is_readable(account: Account, message: Message) -> bool:
    spaces = {one.space_id for one in account.spaces if one.access != "none" and one.trashed_at is None}
    return message.access == "ok" and message.deleted_at is None and message.space_id in spaces


def plain_conversation(account: Account, day: dt.date) -> str:
    """One of the day whose messages can all be read and are all in the audit log."""
    late = {one for name in ("late_ask", "late_all") for one in account.notes["special"].get(name, [])}
    plain: dict[str, bool] = {}
    for one in account.messages:
        good = is_readable(account, one) and one.message_id not in late and asked_on(one) == day
        plain[one.conversation_id] = plain.get(one.conversation_id, True) and good
    return next(conversation_id for conversation_id, good in plain.items() if good)


@pytest.mark.long
def test_a_dead_workspace_does_not_stop_the_others(pipeline, account, busy_day, monkeypatch):
    counts = Counter(one.workspace_id for one in account.messages if asked_on(one) == busy_day)
    dead = counts.most_common(1)[0][0]
    monkeypatch.setenv("GENIE_WORKSPACE_URLS", f"{dead}=http://127.0.0.1:9")
    result = pipeline.run("genie_daily", busy_day)
    references = [row for row in pipeline.rows(GENIE_MESSAGES_TO_FETCH) if row["event_date"] == busy_day]
    stored = Counter(row["workspace_id"] for row in pipeline.rows(MESSAGE_DETAILS))
    readable = {one.message_id for one in account.messages if is_readable(account, one)}
    assert len(stored) >= 2
    assert stored.keys() == {row["workspace_id"] for row in references if row["message_id"] in readable} - {dead}
    failed = [row for row in pipeline.rows(MESSAGE_FETCH_ERRORS) if row["workspace_id"] == dead]
    assert {row["error_class"] for row in failed} <= {"NETWORK", "BAD_REFERENCE"}
    wanted = {row["message_id"] for row in references if row["workspace_id"] == dead and not row["is_deleted"]}
    assert {row["message_id"] for row in failed} == wanted
    assert all(
        check.passed for check in result.get_asset_check_evaluations() if check.check_name != "api_success_rate"
    )


@pytest.mark.long
def test_maintenance_leaves_every_row_as_it_is(pipeline, account, tmp_path):
    for day in days_of(account)[:3]:
        pipeline.run("genie_daily", day)
    # A second write of the same days leaves more than one file to a day.
    pipeline.run("genie_daily", days_of(account)[0], clock=ClockAt(dt.timedelta(days=4)))
    before = pipeline.tables()
    result = pipeline.run("genie_maintenance")
    assert pipeline.tables() == before
    observed = [
        event.asset_observation_data.asset_observation.metadata
        for event in result.all_events
        if event.is_asset_observation
    ]
    assert {metadata["table"].value for metadata in observed} == before.keys()
    assert any(metadata["files_after"].value < metadata["files_before"].value for metadata in observed)
    pipeline.run("genie_daily", days_of(account)[1])
    assert pipeline.tables() == before
