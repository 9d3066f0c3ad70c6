"""Looks up what decides which messages of some conversations are folded again, and what is known of those."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.evidence import OF_A_LOOK, reference_questions
from genie_assets.domain.folded_again import OF_A_FOLDED_MESSAGE, Traces, written_since
from genie_assets.domain.keys import MESSAGE, MessageKey, Row, SpaceKey
from genie_assets.domain.message_log import HEADER, LATEST
from genie_assets.domain.questions import Counted, Exists, In, Rows, Wanted
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.names import OF_A_SPACE
from genie_assets.pipeline.stored import texts_question, with_texts

# What a fold needs to know of every answer of a conversation. What the next fetch goes by does not belong here.
_OF_AN_ANSWER = [name for name in HEADER if name != "event_change_time"]
_OF_A_REFERENCE = ["event_date", "workspace_id", "message_id", "user_email", "is_new", "is_deleted"]
_OF_A_REFERENCE += ["workspace_name", "workspace_url", "last_change_time", "actions", "ingestion_timestamp"]


@dataclass(frozen=True)
class Traced:
    """What decides which messages are folded again.

    Attributes:
        messages: The traces of each message.
        errors: The rows of the ledger among them.
        folded: The rows that earlier folds made, among them.
        several: Messages of which more than one answer is stored.
    """

    messages: Mapping[MessageKey, Traces]
    errors: Mapping[MessageKey, Row]
    folded: Mapping[MessageKey, Row]
    several: Collection[MessageKey]


@dataclass(frozen=True)
class Told:
    """What is known of messages before query history is asked.

    Attributes:
        answers: Their latest answers, with their JSON.
        looks: Every answer of them; no text is needed of these.
        references: What the audit log says of them.
        titles: Titles of the spaces of their workspaces; None where a space was never readable.
    """

    answers: list[Row]
    looks: list[Row]
    references: list[Row]
    titles: dict[SpaceKey, str | None]


def traces_of(
    conversation_ids: Collection[str],
    days: Collection[dt.date],
    day: dt.date,
    lake: Lakehouse,
    since: dt.datetime | None = None,
) -> Traced:
    """What decides which messages of conversations are folded again: one question.

    Args:
        conversation_ids: The conversations.
        days: On which their messages lie.
        day: The day that is folded.
        lake: The tables.
        since: If given, older references are left out: only later ones are a reason to fold (`is_changed`).
    """
    named = [In("conversation_id", conversation_ids)]
    answers = Rows(GENIE_API_MESSAGES, named, days)
    answered = [Exists(answers, MESSAGE)]
    of_the_day = Rows(GENIE_MESSAGES_TO_FETCH, [*written_since(since), *answered], [day])
    found = lake.together(
        {
            "headers": Wanted(answers, _OF_AN_ANSWER, LATEST),
            "several": Counted(answers, MESSAGE, at_least=2),
            "folded": Wanted(Rows(MESSAGE_DETAILS, named, days), OF_A_FOLDED_MESSAGE),
            "references": Wanted(of_the_day, [*MESSAGE, "ingestion_timestamp"]),
            "errors": Wanted(Rows(MESSAGE_FETCH_ERRORS, answered), MESSAGE_FETCH_ERRORS.column_names),
        }
    )
    headers, references, errors, folded = (
        {MessageKey.of(row): row for row in found[name]} for name in ("headers", "references", "errors", "folded")
    )
    messages = {
        key: Traces([header], references.get(key), errors.get(key), folded.get(key))
        for key, header in headers.items()
    }
    return Traced(messages, errors, folded, {MessageKey.of(row) for row in found["several"]})


def told_of(
    headers: Collection[Mapping[str, Any]], found: Traced, days: Collection[dt.date], day: dt.date, lake: Lakehouse
) -> Told:
    """What log, audit and spaces tell of messages: one question.

    Args:
        headers: Headers of their latest answers.
        found: The traces among which they are.
        days: On which answers of them lie.
        day: The day that is folded.
        lake: The tables.
    """
    several = {MessageKey.of(header) for header in headers} & set(found.several)
    named = [In("message_id", {key.message_id for key in several})]
    workspaces = [In("workspace_id", {row["workspace_id"] for row in headers})]
    references = {
        f"references {number}": Wanted(rows, _OF_A_REFERENCE)
        for number, rows in enumerate(reference_questions(headers, found.folded, day))
    }
    looks = {"looks": Wanted(Rows(GENIE_API_MESSAGES, named, days), OF_A_LOOK)} if several else {}
    told = lake.together(
        {
            "answers": texts_question(headers),
            "spaces": Wanted(Rows(GENIE_SPACE_DETAILS, workspaces), OF_A_SPACE),
            **looks,
            **references,
        }
    )
    answers = with_texts(headers, told["answers"])
    return Told(
        answers=answers,
        looks=[*told.get("looks", ()), *(row for row in answers if MessageKey.of(row) not in several)],
        references=[row for name in references for row in told[name]],
        titles={SpaceKey.of(row): row["title"] for row in told["spaces"]},
    )
