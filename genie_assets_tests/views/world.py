"""Rows of every table that the views read: an account's truth, and beside it what a calm account does not have.

They are stored as they are, without a pipeline, so that a test of the views takes seconds. Whole pipelines are
compared by `e2e/views_of_truth.py`.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from genie_assets.domain.tables import TABLES
from genie_assets.gateways.lakehouse.delta.lakehouse import DeltaLakehouse, delta_root
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.reading import understood
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.views.golden_basics import Row, Rows
from genie_sandbox.made_up.generator import generate
from genie_sandbox.truth.tables import comparable, truth, truth_of_children

ANCHOR = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
TABLE_NAMES = [table.name for table in TABLES]


@cache
def golden_rows() -> Rows:
    """Five weeks of a made-up account, one day not loaded, with odd cases. Not to be changed."""
    account = generate(seed=3, anchor=ANCHOR, days=36, messages=500)
    urls = {place.workspace_id: f"https://w{place.workspace_id}.example" for place in account.workspaces}
    at = account.anchor + 24 * 3_600_000
    rows = truth(account, at=at, urls=urls) | truth_of_children(account, at=at)
    rows = {name: [as_stored(row) for row in found] for name, found in rows.items()}
    rows["message_details"] = _odd_details(rows["message_details"])
    rows["message_fetch_errors"] = _odd_errors(rows["message_fetch_errors"], rows["message_details"])
    twin = next(row for row in rows["message_details"] if row["workspace_name"] == "Twin")
    theirs = next(
        row
        for row in rows["message_attachments"]
        if row["message_id"] == twin["message_id"] and row["workspace_id"] != twin["workspace_id"]
    )
    asks_back = {"attachment_ordinal": 99, "statement_id": None, "query_duration_ms": None}
    rows["message_attachments"].append({**theirs, **asks_back, "text_purpose": "FOLLOW_UP_QUESTION"})
    timed = next(row for row in rows["message_attachments"] if row["query_duration_ms"] and row is not theirs)
    late = {"attachment_ordinal": 98, "statement_id": "late", "query_duration_ms": None}
    rows["message_attachments"].append({**timed, **late})
    rows["genie_space_versions"] = _versions(rows["message_details"])
    rows["genie_evaluation_runs"], rows["genie_evaluation_results"] = _evaluations(rows["genie_space_versions"])
    rows["space_fetch_errors"] = _space_errors(rows["genie_space_details"])
    rows["genie_space_details"] += _odd_spaces(rows["genie_space_details"][0])
    failed = rows["message_fetch_errors"][2]
    twin_space = {"workspace_id": "98", "space_id": failed["space_id"], "title": "Twin"}
    rows["genie_space_details"].append({**rows["genie_space_details"][0], **twin_space})
    rows["genie_messages_to_fetch"] += _odd_references(rows["genie_messages_to_fetch"][0])
    # A message that was not read, under an id that another workspace has, too.
    lost = {**rows["genie_messages_to_fetch"][-2], "message_id": rows["message_details"][6]["message_id"]}
    rows["genie_messages_to_fetch"].append(lost)
    for place, row in enumerate(rows["genie_messages_to_fetch"]):
        if place % 4 and row.get("first_event_time"):
            row["first_seen_timestamp"] = row["first_event_time"] + dt.timedelta(minutes=place % 97)
    for place, row in enumerate(rows["message_details"]):
        if place % 3 and row.get("query_end_time"):
            row["query_first_seen_timestamp"] = row["query_end_time"] + dt.timedelta(minutes=place % 89)
    days = sorted({row["event_date"] for row in rows["genie_messages_to_fetch"]})
    first, last = dt.date(2026, 10, 16), days[-1]
    loaded = [first + n * DAY for n in range((last - first).days + 1)]
    rows["genie_day_loads"] = [
        {
            "event_date": day,
            "event_count": 7 + n,
            "newest_event_time": ANCHOR - n * DAY,
            "ingestion_timestamp": ANCHOR,
            # Days that an older version loaded do not say when.
            "first_load_timestamp": ANCHOR - n * DAY if n % 5 else None,
            "last_load_timestamp": ANCHOR - n * HOUR if n % 5 else None,
        }
        for n, day in enumerate(loaded)
        if n != 2
    ]
    rows["genie_fetch_runs"] = _runs(rows["genie_messages_to_fetch"])
    return rows


def _versions(details: list[Row]) -> list[Row]:
    """Histories of three spaces: one that is used much, its twin elsewhere, and one that never changed.

    Some versions tell when they were made, some do not, and one tells a time that does not fit.
    """
    used = Counter((row["workspace_id"], row["space_id"]) for row in details)
    (busy, _), (other, _) = used.most_common(2)
    same = {"workspace_id": busy[0], "space_id": busy[1], "title": "Busy"}
    ends = [ANCHOR - n * DAY for n in (60, 22, 9, 8, 2)]
    told = [None, ends[1] - dt.timedelta(hours=5), None, None, ends[0]]
    history = [
        {**same, "config_hash": f"h{n}", "valid_from": at, "update_time": told[n], "changed_sections": sections}
        for n, (at, sections) in enumerate(
            zip(ends, (None, ["tables", "joins"], ["benchmarks"], [], ["tables"]), strict=True)
        )
    ]
    twins = [{**row, "workspace_id": "96", "valid_from": row["valid_from"] + 3 * DAY} for row in history[1:3]]
    still = {**same, "workspace_id": other[0], "space_id": other[1], "config_hash": "h", "valid_from": ends[1]}
    # At the same time elsewhere, and in another space of the same workspace.
    beside = [
        {**still, "workspace_id": "95", "space_id": busy[1], "config_hash": "z", "changed_sections": ["joins"]},
        {
            **still,
            "workspace_id": busy[0],
            "space_id": "beside",
            "config_hash": "y",
            "changed_sections": ["other"],
        },
    ]
    return [*history, *twins, {**still, "changed_sections": None}, *beside]


def _evaluations(versions: list[Row]) -> tuple[list[Row], list[Row]]:
    """Evaluations before, between and after the versions, at their edges, and what is not counted; their results.

    Every space has runs at the same times, so that no version of another one would be missed.
    """
    began = {row["valid_from"] for row in versions} | {
        row["update_time"] for row in versions if row.get("update_time")
    }
    times = sorted({each + n * HOUR for each in began for n in (-1, 0, 30)})
    runs: list[Row] = []
    for key in sorted({(row["workspace_id"], row["space_id"]) for row in versions}):
        for place, at in enumerate([*times, None]):
            started = None if at is None else round(at.timestamp() * 1000)
            ids = {"workspace_id": key[0], "space_id": key[1], "eval_run_id": f"e{place}"}
            counts = {"num_done": 10 + place, "num_correct": place % 10, "num_needs_review": 1}
            runs.append({**ids, "status": "DONE", "created_timestamp": started, **counts})
    # What is not counted: alone under its version, and beside others.
    odd: list[Row] = [
        {"status": "EVALUATION_FAILED"},
        {"status": None},
        {"num_done": None},
        {"num_correct": None},
        {"num_needs_review": None},
        {"num_done": 0, "num_correct": 0},
        {"status": "RUNNING", "num_done": 0, "num_correct": None, "num_needs_review": None},
    ]
    for place, change in enumerate(odd):
        runs[place * 3 + 1].update(change)
    # Nothing is counted under a version that stands between two others.
    first, last = (round((ANCHOR - n * DAY).timestamp() * 1000) for n in (9, 8))
    for run in runs:
        if run["workspace_id"] == versions[0]["workspace_id"] and first <= (run["created_timestamp"] or 0) < last:
            run["status"] = "EVALUATION_CANCELLED"
    # A space of which nothing is known, and one that was evaluated under the same id elsewhere.
    runs.append({**runs[0], "space_id": "never read", "eval_run_id": "x"})
    results = [
        {
            **{name: run[name] for name in ("workspace_id", "space_id", "eval_run_id")},
            "result_id": f"r{number}",
            "has_details": (place + number) % 4 != 0,
            "benchmark_question_id": f"q{number}",
            "question": "How many?",
            "assessment": "BAD" if place % 2 else "GOOD",
        }
        for place, run in enumerate(runs)
        for number in range(place % 3)
    ]
    return runs, results


def _runs(references: list[Row]) -> list[Row]:
    """Two runs of most days, each with a row per workspace; one day whose run came to nothing, and one without."""
    found: list[Row] = []
    named = sorted({(row["event_date"], row["workspace_id"]) for row in references})
    for place, (day, workspace_id) in enumerate(named):
        for run in range(day.day % 3):
            numbers = {"wanted": 0 if day.day % 7 == 1 else place + run, "requests": 3 * run + place % 5 + 1}
            started = ANCHOR + run * HOUR if day.day % 2 else ANCHOR
            found.append(
                {
                    "event_date": day,
                    "workspace_id": workspace_id,
                    "run_id": "same" if day.day % 2 else f"run-{run}",
                    "started_timestamp": started,
                    "fetch_ms": 1_000 * day.day + run,
                    "answered_429": place % 2,
                    **numbers,
                }
            )
    return found


def as_stored(row: Mapping[str, Any]) -> Row:
    """A row of the truth with the texts that a table can hold, and with its documents as they are."""
    plain = comparable(row)
    return {
        name: row[name] if isinstance(row[name], str) and not isinstance(plain[name], str) else plain[name]
        for name in row
    }


def _odd_details(rows: list[Row]) -> list[Row]:
    """What became of messages that an account of calm days lacks, and ids that make no safe address."""
    changes: list[Row] = [
        {"is_deleted": True},
        {"status": "FAILED", "is_deleted": True, "error_type": "SQL_EXECUTION_EXCEPTION"},
        {"status": "EXECUTING_QUERY"},
        {"status": None},
        {"status": "QUERY_RESULT_EXPIRED"},
        {"status": "COMPLETED", "attachments_count": None, "statements_count": None},
        {"status": "CANCELLED"},
        {"status": "FAILED", "error_type": "BRAND_NEW_EXCEPTION"},
        {"status": "FAILED", "error_type": None},
        {"user_email": None, "user_id": None},
        {"user_email": None, "user_id": "77"},
        {"user_email": "5f0c1d7e-0000-4000-8000-00000000abcd"},
        {"user_email": None},
        {"conversation_id": "c'<script>"},
        {"query_row_count": 0},
        {"created_timestamp": None},
        {"response_time_ms": 1},
        {"content_withheld": True},
    ]
    types = (
        *("RATE_LIMIT_EXCEEDED_GENERIC_EXCEPTION", "MESSAGE_DELETED_WHILE_EXECUTING_EXCEPTION"),
        *("WAREHOUSE_ACCESS_MISSING_EXCEPTION", "DESCRIBE_QUERY_TIMEOUT", "TOO_MANY_TABLES_EXCEPTION"),
        *("CONTENT_FILTER_EXCEPTION", "LOCAL_CONTEXT_EXCEEDED_EXCEPTION", "NO_TABLES_TO_QUERY_EXCEPTION"),
    )
    changes += [{"status": "FAILED", "error_type": each} for each in types]
    found = [dict(row) for row in rows]
    for place, change in enumerate(changes):
        found[place * 7].update(change)
    # One person, written in two ways, also where only a user id is known; and an application.
    people = Counter(row["user_email"] for row in found[200:] if "@" in (row["user_email"] or ""))
    ((person, _),) = people.most_common(1)
    theirs = [row for row in found[200:] if row["user_email"] == person]
    theirs[0]["user_email"] = person.upper()
    theirs[1]["user_email"] = person.title()
    for place, name in enumerate(("5F0C1D7E-0000-4000-8000-00000000ABCD", "Nobody.Else@Example.com", None)):
        found[211 + place * 7].update(user_email=name, user_id=f"written-{min(place, 1)}")
    # One id and one person in two workspaces, and a message of a day that was not loaded.
    elsewhere = next(row["workspace_id"] for row in found if row["workspace_id"] != found[1]["workspace_id"])
    run = next(row for row in found[1:] if row["statements_count"] and row["workspace_id"] != elsewhere)
    twin = {**run, "workspace_id": elsewhere, "workspace_name": "Twin", "feedback_rating": "NEGATIVE"}
    twin |= {"query_sql": None, "status": "COMPLETED", "message_id": run["message_id"]}
    unsafe = [
        {**found[4], "message_id": f"unsafe-{n}", "conversation_id": f"unsafe-{n}", **change}
        for n, change in enumerate(
            [
                {"workspace_id": "96"},
                {"workspace_id": "97"},
                {"workspace_id": "w-98"},
                {"space_id": "s p"},
            ]
        )
    ]
    early = {
        **found[2],
        "message_id": "early",
        "created_date": dt.date(2026, 10, 1),
        "conversation_position": None,
    }
    # Both of a day that was not loaded, one before all others and one between them: rates are unknown on them.
    answered = next(row for row in found[1:] if row["status"] == "COMPLETED" and row["attachments_count"])
    between = {**answered, "message_id": "between", "conversation_id": "between"}
    between |= {"created_date": dt.date(2026, 10, 18)}
    again = [
        {**found[3], "message_id": f"again-{n}", "conversation_id": "again", "conversation_position": n}
        | {
            "content": text,
            "created_timestamp": None if after is None else found[3]["created_timestamp"] + after * 60_000,
            **({"user_email": None, "user_id": None} if after == 19 else {}),
        }
        for n, (text, after) in enumerate(
            [
                ("How many refunds in July?", 0),
                ("How many refunds, July?", 3),
                ("Show customers by region", 6),
                ("show customers by Region!", 17),
                ("show customers by region", None),
                ("show customers by region", 18),
                ("show customers by region", 19),
                ("show customers by region", 20),
            ],
            start=1,
        )
    ]
    return [*found, twin, early, between, *again, *unsafe]


def _odd_errors(rows: list[Row], details: list[Row]) -> list[Row]:
    """Errors with a course: parked, due, waiting, closed, and those that became nothing."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    found = []
    for place, row in enumerate(rows):
        first = now - dt.timedelta(days=place % 5, hours=12)
        due = (None, now - dt.timedelta(hours=1), now + dt.timedelta(hours=6))[place % 3]
        times = {"first_error_timestamp": first, "error_timestamp": now, "next_retry_timestamp": due}
        found.append({**row, **times, "retry_count": place, "resolution": None if due else "GAVE_UP"})
    ended = {"resolved": True, "resolved_timestamp": now}
    found[0].update(ended, resolution="CLOSED")
    found[1].update(ended, resolution="DELETED")
    found[7].update(ended, resolution="LEFT_OUT")
    # An error of a message that is read all the same; one that has ended.
    for place, extra in ((4, {}), (5, {**ended, "resolution": "FETCHED"})):
        ids = {
            name: details[place][name] for name in ("workspace_id", "message_id", "space_id", "conversation_id")
        }
        found.append({**found[2], **ids, **extra})
    # What was fetched once and is not there; and an error of a message whose id another workspace has, too.
    found.append({**found[2], **ended, "resolution": "FETCHED", "workspace_id": "99", "message_id": "lost-2"})
    found.append({**found[2], "workspace_id": "95", "message_id": details[6]["message_id"]})
    return found


def _space_errors(spaces: list[Row]) -> list[Row]:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    same = {"error_class": "PERMISSION", "error_type": "AUTH_ERROR", "error_timestamp": now, "retry_count": 1}
    same |= {"first_error_timestamp": now - dt.timedelta(days=3, hours=12), "next_retry_timestamp": None}
    return [
        {**same, "workspace_id": row["workspace_id"], "space_id": row["space_id"], "resolved": number > 0}
        for number, row in enumerate(spaces[:2])
    ]


def _odd_spaces(row: Row) -> list[Row]:
    """Configurations in the newer form, with unknown keys, empty, and no JSON at all; nobody uses these spaces."""
    newer = (
        '{"data_sources":{"tables":[{"column_configs":[{"column":"a"},{"column":"b"}],"identifier":"c.s.t"}],'
        '"volumes":["v"]},"instructions":{"join_specs":[{"relationship":"ONE"}]},"mcp_connections":[1],"version":3}'
    )
    texts = {
        "newer": newer,
        "odd": '{"benchmarks": {"questions": [{"question": ["\\"column_name\\":\\"x\\""]}]}, "version": 2}',
        "spaced": '{"data_sources" : {"tables" : [{"column_configs" : [{"column_name" : "a\\"column\\":"}]}]}}',
        "empty": "{}",
        "broken": "no JSON",
        "unknown": None,
    }
    same = {"workspace_id": row["workspace_id"], "api_fetch_status": "SUCCESS", "is_trashed": False}
    return [{**same, "space_id": name, "title": name, "serialized_space": text} for name, text in texts.items()]


def _odd_references(row: Row) -> list[Row]:
    """Messages that the log names and nobody could read, in a workspace and a space of which nothing is known."""
    day = dt.date(2026, 11, 10)
    same = {"event_date": day, "is_new": True, "is_deleted": False, "actions": [], "event_count": 1}
    lost = {**same, "workspace_id": "99", "space_id": "dark", "workspace_name": "Dark"}
    lost["workspace_url"] = "javascript:alert(1)"
    return [
        {**lost, "message_id": "lost-1"},
        {**lost, "message_id": "lost-1", "event_date": day + DAY, "is_new": False, "workspace_name": "Darker"},
        {
            **lost,
            "message_id": "lost-2",
            "workspace_url": None,
            "event_date": day + 2 * DAY,
            "workspace_name": None,
        },
        {**lost, "message_id": "gone", "is_deleted": True},
        {**lost, "message_id": "on a day that is not loaded", "event_date": dt.date(2026, 10, 18)}
        | {"first_seen_timestamp": ANCHOR, "first_event_time": ANCHOR - DAY},
        {**row, "event_date": dt.date(2026, 10, 18), "is_new": False, "is_deleted": False},
        {**lost, "message_id": "ftp", "workspace_id": "96", "workspace_url": "ftp://x.example"},
        {**lost, "message_id": "odd", "workspace_id": "97", "workspace_url": "https://x.example/<b>"},
        {**lost, "message_id": "id", "workspace_id": "w-98", "workspace_url": "https://x.example"},
        {**lost, "message_id": "read only", "space_id": "dim", "is_new": False},
        {**same, "workspace_id": row["workspace_id"], "message_id": "no space", "space_id": None},
    ]


def lake_of(rows: Rows, folder: Path) -> DeltaLakehouse:
    """A lakehouse of files with these rows."""
    lake = DeltaLakehouse(delta_root(str(folder)))
    fill(lake, rows)
    return lake


def fill(lake: Lakehouse, rows: Rows) -> None:
    """Store these rows."""
    for table in TABLES:
        found = rows.get(table.name, []) if table.name != "genie_api_messages" else []
        lake.append(table, table.frame(table.part(row) for row in found))


def ask(lake: Lakehouse, statement: str, schema: tuple[str, ...] = ()) -> list[Row]:
    """What a reading statement gives."""
    reading = understood(statement, TABLE_NAMES, shipped_views(), schema)
    return list(lake.ask(reading, limit=1_000_000).to_pylist())


def differences(view: str, found: Iterable[Row], expected: Iterable[Row]) -> list[str]:
    """How answers differ, as a few lines: columns that an expected row lacks are not looked at."""
    wanted = [dict(row) for row in expected]
    names = [
        name
        for name in (column.name for column in shipped_views()[view].columns)
        if not wanted or name in wanted[0]
    ]
    have = sorted(repr({name: _plain(row[name]) for name in names}) for row in found)
    want = sorted(repr({name: _plain(row[name]) for name in names}) for row in wanted)
    extra = [f"{view}: + {row}" for row in have if row not in set(want)]
    missing = [f"{view}: - {row}" for row in want if row not in set(have)]
    problems = [*extra[:2], *missing[:2]]
    return problems or ([f"{view}: {len(have)} rows instead of {len(want)}"] if len(have) != len(want) else [])


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value
