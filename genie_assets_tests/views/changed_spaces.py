"""Spaces whose configuration changed, with messages before and after: with any effect, or with none."""

import datetime as dt
import math
import random
from collections.abc import Callable
from typing import Any

from genie_assets.domain.tables import MESSAGE_DETAILS
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.golden_basics import Row, Rows
from genie_assets_tests.views.golden_effects import configuration_effects

CHANGED = dt.datetime(2026, 11, 10, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)

Draw = Callable[[bool], tuple[float, float, float]]  # shares of success and of good ratings, usual seconds


def space(
    space_id: str, draw: Draw, size: int, rng: random.Random
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Two versions of a space, and messages before and after the second."""
    same = {"workspace_id": "1", "space_id": space_id}
    first = {**same, "config_hash": "a", "valid_from": CHANGED - 10 * DAY, "valid_to": CHANGED}
    second = {**same, "config_hash": "b", "valid_from": CHANGED, "valid_to": None, "update_time": CHANGED}
    messages = []
    for number in range(2 * size):
        success, liked, seconds = draw(number >= size)
        at = CHANGED + (number - size) * dt.timedelta(minutes=30)
        asked = {
            "message_id": f"{space_id}-{number}",
            "created_date": at.date(),
            "created_timestamp": round(at.timestamp() * 1000),
            "conversation_id": f"{space_id}-{number}",
            "status": "COMPLETED" if rng.random() < success else "FAILED",
            "feedback_rating": "POSITIVE" if rng.random() < liked else "NEGATIVE",
            "response_time_ms": round(1000 * seconds * rng.lognormvariate(0, 0.8)),
            "attachments_count": 1,
            "is_deleted": False,
        }
        messages.append(same | asked)
    return [first, second], messages


def odd_changes() -> Rows:
    """Few spaces, and all that decides: effects of both signs and none, few messages, gaps, twins, false times."""
    rng = random.Random(3)
    draws: list[tuple[str, Draw, int]] = [
        ("better", lambda is_after: (0.9, 0.9, 4.0) if is_after else (0.5, 0.4, 12.0), 90),
        ("worse", lambda is_after: (0.5, 0.4, 12.0) if is_after else (0.9, 0.9, 4.0), 90),
        ("same", lambda is_after: (0.8, 0.7, 8.0), 40),
        ("perfect", lambda is_after: (1.0, 1.0, 8.0), 35),
        ("rarely wrong", lambda is_after: (0.97, 0.97, 8.0), 35),
        ("few", lambda is_after: (0.9, 0.9, 4.0) if is_after else (0.1, 0.1, 40.0), 20),
    ]
    versions: list[Row] = []
    messages: list[Row] = []
    for name, draw, size in draws:
        found, asked = space(name, draw, size, rng)
        versions, messages = versions + found, messages + asked
    for number, row in enumerate(messages):
        if number % 9 == 0:
            row["response_time_ms"] = None
        if number % 7 == 0:
            row["feedback_rating"] = None
    # At the edge: what one test calls beyond chance and the other does not, and so if a variance is the wrong one.
    for name, shift in (("edge 1", 0.3523), ("edge 2", 0.2882)):
        found, asked = space(name, lambda is_after: (1.0, 0.7, 8.0), 40, rng)
        for number, row in enumerate(asked):
            row["status"] = "FAILED" if number < 4 or 40 <= number < 51 else "COMPLETED"
            row["response_time_ms"] = round(math.exp(9 if number < 40 else 9 + shift + (-1) ** number))
        versions, messages = versions + found, messages + asked
    messages.append({**messages[-1], "message_id": "unsettled", "status": "EXECUTING_QUERY"})
    # The same id in another workspace, changed at the same time to the contrary; changes too early and too late.
    twins = [{**row, "workspace_id": "2"} for row in versions if row["space_id"] in ("better", "same")]
    _, asked = space("better", draws[1][1], 50, rng)
    messages += [{**row, "workspace_id": "2"} for row in asked]
    late = [row for row in versions if row["space_id"] == "worse"][1]
    late["update_time"] = CHANGED + dt.timedelta(hours=2)
    [row for row in versions if row["space_id"] == "few"][1]["update_time"] = CHANGED - 11 * DAY
    third = {**versions[1], "config_hash": "c", "valid_from": CHANGED + 2 * DAY, "update_time": None}
    loads = [CHANGED.date() + n * DAY for n in range(-40, 30) if n not in (-3, -2, 2, 25)]
    return {
        "genie_space_versions": [*versions, *twins, third],
        "message_details": messages,
        "genie_day_loads": [{"event_date": day, "event_count": 1} for day in loads],
    }


def golden_effects(rows: Rows) -> list[Row]:
    """What the view must say of these rows."""
    empty = ("message_attachments", "genie_messages_to_fetch", "message_fetch_errors", "genie_space_details")
    details = [dict.fromkeys(MESSAGE_DETAILS.column_names) | row for row in rows["message_details"]]
    golden = Golden({**{name: [] for name in empty}, **rows, "message_details": details}, CHANGED)
    versions = [{"title": None, "changed_sections": None, **row} for row in rows["genie_space_versions"]]
    return configuration_effects(versions, golden.overview, set(golden.days) - set(golden.loads))
