"""The real assets against a sandbox that misbehaves: messages to fetch, a clock to turn, and what must be true."""

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg

from genie_assets.assets import build_assets
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    records,
)
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.inspection import day_state, outdated_errors
from genie_assets.pipeline.waiting import due_days
from genie_assets.placement import Placement
from genie_assets.wiring import RunBudget
from genie_assets_tests.day_runs import QUIET
from genie_assets_tests.e2e.pipelines import recent_anchor
from genie_assets_tests.sandbox.accounts import FIRST, SALES, SECOND, message, space
from genie_sandbox.account import Account, Message, Principal, Workspace
from genie_sandbox.client import SandboxProcess

Row = dict[str, Any]
Key = tuple[str, str]

NOW = recent_anchor()
DAY = NOW.date()
HOUR = dt.timedelta(hours=1)
ASSETS = build_assets(Placement())[1:3]  # those that fetch and fold
# Longer than the first wait of every class, jitter included.
UNTIL_DUE = 2 * HOUR
ATTEMPTS = 3  # of one request, at once
RETRIES = Retries(attempts=ATTEMPTS, total_seconds=20, longest_wait=1, first_wait=0.02)


def asked(
    message_id: str, conversation_id: str, *, workspace_id: str = FIRST, space_id: str = SALES, **cells: Any
) -> Message:
    """A message that was asked and answered an hour before the clock starts."""
    at = round((NOW - HOUR).timestamp() * 1000)
    return message(
        message_id,
        conversation_id=conversation_id,
        workspace_id=workspace_id,
        space_id=space_id,
        asked=at,
        **cells,
    )


def account(messages: Sequence[Message]) -> Account:
    """Two workspaces with these messages, in the spaces that the messages name."""
    spaces = sorted({(each.workspace_id, each.space_id) for each in messages})
    return Account(
        account_id="account",
        anchor=round(NOW.timestamp() * 1000),
        first_day=DAY.isoformat(),
        last_day=DAY.isoformat(),
        warehouse_id="wh",
        principal=Principal("our-application", "our-secret", "our-token", 7),
        workspaces=(Workspace(FIRST, "one"), Workspace(SECOND, "two")),
        spaces=tuple(space(space_id, workspace_id) for workspace_id, space_id in spaces),
        messages=tuple(messages),
    )


@dataclass(frozen=True)
class Run:
    """How a run of the two assets ended, and the numbers of the fetch."""

    success: bool
    numbers: Mapping[str, Any]


class Faulty:
    """A lakehouse of its own and a clock that stands until it is turned."""

    def __init__(self, sandbox: SandboxProcess, folder: Path, messages: Iterable[Message]) -> None:
        self.sandbox = sandbox
        self.lake = open_lakehouse(str(folder))
        self.messages = {(each.workspace_id, each.message_id): each for each in messages}
        self.time = NOW
        self.last: Run | None = None
        self._instance = dg.DagsterInstance.ephemeral()
        self.refer(self.messages.values())

    def now(self) -> dt.datetime:
        return self.time

    def refer(self, messages: Iterable[Message], *, day: dt.date = DAY, **cells: Any) -> None:
        """Store what `audit_messages` would have found for a day."""
        rows = [
            {
                "event_date": day,
                "workspace_id": each.workspace_id,
                "workspace_url": self.sandbox.urls[each.workspace_id],
                "space_id": each.space_id,
                "conversation_id": each.conversation_id,
                "message_id": each.message_id,
                "last_change_time": NOW - HOUR,
                "is_new": True,
                "is_deleted": False,
            }
            | cells
            for each in messages
        ]
        self.lake.replace_day(GENIE_MESSAGES_TO_FETCH, day, GENIE_MESSAGES_TO_FETCH.frame(rows))

    def genie(
        self,
        *,
        token: str | None = None,
        service_principal: bool = False,
        timeout_seconds: float = 20,
        threads: int = 16,
    ) -> GenieApi:
        """The real API client, as quick to try again as a test needs it."""
        secret = self.sandbox.client_secret if service_principal else None
        workspaces = Workspaces(
            self.sandbox.host,
            token=None if service_principal else token or self.sandbox.token,
            client_id=self.sandbox.client_id if service_principal else None,
            client_secret=secret,
            policy=HostPolicy(("127.0.0.1:*",)),
            timeouts=Timeouts(timeout_seconds),
        )
        return GenieApi(
            workspaces,
            threads=threads,
            pacer_of=lambda _workspace_id: Pacer(5000.0),
            retries=RETRIES,
            now=self.now,
        )

    def run(self, day: dt.date = DAY, **options: Any) -> Run:
        """Run `genie_api_messages` and, if it does not fail, `enriched_message_details`."""
        result = dg.materialize(
            ASSETS,
            partition_key=day.isoformat(),
            instance=self._instance,
            resources={
                "genie_api": self.genie(**options),
                "genie_lake": self.lake,
                "genie_clock": self,
                "genie_budget": RunBudget(5),
                "genie_system_tables": SimpleNamespace(
                    regions={}, chosen_workspaces=()
                ),  # no answer has a statement to look up
            },
            run_config=QUIET,
            raise_on_error=False,
        )
        self.last = Run(result.success, _numbers(result))
        return self.last

    def rows(self, table: Any) -> dict[Key, Row]:
        """All rows by message; more than one for a message is an error."""
        rows = records(self.lake.read(table))
        found = {(row["workspace_id"], row["message_id"]): row for row in rows}
        assert len(found) == len(rows), f"{table.name} has a message twice"
        return found

    def errors(self) -> dict[Key, Row]:
        """The open errors by message."""
        return {key: row for key, row in self.rows(MESSAGE_FETCH_ERRORS).items() if not row["resolved"]}

    def error_classes(self) -> Counter[str]:
        return Counter(row["error_class"] for row in self.errors().values())

    def count_anew(self) -> None:
        """Count requests from here on; those that nobody waits for any more are let end before."""
        while self.sandbox.requests(0)["in_flight"]:
            time.sleep(0.02)
        self.sandbox.reset_requests()

    def requests_for_messages(self, workspace_id: str = FIRST) -> int:
        """Requests for messages that the sandbox answered or dropped."""
        counts = self.sandbox.requests(0)["counts"]
        routes = ("get_message", "list_messages")
        return sum(
            each["count"] for each in counts if each["workspace_id"] == workspace_id and each["route"] in routes
        )

    def assert_accounted_for(self, day: dt.date = DAY) -> None:
        """Every message of the day is in exactly one place, and no open error is of a message that was read."""
        assert self.last is not None
        accounting = day_state(day, self.lake, self.time).accounting()
        assert (accounting.lost, accounting.pending) == (0, self.last.numbers["pending"])
        assert accounting.discovered == sum(self._is_of(day, key) for key in self.messages)
        assert not self.errors().keys() & self.rows(GENIE_API_MESSAGES).keys()
        assert outdated_errors(day, self.lake) == []

    def assert_stored(self, messages: Iterable[Message]) -> None:
        """These messages and no others are stored, each once and exactly as the API has it."""
        wanted = {(each.workspace_id, each.message_id): each for each in messages}
        answers, details = self.rows(GENIE_API_MESSAGES), self.rows(MESSAGE_DETAILS)
        assert answers.keys() == details.keys() == wanted.keys()
        for key, each in wanted.items():
            assert json.loads(answers[key]["raw_json"]) == each.states[-1].body
            assert details[key]["content"] == each.states[-1].body["content"]
            assert details[key]["api_fetch_status"] == "SUCCESS"

    def assert_healed(self) -> None:
        """All messages are stored, no error is open, and all accounts are settled."""
        self.assert_stored(self.messages.values())
        assert self.errors() == {}
        assert {row["resolution"] for row in self.rows(MESSAGE_FETCH_ERRORS).values()} <= {"FETCHED"}
        assert due_days(self.lake, self.time + 1000 * HOUR) == {}
        self.assert_accounted_for()

    def _is_of(self, day: dt.date, key: Key) -> bool:
        rows = records(self.lake.read(GENIE_MESSAGES_TO_FETCH, days=[day]))
        return key in {(row["workspace_id"], row["message_id"]) for row in rows}


def _numbers(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """The fetch's numbers, also of a run that failed on purpose."""
    for event in result.all_node_events:
        if event.is_step_failure:
            failure = event.step_failure_data.user_failure_data
            assert failure is not None, event.step_failure_data.error
            return {name: value.value for name, value in failure.metadata.items()}
    (fetched,) = [
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("genie_api_messages")
    ]
    return {name: value.value for name, value in fetched.metadata.items()}
