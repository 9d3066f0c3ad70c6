"""What is said around messages, from the real API of the sandbox: pages, refusals, deletions, and silence."""

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.agents import agent_conversations
from genie_assets.domain.keys import Row
from genie_assets.domain.tables import (
    AGENT_CONVERSATION_LOOKS,
    AGENT_FETCH_ERRORS,
    AGENT_ITEMS,
    COMMENT_FETCH_ERRORS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_COMMENT_LOOKS,
    MESSAGE_COMMENTS,
)
from genie_assets.domain.unread import Unread
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.meanings import MEANINGS
from genie_assets.pipeline.agent_items import keep_items, keep_listed
from genie_assets.pipeline.errors_by_hand import close, open_rows
from genie_assets.pipeline.message_comments import keep_comments
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.side_ledgers import unread_around_messages
from genie_assets.pipeline.whole_lists import ListsReport
from genie_assets_tests.e2e.pipelines import (
    Pipeline,
    days_of,
    last_night,
    metadata_of,
    point_at,
    sandbox_of,
)
from genie_assets_tests.mortal import KilledError, Mortal
from genie_assets_tests.sandbox.tiny import HOUR, NOW, START, account_of, ids_of, message_of, utc
from genie_sandbox.account import AgentConversation, AgentItem, Comment, Message
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate
from genie_sandbox.truth.comparison import differences
from genie_sandbox.truth.tables import truth_of_children

MANY, STEPS = 45, 60
SECRET = "Who earns the most?"


def commented(message_id: str, *comments: Comment, **more: Any) -> Message:
    return replace(message_of(message_id, conversation_id=f"c-{message_id}"), comments=comments, **more)


def comment(number: int, at: int = START, deleted_at: int | None = None) -> Comment:
    body = {"message_comment_id": f"k{number}", "content": SECRET, "user_id": 7, "created_timestamp": at}
    return Comment(at, body, deleted_at)


MESSAGES = (
    commented("many", *(comment(number) for number in range(MANY))),
    commented("some", comment(1), comment(2, deleted_at=NOW + HOUR), comment(3, at=NOW + HOUR)),
    commented("hidden", comment(4), access="none"),
    commented("leaves", comment(5), deleted_at=NOW + HOUR),
    commented("silent"),
    commented("agent"),
    commented("chat"),
)
AGENTS = tuple(
    AgentConversation(
        "1",
        "s1",
        f"c-{name}",
        tuple(
            AgentItem(START if n < STEPS else NOW + HOUR, {"id": f"i{n}", "type": "reasoning"})
            for n in range(STEPS + 1)
        ),
    )
    for name in ("agent", "hidden")
)


class World:
    """Messages of an account, and what the audit log shows of comments on them."""

    def __init__(self, sandbox: SandboxProcess, folder: Path) -> None:
        self.sandbox, self.lake, self.now = sandbox, open_lakehouse(str(folder)), utc(NOW)
        workspaces = Workspaces(sandbox.host, token=sandbox.token, policy=HostPolicy(["127.0.0.1"]))
        retries = Retries(attempts=1, first_wait=0.01)
        self.genie = GenieApi(workspaces, threads=4, pacer_of=lambda _: Pacer(5000), retries=retries)

    def refer(self, *message_ids: str, at: dt.datetime | None = None, **more: Any) -> None:
        """The log shows that somebody commented on these."""
        rows = [
            {
                **ids_of(message_id, f"c-{message_id}"),
                "workspace_id": "1",
                "workspace_url": self.sandbox.urls["1"],
                "event_date": (at or self.now).date(),
                "is_deleted": False,
                "last_comment_time": at or self.now,
                "ingestion_timestamp": self.now,
                **more,
            }
            for message_id in message_ids
        ]
        self.lake.merge(GENIE_MESSAGES_TO_FETCH, GENIE_MESSAGES_TO_FETCH.frame(rows))

    def keep(self) -> ListsReport:
        self.sandbox.reset_requests()
        return keep_comments(self.run, (), genie=self.genie, lake=self.lake)

    def name(self, *message_ids: str) -> None:
        """The log shows that somebody asked an agent in the conversations of these."""
        events = [
            {
                **ids_of(message_id, f"c-{message_id}"),
                "agent_id": "s1",
                "workspace_id": "1",
                "action_name": "createAgentResponse",
                "is_refused": False,
                "first_event_time": self.now - dt.timedelta(hours=1),
                "last_event_time": self.now - dt.timedelta(hours=1),
            }
            for message_id in message_ids
        ]
        shown = agent_conversations(events, {"1": self.sandbox.urls["1"]})
        keep_listed(shown, self.lake, self.now)

    def keep_items(self) -> ListsReport:
        self.sandbox.reset_requests()
        return keep_items(self.run, (), genie=self.genie, lake=self.lake)

    @property
    def run(self) -> Run:
        return Run(self.now.date(), "run", lambda: self.now)

    @property
    def asked_items(self) -> int:
        return int(self.sandbox.requests()["by_route"].get("list_items", 0))

    @property
    def asked(self) -> int:
        return int(self.sandbox.requests()["by_route"].get("list_comments", 0))

    def wait(self, hours: int) -> None:
        self.now += dt.timedelta(hours=hours)
        self.sandbox.set_clock(max(self.sandbox.now_ms(), round(self.now.timestamp() * 1000)))

    def there(self, message_id: str) -> set[str]:
        rows = self.lake.records(MESSAGE_COMMENTS)
        return {row["comment_id"] for row in rows if row["message_id"] == message_id and not row["is_deleted"]}

    def errors(self) -> dict[str, Row]:
        return {row["message_id"]: row for row in self.lake.records(COMMENT_FETCH_ERRORS)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with sandbox_of(
        replace(account_of(messages=MESSAGES), agents=AGENTS), tmp_path / "account", sql=False
    ) as sandbox:
        yield World(sandbox, tmp_path / "lake")


def test_comments_are_listed_once_for_each_event_and_what_goes_wrong_is_in_the_ledger(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert (world.keep().wanted, world.asked) == (0, 0), "an account without comments costs nothing"
    world.sandbox.faults({"effect": "max_page_size", "limit": 20})
    world.refer("many", "some", "hidden", "leaves", "silent", "unknown")
    world.refer("silent", at=world.now - dt.timedelta(days=1))
    report = world.keep()
    assert (report.wanted, report.changed, report.tally.failed) == (6, MANY + 3, 2)
    assert world.asked == 3 + 5
    assert (len(world.there("many")), world.there("some"), world.there("leaves")) == (MANY, {"k1", "k2"}, {"k5"})
    assert {name: row["error_class"] for name, row in world.errors().items()} == {
        "hidden": "PERMISSION",
        "unknown": "NOT_FOUND",
    }

    # Nothing new: nothing is asked, but for errors whose time has come.
    report = world.keep()
    assert (report.tally.waiting, world.asked) == (2, 0)

    # Later events of some: one comment has gone, one has come; one message is deleted with its comments.
    world.wait(2)
    world.refer("some", "leaves")
    report = world.keep()
    assert (report.changed, report.deleted, report.tally.deleted) == (1, 1, 1)
    assert world.there("some") == {"k1", "k3"}
    assert world.there("leaves") == {"k5"}, "what was known of a message that is gone stays"
    assert world.errors()["leaves"]["resolution"] == "DELETED"
    assert len(world.lake.records(MESSAGE_COMMENTS)) == MANY + 4
    world.wait(30)
    world.keep()
    assert world.asked == 2, "the two refused, which are due; not what is known to be deleted"

    # A list that breaks off shows nothing as deleted; it is read again when its time has come.
    world.refer("many")
    world.sandbox.faults(
        {"effect": "status", "status": 500, "route": "list_comments", "message_id": "many", "every": 2}
    )
    world.keep()
    assert (len(world.there("many")), world.errors()["many"]["error_class"]) == (MANY, "SERVER")
    world.sandbox.clear_faults()
    world.wait(24)
    world.keep()
    assert world.errors()["many"]["resolution"] == "FETCHED"
    looks = {row["message_id"]: row["comment_count"] for row in world.lake.records(MESSAGE_COMMENT_LOOKS)}
    assert looks == {"many": MANY, "some": 2, "leaves": 1, "silent": 0}
    assert SECRET not in caplog.text
    assert all(SECRET not in str(row["error_message"]) for row in world.errors().values())


def test_what_is_not_looked_at_for_two_days_is_overdue_and_what_is_closed_by_hand_is_left_alone(
    world: World,
) -> None:
    def unread(name: str) -> Unread:
        found = unread_around_messages(world.lake, world.now)
        return next(state for each, state in found.items() if each.name == name)

    world.refer("many", "hidden")
    world.name("agent")
    world.wait(47)
    assert unread("comments").is_clear
    assert unread("agents").is_clear
    world.wait(2)
    assert (unread("comments").overdue, unread("agents").overdue) == (2, 1), "the job never ran: no error says so"
    world.keep()
    world.keep_items()
    assert unread("agents").is_clear
    assert (unread("comments").overdue, dict(unread("comments").by_class)) == (0, {"PERMISSION": 1})
    close(world.lake, open_rows(world.lake, COMMENT_FETCH_ERRORS), world.now, COMMENT_FETCH_ERRORS)
    world.wait(72)
    assert (world.keep().wanted, unread("comments").is_clear) == (0, True)
    world.refer("hidden")
    assert world.keep().wanted == 1, "somebody commented on it again"


def test_steps_of_agents_are_listed_to_the_end_and_again_when_something_happened(world: World) -> None:
    assert (world.keep_items().wanted, world.asked_items) == (0, 0), "an account without agents costs nothing"
    world.sandbox.faults({"effect": "max_page_size", "limit": 20})
    world.name("agent", "hidden", "chat")
    report = world.keep_items()
    assert (report.wanted, report.changed, report.tally.failed) == (3, STEPS, 2)
    assert world.asked_items == 4 + 2, "three pages, and one more that is empty"
    rows = world.lake.records(AGENT_ITEMS)
    assert sorted(row["item_ordinal"] for row in rows) == list(range(1, STEPS + 1))
    errors = {row["conversation_id"]: row["error_class"] for row in world.lake.records(AGENT_FETCH_ERRORS)}
    assert errors == {"c-hidden": "PERMISSION", "c-chat": "NOT_FOUND"}
    assert (world.keep_items().tally.waiting, world.asked_items) == (2, 0)

    # A turn is a message, too: an event that names it and no agent is enough.
    world.wait(2)
    world.refer("agent", last_change_time=world.now, last_comment_time=None)
    world.refer("some", last_change_time=world.now, last_comment_time=None)
    report = world.keep_items()
    assert (report.changed, report.deleted) == (1, 0)
    world.wait(1)
    world.keep_items()
    assert world.asked_items == 0

    # A page that breaks off stores nothing of the list, and its time comes again.
    world.wait(1)
    world.name("agent")
    world.sandbox.faults({"effect": "status", "status": 500, "route": "list_items", "every": 2})
    world.keep_items()
    assert {row["is_deleted"] for row in world.lake.records(AGENT_ITEMS)} == {False}
    world.sandbox.clear_faults()
    world.wait(24)
    world.keep_items()
    looks = {row["conversation_id"]: row["item_count"] for row in world.lake.records(AGENT_CONVERSATION_LOOKS)}
    assert looks == {"c-agent": STEPS + 1}


@pytest.mark.long
def test_a_run_that_is_killed_after_any_step_leaves_what_the_next_one_completes(
    world: World, tmp_path: Path
) -> None:
    def kept(lake: Any) -> None:
        keep_comments(world.run, (), genie=world.genie, lake=lake)
        keep_items(world.run, (), genie=world.genie, lake=lake)

    def stored() -> list[Any]:
        tables = (MESSAGE_COMMENTS, AGENT_ITEMS, COMMENT_FETCH_ERRORS, AGENT_FETCH_ERRORS)
        return [sorted(map(table.key_of, world.lake.records(table))) for table in tables]

    found, last, died = [], 0, True
    while died:
        last += 1
        world.lake = open_lakehouse(str(tmp_path / f"lake {last}"))
        world.refer("many", "some", "hidden")
        world.name("agent", "chat")
        mortal = Mortal(last)
        with suppress(KilledError):
            kept(mortal(world.lake))
        died = mortal.calls >= last
        world.now += dt.timedelta(hours=1)  # so that what failed is due
        kept(world.lake)
        world.now -= dt.timedelta(hours=1)
        found.append(stored())
    assert last > 10
    assert all(each == found[-1] for each in found)


@pytest.mark.long
def test_what_the_log_lost_is_found_by_reconciliation_with_its_comments_and_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the log is gone."""
    account = generate(seed=11, anchor=last_night(), days=3, messages=60)
    lossy = replace(account, audit=())
    with sandbox_of(lossy, tmp_path / "account") as sandbox:
        point_at(sandbox, tmp_path / "lake", monkeypatch)
        monkeypatch.setenv("GENIE_RECONCILE", "1")
        sandbox.advance(hours=24)
        pipeline = Pipeline()
        pipeline.run("genie_daily", days_of(account)[-1])
        pipeline.run("genie_spaces")
        pipeline.run("genie_conversations")
        assert different(pipeline, account) != []
        pipeline.run("genie_reconciliation")
        pipeline.run("genie_conversations")
        assert different(pipeline, account) == []
        sandbox.reset_requests()
        pipeline.run("genie_reconciliation")
        pipeline.run("genie_conversations")
        asked = sandbox.requests(0)["by_route"]
        assert (asked.get("list_comments", 0), asked.get("list_items", 0)) == (0, 0)


@pytest.mark.parametrize("lakehouse", ["files", pytest.param("unity", marks=pytest.mark.long)])
def test_the_tables_are_the_truth_and_a_quiet_run_asks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lakehouse: str
) -> None:
    place: Any = "uc://main.genie_analytics" if lakehouse == "unity" else tmp_path / "lake"
    account = generate(seed=11, anchor=last_night(), days=3, messages=60)
    with sandbox_of(account, tmp_path / "account") as sandbox:
        point_at(sandbox, place, monkeypatch)
        sandbox.advance(hours=24)
        pipeline = Pipeline()
        for day in days_of(account):
            pipeline.run("genie_daily", day)
        assert different(pipeline, account) != []
        result = pipeline.run("genie_conversations")
        found = metadata_of(result, MESSAGE_COMMENTS.name)
        assert not {name for name in found if "/" not in name} - set(MEANINGS[MESSAGE_COMMENTS.name])
        looks = metadata_of(result, MESSAGE_COMMENT_LOOKS.name)["dagster/row_count"]
        assert looks == len(pipeline.rows(MESSAGE_COMMENT_LOOKS)) > 0
        assert different(pipeline, account) == []
        assert found["changed"] == len(pipeline.rows(MESSAGE_COMMENTS)) > 0
        steps = metadata_of(result, AGENT_ITEMS.name)
        assert steps["changed"] == len(pipeline.rows(AGENT_ITEMS)) > 0
        assert not {name for name in steps if "/" not in name} - set(MEANINGS[AGENT_ITEMS.name])
        assert not any(row["content"] in str(found) for row in pipeline.rows(MESSAGE_COMMENTS))
        sandbox.reset_requests()
        again = metadata_of(pipeline.run("genie_conversations"), MESSAGE_COMMENTS.name)
        asked = sandbox.requests(0)
        assert again["requests"] == asked["by_route"].get("list_comments", 0) == 0
        assert asked["by_route"].get("list_items", 0) == 0
        if lakehouse == "unity":
            assert asked["by_call"].get("POST statements", 0) <= 3, "one for each asset, and how the tables look"


def different(pipeline: Pipeline, account: Any) -> list[str]:
    expected = truth_of_children(account, at=account.anchor + 24 * HOUR)
    return [
        problem
        for table in (MESSAGE_COMMENTS, AGENT_ITEMS)
        for problem in differences(table, expected[table.name], pipeline.rows(table))
    ]
