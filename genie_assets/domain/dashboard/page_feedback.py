"""The page Feedback: how users rate what they got."""

from genie_assets.domain.dashboard.asked import DAY, JUDGED, LINK, QUESTIONS, SPACE, SUCCESS, TURN_COLUMNS
from genie_assets.domain.dashboard.widgets import PERCENT, WHOLE, counter, lines, linked_table, shares, table, text
from genie_assets.domain.dashboard.words import Page, Query, column, known, mean

_RATED = ("`rating` IN ('POSITIVE', 'NEGATIVE')",)


FEEDBACK = Page(
    "feedback",
    "Feedback",
    (
        (
            text(
                "feedback_intro",
                "## Feedback",
                "How users rate what they got. Few rate at all: look at how many before you compare.",
                height=1,
            ),
        ),
        (
            counter(
                "feedback_rated",
                "Rated",
                Query("turns", (mean("rated").called("Rated", PERCENT),)),
                "Of answered and failed questions.",
            ),
            counter(
                "feedback_positive",
                "Positive",
                Query("turns", (mean("positive").called("Positive", PERCENT),)),
                "Of rated ones.",
            ),
            counter("feedback_count", "Ratings", Query("turns", (known("positive").called("Ratings", WHOLE),))),
            counter(
                "feedback_comments",
                "With a comment",
                Query("turns", (mean("commented").called("With a comment", PERCENT),)),
                "Of answered and failed questions.",
            ),
        ),
        (
            shares(
                "feedback_shares",
                "Ratings",
                Query("turns", (column("rating").called("Rating"), QUESTIONS), _RATED),
            ),
            lines(
                "feedback_days",
                "Positive share by day",
                Query("turns", (DAY, mean("positive").called("Positive", PERCENT))),
                "Of what was rated on that day.",
            ),
        ),
        (
            table(
                "feedback_spaces",
                "By space",
                Query(
                    "turns",
                    (
                        SPACE,
                        JUDGED,
                        mean("rated").called("Rated", PERCENT),
                        mean("positive").called("Positive", PERCENT),
                        known("positive").called("of rated", WHOLE),
                        SUCCESS,
                    ),
                ),
            ),
        ),
        (
            linked_table(
                "feedback_turns",
                "Rated questions and comments",
                Query(
                    "turn_texts",
                    (
                        *TURN_COLUMNS,
                        column("rating").called("Rating"),
                        column("comment").called("Comment"),
                        column("answer").called("Answer"),
                        LINK,
                    ),
                    _RATED,
                ),
                "genie_url",
                "Among the latest 2,000 turns of the period.",
            ),
        ),
    ),
)
