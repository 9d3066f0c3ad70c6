"""`enriched_message_details`: fold stored answers, query history and names into the tables that users query.

Gather, fold, store: the rules are in `domain`.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from genie_assets.domain.evidence import Evidence
from genie_assets.domain.folded_again import in_parts
from genie_assets.domain.folding import Difference, Folded, difference, fold
from genie_assets.domain.keys import MessageKey
from genie_assets.domain.tables import MESSAGE_ATTACHMENTS, MESSAGE_DETAILS, Table
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.results import MergeResult
from genie_assets.pipeline.conversation_days import entry_of, index_stored_messages, store_days
from genie_assets.pipeline.evidence import Sources
from genie_assets.pipeline.folded_days import (
    Kind,
    by_enrichment,
    by_status,
    folded_day,
    kinds_of,
)
from genie_assets.pipeline.folds_at_once import FoldsAtOnce
from genie_assets.pipeline.history import waiting_for_long
from genie_assets.pipeline.ports import Genie, SystemTables
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.set_aside import set_aside
from genie_assets.pipeline.touched import touched_conversations

# So often a part is folded while other folds come in between.
_TRIES = 5


@dataclass(frozen=True)
class FoldReport:
    """What one fold wrote, and what it found about the day's own messages. Reports of parts can be added."""

    messages: int = 0
    days: frozenset[dt.date] = frozenset()
    details: MergeResult = field(default_factory=MergeResult)
    attachments: MergeResult = field(default_factory=MergeResult)
    statements: int = 0
    statements_found: int = 0
    came: Counter[Kind] = field(default_factory=Counter)  # the day's own rows, as they are now
    went: Counter[Kind] = field(default_factory=Counter)  # and the earlier ones in whose place they are
    statuses: Mapping[str, int] = field(default_factory=Counter)
    enrichment: Mapping[str, int] = field(default_factory=Counter)
    space_requests: int = 0
    set_aside: int = 0  # messages that could not be folded
    history_refusal: str | None = None  # why query history cannot be read
    unread: Mapping[str, str] = field(default_factory=dict)  # regions of which it could not be, each with why

    def __add__(self, other: "FoldReport") -> "FoldReport":
        return FoldReport(
            messages=self.messages + other.messages,
            days=self.days | other.days,
            details=self.details + other.details,
            attachments=self.attachments + other.attachments,
            statements=self.statements + other.statements,
            statements_found=self.statements_found + other.statements_found,
            came=self.came + other.came,
            went=self.went + other.went,
            space_requests=self.space_requests + other.space_requests,
            set_aside=self.set_aside + other.set_aside,
            history_refusal=self.history_refusal or other.history_refusal,
            unread={**self.unread, **other.unread},
        )

    def numbers(self) -> dict[str, float]:
        """What is worth plotting per partition."""
        return {
            "messages": self.messages,
            "days_touched": len(self.days),
            "inserted": self.details.inserted,
            "updated": self.details.updated,
            "moved_or_removed": self.details.deleted,
            "attachments_changed": self.attachments.changed,
            "statements": self.statements,
            "statements_found": self.statements_found,
            "space_requests": self.space_requests,
            "set_aside": self.set_aside,
        }


def fold_day(run: Run, *, system_tables: SystemTables, genie: Genie, lake: Lakehouse) -> FoldReport:
    """Fold every conversation that the run's day touches: by an audit event, a fetch, or a message asked on it.

    Conversations whose statements had not arrived in query history are looked at again, whichever day it is; while
    history cannot be read they wait. Nothing is folded if nothing of what the day's last fold went by has changed;
    of today, only what did. Work is done in parts of some thousand messages, so that a day of any size fits into
    memory; each part is stored by itself, and what a broken run has stored is right.
    """
    now = run.clock()
    index_stored_messages(lake, {"ingestion_timestamp": now})
    before = folded_day(run.day, lake, now)
    if before.is_quiet:
        return FoldReport(statuses=by_status(before.kinds), enrichment=by_enrichment(before.kinds))
    touched = touched_conversations(before, lake, now)
    sources = Sources(run, system_tables, genie, lake, touched.since)
    others = FoldsAtOnce(before, touched.folds, lake, run, now)
    report = FoldReport()
    for conversation_ids in in_parts(touched.conversations):
        report += _fold_part(sources, conversation_ids, others)
    if sources.history.has_answered:
        for conversation_ids in waiting_for_long(lake, touched.long_waiting):
            report += _fold_part(sources, conversation_ids, others)
    others.note()
    kinds = before.kinds + report.came - report.went
    return replace(
        report,
        statuses=by_status(kinds),
        enrichment=by_enrichment(kinds),
        history_refusal=sources.history.refusal,
        unread=sources.history.unread,
    )


def _fold_part(sources: Sources, conversation_ids: list[str], others: FoldsAtOnce) -> FoldReport:
    """Fold some conversations, and again what was stored of them as long as other folds come in between."""
    report, again = FoldReport(), dict[MessageKey, str]()
    for number in range(_TRIES):
        one, again = _fold_once(sources, conversation_ids, again, others)
        # What is folded once more has been counted.
        report += replace(one, messages=0, statements=0, statements_found=0) if number else one
        if not again or not others.came_in_between():
            return report
        conversation_ids = sorted(set(again.values()))
    others.give_up()
    return report


def _fold_once(
    sources: Sources, conversation_ids: list[str], again: Collection[MessageKey], others: FoldsAtOnce
) -> tuple[FoldReport, dict[MessageKey, str]]:
    """Fold some conversations; also gives the messages of which anything was stored, with their conversations."""
    gathered = sources.gather(conversation_ids, again)
    if not (gathered.evidence.answers or gathered.evidence.set_aside):
        return FoldReport(), {}
    stamp = sources.run.stamp("fold")
    folded = fold(gathered.evidence, stamp["ingestion_timestamp"])
    lie_on = {entry_of(row) for row in (*folded.details, *(answer for answer, _ in gathered.evidence.answers))}
    store_days(sources.lake, lie_on - set(gathered.indexed), stamp)
    set_aside(folded.set_aside, gathered.evidence.errors, sources.run, sources.lake)
    details, attachments = _differences(folded, gathered.evidence)
    stored = {MessageKey.of(row) for each in (details, attachments) for row in (*each.changed, *each.gone)}
    if stored:
        others.announce()
    # Attachments first: whoever sees a message in message_details finds its attachments.
    _store(sources.lake, MESSAGE_ATTACHMENTS, attachments, stamp)
    _store(sources.lake, MESSAGE_DETAILS, details, stamp)
    day = sources.run.day
    report = FoldReport(
        messages=len(folded.details),
        days=frozenset(row["created_date"] for row in folded.details),
        details=_counted(details),
        attachments=_counted(attachments),
        statements=folded.statements,
        statements_found=folded.statements_found,
        came=kinds_of(folded.details, day),
        went=kinds_of(folded.replaced(gathered.evidence.details), day),
        space_requests=gathered.space_requests,
        set_aside=len(folded.set_aside),
    )
    conversations = ((MessageKey.of(row), row["conversation_id"]) for row in folded.details)
    return report, {key: conversation_id for key, conversation_id in conversations if key in stored}


def _differences(folded: Folded, evidence: Evidence) -> tuple[Difference, Difference]:
    """What has to be done to messages and to attachments."""
    return (
        difference(MESSAGE_DETAILS, folded.details, folded.replaced(evidence.details)),
        difference(MESSAGE_ATTACHMENTS, folded.attachments, folded.replaced(evidence.attachments)),
    )


def _store(lake: Lakehouse, table: Table, found: Difference, stamp: Mapping[str, Any]) -> None:
    """Store what is not as it was.

    What stays as it is does not even reach the table: comparing it there would read every day it lies in.
    """
    if found.changed or found.gone:
        lake.store(
            table,
            table.frame({**row, **stamp} for row in found.changed),
            delete=table.frame(map(table.part, found.gone)) if found.gone else None,
        )


def _counted(found: Difference) -> MergeResult:
    return MergeResult(found.inserted, len(found.changed) - found.inserted, len(found.gone))
