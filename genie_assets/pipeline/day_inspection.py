"""All that the checks of a day read, as one question; each part alone, and what is of no day: `inspection`."""

import datetime as dt
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from genie_assets.domain import ledger
from genie_assets.domain.health import PLACES, DayState, may_be_pending
from genie_assets.domain.questions import Counted, Equals, Rows
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.inspection import state_of
from genie_assets.pipeline.twins import twin_questions, twins_found


@dataclass(frozen=True)
class DayInspection:
    """What was found of one day."""

    state: DayState
    outdated: int  # open errors of messages that were read since
    duplicates: Mapping[str, int]  # rows too many, by table
    enrichment: Mapping[str, int]  # messages by enrichment_status


def inspect_day(day: dt.date, lake: Lakehouse, now: dt.datetime) -> DayInspection:
    """Look a day up.

    Args:
        day: The day.
        lake: The tables.
        now: The time, UTC, by which a message that is nowhere may be pending.
    """
    flags = {**PLACES, **may_be_pending(now)}
    of_the_day = [*ledger.OUTDATED, Equals("event_date", day)]
    found = lake.together(
        {
            "places": Counted(Rows(GENIE_MESSAGES_TO_FETCH, days=[day]), ["workspace_id"], flags),
            "outdated": Counted(Rows(MESSAGE_FETCH_ERRORS, of_the_day)),
            "enrichment": Counted(Rows(MESSAGE_DETAILS, days=[day]), ["enrichment_status"]),
            **twin_questions(day),
        }
    )
    return DayInspection(
        state=state_of(found["places"]),
        outdated=sum(row["count"] for row in found["outdated"]),
        duplicates=twins_found(found, lake),
        enrichment=Counter({row["enrichment_status"]: row["count"] for row in found["enrichment"]}),
    )


# The latest inspection through each lakehouse: of which run and day, and after how many writes of ours.
_latest: "WeakKeyDictionary[Lakehouse, tuple[Hashable, DayInspection]]" = WeakKeyDictionary()


def inspected(day: dt.date, lake: Lakehouse, now: dt.datetime, *, run_id: str) -> DayInspection:
    """The inspection that all checks of one run share, as long as the run writes nothing in between."""
    key = (run_id, day, lake.writes)
    latest = _latest.get(lake)
    if latest is None or latest[0] != key:
        latest = _latest[lake] = (key, inspect_day(day, lake, now))
    return latest[1]
