"""A small Databricks in memory, with a real lakehouse on disk beside it."""

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import pandas as pd

from genie_assets.domain.health import DayState
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import (
    AgentsOfWorkspace,
    Answer,
    FetchResult,
    MessagesRequest,
    ReadProbe,
    SpacePermissions,
    SpaceRequest,
    SpacesOfWorkspace,
    TagsOfSpace,
)
from genie_assets.domain.tables import Table, records
from genie_assets.domain.workspaces import is_looked_at
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.audit_messages import Discovery, discover
from genie_assets.pipeline.chosen_spaces import ChosenSpaces
from genie_assets.pipeline.enriched_message_details import FoldReport, fold_day
from genie_assets.pipeline.fetch_report import FetchReport
from genie_assets.pipeline.genie_api_messages import fetch
from genie_assets.pipeline.genie_space_details import SpacesReport, back_up_spaces
from genie_assets.pipeline.inspection import day_state
from genie_assets.pipeline.run import Run

MONDAY, TUESDAY, WEDNESDAY = dt.date(2026, 3, 2), dt.date(2026, 3, 3), dt.date(2026, 3, 4)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
URL = "https://w1.example.com"

NOT_FOUND = FetchError(ErrorClass.NOT_FOUND, "No such message.", 404, "RESOURCE_DOES_NOT_EXIST")
FORBIDDEN = FetchError(ErrorClass.PERMISSION, "Not allowed.", http_status=403)
NOWHERE = FetchError(ErrorClass.CONFIG, "It has no known address.")
BROKEN = FetchError(ErrorClass.SERVER, "It broke.", http_status=500)

_EVENTS = [
    "event_date",
    "workspace_id",
    "action_name",
    "actor",
    "is_refused",
    "is_agents",
    "space_id",
    "conversation_id",
]
_EVENTS += ["message_id", "space_event_id", "first_event_time", "last_event_time", "event_count"]


class FakeSystemTables:
    """What the warehouse would answer."""

    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self._clock = clock
        self.events: list[dict[str, Any]] = []
        self.deleted: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []
        self.windows: list[tuple[dt.datetime, dt.datetime]] = []
        self.looks_at_deletions = 0
        self.failure: Exception | None = None
        self.history_failure: Exception | None = None
        self.status: str | None = "RUNNING"  # of the workspace
        self.chosen_workspaces: set[str] = set()
        self.regions: dict[str, str | None] = {}
        self.newest_events: dict[str, dt.datetime | None] = {}  # by region
        self.log_ended: dt.datetime | None = None  # if it did: else there is an event of this moment
        self.name: str | None = "Prod"
        self.others: list[dict[str, Any]] = []  # workspaces besides it

    def message_events(self, event_date: dt.date) -> pd.DataFrame:
        events = [row for row in self.events if row["event_date"] == event_date]
        return _frame(
            [row for row in events if is_looked_at(row["workspace_id"], self.chosen_workspaces)], _EVENTS
        )

    def event_days(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        gone = [row for row in self.deleted if row["message_id"] is None]
        rows = [row for row in (*self.events, *gone) if first <= row["event_date"] <= last]
        days: list[dict[str, Any]] = []
        for day, workspace_id in sorted({(row["event_date"], row["workspace_id"]) for row in rows}):
            of_it = [row for row in rows if (row["event_date"], row["workspace_id"]) == (day, workspace_id)]
            texts = sorted(f"{e['action_name']} {e['message_id']} {e['last_event_time']}" for e in of_it)
            days.append(
                {
                    "event_date": day,
                    "workspace_id": workspace_id,
                    "event_count": len(of_it),
                    "message_count": len({row["message_id"] for row in of_it}),
                    "newest_event_time": max(row["last_event_time"] for row in of_it),
                    "events_sum": sum(crc32(text.encode()) for text in texts),
                }
            )
        return _frame(days, ["event_date", "workspace_id"] if not days else list(days[0]))

    def day_and_later(self, day: dt.date, until: dt.date) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        later = self.event_days(day + dt.timedelta(days=1), until)
        return self.event_days(day, day), later, self.workspaces()

    def latest_audit_event(self, since: dt.date) -> dt.datetime | None:
        latest = self.log_ended or self._clock()
        return latest if latest.date() >= since else None

    def latest_audit_events(self, since: dt.date) -> dict[str, dt.datetime | None]:
        return self.newest_events

    def deletions(self, since: dt.date, until: dt.date) -> pd.DataFrame:
        self.looks_at_deletions += 1
        return _frame([row for row in self.deleted if since <= row["event_date"] <= until], _EVENTS)

    def workspaces(self) -> pd.DataFrame:
        if self.failure:
            raise self.failure
        row = {"workspace_id": "w1", "workspace_name": self.name, "workspace_url": URL, "status": self.status}
        return _frame([row, *self.others], list(row))

    def query_history(
        self, statement_ids: Collection[str], *, from_time: dt.datetime, to_time: dt.datetime
    ) -> pd.DataFrame:
        self.windows.append((from_time, to_time))
        if self.history_failure:
            raise self.history_failure
        found = [
            row
            for row in self.history
            if row["statement_id"] in statement_ids and from_time <= row["start_time"] < to_time
        ]
        return pd.DataFrame(found)


class FakeGenie:
    """The Genie API of workspace w1: answers from dictionaries, counts what it is asked."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.messages: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, FetchError] = {}
        self.spaces: dict[str, dict[str, Any] | FetchError] = {}
        self.unlisted: set[str] = set()
        self.list_error: FetchError | None = None
        self.export_error = FORBIDDEN  # of spaces with `no_export`
        self.agents: list[str] | None = None  # ids that the newer list shows; None where there is none
        self.tags: dict[str, dict[str, str]] = {}  # of spaces; of no other one tags can be read
        self.access: dict[str, dict[str, Any] | FetchError] = {}  # access lists of spaces
        self.requests: list[MessagesRequest] = []
        self.space_looks: list[str] = []
        self.probes: list[str] = []
        self.addresses: set[str | None] = set()
        self.forbidden: set[str] = set()
        self.requests_allowed = 10**9
        self.told: dt.datetime | None = None

    def told_time(self) -> dt.datetime | None:
        return self.told

    def expect_pace(self, settled: Mapping[str, float]) -> None:
        pass

    def settled_pace(self) -> dict[str, float]:
        return {}

    @property
    def asked(self) -> list[str]:
        """Ids of the messages asked for so far."""
        return sorted(message_id for request in self.requests for message_id in request.message_ids)

    def fetch(self, requests: Iterable[Any], *, deadline: float) -> Iterator[FetchResult[Any]]:
        for number, request in enumerate(requests):
            if isinstance(request, MessagesRequest) and number >= self.requests_allowed:
                yield FetchResult(request, not_attempted=request.message_ids)
                continue
            if request.workspace_url is None:
                yield FetchResult(request, errors=dict.fromkeys(request.wanted, NOWHERE))
                continue
            match request:
                case MessagesRequest():
                    self.requests.append(request)
                    yield self._result(request)
                case SpaceRequest():
                    yield self._space(request)
                case SpacesOfWorkspace():
                    yield self._listed(request)
                case SpacePermissions():
                    yield self._access(request)
                case ReadProbe():
                    yield self._probed(request)
                case _:
                    yield from self._facts(request)

    def _facts(self, request: Any) -> Iterator[FetchResult[Any]]:
        """What a workspace does not offer has no result."""
        if isinstance(request, AgentsOfWorkspace) and self.agents is not None:
            yield self._agents(request, self.agents)
        if isinstance(request, TagsOfSpace) and request.space_id in self.tags:
            yield self._tags(request)

    def _result(self, request: MessagesRequest) -> FetchResult[MessagesRequest]:
        wanted = request.message_ids
        errors = {m: self.errors.get(m, NOT_FOUND) for m in wanted if m in self.errors or m not in self.messages}
        shown = [m for m in wanted if m not in errors]
        if request.endpoint == "LIST":
            shown += [
                m
                for m, body in self.messages.items()
                if body["conversation_id"] == request.conversation_id and m not in wanted
            ]
        now = self._world.now
        answers = {m: Answer(dict(self.messages[m]), request.endpoint, now) for m in shown}
        return FetchResult(request, answers, errors, requests_made=1)

    def _probed(self, request: ReadProbe) -> FetchResult[ReadProbe]:
        self.probes.append(request.space_id)
        errors = {request.space_id: FORBIDDEN} if request.space_id in self.forbidden else {}
        return FetchResult(request, errors=errors, requests_made=1)

    def _listed(self, request: SpacesOfWorkspace) -> FetchResult[SpacesOfWorkspace]:
        self.addresses.add(request.workspace_url)
        if self.list_error:
            return FetchResult(
                request,
                errors={request.workspace_id: self.list_error},
                requests_made=int(self.list_error.was_sent),
            )
        listed = [space_id for space_id in self.spaces if space_id not in self.unlisted]
        answers = {each: Answer({"space_id": each}, "LIST", self._world.now) for each in listed}
        return FetchResult(request, answers, requests_made=1)

    def _agents(self, request: AgentsOfWorkspace, ids: list[str]) -> FetchResult[AgentsOfWorkspace]:
        body = {"pages": [{"genie_agents": [{"name": f"agents/{each}"} for each in ids]}]}
        return FetchResult(request, {request.workspace_id: Answer(body, "LIST", self._world.now)}, requests_made=1)

    def _tags(self, request: TagsOfSpace) -> FetchResult[TagsOfSpace]:
        tags = [{"tag_key": key, "tag_value": each} for key, each in self.tags[request.space_id].items()]
        answer = Answer({"tag_assignments": tags}, "LIST", self._world.now)
        return FetchResult(request, {request.space_id: answer}, requests_made=1)

    def _access(self, request: SpacePermissions) -> FetchResult[SpacePermissions]:
        body = self.access.get(request.space_id, NOT_FOUND)
        if isinstance(body, FetchError):
            return FetchResult(request, errors={request.space_id: body}, requests_made=1)
        return FetchResult(request, {request.space_id: Answer(body, "GET", self._world.now)}, requests_made=1)

    def _space(self, request: SpaceRequest) -> FetchResult[SpaceRequest]:
        self.space_looks.append(request.space_id)
        space = self.spaces.get(request.space_id, NOT_FOUND)
        if isinstance(space, FetchError):
            errors = {request.space_id: space}
            return FetchResult(request, errors=errors, requests_made=int(space.was_sent))
        shown = dict(space)
        if not shown.pop("no_export", False):
            return FetchResult(request, {request.space_id: Answer(shown, "GET", self._world.now)}, requests_made=1)
        shown.pop("serialized_space", None)
        answers = {request.space_id: Answer(shown, "GET", self._world.now)}
        return FetchResult(request, answers, {request.space_id: self.export_error}, requests_made=2)


class World:
    """Databricks, the lakehouse and the time."""

    def __init__(self, path: Path) -> None:
        self.now = NOON
        self.system_tables = FakeSystemTables(self.clock)
        self.genie = FakeGenie(self)
        self.lake: Lakehouse = open_lakehouse(str(path))
        self.runs = 0

    def clock(self) -> dt.datetime:
        return self.now

    def event(
        self,
        message_id: str | None,
        conversation_id: str | None = "c1",
        *,
        day: dt.date = MONDAY,
        action: str = "createConversationMessage",
        at: dt.datetime | None = None,
        **cells: Any,
    ) -> None:
        """Let the audit log show that a message was touched."""
        at = at or self.now
        self.system_tables.events.append(
            {
                "event_date": day,
                "workspace_id": "w1",
                "action_name": action,
                "actor": "ann@example.com",
                "is_refused": False,
                "is_agents": False,
                "space_id": "s1",
                "conversation_id": conversation_id,
                "message_id": message_id,
                "first_event_time": at,
                "last_event_time": at,
                "event_count": 1,
            }
            | cells
        )

    def delete(self, message_id: str | None, conversation_id: str = "c1", *, day: dt.date = MONDAY) -> None:
        """Let the audit log show that a message, or its whole conversation, was deleted."""
        action = "deleteConversationMessage" if message_id else "deleteConversation"
        if message_id:
            self.event(message_id, conversation_id, day=day, action=action)
        self.system_tables.deleted.append(
            {
                "event_date": day,
                "workspace_id": "w1",
                "action_name": action,
                "space_id": "s1",
                "conversation_id": conversation_id,
                "message_id": message_id,
                "first_event_time": self.now,
                "last_event_time": self.now,
                "event_count": 1,
            }
        )

    def message(self, message_id: str, conversation_id: str = "c1", **body: Any) -> dict[str, Any]:
        """Let the API know a message."""
        known = {
            "message_id": message_id,
            "conversation_id": conversation_id,
            "space_id": "s1",
            "status": "COMPLETED",
            "content": f"Question {message_id}?",
            "created_timestamp": int(NOON.timestamp() * 1000),
        }
        self.genie.messages[message_id] = {k: v for k, v in (known | body).items() if v is not None}
        return self.genie.messages[message_id]

    def ask(self, *message_ids: str, conversation_id: str = "c1", day: dt.date = MONDAY, **body: Any) -> None:
        """A message that the audit log and the API know."""
        for message_id in message_ids:
            self.event(message_id, conversation_id, day=day)
            self.message(message_id, conversation_id, **body)

    def statement(self, statement_id: str, **cells: Any) -> None:
        """Let query history know a statement."""
        unknown = dict.fromkeys(
            (
                *("waiting_for_compute_duration_ms", "waiting_at_capacity_duration_ms", "compilation_duration_ms"),
                *("execution_duration_ms", "result_fetch_duration_ms", "from_result_cache", "end_time"),
                *("update_time", "warehouse_id", "read_rows", "read_bytes", "error_message"),
            )
        )
        known = {
            "workspace_id": "w1",
            "statement_id": statement_id,
            "execution_status": "FINISHED",
            "total_duration_ms": 900,
            "start_time": NOON,
        }
        self.system_tables.history.append(unknown | known | cells)

    def run(self, day: dt.date = MONDAY) -> Run:
        return Run(day, f"run{self.runs}", self.clock, deadline=time.monotonic() + 60)

    def discover(self, day: dt.date = MONDAY) -> Discovery:
        return discover(self.run(day), system_tables=self.system_tables, lake=self.lake)

    def fetch(self, day: dt.date = MONDAY, *, lake: Lakehouse | None = None) -> FetchReport:
        self.runs += 1
        chosen = self.system_tables.chosen_workspaces
        return fetch(self.run(day), chosen, genie=self.genie, lake=lake or self.lake)

    def fold(self, day: dt.date = MONDAY) -> FoldReport:
        return fold_day(self.run(day), system_tables=self.system_tables, genie=self.genie, lake=self.lake)

    def back_up(self, chosen: ChosenSpaces = ChosenSpaces()) -> SpacesReport:  # noqa: B008 - a constant
        return back_up_spaces(
            self.run(self.now.date()), chosen, system_tables=self.system_tables, genie=self.genie, lake=self.lake
        )

    def load(self, day: dt.date = MONDAY) -> FetchReport:
        """Everything that the daily job does."""
        self.discover(day)
        report = self.fetch(day)
        self.fold(day)
        return report

    def state(self, day: dt.date = MONDAY) -> DayState:
        return day_state(day, self.lake, self.now)

    def rows(self, table: Table, **kwargs: Any) -> list[dict[str, Any]]:
        rows = records(self.lake.read(table, **kwargs))
        return sorted(rows, key=lambda row: [str(row[name]) for name in table.key if name in row])

    def row(self, table: Table, message_id: str) -> dict[str, Any]:
        (row,) = [row for row in self.rows(table) if row["message_id"] == message_id]
        return row

    def versions(self, *tables: Table) -> list[int | None]:
        return [self.lake.version(table) for table in tables]


def _frame(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in columns})
