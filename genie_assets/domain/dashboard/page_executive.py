"""The page Executive: who asks, does it work, how fast."""

from collections.abc import Mapping
from typing import Any

from genie_assets.domain.dashboard.asked import DAY, QUESTIONS, SPACE, SUCCESS
from genie_assets.domain.dashboard.widgets import (
    NUMBER,
    PERCENT,
    SECONDS,
    WHOLE,
    alarm,
    bars,
    counter,
    lines,
    ranked,
    text,
)
from genie_assets.domain.dashboard.words import Field, Page, Query, Widget, column, total


def _outcomes() -> tuple[Field, ...]:
    names = ("answered", "failed", "cancelled", "unsettled", "withheld", "deleted")
    return tuple(total(name).called(name.capitalize(), WHOLE) for name in names)


def _compared(name: str, title: str, shown: Mapping[str, Any], description: str) -> Widget:
    fields = (column(name).called(title, shown), column(f"{name}_before").called("Period before", shown))
    return counter(f"executive_{name}", title, Query("comparison", fields), description)


EXECUTIVE = Page(
    "executive",
    "Executive",
    (
        (
            text(
                "executive_intro",
                "## Genie at a glance",
                "Who asks, does it work, how fast. Days are UTC: the last 30 closed ones at first. "
                "Choose days, a workspace and a space at the top: everything follows, but for what a page says.",
                "A day that was not loaded is blank, never 0. Rates leave out what was deleted, cancelled, "
                "withheld or is still running. **The workspace filter and the space filter do not change which "
                "days were loaded.**",
            ),
        ),
        (
            counter(
                "executive_from",
                "First day (UTC)",
                Query("loaded", (column("first_day").called("First day"),)),
                "Of the period, as far as days are known.",
            ),
            counter(
                "executive_to",
                "Last day (UTC)",
                Query("loaded", (column("last_day").called("Last day"),)),
                "Of the period, as far as days are known.",
            ),
            alarm(
                "executive_missing",
                "Days not loaded",
                Query("loaded", (column("missing_days").called("Days not loaded", WHOLE),)),
                "Of the period; what they held is in no number.",
            ),
            counter(
                "executive_newest",
                "Newest event of the audit log",
                Query("loaded", (column("newest_event_time").called("Newest event"),)),
                "How fresh the audit log was when it was read, UTC.",
            ),
        ),
        (
            _compared(
                "questions", "Questions", NUMBER, "Read messages; before: as many days, if all were loaded."
            ),
            _compared("people", "People", NUMBER, "Distinct people who asked, service principals left out."),
            _compared("success", "Success rate", PERCENT, "Answered, of answered and failed."),
            _compared("p95_s", "Response time p95 (s)", SECONDS, "95 % of the answers came within this time."),
        ),
        (
            bars(
                "executive_trend",
                "Questions by what became of them",
                Query("activity", (DAY, *_outcomes())),
                "By the day of asking. No bar: nobody asked, or the day was not loaded.",
                width=12,
            ),
        ),
        (
            ranked(
                "executive_spaces",
                "Busiest spaces by questions",
                Query("turns", (SPACE, QUESTIONS)),
                "The first twenty, of the period.",
            ),
            lines(
                "executive_success_days",
                "Success rate by day",
                Query("turns", (DAY, SUCCESS)),
                "Answered, of answered and failed.",
            ),
        ),
    ),
)
