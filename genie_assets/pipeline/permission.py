"""Waiting for permission: one probe per space finds out whether it was granted; a grant releases all."""

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from genie_assets.domain import ledger
from genie_assets.domain.fetch_plan import MessageRef
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS, records
from genie_assets.gateways.genie_api import GenieApi
from genie_assets.gateways.lakehouse import Equals, Filter, In, Lakehouse
from genie_assets.pipeline.stored import Key, Row, is_open, key_of

SpaceKey = tuple[str, str]  # (workspace_id, space_id)

_THREADS = 16


def waits_for_permission(error: Mapping[str, object] | None) -> bool:
    """Whether a ledger row is an open error that only a grant can heal."""
    return error is not None and not error["resolved"] and error["error_class"] == ErrorClass.PERMISSION


def still_forbidden(
    wanted: Sequence[MessageRef], errors: Mapping[Key, Row], genie: GenieApi, *, deadline: float
) -> tuple[dict[Key, FetchError], int]:
    """Messages that need not be asked for one by one: a probe of their space says that nothing was granted.

    A space with a single due conversation is not probed: asking for it is as cheap.

    Returns:
        The refusal by message, and the number of probes.
    """
    spaces: defaultdict[SpaceKey, list[MessageRef]] = defaultdict(list)
    for ref in wanted:
        if waits_for_permission(errors.get((ref.workspace_id, ref.message_id))):
            spaces[ref.workspace_id, ref.space_id].append(ref)
    probed = [refs for refs in spaces.values() if len({ref.conversation_id for ref in refs}) > 1]

    def probe(refs: list[MessageRef]) -> FetchError | None:
        first = refs[0]
        return genie.may_read(first.workspace_id, first.workspace_url, first.space_id, deadline=deadline)

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="probe") as pool:
        refusals = list(pool.map(probe, probed))
    forbidden = {
        (ref.workspace_id, ref.message_id): refusal
        for refs, refusal in zip(probed, refusals, strict=True)
        if refusal is not None and refusal.error_class is ErrorClass.PERMISSION
        # One is asked for all the same: reading may be granted where listing everybody's conversations is not.
        for ref in random.sample(refs, len(refs) - 1)
    }
    return forbidden, len(probed)


def release(lake: Lakehouse, granted: set[SpaceKey], *, failed_before: dt.datetime, now: dt.datetime) -> int:
    """Make the errors due now that waited for the same grant on other days; the number of them.

    Args:
        lake: The tables.
        granted: Spaces of which a message could be read that was forbidden before.
        failed_before: Errors that failed later than this were tried with the grant in force, and keep waiting.
        now: The time, UTC.
    """
    if not granted:
        return 0
    waiting: list[Filter] = [
        Equals("resolved", False),
        Equals("error_class", str(ErrorClass.PERMISSION)),
        In("space_id", sorted({space_id for _, space_id in granted})),
    ]
    rows = [
        ledger.released(row, now)
        for row in records(lake.read(MESSAGE_FETCH_ERRORS, where=waiting))
        if (row["workspace_id"], row["space_id"]) in granted and row["error_timestamp"] < failed_before
    ]
    return lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows)).updated if rows else 0


def newly_granted(before: Mapping[Key, Row], after: Mapping[Key, Row]) -> set[SpaceKey]:
    """Spaces of which a message was read that had waited for permission."""
    return {
        (row["workspace_id"], row["space_id"])
        for row in before.values()
        if waits_for_permission(row)
        and not is_open(after.get(key_of(row)))
        and after[key_of(row)]["resolution"] == ledger.FETCHED
    }
