"""Which conversations a day's fold has to look at, and in which parts."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    Table,
)
from genie_assets.gateways.lakehouse import Equals, Exists, Filter, In, IsNull, Lakehouse, Not, Rows

# Statements are waited for during 72 hours; some days more, so that the last look says that they never came.
_PENDING_DAYS = 7
# A part of this size takes about 150 MB.
_MESSAGES_PER_PART = 8_000


def touched_conversations(event_date: dt.date, lake: Lakehouse, now: dt.datetime) -> Counter[str]:
    """Conversations to fold, each with how many messages it is known to have at least."""
    recent = [now.date() - dt.timedelta(days=back) for back in range(_PENDING_DAYS)]
    waiting = [Equals("enrichment_status", "PENDING")]
    of_the_day = [Equals("event_date", event_date)]
    nameless = lake.read(
        GENIE_MESSAGES_TO_FETCH, columns=["message_id"], days=[event_date], where=[IsNull("conversation_id")]
    )
    reads: list[tuple[Table, dict[str, Any]]] = [
        (GENIE_MESSAGES_TO_FETCH, {"days": [event_date], "where": [Not(_folded_and_only_read(event_date))]}),
        (GENIE_API_MESSAGES, {"where": [In("message_id", nameless["message_id"])]}),
        (MESSAGE_FETCH_ERRORS, {"where": of_the_day}),
        (MESSAGE_DETAILS, {"days": recent, "where": waiting}),
    ]
    counted = lake.count(GENIE_API_MESSAGES, by=["conversation_id"], days=[event_date])
    touched = Counter({row["conversation_id"]: row["count"] for row in counted})
    for table, conditions in reads:
        found = lake.read(table, columns=["conversation_id"], distinct=True, **conditions)
        touched |= Counter(found["conversation_id"].dropna())
    return touched


def _folded_and_only_read(event_date: dt.date) -> list[Filter]:
    """References that change nothing: messages that are folded already and that somebody merely looked at again.

    Old messages are read again all the time; without this, every such look would have us read their days.
    """
    fetched_today = Rows(GENIE_API_MESSAGES, [Equals("event_date", event_date)])
    return [
        IsNull("last_change_time"),
        Equals("is_deleted", False),
        Exists(Rows(MESSAGE_DETAILS)),
        Not([Exists(fetched_today)]),
        Not([Exists(Rows(MESSAGE_FETCH_ERRORS))]),
    ]


def in_parts(conversations: Mapping[str, int]) -> Iterator[list[str]]:
    """Conversations in parts of about the same number of messages; neighbours in time stay together."""
    part: list[str] = []
    messages = 0
    for conversation_id in sorted(conversations):
        part.append(conversation_id)
        messages += conversations[conversation_id]
        if messages >= _MESSAGES_PER_PART:
            yield part
            part, messages = [], 0
    if part:
        yield part
