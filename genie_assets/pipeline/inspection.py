"""What the checks and the sensor read: rates, accounts of every message, open and due errors.

The lakehouse counts; messages travel only where they are to be shown. What the numbers mean, `domain/health` says.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from genie_assets.domain import ledger
from genie_assets.domain.health import PLACES, DayState, Whereabouts, may_be_pending, whereabouts
from genie_assets.domain.keys import MESSAGE, MessageKey, Row, SpaceKey
from genie_assets.domain.questions import Equals, Exists, In, Not, Rows
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    records,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.names import space_titles
from genie_assets.pipeline.stored import known_answers


def day_state(event_date: dt.date, lake: Lakehouse, now: dt.datetime | None = None) -> DayState:
    """Look up where every message of a day's audit events is.

    Args:
        event_date: The day.
        lake: The tables.
        now: The time, UTC, by which one that is nowhere may be pending; without it, none is.
    """
    counted = lake.count(
        GENIE_MESSAGES_TO_FETCH,
        by=["workspace_id"],
        flags={**PLACES, **(may_be_pending(now) if now else {})},
        days=[event_date],
    )
    return state_of(counted)


def state_of(counted: Iterable[Row]) -> DayState:
    """What the places of a day's messages, counted by workspace, come to."""
    messages: Counter[tuple[str, Whereabouts]] = Counter()
    for row in counted:
        messages[row["workspace_id"], whereabouts(row)] += row["count"]
    return DayState(messages)


@dataclass(frozen=True)
class Unreadable:
    """Which messages of one workspace's day cannot be read: how many, by error class and by space."""

    workspace_name: str | None
    by_class: Mapping[str, int]
    by_space: Mapping[str, int]  # by title, or by id where the title is not known


def unreadable(event_date: dt.date, lake: Lakehouse, workspace_ids: Collection[str]) -> dict[str, Unreadable]:
    """What cannot be read of these workspaces' messages of one day, by workspace_id."""
    of_the_day = Exists(Rows(GENIE_MESSAGES_TO_FETCH, days=[event_date]), MESSAGE)
    of_these = In("workspace_id", sorted(workspace_ids))
    counted = lake.count(
        MESSAGE_FETCH_ERRORS,
        by=["workspace_id", "error_class", "space_id"],
        where=[*ledger.OPEN, of_these, of_the_day],
    )
    columns = ["workspace_id", "workspace_name"]
    named = lake.read(GENIE_MESSAGES_TO_FETCH, columns=columns, days=[event_date], where=[of_these], distinct=True)
    names = {row["workspace_id"]: row["workspace_name"] for row in records(named)}
    titles = space_titles(lake, workspace_ids)
    classes: dict[str, Counter[str]] = {workspace_id: Counter() for workspace_id in sorted(workspace_ids)}
    spaces: dict[str, Counter[str]] = {workspace_id: Counter() for workspace_id in classes}
    for row in counted:
        workspace_id, space_id = row["workspace_id"], row["space_id"]
        title = titles.get(SpaceKey(workspace_id, space_id)) or space_id or "no space named"
        classes[workspace_id][row["error_class"]] += row["count"]
        spaces[workspace_id][title] += row["count"]
    return {each: Unreadable(names.get(each), classes[each], spaces[each]) for each in classes}


def outdated_errors(event_date: dt.date, lake: Lakehouse) -> list[MessageKey]:
    """Open errors of a day whose messages were read after they failed: the ledger would be wrong about them."""
    of_the_day = [*ledger.OPEN, Equals("event_date", event_date)]
    errors = records(lake.read(MESSAGE_FETCH_ERRORS, where=of_the_day))
    known = known_answers(lake, {row["message_id"] for row in errors})
    last_fetch = {key: row["api_fetch_timestamp"] for key, row in known.items()}
    return [MessageKey.of(row) for row in errors if ledger.is_outdated(row, last_fetch.get(MessageKey.of(row)))]


def enrichment_states(day: dt.date, lake: Lakehouse) -> Counter[str]:
    """Messages of a day by enrichment_status."""
    counted = lake.count(MESSAGE_DETAILS, by=["enrichment_status"], days=[day])
    return Counter({row["enrichment_status"]: row["count"] for row in counted})


@dataclass(frozen=True)
class ShownError:
    """An open error, as the standing check shows it."""

    workspace_id: str
    message_id: str
    error_class: str
    event_date: dt.date
    next_retry: dt.datetime | None

    @property
    def is_parked(self) -> bool:
        """No further attempt will be made by itself."""
        return self.next_retry is None


@dataclass(frozen=True)
class OpenErrors:
    """All open errors in numbers, and some of them; parked ones first."""

    by_class: Mapping[str, int]
    parked: int
    sample: list[ShownError]

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.by_class.values())


def open_errors(lake: Lakehouse, *, sample: int = 0) -> OpenErrors:
    """Count all open errors, and show at most `sample` of them."""
    flags = {"is_waiting": Not(ledger.PARKED)}
    counted = lake.count(MESSAGE_FETCH_ERRORS, by=["error_class"], flags=flags, where=ledger.OPEN)
    by_class: Counter[str] = Counter()
    for row in counted:
        by_class[row["error_class"]] += row["count"]
    shown: list[ShownError] = []
    for kind in (ledger.PARKED, [*ledger.OPEN, Not(ledger.PARKED)]):
        if len(shown) < sample:
            frame = lake.read(
                MESSAGE_FETCH_ERRORS,
                columns=["workspace_id", "message_id", "error_class", "event_date", "next_retry_timestamp"],
                where=kind,
                limit=sample - len(shown),
            )
            shown += [ShownError(*row.values()) for row in records(frame)]
    parked = sum(row["count"] for row in counted if not row["is_waiting"])
    return OpenErrors(dict(by_class), parked, sorted(shown, key=lambda e: (not e.is_parked, e.event_date)))
