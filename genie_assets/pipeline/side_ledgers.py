"""What is wrong with the ledgers around messages, looked up in one question. The rule stands in `domain`."""

import datetime as dt
from collections.abc import Collection

from genie_assets.domain.side_ledgers import SideLedger
from genie_assets.domain.unread import Unread, questions, unread
from genie_assets.gateways.lakehouse.interface import Lakehouse


def unread_around_messages(
    lake: Lakehouse, now: dt.datetime, chosen: Collection[str] = (), *, sample: int = 0
) -> dict[SideLedger, Unread]:
    """What cannot be read, or was not, of comments, agents' steps and evaluations.

    Args:
        lake: The tables.
        now: The time, UTC.
        chosen: Workspaces that are looked at; none stands for all.
        sample: So many open errors of each ledger are shown.
    """
    return unread(lake.together(questions(now, sample)), chosen, now)
