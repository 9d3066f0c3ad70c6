"""Gathers the conversations that a day's fold has to look at; which they are, `domain/folded_again` says."""

import datetime as dt
from collections import Counter

from genie_assets.domain.folded_again import asked_on, named_by_the_log, nameless, touching
from genie_assets.domain.questions import Counted, Rows, Wanted
from genie_assets.gateways.lakehouse.interface import Lakehouse


def touched_conversations(
    event_date: dt.date, lake: Lakehouse, today: dt.date, since: dt.datetime | None = None
) -> Counter[str]:
    """Conversations to look at, each with how many messages it is known to have at least.

    Args:
        event_date: The day that is folded.
        lake: The tables.
        today: The day of the fold, UTC.
        since: If given, only conversations in which something has changed since then.
    """
    asked, unnamed = asked_on(event_date, since), nameless(event_date, since)
    found = lake.together(
        {
            "asked": Counted(asked, by=["conversation_id"]),
            "nameless": Wanted(unnamed, ["message_id"], distinct=True),
            **{rows.table.name: _conversations(rows) for rows in touching(event_date, today, since)},
        }
    )
    touched = Counter({row["conversation_id"]: row["count"] for row in found.pop("asked")})
    nameless_ids = {row["message_id"] for row in found.pop("nameless")}
    if nameless_ids:
        found |= lake.together({"named": _conversations(named_by_the_log(nameless_ids))})
    for rows in found.values():
        touched |= Counter({row["conversation_id"]: 1 for row in rows if row["conversation_id"] is not None})
    return touched


def _conversations(rows: Rows) -> Wanted:
    return Wanted(rows, ["conversation_id"], distinct=True)
