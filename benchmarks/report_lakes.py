"""A lake as a report meets it: a year of messages of which some fail, are slow, are rated or were not read.

Only the tables that the report reads are filled, one file per day and table.
"""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from benchmarks.lakehouse_columns import mixed
from benchmarks.lakehouse_lakes import Population, spaces
from benchmarks.lakehouse_messages import Messages, rows_of
from genie_assets.domain.tables import (
    GENIE_DAY_LOADS,
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    TABLES,
    Table,
)
from genie_assets.gateways.lakehouse.delta.writes import WRITER
from genie_assets.gateways.lakehouse.opening import open_lakehouse

_DAYS_PER_WRITE = 14
# Of a thousand messages, so many failed, were cancelled, were liked, were disliked, and are not read yet.
_FAILED, _CANCELLED, _LIKED, _DISLIKED, _UNREAD = 50, 20, 60, 30, 2
_ERRORS = ("SQL_EXECUTION_EXCEPTION", "RATE_LIMIT_EXCEEDED_GENERIC_EXCEPTION", "CONTENT_FILTER_EXCEPTION")


def build(root: Path, population: Population) -> int:
    """Fill the tables that the report reads; the number of messages that the lake then holds."""
    lake = open_lakehouse(str(root))
    for table in TABLES:
        lake.prepare(table)
    total = 0
    for start in range(0, population.days, _DAYS_PER_WRITE):
        days = range(start, min(start + _DAYS_PER_WRITE, population.days))
        messages = Messages.concat([population.asked_on(day) for day in days])
        luck = mixed(mixed(messages.created_ms.astype(np.uint64)) ^ messages.numbers.astype(np.uint64))
        is_read = (luck >> np.uint64(40)) % np.uint64(1000) >= _UNREAD
        _write(root, GENIE_MESSAGES_TO_FETCH, rows_of(GENIE_MESSAGES_TO_FETCH, messages))
        read, became = messages[is_read], _became(luck[is_read])
        total += len(read)
        _write(root, MESSAGE_DETAILS, rows_of(MESSAGE_DETAILS, read, **became))
        _write(root, MESSAGE_ATTACHMENTS, rows_of(MESSAGE_ATTACHMENTS, read))
    _write(root, GENIE_SPACE_DETAILS, spaces())
    _write(root, GENIE_DAY_LOADS, _loads(population))
    return total


def _became(luck: np.ndarray) -> dict[str, Any]:
    """What became of messages: how each ended, how long it took, how it was rated."""
    thousand = (luck % np.uint64(1000)).astype(np.int64)
    failed = thousand < _FAILED
    cancelled = ~failed & (thousand < _FAILED + _CANCELLED)
    rating = (luck >> np.uint64(10)) % np.uint64(1000)
    statement_ms = 200 + ((luck >> np.uint64(20)) % np.uint64(20_000)).astype(np.int64)
    response_ms = statement_ms + 2_000 + ((luck >> np.uint64(34)) % np.uint64(40_000)).astype(np.int64)
    errors = np.array(_ERRORS, dtype=object)[thousand % len(_ERRORS)]
    status = np.where(failed, "FAILED", np.where(cancelled, "CANCELLED", "COMPLETED"))
    liked, disliked = rating < _LIKED, (rating >= _LIKED) & (rating < _LIKED + _DISLIKED)
    return {
        "status": pa.array(status),
        "error_type": pa.array(np.where(failed, errors, None), pa.string()),
        "response_time_ms": pa.array(response_ms, mask=failed | cancelled),
        "query_duration_ms": pa.array(statement_ms),
        "query_compile_ms": pa.array(statement_ms // 10),
        "query_execution_ms": pa.array(statement_ms // 2),
        "query_fetch_ms": pa.array(statement_ms // 20),
        "query_from_cache": pa.array(thousand % 7 == 0),
        "feedback_rating": pa.array(
            np.where(liked, "POSITIVE", np.where(disliked, "NEGATIVE", None)), pa.string()
        ),
        "feedback_comment": pa.array(np.where(disliked, "Counts cancelled orders as well.", None), pa.string()),
    }


def _loads(population: Population) -> pa.Table:
    at = dt.datetime.combine(population.last_day, dt.time(23), dt.UTC)
    frame = GENIE_DAY_LOADS.frame(
        {"event_date": population.date(day), "event_count": 1, "newest_event_time": at, "ingestion_timestamp": at}
        for day in range(population.days)
    )
    return pa.Table.from_pandas(frame, preserve_index=False)


def _write(root: Path, table: Table, rows: pa.Table) -> None:
    delta = DeltaTable(str(root / "genie_analytics" / table.name))
    write_deltalake(delta, rows, mode="append", writer_properties=WRITER)
