"""What is stored about messages: latest answers, last looks and the error ledger, as the rules need them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from genie_assets.domain.keys import MESSAGE, MessageKey, Row
from genie_assets.domain.message_log import HEADER, LATEST
from genie_assets.domain.questions import In, Newest, Rows, Wanted
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGE_LOOKS,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse

Found = Mapping[str, Sequence[Row]]
"""Answers to questions that were asked together."""

_ERRORS = ("errors of messages", "errors of conversations")


def known_answers(lake: Lakehouse, message_ids: Collection[str]) -> dict[MessageKey, Row]:
    """Header of the latest answer of every one of these messages that is stored.

    `api_fetch_timestamp` is the last look that confirmed it, be it one that found nothing new;
    `event_change_time` is the latest change that both are known to hold.
    """
    return answers_in(lake.together(answer_questions(message_ids)))


def answer_questions(message_ids: Collection[str]) -> dict[str, Wanted]:
    """What `known_answers` asks, to be asked together with something else."""
    if not message_ids:
        return {}
    named = [In("message_id", message_ids)]
    return {
        "answers": Wanted(Rows(GENIE_API_MESSAGES, named), HEADER, LATEST),
        "looks": Wanted(
            Rows(GENIE_MESSAGE_LOOKS, named),
            [*MESSAGE, "api_fetch_timestamp", "event_change_time"],
            Newest(per=MESSAGE, by=["api_fetch_timestamp", "event_change_time"]),
        ),
    }


def answers_in(found: Found) -> dict[MessageKey, Row]:
    """What `known_answers` gives, of the answers to its questions."""
    known = {MessageKey.of(row): row for row in found.get("answers", ())}
    for look in found.get("looks", ()):
        row = known.get(MessageKey.of(look))
        if row is not None:
            row["api_fetch_timestamp"] = max(row["api_fetch_timestamp"], look["api_fetch_timestamp"])
            times = filter(None, (row["event_change_time"], look["event_change_time"]))
            row["event_change_time"] = max(times, default=None)
    return known


def texts_question(headers: Collection[Mapping[str, Any]]) -> Wanted:
    """The question for the JSON of the answers of which these are headers, with what a look at them tells."""
    named = [In(name, {row[name] for row in headers}) for name in ("message_id", "content_hash")]
    days = {row["created_date"] for row in headers}
    content = [*MESSAGE, "content_hash"]
    columns = [*content, "status", "last_updated_timestamp", "attachments_shown", "raw_json"]
    once = Newest(per=content, by=["api_fetch_timestamp"])
    return Wanted(Rows(GENIE_API_MESSAGES, named, days), columns, once)


def with_texts(headers: Collection[Mapping[str, Any]], found: Iterable[Row]) -> list[Row]:
    """These answers with their JSON, of the answer to `texts_question`."""
    texts = {(MessageKey.of(row), row["content_hash"]): row for row in found}
    return [
        {**header, **text}
        for header in headers
        if (text := texts.get((MessageKey.of(header), header["content_hash"]))) is not None
    ]


def ledger_rows(
    lake: Lakehouse, *, message_ids: Collection[str], conversation_ids: Collection[str] = ()
) -> dict[MessageKey, Row]:
    """The error ledger's rows, open and resolved, of these messages and of all others of these conversations."""
    return errors_in(lake.together(ledger_questions(message_ids, conversation_ids)))


def ledger_questions(message_ids: Collection[str], conversation_ids: Collection[str] = ()) -> dict[str, Wanted]:
    """What `ledger_rows` asks, to be asked together with something else."""
    conditions = [In("message_id", message_ids), In("conversation_id", conversation_ids)]
    names = zip(_ERRORS, conditions, strict=True)
    columns = MESSAGE_FETCH_ERRORS.column_names
    return {name: Wanted(Rows(MESSAGE_FETCH_ERRORS, [each]), columns) for name, each in names if each.values}


def errors_in(found: Found) -> dict[MessageKey, Row]:
    """What `ledger_rows` gives, of the answers to its questions."""
    return {MessageKey.of(row): row for name in _ERRORS for row in found.get(name, ())}
