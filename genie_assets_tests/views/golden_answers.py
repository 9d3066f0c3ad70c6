"""How well and how fast Genie answers, in plain Python."""

from collections import Counter

from genie_assets_tests.views.golden_basics import PERCENTS, Row, distinct, grouped, highest, nearest_rank, share
from genie_assets_tests.views.golden_messages import GoldenMessages


class GoldenAnswers(GoldenMessages):
    """Failures, times, statements and ratings."""

    def failures(self) -> list[Row]:
        failed = [row for row in self.overview if row["outcome"] == "FAILED"]
        return [
            {
                "day": day,
                "workspace_id": workspace_id,
                "workspace_name": highest(rows, "workspace_name"),
                "space_id": space_id,
                "space_name": highest(rows, "space_name"),
                "error_type": error_type,
                "error_group": self.group(error_type) or "OTHER",
                "is_day_loaded": day in self.loads,
                "failed": len(rows),
                "users": distinct(rows, "user_key"),
                "last_asked_at": highest(rows, "asked_at"),
            }
            for (day, workspace_id, space_id, error_type), rows in grouped(
                failed, "day", "workspace_id", "space_id", "error_type"
            ).items()
        ]

    def response_times(self) -> list[Row]:
        parts = {
            "response": "response_time_ms",
            "thinking": "thinking_time_ms",
            "sql": "sql_time_ms",
            **{name: f"query_{name}_ms" for name in ("wait", "compile", "execution", "fetch")},
        }
        answered = [row for row in self.overview if row["outcome"] == "ANSWERED"]
        found = []
        for row, rows in self.by_space(answered):
            row["answered"] = len(rows)
            for name, column in parts.items():
                times = [each[column] for each in rows]
                row[f"{name}_n"] = sum(each is not None for each in times)
                row |= {f"{name}_p{percent}_ms": nearest_rank(times, percent) for percent in PERCENTS}
            found.append(row)
        return found

    def statement_performance(self) -> list[Row]:
        with_statement = [row for row in self.overview if row["statement_id"] is not None]
        found = []
        for row, rows in self.by_space(with_statement, "query_warehouse_id"):
            row["warehouse_id"] = row.pop("query_warehouse_id")
            states = Counter(each["query_execution_status"] for each in rows)
            cached = [each["query_from_cache"] for each in rows if each["query_from_cache"] is not None]
            durations = [each["query_duration_ms"] for each in rows]
            row |= {
                "statements": len(rows),
                "known": len(rows) - states[None],
                **{name.lower(): states[name] for name in ("FINISHED", "FAILED", "CANCELED")},
                "cache_n": len(cached),
                "from_cache": sum(cached),
                "cache_share": share(sum(cached), len(cached)),
                "duration_n": sum(each is not None for each in durations),
                **{f"duration_p{percent}_ms": nearest_rank(durations, percent) for percent in PERCENTS},
            }
            for name in ("read_rows", "read_bytes"):
                known = [each[f"query_{name}"] for each in rows if each[f"query_{name}"] is not None]
                row[name] = sum(known) if known else None
            found.append(row)
        return found

    def feedback(self) -> list[Row]:
        found = []
        for row, rows in self.by_space([row for row in self.overview if row["is_judged"]]):
            ratings = Counter(each["rating"] for each in rows)
            rated = len(rows) - ratings[None]
            row |= {
                "judged": len(rows),
                "rated": rated,
                "positive": ratings["POSITIVE"],
                "negative": ratings["NEGATIVE"],
                "commented": sum(each["comment"] is not None for each in rows),
                "rated_share": rated / len(rows),
                "positive_share": share(ratings["POSITIVE"], rated),
            }
            found.append(row)
        return found
