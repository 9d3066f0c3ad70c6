"""What the fold of some messages is made from, and what has to be asked to have it.

What is not here: who asks (`pipeline`), what becomes of it (`folding`), and of which messages (`folded_again`).
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from genie_assets.domain.executions import ATTACHMENT_EXECUTION_COLUMNS, EXECUTION_COLUMNS, EnrichmentStatus
from genie_assets.domain.keys import MessageKey, SpaceKey
from genie_assets.domain.messages import Message, as_datetime, parse_message
from genie_assets.domain.questions import Between, In, Not, Rows
from genie_assets.domain.set_aside import SetAside
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH

Answers = Sequence[tuple[Mapping[str, Any], Message]]  # rows of the log, each with its parsed message

_ONE_DAY = dt.timedelta(days=1)
# Query history is read from this long before the first question to this long after the last look: clocks differ.
_MARGIN = _ONE_DAY
# How far it goes back at most.
_LONGEST_HISTORY = dt.timedelta(days=365)


# Of every answer of a message, what tells when it was asked, when it had ended, and which showed most.
OF_A_LOOK = (
    "workspace_id",
    "message_id",
    "status",
    "is_settled",
    "created_timestamp",
    "last_updated_timestamp",
    "api_fetch_timestamp",
    "content_hash",
    "attachments_shown",
)


# Of the row that an earlier fold made of a message, and of those of its attachments: what the log cannot say
# again, and what tells whether it is looked for. The rest is only compared.
OF_A_KNOWN_MESSAGE = (
    *("workspace_id", "message_id", "created_date", "api_fetch_timestamp", "status"),
    *("space_name", "workspace_name", "user_email", "enrichment_status", "is_deleted"),
    *("statement_id", *EXECUTION_COLUMNS),
)
OF_A_KNOWN_ATTACHMENT = (
    *("workspace_id", "message_id", "created_date", "attachment_ordinal"),
    *("statement_id", *ATTACHMENT_EXECUTION_COLUMNS),
)


@dataclass(frozen=True)
class Evidence:
    """All that the rows of some messages are made from.

    Attributes:
        answers: The latest answer of each message, with its parsed message as it is known.
        positions: The messages' places in their conversations, from `conversation_positions`.
        looks: All their answers, in the columns of `OF_A_LOOK`.
        set_aside: Messages whose answer could not even be read.
        history: What query history says of their statements, in the columns of `sql/query_history.sql`; None if it
            cannot be read.
        is_history_whole: Whether it could be read in all regions.
        references: What the audit log says of them, in the columns of `genie_messages_to_fetch`, by day.
        errors: Their rows of the error ledger, open and resolved.
        space_names: Titles of their spaces.
        details: Rows of `message_details` that earlier folds made of them, in the columns of `OF_A_KNOWN_MESSAGE`,
            and those that are compared or their digest.
        attachments: The same of `message_attachments`, in the columns of `OF_A_KNOWN_ATTACHMENT`.
        withheld: Messages of which the latest answer shows less than is known from an earlier one.
    """

    answers: Answers
    positions: Mapping[MessageKey, int]
    looks: Sequence[Mapping[str, Any]] = ()
    set_aside: Sequence[SetAside] = ()
    history: Sequence[Mapping[str, Any]] | None = ()
    is_history_whole: bool = True
    references: Sequence[Mapping[str, Any]] = ()
    errors: Mapping[MessageKey, Mapping[str, Any]] = field(default_factory=dict)
    space_names: Mapping[SpaceKey, str] = field(default_factory=dict)
    details: Sequence[Mapping[str, Any]] = ()
    attachments: Sequence[Mapping[str, Any]] = ()
    withheld: Collection[MessageKey] = frozenset()


def parse_answers(
    rows: Iterable[Mapping[str, Any]],
) -> tuple[list[tuple[Mapping[str, Any], Message]], list[SetAside]]:
    """Rows of `genie_api_messages`, each with its parsed message; and those that cannot be read."""
    answers: list[tuple[Mapping[str, Any], Message]] = []
    set_aside: list[SetAside] = []
    for row in rows:
        try:
            answers.append((row, parse_message(json.loads(row["raw_json"]))))
        except Exception as problem:  # noqa: BLE001 - one poisonous record must not stop the others
            set_aside.append(SetAside(row, type(problem).__name__))
    return answers, set_aside


def reference_questions(
    answers: Collection[Mapping[str, Any]],
    previous: Mapping[MessageKey, Mapping[str, Any]],
    event_date: dt.date,
) -> list[Rows]:
    """What the audit log is asked about these messages: who asked, and whether they were deleted.

    On the day that is folded, and on the days around their question. What other days said of a message that was
    folded before, their own folds have put there; of one that was not, any later day may have said something. Of a
    message that does not say when it was asked, every day may be the one, and one that was deleted may be again.

    Args:
        answers: Headers of the latest answer of each message.
        previous: What earlier folds made of them, in the columns of `OF_A_FOLDED_MESSAGE`.
        event_date: The day that is folded.
    """
    created = {answer["created_date"] for answer in answers}
    around = {each for day in created for each in _neighbours(day)}
    near = {event_date, *around}
    elsewhere = Not([In("event_date", near)])
    named = In("message_id", {answer["message_id"] for answer in answers})
    questions = [Rows(GENIE_MESSAGES_TO_FETCH, [named], days=near)]
    unseen = [answer for answer in answers if MessageKey.of(answer) not in previous]
    if unseen:
        new = In("message_id", {answer["message_id"] for answer in unseen})
        later = Between("event_date", low=min(answer["created_date"] for answer in unseen))
        questions.append(Rows(GENIE_MESSAGES_TO_FETCH, [new, later, elsewhere]))
    wholly = {
        answer["message_id"]
        for answer in answers
        if answer["created_timestamp"] is None or previous.get(MessageKey.of(answer), {}).get("is_deleted")
    }
    if wholly:
        questions.append(Rows(GENIE_MESSAGES_TO_FETCH, [In("message_id", wholly), elsewhere]))
    return questions


def _neighbours(day: dt.date) -> set[dt.date]:
    """A day with the one before and the one after, as far as the calendar has them."""
    return {
        day,
        day - _ONE_DAY if day > dt.date.min else day,
        day + _ONE_DAY if day < dt.date.max else day,
    }


def spaces_of(answers: Iterable[Mapping[str, Any]]) -> set[SpaceKey]:
    """The spaces whose titles are needed."""
    return {SpaceKey.of(answer) for answer in answers}


class HistoryQuestion(NamedTuple):
    """What query history is asked: these statements, between these times (UTC)."""

    statement_ids: frozenset[str]
    from_time: dt.datetime
    to_time: dt.datetime


def history_question(
    answers: Answers, previous: Mapping[MessageKey, Mapping[str, Any]], event_date: dt.date
) -> HistoryQuestion | None:
    """The day's own statements, and others that no earlier fold has found or given up; None if there are none.

    Args:
        answers: The latest answer of each message, with its parsed message.
        previous: Rows of `message_details` so far.
        event_date: The day that is folded.
    """
    asked = [
        (answer, message)
        for answer, message in answers
        if is_looked_for(answer, message, previous.get(MessageKey.of(answer)), event_date)
    ]
    if not asked:
        return None
    created = [message.created_timestamp for _, message in asked if message.created_timestamp is not None]
    looked: dt.datetime = max(answer["api_fetch_timestamp"] for answer, _ in asked)
    first = looked - _LONGEST_HISTORY
    if len(created) == len(asked):
        # Not before there is any history, nor after the look: a message may say of itself what it likes.
        first = min(max(as_datetime(min(created)) or first, first), looked)
    statement_ids = frozenset(statement_id for _, message in asked for statement_id in message.statement_ids)
    return HistoryQuestion(statement_ids, first - _MARGIN, looked + _MARGIN)


def is_looked_for(
    answer: Mapping[str, Any], message: Message, before: Mapping[str, Any] | None, event_date: dt.date
) -> bool:
    """Whether the message's statements are looked for in query history by the fold of a day.

    Those of the day and its neighbours always are; others as long as no fold has found them or given them up.
    """
    if not message.statement_ids:
        return False
    if before is None or abs(answer["created_date"] - event_date) <= _MARGIN:
        return True
    is_newer = answer["api_fetch_timestamp"] > before["api_fetch_timestamp"]
    ended = (EnrichmentStatus.COMPLETE, EnrichmentStatus.EXPIRED)
    return is_newer or before["enrichment_status"] not in ended
