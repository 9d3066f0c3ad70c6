"""The page Spaces: which are used, by how many, and do they work."""

from genie_assets.domain.dashboard.asked import JUDGED, P95, PEOPLE, QUESTIONS, SPACE, SUCCESS
from genie_assets.domain.dashboard.widgets import PERCENT, WHOLE, ranked, scatter, table, text
from genie_assets.domain.dashboard.words import Page, Query, column, distinct, highest, known, mean

SPACES = Page(
    "spaces",
    "Spaces",
    (
        (text("spaces_intro", "## Spaces", "Which spaces are used, by how many, and do they work."),),
        (
            ranked(
                "spaces_questions",
                "Questions by space",
                Query("turns", (SPACE, QUESTIONS)),
                "The first twenty, most questions first.",
            ),
            ranked(
                "spaces_people",
                "People by space",
                Query("turns", (SPACE, PEOPLE)),
                "The first twenty; somebody who asks in two spaces counts in both.",
            ),
        ),
        (
            scatter(
                "spaces_depth",
                "Reach and depth of spaces",
                Query("turns", (PEOPLE, QUESTIONS, SPACE)),
                "To the right more people, upwards more questions.",
                width=12,
            ),
        ),
        (
            table(
                "spaces_table",
                "All spaces with a question in the period",
                Query(
                    "turns",
                    (
                        column("workspace").called("Workspace"),
                        SPACE,
                        QUESTIONS,
                        PEOPLE,
                        distinct("conversation_key").called("Conversations", WHOLE),
                        SUCCESS,
                        JUDGED,
                        P95,
                        mean("positive").called("Positive", PERCENT),
                        known("positive").called("of rated", WHOLE),
                        highest("day").called("Last used"),
                    ),
                ),
                "Most questions first. Spaces that nobody used stand on Space configuration.",
            ),
        ),
    ),
)
