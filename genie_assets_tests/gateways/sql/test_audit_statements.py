"""What the statements about the audit log find, asked of a real engine with the rows of hard cases."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.actions import may_change
from genie_assets.domain.audit import unnamed_events
from genie_assets.domain.space_events import space_events
from genie_assets.domain.tables import records
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.gateways.sql.texts import sql_text
from genie_assets.settings import load_settings
from genie_assets.wiring import open_system_tables
from genie_assets_tests.e2e.pipelines import point_at, sandbox_of
from genie_assets_tests.sandbox.tiny import START, account_of, audit_row, ids_of
from genie_sandbox.account import Account, ArrivingRow
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.cases import NEVER
from genie_sandbox.made_up.scenarios import account_level_rows, agent_events, asked_by_ourselves, with_scenarios

DAY = dt.date(2026, 3, 2)
OURS, OTHERS = "App-1", "ana@x.example"


def _account() -> Account:
    actions = ("genieListConversationMessages", "getConversationMessage", "deleteConversationMessage")
    rows = [(action, who) for action in actions for who in (OURS, OTHERS)]
    audit = tuple(
        audit_row(number, START + number, action, ids_of(f"{action} {who}"), email=who)
        for number, (action, who) in enumerate(rows)
    )
    return with_scenarios(
        account_of(audit=(*audit, *_of_spaces(), _of_the_account(), _of_the_year_9999())),
        START,
        [asked_by_ourselves, account_level_rows, agent_events],
    )


def _of_the_account() -> ArrivingRow:
    """The newest row of all, of another service, which is about no workspace."""
    found = audit_row(90, START + 3 * 86_400_000, "login", {}, service="accounts", arrives_at=START)
    return replace(found, row={**found.row, "workspace_id": "0"})


def _of_the_year_9999() -> ArrivingRow:
    return audit_row(91, NEVER, "login", {}, service="accounts", arrives_at=START)


def _of_spaces() -> list[ArrivingRow]:
    """Events about spaces: the first two are alike but for who did it, and the first one is there twice."""
    made = '{"spaceId": "s9"}'
    rows: list[tuple[int, str, dict[str, str], dict[str, Any]]] = [
        (50, "updateSpace", {"space_id": "s1"}, {}),
        (50, "updateSpace", {"space_id": "s1"}, {}),
        (51, "genieUpdateSpace", {"spaceId": "s1"}, {"email": OURS}),
        (52, "cloneSpace", {"space_id": "s1"}, {"result": made}),
        (53, "trashSpace", {"space_id": "s1"}, {}),
        (54, "getSpace", {"space_id": "s1"}, {}),
        (55, "updateSpace", {"space_id": "s1"}, {"status": 403}),
        (56, "updateSpace", {}, {}),
        (57, "createConversation", {"space_id": "s1", "conversation_id": "c1"}, {}),
    ]
    return [audit_row(number, START + number, action, ids, **more) for number, action, ids, more in rows]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(_account(), tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture
def asked(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SystemTables:
    point_at(sandbox, tmp_path, monkeypatch)
    settings = load_settings()
    return open_system_tables(settings, settings.databricks())


def test_of_what_our_own_principal_did_only_reads_are_left_out(asked: SystemTables) -> None:
    """Whatever an application asked with the same principal was no message at all."""
    events = records(asked.message_events(DAY))
    found = {(row["action_name"], row["actor"]) for row in events if row["message_id"]}
    assert found == {
        ("genieListConversationMessages", OTHERS),
        ("getConversationMessage", OTHERS),
        ("deleteConversationMessage", OTHERS),
        ("deleteConversationMessage", OURS),
        ("createConversationMessage", OURS),
        ("genieSendMessageFeedback", OURS),
    }


def test_what_agents_are_asked_is_counted_though_it_names_no_message(asked: SystemTables) -> None:
    found = unnamed_events(asked.message_events(DAY))
    assert found.asked_of_agents == {"createAgentResponse": 2, "steerAgentConversation": 1}
    assert found.unknown == {}


def test_rows_of_the_account_itself_are_left_out(asked: SystemTables) -> None:
    """They have 0 in the place of a workspace."""
    for frame in (asked.message_events(DAY), asked.deletions(DAY, DAY)):
        assert set(frame["workspace_id"]) == {"1"}
    for statement in ("audit_message_events", "audit_deletions"):
        assert "<> '0'" in sql_text(statement)


def test_neither_rows_of_the_account_itself_nor_of_the_year_9999_make_the_log_of_a_region_fresh(
    asked: SystemTables,
) -> None:
    """Every region shows the former, whatever becomes of its own workspaces' rows; the latter stay for ever."""
    times = {"0": 0, "1": 0}
    for each in _account().audit:
        if each.row["event_time"] != NEVER:
            times[each.row["workspace_id"]] = max(each.row["event_time"], times[each.row["workspace_id"]])
    assert times["0"] > times["1"]
    assert asked.latest_audit_event(DAY) == dt.datetime.fromtimestamp(times["1"] / 1000, dt.UTC)


@pytest.mark.parametrize("read", ["get", "list", "summarize", "generatedownload"])
def test_the_statement_knows_the_same_reads_as_the_rule(read: str) -> None:
    (pattern,) = [line for line in sql_text("audit_message_events").splitlines() if "RLIKE" in line]
    assert read in pattern.split("(")[-1].split(")")[0].split("|")
    assert not may_change(f"genie{read}Something")


def _places(statement: str, name: str) -> str:
    """Where a statement looks for an id of an event, without how it is laid out."""
    before, _, _ = statement.partition(f") AS {name}")
    return " ".join(before.rpartition("COALESCE(")[2].split())


@pytest.mark.parametrize(
    ("other", "names"),
    [
        ("audit_days", ("space_id", "conversation_id", "message_id")),
        ("audit_deletions", ("space_id", "conversation_id", "message_id")),
    ],
)
def test_all_statements_find_the_ids_of_an_event_in_the_same_places(other: str, names: tuple[str, ...]) -> None:
    """Each is a file that a person can run as it is, and so says it itself; they must say the same."""
    for name in names:
        places = _places(sql_text(other), name)
        assert places == _places(sql_text("audit_message_events"), name)
        assert places.count(name) == 2


def test_each_change_of_a_space_comes_for_itself_and_names_who_and_which(asked: SystemTables) -> None:
    """What makes a space names the new one; reads, refusals and what is about messages change none."""
    found = space_events(records(asked.message_events(DAY)))
    assert sorted((row["event_id"], row["space_id"], row["event"], row["actor"]) for row in found) == [
        ("event-50", "s1", "UPDATED", OTHERS),
        ("event-51", "s1", "UPDATED", OURS),
        ("event-52", "s9", "CREATED", OTHERS),
        ("event-53", "s1", "TRASHED", OTHERS),
    ]
    assert len({row["event_time"] for row in found}) == 4
