"""A lake as it is after months: filled straight through delta-rs, one file per day, ready for one more day.

The last day is known from the audit log only. Of each earlier day every message is fetched, folded and compacted.
"""

import datetime as dt
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from benchmarks.lakehouse_messages import (
    FIRST_DAY,
    MESSAGES_PER_CONVERSATION,
    SPACES,
    Messages,
    rows_of,
    space_id,
    workspace_id,
)
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_CONVERSATION_DAYS,
    GENIE_MESSAGE_LOOKS,
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    TABLES,
    Table,
)
from genie_assets.gateways.lakehouse.delta.writes import WRITER
from genie_assets.gateways.lakehouse.opening import open_lakehouse

# One conversation in so many goes on days later, which puts old conversations into the files of every day.
_ONE_IN = 20
_SOONEST, _LATEST = 7, 60  # days
_FAILED_ONE_IN = 1_000
_LOOKED_AT_ONE_IN = 500
_DAYS_PER_WRITE = 14


@dataclass(frozen=True)
class Population:
    """How many messages are asked, and when.

    Attributes:
        days: UTC days, the last one included.
        conversations: Conversations that begin on each day but the last.
        last_day_conversations: Those of the last day.
        late: Messages that are added on the last day to as many conversations of the two months before, instead
            of those that each day adds; 0 for a last day like the others.
        read_again: Old messages, of any day, that are read again on a day.
    """

    days: int
    conversations: int
    last_day_conversations: int
    late: int
    read_again: int

    @property
    def last_day(self) -> dt.date:
        """The day that is worked on."""
        return self.date(self.days - 1)

    def date(self, day: int) -> dt.date:
        """The date of a day, which counts from 0."""
        return FIRST_DAY + dt.timedelta(days=day)

    def asked_on(self, day: int) -> Messages:
        """All messages that are asked on a day, conversation by conversation."""
        is_last = day == self.days - 1
        count = self.last_day_conversations if is_last else self.conversations
        numbers = np.repeat(np.arange(count), MESSAGES_PER_CONVERSATION)
        positions = np.tile(np.arange(1, MESSAGES_PER_CONVERSATION + 1), count)
        at_once = (positions < MESSAGES_PER_CONVERSATION) | (numbers % _ONE_IN > 0)
        begun = _messages(day, numbers[at_once], count, positions[at_once], day)
        return Messages.concat([self._asked_late if is_last and self.late else self._continued_on(day), begun])

    def read_again_on(self, day: int) -> Messages:
        """First messages of older conversations, over the whole time, that are read again on a day."""
        days, numbers = self._spread(range(day), self.read_again, first=1)
        return _messages(days, numbers, self.conversations, 1, days)

    def _continued_on(self, day: int) -> Messages:
        """The last messages of conversations that began weeks before."""
        count = self.conversations
        numbers = np.arange(0, count, _ONE_IN)
        parts = [_messages(0, numbers[:0], count, 0, day)]
        for begun in range(max(0, day - _LATEST), day - _SOONEST + 1):
            lag = _SOONEST + (numbers // _ONE_IN + begun) % (_LATEST - _SOONEST + 1)
            parts.append(_messages(begun, numbers[begun + lag == day], count, MESSAGES_PER_CONVERSATION, day))
        return Messages.concat(parts)

    @property
    def _asked_late(self) -> Messages:
        """Messages beyond the usual number."""
        before = range(max(0, self.days - 1 - _LATEST), self.days - 1)
        days, numbers = self._spread(before, self.late, first=2)
        return _messages(days, numbers, self.conversations, MESSAGES_PER_CONVERSATION + 1, self.days - 1)

    def _spread(self, days: range, count: int, *, first: int) -> tuple[np.ndarray, np.ndarray]:
        """Conversations of these days, evenly spread: the days on which they began, and their numbers."""
        numbers = np.array([number for number in range(first, self.conversations, 2) if number % _ONE_IN], int)
        chosen = np.linspace(0, max(0, len(days) * len(numbers) - 1), count if days else 0).astype(int)
        return days.start + chosen // max(1, len(numbers)), numbers[chosen % max(1, len(numbers))]


def _messages(days: Any, numbers: np.ndarray, conversations: int, positions: Any, asked_days: Any) -> Messages:
    columns = (days, numbers, conversations, positions, asked_days)
    return Messages(*(np.broadcast_to(np.asarray(column, np.int64), numbers.shape) for column in columns))


def build(root: Path, population: Population) -> int:
    """Fill all tables of a lake; the number of messages that it then holds, those of the last day left out."""
    lake = open_lakehouse(str(root))
    for table in TABLES:
        lake.prepare(table)
    total = 0
    for start in range(0, population.days - 1, _DAYS_PER_WRITE):
        days = range(start, min(start + _DAYS_PER_WRITE, population.days - 1))
        messages = Messages.concat([population.asked_on(day) for day in days])
        total += len(messages)
        for table in (GENIE_MESSAGES_TO_FETCH, GENIE_API_MESSAGES, MESSAGE_DETAILS, MESSAGE_ATTACHMENTS):
            _write(root, table, rows_of(table, messages))
        looked_at = messages[::_LOOKED_AT_ONE_IN]
        _write(root, GENIE_MESSAGE_LOOKS, rows_of(GENIE_MESSAGE_LOOKS, looked_at))
    everything = Messages.concat([population.asked_on(day) for day in range(population.days - 1)])
    _write(
        root, GENIE_CONVERSATION_DAYS, rows_of(GENIE_CONVERSATION_DAYS, everything[_first_of_its_day(everything)])
    )
    _write(root, MESSAGE_FETCH_ERRORS, _healed_errors(everything[::_FAILED_ONE_IN]))
    _write(root, GENIE_SPACE_DETAILS, spaces())
    _write(root, GENIE_MESSAGES_TO_FETCH, references(population))
    for table in TABLES:
        lake.maintain(table, today=population.last_day)
    return total


def references(population: Population) -> pa.Table:
    """What the audit log says about the last day."""
    day = population.days - 1
    asked, read = population.asked_on(day), population.read_again_on(day)
    last_day = population.last_day
    at = dt.datetime.combine(last_day, dt.time(12), dt.UTC)
    return pa.concat_tables(
        [
            rows_of(GENIE_MESSAGES_TO_FETCH, asked),
            rows_of(
                GENIE_MESSAGES_TO_FETCH,
                read,
                event_date=last_day,
                first_event_time=at,
                last_event_time=at,
                ingestion_timestamp=at,
                last_change_time=None,
                user_email=None,
                is_new=False,
                actions=["genieGetConversationMessage"],
            ),
        ]
    )


def clone(source: Path, target: Path) -> Path:
    """The same lake once more, at the cost of its logs: data files never change, so both share them."""

    def copy(file: str, to: str) -> None:
        if "_delta_log" in file:
            shutil.copyfile(file, to)
        else:
            os.link(file, to)

    shutil.copytree(source, target, copy_function=copy)
    return target


def _first_of_its_day(messages: Messages) -> np.ndarray:
    """Where a conversation's messages of a day begin: they follow each other."""
    columns = np.stack([messages.days, messages.numbers, messages.asked_days])
    return np.concatenate([[True], (columns[:, 1:] != columns[:, :-1]).any(axis=0)])


def _healed_errors(messages: Messages) -> pa.Table:
    columns = messages.columns(["created_timestamp"])
    failed = columns["last_event_time"]
    return rows_of(
        MESSAGE_FETCH_ERRORS,
        messages,
        error_type="FAILED",
        error_class="SERVER",
        error_message="The API answered with status 503.",
        error_timestamp=failed,
        first_error_timestamp=failed,
        retry_count=0,
        resolved=True,
        resolved_timestamp=columns["api_fetch_timestamp"],
        resolution="FETCHED",
        http_status=503,
    )


def spaces() -> pa.Table:
    """The row of every space."""
    seen = dt.datetime.combine(FIRST_DAY, dt.time(), dt.UTC)
    frame = GENIE_SPACE_DETAILS.frame(
        {
            "workspace_id": workspace_id(space),
            "space_id": space_id(space),
            "title": f"Space {space}",
            "is_trashed": False,
            "first_seen_timestamp": seen,
            "last_seen_timestamp": seen,
            "api_fetch_status": "SUCCESS",
        }
        for space in range(SPACES)
    )
    return pa.Table.from_pandas(frame, preserve_index=False)


def _write(root: Path, table: Table, rows: pa.Table) -> None:
    delta = DeltaTable(str(root / "genie_analytics" / table.name))
    write_deltalake(delta, rows, mode="append", writer_properties=WRITER)
