"""What the checks and the sensor read: rates, accounts of every message, duplicate keys, open and due errors."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from genie_assets.domain import ledger
from genie_assets.domain.health import Accounting, account
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    Table,
    records,
)
from genie_assets.gateways.lakehouse import Equals, In, Lakehouse
from genie_assets.pipeline.stored import Key, is_deleted, is_open, key_of, known_answers, ledger_rows

_KEY = ["workspace_id", "message_id"]


@dataclass(frozen=True)
class DayState:
    """Where the messages of one day's audit events are."""

    discovered: frozenset[Key]
    stored: frozenset[Key]
    open_errors: Mapping[Key, str]  # with the error's class
    deleted: frozenset[Key]
    closed: frozenset[Key]  # errors closed by hand

    def accounting(self, *, pending: int) -> Accounting:
        """Count them; `pending` is what the last fetch left for the next one."""
        return account(
            self.discovered,
            stored=self.stored,
            open_errors=self.open_errors.keys(),
            deleted=self.deleted,
            closed=self.closed,
            pending=pending,
        )

    def rates(self) -> dict[str, tuple[int, int]]:
        """(readable, asked for) by workspace_id; known deletions are not asked for."""
        asked = Counter(workspace_id for workspace_id, _ in self.stored | self.open_errors.keys())
        readable = Counter(workspace_id for workspace_id, _ in self.stored - self.open_errors.keys())
        return {workspace_id: (readable[workspace_id], total) for workspace_id, total in sorted(asked.items())}


def day_state(event_date: dt.date, lake: Lakehouse) -> DayState:
    """Look up where every message of a day's audit events is."""
    references = records(lake.read(GENIE_MESSAGES_TO_FETCH, days=[event_date]))
    message_ids = sorted({row["message_id"] for row in references})
    discovered = frozenset(map(key_of, references))
    errors = {key: row for key, row in ledger_rows(lake, message_ids=message_ids).items() if key in discovered}
    stored = records(lake.read(MESSAGE_DETAILS, columns=_KEY, where=[In("message_id", message_ids)]))
    gone = {key_of(row) for row in references if row["is_deleted"]}
    return DayState(
        discovered=discovered,
        stored=frozenset(map(key_of, stored)) & discovered,
        open_errors={key: row["error_class"] for key, row in errors.items() if is_open(row)},
        deleted=frozenset(gone | {key for key, row in errors.items() if is_deleted(row)}),
        closed=frozenset(key for key, row in errors.items() if row["resolution"] == ledger.CLOSED),
    )


def outdated_errors(event_date: dt.date, lake: Lakehouse) -> list[Key]:
    """Open errors of a day whose messages were read after they failed: the ledger would be wrong about them."""
    of_the_day = [Equals("event_date", event_date), Equals("resolved", False)]
    errors = records(lake.read(MESSAGE_FETCH_ERRORS, where=of_the_day))
    known = known_answers(lake, sorted({row["conversation_id"] for row in errors if row["conversation_id"]}))
    return [
        key_of(row)
        for row in errors
        if key_of(row) in known and known[key_of(row)]["api_fetch_timestamp"] >= row["error_timestamp"]
    ]


def duplicate_keys(day: dt.date, lake: Lakehouse) -> dict[str, int]:
    """Keys that occur more than once among the messages of a day and their twins on other days, by table."""
    return {table.name: _duplicates(table, day, lake) for table in (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS)}


def _duplicates(table: Table, day: dt.date, lake: Lakehouse) -> int:
    ids = lake.read(table, columns=["message_id"], days=[day])["message_id"].unique().tolist()
    rows = lake.read(table, columns=list(table.key), where=[In("message_id", ids)])
    return int(rows.duplicated(list(table.key)).sum())


def enrichment_states(day: dt.date, lake: Lakehouse) -> Counter[str]:
    """Messages of a day by enrichment_status."""
    return Counter(lake.read(MESSAGE_DETAILS, columns=["enrichment_status"], days=[day])["enrichment_status"])


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


def open_errors(lake: Lakehouse) -> list[OpenError]:
    """All open errors."""
    columns = ["workspace_id", "message_id", "error_class", "event_date", "next_retry_timestamp"]
    frame = lake.read(MESSAGE_FETCH_ERRORS, columns=columns, where=[Equals("resolved", False)])
    return [OpenError(*row.values()) for row in records(frame)]


def due_days(lake: Lakehouse, now: dt.datetime) -> Counter[dt.date]:
    """How many open errors of each event day may be tried again now."""
    columns = ["event_date", "next_retry_timestamp"]
    frame = lake.read(MESSAGE_FETCH_ERRORS, columns=columns, where=[Equals("resolved", False)])
    due = frame[frame["next_retry_timestamp"].le(now)]
    return Counter(due["event_date"].tolist())
