"""The page Usage: how much is asked, when and where."""

from genie_assets.domain.dashboard.asked import DAY, PEOPLE, QUESTIONS
from genie_assets.domain.dashboard.widgets import WHOLE, combo, counter, hours, ranked, shares, text
from genie_assets.domain.dashboard.words import Page, Query, column, distinct, total

USAGE = Page(
    "usage",
    "Usage",
    (
        (text("usage_intro", "## Usage", "How much is asked, when, and where. Hours and days are UTC."),),
        (
            counter(
                "usage_questions",
                "Questions",
                Query("turns", (QUESTIONS,)),
                "Messages of the period that were read.",
            ),
            counter(
                "usage_conversations",
                "Conversations",
                Query("turns", (distinct("conversation_key").called("Conversations", WHOLE),)),
                "With a question in the period.",
            ),
            counter(
                "usage_spaces",
                "Spaces used",
                Query("turns", (distinct("space_key").called("Spaces used", WHOLE),)),
                "With a question in the period.",
            ),
            counter(
                "usage_unread",
                "Not read yet",
                Query("activity", (total("unread_messages").called("Not read yet", WHOLE),)),
                "Asked, says the audit log, and in no other number here.",
            ),
        ),
        (
            combo(
                "usage_days",
                "Questions (bars) and people (line) by day",
                Query("turns", (DAY, QUESTIONS, PEOPLE)),
                "Days without a question have no bar; Executive shows which days were loaded.",
            ),
        ),
        (
            hours(
                "usage_hours",
                "Questions by hour and day of the week",
                Query(
                    "turns",
                    (column("hour").called("Hour (UTC)"), column("weekday").called("Day of the week"), QUESTIONS),
                ),
                "Hours are UTC. The darker, the more.",
            ),
        ),
        (
            ranked(
                "usage_workspaces",
                "Questions by workspace",
                Query("turns", (column("workspace").called("Workspace"), QUESTIONS)),
                "The first twenty, most questions first.",
            ),
            shares(
                "usage_kinds",
                "Questions by kind of user",
                Query("turns", (column("user_kind").called("Kind of user"), QUESTIONS)),
                "One service principal may stand for many people.",
            ),
        ),
    ),
)
