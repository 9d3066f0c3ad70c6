"""What the dashboard must show, in plain Python: each dataset's rows for a choice, and what a widget asks of them.

It starts from the golden answers of the views, which `genie_assets_tests.views` works out from the truth, and
takes nothing from the dashboard's SQL.
"""

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.golden_basics import Row

DAY = dt.timedelta(days=1)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Choice:
    """What somebody chose in the filters."""

    first: dt.date
    last: dt.date
    workspace_id: str | None = None
    space: tuple[str, str] | None = None

    def parameters(self) -> dict[str, Any]:
        """The values as the filters hand them on: names before ids, and a name may hold what separates them."""
        space = f"It's | a title | {'/'.join(self.space)}" if self.space else "<ALL>"
        workspace = f"W | {self.workspace_id}" if self.workspace_id else "<ALL>"
        return {"period_min": self.first, "period_max": self.last, "workspace": workspace, "space": space}

    def of(self, rows: Iterable[Row], *, days: bool = True, spaces: bool = True) -> list[Row]:
        """The rows that were chosen."""
        return [
            row
            for row in rows
            if (not days or self.first <= row["day"] <= self.last)
            and self.workspace_id in (None, row["workspace_id"])
            and (not spaces or self.space in (None, (row["workspace_id"], row["space_id"])))
        ]


def label(row: Row) -> str:
    return f"{row['space_name'] or 'Space'} · {row['space_id'][-6:]}"


def told(value: bool | None) -> float | None:
    return None if value is None else float(value)


def seconds(value: int | None) -> float | None:
    return None if value is None else value / 1000


def percentile(values: Iterable[Any], share: float) -> float | None:
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    place = share * (len(known) - 1)
    low, high = known[math.floor(place)], known[math.ceil(place)]
    return float(low + (high - low) * (place - math.floor(place)))


def mean(values: Iterable[Any]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known else None


class GoldenDashboard:
    """The golden rows of the datasets."""

    def __init__(self, golden: Golden) -> None:
        self.views = {name: golden.answer(name) for name in VIEWS}
        signals = {(row["workspace_id"], row["message_id"]): row for row in self.views["question_signals"]}
        self.overview = [
            {**row, "signals": signals[row["workspace_id"], row["message_id"]]}
            for row in self.views["message_overview"]
        ]

    def rows(self, dataset: str, choice: Choice) -> list[Row]:
        compute: Callable[[Choice], list[Row]] = getattr(self, dataset)
        return compute(choice)

    def turns(self, choice: Choice) -> list[Row]:
        return [self._turn(row) for row in choice.of(self.overview)]

    def _turn(self, row: Row) -> Row:
        is_judged = row["outcome"] in ("ANSWERED", "FAILED")
        is_answered, is_failed = row["outcome"] == "ANSWERED", row["outcome"] == "FAILED"

        def timed(name: str) -> float | None:
            return seconds(row[name]) if is_answered else None

        return {
            "day": row["day"],
            "hour": None if row["asked_at"] is None else row["asked_at"].astimezone(dt.UTC).hour,
            "weekday": WEEKDAYS[row["day"].weekday()],
            "workspace_id": row["workspace_id"],
            "workspace": row["workspace_name"] or row["workspace_id"],
            "space_key": f"{row['workspace_id']}/{row['space_id']}",
            "space": label(row),
            "conversation_key": f"{row['workspace_id']}/{row['conversation_id']}",
            "user_key": row["user_key"],
            "person": row["user_key"] if row["user_kind"] in ("PERSON", "UNKNOWN") else None,
            "user_kind": row["user_kind"] or "NOBODY KNOWS",
            "outcome": row["outcome"],
            "answered": told(is_answered) if is_judged else None,
            "failed": told(is_failed) if is_judged else None,
            "error_type": (row["error_type"] or "NOT NAMED") if is_failed else None,
            "error_group": (row["error_group"] or "OTHER") if is_failed else None,
            "rating": row["rating"] if is_judged else None,
            "rated": told(row["rating"] is not None) if is_judged else None,
            "positive": told(row["rating"] == "POSITIVE") if is_judged and row["rating"] is not None else None,
            "commented": told(row["comment"] is not None) if is_judged else None,
            "response_s": timed("response_time_ms"),
            "thinking_s": timed("thinking_time_ms"),
            "wait_s": timed("query_wait_ms"),
            "compile_s": timed("query_compile_ms"),
            "execution_s": timed("query_execution_ms"),
            "fetch_s": timed("query_fetch_ms"),
            "warehouse_id": row["query_warehouse_id"],
            "statement_s": seconds(row["query_duration_ms"]),
            "cached": told(row["query_from_cache"]),
            "read_gb": None if row["query_read_bytes"] is None else row["query_read_bytes"] / 1e9,
        }

    def turn_texts(self, choice: Choice) -> list[Row]:
        signs = {
            "is_rephrased": "rephrased",
            "is_abandoned": "abandoned",
            "is_clarification": "asked back",
            "is_empty_result": "empty result",
            "is_without_sql": "no SQL",
        }
        found = choice.of(self.overview)
        assert len(found) <= 2000
        same_names = (
            "user_key",
            "question",
            "outcome",
            "error_type",
            "error_message",
            "rating",
            "comment",
            "genie_url",
        )
        rows = []
        for row in found:
            shown = [word for name, word in signs.items() if row["signals"][name]]
            rows.append(
                {
                    **{name: row[name] for name in same_names},
                    "asked_at": row["asked_at"],
                    "workspace": row["workspace_name"] or row["workspace_id"],
                    "space": label(row),
                    "answer": row["answer_text"],
                    "sql_text": row["query_sql"],
                    "response_s": seconds(row["response_time_ms"]),
                    "signs": ", ".join(shown),
                    "has_sign": "yes" if shown else "no",
                }
            )
        return rows

    def signals(self, choice: Choice) -> list[Row]:
        names = {
            "without_sql": "is_without_sql",
            "empty_result": "is_empty_result",
            "asked_back": "is_clarification",
            "rephrased": "is_rephrased",
            "abandoned": "is_abandoned",
            "result_expired": "is_result_expired",
            "withheld": "is_withheld",
        }
        return [
            {
                "day": row["day"],
                "space": label(row),
                **{name: told(row["signals"][flag]) for name, flag in names.items()},
            }
            for row in choice.of(self.overview)
        ]

    def activity(self, choice: Choice) -> list[Row]:
        return choice.of(self.views["activity_by_space"])

    def reach(self, choice: Choice) -> list[Row]:
        whose = choice.workspace_id or "*"
        found = [
            row
            for row in self.views["active_users"]
            if row["workspace_id"] == whose and choice.first <= row["day"] <= choice.last
        ]
        last = max((row["day"] for row in found), default=None)
        return [{**row, "is_latest": "yes" if row["day"] == last else "no"} for row in found]

    def conversations(self, choice: Choice) -> list[Row]:
        return [
            {
                **row,
                "workspace": row["workspace_name"] or row["workspace_id"],
                "space": label(row),
                "length_s": seconds(row["length_ms"]),
                "first_answered": told(row["is_first_answered"]),
                "abandoned": told(row["is_abandoned"]),
            }
            for row in choice.of(self.views["conversations"])
        ]

    def inventory(self, choice: Choice) -> list[Row]:
        def state(row: Row) -> str:
            if row["is_trashed"]:
                return "trashed"
            return {True: "never used", False: "used", None: "unknown"}[row["is_never_used"]]

        return [
            {
                **row,
                "workspace": row["workspace_name"] or row["workspace_id"],
                "space": label(row),
                "state": state(row),
                "configuration": "known" if row["is_configuration_known"] else "not readable",
            }
            for row in choice.of(self.views["space_inventory"], days=False)
        ]

    def completeness_days(self, choice: Choice) -> list[Row]:
        found = choice.of(self.views["completeness"], spaces=False)
        return [{**row, "workspace": row["workspace_name"] or row["workspace_id"]} for row in found]

    def errors_now(self, choice: Choice) -> list[Row]:
        return [
            {**row, "workspace": row["workspace_name"] or row["workspace_id"], "space": label(row)}
            for row in choice.of(self.views["open_errors"], days=False)
        ]

    def loaded(self, choice: Choice) -> list[Row]:
        days = [row for row in self.views["calendar"] if choice.first <= row["day"] <= choice.last]
        return [
            {
                "first_day": min((row["day"] for row in days), default=None),
                "last_day": max((row["day"] for row in days), default=None),
                "loaded_days": sum(row["is_loaded"] for row in days),
                "missing_days": sum(not row["is_loaded"] for row in days),
                "newest_event_time": max(
                    (row["newest_event_time"] for row in days if row["newest_event_time"]), default=None
                ),
            }
        ]

    def comparison(self, choice: Choice) -> list[Row]:
        length = (choice.last - choice.first).days + 1
        earlier = Choice(choice.first - length * DAY, choice.first - DAY, choice.workspace_id, choice.space)
        now, before = (self._figures(each) for each in (choice, earlier))
        loaded = {row["day"] for row in self.views["calendar"] if row["is_loaded"]}
        is_known = all(earlier.first + n * DAY in loaded for n in range(length))
        return [now | {f"{name}_before": value if is_known else None for name, value in before.items()}]

    def _figures(self, choice: Choice) -> Row:
        turns = self.turns(choice)
        return {
            "questions": len(turns),
            "people": len({row["person"] for row in turns} - {None}),
            "success": mean(row["answered"] for row in turns),
            "p95_s": percentile((row["response_s"] for row in turns), 0.95),
        }

    def workspace_options(self, choice: Choice) -> list[Row]:
        names = [
            f"{row['workspace_name'] or 'Workspace'} | {row['workspace_id']}" for row in self.views["workspaces"]
        ]
        return [{"workspace": name} for name in ["<ALL>", *names]]

    def space_options(self, choice: Choice) -> list[Row]:
        found = choice.of(self.views["space_inventory"], days=False, spaces=False)
        names = [f"{row['space_name'] or 'Space'} | {row['workspace_id']}/{row['space_id']}" for row in found]
        return [{"space": name} for name in ["<ALL>", *names]]


VIEWS = (
    *("message_overview", "question_signals", "activity_by_space", "active_users", "conversations"),
    *("space_inventory", "completeness", "open_errors", "calendar", "workspaces"),
)

_FIELD = re.compile(r"(?:([A-Z]+)\()?(DISTINCT )?`(\w+|\*)`(?:, ([\d.]+))?\)?")
_CONDITION = re.compile(r"`(\w+)` IN \((.*)\)")


def asked_of(rows: Sequence[Row], query: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """What a widget's query gives of a dataset's rows: its fields, in order."""
    for each in query.get("filters", ()):
        name, values = _CONDITION.fullmatch(each["expression"]).groups()
        wanted = {value.strip(" '") for value in values.split(",")}
        rows = [row for row in rows if row[name] in wanted]
    fields = [_FIELD.fullmatch(each["expression"]).groups() for each in query["fields"]]
    if query["disaggregated"]:
        return [tuple(row[name] for _, _, name, _ in fields) for row in rows]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    plain = [name for function, _, name, _ in fields if function is None]
    if not plain:
        groups[()] = []
    for row in rows:
        groups.setdefault(tuple(row[name] for name in plain), []).append(row)
    return [tuple(_value(members, key, plain, field) for field in fields) for key, members in groups.items()]


def _value(members: list[Row], key: tuple[Any, ...], plain: list[str], field: tuple[Any, ...]) -> Any:
    function, is_distinct, name, share = field
    if function is None:
        return key[plain.index(name)]
    if name == "*":
        return len(members)
    known = [row[name] for row in members if row[name] is not None]
    if function == "COUNT":
        return len(set(known)) if is_distinct else len(known)
    if function == "PERCENTILE":
        return percentile(known, float(share))
    if not known:
        return None
    computed: Mapping[str, Callable[[Any], Any]] = {"SUM": sum, "AVG": mean, "MAX": max, "MIN": min}
    return computed[function](known)


def same(found: Iterable[Sequence[Any]], expected: Iterable[Sequence[Any]]) -> list[str]:
    """How two answers differ, as a few lines; the order of rows is of no account."""
    have, want = (sorted(repr([_plain(value) for value in row]) for row in rows) for rows in (found, expected))
    extra = [f"+ {row}" for row in have if row not in set(want)][:2]
    missing = [f"- {row}" for row in want if row not in set(have)][:2]
    return extra + missing or ([f"{len(have)} rows instead of {len(want)}"] if len(have) != len(want) else [])


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, bool | str | dt.date) or value is None:
        return value
    # Sums of the same numbers in another order.
    return f"{float(value):.9g}"
