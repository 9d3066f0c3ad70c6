"""The page API and pipeline health: was everything read, and what is open."""

from genie_assets.domain.dashboard.asked import DAY, SPACE
from genie_assets.domain.dashboard.widgets import WHOLE, alarm, bars, counter, ranked, table, text
from genie_assets.domain.dashboard.words import Page, Query, column, rows, total

_OPEN = rows().called("Open errors", WHOLE)


HEALTH = Page(
    "health",
    "API and pipeline health",
    (
        (
            text(
                "health_intro",
                "## API and pipeline health",
                "Was everything read that the audit log knows of? `genie-assets errors list` says what to do.",
                "**The space filter does not change the days that were loaded nor what was found in them; the "
                "workspace filter does not change the days that were loaded; and the days that are chosen do not "
                "change open errors,** which are those of now.",
            ),
        ),
        (
            counter(
                "health_loaded",
                "Days loaded",
                Query("loaded", (column("loaded_days").called("Days loaded", WHOLE),)),
                "Of the period, from the first loaded day to the last.",
            ),
            alarm(
                "health_missing",
                "Days not loaded",
                Query("loaded", (column("missing_days").called("Days not loaded", WHOLE),)),
                "`genie-assets load` loads them.",
            ),
            alarm(
                "health_pending",
                "Not read yet",
                Query("completeness_days", (total("pending").called("Not read yet", WHOLE),)),
                "Touched on a day of the period.",
            ),
            alarm("health_open", "Open errors", Query("errors_now", (_OPEN,)), "Now, of messages and of spaces."),
        ),
        (
            bars(
                "health_days",
                "Messages touched on a day, by whether they were read",
                Query(
                    "completeness_days",
                    (
                        DAY,
                        total("stored").called("Read", WHOLE),
                        total("open_errors").called("Open error", WHOLE),
                        total("pending").called("Not read yet", WHOLE),
                        total("closed").called("Closed by hand", WHOLE),
                        total("deleted").called("Deleted", WHOLE),
                    ),
                ),
                "A message that is touched on two days counts on both: do not add days up.",
                width=12,
            ),
        ),
        (
            bars(
                "health_requests",
                "Requests to the Genie API, by the day whose messages were asked for",
                Query("completeness_days", (DAY, total("requests").called("Requests", WHOLE))),
                "As far as runs noted them.",
                width=12,
            ),
        ),
        (
            ranked(
                "health_classes",
                "Open errors by class",
                Query("errors_now", (column("error_class").called("Class"), _OPEN)),
                "Now. Empty: nothing is open.",
            ),
            ranked(
                "health_states",
                "Open errors by what happens next",
                Query("errors_now", (column("retry_state").called("Next"), _OPEN)),
                "DUE: with the next run. WAITING: later. PARKED: not by itself.",
            ),
        ),
        (
            table(
                "health_errors",
                "Open errors, the oldest first",
                Query(
                    "errors_now",
                    (
                        column("of_what").called("What"),
                        column("workspace").called("Workspace"),
                        SPACE,
                        column("error_class").called("Class"),
                        column("retry_state").called("Next"),
                        column("age_days").called("Age (days)", WHOLE),
                        column("retry_count").called("Attempts after the first", WHOLE),
                        column("first_error_at").called("Since"),
                        column("error_message").called("Error"),
                    ),
                ),
                "Now, whatever days are chosen. Empty: nothing is open.",
            ),
        ),
    ),
)
