"""Rows that are there twice: of a day, asked together with all that its checks read; and of tables without days.

Every table claims a key; here it is counted whether it keeps to it. What a repeated answer is, is said in
`domain/message_log`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from genie_assets.domain.keys import MESSAGE, Row
from genie_assets.domain.message_log import repeated
from genie_assets.domain.questions import Counted, Exists, In, IsNull, Rows
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    TABLES,
    Table,
    records,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse

OF_DAYS = tuple(table for table in TABLES if table.partitioned_by is not None)
OF_NO_DAY = tuple(table for table in TABLES if table.partitioned_by is None)

# The tables in which a message of a day must not be on another day either.
_ON_ONE_DAY = (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS)
# Of so many messages whose answers came back it is looked up whether one came twice in a row.
_MOST_COURSES = 1_000
_OF_AN_ANSWER = (*MESSAGE, "content_hash")
_ON_ANY_DAY = "answers on any day"


def twin_questions(day: dt.date) -> dict[str, Counted]:
    """The questions for what is there twice of a day, by the name of each table that has days; and one more.

    An answer that does not say when its message was asked lies on the day of the run that asked. Two runs at once
    may have stored it on two days. On most days there is none, and then nothing of other days is read.
    """
    of_the_day = Exists(Rows(GENIE_API_MESSAGES, [IsNull("created_timestamp")], [day]), MESSAGE)
    elsewhere = Counted(Rows(GENIE_API_MESSAGES, [of_the_day]), by=_OF_AN_ANSWER, at_least=2)
    return {**{table.name: _twins_of(table, day) for table in OF_DAYS}, _ON_ANY_DAY: elsewhere}


def _twins_of(table: Table, day: dt.date) -> Counted:
    if table is GENIE_API_MESSAGES:
        # An answer may come back later; whether it came twice in a row, only its course tells.
        return Counted(Rows(table, days=[day]), by=_OF_AN_ANSWER, at_least=2)
    if table in _ON_ONE_DAY:
        return Counted(Rows(table, [Exists(Rows(table, days=[day]), MESSAGE)]), by=table.key, at_least=2)
    return Counted(Rows(table, days=[day]), by=table.key, at_least=2)


def twins_found(found: Mapping[str, Sequence[Row]], lake: Lakehouse) -> dict[str, int]:
    """How many rows there are too many, by table.

    Args:
        found: The answers to `twin_questions`, and maybe others.
        lake: Where the courses of answers that came back are looked up; in a sound log there are few.
    """
    numbers = {table.name: _too_many(found[table.name]) for table in OF_DAYS}
    twins = (*found[_ON_ANY_DAY], *found[GENIE_API_MESSAGES.name])
    came_back = {row["message_id"] for row in twins[:_MOST_COURSES]}
    numbers[GENIE_API_MESSAGES.name] = _repeated_answers(came_back, lake)
    return numbers


def _repeated_answers(message_ids: Iterable[str], lake: Lakehouse) -> int:
    named = [In("message_id", list(message_ids))]
    columns = [*MESSAGE, "content_hash", "api_fetch_timestamp"]
    if not named[0].values:
        return 0
    return repeated(records(lake.read(GENIE_API_MESSAGES, columns=columns, where=named)))


def _too_many(doubled: Iterable[Row]) -> int:
    return sum(row["count"] - 1 for row in doubled)


def duplicate_keys(day: dt.date, lake: Lakehouse) -> dict[str, int]:
    """Rows too many of a day, by table; of messages and their attachments also on other days."""
    return twins_found(lake.together(twin_questions(day)), lake)


class Keys(NamedTuple):
    """How many rows a table has, and how many of them are there for a second time or more often."""

    rows: int
    too_many: int


def standing_keys(lake: Lakehouse) -> dict[str, Keys]:
    """The same of the tables that have no days, by table; one question."""
    doubled = {table.name: Counted(Rows(table), by=table.key, at_least=2) for table in OF_NO_DAY}
    found = lake.together({**doubled, **{_rows_of(table): Counted(Rows(table)) for table in OF_NO_DAY}})
    return {
        table.name: Keys(sum(row["count"] for row in found[_rows_of(table)]), _too_many(found[table.name]))
        for table in OF_NO_DAY
    }


def _rows_of(table: Table) -> str:
    return f"rows of {table.name}"
