"""The choices that a report offers, and which rows belong to each."""

import datetime as dt
from collections.abc import Iterable

from genie_assets.domain.report import Period
from genie_assets.domain.report_document import Document, Request
from genie_assets_tests.views.golden_basics import Row
from genie_assets_tests.views.world import ANCHOR

REQUEST = Request(now=ANCHOR, time_zone="Asia/Kolkata", with_texts=True, first_day=dt.date(2026, 10, 17))


def places(document: Document) -> dict[str, tuple[str | None, str | None]]:
    """Workspace and space of every choice."""
    workspaces = {f"w{n}": (row["id"], None) for n, row in enumerate(document["workspaces"])}
    spaces = {f"s{n}": (workspaces[row["workspace"]][0], row["id"]) for n, row in enumerate(document["spaces"])}
    return {"": (None, None), **workspaces, **spaces}


def periods(document: Document) -> dict[str, Period]:
    found = {
        each["name"]: Period(
            each["name"], dt.date.fromisoformat(each["first_day"]), dt.date.fromisoformat(each["last_day"])
        )
        for each in document["periods"]
    }
    return found | {f"before-{name}": each.before() for name, each in found.items()}


def within(rows: Iterable[Row], period: Period, place: tuple[str | None, str | None]) -> list[Row]:
    workspace, space = place
    return [
        row
        for row in rows
        if period.first_day <= row["day"] <= period.last_day
        and workspace in (None, row["workspace_id"])
        and space in (None, row.get("space_id"))
    ]
