"""Waiting for a space: one probe finds out whether it was granted. A grant, or its return, releases all."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from genie_assets.domain import ledger
from genie_assets.domain.fetch_plan import MessageRef, spared_by_a_probe, worth_a_probe
from genie_assets.domain.fetch_runs import Asked
from genie_assets.domain.keys import MESSAGE, Row, SpaceKey
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import Equals, Exists, Filter, In, Not, Rows, Wanted
from genie_assets.domain.requests import ReadProbe
from genie_assets.domain.tables import (
    AGENT_FETCH_ERRORS,
    COMMENT_FETCH_ERRORS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_FETCH_ERRORS,
    SPACE_FETCH_ERRORS,
    Table,
    records,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.ports import Genie

# The ledgers of what is not found while its space is away.
_IN_A_SPACE = (MESSAGE_FETCH_ERRORS, COMMENT_FETCH_ERRORS, AGENT_FETCH_ERRORS)


def still_forbidden(
    wanted: Sequence[MessageRef], errors: Mapping[Any, Row], genie: Genie, *, deadline: float
) -> tuple[dict[MessageRef, FetchError], Asked]:
    """Messages that need not be asked for one by one: a probe of their space says that nothing was granted.

    Returns:
        The refusal by message, and what the probes took.
    """
    waiting = [ref for ref in wanted if ledger.waits_for_permission(errors.get(ref.key))]
    spaces = {SpaceKey(refs[0].workspace_id, refs[0].space_id): refs for refs in worth_a_probe(waiting)}
    probes = [ReadProbe(key.workspace_id, refs[0].workspace_url, key.space_id) for key, refs in spaces.items()]
    made = Asked()
    forbidden: dict[MessageRef, FetchError] = {}
    for result in genie.fetch(probes, deadline=deadline):
        made.note(result)
        refusal = result.errors.get(result.request.space_id)
        refs = spaces[SpaceKey(result.request.workspace_id, result.request.space_id)]
        chance = random.random()  # noqa: S311 - chooses, guards nothing
        if refusal is not None:
            forbidden |= dict.fromkeys(spared_by_a_probe(refs, refusal, chance=chance), refusal)
    return forbidden, made


def release(
    lake: Lakehouse, granted: Collection[SpaceKey], *, failed_before: dt.datetime, now: dt.datetime
) -> Counter[dt.date]:
    """Make the errors due now that waited for the same grant on other days; their numbers by day.

    Args:
        lake: The tables.
        granted: Spaces of which a message could be read that was forbidden before.
        failed_before: When the run began that found it out.
        now: The time, UTC.
    """
    released: Counter[dt.date] = Counter()
    if not granted:
        return released
    of_these = In("space_id", sorted({key.space_id for key in granted}))
    # The space's own error comes first: a run that dies in between finds the messages and so the grant again.
    for table in (SPACE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS):
        waiting = records(lake.read(table, where=[*ledger.WAITING_FOR_PERMISSION, of_these]))
        rows = [row for row in waiting if ledger.waits_for_one_of(row, granted, failed_before)]
        due = [ledger.released(row, now) for row in rows]
        if due:
            lake.store(table, table.frame(due))
        released = Counter(row["event_date"] for row in due if row.get("event_date"))
    return released


def gone_questions(space_ids: Iterable[str]) -> dict[str, Wanted]:
    """The questions for what was found gone in these spaces since each was last seen, by the names of ledgers."""
    of_these = In("space_id", sorted(space_ids))
    return {
        table.name: Wanted(
            Rows(table, [*ledger.GONE_UNSEEN, of_these, *_not_by_the_log(table)]), table.column_names
        )
        for table in _IN_A_SPACE
    }


def release_returned(
    lake: Lakehouse,
    returned: Collection[SpaceKey],
    gone_unseen: Mapping[str, Collection[Row]],
    now: dt.datetime,
) -> None:
    """Make due now what was not found while its space was away.

    A space that went and came back between two looks was never seen away: what was found gone since the look
    before is asked for once more.

    Args:
        lake: The tables.
        returned: Spaces that were not found, and are there again.
        gone_unseen: The answers to `gone_questions`, of spaces that are there.
        now: The time, UTC.
    """
    of_these = In("space_id", sorted({key.space_id for key in returned}))
    for table in _IN_A_SPACE:
        rows = list(gone_unseen.get(table.name, ()))
        if returned:
            where = [*ledger.NOT_FOUND, of_these, *_not_by_the_log(table)]
            rows += [row for row in lake.records(table, where=where) if SpaceKey.of(row) in returned]
        due = {table.key_of(row): ledger.requeued(row, now) for row in rows if ledger.was_not_found(row)}
        if due:
            lake.store(table, table.frame(due.values()))


def _not_by_the_log(table: Table) -> list[Filter]:
    """Messages that the log calls deleted are gone whatever their space does; nor are comments on them listed."""
    if table is AGENT_FETCH_ERRORS:
        return []
    return [Not([Exists(Rows(GENIE_MESSAGES_TO_FETCH, [Equals("is_deleted", True)]), MESSAGE)])]
