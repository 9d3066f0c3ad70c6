"""The look at many days of the audit log sees of each what its discovery reads, neither more nor less."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from genie_assets.domain.actions import deletes_conversation
from genie_assets.domain.agents import agent_conversations
from genie_assets.domain.day_loads import fingerprints
from genie_assets.domain.keys import Row
from genie_assets.domain.tables import records
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.gateways.sql.texts import sql_text
from genie_assets.settings import load_settings
from genie_assets.wiring import open_system_tables
from genie_assets_tests.e2e.pipelines import point_at, recent_anchor, sandbox_of
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate

DAYS_BACK = 8


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    account = generate(seed=11, anchor=recent_anchor(), messages=200, days=6)
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture
def asked(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SystemTables:
    point_at(sandbox, tmp_path, monkeypatch)
    settings = load_settings()
    return open_system_tables(settings, settings.databricks())


def test_the_look_counts_the_events_that_discovery_reads(asked: SystemTables) -> None:
    last = recent_anchor().date() + dt.timedelta(days=1)
    first = last - dt.timedelta(days=DAYS_BACK)
    found = fingerprints(records(asked.event_days(first, last)))
    assert len(found) >= 5
    for day, row in found.items():
        events = [each for each in records(asked.message_events(day)) if is_stored(each)]
        # Of the day, and of no other one: what the log is asked has an end.
        gone = [each for each in records(asked.deletions(day, day)) if deletes_conversation(each["action_name"])]
        assert row["event_count"] == sum(each["event_count"] for each in (*events, *gone)), day
        assert row["newest_event_time"] == max(each["last_event_time"] for each in (*events, *gone))
    alone = fingerprints(records(asked.event_days(last - dt.timedelta(days=3), last - dt.timedelta(days=3))))
    assert alone == {day: found[day] for day in alone}
    assert alone


def is_stored(event: Row) -> bool:
    """Whether a load stores something of an event."""
    is_of_an_agent = bool(agent_conversations([event], {}))
    return bool(event["message_id"] or event["space_event_id"] or is_of_an_agent)


def test_a_day_and_what_comes_later_are_one_statement_and_a_later_deletion_shows_in_it(
    asked: SystemTables, sandbox: SandboxProcess
) -> None:
    last = recent_anchor().date() + dt.timedelta(days=1)
    day = last - dt.timedelta(days=4)
    sandbox.reset_requests()
    of_it, later, workspaces = asked.day_and_later(day, last)
    assert sandbox.requests(0)["by_call"]["POST statements"] == 1
    assert fingerprints(records(of_it)) == fingerprints(records(asked.event_days(day, day)))
    counts = {row["event_date"]: row["event_count"] for row in records(later)}
    found = fingerprints(records(asked.event_days(day + dt.timedelta(days=1), last)))
    assert {each: count for each, count in counts.items() if count} == {
        each: row["event_count"] for each, row in found.items()
    }
    assert "workspace_id" not in later
    assert len(workspaces) > 1
    assert in_order(workspaces) == in_order(asked.workspaces()), "addresses as they are used, and statuses"
    deleted = asked.deletions(day + dt.timedelta(days=1), last)
    assert set(deleted["event_date"]) <= {each for each, count in counts.items() if count}


def in_order(workspaces: pd.DataFrame) -> list[Row]:
    return sorted(records(workspaces), key=lambda row: str(row["workspace_id"]))


def test_both_statements_say_in_the_same_words_what_is_left_out() -> None:
    """Were a read of ours counted, each run would be a reason for the next."""
    one, other = (
        sql_text(name).split("AND NOT (")[1].split("\n)")[0] for name in ("audit_message_events", "audit_days")
    )
    assert one == other
