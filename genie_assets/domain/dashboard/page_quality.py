"""The page Answer quality: signs that Genie did not help."""

from genie_assets.domain.dashboard.asked import DAY, LINK, QUESTIONS, SPACE, TURN_COLUMNS
from genie_assets.domain.dashboard.widgets import PERCENT, WHOLE, counter, lines, linked_table, table, text
from genie_assets.domain.dashboard.words import Page, Query, Widget, column, known, mean

_SIGNS = {
    "without_sql": ("Answered without SQL", "Of answered questions."),
    "empty_result": ("Empty result", "Of answers whose rows are known."),
    "asked_back": ("Asked back", "Genie asked for more instead of answering by SQL."),
    "rephrased": ("Rephrased", "The same user asked again in other words within ten minutes."),
    "abandoned": ("Abandoned", "The conversation ended without an answer."),
    "result_expired": ("Result expired", "Answered, and the result is gone by now."),
    "withheld": ("Withheld", "No part of the answer is shown to us; not a failure."),
}


def _sign(name: str) -> Widget:
    title, description = _SIGNS[name]
    return counter(f"quality_{name}", title, Query("signals", (mean(name).called(title, PERCENT),)), description)


QUALITY = Page(
    "quality",
    "Answer quality",
    (
        (
            text(
                "quality_intro",
                "## Answer quality",
                "Signs that Genie did not help, found by rules that always say the same. Each is a share of the "
                "messages of which it can be told, and what cannot be told is left out.",
            ),
        ),
        (_sign("without_sql"), _sign("empty_result"), _sign("asked_back"), _sign("rephrased")),
        (
            _sign("abandoned"),
            _sign("result_expired"),
            _sign("withheld"),
            counter(
                "quality_messages",
                "Questions",
                Query("signals", (QUESTIONS,)),
                "That the signs were looked for in.",
            ),
        ),
        (
            lines(
                "quality_trend",
                "Signs of trouble by day (share of questions)",
                Query(
                    "signals",
                    (
                        DAY,
                        mean("rephrased").called("Rephrased", PERCENT),
                        mean("abandoned").called("Abandoned", PERCENT),
                        mean("empty_result").called("Empty result", PERCENT),
                        mean("asked_back").called("Asked back", PERCENT),
                    ),
                ),
                "Each is a share of the questions of the day of which it can be told.",
                width=12,
            ),
        ),
        (
            table(
                "quality_spaces",
                "Signs of trouble by space",
                Query(
                    "signals",
                    (
                        SPACE,
                        QUESTIONS,
                        mean("rephrased").called("Rephrased", PERCENT),
                        known("rephrased").called("can be told of", WHOLE),
                        mean("abandoned").called("Abandoned", PERCENT),
                        known("abandoned").called("can be told of ", WHOLE),
                        mean("empty_result").called("Empty result", PERCENT),
                        mean("without_sql").called("Without SQL", PERCENT),
                        mean("asked_back").called("Asked back", PERCENT),
                    ),
                ),
                "Most questions first. Of few questions a share says little.",
            ),
        ),
        (
            linked_table(
                "quality_turns",
                "Questions with a sign of trouble",
                Query(
                    "turn_texts",
                    (*TURN_COLUMNS, column("signs").called("Signs"), column("answer").called("Answer"), LINK),
                    ("`has_sign` IN ('yes')",),
                    newest_by="asked_at",
                ),
                "genie_url",
                "Newest first, among the latest 2,000 turns of the period. Empty: none has a sign.",
            ),
        ),
    ),
)
