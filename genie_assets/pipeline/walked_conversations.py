"""Walks conversations: which messages each has, and which of them are missing here and entered.

References come before the note that a conversation was walked: a crash in between asks once more, loses nothing.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from genie_assets.domain.keys import MESSAGE, MessageKey, Row
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import Equals, In, Rows, Wanted
from genie_assets.domain.reconciliation import (
    Seen,
    entered,
    is_gone,
    is_of_it_all_the_same,
    missing,
    seen_in,
    speaks_of_it,
    superseded,
)
from genie_assets.domain.requests import MessagesOfConversation
from genie_assets.domain.tables import GENIE_API_MESSAGES, GENIE_MESSAGES_TO_FETCH, RECONCILED_CONVERSATIONS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.addresses import with_addresses
from genie_assets.pipeline.ports import Genie
from genie_assets.pipeline.run import Run

_CONVERSATIONS_AT_ONCE, _MESSAGES_AT_ONCE = 200, 5_000


@dataclass
class ReconciliationReport:
    """What one slice did."""

    spaces_known: int = 0
    spaces_due: int = 0
    spaces_listed: int = 0
    spaces_walked: int = 0
    conversations_walked: int = 0
    messages_seen: int = 0
    messages_entered: int = 0
    failed: int = 0  # lists that could not be read to the end
    requests: int = 0
    days_entered: set[dt.date] = field(default_factory=set)


@dataclass(frozen=True)
class Walking:
    """Who walks, and how far back.

    Attributes:
        run: The run.
        genie: The API.
        lake: The tables.
        first_day: The first day that can be loaded.
        report: What it did so far.
    """

    run: Run
    genie: Genie
    lake: Lakehouse
    first_day: dt.date
    report: ReconciliationReport = field(default_factory=ReconciliationReport)

    @property
    def is_over(self) -> bool:
        """Whether the time of the slice is up."""
        return time.monotonic() >= self.run.deadline


def told(problem: FetchError | None) -> Row:
    """The columns that say why something could not be listed."""
    return {
        "error_class": str(problem.error_class) if problem else None,
        "error_message": problem.message if problem else None,
    }


def url_of(workspaces: Mapping[str, Row], workspace_id: str) -> str | None:
    """The address of a workspace, as far as the account's list names it."""
    return workspaces.get(workspace_id, {}).get("workspace_url")


def walked(rows: Iterable[Row], workspaces: Mapping[str, Row], walking: Walking) -> Iterator[list[Row]]:
    """Ask for the messages of conversations; yields their rows as they are stored, a batch at a time."""
    known = {(row["workspace_id"], row["space_id"], row["conversation_id"]): row for row in rows}
    requests = [MessagesOfConversation(ids[0], url_of(workspaces, ids[0]), *ids[1:]) for ids in known]
    batch, seen = list[Row](), list[Seen]()
    held, answered = list[tuple[Row, FetchError]](), set[str]()
    for result in walking.genie.fetch(with_addresses(requests, walking.lake), deadline=walking.run.deadline):
        walking.report.requests += result.requests_made
        asked = result.request
        problem = result.errors.get(asked.conversation_id)
        if result.not_attempted:
            walking.report.failed += problem is not None
            continue
        row, now = known[asked.workspace_id, asked.space_id, asked.conversation_id], walking.run.clock()
        if problem is not None and not speaks_of_it(problem):
            walking.report.failed += 1
            held.append((row, problem))
            continue
        answered.add(asked.workspace_id)
        row = {**row, "attempted_timestamp": now, **told(None if problem and is_gone(problem) else problem)}
        if row["error_class"] is None:
            times = {each: answer.body.get("created_timestamp") for each, answer in result.answers.items()}
            messages = seen_in(row, times if problem is None else {}, (walking.first_day, now.date()))
            seen += messages
            row |= {"walked_timestamp": now, "message_count": len(messages)}
        walking.report.failed += row["error_class"] is not None
        batch.append(row)
        if len(batch) >= _CONVERSATIONS_AT_ONCE or len(seen) >= _MESSAGES_AT_ONCE:
            yield _store_walked(batch, seen, workspaces, walking)
            batch, seen = [], []
    batch += _held_up(held, answered, walking.run.clock())
    if batch:
        yield _store_walked(batch, seen, workspaces, walking)


def _held_up(held: Iterable[tuple[Row, FetchError]], answered: Collection[str], now: dt.datetime) -> Iterator[Row]:
    """Rows of conversations that failed as if the way had, where it did not."""
    for row, problem in held:
        reached, waits = row["workspace_id"] in answered, now - row["listed_timestamp"]
        if is_of_it_all_the_same(problem, others_were_answered=reached, waits=waits):
            yield {**row, "attempted_timestamp": now, **told(problem)}


def _store_walked(
    batch: list[Row], seen: list[Seen], workspaces: Mapping[str, Row], walking: Walking
) -> list[Row]:
    """Enter what is missing, then note the conversations; their rows as they are stored."""
    lake, stamp = walking.lake, walking.run.stamp("walked")
    accounted, spare = _known(lake, {each.message_id for each in seen})
    lacking = missing(seen, accounted)
    by_conversation: Counter[tuple[str, str, str]] = Counter(
        (each.workspace_id, each.space_id, each.conversation_id) for each in lacking
    )
    if lacking or spare:
        now = stamp["ingestion_timestamp"]
        times = {"ingestion_timestamp": now, "first_seen_timestamp": now}
        # The same message in two conversations of a list that is odd is entered once.
        rows = {each.key: {**entered(each, workspaces.get(each.workspace_id)), **times} for each in lacking}
        frame = GENIE_MESSAGES_TO_FETCH.frame
        lake.store(GENIE_MESSAGES_TO_FETCH, frame(rows.values()), delete=frame(spare))
    stored = [
        row
        if row["error_class"] is not None
        else {
            **row,
            "missing_count": by_conversation[row["workspace_id"], row["space_id"], row["conversation_id"]],
        }
        for row in batch
    ]
    lake.store(RECONCILED_CONVERSATIONS, RECONCILED_CONVERSATIONS.frame({**row, **stamp} for row in stored))
    walking.report.conversations_walked += sum(row["error_class"] is None for row in stored)
    walking.report.messages_seen += len(seen)
    walking.report.messages_entered += len(lacking)
    walking.report.days_entered |= {each.day for each in lacking}
    return stored


def _known(lake: Lakehouse, message_ids: Collection[str]) -> tuple[set[MessageKey], list[Row]]:
    """What is known of these messages.

    One that is stored and had not ended is looked at again only if there is a reference of it.

    Returns:
        Those that have a reference, or of which the last word is stored; and references to be taken out.
    """
    if not message_ids:
        return set(), []
    named = In("message_id", message_ids)
    ended = Rows(GENIE_API_MESSAGES, [named, Equals("is_settled", True)])
    found = lake.together(
        {
            "shown": Wanted(Rows(GENIE_MESSAGES_TO_FETCH, [named]), [*MESSAGE, "event_date", "event_count"]),
            "stored": Wanted(ended, MESSAGE, distinct=True),
        }
    )
    accounted = {MessageKey.of(row) for rows in found.values() for row in rows}
    return accounted, superseded(found["shown"])
