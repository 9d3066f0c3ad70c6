"""The page Adoption: how many people, and do they come back."""

from genie_assets.domain.dashboard.asked import DAY, JUDGED, PEOPLE, QUESTIONS, SUCCESS
from genie_assets.domain.dashboard.widgets import PERCENT, WHOLE, bars, combo, counter, lines, table, text
from genie_assets.domain.dashboard.words import Field, Page, Query, Widget, column, distinct, highest

_LATEST = ("`is_latest` IN ('yes')",)


def _reach(name: str, title: str, field: Field, description: str) -> Widget:
    return counter(f"adoption_{name}", title, Query("reach", (field,), _LATEST), description)


ADOPTION = Page(
    "adoption",
    "Adoption",
    (
        (
            text(
                "adoption_intro",
                "## Adoption",
                "How many people use Genie, and do they come back. A window that reaches into days that were not "
                "loaded is blank.",
                "**The space filter does not change people by day, week and month, nor new and returning ones:** "
                "these are counted by workspace, because somebody who asks in two spaces is one person.",
            ),
        ),
        (
            _reach(
                "weekly",
                "People in 7 days",
                highest("weekly_users").called("People", WHOLE),
                "Up to the last day.",
            ),
            _reach(
                "monthly",
                "People in 30 days",
                highest("monthly_users").called("People", WHOLE),
                "Up to the last day.",
            ),
            _reach(
                "returning",
                "Returning people",
                highest("returning_users").called("People", WHOLE),
                "Of the last 7 days, who had asked in the 7 before, too.",
            ),
            _reach(
                "stickiness",
                "Stickiness: people of a day, of those of 30",
                highest("stickiness").called("Stickiness", PERCENT),
                "People of the last day, of those of 30 days.",
            ),
        ),
        (
            lines(
                "adoption_reach",
                "People by day, week and month",
                Query(
                    "reach",
                    (
                        DAY,
                        highest("daily_users").called("Day", WHOLE),
                        highest("weekly_users").called("7 days", WHOLE),
                        highest("monthly_users").called("30 days", WHOLE),
                    ),
                ),
                "Windows end with the day. They are not added up over days.",
                width=12,
            ),
        ),
        (
            bars(
                "adoption_new",
                "New people by day",
                Query("reach", (DAY, highest("new_users").called("New people", WHOLE))),
                "Of whom nothing earlier is known: early in the history everybody is new.",
            ),
            combo(
                "adoption_depth",
                "People (bars) and conversations (line) by day",
                Query("turns", (DAY, PEOPLE, distinct("conversation_key").called("Conversations", WHOLE))),
                "Somebody who asks on two days counts on both: do not add days up.",
                width=6,
            ),
        ),
        (
            table(
                "adoption_users",
                "Who asks most",
                Query(
                    "turns",
                    (
                        column("user_key").called("User"),
                        column("user_kind").called("Kind"),
                        QUESTIONS,
                        distinct("space_key").called("Spaces", WHOLE),
                        distinct("day").called("Days", WHOLE),
                        SUCCESS,
                        JUDGED,
                    ),
                ),
                "Most questions first. One service principal may stand for many people.",
            ),
        ),
    ),
)
