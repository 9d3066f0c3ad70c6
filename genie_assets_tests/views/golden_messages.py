"""What each message became, in plain Python, and what all other golden answers start from."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from genie_assets_tests.views.golden_basics import DAY, EPOCH, Row, Rows, distinct, grouped, highest

GROUPS = {
    "THROTTLING": r"RATE_LIMIT.*|BUDGET_.*|PAY_PER_TOKEN_.*",
    "USER ACTION": r"MESSAGE_.*_WHILE_EXECUTING_EXCEPTION|STOP_PROCESS_.*",
    "ACCESS": r".*WAREHOUSE_.*|.*PERMISSION_DENIED.*|TABLES_MISSING_EXCEPTION|NO_TABLES_TO_QUERY_EXCEPTION",
    "SQL": r".*SQL.*|DESCRIBE_QUERY_.*",
    "CONTEXT": r".*CONTEXT_EXCEEDED_.*|.*TOO_LONG.*|EXCEEDED_MAX_TOKEN_LENGTH_EXCEPTION|TOO_MANY_TABLES_EXCEPTION",
    "MODEL": r"CHAT_COMPLETION_.*|.*REPLY_PROCESS_.*|CONTENT_FILTER_EXCEPTION|UNKNOWN_AI_MODEL"
    r"|RETRYABLE_PROCESSING_EXCEPTION",
}


class GoldenMessages:
    """What is known of messages, and which days and workspaces there are. Columns that a row lacks are unknown."""

    def __init__(self, rows: Rows, now: dt.datetime) -> None:
        self.now = now
        self.details = rows["message_details"]
        self.attachments = rows["message_attachments"]
        self.references = rows["genie_messages_to_fetch"]
        self.errors = rows["message_fetch_errors"]
        self.space_errors = rows.get("space_fetch_errors", [])
        self.versions = rows.get("genie_space_versions", [])
        self.runs = rows.get("genie_fetch_runs", [])
        self.evaluations = rows.get("genie_evaluation_runs", [])
        self.evaluation_results = rows.get("genie_evaluation_results", [])
        self.spaces = {(row["workspace_id"], row["space_id"]): row for row in rows["genie_space_details"]}
        self.loads = {row["event_date"]: row for row in rows["genie_day_loads"]}
        self.days = (
            [min(self.loads) + n * DAY for n in range((max(self.loads) - min(self.loads)).days + 1)]
            if self.loads
            else []
        )
        self.stored = {(row["workspace_id"], row["message_id"]) for row in self.details}
        self.workspaces_by_id = {row["workspace_id"]: row for row in self.workspaces()}
        self.overview = self.message_overview()

    def messages(self) -> list[Row]:
        return self.details

    def calendar(self) -> list[Row]:
        return [
            {
                "day": day,
                "is_loaded": day in self.loads,
                "audit_events": self.loads.get(day, {}).get("event_count"),
                "newest_event_time": self.loads.get(day, {}).get("newest_event_time"),
            }
            for day in self.days
        ]

    def workspaces(self) -> list[Row]:
        found = []
        for (workspace_id,), rows in grouped(self.references, "workspace_id").items():
            row: Row = {"workspace_id": workspace_id}
            for name in ("workspace_name", "workspace_url"):
                told = [(each["event_date"], each[name]) for each in rows if each.get(name) is not None]
                row[name] = max(told)[1] if told else None
            row["first_event_date"] = min(each["event_date"] for each in rows)
            row["last_event_date"] = max(each["event_date"] for each in rows)
            found.append(row)
        return found

    def message_overview(self) -> list[Row]:
        emails: dict[tuple[str, str], str] = {}
        for row in self.details:
            if row["user_email"] is not None:
                key = row["workspace_id"], row["user_id"]
                emails[key] = max(row["user_email"].lower(), emails.get(key, ""))
        statements = grouped(
            [row for row in self.attachments if row["statement_id"]], "workspace_id", "message_id"
        )
        return [
            self._overview(row, emails, statements.get((row["workspace_id"], row["message_id"]), []))
            for row in self.details
        ]

    def _overview(self, row: Row, emails: Mapping[Any, str], statements: list[Row]) -> Row:
        email = None if row["user_email"] is None else row["user_email"].lower()
        if email is None and row["user_id"] is not None:
            email = emails.get((row["workspace_id"], row["user_id"]))
        kind = None if row["user_id"] is None else "UNKNOWN"
        if email is not None:
            kind = "PERSON" if "@" in email else "SERVICE_PRINCIPAL"
        sql_time = None
        if row["statements_count"] == 0:
            sql_time = 0
        elif statements and all(each["query_duration_ms"] is not None for each in statements):
            sql_time = sum(each["query_duration_ms"] for each in statements)
        response = row.get("response_time_ms")
        fits = response is not None and sql_time is not None and response >= sql_time
        outcome = self._outcome(row)
        url = (self.workspaces_by_id.get(row["workspace_id"]) or {}).get("workspace_url")
        same = (
            *("workspace_id", "workspace_name", "space_id", "space_name", "conversation_id"),
            *("conversation_position", "message_id", "answer_text", "query_title", "query_sql", "statement_id"),
            *("query_row_count", "status", "error_type", "error_message", "attachments_count", "statements_count"),
            *("query_duration_ms", "query_wait_ms", "query_compile_ms", "query_execution_ms", "query_fetch_ms"),
            *("query_execution_status", "query_from_cache", "query_read_rows", "query_read_bytes"),
        )
        created = row["created_timestamp"]
        return {
            **{name: row.get(name) for name in same},
            "day": row["created_date"],
            "asked_at": None if created is None else EPOCH + dt.timedelta(milliseconds=created),
            "user_key": email if email is not None else row["user_id"],
            "user_kind": kind,
            "question": row["content"],
            "has_sql": row["query_sql"] is not None,
            "outcome": outcome,
            "is_judged": outcome in ("ANSWERED", "FAILED"),
            "is_hidden_now": bool(row.get("content_withheld")),
            "is_result_expired": outcome == "ANSWERED" and row["status"] == "QUERY_RESULT_EXPIRED",
            "error_group": self.group(row["error_type"]),
            "rating": row["feedback_rating"],
            "comment": row["feedback_comment"],
            "response_time_ms": response,
            "sql_time_ms": sql_time,
            "thinking_time_ms": response - sql_time if fits else None,
            "query_warehouse_id": row.get("query_warehouse_id"),
            "genie_url": self._url(url, row),
            "is_day_loaded": row["created_date"] in self.loads,
        }

    @staticmethod
    def _outcome(row: Row) -> str:
        if row["is_deleted"]:
            return "DELETED"
        if row["status"] in ("FAILED", "CANCELLED"):
            return str(row["status"])
        if row["status"] in ("COMPLETED", "QUERY_RESULT_EXPIRED"):
            return "WITHHELD" if row["attachments_count"] is None else "ANSWERED"
        return "UNSETTLED"

    @staticmethod
    def group(error_type: str | None) -> str | None:
        if error_type is None:
            return None
        return next((name for name, known in GROUPS.items() if re.fullmatch(known, error_type)), "OTHER")

    @staticmethod
    def _url(url: str | None, row: Row) -> str | None:
        if url is None or not re.fullmatch(r"http[A-Za-z0-9.:/-]*://[A-Za-z0-9.:/-]*", url):
            return None
        ids = row["space_id"], row["conversation_id"]
        if not all(re.fullmatch(r"[A-Za-z0-9_-]*", each) for each in ids):
            return None
        if not re.fullmatch("[0-9]*", row["workspace_id"]):
            return None
        return f"{url}/genie/rooms/{ids[0]}/chats/{ids[1]}?o={row['workspace_id']}"

    def unread_messages(self) -> list[Row]:
        same = ("workspace_id", "space_id", "message_id")
        return [
            {
                **{name: row[name] for name in same},
                "day": row["event_date"],
                "conversation_id": row.get("conversation_id"),
                "is_new": bool(row["is_new"]),
                "is_day_loaded": row["event_date"] in self.loads,
            }
            for row in self.references
            if not row["is_deleted"] and (row["workspace_id"], row["message_id"]) not in self.stored
        ]

    def people(self, rows: Iterable[Row]) -> int:
        return distinct([row for row in rows if row["user_kind"] in ("PERSON", "UNKNOWN")], "user_key")

    def by_space(self, rows: Iterable[Row], *more: str) -> Iterable[tuple[Row, list[Row]]]:
        names = ("day", "workspace_id", "space_id", *more)
        for key, found in grouped(rows, *names).items():
            row = dict(zip(names, key, strict=True))
            row["is_day_loaded"] = row["day"] in self.loads
            row["workspace_name"] = highest(found, "workspace_name") if "workspace_name" in found[0] else None
            row["space_name"] = highest(found, "space_name") if "space_name" in found[0] else None
            yield row, found
