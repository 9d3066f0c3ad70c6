"""What every view must answer, worked out in plain Python from rows of the truth, and by none of the views' texts.

A row of a view is a dictionary. Times are datetimes in UTC; where a view looks at the clock, `now` is handed in.
"""

import datetime as dt
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from genie_assets_tests.views.golden_effects import configuration_effects

Row = dict[str, Any]
Rows = Mapping[str, list[Row]]
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PERCENTS = (50, 95, 99)

GROUPS = {
    "THROTTLING": r"RATE_LIMIT.*|BUDGET_.*|PAY_PER_TOKEN_.*",
    "USER ACTION": r"MESSAGE_.*_WHILE_EXECUTING_EXCEPTION|STOP_PROCESS_.*",
    "ACCESS": r".*WAREHOUSE_.*|.*PERMISSION_DENIED.*|TABLES_MISSING_EXCEPTION|NO_TABLES_TO_QUERY_EXCEPTION",
    "SQL": r".*SQL.*|DESCRIBE_QUERY_.*",
    "CONTEXT": r".*CONTEXT_EXCEEDED_.*|.*TOO_LONG.*|EXCEEDED_MAX_TOKEN_LENGTH_EXCEPTION|TOO_MANY_TABLES_EXCEPTION",
    "MODEL": r"CHAT_COMPLETION_.*|.*REPLY_PROCESS_.*|CONTENT_FILTER_EXCEPTION|UNKNOWN_AI_MODEL"
    r"|RETRYABLE_PROCESSING_EXCEPTION",
}


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def nearest_rank(values: Iterable[int | None], percent: int) -> int | None:
    known = sorted(value for value in values if value is not None)
    return known[math.ceil(percent * len(known) / 100) - 1] if known else None


def grouped(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    found: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return found


def distinct(rows: Iterable[Row], name: str) -> int:
    return len({row[name] for row in rows} - {None})


def highest(rows: Iterable[Row], name: str) -> Any:
    return max((row[name] for row in rows if row[name] is not None), default=None)


class Golden:
    """The golden answers for these rows of tables. Columns that a row lacks are unknown."""

    def __init__(self, rows: Rows, now: dt.datetime) -> None:
        self.now = now
        self.details = rows["message_details"]
        self.attachments = rows["message_attachments"]
        self.references = rows["genie_messages_to_fetch"]
        self.errors = rows["message_fetch_errors"]
        self.space_errors = rows.get("space_fetch_errors", [])
        self.versions = rows.get("genie_space_versions", [])
        self.runs = rows.get("genie_fetch_runs", [])
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
        self.signals = self.question_signals()

    def answer(self, view: str) -> list[Row]:
        computed: Callable[[], list[Row]] = getattr(self, view)
        return computed()

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

    def configuration_effects(self) -> list[Row]:
        return configuration_effects(self.versions, self.overview, set(self.days) - set(self.loads))

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
            "error_group": self._group(row["error_type"]),
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
    def _group(error_type: str | None) -> str | None:
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

    def _people(self, rows: Iterable[Row]) -> int:
        return distinct([row for row in rows if row["user_kind"] in ("PERSON", "UNKNOWN")], "user_key")

    def activity_by_day(self) -> list[Row]:
        places = {(row["workspace_id"],) for row in [*self.details, *self.references]}
        places |= {(workspace_id,) for workspace_id, _ in self.spaces}
        return self._activity(places, ("workspace_id",))

    def activity_by_space(self) -> list[Row]:
        named = [row for row in self.references if row["space_id"] is not None]
        places = {(row["workspace_id"], row["space_id"]) for row in [*self.details, *named]} | set(self.spaces)
        rows = self._activity(places, ("workspace_id", "space_id"))
        titles = {key: row.get("title") for key, row in self.spaces.items()}
        return [{**row, "space_name": titles.get((row["workspace_id"], row["space_id"]))} for row in rows]

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

    def _activity(self, places: Collection[tuple[str, ...]], names: tuple[str, ...]) -> list[Row]:
        asked = grouped(self.overview, "day", *names)
        lost = [
            row
            for row in self.references
            if row["is_new"]
            and not row["is_deleted"]
            and (row["workspace_id"], row["message_id"]) not in self.stored
        ]
        unread = grouped(lost, "event_date", *names)
        found = []
        for day in self.days:
            for place in places:
                rows, missing = asked.get((day, *place), []), unread.get((day, *place), [])
                workspace = self.workspaces_by_id.get(place[0], {})
                is_loaded = day in self.loads
                row = {"day": day, **dict(zip(names, place, strict=True)), "is_loaded": is_loaded}
                row["workspace_name"] = workspace.get("workspace_name")
                row["unread_messages"] = distinct(missing, "message_id") if is_loaded else None
                numbers = self._numbers(rows)
                is_known = is_loaded and (rows or not missing)
                found.append({**row, **{name: number if is_known else None for name, number in numbers.items()}})
        return found

    def _numbers(self, rows: list[Row]) -> Row:
        outcomes = Counter(row["outcome"] for row in rows)
        judged = outcomes["ANSWERED"] + outcomes["FAILED"]
        return {
            "messages": len(rows),
            "conversations": distinct(rows, "conversation_id"),
            "users": self._people(rows),
            "service_principals": distinct(
                [row for row in rows if row["user_kind"] == "SERVICE_PRINCIPAL"], "user_key"
            ),
            **{
                name.lower(): outcomes[name]
                for name in ("ANSWERED", "FAILED", "CANCELLED", "UNSETTLED", "WITHHELD", "DELETED")
            },
            "judged": judged,
            "success_rate": share(outcomes["ANSWERED"], judged),
            "failure_rate": share(outcomes["FAILED"], judged),
        }

    def activity_by_user(self) -> list[Row]:
        found = []
        for (day, workspace_id, user_key), rows in grouped(
            self.overview, "day", "workspace_id", "user_key"
        ).items():
            numbers = self._numbers(rows)
            found.append(
                {
                    "day": day,
                    "workspace_id": workspace_id,
                    "workspace_name": highest(rows, "workspace_name"),
                    "user_key": user_key,
                    "user_kind": highest(rows, "user_kind"),
                    "is_day_loaded": day in self.loads,
                    "spaces": distinct(rows, "space_id"),
                    "rated": sum(row["rating"] is not None for row in rows),
                    **{
                        name: numbers[name]
                        for name in ("messages", "conversations", "answered", "failed", "judged", "success_rate")
                    },
                }
            )
        return found

    def active_users(self) -> list[Row]:
        people = [row for row in self.overview if row["user_kind"] in ("PERSON", "UNKNOWN")]
        workspaces = {row["workspace_id"] for row in [*self.references, *self.details]}
        found = []
        for scope in [*workspaces, "*"]:
            days: defaultdict[dt.date, set[str]] = defaultdict(set)
            for row in people:
                if scope in ("*", row["workspace_id"]):
                    days[row["day"]].add(row["user_key"])
            found += [self._active(scope, day, days) for day in self.days]
        return found

    def _active(self, scope: str, day: dt.date, days: Mapping[dt.date, set[str]]) -> Row:
        def window(first: int, last: int) -> set[str]:
            return {user for n in range(first, last + 1) for user in days.get(day - n * DAY, ())}

        def loaded(length: int) -> int:
            return sum(day - n * DAY in self.loads for n in range(length))

        today, week, before, month = window(0, 0), window(0, 6), window(7, 13), window(0, 29)
        earlier = {user for each, users in days.items() if each < day for user in users}
        is_loaded = day in self.loads
        whole = {length: loaded(length) == length for length in (7, 14, 30)}
        return {
            "day": day,
            "workspace_id": scope,
            "is_loaded": is_loaded,
            **{f"loaded_days_{length}": loaded(length) for length in whole},
            "daily_users": len(today) if is_loaded else None,
            "weekly_users": len(week) if whole[7] else None,
            "weekly_users_before": len(before) if whole[14] else None,
            "returning_users": len(week & before) if whole[14] else None,
            "monthly_users": len(month) if whole[30] else None,
            "new_users": len(today - earlier) if is_loaded else None,
            "stickiness": share(len(today), len(month)) if whole[30] else None,
            "history_since": min(self.loads),
            "history_gap_days": sum(each not in self.loads for each in self.days if each <= day),
        }

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
                "error_group": self._group(error_type) or "OTHER",
                "is_day_loaded": day in self.loads,
                "failed": len(rows),
                "users": distinct(rows, "user_key"),
                "last_asked_at": highest(rows, "asked_at"),
            }
            for (day, workspace_id, space_id, error_type), rows in grouped(
                failed, "day", "workspace_id", "space_id", "error_type"
            ).items()
        ]

    def completeness(self) -> list[Row]:
        errors = {(row["workspace_id"], row["message_id"]): row for row in self.errors}
        details = {(row["workspace_id"], row["message_id"]): row for row in self.details}
        found = []
        for (day, workspace_id), rows in grouped(self.references, "event_date", "workspace_id").items():
            places: Counter[str] = Counter()
            for row in rows:
                key = workspace_id, row["message_id"]
                error, detail = errors.get(key), details.get(key)
                ended = error.get("resolution") if error and error["resolved"] else None
                if row["is_deleted"] or (detail and detail["is_deleted"]) or ended == "DELETED":
                    places["deleted"] += 1
                elif error and not error["resolved"]:
                    places["open_errors"] += 1
                elif detail:
                    places["stored"] += 1
                else:
                    places["closed" if ended == "CLOSED" else "pending"] += 1
            names = [row["workspace_name"] for row in rows if row.get("workspace_name") is not None]
            found.append(
                {
                    "day": day,
                    "workspace_id": workspace_id,
                    "workspace_name": max(names, default=None),
                    "is_loaded": day in self.loads,
                    "discovered": len(rows),
                    **self._rates(places),
                    **self._requests(
                        [
                            row
                            for row in self.runs
                            if (row["event_date"], row["workspace_id"]) == (day, workspace_id)
                        ]
                    ),
                }
            )
        return found

    @staticmethod
    def _requests(rows: list[Row]) -> Row:
        return {"runs": len(rows), "requests": sum(row["requests"] for row in rows) if rows else None}

    @staticmethod
    def _rates(places: Mapping[str, int]) -> Row:
        stored, errors, pending = places["stored"], places["open_errors"], places["pending"]
        return {
            **{name: places[name] for name in ("stored", "open_errors", "closed", "deleted", "pending")},
            "wanted": stored + errors + pending,
            "completeness": share(stored, stored + errors + pending),
            "tried": stored + errors,
            "api_success_rate": share(stored, stored + errors),
        }

    def pipeline_health(self) -> list[Row]:
        by_day = grouped(self.completeness(), "day")
        found = []
        for row in self.calendar():
            rows = by_day.get((row["day"],), [])
            places = Counter[str]()
            for each in rows:
                for name in ("stored", "open_errors", "closed", "deleted", "pending"):
                    places[name] += each[name]
            discovered = sum(each["discovered"] for each in rows)
            numbers = {"workspaces": len(rows), "discovered": discovered, **self._rates(places)}
            load = self.loads.get(row["day"], {})
            numbers["first_loaded_at"] = load.get("first_load_timestamp")
            numbers["last_loaded_at"] = load.get("last_load_timestamp") or load.get("ingestion_timestamp")
            numbers |= self._runs_of([each for each in self.runs if each["event_date"] == row["day"]])
            lags = self._lags(
                self.references, "event_date", row["day"], "first_event_time", "first_seen_timestamp"
            )
            numbers["seen_n"] = len(lags)
            numbers |= {f"seen_lag_p{percent}_ms": nearest_rank(lags, percent) for percent in (50, 95)}
            lags = self._lags(
                self.details, "created_date", row["day"], "query_end_time", "query_first_seen_timestamp"
            )
            numbers["statement_seen_n"] = len(lags)
            numbers |= {f"statement_lag_p{percent}_ms": nearest_rank(lags, percent) for percent in (50, 95)}
            found.append({**row, **{k: v if row["is_loaded"] else None for k, v in numbers.items()}})
        return found

    @staticmethod
    def _runs_of(rows: list[Row]) -> Row:
        """What all runs of a day took; a run that asked several workspaces has as many rows, and one duration."""
        if not rows:
            return {"runs": 0, **dict.fromkeys(("asked_for", "requests", "answered_429", "fetch_ms"))} | {
                "requests_per_message": None
            }
        runs = grouped(rows, "run_id", "started_timestamp")
        asked_for, requests = (sum(row[name] for row in rows) for name in ("wanted", "requests"))
        return {
            "runs": len(runs),
            "asked_for": asked_for,
            "requests": requests,
            "requests_per_message": share(requests, asked_for),
            "answered_429": sum(row["answered_429"] for row in rows),
            "fetch_ms": sum(of_run[0]["fetch_ms"] for of_run in runs.values()),
        }

    @staticmethod
    def _lags(rows: Iterable[Row], on: str, day: dt.date, first: str, last: str) -> list[int]:
        return [
            (row[last] - row[first]) // dt.timedelta(milliseconds=1)
            for row in rows
            if row[on] == day and row.get(first) is not None and row.get(last) is not None
        ]

    def open_errors(self) -> list[Row]:
        kinds = [("MESSAGE", row) for row in self.errors] + [("SPACE", row) for row in self.space_errors]
        return [self._open_error(kind, row) for kind, row in kinds if not row["resolved"]]

    def _open_error(self, kind: str, row: Row) -> Row:
        space = self.spaces.get((row["workspace_id"], row["space_id"]), {})
        workspace = self.workspaces_by_id.get(row["workspace_id"], {})
        first, due = row.get("first_error_timestamp"), row.get("next_retry_timestamp")
        state = "PARKED" if due is None else "DUE" if due <= self.now else "WAITING"
        return {
            "of_what": kind,
            "workspace_id": row["workspace_id"],
            "workspace_name": workspace.get("workspace_name"),
            "space_id": row["space_id"],
            "space_name": space.get("title"),
            "conversation_id": row.get("conversation_id"),
            "message_id": row.get("message_id"),
            "error_class": row["error_class"],
            "error_type": row["error_type"],
            "error_message": row.get("error_message"),
            "first_error_at": first,
            "last_error_at": row.get("error_timestamp"),
            "age_days": None if first is None else (self.now - first).days,
            "retry_count": row.get("retry_count"),
            "next_retry_at": due,
            "retry_state": state,
        }

    def open_errors_by_class(self) -> list[Row]:
        names = ("of_what", "workspace_id", "error_class", "error_type", "retry_state")
        return [
            {
                **dict(zip(names, key, strict=True)),
                "workspace_name": highest(rows, "workspace_name"),
                "errors": len(rows),
                "spaces": distinct(rows, "space_id"),
                "oldest_error_at": min((r["first_error_at"] for r in rows if r["first_error_at"]), default=None),
                "oldest_age_days": highest(rows, "age_days"),
                "last_error_at": highest(rows, "last_error_at"),
                "next_retry_at": min((r["next_retry_at"] for r in rows if r["next_retry_at"]), default=None),
            }
            for key, rows in grouped(self.open_errors(), *names).items()
        ]

    def _by_space(self, rows: Iterable[Row], *more: str) -> Iterable[tuple[Row, list[Row]]]:
        names = ("day", "workspace_id", "space_id", *more)
        for key, found in grouped(rows, *names).items():
            row = dict(zip(names, key, strict=True))
            row["is_day_loaded"] = row["day"] in self.loads
            row["workspace_name"] = highest(found, "workspace_name") if "workspace_name" in found[0] else None
            row["space_name"] = highest(found, "space_name") if "space_name" in found[0] else None
            yield row, found

    def response_times(self) -> list[Row]:
        parts = {
            "response": "response_time_ms",
            "thinking": "thinking_time_ms",
            "sql": "sql_time_ms",
            **{name: f"query_{name}_ms" for name in ("wait", "compile", "execution", "fetch")},
        }
        answered = [row for row in self.overview if row["outcome"] == "ANSWERED"]
        found = []
        for row, rows in self._by_space(answered):
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
        for row, rows in self._by_space(with_statement, "query_warehouse_id"):
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
        for row, rows in self._by_space([row for row in self.overview if row["is_judged"]]):
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
        for row, rows in self._by_space(self.signals):
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

    def space_inventory(self) -> list[Row]:
        used = grouped(self.overview, "workspace_id", "space_id")
        lost = [
            row
            for row in self.references
            if not row["is_deleted"] and (row["workspace_id"], row["message_id"]) not in self.stored
        ]
        unread = grouped(lost, "workspace_id", "space_id")
        named = {(row["workspace_id"], row["space_id"]) for row in self.references if row["space_id"] is not None}
        found = []
        for key in {*self.spaces, *used, *named}:
            space, rows, missing = self.spaces.get(key, {}), used.get(key, []), unread.get(key, [])
            title = space.get("title")
            found.append(
                {
                    "workspace_id": key[0],
                    "workspace_name": self.workspaces_by_id.get(key[0], {}).get("workspace_name"),
                    "space_id": key[1],
                    "space_name": highest(rows, "space_name") if title is None else title,
                    **{name: space.get(name) for name in ("description", "warehouse_id", "is_trashed")},
                    "api_fetch_status": space.get("api_fetch_status"),
                    "history_since": min(self.loads, default=None),
                    "messages": len(rows),
                    "unread_messages": distinct(missing, "message_id"),
                    "conversations": distinct(rows, "conversation_id"),
                    "users": self._people(rows),
                    "first_used_on": min((row["day"] for row in rows), default=None),
                    "last_used_on": max((row["day"] for row in rows), default=None),
                    "is_never_used": not rows and not missing if self.loads else None,
                    **self._configured(space.get("serialized_space")),
                }
            )
        return found

    @staticmethod
    def _configured(text: str | None) -> Row:
        places = {
            "tables": ("data_sources", "tables"),
            "metric_views": ("data_sources", "metric_views"),
            "joins": ("instructions", "join_specs"),
            "instructions": ("instructions", "text_instructions"),
            "example_queries": ("instructions", "example_question_sqls"),
            "functions": ("instructions", "sql_functions"),
            "filters": ("instructions", "sql_snippets", "filters"),
            "expressions": ("instructions", "sql_snippets", "expressions"),
            "measures": ("instructions", "sql_snippets", "measures"),
            "sample_questions": ("config", "sample_questions"),
            "benchmarks": ("benchmarks", "questions"),
        }
        try:
            whole = json.loads(text or "")
        except ValueError:
            whole = {}
        if not ("version" in whole or "data_sources" in whole):
            return {"is_configuration_known": False, "table_columns": None, **dict.fromkeys(places)}
        found: Row = {"is_configuration_known": True}
        for name, path in places.items():
            part: Any = whole
            for each in path:
                part = part.get(each, {}) if isinstance(part, dict) else {}
            found[name] = len(part) if isinstance(part, list) else 0
        sources = whole.get("data_sources", {})
        listed = [*sources.get("tables", []), *sources.get("metric_views", [])]
        columns = [column for table in listed for column in table.get("column_configs", [])]
        found["table_columns"] = len(columns) if "data_sources" in whole else None
        return found
