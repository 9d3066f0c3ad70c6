"""`audit_messages`: which messages were touched on a day, from the audit log."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.audit import conversations_deleted_on, empty_known_messages, messages_to_fetch
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, TABLES, records
from genie_assets.gateways.lakehouse import Between, Filter, In, Lakehouse
from genie_assets.gateways.system_tables import SystemTables
from genie_assets.pipeline.conversation_days import index_stored_messages

Row = dict[str, Any]


@dataclass(frozen=True)
class Discovery:
    """What a look at one day of the audit log found."""

    messages: int
    new: int
    deleted: int
    workspaces: int
    changed: bool  # whether the stored day differs from before


def discover(event_date: dt.date, *, system_tables: SystemTables, lake: Lakehouse, now: dt.datetime) -> Discovery:
    """Replace one day of `genie_messages_to_fetch` with every message that the audit log shows was touched on it.

    The log is read before any row is written: a failed read leaves the day as it was. All tables exist afterwards,
    be they empty.
    """
    index_stored_messages(lake, {"ingestion_timestamp": now})
    for table in TABLES:
        lake.prepare(table)
    events = system_tables.message_events(event_date)
    deletions = system_tables.deletions(since=event_date)
    workspaces = system_tables.workspaces()
    gone = conversations_deleted_on(event_date, deletions)
    known = empty_known_messages()
    if gone:
        # Messages first seen later are left out, or the day would depend on which days were looked at before it.
        so_far: list[Filter] = [In("conversation_id", gone), Between("event_date", high=event_date)]
        known = lake.read(GENIE_MESSAGES_TO_FETCH, columns=list(known.columns), where=so_far)
    rows = messages_to_fetch(event_date, events, deletions, known, workspaces)
    rows += _forgotten(event_date, rows, lake)
    frame = GENIE_MESSAGES_TO_FETCH.frame({"ingestion_timestamp": now, **row} for row in rows)
    return Discovery(
        messages=len(rows),
        new=sum(row["is_new"] for row in rows),
        deleted=sum(row["is_deleted"] for row in rows),
        workspaces=len({row["workspace_id"] for row in rows}),
        changed=lake.replace_day(GENIE_MESSAGES_TO_FETCH, event_date, frame),
    )


def _forgotten(event_date: dt.date, rows: list[Row], lake: Lakehouse) -> list[Row]:
    """Stored references of workspaces of which the log shows nothing any more on this day.

    Databricks drops events after a year, and those of a deleted workspace after two weeks: that is no reason to
    forget them here.
    """
    shown = {row["workspace_id"] for row in rows}
    stored = records(lake.read(GENIE_MESSAGES_TO_FETCH, days=[event_date]))
    return [row for row in stored if row["workspace_id"] not in shown]
