"""Which questions show that Genie did not help, in plain Python."""

import datetime as dt
from collections import Counter

from genie_assets_tests.views.golden_basics import DAY, Row, Rows, distinct, grouped, highest
from genie_assets_tests.views.golden_messages import GoldenMessages


class GoldenQuestions(GoldenMessages):
    """Signals of questions, and the conversations that they make."""

    def __init__(self, rows: Rows, now: dt.datetime) -> None:
        super().__init__(rows, now)
        self.signals = self.question_signals()

    def question_signals(self) -> list[Row]:
        asking = {
            (row["workspace_id"], row["message_id"])
            for row in self.attachments
            if (row.get("text_purpose") or "").endswith("FOLLOW_UP_QUESTION")
        }
        found = []
        for rows in grouped(self.overview, "workspace_id", "conversation_id").values():
            # Unknown positions come first in their day, as SQL has it.
            in_turn = sorted(
                rows, key=lambda row: (row["day"], row["conversation_position"] or 0, row["message_id"])
            )
            for row, following in zip(in_turn, [*in_turn[1:], None], strict=True):
                asks_back = (row["workspace_id"], row["message_id"]) in asking
                found.append(self._signal(row, following, asks_back=asks_back))
        return found

    def _signal(self, row: Row, following: Row | None, *, asks_back: bool) -> Row:
        is_answered, without_sql = row["outcome"] == "ANSWERED", row["query_sql"] is None
        count = row["query_row_count"]
        abandoned = None
        if following is not None:
            abandoned = False
        elif row["day"] + DAY in self.loads and row["outcome"] in ("ANSWERED", "FAILED", "CANCELLED"):
            abandoned = not is_answered or (asks_back and without_sql)
        names = ("day", "asked_at", "workspace_id", "space_id", "conversation_id", "conversation_position")
        return {
            **{name: row[name] for name in (*names, "message_id", "outcome", "is_day_loaded")},
            "is_without_sql": without_sql if is_answered else None,
            "is_empty_result": count == 0 if is_answered and count is not None else None,
            "is_clarification": (asks_back and without_sql) if is_answered else None,
            "is_rephrased": self._is_rephrased(row, following),
            "is_abandoned": abandoned,
            "is_result_expired": row["is_result_expired"],
            "is_withheld": row["outcome"] == "WITHHELD" or row["is_hidden_now"],
        }

    @staticmethod
    def _is_rephrased(row: Row, following: Row | None) -> bool | None:
        if following is None:
            return False
        times, users = (row["asked_at"], following["asked_at"]), (row["user_key"], following["user_key"])
        if None not in times and times[1] - times[0] > dt.timedelta(minutes=10):
            return False
        if None not in users and users[0] != users[1]:
            return False
        if None in times or None in users or None in (row["question"], following["question"]):
            return None
        one, other = (
            set(each["question"][:1000].lower().translate(dict.fromkeys(map(ord, "?!.,;:"))).split(" "))
            for each in (row, following)
        )
        return 2 * len(one & other) >= len(one | other)

    def signals_by_space(self) -> list[Row]:
        signals = (
            *("without_sql", "empty_result", "clarification", "rephrased", "abandoned"),
            *("result_expired", "withheld"),
        )
        found = []
        for row, rows in self.by_space(self.signals):
            del row["workspace_name"], row["space_name"]
            row["messages"] = len(rows)
            for name in signals:
                row[name] = sum(each[f"is_{name}"] is True for each in rows)
                row[f"{name}_n"] = sum(each[f"is_{name}"] is not None for each in rows)
            found.append(row)
        return found

    def conversations(self) -> list[Row]:
        signals = {(row["workspace_id"], row["message_id"]): row for row in self.signals}
        found = []
        for (workspace_id, space_id, conversation_id), rows in grouped(
            self.overview, "workspace_id", "space_id", "conversation_id"
        ).items():
            first: Row = next((row for row in rows if row["conversation_position"] == 1), {})
            theirs = [signals[workspace_id, row["message_id"]] for row in rows]
            times = [row["asked_at"] for row in rows if row["asked_at"] is not None]
            known = [each["is_abandoned"] for each in theirs if each["is_abandoned"] is not None]
            ratings, outcomes = Counter(r["rating"] for r in rows), Counter(r["outcome"] for r in rows)
            found.append(
                {
                    "day": min(row["day"] for row in rows),
                    "workspace_id": workspace_id,
                    "workspace_name": highest(rows, "workspace_name"),
                    "space_id": space_id,
                    "space_name": highest(rows, "space_name"),
                    "conversation_id": conversation_id,
                    "is_day_loaded": first.get("is_day_loaded"),
                    "users": distinct(rows, "user_key"),
                    "messages": len(rows),
                    "started_at": min(times, default=None),
                    "last_asked_at": max(times, default=None),
                    "length_ms": (max(times) - min(times)) // dt.timedelta(milliseconds=1) if times else None,
                    "answered": outcomes["ANSWERED"],
                    "failed": outcomes["FAILED"],
                    "first_outcome": first.get("outcome"),
                    "is_first_answered": first["outcome"] == "ANSWERED" if first.get("is_judged") else None,
                    "rephrased": sum(each["is_rephrased"] is True for each in theirs),
                    "is_abandoned": any(known) if known else None,
                    "positive": ratings["POSITIVE"],
                    "negative": ratings["NEGATIVE"],
                    "genie_url": highest(rows, "genie_url"),
                }
            )
        return found
