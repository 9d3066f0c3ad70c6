"""What the checks and the sensor read: rates, accounts of every message, duplicate keys, open and due errors.

The lakehouse counts; messages travel only where they are to be shown.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from genie_assets.domain import ledger
from genie_assets.domain.health import Accounting, Whereabouts, account
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    Table,
    records,
)
from genie_assets.gateways.lakehouse import Between, Equals, Exists, Filter, IsNull, Lakehouse, Not, Rows
from genie_assets.pipeline.stored import Key, key_of, known_answers


@dataclass(frozen=True)
class DayState:
    """Where the messages of one day's audit events are: how many of each workspace in which places."""

    messages: Mapping[tuple[str, Whereabouts], int]

    def accounting(self, *, pending: int) -> Accounting:
        """Count them; `pending` is what the last fetch left for the next one."""
        counts: Counter[Whereabouts] = Counter()
        for (_, places), count in self.messages.items():
            counts[places] += count
        return account(counts, pending=pending)

    def rates(self) -> dict[str, tuple[int, int]]:
        """(readable, asked for) by workspace_id; known deletions are not asked for."""
        asked: Counter[str] = Counter()
        readable: Counter[str] = Counter()
        for (workspace_id, places), count in self.messages.items():
            if places.stored or places.open_error:
                asked[workspace_id] += count
                readable[workspace_id] += count if not places.open_error else 0
        return {workspace_id: (readable[workspace_id], total) for workspace_id, total in sorted(asked.items())}


def day_state(event_date: dt.date, lake: Lakehouse) -> DayState:
    """Look up where every message of a day's audit events is."""
    counted = lake.count(
        GENIE_MESSAGES_TO_FETCH,
        by=["workspace_id"],
        flags={
            "stored": Exists(Rows(MESSAGE_DETAILS)),
            "open_error": Exists(Rows(MESSAGE_FETCH_ERRORS, [Equals("resolved", False)])),
            "shown_deleted": Equals("is_deleted", True),
            "found_deleted": Exists(Rows(MESSAGE_FETCH_ERRORS, [Equals("resolution", ledger.DELETED)])),
            "closed": Exists(Rows(MESSAGE_FETCH_ERRORS, [Equals("resolution", ledger.CLOSED)])),
        },
        days=[event_date],
    )
    messages: Counter[tuple[str, Whereabouts]] = Counter()
    for row in counted:
        deleted = row["shown_deleted"] or row["found_deleted"]
        places = Whereabouts(row["stored"], row["open_error"], deleted, row["closed"])
        messages[row["workspace_id"], places] += row["count"]
    return DayState(messages)


def outdated_errors(event_date: dt.date, lake: Lakehouse) -> list[Key]:
    """Open errors of a day whose messages were read after they failed: the ledger would be wrong about them."""
    of_the_day = [Equals("event_date", event_date), Equals("resolved", False)]
    errors = records(lake.read(MESSAGE_FETCH_ERRORS, where=of_the_day))
    known = known_answers(lake, {row["message_id"] for row in errors})
    return [
        key_of(row)
        for row in errors
        if key_of(row) in known and known[key_of(row)]["api_fetch_timestamp"] >= row["error_timestamp"]
    ]


def duplicate_keys(day: dt.date, lake: Lakehouse) -> dict[str, int]:
    """Keys that occur more than once among the messages of a day and their twins on other days, by table."""
    return {table.name: _duplicates(table, day, lake) for table in (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS)}


def _duplicates(table: Table, day: dt.date, lake: Lakehouse) -> int:
    of_the_day = Exists(Rows(table, days=[day]))
    doubled = lake.count(table, by=table.key, where=[of_the_day], at_least=2)
    return sum(row["count"] - 1 for row in doubled)


def enrichment_states(day: dt.date, lake: Lakehouse) -> Counter[str]:
    """Messages of a day by enrichment_status."""
    counted = lake.count(MESSAGE_DETAILS, by=["enrichment_status"], days=[day])
    return Counter({row["enrichment_status"]: row["count"] for row in counted})


@dataclass(frozen=True)
class OpenError:
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
    sample: list[OpenError]

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.by_class.values())


def open_errors(lake: Lakehouse, *, sample: int = 0) -> OpenErrors:
    """Count all open errors, and show at most `sample` of them."""
    is_open, is_parked = Equals("resolved", False), IsNull("next_retry_timestamp")
    counted = lake.count(MESSAGE_FETCH_ERRORS, by=["error_class"], flags={"is_parked": is_parked}, where=[is_open])
    by_class: Counter[str] = Counter()
    for row in counted:
        by_class[row["error_class"]] += row["count"]
    shown: list[OpenError] = []
    for kind in (is_parked, Not([is_parked])):
        if len(shown) < sample:
            frame = lake.read(
                MESSAGE_FETCH_ERRORS,
                columns=["workspace_id", "message_id", "error_class", "event_date", "next_retry_timestamp"],
                where=[is_open, kind],
                limit=sample - len(shown),
            )
            shown += [OpenError(*row.values()) for row in records(frame)]
    parked = sum(row["count"] for row in counted if row["is_parked"])
    return OpenErrors(dict(by_class), parked, sorted(shown, key=lambda e: (not e.is_parked, e.event_date)))


def due_days(lake: Lakehouse, now: dt.datetime) -> Counter[dt.date]:
    """How many open errors of each event day may be tried again now."""
    due: list[Filter] = [Equals("resolved", False), Between("next_retry_timestamp", high=now)]
    counted = lake.count(MESSAGE_FETCH_ERRORS, by=["event_date"], where=due)
    return Counter({row["event_date"]: row["count"] for row in counted})
