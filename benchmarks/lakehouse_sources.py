"""Databricks in memory: the Genie API and the system tables, with nothing between them and the pipeline."""

import datetime as dt
import json
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import pandas as pd

from benchmarks.lakehouse_messages import HISTORY, SPACES, Messages, workspace_id, workspace_url
from genie_assets.domain.requests import Answer, FetchResult, MessagesRequest, Request

R = TypeVar("R", bound=Request)

_EVENT_COLUMNS = (
    "workspace_id",
    "space_id",
    "conversation_id",
    "message_id",
    "first_event_time",
    "last_event_time",
)
_DELETION_COLUMNS = ("event_date", *_EVENT_COLUMNS[:4], "action_name", *_EVENT_COLUMNS[4:], "event_count")


class MemoryGenie:
    """What of `GenieApi` the daily work needs: answers at once, and notes when it was first asked.

    Args:
        messages: All that there are.
        asked_at: The time of all requests, UTC.
    """

    def __init__(self, messages: Messages, *, asked_at: dt.datetime) -> None:
        self._asked_at = asked_at
        self._conversations: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        for text in messages.columns(["raw_json"])["raw_json"].to_pylist():
            body = json.loads(text)
            self._conversations[body["conversation_id"]][body["message_id"]] = body
        self._first_asked = 0.0

    def fetch(self, requests: Iterable[R], *, deadline: float) -> Iterator[FetchResult[R]]:  # noqa: ARG002
        """A result for each request. An unknown message is a KeyError; spaces have an empty configuration."""
        self._first_asked = time.monotonic()
        for request in requests:
            yield FetchResult(request, self._answers(request), requests_made=1)

    def _answers(self, request: Request) -> dict[str, Answer]:
        if not isinstance(request, MessagesRequest):
            bodies = {
                each: {"space_id": each, "title": "A space", "serialized_space": "{}"} for each in request.wanted
            }
            return {each: Answer(body, "GET", self._asked_at) for each, body in bodies.items()}
        known = self._conversations[request.conversation_id]
        wanted = known if request.endpoint == "LIST" else request.message_ids
        return {each: Answer(known[each], request.endpoint, self._asked_at) for each in wanted}

    def seconds_to_first_request(self, began: float) -> float:
        """From `began`, on the monotonic clock, until `fetch` was called last."""
        return self._first_asked - began


class MemoryTables:
    """What of `SystemTables` the daily work needs: events of one day, the history of its statements.

    Args:
        asked: The messages that the day's events ask for.
        read_again: Those that its events only read, at noon of `day`.
        day: The day.
    """

    chosen_workspaces: Collection[str] = ()
    regions: Mapping[str, str | None] = MappingProxyType({})

    def __init__(self, asked: Messages, read_again: Messages, day: dt.date) -> None:
        self._events = _events(asked, read_again, day)
        columns = asked.columns(["workspace_id", "statement_id"])
        self._workspaces: Mapping[str, str] = dict(
            zip(columns["statement_id"].to_pylist(), columns["workspace_id"].to_pylist(), strict=True)
        )

    def message_events(self, event_date: dt.date) -> pd.DataFrame:  # noqa: ARG002
        """The day's events."""
        return self._events

    def deletions(self, since: dt.date, until: dt.date) -> pd.DataFrame:  # noqa: ARG002
        """None."""
        return pd.DataFrame(columns=list(_DELETION_COLUMNS))

    def event_days(self, first: dt.date, last: dt.date) -> pd.DataFrame:  # noqa: ARG002
        """None: what a load notes of its day is not what is measured."""
        return pd.DataFrame(columns=["event_date", "workspace_id"])

    def day_and_later(self, day: dt.date, until: dt.date) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """None, likewise."""
        return self.event_days(day, day), self.event_days(day, until), self.workspaces()

    def workspaces(self) -> pd.DataFrame:
        """Those of all spaces."""
        spaces = {workspace_id(space): space for space in range(SPACES)}
        rows = [
            {
                "workspace_id": each,
                "workspace_name": f"analytics-{space % len(spaces)}",
                "workspace_url": workspace_url(space),
                "status": "RUNNING",
            }
            for each, space in spaces.items()
        ]
        return pd.DataFrame(rows)

    def query_history(
        self,
        statement_ids: Collection[str],
        *,
        from_time: dt.datetime,  # noqa: ARG002
        to_time: dt.datetime,  # noqa: ARG002
    ) -> pd.DataFrame:
        """How the day's statements ran; those of older messages are not shown any more."""
        known = [each for each in statement_ids if each in self._workspaces]
        names = {"workspace_id": [self._workspaces[each] for each in known], "statement_id": known}
        return pd.DataFrame(names).assign(**{name: [value] * len(known) for name, value in HISTORY.items()})


def _events(asked: Messages, read_again: Messages, day: dt.date) -> pd.DataFrame:
    noon = dt.datetime.combine(day, dt.time(12), dt.UTC)
    asks, reads = (_frame(messages, (*_EVENT_COLUMNS, "user_email")) for messages in (asked, read_again))
    asks = asks.assign(action_name="createConversationMessage")
    reads = reads.assign(action_name="genieGetConversationMessage", user_email="reader@example.com")
    reads = reads.assign(first_event_time=noon, last_event_time=noon)
    events = pd.concat([asks, reads], ignore_index=True).rename(columns={"user_email": "actor"})
    return events.assign(is_refused=False, event_count=1)


def _frame(messages: Messages, names: Sequence[str]) -> pd.DataFrame:
    columns = messages.columns(names)
    return pd.DataFrame({name: columns[name].to_pandas() for name in names})
