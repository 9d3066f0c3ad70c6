"""The views behind the report's statements: those that are shipped, and two that are kept while it is made.

`message_overview` is asked by nearly all of them, so its columns that they read are worked out once, as
`known_messages`. `report_messages` are those of the report's days with their signals. What an engine does with
that, and the statements themselves, do not belong here.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from genie_assets.domain.tables import MESSAGE_DETAILS, Table
from genie_assets.domain.views import View

KNOWN, ASKED = "known_messages", "report_messages"
# What is worth working out once, and the table whose days it has.
KEPT: Mapping[str, Table | None] = {
    KNOWN: MESSAGE_DETAILS,
    ASKED: None,
    "unread_messages": None,
    "workspaces": None,
}
_OVERVIEW = "message_overview"


def with_known_messages(views: Mapping[str, View], statements: Iterable[str]) -> dict[str, View]:
    """The views, of which `message_overview` reads what is known already.

    Args:
        views: The shipped views.
        statements: All statements of the report: a column that neither they nor a view name is left out.
    """
    overview = views[_OVERVIEW]
    readers = [view.query for view in views.values() if _OVERVIEW in view.reads]
    words = {word for text in (*statements, *readers) for word in re.findall(r"\w+", text)}
    columns = tuple(column for column in overview.columns if column.name in words)
    listed = ",\n  ".join(f"m.{column.name}" for column in columns)
    known = replace(
        overview, name=KNOWN, columns=columns, query=f"SELECT\n  {listed}\nFROM (\n{overview.query}\n) AS m"
    )
    return {**views, KNOWN: known, _OVERVIEW: replace(overview, columns=columns, query=f"SELECT *\nFROM {KNOWN}")}


def with_report_messages(views: Mapping[str, View], query: str, first_day: dt.date) -> dict[str, View]:
    """The views with the messages of the report, and nothing of days before it.

    That changes nothing of its messages: a signal depends on what follows a message, which is never of an earlier
    day.

    Args:
        views: What `with_known_messages` gives.
        query: What selects the messages.
        first_day: The first day of any period.
    """
    since = f"SELECT *\nFROM {KNOWN}\nWHERE day >= DATE'{first_day.isoformat()}'"
    asked = replace(views[KNOWN], name=ASKED, query=query)
    return {**views, ASKED: asked, _OVERVIEW: replace(views[_OVERVIEW], query=since)}
