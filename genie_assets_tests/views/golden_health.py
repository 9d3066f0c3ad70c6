"""What the pipeline has read and what it could not read, in plain Python."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping

from genie_assets_tests.views.golden_basics import Row, distinct, grouped, highest, nearest_rank, share
from genie_assets_tests.views.golden_messages import GoldenMessages


class GoldenHealth(GoldenMessages):
    """Completeness by day and workspace, what loading took, and open errors."""

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
                    places["closed" if ended in ("CLOSED", "LEFT_OUT") else "pending"] += 1
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
