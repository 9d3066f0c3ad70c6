"""What cannot be read around messages, and what was not looked at though it was to be.

What a run was to look at and did not is no error of any ledger: it is counted here as overdue, so that a job that
never runs is not taken for one that finds nothing wrong.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from genie_assets.domain import agents, comments, ledger
from genie_assets.domain.evaluations import RESULTS, ended_runs, results_to_ask
from genie_assets.domain.keys import MESSAGE, ConversationKey, Row
from genie_assets.domain.questions import Between, Equals, Exists, Filter, IsNull, Not, Question, Rows, Wanted
from genie_assets.domain.questions import Counted as CountedRows
from genie_assets.domain.side_ledgers import AGENTS, COMMENTS, EVALUATIONS, SIDE_LEDGERS, SideLedger
from genie_assets.domain.tables import (
    AGENT_CONVERSATIONS,
    EVALUATION_FETCH_ERRORS,
    GENIE_EVALUATION_RUNS,
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
)
from genie_assets.domain.workspaces import is_looked_at

OVERDUE_AFTER = dt.timedelta(days=2)
"""The jobs run once a day: what was shown so long ago has been missed at least once."""


@dataclass(frozen=True)
class Unread:
    """What is wrong with a ledger's things.

    Attributes:
        by_class: Open errors by class.
        parked: Of them, those that are not tried again by themselves.
        overdue: Things without an open error that were to be looked at two days ago, and were not.
        sample: Some of the open errors.
    """

    by_class: Mapping[str, int] = field(default_factory=dict)
    parked: int = 0
    overdue: int = 0
    sample: Sequence[Row] = ()

    @property
    def open(self) -> int:
        """How many errors are open."""
        return sum(self.by_class.values())

    @property
    def is_clear(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.by_class or self.overdue)


def questions(now: dt.datetime, sample: int) -> dict[str, Question]:
    """All that has to be asked, together, of all ledgers.

    Args:
        now: The time, UTC.
        sample: So many open errors of each are shown.
    """
    asked: dict[str, Question] = {}
    for each in SIDE_LEDGERS:
        shown = (*each.table.key, "error_class", "first_error_timestamp", "next_retry_timestamp")
        flags = {"is_waiting": Not(ledger.PARKED)}
        asked[f"open {each.name}"] = CountedRows(Rows(each.table, ledger.OPEN), ["error_class"], flags)
        asked[f"some {each.name}"] = Wanted(Rows(each.table, ledger.OPEN), shown, limit=sample)
    return asked | _overdue(Between("ingestion_timestamp", high=now - OVERDUE_AFTER))


def _overdue(is_old: Filter) -> dict[str, Question]:
    on_error = {each.name: Rows(each.table, ledger.OPEN) for each in SIDE_LEDGERS}
    no_comment_error = Not([Exists(on_error["comments"], MESSAGE)])
    no_agent_error = Not([Exists(on_error["agents"], ConversationKey._fields)])
    is_gone = Exists(Rows(GENIE_SPACE_DETAILS, [Equals("is_trashed", True)]), GENIE_SPACE_DETAILS.key)
    messages = Rows(GENIE_MESSAGES_TO_FETCH, [*comments.TO_LIST, is_old, no_comment_error])
    touched = Rows(GENIE_MESSAGES_TO_FETCH, [*agents.TOUCHED_SINCE, is_old, no_agent_error])
    conversations = Rows(AGENT_CONVERSATIONS, [*agents.TO_LIST, is_old, no_agent_error])
    runs = Rows(GENIE_EVALUATION_RUNS, [IsNull("results_kept_timestamp"), is_old, Not([is_gone])])
    failing = Rows(EVALUATION_FETCH_ERRORS, [*ledger.OPEN, Equals("of_what", RESULTS)])
    return {
        "old comments": Wanted(messages, comments.OF_A_REFERENCE),
        "old agents": Wanted(conversations, AGENT_CONVERSATIONS.column_names),
        "old turns": Wanted(touched, (*agents.OF_A_CONVERSATION, "last_change_time")),
        "old evaluations": Wanted(runs, GENIE_EVALUATION_RUNS.column_names),
        "failing evaluations": Wanted(failing, ("workspace_id", "thing_id")),
    }


def unread(
    found: Mapping[str, Sequence[Row]], chosen: Collection[str], now: dt.datetime
) -> dict[SideLedger, Unread]:
    """What is wrong with each ledger.

    Args:
        found: The answers to `questions`.
        chosen: Workspaces that are looked at; none stands for all.
        now: The time, UTC.
    """
    failing = {(row["workspace_id"], row["thing_id"]) for row in found["failing evaluations"]}
    runs = [
        row
        for row in ended_runs(found["old evaluations"])
        if is_looked_at(row["workspace_id"], chosen) and (row["workspace_id"], row["eval_run_id"]) not in failing
    ]
    overdue = {
        COMMENTS: len(comments.requests_for(found["old comments"], chosen)),
        AGENTS: len(agents.requests_for(found["old agents"], found["old turns"], chosen)),
        EVALUATIONS: len(results_to_ask(runs, (), {}, now)),
    }
    return {
        each: _unread(found[f"open {each.name}"], found[f"some {each.name}"], overdue[each])
        for each in SIDE_LEDGERS
    }


def _unread(counted: Sequence[Row], sample: Sequence[Row], overdue: int) -> Unread:
    by_class: Counter[str] = Counter()
    for row in counted:
        by_class[row["error_class"]] += row["count"]
    parked = sum(row["count"] for row in counted if not row["is_waiting"])
    return Unread(dict(by_class), parked, overdue, sample)
