"""A day's references in `genie_messages_to_fetch`: stored, and brought in line with deletions of other days."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from genie_assets.domain.audit import (
    conversations_deleted_on,
    empty_known_messages,
    forgotten_by_the_log,
    messages_to_fetch,
    not_shown_by_the_log,
)
from genie_assets.domain.deletions import ids_of, with_times
from genie_assets.domain.keys import Row
from genie_assets.domain.questions import In, Question, Rows, Wanted
from genie_assets.domain.regions import beside_the_stored
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, records
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.deletions import StoredDeletions, bring_in_line, deletions_question


@dataclass(frozen=True)
class DayOfLog:
    """What the log says of a day.

    Attributes:
        event_date: The day.
        events: Its events, by message.
        deletions: Those of the day, and of later days.
        workspaces: What is known of workspaces.
        chosen: The workspaces that are looked at; empty for all.
        held: Workspaces of regions that could not be read: what is stored of them stays.
    """

    event_date: dt.date
    events: pd.DataFrame
    deletions: pd.DataFrame
    workspaces: pd.DataFrame
    chosen: Collection[str]
    held: Collection[str]


@dataclass(frozen=True)
class KeptReferences:
    """The references of a day as they are stored now, and the answers to what was asked beside them."""

    rows: list[Row]
    changed: bool
    found: Mapping[str, list[Row]]


def keep_references(
    log: DayOfLog, beside: Mapping[str, Question], lake: Lakehouse, now: dt.datetime
) -> KeptReferences:
    """Store the day's references and deletions, and bring those of other days in line with them.

    Args:
        log: What the log says.
        beside: Other questions, to be asked with those about references.
        lake: The tables.
        now: When this happens.
    """
    event_date, deletions, chosen = log.event_date, log.deletions, log.chosen
    gone = conversations_deleted_on(event_date, deletions)
    known = empty_known_messages()
    if gone:
        # Also by later days: they may be the first to say in which conversation a message is.
        columns = ["event_date", *known.columns]
        known = lake.read(GENIE_MESSAGES_TO_FETCH, columns=columns, where=[In("conversation_id", gone)])
    # Messages first seen later are left out, or the day would depend on which days were looked at before it.
    so_far = known[known["event_date"] <= event_date] if gone else known
    rows = messages_to_fetch(event_date, log.events, deletions, so_far, log.workspaces)
    references = Rows(GENIE_MESSAGES_TO_FETCH, days=[event_date])
    found = lake.together(
        {
            "stored": Wanted(references, GENIE_MESSAGES_TO_FETCH.column_names),
            "deletions": deletions_question(event_date, ids_of(rows)),
            **beside,
        }
    )
    stored, stored_deletions = found["stored"], StoredDeletions(ids_of(rows), found["deletions"], records(known))
    in_the_log = {row["workspace_id"] for row in rows} - {*log.held}
    rows = beside_the_stored(rows, stored, log.held)
    rows += forgotten_by_the_log(stored, in_the_log, chosen)
    rows += not_shown_by_the_log(stored, rows, chosen)
    in_line = bring_in_line(event_date, rows, records(deletions), stored_deletions, shown=in_the_log, lake=lake)
    in_line = replace(in_line, references=with_times(in_line.references, stored, now))
    changed = in_line.changes(stored)
    in_line.store(event_date, lake, now, changed=changed)
    if in_line.crosses_days and (changed or in_line.changes_what_others_go_by):
        # Of two processes that load two days at once, each may have gone by what was before the other had stored
        # anything. Who looks again after storing sees what the other one has stored, or is seen by it. The same
        # holds for what was asked beside: a fetch may have ended errors by references that are not so any more.
        return replace(keep_references(log, beside, lake, now), changed=True)
    return KeptReferences(in_line.references if changed else stored, changed, found)
