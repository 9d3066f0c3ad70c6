"""`audit_messages`: which messages were touched on a day, from the audit log."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

from genie_assets.domain.agents import agent_conversations
from genie_assets.domain.audit import Unnamed, unnamed_events
from genie_assets.domain.day_loads import load_of, log_hash
from genie_assets.domain.deletions import LOOKS_AHEAD
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.regions import counted_once, held_back, notes_by_day, regions_of_load, unread_now
from genie_assets.domain.space_events import changed_lately, space_events
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS, TABLES, records
from genie_assets.domain.workspaces import not_running
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.regions import RegionLostError
from genie_assets.pipeline import space_events as spaces
from genie_assets.pipeline.agent_items import known_question, note_conversations
from genie_assets.pipeline.conversation_days import index_stored_messages
from genie_assets.pipeline.day_loads import LoadedDay, loaded_day, note_load
from genie_assets.pipeline.error_ledger import (
    deleted_question,
    leave_out,
    leave_unread,
    left_out_question,
    looked_at_again_question,
    never_read_question,
    open_again,
    shown_again,
)
from genie_assets.pipeline.ports import SystemTables
from genie_assets.pipeline.references import DayOfLog, keep_references
from genie_assets.pipeline.run import Run

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Discovery:
    """What a look at one day of the audit log found."""

    messages: int
    new: int
    deleted: int
    workspaces: int
    changed: bool  # whether the stored day differs from before
    not_running: tuple[str, ...] = ()  # of the workspaces: those that answer nobody, as "name (BANNED)"
    unnamed: Unnamed | None = field(
        default_factory=Unnamed
    )  # None if nothing is new, and the events were not read
    changed_spaces: tuple[SpaceKey, ...] = ()  # spaces that were changed lately, by events that were not known
    unread: Mapping[str, str] = field(default_factory=dict)  # regions that could not be read, each with why


def discover(run: Run, *, system_tables: SystemTables, lake: Lakehouse) -> Discovery:
    """Replace one day of `genie_messages_to_fetch` with every message that the audit log shows was touched on it.

    The log is read before any row is written: a failed read leaves the day as it was. All tables exist afterwards,
    be they empty. If nothing of what the last load went by has changed, the day's events are not read again.

    Of a region that cannot be read, what is stored stays as it was, and the others' is replaced.
    """
    while True:
        try:
            return _discover(run, system_tables, lake)
        except RegionLostError as lost:
            # It is not asked again, so that this comes to an end.
            _LOG.warning("The day is read anew, without what had been read of the region %s.", lost)


def _discover(run: Run, system_tables: SystemTables, lake: Lakehouse) -> Discovery:
    event_date, now = run.day, run.clock()
    index_stored_messages(lake, {"ingestion_timestamp": now})
    before = loaded_day(event_date, lake)
    # Before the events are read: what arrives while they are being read is then noticed as not loaded.
    of_it, of_later, workspaces = system_tables.day_and_later(event_date, event_date + LOOKS_AHEAD)
    days, later = records(of_it), records(of_later)
    chosen = system_tables.chosen_workspaces
    window = log_hash([*days, *later, {"chosen": sorted(chosen)}])
    read_deletions = partial(system_tables.deletions, event_date, until=event_date + LOOKS_AHEAD)
    known_deletions, deletions = before.deletions_in(window), None
    if known_deletions is None:
        deletions = read_deletions()
        known_deletions = log_hash(records(deletions))
    load = load_of(event_date, days, known_deletions, records(workspaces), chosen) | {"window_hash": window}
    regions, noted = system_tables.regions, (before.noted or {}).get("regions")
    load |= regions_of_load(notes_by_day(days).get(event_date, {}), noted, regions, now)
    unread = unread_now(regions)
    if before.is_as(load):
        return _as_before(before, workspaces, unread)
    if not before.is_prepared:
        for table in TABLES:
            lake.prepare(table)
    if deletions is None:
        deletions = read_deletions()
    events = system_tables.message_events(event_date)
    if regions:
        load = counted_once(load, records(events))
    held = held_back(noted, regions)
    if held:
        deletions = deletions[(deletions["event_date"] != event_date) | ~deletions["workspace_id"].isin(held)]
    log = DayOfLog(event_date, events, deletions, workspaces, chosen, held)
    of_spaces = space_events(records(events))
    urls = {row["workspace_id"]: row["workspace_url"] for row in records(workspaces)}
    agents = agent_conversations(records(events), urls)
    beside = {
        "left out": left_out_question(MESSAGE_FETCH_ERRORS, chosen),
        "looked at again": looked_at_again_question(MESSAGE_FETCH_ERRORS, chosen),
        "deleted": deleted_question(MESSAGE_FETCH_ERRORS, events["message_id"].dropna().unique()),
        "never read": never_read_question(event_date, chosen),
        **spaces.stored_question(of_spaces),
        **known_question(agents),
    }
    kept = keep_references(log, beside, lake, now)
    shown = {row["workspace_id"] for row in kept.rows}
    leave_out(lake, MESSAGE_FETCH_ERRORS, kept.found["left out"], now)
    leave_unread(lake, event_date, kept.found["never read"], now)
    again = [*kept.found["looked at again"], *shown_again(kept.found["deleted"], kept.rows)]
    open_again(lake, MESSAGE_FETCH_ERRORS, again, now)
    note_conversations(agents, kept.found.get("agents", ()), lake, now)
    new_events = spaces.keep(of_spaces, kept.found.get("space events", ()), lake, {"ingestion_timestamp": now})
    note_load(load, kept.rows, before, lake, now)
    unnamed = unnamed_events(events)
    if unnamed.unknown:
        _LOG.warning(
            "Actions whose events may ask something and name no message: %d. The metadata counts their events.",
            len(unnamed.unknown),
        )
    return Discovery(
        messages=len(kept.rows),
        new=sum(row["is_new"] for row in kept.rows),
        deleted=sum(row["is_deleted"] for row in kept.rows),
        workspaces=len(shown),
        changed=kept.changed,
        not_running=not_running(records(workspaces), shown),
        unnamed=unnamed,
        changed_spaces=changed_lately(new_events, now),
        unread=unread,
    )


def _as_before(day: LoadedDay, workspaces: pd.DataFrame, unread: Mapping[str, str]) -> Discovery:
    """What is known of a day of which nothing has changed: its events were not read again."""
    return Discovery(
        messages=day.number(),
        new=day.number("asked"),
        deleted=day.number("gone"),
        workspaces=len(day.workspaces),
        changed=False,
        not_running=not_running(records(workspaces), day.workspaces),
        unnamed=None,
        unread=unread,
    )
