"""The page Conversations: how they go, and every turn with a link."""

from genie_assets.domain.dashboard.asked import LINK, SPACE, TURN_COLUMNS
from genie_assets.domain.dashboard.widgets import PERCENT, SECONDS, WHOLE, counter, linked_table, text
from genie_assets.domain.dashboard.words import Page, Query, column, mean, rows

CONVERSATIONS = Page(
    "conversations",
    "Conversations",
    (
        (
            text(
                "conversations_intro",
                "## Conversations",
                "How conversations go, and every turn with a link into Genie, which opens its conversation for "
                "those who may see it. A conversation belongs to the day of its first question.",
            ),
        ),
        (
            counter(
                "conversations_count",
                "Conversations",
                Query("conversations", (rows().called("Conversations", WHOLE),)),
                "That began in the period.",
            ),
            counter(
                "conversations_depth",
                "Questions per conversation",
                Query("conversations", (mean("messages").called("Questions", SECONDS),)),
                "The mean of the conversations that began in the period.",
            ),
            counter(
                "conversations_first",
                "First question answered",
                Query("conversations", (mean("first_answered").called("First question answered", PERCENT),)),
                "Of conversations whose first question was answered or failed.",
            ),
            counter(
                "conversations_abandoned",
                "Abandoned",
                Query("conversations", (mean("abandoned").called("Abandoned", PERCENT),)),
                "Ended without an answer, where that can be told.",
            ),
        ),
        (
            linked_table(
                "conversations_turns",
                "Turns: each question with its answer and SQL",
                Query(
                    "turn_texts",
                    (
                        *TURN_COLUMNS,
                        column("answer").called("Answer"),
                        column("sql_text").called("SQL"),
                        column("outcome").called("Outcome"),
                        column("response_s").called("Response (s)"),
                        column("rating").called("Rating"),
                        column("signs").called("Signs"),
                        LINK,
                    ),
                    newest_by="asked_at",
                ),
                "genie_url",
                "The latest 2,000 of the period, newest first.",
            ),
        ),
        (
            linked_table(
                "conversations_table",
                "Conversations that began in the period",
                Query(
                    "conversations",
                    (
                        column("started_at").called("Started (UTC)"),
                        column("workspace").called("Workspace"),
                        SPACE,
                        column("messages").called("Questions"),
                        column("length_s").called("Length (s)"),
                        LINK,
                    ),
                    newest_by="started_at",
                ),
                "genie_url",
                "Newest first. The length is the time from the first question to the last one.",
            ),
        ),
    ),
)
