"""What the report shows: asked of the views for every choice, and put together as one document of plain values."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping

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
from genie_assets.domain.report_views import with_known_messages, with_report_messages
from genie_assets.domain.views import View
from genie_assets.gateways.sql.texts import sql_from_template, sql_names, sql_text
from genie_assets.gateways.sql.views import shipped_views

Views = Mapping[str, View]
# Runs one reading statement over tables and these views; its rows.
Ask = Callable[[str, Views], list[Row]]
_MESSAGES = "report/messages"


def gather(ask: Ask, request: Request) -> Document:
    """The document: everything that the page shows, as plain values.

    Days that were not loaded are listed as such; what is not known is missing, never 0.
    """
    views = with_known_messages(shipped_views(), map(sql_text, _statements()))
    calendar = {row["day"]: row for row in ask("SELECT * FROM pipeline_health ORDER BY day", views)}
    loaded = {day for day, row in calendar.items() if row["is_loaded"]}
    inventory = ask("SELECT * FROM space_inventory ORDER BY messages DESC, workspace_id, space_id", views)
    errors = ask("SELECT * FROM open_errors_by_class ORDER BY errors DESC, workspace_id, error_class", views)
    choices = Choices(inventory)
    document: Document = {
        "made_at": request.now.isoformat(timespec="minutes"),
        "time_zone": request.time_zone,
        "with_texts": request.with_texts,
        "with_names": request.with_names,
        "workspaces": choices.workspaces(),
        "spaces": choices.spaces(),
        "inventory": [inventory_shown(row, choices) for row in inventory],
        "errors": [error_shown(row, choices) for row in errors],
        "periods": [],
    }
    last_day = request.last_day or last_settled_day(request.now.date(), loaded)
    if last_day is None:
        return document
    periods = periods_until(last_day, request.first_day)
    shown = [each for each in periods if each.is_shown]
    longest = max(shown, key=lambda each: len(each.days))
    statements = _Statements(ask, views, periods, longest, request.time_zone)
    return document | {
        "periods": [period_shown(each, loaded) for each in shown],
        "opens_with": opens_with(shown).name,
        "days": [day.isoformat() for day in longest.days],
        "pipeline": pipeline_shown(longest, calendar),
        **_of_choices(statements, periods, choices, request),
        "daily": daily(statements.rows("days"), longest, choices, loaded),
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
    """The statements of `sql/report`, for some periods of which one is the longest that is shown."""

    def __init__(self, ask: Ask, views: Views, periods: Iterable[Period], longest: Period, time_zone: str) -> None:
        periods = list(periods)
        listed = " UNION ALL ".join(
            f"SELECT '{each.name}' AS period, {_date(each.first_day)} AS first_day, "
            f"{_date(each.last_day)} AS last_day, {str(each.is_shown).upper()} AS is_shown"
            for each in periods
        )
        first_day = min(each.first_day for each in periods)
        self._parts = {
            "periods": f"({listed})",
            "first_day": _date(first_day),
            "last_day": _date(longest.last_day),
            "first_shown_day": _date(longest.first_day),
            # A name that zoneinfo knows: letters, digits, and / _ + -.
            "time_zone": f"'{time_zone}'",
        }
        self._ask = ask
        self._views = with_report_messages(views, sql_from_template(_MESSAGES, **self._parts), first_day)

    def rows(self, name: str, **limits: int) -> list[Row]:
        parts = self._parts | {key: str(limit) for key, limit in limits.items()}
        return self._ask(sql_from_template(f"report/{name}", **parts), self._views)


def _statements() -> list[str]:
    return [f"report/{name}" for name in sql_names("report")]


def _date(day: dt.date) -> str:
    return f"DATE'{day.isoformat()}'"
