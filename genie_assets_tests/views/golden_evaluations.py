"""What `evaluation_trend` must say, worked out in plain Python from runs, results and versions."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from genie_assets_tests.views.golden_basics import EPOCH, Row, grouped, share

MS = dt.timedelta(milliseconds=1)


def evaluation_trend(
    versions: Collection[Row], runs: Collection[Row], results: Collection[Row], titles: Mapping[Any, str | None]
) -> list[Row]:
    found: list[Row] = []
    lost = grouped([row for row in results if not row["has_details"]], "workspace_id", "space_id", "eval_run_id")
    for key, ours in grouped(runs, "workspace_id", "space_id").items():
        history = sorted(
            (row for row in versions if (row["workspace_id"], row["space_id"]) == key),
            key=lambda row: row["valid_from"],
        )
        begins = _begins(history)
        under: dict[int, list[Row]] = {}
        for run in ours:
            under.setdefault(_version_of(run, begins), []).append(run)
        before = None
        for place, some in sorted(under.items()):
            version = history[place] if place >= 0 else {}
            counted = [row for row in some if _is_counted(row)]
            times = [EPOCH + row["created_timestamp"] * MS for row in some if row["created_timestamp"] is not None]
            answers, correct = (_sum(counted, name) for name in ("num_done", "num_correct"))
            percent = share(correct, answers) if answers and correct is not None else None
            found.append(
                {
                    "workspace_id": key[0],
                    "space_id": key[1],
                    "space_name": titles.get(key),
                    "found_at": version.get("valid_from"),
                    "in_force_from": begins[place] if place >= 0 else None,
                    "config_hash": version.get("config_hash"),
                    "changed_sections": version.get("changed_sections"),
                    "first_started_at": min(times, default=None),
                    "last_started_at": max(times, default=None),
                    "evaluations": len(counted),
                    "not_counted": len(some) - len(counted),
                    "answers": answers,
                    "correct": correct,
                    "needs_review": _sum(counted, "num_needs_review"),
                    "share_correct": percent,
                    "previous_share_correct": before if percent is not None else None,
                    "results_without_details": sum(len(lost.get((*key, row["eval_run_id"]), [])) for row in some),
                }
            )
            before = percent if percent is not None else before
    return found


def _begins(history: list[Row]) -> list[dt.datetime]:
    found = []
    for before, row in zip([None, *history], history, strict=False):
        told = row.get("update_time")
        fits = told is not None and told <= row["valid_from"] and (before is None or told > before["valid_from"])
        found.append(told if fits else row["valid_from"])
    return found


def _version_of(run: Row, begins: list[dt.datetime]) -> int:
    """Where the version in force stands; -1 if none is known."""
    if run["created_timestamp"] is None:
        return -1
    started = EPOCH + run["created_timestamp"] * MS
    return max((place for place, begin in enumerate(begins) if begin <= started), default=-1)


def _is_counted(run: Row) -> bool:
    return run["status"] == "DONE" and run["num_done"] is not None and run["num_correct"] is not None


def _sum(rows: list[Row], name: str) -> int | None:
    known = [row[name] for row in rows if row[name] is not None]
    return sum(known) if known else None
