"""The page Latency: how long answers take, and where the time goes."""

from genie_assets.domain.dashboard.asked import DAY, P95, SPACE
from genie_assets.domain.dashboard.widgets import PERCENT, SECONDS, WHOLE, counter, lines, table, text
from genie_assets.domain.dashboard.words import Page, Query, column, known, mean, percentile, total

LATENCY = Page(
    "latency",
    "Latency",
    (
        (
            text(
                "latency_intro",
                "## Latency",
                "How long answers take: from asking to the end of the answer, of answered questions whose time is "
                "known. Percentiles lie between two answers if they fall between them; they are computed from the "
                "messages of whatever is chosen, never from percentiles of days.",
            ),
        ),
        (
            counter(
                "latency_p50",
                "Response time, median (s)",
                Query("turns", (percentile("response_s", 0.5).called("p50", SECONDS),)),
                "Half of the answers came within this time.",
                width=3,
            ),
            counter(
                "latency_p95",
                "Response time p95 (s)",
                Query("turns", (P95,)),
                "95 % of the answers came within this time.",
            ),
            counter(
                "latency_p99",
                "Response time p99 (s)",
                Query("turns", (percentile("response_s", 0.99).called("p99", SECONDS),)),
                "99 % of the answers came within this time.",
                width=3,
            ),
            counter(
                "latency_known",
                "Answers timed",
                Query("turns", (known("response_s").called("Answers timed", WHOLE),)),
                "What the three times are computed from.",
            ),
        ),
        (
            lines(
                "latency_days",
                "Response time by day (s)",
                Query(
                    "turns",
                    (
                        DAY,
                        percentile("response_s", 0.5).called("p50", SECONDS),
                        percentile("response_s", 0.95).called("p95", SECONDS),
                    ),
                ),
                "Of the answers of each day. No point: there was no answer whose time is known.",
            ),
            lines(
                "latency_split",
                "Where the time goes: means by day (s)",
                Query(
                    "turns",
                    (
                        DAY,
                        mean("thinking_s").called("Genie thinking", SECONDS),
                        mean("wait_s").called("Waiting for compute", SECONDS),
                        mean("compile_s").called("Compiling", SECONDS),
                        mean("execution_s").called("Executing", SECONDS),
                        mean("fetch_s").called("Fetching", SECONDS),
                    ),
                ),
                "Each of the messages of which it is known; they do not add up to the response time.",
            ),
        ),
        (
            table(
                "latency_spaces",
                "Response time by space (s)",
                Query(
                    "turns",
                    (
                        SPACE,
                        known("response_s").called("Answers timed", WHOLE),
                        percentile("response_s", 0.5).called("p50 (s)", SECONDS),
                        P95,
                        mean("thinking_s").called("Thinking, mean (s)", SECONDS),
                        mean("execution_s").called("Executing, mean (s)", SECONDS),
                    ),
                ),
                "Most answers first.",
                width=6,
            ),
            table(
                "latency_warehouses",
                "SQL statements by warehouse",
                Query(
                    "turns",
                    (
                        column("warehouse_id").called("Warehouse"),
                        known("statement_s").called("Statements", WHOLE),
                        percentile("statement_s", 0.95).called("p95 (s)", SECONDS),
                        mean("cached").called("From cache", PERCENT),
                        total("read_gb").called("Read (GB)", SECONDS),
                    ),
                ),
                "Most statements first. Without a name: query history does not tell which warehouse it was.",
                width=6,
            ),
        ),
    ),
)
