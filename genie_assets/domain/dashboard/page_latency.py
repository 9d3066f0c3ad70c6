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
                "p50 (s)",
                Query("turns", (percentile("response_s", 0.5).called("p50", SECONDS),)),
                width=3,
            ),
            counter("latency_p95", "p95 (s)", Query("turns", (P95,)), width=3),
            counter(
                "latency_p99",
                "p99 (s)",
                Query("turns", (percentile("response_s", 0.99).called("p99", SECONDS),)),
                width=3,
            ),
            counter(
                "latency_known",
                "Answers timed",
                Query("turns", (known("response_s").called("Answers timed", WHOLE),)),
                "What these are computed from.",
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
                "By space",
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
                width=6,
            ),
            table(
                "latency_warehouses",
                "Statements by warehouse",
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
                "Blank: query history does not tell.",
                width=6,
            ),
        ),
    ),
)
