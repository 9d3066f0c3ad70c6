"""`agent_items`: which conversations are with agents, and the steps of each, listed again after later events.

Which these are, and what a list says, is decided in `domain.agents`.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from genie_assets.domain.agents import (
    OF_A_CONVERSATION,
    TO_LIST,
    TOUCHED_SINCE,
    items_look,
    new_conversations,
    requests_for,
)
from genie_assets.domain.keys import Row
from genie_assets.domain.questions import In, Rows, Wanted
from genie_assets.domain.tables import AGENT_CONVERSATIONS, AGENT_FETCH_ERRORS, GENIE_MESSAGES_TO_FETCH
from genie_assets.domain.whole_lists import ITEMS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.error_ledger import leave_out, left_out_question
from genie_assets.pipeline.ports import Genie
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.whole_lists import ListsReport, keep_lists


def keep_items(run: Run, chosen: Collection[str], *, genie: Genie, lake: Lakehouse) -> ListsReport:
    """List the steps of every conversation with an agent in which something happened since they were last listed.

    Args:
        run: The run.
        chosen: Workspaces that are looked at; none stands for all.
        genie: The API.
        lake: The tables.
    """
    found = lake.together(
        {
            "to list": Wanted(Rows(AGENT_CONVERSATIONS, TO_LIST), AGENT_CONVERSATIONS.column_names),
            "touched": Wanted(
                Rows(GENIE_MESSAGES_TO_FETCH, TOUCHED_SINCE), [*OF_A_CONVERSATION, "last_change_time"]
            ),
            "left out": left_out_question(AGENT_FETCH_ERRORS, chosen),
        }
    )
    leave_out(lake, AGENT_FETCH_ERRORS, found["left out"], run.clock())
    requests = requests_for(found["to list"], found["touched"], chosen)
    return keep_lists(requests, ITEMS, items_look, genie=genie, lake=lake, run=run)


def known_question(shown: Sequence[Row]) -> Mapping[str, Wanted]:
    """The question for what is stored of conversations with agents; none if there are none."""
    if not shown:
        return {}
    of_these = [In("conversation_id", sorted({row["conversation_id"] for row in shown}))]
    return {"agents": Wanted(Rows(AGENT_CONVERSATIONS, of_these), AGENT_CONVERSATIONS.column_names)}


def keep_listed(shown: Sequence[Row], lake: Lakehouse, now: dt.datetime) -> None:
    """Note conversations with agents that a list shows."""
    if shown:
        note_conversations(shown, lake.together(known_question(shown))["agents"], lake, now)


def note_conversations(shown: Sequence[Row], stored: Sequence[Row], lake: Lakehouse, now: dt.datetime) -> int:
    """Note conversations with agents as far as they say something new; how many.

    Args:
        shown: Their rows.
        stored: What is stored of them.
        lake: The tables.
        now: The time, UTC.
    """
    rows = [{**row, "ingestion_timestamp": now} for row in new_conversations(shown, stored)]
    if rows:
        lake.store(AGENT_CONVERSATIONS, AGENT_CONVERSATIONS.frame(rows))
    return len(rows)
