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
            ),
        ),
        (
            counter(
                "feedback_rated",
                "Share of questions that were rated",
                Query("turns", (mean("rated").called("Rated", PERCENT),)),
                "Of answered and failed questions.",
            ),
            counter(
                "feedback_positive",
                "Positive share of ratings",
                Query("turns", (mean("positive").called("Positive", PERCENT),)),
                "Of rated ones.",
            ),
            counter(
                "feedback_count",
                "Ratings",
                Query("turns", (known("positive").called("Ratings", WHOLE),)),
                "What the positive share is computed from.",
            ),
            counter(
                "feedback_comments",
                "Share of questions with a comment",
                Query("turns", (mean("commented").called("With a comment", PERCENT),)),
                "Of answered and failed questions.",
            ),
        ),
        (
            shares(
                "feedback_shares",
                "Ratings, positive and negative",
                Query("turns", (column("rating").called("Rating"), QUESTIONS), _RATED),
                "Of answered and failed questions. Empty: nobody rated.",
            ),
            lines(
                "feedback_days",
                "Positive share of ratings by day",
                Query("turns", (DAY, mean("positive").called("Positive", PERCENT))),
                "Of the questions that were asked on that day and rated.",
            ),
        ),
        (
            table(
                "feedback_spaces",
                "Ratings by space",
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
                "Most answered and failed questions first.",
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
                    newest_by="asked_at",
                ),
                "genie_url",
                "Newest first, among the latest 2,000 turns of the period. Empty: nobody rated.",
            ),
        ),
    ),
)
