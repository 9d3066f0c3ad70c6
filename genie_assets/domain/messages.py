"""Genie message JSON to facts.

Tolerant of unknown fields, statuses and attachment kinds, of int64 as text and of everything that may be missing.
What cannot be read becomes None; the raw JSON keeps it.
"""

import datetime as dt
import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

SETTLED_STATUSES = frozenset({"COMPLETED", "FAILED", "CANCELLED", "QUERY_RESULT_EXPIRED"})

# Epoch values beyond these bounds are in another unit: 10^11 ms is 1973 and 10^11 s is the year 5138; after the
# last ms of the year 9999 there is none.
_SECONDS_BELOW = 10**11
_MICROSECONDS_ABOVE = 253_402_300_799_999
CLOCKS_DIFFER = dt.timedelta(hours=1)
"""Databricks' clock and ours: only what lies further apart than this is surely in that order."""


def has_come(at: dt.datetime, now: dt.datetime) -> bool:
    """Whether a time that Databricks or another machine told has come, as far as clocks tell; both UTC."""
    return at - now <= CLOCKS_DIFFER


_FRACTION = re.compile(r"[0-9]{1,19}(\.[0-9]*)?([eE]\+?[0-9]{1,2})?")  # a float as programs write it

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def as_int(value: Any) -> int | None:
    """An int64 that the API may spell as a number or as text; None if it is neither or does not fit."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float) and (not math.isfinite(value) or value != int(value)):
        return None
    try:
        number = int(value.strip()) if isinstance(value, str) else int(value)
    except (TypeError, ValueError):
        return None
    return number if -(2**63) <= number < 2**63 else None


def as_count(value: Any) -> int | None:
    """A number of things, as `as_int` reads it; None for a negative one, which stands for an unknown one."""
    return not_negative(as_int(value))


def not_negative(number: int | None) -> int | None:
    """The number; None for a negative one."""
    return number if number is not None and number >= 0 else None


def as_text(value: Any) -> str | None:
    """Text as it is; None for anything else and for empty text."""
    return value if isinstance(value, str) and value else None


def id_text(value: Any) -> str | None:
    """An id as text, be it text or a whole number; None for anything else and for empty text."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else as_text(value)


def epoch_ms(value: Any) -> int | None:
    """A time in epoch milliseconds UTC, from ms, s, µs or RFC 3339 text; None if it is none of these.

    The API documents milliseconds. Other units are recognised because a wrong one would put a message decades off,
    and fractions, as numbers or as text, because whatever went through a float is still that time.
    """
    number = _number(value)
    if number is None:
        moment = parse_time(value)
        ms = 0 if moment is None else (moment - _EPOCH) // dt.timedelta(milliseconds=1)
    elif number < _SECONDS_BELOW:
        ms = round(number * 1000)
    else:
        ms = int(number // 1000 if number > _MICROSECONDS_ABOVE else number)
    # An unset time is often spelled as 0 or as the year 1; one beyond the calendar cannot be worked with.
    return ms if ms > 0 and utc_date(ms) is not None else None


def _number(value: Any) -> int | float | None:
    """A number, whole if it can be; None if it is none, or beyond an int64."""
    whole = as_int(value)
    if whole is not None or isinstance(value, bool):
        return whole
    number = float(value) if isinstance(value, str) and _FRACTION.fullmatch(value.strip()) else value
    return number if isinstance(number, float) and abs(number) < 2.0**63 else None


def parse_time(value: Any) -> dt.datetime | None:
    """An RFC 3339 time as UTC; a missing zone means UTC; None if the text is no time."""
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def as_datetime(ms: int | None) -> dt.datetime | None:
    """An epoch in ms as a UTC time; None if unknown or beyond the calendar."""
    if ms is None:
        return None
    try:
        return _EPOCH + dt.timedelta(milliseconds=ms)
    except OverflowError:
        return None


def utc_date(ms: int | None) -> dt.date | None:
    """The UTC date of an epoch in ms; None if unknown or beyond the calendar."""
    moment = as_datetime(ms)
    return None if moment is None else moment.date()


def as_json(value: Any) -> str:
    """Compact JSON that every reader accepts.

    Text stays readable unless it holds lone surrogates, which only the escaped form can carry faithfully. Numbers
    that JSON does not know (Python reads NaN and Infinity) become null.
    """
    text = _dump(value, ensure_ascii=False)
    try:
        text.encode()  # twenty times as fast as looking at each character
    except UnicodeEncodeError:
        return _dump(value, ensure_ascii=True)
    return text


def _dump(value: Any, *, ensure_ascii: bool) -> str:
    try:
        return json.dumps(value, ensure_ascii=ensure_ascii, separators=(",", ":"), allow_nan=False)
    except ValueError:
        finite = json.loads(json.dumps(value), parse_constant=lambda _: None)
        return json.dumps(finite, ensure_ascii=ensure_ascii, separators=(",", ":"))


def content_hash(body: Mapping[str, Any]) -> str:
    """SHA-256 of the message, the same for the same answer.

    Signed download handles (`*_signature`) differ in every answer and say nothing about the message.
    """
    canonical = json.dumps(_without_signatures(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _without_signatures(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_signatures(v) for k, v in value.items() if not k.endswith("_signature")}
    if isinstance(value, list):
        return [_without_signatures(item) for item in value]
    return value


@dataclass(frozen=True)
class Attachment:
    """One attachment of an answer. `ordinal` counts from 1; texts are as the API spells them."""

    ordinal: int
    attachment_id: str | None
    attachment_type: str
    body: Any
    query_sql: str | None = None
    query_title: str | None = None
    query_description: str | None = None
    statement_id: str | None = None
    row_count: int | None = None
    text_content: str | None = None
    text_purpose: str | None = None
    text_phase: str | None = None

    @property
    def is_marked_as_answer(self) -> bool:
        """The API says that the text is the answer."""
        return (self.text_purpose or "").upper().endswith("ANSWER")

    @property
    def may_be_the_answer(self) -> bool:
        """The text is marked as the answer, or as nothing else: neither as a question nor as a step on the way."""
        on_the_way = (self.text_phase or "").upper().endswith(("THINKING", "VERIFYING"))
        return self.is_marked_as_answer or not (self.text_purpose or on_the_way)


@dataclass(frozen=True)
class Message:
    """What one answer of the API says about a message. Times are epoch ms UTC."""

    message_id: str | None
    conversation_id: str | None
    space_id: str | None
    user_id: str | None
    content: str | None
    status: str | None
    created_timestamp: int | None
    last_updated_timestamp: int | None
    feedback_rating: str | None
    feedback_comment: str | None
    error_type: str | None
    error_message: str | None
    # None while the API shows no attachments at all, which is not the same as an empty list.
    attachments: tuple[Attachment, ...] | None

    @property
    def is_settled(self) -> bool:
        """The status is terminal; an unknown status is not."""
        return is_settled(self.status)

    @property
    def query(self) -> Attachment | None:
        """The last query attachment that has SQL."""
        with_sql = [a for a in self.attachments or () if a.query_sql]
        return with_sql[-1] if with_sql else None

    @property
    def statement_ids(self) -> tuple[str, ...]:
        """Every SQL statement of the answer, in order."""
        return tuple(a.statement_id for a in self.attachments or () if a.statement_id)

    @property
    def answer_text(self) -> str | None:
        """The text that is the answer, of several with a blank line between.

        The final summary is, which alone comes without an id; else what is marked as the answer; else, as most
        messages mark nothing, whatever may be one. Not a question back, nor a thought, nor what stands between the
        first and the last SQL: tries that Genie itself has superseded.
        """
        texts = [a for a in self.attachments or () if a.text_content and a.may_be_the_answer]
        sql = [a.ordinal for a in self.attachments or () if a.query_sql]
        texts = [a for a in texts if not sql or not sql[0] < a.ordinal < sql[-1]]
        texts = [a for a in texts if a.attachment_id is None] or texts
        texts = [a for a in texts if a.is_marked_as_answer] or texts
        return "\n\n".join(a.text_content or "" for a in texts) or None


def is_settled(status: str | None) -> bool:
    """Whether a message with this status will not change by itself."""
    return status in SETTLED_STATUSES


def message_id_of(body: Mapping[str, Any]) -> str | None:
    """The id of a message; `id` is the legacy twin of `message_id`."""
    return as_text(body.get("message_id")) or as_text(body.get("id"))


def parse_message(body: Mapping[str, Any]) -> Message:
    """Read one GenieMessage. Never raises: what is missing or of another type is None."""
    feedback, error = as_object(body.get("feedback")), as_object(body.get("error"))
    return Message(
        message_id=message_id_of(body),
        conversation_id=as_text(body.get("conversation_id")),
        space_id=as_text(body.get("space_id")),
        user_id=_digits(body.get("user_id")),
        content=as_text(body.get("content")),
        status=as_text(body.get("status")),
        created_timestamp=epoch_ms(body.get("created_timestamp")),
        last_updated_timestamp=epoch_ms(body.get("last_updated_timestamp")),
        feedback_rating=rating(feedback.get("rating")),
        feedback_comment=as_text(feedback.get("comment")),
        error_type=as_text(error.get("type")),
        error_message=as_text(error.get("error")),
        attachments=_attachments(body),
    )


def rating(value: Any) -> str | None:
    """POSITIVE, NEGATIVE or None, from any of the vocabularies in use (they differ in prefix and word)."""
    text = value.upper() if isinstance(value, str) else ""
    if text.endswith(("POSITIVE", "THUMBS_UP")):
        return "POSITIVE"
    return "NEGATIVE" if text.endswith(("NEGATIVE", "THUMBS_DOWN")) else None


def as_object(value: Any) -> Mapping[str, Any]:
    """The value if it is an object; an empty one if it is anything else."""
    return value if isinstance(value, Mapping) else {}


def _digits(value: Any) -> str | None:
    """A user id as text; ids that are not numbers are kept as they are."""
    number = as_int(value)
    return str(number) if number is not None else as_text(value)


def _attachments(body: Mapping[str, Any]) -> tuple[Attachment, ...] | None:
    items = body.get("attachments")
    if not isinstance(items, list):
        return None
    attachments = [_attachment(ordinal, item) for ordinal, item in enumerate(items, start=1)]
    return tuple(_with_legacy_result(attachments, as_object(body.get("query_result"))))


def _attachment(ordinal: int, item: Any) -> Attachment:
    body = as_object(item)
    query, text = as_object(body.get("query")), as_object(body.get("text"))
    kind = next((k for k in ("query", "text", "viz", "suggested_questions") if body.get(k) is not None), "other")
    return Attachment(
        ordinal=ordinal,
        attachment_id=as_text(body.get("attachment_id")),
        attachment_type=kind.upper(),
        body=item,
        query_sql=as_text(query.get("query")),
        query_title=as_text(query.get("title")),
        query_description=as_text(query.get("description")),
        statement_id=as_text(query.get("statement_id")),
        row_count=as_count(as_object(query.get("query_result_metadata")).get("row_count")),
        text_content=as_text(text.get("content")),
        text_purpose=as_text(text.get("purpose")),
        text_phase=as_text(text.get("phase")),
    )


def _with_legacy_result(attachments: list[Attachment], result: Mapping[str, Any]) -> Iterator[Attachment]:
    """Older answers tell the statement and row count of a query beside the attachments, not in it.

    It is the query that names the statement; if none does, the last one that has SQL and no statement of its own.
    """
    statement_id = as_text(result.get("statement_id"))
    owners = [a.ordinal for a in attachments if statement_id and a.statement_id == statement_id]
    last = [a for a in attachments if a.query_sql][-1:]
    heirs = [a.ordinal for a in last if not (a.statement_id and statement_id)]
    for attachment in attachments:
        is_meant = attachment.ordinal in (owners or heirs)
        yield _replace_missing(attachment, result) if is_meant and result else attachment


def _replace_missing(attachment: Attachment, result: Mapping[str, Any]) -> Attachment:
    row_count = attachment.row_count
    return replace(
        attachment,
        statement_id=attachment.statement_id or as_text(result.get("statement_id")),
        row_count=row_count if row_count is not None else as_count(result.get("row_count")),
    )
