"""What is stored about messages: latest answers, last looks and the error ledger, as the rules need them."""

from collections.abc import Collection

from genie_assets.domain.keys import MESSAGE, MessageKey, Row
from genie_assets.domain.message_log import HEADER, LATEST
from genie_assets.domain.questions import In, Newest, Rows, Wanted
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGE_LOOKS,
    MESSAGE_FETCH_ERRORS,
    records,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse


def known_answers(lake: Lakehouse, message_ids: Collection[str]) -> dict[MessageKey, Row]:
    """Header of the latest answer of every one of these messages that is stored.

    `api_fetch_timestamp` is the last look that confirmed it, be it one that found nothing new;
    `event_change_time` is the latest change that both are known to hold.
    """
    if not message_ids:
        return {}
    named = [In("message_id", message_ids)]
    found = lake.together(
        {
            "answers": Wanted(Rows(GENIE_API_MESSAGES, named), HEADER, LATEST),
            "looks": Wanted(
                Rows(GENIE_MESSAGE_LOOKS, named),
                [*MESSAGE, "api_fetch_timestamp", "event_change_time"],
                Newest(per=MESSAGE, by=["api_fetch_timestamp", "event_change_time"]),
            ),
        }
    )
    known = {MessageKey.of(row): row for row in found["answers"]}
    for look in found["looks"]:
        row = known.get(MessageKey.of(look))
        if row is not None:
            row["api_fetch_timestamp"] = max(row["api_fetch_timestamp"], look["api_fetch_timestamp"])
            times = filter(None, (row["event_change_time"], look["event_change_time"]))
            row["event_change_time"] = max(times, default=None)
    return known


def full_answers(lake: Lakehouse, headers: Collection[Row]) -> list[Row]:
    """The latest answers of which these are headers, with their JSON."""
    days = {row["created_date"] for row in headers}
    named = [In("message_id", {row["message_id"] for row in headers})]
    columns = [*HEADER, "raw_json"]
    answers = records(lake.read(GENIE_API_MESSAGES, columns=columns, days=days, where=named, newest=LATEST))
    wanted = {MessageKey.of(row) for row in headers}
    return [row for row in answers if MessageKey.of(row) in wanted]


def ledger_rows(
    lake: Lakehouse, *, message_ids: Collection[str], conversation_ids: Collection[str] = ()
) -> dict[MessageKey, Row]:
    """The error ledger's rows, open and resolved, of these messages and of all others of these conversations."""
    conditions = [In("message_id", message_ids), In("conversation_id", conversation_ids)]
    columns = MESSAGE_FETCH_ERRORS.column_names
    questions = {
        each.column: Wanted(Rows(MESSAGE_FETCH_ERRORS, [each]), columns) for each in conditions if each.values
    }
    return {MessageKey.of(row): row for found in lake.together(questions).values() for row in found}
