"""The page Space configuration: what spaces are made of, and which of them nobody uses."""

from genie_assets.domain.dashboard.asked import SPACE
from genie_assets.domain.dashboard.widgets import WHOLE, ranked, table, text
from genie_assets.domain.dashboard.words import Page, Query, column, rows

CONFIGURATION = Page(
    "configuration",
    "Space configuration",
    (
        (
            text(
                "configuration_intro",
                "## Space configuration",
                "What spaces are made of, and which of them nobody uses.",
                "**The days that are chosen change nothing here:** it is how the spaces are now, and all that is "
                "known of their use. Numbers are blank where a configuration cannot be read.",
            ),
        ),
        (
            ranked(
                "configuration_states",
                "Spaces by use",
                Query("inventory", (column("state").called("Use"), rows().called("Spaces", WHOLE))),
                "Never used: nobody asked in it since the first loaded day.",
            ),
            ranked(
                "configuration_known",
                "Spaces by whether their configuration is known",
                Query(
                    "inventory", (column("configuration").called("Configuration"), rows().called("Spaces", WHOLE))
                ),
                "A configuration is readable with CAN MANAGE on its space.",
            ),
        ),
        (
            table(
                "configuration_table",
                "What each space is made of",
                Query(
                    "inventory",
                    (
                        column("workspace").called("Workspace"),
                        SPACE,
                        column("state").called("Use"),
                        column("last_used_on").called("Last used"),
                        column("messages").called("Questions", WHOLE),
                        column("users").called("People", WHOLE),
                        column("tables").called("Tables", WHOLE),
                        column("table_columns").called("Columns", WHOLE),
                        column("joins").called("Joins", WHOLE),
                        column("instructions").called("Instructions", WHOLE),
                        column("example_queries").called("Example queries", WHOLE),
                        column("sample_questions").called("Sample questions", WHOLE),
                        column("benchmarks").called("Benchmarks", WHOLE),
                    ),
                ),
                "Most questions first; questions and people are of all loaded days.",
            ),
        ),
    ),
)
