"""What the report shows: asked of the views for every choice, and put together as one document of plain values."""

import datetime as dt
from collections.abc import Callable, Iterable

from genie_assets.domain.keys import Row
from genie_assets.domain.report import (
    MOST_QUESTIONS,
    MOST_USERS,
    Period,
    last_settled_day,
    opens_with,
    periods_until,
)
from genie_assets.domain.report_document import (
    Choices,
    Document,
    Request,
    by_period,
    daily,
    error_shown,
    inventory_shown,
    numbers_shown,
    period_shown,
    pipeline_shown,
    question_shown,
    unread,
    user_shown,
)
from genie_assets.gateways.sql.texts import sql_from_template

# Runs one reading statement over tables and views; its rows.
Ask = Callable[[str], list[Row]]


def gather(ask: Ask, request: Request) -> Document:
    """The document: everything that the page shows, as plain values.

    Days that were not loaded are listed as such; what is not known is missing, never 0.
    """
    calendar = {row["day"]: row for row in ask("SELECT * FROM pipeline_health ORDER BY day")}
    loaded = {day for day, row in calendar.items() if row["is_loaded"]}
    inventory = ask("SELECT * FROM space_inventory ORDER BY messages DESC, workspace_id, space_id")
    choices = Choices(inventory)
    document: Document = {
        "made_at": request.now.isoformat(timespec="minutes"),
        "time_zone": request.time_zone,
        "with_texts": request.with_texts,
        "with_names": request.with_names,
        "workspaces": choices.workspaces(),
        "spaces": choices.spaces(),
        "inventory": [inventory_shown(row, choices) for row in inventory],
        "errors": [
            error_shown(row, choices)
            for row in ask("SELECT * FROM open_errors_by_class ORDER BY errors DESC, workspace_id, error_class")
        ],
        "periods": [],
    }
    last_day = request.last_day or last_settled_day(request.now.date(), loaded)
    if last_day is None:
        return document
    periods = periods_until(last_day, request.first_day)
    shown = [each for each in periods if each.is_shown]
    longest = max(shown, key=lambda each: len(each.days))
    return document | {
        "periods": [period_shown(each, loaded) for each in shown],
        "opens_with": opens_with(shown).name,
        "days": [day.isoformat() for day in longest.days],
        "pipeline": pipeline_shown(longest, calendar),
        **_of_choices(_Statements(ask, periods, request.time_zone), periods, choices, request),
        "daily": daily(_Statements(ask, [longest], request.time_zone).rows("days"), longest, choices, loaded),
    }


def _of_choices(statements: "_Statements", periods: list[Period], choices: Choices, request: Request) -> Document:
    questions = statements.rows("questions", most=MOST_QUESTIONS)
    users = statements.rows("users", most=MOST_USERS)
    return {
        "figures": by_period(statements.rows("figures"), choices, numbers_shown),
        "unread": unread(statements.rows("unread"), periods, choices),
        "hours": by_period(statements.rows("hours"), choices, numbers_shown, many=True),
        "failures": by_period(statements.rows("failures"), choices, numbers_shown, many=True),
        "users": by_period(users, choices, lambda row: user_shown(row, request), many=True),
        "questions": [question_shown(row, choices, request) for row in questions],
    }


class _Statements:
    """The statements of `sql/report`, for some periods."""

    def __init__(self, ask: Ask, periods: Iterable[Period], time_zone: str) -> None:
        self._ask = ask
        periods = list(periods)
        listed = " UNION ALL ".join(
            f"SELECT '{each.name}' AS period, {_date(each.first_day)} AS first_day, "
            f"{_date(each.last_day)} AS last_day, {str(each.is_shown).upper()} AS is_shown"
            for each in periods
        )
        self._parts = {
            "periods": f"({listed})",
            "first_day": _date(min(each.first_day for each in periods)),
            "last_day": _date(max(each.last_day for each in periods)),
            # A name that zoneinfo knows: letters, digits, and / _ + -.
            "time_zone": f"'{time_zone}'",
        }

    def rows(self, name: str, **limits: int) -> list[Row]:
        parts = self._parts | {key: str(limit) for key, limit in limits.items()}
        return self._ask(sql_from_template(f"report/{name}", **parts))


def _date(day: dt.date) -> str:
    return f"DATE'{day.isoformat()}'"
