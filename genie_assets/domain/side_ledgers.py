"""The ledgers of what lies around messages: comments, agents' steps, evaluations.

Those of messages and of spaces have checks of their own. What is wrong with a ledger: `domain/unread`.
"""

from dataclasses import dataclass

from genie_assets.domain.tables import AGENT_FETCH_ERRORS, COMMENT_FETCH_ERRORS, EVALUATION_FETCH_ERRORS, Table


@dataclass(frozen=True)
class SideLedger:
    """A ledger.

    Attributes:
        name: By which people name it, such as `comments`.
        table: Where it is.
        things: What one of its rows stands for, and what several do.
        job: The job that looks at them.
        can_be_closed: Whether an error that was closed by hand stays closed until something happens to the thing.
    """

    name: str
    table: Table
    things: tuple[str, str]
    job: str
    can_be_closed: bool


COMMENTS = SideLedger(
    "comments", COMMENT_FETCH_ERRORS, ("message's comments", "messages' comments"), "genie_conversations", True
)
AGENTS = SideLedger(
    "agents", AGENT_FETCH_ERRORS, ("agent's conversation", "agents' conversations"), "genie_conversations", True
)
EVALUATIONS = SideLedger(
    "evaluations",
    EVALUATION_FETCH_ERRORS,
    ("space's evaluations", "spaces' evaluations"),
    "genie_evaluations",
    False,
)
SIDE_LEDGERS = (COMMENTS, AGENTS, EVALUATIONS)
