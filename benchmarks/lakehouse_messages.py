"""Messages made up as Arrow columns, millions of them in a minute: the same number always gives the same message.

A conversation is known by the day on which it began, counted from `FIRST_DAY`, and its number on that day. Ids
rise with time, as Databricks mints them. What is derived from a message here is what the fold makes of its JSON.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.lakehouse_columns import dates, ids, joined, mixed, times
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.frames import ARROW_TYPES

FIRST_DAY = dt.date(2025, 1, 1)
WORKSPACES, SPACES = 3, 20
MESSAGES_PER_CONVERSATION = 5

_DAY_MS = 24 * 3_600_000
_FIRST_MS = int(dt.datetime.combine(FIRST_DAY, dt.time(), dt.UTC).timestamp() * 1000)
# Conversations of a day begin within its first twenty hours, so that each ends on the day on which it began.
_ASKING_MS = 20 * 3_600_000
_BETWEEN_QUESTIONS_MS = 90_000
_ANSWERED_AFTER_MS = 12_000
_FETCHED_AFTER_MS = 3_600_000
_CONVERSATION, _MESSAGE, _ATTACHMENT, _STATEMENT = range(4)


def workspace_id(space: int) -> str:
    """The workspace of a space, by the space's number."""
    return str(3_106_000_000_000_017 + space % WORKSPACES)


def workspace_url(space: int) -> str:
    """Its address."""
    return f"https://adb-{workspace_id(space)}.azuredatabricks.net"


def space_id(space: int) -> str:
    """The id of a space."""
    return f"01f0{space * 7919 + 1:028x}"


@dataclass(frozen=True)
class Messages:
    """Messages, each by its conversation and its position in it.

    Attributes:
        days: The day number on which the conversation began.
        numbers: The conversation's number on that day.
        conversations: How many conversations began on that day.
        positions: From 1.
        asked_days: The day number on which the message was asked.
    """

    days: np.ndarray
    numbers: np.ndarray
    conversations: np.ndarray
    positions: np.ndarray
    asked_days: np.ndarray

    def __len__(self) -> int:
        return len(self.days)

    def __getitem__(self, chosen: Any) -> "Messages":
        return Messages(*(column[chosen] for column in self.numbered()))

    def numbered(self) -> tuple[np.ndarray, ...]:
        """The attributes, in their order."""
        return self.days, self.numbers, self.conversations, self.positions, self.asked_days

    @staticmethod
    def concat(parts: "list[Messages]") -> "Messages":
        """All messages of several."""
        columns = zip(*(part.numbered() for part in parts), strict=True)
        return Messages(*(np.concatenate(column) for column in columns))

    @cached_property
    def begun_ms(self) -> np.ndarray:
        """When the conversation began, epoch ms."""
        step = _ASKING_MS // np.maximum(self.conversations, 1)
        return _FIRST_MS + self.days * _DAY_MS + self.numbers * step

    @cached_property
    def created_ms(self) -> np.ndarray:
        """When the message was asked, epoch ms."""
        later = (self.asked_days - self.days) * _DAY_MS
        return self.begun_ms + later + (self.positions - 1) * _BETWEEN_QUESTIONS_MS

    @cached_property
    def _conversation(self) -> np.ndarray:
        return (self.days.astype(np.uint64) << np.uint64(24)) | self.numbers.astype(np.uint64)

    def _random(self, purpose: int) -> np.ndarray:
        """64 bits that look random, others for every message (or conversation) and purpose."""
        number = self._conversation << np.uint64(8)
        if purpose != _CONVERSATION:
            number = number | self.positions.astype(np.uint64) << np.uint64(2)
        return mixed(number | np.uint64(purpose))

    @cached_property
    def spaces(self) -> np.ndarray:
        """The number of the conversation's space."""
        return (self._random(_CONVERSATION) % np.uint64(SPACES)).astype(np.int64)

    def _of_space(self, texts: list[str]) -> pa.Array:
        return pa.array(texts).take(pa.array(self.spaces))

    def columns(self, names: Collection[str]) -> Mapping[str, Any]:
        """What the messages hold in these columns and in some others; what is unknown is left out."""
        known: dict[str, Any] = {}
        for group in ("_identity", "_content", "_query", "_json"):
            if not known.keys() >= set(names):
                known |= getattr(self, group)
        return RUN | known

    @cached_property
    def _identity(self) -> dict[str, Any]:
        names = [f"{number:d}" for number in range(SPACES)]
        created = pa.array(self.created_ms)
        return {
            "workspace_id": self._of_space([workspace_id(space) for space in range(SPACES)]),
            "workspace_name": self._of_space([f"analytics-{space % WORKSPACES}" for space in range(SPACES)]),
            "workspace_url": self._of_space([workspace_url(space) for space in range(SPACES)]),
            "space_id": self._of_space([space_id(space) for space in range(SPACES)]),
            "space_name": self._of_space([f"Space {name}" for name in names]),
            "conversation_id": ids(self.begun_ms, self._random(_CONVERSATION)),
            "message_id": ids(self.created_ms, self._random(_MESSAGE)),
            "conversation_position": pa.array(self.positions.astype(np.int32)),
            "created_timestamp": created,
            "created_date": dates(FIRST_DAY, self.asked_days),
            "event_date": dates(FIRST_DAY, self.asked_days),
            "last_updated_timestamp": pa.array(self.created_ms + _ANSWERED_AFTER_MS),
            "updated_timestamp": pa.array(self.created_ms + _ANSWERED_AFTER_MS),
            "api_fetch_timestamp": times(self.created_ms + _FETCHED_AFTER_MS),
            "ingestion_timestamp": times(self.created_ms + _FETCHED_AFTER_MS),
            "ingestion_batch_id": "built",
            "first_event_time": times(self.created_ms),
            "last_event_time": times(self.created_ms),
            "last_change_time": times(self.created_ms),
        }

    @cached_property
    def users(self) -> pa.Array:
        """Numbers of those who asked, as text."""
        return pc.cast(pa.array((self._random(_CONVERSATION) >> np.uint64(40)) % np.uint64(500)), pa.string())

    @cached_property
    def _content(self) -> dict[str, Any]:
        line = pc.cast(pa.array(self._random(_MESSAGE) % np.uint64(9_000)), pa.string())
        week = pc.cast(pa.array(self._random(_ATTACHMENT) % np.uint64(53)), pa.string())
        title = joined("Revenue of line ", line)
        return {
            "content": joined(
                "How did revenue and margin of product line ", line, " develop until week ", week, "?"
            ),
            "user_id": joined("70", self.users),
            "user_email": joined("person", self.users, "@example.com"),
            "status": "COMPLETED",
            "is_settled": True,
            "query_title": title,
            "query_description": joined(
                "You want to see revenue and margin of product line ", line, " by week, until week ", week, "."
            ),
            "query_sql": joined(
                "SELECT date_trunc('WEEK', s.sold_at) AS week, SUM(s.revenue) AS revenue, SUM(s.revenue - s.cost) "
                "AS margin FROM main.sales.orders AS s JOIN main.sales.lines AS l USING (line_id) "
                "WHERE l.line_id = ",
                line,
                " AND weekofyear(s.sold_at) <= ",
                week,
                " GROUP BY ALL ORDER BY week",
            ),
            "api_fetch_status": "SUCCESS",
            "api_endpoint": "LIST",
            "is_deleted": False,
            "content_withheld": False,
            "is_new": True,
            "event_count": 1,
            "actions": ["createConversationMessage"],
        }

    @cached_property
    def _query(self) -> dict[str, Any]:
        rows = self._random(_STATEMENT) % np.uint64(1_000)
        return {
            "attachment_id": ids(self.created_ms + 1, self._random(_ATTACHMENT)),
            "statement_id": ids(self.created_ms + 2, self._random(_STATEMENT)),
            "attachment_ordinal": 1,
            "attachment_type": "QUERY",
            "attachments_count": 1,
            "statements_count": 1,
            "query_row_count": pa.array(rows.astype(np.int64)),
            "row_count": pa.array(rows.astype(np.int64)),
            "response_time_ms": _ANSWERED_AFTER_MS,
        }

    @cached_property
    def _json(self) -> dict[str, Any]:
        known = self._identity | self._content | self._query
        attachment = joined(
            '{"attachment_id":"', known["attachment_id"],
            '","query":{"description":"', known["query_description"],
            '","query":"', known["query_sql"],
            '","query_result_metadata":{"row_count":', pc.cast(known["row_count"], pa.string()),
            '},"statement_id":"', known["statement_id"],
            '","title":"', known["query_title"], '"}}',
        )  # fmt: skip
        raw = joined(
            '{"attachments":[', attachment,
            '],"content":"', known["content"],
            '","conversation_id":"', known["conversation_id"],
            '","created_timestamp":', pc.cast(known["created_timestamp"], pa.string()),
            ',"last_updated_timestamp":', pc.cast(known["last_updated_timestamp"], pa.string()),
            ',"message_id":"', known["message_id"],
            '","space_id":"', known["space_id"],
            '","status":"COMPLETED","user_id":', known["user_id"], "}",
        )  # fmt: skip
        # Its keys are sorted, so it is the canonical form that is hashed.
        hashes = [hashlib.sha256(text).hexdigest() for text in raw.cast(pa.binary()).to_pylist()]
        return {
            "attachment_json": attachment,
            "attachments_json": joined("[", attachment, "]"),
            "raw_json": raw,
            "content_hash": pa.array(hashes),
        }


_STARTED = dt.datetime(2025, 1, 1, 12, tzinfo=dt.UTC)
_ENDED = _STARTED + dt.timedelta(seconds=2)
# How every statement ran, in the columns of query history, and what the fold makes of it.
HISTORY: Mapping[str, Any] = {
    "execution_status": "FINISHED",
    "total_duration_ms": 1_900,
    "waiting_for_compute_duration_ms": 0,
    "waiting_at_capacity_duration_ms": 0,
    "compilation_duration_ms": 120,
    "execution_duration_ms": 1_500,
    "result_fetch_duration_ms": 80,
    "from_result_cache": False,
    "start_time": _STARTED,
    "end_time": _ENDED,
    "update_time": _ENDED,
    "warehouse_id": "8f2c1e0d9b7a6543",
    "read_rows": 120_000,
    "read_bytes": 4_800_000,
    "error_message": None,
}
RUN: dict[str, Any] = {
    "query_execution_status": "FINISHED",
    "query_duration_ms": 1_900,
    "query_start_time": _STARTED,
    "query_end_time": _ENDED,
    "query_warehouse_id": "8f2c1e0d9b7a6543",
    "query_read_rows": 120_000,
    "query_read_bytes": 4_800_000,
    "query_wait_ms": 0,
    "query_compile_ms": 120,
    "query_execution_ms": 1_500,
    "query_fetch_ms": 80,
    "query_from_cache": False,
    "enrichment_status": "COMPLETE",
}


def rows_of(table: Table, messages: Messages, **others: Any) -> pa.Table:
    """One row per message, in their order; a column that nothing is known about is NULL.

    Args:
        table: The table that the rows are for.
        messages: What they are about.
        others: Values for single columns instead of those of the messages.
    """
    known = {**messages.columns(set(table.column_names) - others.keys()), **others}
    columns = {
        column.name: _column(known.get(column.name), ARROW_TYPES[column.type], len(messages))
        for column in table.columns
    }
    return pa.table(columns)


def _column(value: Any, type_: pa.DataType, length: int) -> Any:
    if isinstance(value, pa.Array | pa.ChunkedArray):
        return value.cast(type_)
    if isinstance(value, list):
        return pa.ListArray.from_arrays(
            pa.array(np.arange(length + 1, dtype=np.int32) * len(value)), pa.array(value * length, pa.string())
        )
    return pa.repeat(pa.scalar(value, type_), length)
