"""Looks up what an earlier answer showed and the latest does not; which answer is shown, `domain/richer` says.

Of most messages nothing is read here: the latest answer shows all, or was the only one.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from genie_assets.domain.evidence import Answers, parse_answers
from genie_assets.domain.keys import MESSAGE, MessageKey
from genie_assets.domain.messages import Message
from genie_assets.domain.questions import In, Newest
from genie_assets.domain.richer import Look, course, kept, shown_by, the_shown_one, unmarked
from genie_assets.domain.tables import GENIE_API_MESSAGES, records
from genie_assets.gateways.lakehouse.interface import Lakehouse

Content = tuple[MessageKey, str]  # a message and the hash of an answer


def keep_richer(
    answers: Answers, looks: Iterable[Look], lake: Lakehouse, days: Collection[dt.date]
) -> tuple[list[tuple[Look, Message]], set[MessageKey]]:
    """The latest answers with what is known of their messages, and of which messages an earlier one showed more.

    Args:
        answers: The latest answer of each message, with its parsed message.
        looks: All their answers, in the columns of `OF_A_LOOK`.
        lake: Where the texts of earlier ones are.
        days: On which days.
    """
    by_message: defaultdict[MessageKey, list[Look]] = defaultdict(list)
    for look in looks:
        by_message[MessageKey.of(look)].append(look)
    courses = {
        MessageKey.of(answer): course(answer, message, by_message[MessageKey.of(answer)])
        for answer, message in answers
    }
    old = (look for answer, message in answers for look in unmarked(courses[MessageKey.of(answer)], message))
    texts = _texts(lake, days, old)
    chosen = {key: the_shown_one([_marked(look, texts) for look in each]) for key, each in courses.items()}
    richer = {
        key: look for key, look in chosen.items() if look["content_hash"] != courses[key][-1]["content_hash"]
    }
    texts |= _texts(lake, days, (look for look in richer.values() if _content(look) not in texts))
    withheld = {key for key, look in richer.items() if _content(look) in texts}
    known = [
        (
            answer,
            kept(texts[_content(richer[key])], message) if (key := MessageKey.of(answer)) in withheld else message,
        )
        for answer, message in answers
    ]
    return known, withheld


def _content(look: Look) -> Content:
    return MessageKey.of(look), look["content_hash"]


def _marked(look: Look, texts: Mapping[Content, Message]) -> Look:
    message = texts.get(_content(look))
    return look if message is None else {**look, "attachments_shown": shown_by(message)}


def _texts(lake: Lakehouse, days: Collection[dt.date], looks: Iterable[Look]) -> dict[Content, Message]:
    """The parsed messages of these answers; those that cannot be read are left out."""
    wanted = {_content(look) for look in looks}
    if not wanted:
        return {}
    named = [
        In("message_id", {key.message_id for key, _ in wanted}),
        In("content_hash", {each for _, each in wanted}),
    ]
    columns = [*MESSAGE, "content_hash", "raw_json"]
    once = Newest(per=[*MESSAGE, "content_hash"], by=["api_fetch_timestamp"])
    rows = records(lake.read(GENIE_API_MESSAGES, columns=columns, days=days, where=named, newest=once))
    parsed, _ = parse_answers(row for row in rows if _content(row) in wanted)
    return {_content(row): message for row, message in parsed}
