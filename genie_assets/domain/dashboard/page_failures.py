"""The page Failures: with what, where, and whom they hit."""

from genie_assets.domain.dashboard.asked import DAY, JUDGED, LINK, PEOPLE, QUESTIONS, SPACE, TURN_COLUMNS
from genie_assets.domain.dashboard.widgets import PERCENT, WHOLE, bars, counter, linked_table, ranked, table, text
from genie_assets.domain.dashboard.words import Page, Query, column, highest, mean, rows, total

_FAILED = ("`outcome` IN ('FAILED')",)


_HIT = rows().called("Failed", WHOLE)


FAILURES = Page(
    "failures",
    "Failures",
    (
        (
            text(
                "failures_intro",
                "## Failures",
                "What Genie failed with, where, and whom it hit. "
                "What was cancelled, deleted or withheld did not fail.",
            ),
        ),
        (
            counter(
                "failures_count", "Failed questions", Query("turns", (_HIT,), _FAILED), "Of the period.", width=4
            ),
            counter(
                "failures_rate",
                "Failure rate",
                Query("turns", (mean("failed").called("Failure rate", PERCENT),)),
                "Failed, of answered and failed.",
                width=4,
            ),
            counter(
                "failures_people",
                "People hit",
                Query("turns", (PEOPLE,), _FAILED),
                "Distinct people with a failed question, service principals left out.",
                width=4,
            ),
        ),
        (
            bars(
                "failures_days",
                "Failed questions by day",
                Query("activity", (DAY, total("failed").called("Failed", WHOLE))),
                "No bar: nothing failed, or the day was not loaded.",
            ),
            ranked(
                "failures_groups",
                "Failed questions by group of errors",
                Query("turns", (column("error_group").called("Group"), _HIT), _FAILED),
                "Groups are ours; Genie's own types stand below.",
            ),
        ),
        (
            table(
                "failures_types",
                "Failed questions by Genie's error type",
                Query(
                    "turns",
                    (
                        column("error_group").called("Group"),
                        column("error_type").called("Error type"),
                        _HIT,
                        PEOPLE,
                        highest("day").called("Last seen"),
                    ),
                    _FAILED,
                ),
                "The most frequent first. Empty: nothing failed.",
                width=6,
            ),
            table(
                "failures_spaces",
                "Failure rate by space",
                Query("turns", (SPACE, QUESTIONS, mean("failed").called("Failure rate", PERCENT), JUDGED)),
                "Most questions first. Failed, of answered and failed.",
                width=6,
            ),
        ),
        (
            linked_table(
                "failures_turns",
                "Failed questions with their errors",
                Query(
                    "turn_texts",
                    (
                        *TURN_COLUMNS,
                        column("error_type").called("Error type"),
                        column("error_message").called("Error"),
                        LINK,
                    ),
                    _FAILED,
                    newest_by="asked_at",
                ),
                "genie_url",
                "Newest first, among the latest 2,000 turns of the period. Empty: nothing failed.",
            ),
        ),
    ),
)
