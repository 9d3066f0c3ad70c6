"""The ledger of one kind of thing during a run: read once, changed in memory, stored batch by batch.

How a row changes is decided in `domain.ledger`.
"""

import datetime as dt
import random
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from genie_assets.domain import ledger
from genie_assets.domain.keys import MESSAGE_IDS, MessageKey, Row
from genie_assets.domain.ledger import Resolution
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import In, Not, Rows, Wanted
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, MESSAGE_FETCH_ERRORS, Table, records
from genie_assets.domain.waiting import LEFT_BEHIND
from genie_assets.domain.workspaces import not_looked_at
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.things import Key


class ErrorLedger:
    """The rows of some things.

    Args:
        lake: Where the ledger is stored.
        table: The ledger; its key names a thing, the last of it most exactly.
        rows: The things' rows, as far as they have any, by key; kept up to date.
        run: The run that changes them.
    """

    def __init__(self, lake: Lakehouse, table: Table, rows: dict[Any, Row], run: Run) -> None:
        self._lake, self._table, self._run = lake, table, run
        self.rows: Mapping[Key, Row] = rows
        self._rows = rows
        self._changed: dict[Key, Row | None] = {}  # what stood there before, as far as this run knew

    def __len__(self) -> int:
        """How many rows are changed and not stored yet."""
        return len(self._changed)

    def key_of(self, ids: Mapping[str, Any]) -> Key:
        """The key of the thing that ids or a row name."""
        return self._table.key_of(ids)

    def failed(self, ids: Mapping[str, str | None], error: FetchError, *, was_stored: bool) -> bool:
        """Note a failed look.

        Returns:
            False if the failure says that the thing is gone, which ends the error.
        """
        key, now = self.key_of(ids), self._run.clock()
        previous, gone = self._rows.get(key), ledger.is_gone(error, was_stored=was_stored)
        row = ledger.failed(
            ids,
            error,
            previous=None if gone and previous and ledger.is_news(error, previous) else previous,
            event_date=self._run.day,
            now=now,
            jitter=random.random(),  # noqa: S311 - spreads load, guards nothing
        )
        self._change(key, ledger.resolved(row, ledger.DELETED, now) if gone else row)
        return not gone

    def resolve(self, key: Key, resolution: Resolution) -> None:
        """End the open error of a thing, if it has one."""
        row = self._rows.get(key)
        if row is not None and ledger.is_ended_by(row, resolution):
            self._change(key, ledger.resolved(row, resolution, self._run.clock()))

    def leave_out(self, ids: Mapping[str, str | None]) -> None:
        """Note that a thing is not asked for, because its workspace is not looked at."""
        key = self.key_of(ids)
        row = ledger.left_out(ids, self._rows.get(key), event_date=self._run.day, now=self._run.clock())
        self._change(key, row)

    def store(self, stamp: Mapping[str, Any]) -> int:
        """Merge what has changed into the table, in one commit; the number of rows."""
        self._leave_closed()
        changed = [{**self._rows[key], **stamp} for key in self._changed]
        self._changed = {}
        if changed:
            self._lake.store(self._table, self._table.frame(map(self._table.part, changed)))
        return len(changed)

    def _change(self, key: Key, row: Row) -> None:
        self._changed.setdefault(key, self._rows.get(key))
        self._rows[key] = row

    def _leave_closed(self) -> None:
        """Do not open again what somebody closed by hand since this run read the ledger."""
        name = self._table.key[-1]
        failed = [self._rows[key][name] for key in self._changed if ledger.is_open(self._rows[key])]
        if not failed:
            return
        frame = self._lake.read(self._table, where=[In(name, failed), *ledger.CLOSED_ROWS])
        for row in records(frame):
            key = self.key_of(row)
            is_opened = key in self._changed and ledger.is_open(self._rows[key])
            if is_opened and ledger.was_closed_since(row, self._changed[key]):
                self._rows[key] = row
                del self._changed[key]


def ledger_of(lake: Lakehouse, table: Table, things: Collection[str], run: Run) -> ErrorLedger:
    """The ledger with the rows of these things.

    Args:
        lake: Where it is stored.
        table: The ledger.
        things: Their ids in the last column of its key.
        run: The run that changes it.
    """
    where = [In(table.key[-1], sorted(things))]
    rows = records(lake.read(table, where=where)) if things else []
    return ErrorLedger(lake, table, {table.key_of(row): row for row in rows}, run)


def left_out_question(table: Table, chosen: Collection[str]) -> Wanted:
    """The question for a ledger's open errors in workspaces that are not looked at.

    Args:
        table: The ledger.
        chosen: The workspaces that are looked at; none stands for all.
    """
    return Wanted(Rows(table, [*ledger.OPEN, not_looked_at(chosen)]), table.column_names)


def deleted_question(table: Table, message_ids: Iterable[str]) -> Wanted:
    """The question for a ledger's errors of these messages that ended because they were deleted."""
    return Wanted(Rows(table, [*ledger.DELETED_ROWS, In("message_id", sorted(message_ids))]), table.column_names)


def shown_again(deleted: Iterable[Row], references: Iterable[Row]) -> list[Row]:
    """Of errors that ended with a deletion, those that the log ended, which does not call them deleted any more.

    A day that was loaded before a later one has gone by the deletion, and not by what came after it.

    Args:
        deleted: The answer to `deleted_question`.
        references: The references of a day as they are now.
    """
    changed = {MessageKey.of(row) for row in references if not row["is_deleted"] and row["last_change_time"]}
    return [row for row in deleted if ledger.was_called_deleted(row) and MessageKey.of(row) in changed]


def looked_at_again_question(table: Table, chosen: Collection[str]) -> Wanted:
    """The question for a ledger's errors that were left out, in workspaces that are looked at by now.

    Args:
        table: The ledger.
        chosen: The workspaces that are looked at; none stands for all.
    """
    return Wanted(Rows(table, [*ledger.LEFT_OUT_ROWS, Not([not_looked_at(chosen)])]), table.column_names)


def leave_out(lake: Lakehouse, table: Table, rows: Collection[Row], now: dt.datetime) -> None:
    """Close these open errors of a ledger, which nobody would resolve."""
    end(lake, table, [(row, ledger.LEFT_OUT) for row in rows], now)


def end_gone(lake: Lakehouse, table: Table, rows: Collection[Row], now: dt.datetime) -> None:
    """End these open errors of a ledger: what could not be read is deleted."""
    end(lake, table, [(row, ledger.DELETED) for row in rows], now)


def end(lake: Lakehouse, table: Table, ended: Collection[tuple[Row, Resolution]], now: dt.datetime) -> None:
    """End open errors of a ledger, each in its way."""
    if ended:
        lake.store(table, table.frame(ledger.resolved(row, how, now) for row, how in ended))


def never_read_question(event_date: dt.date, chosen: Collection[str]) -> Wanted:
    """The question for messages of a day that no run has come to, in workspaces that are not looked at.

    Args:
        event_date: The day. It is loaded without them, so nothing else would remember that they are wanted.
        chosen: The workspaces that are looked at; none stands for all.
    """
    return Wanted(Rows(GENIE_MESSAGES_TO_FETCH, [not_looked_at(chosen), LEFT_BEHIND], [event_date]), MESSAGE_IDS)


def leave_unread(lake: Lakehouse, event_date: dt.date, references: Collection[Row], now: dt.datetime) -> None:
    """Note of messages that no run has come to that they are not asked for; `open_again` has them asked for."""
    if references:
        rows = (ledger.left_out(ids, None, event_date=event_date, now=now) for ids in references)
        lake.store(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows))


def open_again(lake: Lakehouse, table: Table, rows: Collection[Row], now: dt.datetime) -> None:
    """Have errors tried that were left out: nothing else would ask for what nobody touches any more."""
    if rows:
        lake.store(table, table.frame(ledger.requeued(row, now) for row in rows))
