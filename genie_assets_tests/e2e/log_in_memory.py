"""What the statements of `sql/` would bring of an account at a moment, worked out without an engine.

It takes the place of a warehouse where a test asks hundreds of times. That the statements themselves bring the
same, other tests hold.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from zlib import crc32

import pandas as pd

from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets.gateways.sql.texts import sql_text
from genie_sandbox.account import Account

_READ = re.compile(r"(genie)?(get|list|summarize|generatedownload)")
_DELETES = ("deleteconversation", "deleteconversationmessage")
Event = dict[str, Any]


class LogInMemory:
    """A warehouse that knows the system tables only.

    Args:
        account: What they show.
        urls: Addresses by workspace_id.
        now_ms: Tells the account's time.
        fails: Tells whether a statement fails now.
    """

    def __init__(
        self,
        account: Account,
        urls: Mapping[str, str],
        now_ms: Callable[[], int],
        fails: Callable[[], bool] = lambda: False,
    ) -> None:
        self._account, self._urls, self._now_ms, self._fails = account, urls, now_ms, fails
        named = {"audit_message_events": self._message_events, "audit_deletions": self._deletions}
        named |= {"audit_days": self._days, "query_history": self._history}
        self._statements = {sql_text(name): answer for name, answer in named.items()}

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The result of one of the statements."""
        if self._fails():
            raise WarehouseError("The warehouse is not there.")
        if statement == sql_text("workspaces"):
            return _frame(self._workspaces())
        return _frame(self._statements[statement](dict(parameters or {})))

    def _workspaces(self) -> list[Event]:
        return [
            {
                "workspace_id": each.workspace_id,
                "workspace_name": each.name,
                "workspace_url": self._urls.get(each.workspace_id),
                "status": each.status,
            }
            for each in self._account.workspaces
            if each.is_listed(self._now_ms())
        ]

    def _events(self) -> list[Event]:
        arrived = (each.row for each in self._account.audit if each.arrives_at <= self._now_ms())
        return [_event(row) for row in {row["event_id"]: row for row in arrived}.values()]

    def _message_events(self, asked: Mapping[str, Any]) -> list[Event]:
        names = (
            *("workspace_id", "action_name", "actor", "is_refused", "is_agents", "agent_id", "space_id"),
            *("conversation_id", "message_id", "space_event_id", "lone_event_id"),
        )
        rows = []
        for event in self._events():
            if event["event_date"] == str(asked["event_date"]):
                known = event["message_id"] is not None
                agents = event["agents_id"] is not None
                told = {
                    "actor": event["actor"] if known else None,
                    "is_refused": False,
                    "is_agents": not known and agents,
                    "agent_id": (event["agent_id"] or event["space_id"]) if agents else None,
                    "space_id": event["space_id"] if known else None,
                    "conversation_id": event["conversation_id"] if known or agents else None,
                    "space_event_id": None,
                    "lone_event_id": None,
                }
                rows.append(event | told)
        return _grouped(rows, names)

    def _deletions(self, asked: Mapping[str, Any]) -> list[Event]:
        names = ("event_date", "workspace_id", "action_name", "space_id", "conversation_id", "message_id")
        first, last = str(asked["event_date"]), str(asked["last_date"])
        rows = [
            event | {"lone_event_id": None}
            for event in self._events()
            if first <= event["event_date"] <= last and event["action_name"].lower() in _DELETES
        ]
        return [
            row | {"event_date": pd.Timestamp(row["event_date"]).date()}
            for row in _grouped(rows, (*names, "lone_event_id"))
        ]

    def _days(self, asked: Mapping[str, Any]) -> list[Event]:
        first, last, exact = (str(asked[name]) for name in ("first_day", "last_day", "last_exact_day"))
        days: dict[tuple[str, str | None], list[Event]] = {}
        for event in self._events():
            day = event["event_date"]
            if first <= day <= last:
                days.setdefault((day, event["workspace_id"] if day <= exact else None), []).append(event)
        unsaid = dict.fromkeys(("workspace_name", "workspace_url", "status"))
        rows = [
            {"event_date": pd.Timestamp(day).date(), "workspace_id": workspace_id, **_numbers(events), **unsaid}
            for (day, workspace_id), events in days.items()
        ]
        unsaid = dict.fromkeys(("event_date", "event_count", "message_count", "newest_event_time", "events_sum"))
        more = [{**unsaid, "unnamed_count": None, **each} for each in self._workspaces()]
        return [*rows, *more] if asked["and_workspaces"] else rows

    def _history(self, asked: Mapping[str, Any]) -> list[Event]:
        wanted = set(asked["statement_ids"].split(","))
        return [
            {
                **{name: each.row.get(name) for name in _OF_A_STATEMENT},
                **{name: _time(each.row[name]) for name in ("start_time", "end_time", "update_time")},
                "warehouse_id": each.row["compute"]["warehouse_id"],
            }
            for each in self._account.query_history
            if each.arrives_at <= self._now_ms() and each.row["statement_id"] in wanted
            if asked["from_time"] <= _time(each.row["start_time"]) < asked["to_time"]
        ]


def _event(row: Mapping[str, Any]) -> Event:
    params, result = row["request_params"], json.loads(row["response"]["result"] or "{}")

    def told(*names: str) -> str | None:
        found = (source.get(name) for source in (params, result) for name in names)
        return next((each for each in found if each), None)

    return {
        **{name: row[name] for name in ("event_id", "event_date", "workspace_id", "action_name")},
        "time": _time(row["event_time"]),
        "actor": row["user_identity"]["email"] or row["user_identity"]["subject_name"],
        "space_id": told("space_id", "spaceId"),
        "conversation_id": told("conversation_id", "conversationId"),
        "message_id": told("message_id", "messageId"),
        "agent_id": told("agent_id", "agentId"),
        "agents_id": told("agent_id", "agentId", "response_id", "responseId"),
    }


def _is_named(event: Event) -> bool:
    action, conversation_id = event["action_name"].lower(), event["conversation_id"]
    deletes = conversation_id is not None and action == "deleteconversation"
    agents = conversation_id is not None and event["agents_id"] is not None and not _READ.match(action)
    return event["message_id"] is not None or deletes or agents


def _numbers(events: list[Event]) -> Event:
    named = [event for event in events if _is_named(event)]
    names = ("event_id", "action_name", "conversation_id", "message_id")
    texts = [" ".join([e["event_id"], e["action_name"].lower(), *(e[n] or "" for n in names[2:])]) for e in named]
    return {
        "event_count": len(named),
        "message_count": len({event["message_id"] for event in events} - {None}),
        "newest_event_time": max((event["time"] for event in named), default=None),
        "events_sum": sum(crc32(text.encode()) for text in texts),
        "unnamed_count": len(events) - len(named),
    }


def _grouped(rows: Iterable[Event], names: tuple[str, ...]) -> list[Event]:
    groups: dict[tuple[Any, ...], list[Event]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return [
        {
            **dict(zip(names, key, strict=True)),
            "first_event_time": min(each["time"] for each in group),
            "last_event_time": max(each["time"] for each in group),
            "event_count": len({each["event_id"] for each in group}),
        }
        for key, group in groups.items()
    ]


def _time(ms: int) -> pd.Timestamp:
    return pd.Timestamp(ms, unit="ms", tz="UTC")


_COLUMNS = (
    *("event_date", "workspace_id", "workspace_name", "workspace_url", "status", "action_name", "actor"),
    *("is_refused", "is_agents", "agent_id", "space_id", "conversation_id", "message_id", "space_event_id"),
    *("lone_event_id", "statement_id", "execution_status", "error_message", "warehouse_id"),
)
_NUMBERS = ("event_count", "message_count", "events_sum", "unnamed_count", "read_rows", "read_bytes")
_TIMES = ("first_event_time", "last_event_time", "newest_event_time", "start_time", "end_time", "update_time")
_TRUTHS = ("is_refused", "is_agents", "from_result_cache")


def _frame(rows: list[Event]) -> pd.DataFrame:
    """The rows with the types in which a warehouse gives them; without rows, with every column."""
    names = list(rows[0]) if rows else [*_COLUMNS, *_NUMBERS, *_TIMES, *_TRUTHS, *_DURATIONS]
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=_dtype(name)) for name in names})


_DURATIONS = tuple(
    f"{name}_duration_ms"
    for name in ("total", "waiting_for_compute", "waiting_at_capacity", "compilation", "execution", "result_fetch")
)


_OF_A_STATEMENT = (
    *("workspace_id", "statement_id", "execution_status", "error_message", "read_rows", "read_bytes"),
    *("from_result_cache", *_DURATIONS),
)


def _dtype(name: str) -> str:
    if name in _NUMBERS or name.endswith("_duration_ms"):
        return "Int64"
    if name in _TRUTHS:
        return "boolean"
    return "datetime64[us, UTC]" if name in _TIMES else "object"
