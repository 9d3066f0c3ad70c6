"""Which messages the fold of a day folds again, and in which conversations it looks for them.

Conversations are looked at whole, because a message's position depends on the others. The lakehouse picks the
conversations out, so the rule stands here twice: in plain words, and as questions to the tables. A test holds both
together. What is not here: what is made of a message that is folded (`folding`).
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from genie_assets.domain.day_loads import tables_hash
from genie_assets.domain.executions import WAITING, is_waiting
from genie_assets.domain.keys import MESSAGE, Row
from genie_assets.domain.questions import (
    Between,
    Counted,
    Equals,
    Exists,
    Filter,
    In,
    IsNull,
    Newest,
    Not,
    Question,
    Rows,
    Wanted,
)
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
)

Part = TypeVar("Part", str, dt.date)

# Statements are waited for during 72 hours; some days more, so that the last look says that they never came.
PENDING_DAYS = 7
# A part of this size takes about 150 MB.
MESSAGES_PER_PART = 8_000
OF_A_FOLDED_MESSAGE = (
    "workspace_id",
    "message_id",
    "created_date",
    "conversation_position",
    "api_fetch_timestamp",
    "enrichment_status",
    "is_deleted",
)
"""The columns of `message_details` that do, with what decides how much the audit log is asked about it."""


_OF_THE_LOG = ("answers", "fetched")
_IS_DATED = "is_dated"
_DATED_BY = {
    "answers": "ingestion_timestamp",
    "fetched": "ingestion_timestamp",
    "deleted": "ingestion_timestamp",
    "failed": "first_error_timestamp",
    "closed": "resolved_timestamp",
}
"""What may be stored late, by the column that dates it. None of these numbers falls in the course of a usual day,
as those of all references or of the latest failures do."""

FAR_AHEAD = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


class Traces(NamedTuple):
    """What the tables hold of one message.

    Attributes:
        answers: Its answers, the latest one last.
        reference: What the audit log of the day that is folded says of it.
        error: Its row of the error ledger, open or resolved.
        folded: The row that an earlier fold made of it.
    """

    answers: Sequence[Row] = ()
    reference: Row | None = None
    error: Row | None = None
    folded: Row | None = None


def _either(one: Filter, other: Filter) -> Filter:
    return Not([Not([one]), Not([other])])


def written_since(since: dt.datetime | None) -> list[Filter]:
    """Only rows that were written since then, UTC; all of them if it is None."""
    return [] if since is None else [Between("ingestion_timestamp", low=since)]


def _failed_later(since: dt.datetime) -> Filter:
    return _either(Between("error_timestamp", low=since), Between("resolved_timestamp", low=since))


def touches_its_conversation(message: Traces, event_date: dt.date, today: dt.date) -> bool:
    """Whether the fold of a day has to look at a message's conversation, as far as this message says.

    It was asked on the day, or the audit log of the day says more of it than that it was read, or its error is one
    of the day; or it is of the last days and waits for a statement, whichever day is folded.
    """
    return (
        any(answer["created_date"] == event_date for answer in message.answers)
        or _is_touched_by_its_reference(message, event_date)
        or (message.error is not None and message.error["event_date"] == event_date)
        or (
            message.folded is not None
            and is_waiting(message.folded)
            and message.folded["created_date"] in recent_days(today)
        )
    )


def _is_touched_by_its_reference(message: Traces, event_date: dt.date) -> bool:
    if message.reference is None:
        return False
    if message.reference["conversation_id"] is None:
        return bool(message.answers)  # only they say which conversation it is
    return not is_merely_read(message, event_date)


def is_merely_read(message: Traces, event_date: dt.date) -> bool:
    """Whether a reference changes nothing: the message is folded already and somebody only looked at it again.

    Old messages are read again all the time; without this, every such look would have us read their days. Where a
    message does not say when it was asked, every event may tell on which day it lives.
    """
    return (
        message.reference is not None
        and message.reference["last_change_time"] is None
        and message.reference["is_deleted"] is False
        and message.folded is not None
        and message.folded["created_timestamp"] is not None
        and not any(answer["event_date"] == event_date for answer in message.answers)
        and message.error is None
    )


def merely_read(event_date: dt.date) -> list[Filter]:
    """`is_merely_read`, asked of the references of the day."""
    fetched_today = Rows(GENIE_API_MESSAGES, [Equals("event_date", event_date)])
    return [
        IsNull("last_change_time"),
        Equals("is_deleted", False),
        Exists(Rows(MESSAGE_DETAILS, [Not([IsNull("created_timestamp")])]), MESSAGE),
        Not([Exists(fetched_today, MESSAGE)]),
        Not([Exists(Rows(MESSAGE_FETCH_ERRORS), MESSAGE)]),
    ]


def asked_on(event_date: dt.date, since: dt.datetime | None = None) -> Rows:
    """The answers of the messages that were asked on the day; with `since`, only what has changed."""
    return Rows(GENIE_API_MESSAGES, [_either(UNFOLDED, each) for each in written_since(since)], [event_date])


UNFOLDED: Filter = Not(
    [
        _either(
            Exists(Rows(MESSAGE_DETAILS), MESSAGE, since=("api_fetch_timestamp", "api_fetch_timestamp")),
            # What is set aside has no row until it can be folded.
            Exists(Rows(MESSAGE_FETCH_ERRORS, [Equals("resolved", False)]), MESSAGE),
        )
    ]
)
"""Answers later than the one that the fold has seen, or of messages that it has not seen at all."""


def evidence_questions(event_date: dt.date, now: dt.datetime) -> dict[str, Question]:
    """What a fold of the day goes by, in few numbers; and how much of it no fold has seen.

    The log is counted, not dated: it only grows, and what is stored late is dated early.

    Args:
        event_date: The day.
        now: The time of the fold, UTC.
    """
    references = Rows(GENIE_MESSAGES_TO_FETCH, days=[event_date])
    errors = Rows(MESSAGE_FETCH_ERRORS, [Equals("event_date", event_date)])
    day = "event_date"
    return {
        **{
            name: Counted(rows, flags={_IS_DATED: Between(_DATED_BY[name], high=now)})
            for name, rows in _stored_late(event_date).items()
        },
        "references": Counted(references, by=["is_deleted"]),
        "errors": Counted(errors, by=["error_class", "resolution"]),
        **{
            f"{rows.table.name} {name}": Wanted(rows, [day, name], Newest([day], [name]))
            for rows, name in (
                (references, "ingestion_timestamp"),
                (errors, "error_timestamp"),
                (errors, "resolved_timestamp"),
            )
        },
        "unfolded": Counted(Rows(GENIE_API_MESSAGES, [UNFOLDED], [event_date])),
    }


def _stored_late(event_date: dt.date) -> dict[str, Rows]:
    """What a paused or slow run may store of a day that is dated before a fold which has ended meanwhile.

    Of the log: answers that live on the day, and those that were read for it. References without an answer are
    folded with it; of others a deletion counts.
    """
    read_for_it: Filter = Equals("event_date", event_date)
    errors = Rows(MESSAGE_FETCH_ERRORS, [read_for_it])
    return {
        "answers": Rows(GENIE_API_MESSAGES, days=[event_date]),
        "fetched": Rows(GENIE_API_MESSAGES, [read_for_it]),
        "deleted": Rows(GENIE_MESSAGES_TO_FETCH, [Equals("is_deleted", True)], [event_date]),
        "failed": errors,
        "closed": errors,
    }


def dated_questions(event_date: dt.date, folded: dt.datetime) -> dict[str, Question]:
    """How much of a day is dated before its last fold: if it saw less, something was stored late."""
    return {
        name: Counted(Rows(rows.table, [*rows.where, Between(_DATED_BY[name], high=folded)], rows.days))
        for name, rows in _stored_late(event_date).items()
    }


def dated_rows(found: Mapping[str, Sequence[Row]]) -> int:
    """The number, by the answers to `evidence_questions` or to `dated_questions`; some rows count twice."""
    return sum(row["count"] for name in _DATED_BY for row in found[name] if row.get(_IS_DATED, True))


def evidence_hash(found: Mapping[str, Sequence[Row]], today: dt.date) -> str:
    """Tells what a fold goes by from what another one went by.

    A closed day is folded once a day though nothing has changed: only query history knows of its later versions.

    Args:
        found: The answers to `evidence_questions`.
        today: The day of the fold, UTC.
    """
    totals = {name: [{"count": sum(row["count"] for row in found[name])}] for name in _OF_THE_LOG}
    told = {name: rows for name, rows in {**found, **totals}.items() if name in totals or name not in _DATED_BY}
    parts = {name: sorted(repr(sorted(row.items())) for row in rows) for name, rows in told.items()}
    text = repr((tables_hash(), today, sorted(parts.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def nameless(event_date: dt.date, since: dt.datetime | None = None) -> Rows:
    """References of the day that do not say in which conversation their message is: the log may know."""
    return Rows(GENIE_MESSAGES_TO_FETCH, [IsNull("conversation_id"), *written_since(since)], days=[event_date])


def touching(event_date: dt.date, today: dt.date, since: dt.datetime | None = None) -> list[Rows]:
    """`touches_its_conversation`, asked of the tables, but for `asked_on` and `named_by_the_log`.

    They are rows that name the conversations.

    Args:
        event_date: The day that is folded.
        today: The day of the fold, UTC.
        since: If given, only what has changed since then.
    """
    failed_later = [] if since is None else [_failed_later(since)]
    return [
        Rows(GENIE_MESSAGES_TO_FETCH, [Not(merely_read(event_date)), *written_since(since)], days=[event_date]),
        Rows(MESSAGE_FETCH_ERRORS, [Equals("event_date", event_date), *failed_later]),
        Rows(MESSAGE_DETAILS, WAITING, days=recent_days(today)),
    ]


def named_by_the_log(nameless_ids: Collection[str]) -> Rows:
    """The answers of `nameless` messages: they say in which conversation they are."""
    return Rows(GENIE_API_MESSAGES, [In("message_id", nameless_ids)])


def recent_days(today: dt.date) -> list[dt.date]:
    """The days of which messages that wait for a statement are looked at again."""
    return [today - dt.timedelta(days=back) for back in range(PENDING_DAYS)]


def is_folded_again(message: Traces, position: int, event_date: dt.date) -> bool:
    """Whether a message of a touched conversation is folded; if not, it only counts for the others' positions.

    It is if it was asked on the day, if audit log or ledger say something of it, or if its row is not right.
    """
    header = message.answers[-1]
    return (
        header["created_date"] == event_date
        or message.reference is not None
        or message.error is not None
        or not is_right(message.folded, header, position)
    )


def is_changed(message: Traces, position: int, since: dt.datetime) -> bool:
    """Whether a message of a touched conversation is folded where only changes are: since a time, UTC."""
    reference, error = message.reference, message.error
    times = [reference["ingestion_timestamp"]] if reference is not None else []
    times += [error["error_timestamp"], error["resolved_timestamp"]] if error is not None else []
    is_later = any(at is not None and at >= since for at in times)
    return is_later or not is_right(message.folded, message.answers[-1], position)


def is_right(row: Row | None, header: Row, position: int) -> bool:
    """Whether the row of `message_details` says what the log does, and waits for nothing.

    Of a message that does not say when it was asked, the fold has worked out the day.
    """
    return (
        row is not None
        and (row["created_date"] == header["created_date"] or header["created_timestamp"] is None)
        and row["conversation_position"] == position
        and row["api_fetch_timestamp"] == header["api_fetch_timestamp"]
        and not is_waiting(row)
    )


def in_parts(numbers: Mapping[Part, int]) -> Iterator[list[Part]]:
    """Conversations or days in parts of about the same number of messages; neighbours in time stay together.

    Args:
        numbers: How many messages each of them has.
    """
    part: list[Part] = []
    messages = 0
    for each in sorted(numbers):
        part.append(each)
        messages += numbers[each]
        if messages >= MESSAGES_PER_PART:
            yield part
            part, messages = [], 0
    if part:
        yield part
