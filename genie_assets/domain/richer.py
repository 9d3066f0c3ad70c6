"""Which of several answers for a message is shown: a later look that shows less takes nothing away.

An answer is chosen by the marks of what each of them shows, which the log keeps in a narrow column: nobody reads
the texts to compare them. What is not here: which answer is the latest (`message_log`), and what a row is made of
(`folding`).
"""

import datetime as dt
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from genie_assets.domain.messages import Attachment, Message, as_json, parse_message
from genie_assets.domain.requests import Answer

Marks = Mapping[str, frozenset[str]]
"""What an answer shows, letter by letter: of each attachment SQL (q) and text (t), of each SQL its statement (s).
And which statements these are (r); older versions did not mark that.

Each is under a short name, which is the same in every look that shows the same thing, wherever it stands there.
"""

Look = Mapping[str, Any]
"""An answer without its text: a row of the log in the columns of `OF_A_LOOK`, or in more."""

_NAME_LENGTH = 8
# What an attachment of each kind has when nothing of it is withheld.
_WHOLE = {"QUERY": ("query_sql", "statement_id"), "TEXT": ("text_content",), "VIZ": (), "SUGGESTED_QUESTIONS": ()}


def shown_by(message: Message) -> str:
    """The marks of an answer, as the log keeps them: a JSON object, `{}` if it shows no attachments."""
    shown: defaultdict[str, set[str]] = defaultdict(set)
    for name, attachment in _named(message.attachments or ()):
        shown[name].update("q" * bool(attachment.query_sql) + "t" * bool(attachment.text_content))
        if attachment.query_sql:
            shown[_short(f"sql {attachment.query_sql}")].update("s" * bool(attachment.statement_id))
    for statement_id in message.statement_ids:
        shown[_of_statement(statement_id)].add("r")
    return json.dumps({name: "".join(sorted(shown[name])) for name in sorted(shown)}, separators=(",", ":"))


def _named(attachments: Iterable[Attachment]) -> Iterator[tuple[str, Attachment]]:
    """Attachments by id; those without one, such as the final summary, by which of their kind they are."""
    nameless: Counter[str] = Counter()
    for attachment in attachments:
        kind = attachment.attachment_type
        nameless[kind] += attachment.attachment_id is None
        yield (
            _short(f"id {attachment.attachment_id}" if attachment.attachment_id else f"{kind} {nameless[kind]}"),
            attachment,
        )


def _short(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:_NAME_LENGTH]


def _of_statement(statement_id: str) -> str:
    return _short(f"statement {statement_id}")


def shows_statement(look: Look, statement_id: str) -> bool | None:
    """Whether an answer names a statement; None if nobody marked what it shows, or which statements."""
    if look.get("attachments_shown") is None:
        return None
    shown = marks(look["attachments_shown"])
    letters = frozenset().union(*shown.values())
    return _of_statement(statement_id) in shown if "r" in letters or "s" not in letters else None


def marks(stored: str) -> Marks:
    """Marks as the log keeps them, to be compared."""
    return {name: frozenset(letters) for name, letters in json.loads(stored).items()}


def the_better_one(one: Answer, other: Answer) -> Answer:
    """Which of two answers counts that show the same thing in one look, as pages do that overlap.

    The one that was updated last; of the same state the one that has ended and shows more; else the one that says
    more. Where it stands in the list says nothing: there is no order that a server must keep.
    """
    return max(one, other, key=_worth)


def _worth(answer: Answer) -> tuple[int, bool, int, int, str, dt.datetime]:
    message, text = parse_message(answer.body), as_json(answer.body)
    shown = sum(len(letters) for letters in json.loads(shown_by(message)).values())
    updated = message.last_updated_timestamp or 0
    return updated, message.is_settled, shown, len(text), text, answer.requested_at


def is_poorer(later: Marks, earlier: Marks) -> bool:
    """Whether a later answer shows no attachments where an earlier one did, or one of them without its text.

    So is the same SQL without the statement that ran it. Other attachments are a new answer, and so are fewer.
    """
    if earlier and not later:
        return True
    return any(earlier[name] - later[name] for name in earlier.keys() & later.keys())


def course(answer: Look, message: Message, looks: Iterable[Look]) -> list[Look]:
    """All answers for a message up to its latest one, in the order in which they were asked for.

    Args:
        answer: The latest answer, a row of the log.
        message: The same, parsed: answers that older versions stored have no marks.
        looks: All its answers, in the columns of `OF_A_LOOK`.
    """
    place = _place_of(answer)
    before = [look for look in looks if look["api_fetch_timestamp"] <= place[0] and _place_of(look) != place]
    return [*sorted(before, key=_place_of), {**answer, "attachments_shown": shown_by(message)}]


def _place_of(look: Look) -> tuple[dt.datetime, str]:
    return look["api_fetch_timestamp"], look["content_hash"]


def unmarked(answers: Sequence[Look], latest: Message) -> list[Look]:
    """Of the answers for a message, those that must be read to know what they show: stored by older versions.

    None if it makes no difference.
    """
    if not latest.is_settled or shows_all(latest):
        return []
    return [look for look in answers if look["is_settled"] and look["attachments_shown"] is None]


def the_shown_one(answers: Sequence[Look]) -> Look:
    """Of the answers for a message, as `course` has them, the one whose content its row shows.

    It is the latest, unless that is settled and poorer than a settled one before. What runs again is a new try,
    and shows what it has. Answers of which nobody knows what they show count for nothing.
    """
    latest = answers[-1]
    if not latest["is_settled"]:
        return latest
    richest, of_richest = latest, None
    for look in answers:
        if look["is_settled"] and look["attachments_shown"] is not None:
            shown = marks(look["attachments_shown"])
            if of_richest is None or not is_poorer(shown, of_richest):
                richest, of_richest = look, shown
    return richest


def shows_all(message: Message) -> bool:
    """Whether every attachment of an answer shows what its kind can: then none before it was richer."""
    return bool(message.attachments) and all(
        each.attachment_type in _WHOLE and all(getattr(each, name) for name in _WHOLE[each.attachment_type])
        for each in message.attachments or ()
    )


def kept(richer: Message, latest: Message) -> Message:
    """What is known of a message whose latest answer shows less than an earlier one.

    Status, rating and time of change are the latest's. An error belongs to its status.
    """
    earlier_error = (richer.error_type, richer.error_message) if richer.status == latest.status else (None, None)
    has_error = latest.error_type is not None or latest.error_message is not None
    error_type, error_message = (latest.error_type, latest.error_message) if has_error else earlier_error
    return replace(
        latest,
        content=richer.content or latest.content,
        user_id=richer.user_id or latest.user_id,
        created_timestamp=richer.created_timestamp or latest.created_timestamp,
        error_type=error_type,
        error_message=error_message,
        attachments=richer.attachments,
    )
