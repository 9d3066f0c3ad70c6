"""Evaluations of spaces, which are runs of their benchmarks: what is asked for, and what a look changes.

Databricks shows the details of a result for about a week. What was seen once stays: an older look, one that shows
less, and one that finds nothing take nothing away.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.messages import as_datetime, as_int, as_json, as_text, epoch_ms, has_come
from genie_assets.domain.questions import Between, Filter, IsNull, Not
from genie_assets.domain.requests import EvaluationsOfSpace, ResultsOfEvaluation
from genie_assets.domain.table import storable
from genie_assets.domain.workspaces import is_looked_at

OF_A_SPACE = ("workspace_id", "space_id", "section_hashes", "is_trashed")
"""What has to be known of a space, as `genie_space_details` holds it, to say whether it is asked."""

_STILL_RUNNING = frozenset({"NOT_STARTED", "RUNNING"})  # every other status ends a run, also one that is new
_STUCK_AFTER = dt.timedelta(days=1)
RESULTS_ASKED_FOR = dt.timedelta(days=30)  # older ones are not kept any more: nothing of them is to be had
_DETAILS_LAST = dt.timedelta(days=7)  # by those who have watched them vanish
_COUNTS = ("num_questions", "num_done", "num_correct", "num_needs_review")
_ROWS = "sql_execution_result"  # of the asked tables, perhaps beyond the rights of who reads ours
# A space and an evaluation of it, as the ledger tells them apart.
RUNS, RESULTS = "RUNS", "RESULTS"


@dataclass(frozen=True)
class RunsLook:
    """All evaluations that one space lists, asked for at `at` (UTC)."""

    key: SpaceKey
    bodies: tuple[Mapping[str, Any], ...]
    at: dt.datetime


@dataclass(frozen=True)
class ResultsLook:
    """Results of one evaluation, each with its details, or None where these are not there or known already.

    `is_whole` says that nothing is left to be asked.
    """

    request: ResultsOfEvaluation
    results: tuple[tuple[Mapping[str, Any], Mapping[str, Any] | None], ...]
    at: dt.datetime
    is_whole: bool


def spaces_to_ask(
    spaces: Iterable[Row], urls: Mapping[str, str | None], chosen: Collection[str], errors: Iterable[Row] = ()
) -> list[EvaluationsOfSpace]:
    """Spaces that may have evaluations: those with benchmark questions. A space without any cannot be evaluated.

    It may have been, when it had some: where something could not be read of it, that is tried again.

    Args:
        spaces: Rows of `genie_space_details`. Older ones do not tell their sections; these are asked, too. Spaces
            whose configuration we may not read are not: their evaluations need the same right.
        urls: Addresses by workspace id.
        chosen: Workspaces that are looked at; none stands for all.
        errors: Open errors of evaluations.
    """
    failing = {SpaceKey.of(row) for row in errors}
    keys = {
        SpaceKey.of(row)
        for row in spaces
        if not row["is_trashed"]
        and is_looked_at(row["workspace_id"], chosen)
        and is_usable_id(row["space_id"])
        and (_may_have_benchmarks(row) or (row["section_hashes"] is not None and SpaceKey.of(row) in failing))
    }
    return [EvaluationsOfSpace(key.workspace_id, urls.get(key.workspace_id), key.space_id) for key in sorted(keys)]


def may_lack_results(now: dt.datetime) -> Filter:
    """Rows of `genie_evaluation_runs` whose results may have to be asked for: not all are kept, or it is recent.

    Args:
        now: The time, UTC.
    """
    recent = Between("created_timestamp", low=int((now - _DETAILS_LAST).timestamp() * 1000))
    return Not([Not([IsNull("results_kept_timestamp")]), Not([recent])])


def results_to_ask(
    runs: Iterable[Row], kept: Iterable[Row], urls: Mapping[str, str | None], now: dt.datetime
) -> list[ResultsOfEvaluation]:
    """Evaluations whose results are not all kept, the oldest first: their details are the next to vanish.

    Nor are they if some are of an earlier state than the evaluation, whatever is noted: a process that was
    overtaken has stored them later, and died before it could say so.

    Args:
        runs: Rows of `genie_evaluation_runs` that meet `may_lack_results`.
        kept: Rows of `genie_evaluation_results` of these runs.
        urls: Addresses by workspace id.
        now: The time, UTC.
    """
    known: dict[tuple[Any, ...], list[str]] = {}
    states: dict[tuple[Any, ...], set[int]] = {}
    for row in kept:
        if row["has_details"]:
            place = (row["workspace_id"], row["space_id"], row["eval_run_id"], row["run_updated_timestamp"])
            known.setdefault(place, []).append(row["result_id"])
            states.setdefault(place[:3], set()).add(row["run_updated_timestamp"] or 0)
    found = []
    for run in sorted(runs, key=lambda each: (each["created_timestamp"] or 0, each["eval_run_id"])):
        created = as_datetime(run["created_timestamp"])
        age = dt.timedelta(0) if created is None else now - created
        place = (run["workspace_id"], run["space_id"], run["eval_run_id"], run["last_updated_timestamp"])
        is_behind = age <= _DETAILS_LAST and any(state < (place[3] or 0) for state in states.get(place[:3], ()))
        if (run["results_kept_timestamp"] is not None and not is_behind) or age > RESULTS_ASKED_FOR:
            continue
        if not (_has_ended(run) or age > _STUCK_AFTER):
            continue
        found.append(
            ResultsOfEvaluation(
                run["workspace_id"],
                urls.get(run["workspace_id"]),
                run["space_id"],
                run["eval_run_id"],
                run["last_updated_timestamp"],
                tuple(sorted(known.get(place, ()))),
                is_old=created is None or age > _DETAILS_LAST,
            )
        )
    return found


def ended_runs(runs: Iterable[Row]) -> list[Row]:
    """Of these rows of `genie_evaluation_runs`, those whose results change no more."""
    return [row for row in runs if _has_ended(row)]


def run_rows(look: RunsLook, stored: Iterable[Row]) -> list[Row]:
    """Rows of `genie_evaluation_runs` that a look makes or changes; of what the list lacks, nothing is said.

    Args:
        look: The look.
        stored: The stored runs of the space.
    """
    before = {row["eval_run_id"]: row for row in stored}
    bodies = {run_id: body for body in look.bodies if is_usable_id(run_id := as_text(body.get("eval_run_id")))}
    found = [_after_run(look, str(run_id), body, before.get(run_id)) for run_id, body in bodies.items()]
    return [row for row in found if _differs(row, before.get(row["eval_run_id"]))]


def result_rows(look: ResultsLook, stored: Iterable[Row]) -> list[Row]:
    """Rows of `genie_evaluation_results` that a look makes or changes.

    Another process may have stored details by now that are of a later state of the run: these stay.

    Args:
        look: The look.
        stored: The stored results of the run.
    """
    before = {row["result_id"]: row for row in stored}
    later = {
        result_id
        for result_id, row in before.items()
        if _past(row["run_updated_timestamp"], look.at) > (look.request.updated or 0)
    }
    found = [
        _after_result(look, body, details, before.get(result_id))
        for body, details in look.results
        if (result_id := as_text(body.get("result_id"))) is not None and result_id not in later
    ]
    return [row for row in found if _differs(row, before.get(row["result_id"]))]


def kept_whole(run: Row, look: ResultsLook) -> Row | None:
    """The row of a run whose results are all kept now; None if they are not, or it has changed in between."""
    if not look.is_whole or not _has_ended(run):
        return None
    is_the_same = run["last_updated_timestamp"] == look.request.updated
    return {**run, "results_kept_timestamp": look.at} if is_the_same else None


def to_be_read_again(run: Row, look: ResultsLook) -> Row | None:
    """The row of a run of which a look has stored results that are not the latest; None if nothing is to be done.

    Another process may have stored the later ones, and noted that all are kept, before ours were stored.
    """
    is_the_same = run["last_updated_timestamp"] == look.request.updated
    return (
        None if is_the_same or run["results_kept_timestamp"] is None else {**run, "results_kept_timestamp": None}
    )


def _may_have_benchmarks(row: Row) -> bool:
    hashes = row["section_hashes"]
    if hashes is None:
        return row.get("api_fetch_status", "SUCCESS") == "SUCCESS"
    try:
        return "benchmarks" in json.loads(hashes)
    except ValueError:
        return True


def _has_ended(run: Row) -> bool:
    return run["status"] not in _STILL_RUNNING


def _after_run(look: RunsLook, run_id: str, body: Mapping[str, Any], before: Row | None) -> Row:
    row: Row = {
        **look.key._asdict(),
        "eval_run_id": run_id,
        "status": as_text(body.get("eval_run_status")),
        "created_timestamp": epoch_ms(body.get("created_timestamp")),
        "last_updated_timestamp": epoch_ms(body.get("last_updated_timestamp")),
        **{name: as_int(body.get(name)) for name in _COUNTS},
        "run_by_user": _id(body.get("run_by_user")),
        "first_seen_timestamp": look.at,
        "results_kept_timestamp": None,
    }
    if before is None:
        return row
    was, now = _past(before["last_updated_timestamp"], look.at), row["last_updated_timestamp"] or 0
    is_set_back = _has_ended(before) and row["status"] in _STILL_RUNNING and now <= was
    if now < was or is_set_back:
        return before
    row = {name: before[name] if value is None else value for name, value in row.items()}
    row["first_seen_timestamp"] = before["first_seen_timestamp"]
    if any(row[name] != before[name] for name in ("status", "last_updated_timestamp", *_COUNTS)):
        row["results_kept_timestamp"] = None
    return row


def _past(ms: int | None, now: dt.datetime) -> int:
    """A time in ms that has come, as far as clocks tell: next to any other, all later answers would be old."""
    at = as_datetime(ms)
    return ms if ms is not None and at is not None and has_come(at, now) else 0


def _after_result(
    look: ResultsLook, body: Mapping[str, Any], details: Mapping[str, Any] | None, before: Row | None
) -> Row:
    whole = {**body, **(details or {})}
    row: Row = {
        **{name: getattr(look.request, name) for name in ("workspace_id", "space_id", "eval_run_id")},
        "result_id": as_text(body.get("result_id")),
        "benchmark_question_id": as_text(whole.get("benchmark_question_id")),
        "question": _text(whole.get("question")),
        "benchmark_answer": _text(whole.get("benchmark_answer")),
        "status": as_text(whole.get("eval_run_status")) or as_text(whole.get("status")),
        "assessment": as_text(whole.get("assessment")),
        "is_manual_assessment": whole["manual_assessment"]
        if isinstance(whole.get("manual_assessment"), bool)
        else None,
        "assessment_reasons": _reasons(whole.get("assessment_reasons")),
        "actual_response": _responses(whole.get("actual_response")),
        "expected_response": _responses(whole.get("expected_response")),
        "has_details": details is not None,
        "run_updated_timestamp": look.request.updated if details is not None else None,
        "first_seen_timestamp": look.at,
    }
    if before is None:
        return row
    # A new judgement has reasons of its own, or none.
    is_judged_anew = row["assessment"] is not None and row["assessment"] != before["assessment"]
    own = {"assessment_reasons", "is_manual_assessment"} if is_judged_anew else set()
    row = {name: before[name] if value is None and name not in own else value for name, value in row.items()}
    row["has_details"] = before["has_details"] or row["has_details"]
    row["first_seen_timestamp"] = before["first_seen_timestamp"]
    return row


def _responses(value: Any) -> str | None:
    """What was answered, as JSON, without the rows that its SQL gave."""
    if not isinstance(value, list) or not value:
        return None
    return as_json(
        [{name: part for name, part in each.items() if name != _ROWS} for each in value if isinstance(each, dict)]
    )


def _reasons(value: Any) -> list[str] | None:
    found = sorted({storable(each) for each in value if as_text(each)}) if isinstance(value, list) else []
    return found or None


def _text(value: Any) -> str | None:
    """Text, or what was no text as JSON: the form of a benchmark's answer has changed before."""
    return as_text(value) if isinstance(value, str) or not value else as_json(value)


def _id(value: Any) -> str | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else as_text(value)


def _differs(row: Row, before: Row | None) -> bool:
    return before is None or any(_plain(storable(row[name])) != _plain(before[name]) for name in row)


def _plain(value: Any) -> Any:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return list(value) if is_list or hasattr(value, "tolist") else value
