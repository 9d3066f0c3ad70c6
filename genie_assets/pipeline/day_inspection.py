"""All that the checks of a day read, as one question; each part alone, and what is of no day: `inspection`."""

import datetime as dt
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from genie_assets.domain import ledger
from genie_assets.domain.health import PLACES, DayState, may_be_pending
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.percentiles import nearest_rank
from genie_assets.domain.questions import Counted, Equals, In, IsNull, Not, Question, Rows, Wanted
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    TABLES,
    Table,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.inspection import state_of
from genie_assets.pipeline.twins import twin_questions, twins_found

# The assets whose runs make a day; what they fill is counted when it is inspected.
_OF_A_DAY = frozenset({"audit_messages", "genie_api_messages", "enriched_message_details"})
COUNTED = tuple(table for table in TABLES if table.asset in _OF_A_DAY)
# As the view `message_overview` tells an answer: one that ended well, and of which something is shown.
_ANSWERED = (
    In("status", ["COMPLETED", "QUERY_RESULT_EXPIRED"]),
    Not([IsNull("attachments_count")]),
    Not([Equals("is_deleted", True)]),
)


@dataclass(frozen=True)
class SpaceOfDay:
    """What was asked in one space on a day."""

    key: SpaceKey
    title: str | None
    workspace_url: str | None
    messages: int
    failed: int  # of them, those that Genie failed to answer


@dataclass(frozen=True)
class AnswersOfDay:
    """How the messages of a day were answered."""

    response_times: Mapping[int, int]  # of answers whose time is known: how many took how long, by ms
    spaces: tuple[SpaceOfDay, ...]  # in which messages were asked, the busiest first

    def response_ms(self, percent: int) -> int | None:
        """The time that so many per cent of the answers did not exceed, ms."""
        return nearest_rank(self.response_times, percent)


@dataclass(frozen=True)
class DayInspection:
    """What was found of one day."""

    rows: Mapping[str, int]  # by table: of the day where it lies by days, of all days where it does not
    state: DayState
    outdated: int  # open errors of messages that were read since
    duplicates: Mapping[str, int]  # rows too many, by table
    enrichment: Mapping[str, int]  # messages by enrichment_status
    answers: AnswersOfDay | None = None  # if they were asked for


def inspect_day(day: dt.date, lake: Lakehouse, now: dt.datetime, *, with_answers: bool = False) -> DayInspection:
    """Look a day up; one question.

    Args:
        day: The day.
        lake: The tables.
        now: The time, UTC, by which a message that is nowhere may be pending.
        with_answers: Whether to look at how its messages were answered: a number for each of them comes back.
    """
    flags = {**PLACES, **may_be_pending(now)}
    of_the_day = [*ledger.OUTDATED, Equals("event_date", day)]
    found = lake.together(
        {
            "places": Counted(Rows(GENIE_MESSAGES_TO_FETCH, days=[day]), ["workspace_id"], flags),
            "outdated": Counted(Rows(MESSAGE_FETCH_ERRORS, of_the_day)),
            "enrichment": Counted(Rows(MESSAGE_DETAILS, days=[day]), ["enrichment_status"]),
            **(_questions_for_answers(day) if with_answers else {}),
            **{_rows_of(table.name): Counted(_part_of(table, day)) for table in COUNTED},
            **twin_questions(day),
        }
    )
    return DayInspection(
        rows={table.name: _total(found[_rows_of(table.name)]) for table in COUNTED},
        state=state_of(found["places"]),
        outdated=_total(found["outdated"]),
        duplicates=twins_found(found, lake),
        enrichment=Counter({row["enrichment_status"]: row["count"] for row in found["enrichment"]}),
        answers=_answers(found) if with_answers else None,
    )


def _questions_for_answers(day: dt.date) -> dict[str, Question]:
    of_space = ["workspace_id", "space_id", "space_name", "status", "is_deleted"]
    urls = Rows(GENIE_MESSAGES_TO_FETCH, [Not([IsNull("workspace_url")])], [day])
    return {
        "asked": Counted(Rows(MESSAGE_DETAILS, days=[day]), of_space),
        "times": Counted(Rows(MESSAGE_DETAILS, _ANSWERED, [day]), ["response_time_ms"]),
        "urls": Wanted(urls, ["workspace_id", "workspace_url"], distinct=True),
    }


def _answers(found: Mapping[str, Sequence[Row]]) -> AnswersOfDay:
    times = {row["response_time_ms"]: row["count"] for row in found["times"]}
    times.pop(None, None)
    return AnswersOfDay(
        times, _spaces(found["asked"], {row["workspace_id"]: row["workspace_url"] for row in found["urls"]})
    )


def _rows_of(name: str) -> str:
    return f"rows of {name}"


def _part_of(table: Table, day: dt.date) -> Rows:
    return Rows(table, days=[day]) if table.partitioned_by is not None else Rows(table)


def _total(counted: Iterable[Row]) -> int:
    return sum(row["count"] for row in counted)


def _spaces(asked: Iterable[Row], urls: Mapping[str, str | None]) -> tuple[SpaceOfDay, ...]:
    messages: Counter[SpaceKey] = Counter()
    failed: Counter[SpaceKey] = Counter()
    titles: dict[SpaceKey, str | None] = {}
    for row in asked:
        key = SpaceKey(row["workspace_id"], row["space_id"])
        messages[key] += row["count"]
        failed[key] += row["count"] if row["status"] == "FAILED" and not row["is_deleted"] else 0
        titles[key] = row["space_name"] or titles.get(key)
    busiest_first = sorted(messages, key=lambda key: (-messages[key], key))
    return tuple(
        SpaceOfDay(key, titles[key], urls.get(key.workspace_id), messages[key], failed[key])
        for key in busiest_first
    )


def row_counts(lake: Lakehouse, tables: Iterable[Table]) -> dict[str, int]:
    """How many rows each of these tables has; one question."""
    found = lake.together({table.name: Counted(Rows(table)) for table in tables})
    return {name: _total(counted) for name, counted in found.items()}


# The latest inspection through each lakehouse: of which run and day, and after how many writes of ours.
_latest: "WeakKeyDictionary[Lakehouse, tuple[Hashable, DayInspection]]" = WeakKeyDictionary()


def inspected(
    day: dt.date, lake: Lakehouse, now: dt.datetime, *, run_id: str, with_answers: bool = False
) -> DayInspection:
    """The inspection that all of one run share, as long as the run writes nothing in between."""
    key = (run_id, day, lake.writes)
    latest = _latest.get(lake)
    if latest is None or latest[0] != key or (with_answers and latest[1].answers is None):
        latest = _latest[lake] = (key, inspect_day(day, lake, now, with_answers=with_answers))
    return latest[1]
