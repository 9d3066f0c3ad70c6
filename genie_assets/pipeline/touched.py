"""Gathers the conversations that a day's fold has to look at; which they are, `domain/folded_again` says."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from genie_assets.domain.folded_again import (
    asked_on,
    dated_questions,
    dated_rows,
    named_by_the_log,
    nameless,
    touching,
)
from genie_assets.domain.keys import Row
from genie_assets.domain.questions import Counted, Question, Rows, Wanted
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.folded_days import FoldedDay
from genie_assets.pipeline.folds_at_once import folds_question
from genie_assets.pipeline.history import long_waiting


class Touched(NamedTuple):
    """Where a fold looks.

    Attributes:
        conversations: Conversations to look at, each with how many messages it is known to have at least.
        long_waiting: How many messages of each day have waited for a statement for long.
        since: If given, only what has changed in them since then is folded.
        folds: What other folds have announced and noted, before anything was read for this one.
    """

    conversations: Counter[str]
    long_waiting: Mapping[dt.date, int]
    since: dt.datetime | None = None
    folds: Sequence[Row] = ()


def touched_conversations(before: FoldedDay, lake: Lakehouse, now: dt.datetime) -> Touched:
    """Where the fold of a day looks: where something has changed, or everywhere if anything was stored late.

    Args:
        before: The day as the fold finds it.
        lake: The tables.
        now: The time of the fold, UTC.
    """
    today = now.date()
    since = before.since(today)
    found = _looked_up(before.day, lake, now, since)
    if since is not None and before.is_late(dated_rows(found)):
        since = None
        found = _looked_up(before.day, lake, now, since)
    folds = found.pop("folds")
    touched = Counter({row["conversation_id"]: row["count"] for row in found["asked"]})
    long_ago = {row["created_date"]: row["count"] for row in found["long waiting"]}
    nameless_ids = {row["message_id"] for row in found["nameless"]}
    if nameless_ids:
        found |= lake.together({"named": _conversations(named_by_the_log(nameless_ids))})
    for rows in found.values():
        touched |= Counter({row["conversation_id"]: 1 for row in rows if row.get("conversation_id") is not None})
    return Touched(touched, long_ago, since, folds)


def _looked_up(
    event_date: dt.date, lake: Lakehouse, now: dt.datetime, since: dt.datetime | None
) -> dict[str, list[Row]]:
    """What tells it, and how much is dated before `since`; one question."""
    today = now.date()
    questions: dict[str, Question] = {
        "folds": folds_question(now),
        "asked": Counted(asked_on(event_date, since), by=["conversation_id"]),
        "nameless": Wanted(nameless(event_date, since), ["message_id"], distinct=True),
        "long waiting": long_waiting(today),
        **{rows.table.name: _conversations(rows) for rows in touching(event_date, today, since)},
        **(dated_questions(event_date, since) if since is not None else {}),
    }
    return dict(lake.together(questions))


def _conversations(rows: Rows) -> Wanted:
    return Wanted(rows, ["conversation_id"], distinct=True)
