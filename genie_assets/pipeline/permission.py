"""Waiting for a space: one probe finds out whether it was granted. A grant, or its return, releases all."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from genie_assets.domain import ledger
from genie_assets.domain.fetch_plan import MessageRef, spared_by_a_probe, worth_a_probe
from genie_assets.domain.fetch_runs import Asked
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import In
from genie_assets.domain.requests import ReadProbe
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS, SPACE_FETCH_ERRORS, records
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.ports import Genie


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


def release_returned(lake: Lakehouse, returned: Collection[SpaceKey], now: dt.datetime) -> int:
    """Make messages due now that were not found while their space was away; the number of them.

    Args:
        lake: The tables.
        returned: Spaces that were not found, and are there again.
        now: The time, UTC.
    """
    if not returned:
        return 0
    of_these = In("space_id", sorted({key.space_id for key in returned}))
    rows = records(lake.read(MESSAGE_FETCH_ERRORS, where=[*ledger.NOT_FOUND, of_these]))
    due = [ledger.requeued(row, now) for row in rows if ledger.was_not_found(row) and SpaceKey.of(row) in returned]
    return lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(due)).updated if due else 0
