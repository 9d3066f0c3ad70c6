"""Values of an account replaced by made-up ones of the same form: the same one by the same one, and never back.

What is kept are words that Databricks' vocabularies are known to hold, numbers of versions, HTTP's statuses, true,
false, nothing, 0 and 1. Everything else is replaced by chance, not by a hash that somebody could try values
against. Times are replaced in their order, a minute apart.
"""

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from genie_assets.domain.messages import as_datetime, parse_time
from genie_assets.domain.vocabularies import ATTACHMENTS, WORDS, is_known_action

Choose = Callable[[str, int], str]
"""So many characters of an alphabet, by chance."""

_BEGINNING = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_MS, _LAST_MS = 1_000_000_000_000, 4_000_000_000_000  # 2001 to 2096
_DIGITS, _HEX = "0123456789", "0123456789abcdef"

_NUMBER = re.compile(r"-?\d{1,400}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_ID = re.compile(r"[0-9a-fA-F]{8,}(-[0-9a-fA-F]{2,})*")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_URL = re.compile(r"[a-z]{2,10}://\S+")
_FIELD = re.compile(r"[a-z@][A-Za-z0-9_]{0,60}")
_OWN_WORDS = frozenset(
    {
        *("INLINE", "EXTERNAL_LINKS", "JSON_ARRAY", "list", "genie", "user", "assistant", "execute_sql"),
        *("input_text", "output_text", "summary_text", "completed", "in_progress", "incomplete"),
        *("aibiGenie", "WORKSPACE_LEVEL", "ACCOUNT_LEVEL", "WAREHOUSE", "SERVERLESS_COMPUTE"),
    }
)
# Numbers that say nothing of an account, by the field: from, to.
_TELLING_NOTHING = {"version": (0, 99), "status_code": (100, 599)}
# Fields whose entries are named by people.
_NAMED_BY_PEOPLE = frozenset({"query_tags", "custom_tags", "named_parameters"})
_MOST_TRIES = 8
_DEEPEST = 100  # what is nested deeper is no JSON to us, but a text


class Scrubber:
    """Replaces values. One is used for all that shall stay together.

    Args:
        choose: Chance.
        times: All times that will be met (ms), so that they can be put in order.
        texts: All texts that will be met, so that none of them is made up for another.
    """

    def __init__(self, choose: Choose, times: Iterable[int], texts: Iterable[str] = ()) -> None:
        self._choose, self._met = choose, frozenset(texts)
        self._times = {ms: rank for rank, ms in enumerate(sorted(set(times)))}
        self._replaced: dict[str, str] = {}
        self._used: set[str] = set()
        self._count = 0
        self.kept: set[str] = set()
        """Texts that were left as they are."""

    def value(self, value: Any) -> Any:
        """A JSON value with everything in it replaced."""
        if isinstance(value, Mapping):
            return {self._key(key): self.under(key, each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, float):
            if not math.isfinite(value):  # more than a float holds, such as 1e400
                return 0.5
            return float(self._number(str(int(value)))) + (0.0 if value == int(value) else 0.5)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._whole(value)
        return value

    def under(self, key: str, value: Any) -> Any:
        """The JSON value of a field, or of a column, with everything in it replaced."""
        if key in _NAMED_BY_PEOPLE:
            inner = json_in(value) if isinstance(value, str) else value
            if isinstance(inner, Mapping):
                made = {self._once(name, self._other): self.value(each) for name, each in inner.items()}
                return json.dumps(made) if isinstance(value, str) else made
        lowest, highest = _TELLING_NOTHING.get(key, (0, -1))
        is_kept = isinstance(value, int) and lowest <= value <= highest
        return value if is_kept else self.value(value)

    def text(self, text: str) -> str:
        """A text by one of its form."""
        if not text or is_word(text):
            self.kept.add(text)
            return text
        inner = json_in(text)
        if inner is not None:
            return json.dumps(self.value(inner), ensure_ascii=False, separators=(",", ":"))
        if _TIME.fullmatch(text) and (moment := parse_time(text)) is not None:
            return self._time_text(text, moment)
        if _NUMBER.fullmatch(text):
            ms = int(text) if len(text) < 15 else 0
            return str(self._ms(ms)) if ms in self._times else self._number(text)
        return self._once(text, self._other)

    def _other(self, text: str) -> str:
        if _EMAIL.fullmatch(text):
            return f"user{self._next()}@example.com"
        if _URL.match(text):
            return f"https://example.com/{self._next()}"
        if _ID.fullmatch(text):
            alphabet = _HEX.upper() if text.upper() == text else _HEX
            return "".join("-" if each == "-" else self._choose(alphabet, 1) for each in text)
        return f"text {self._next()}"

    def _key(self, key: str) -> str:
        """Names of fields are kept; what looks like a value in the place of one is replaced."""
        return key if _FIELD.fullmatch(key) and not _ID.fullmatch(key) else self._once(key, self._other)

    def _once(self, text: str, make: Callable[[str], str]) -> str:
        """The replacement of a text: the same one each time, and no other text's, if there are enough of them."""
        tries = 0
        while text not in self._replaced:
            made, tries = make(text), tries + 1
            if tries == _MOST_TRIES or (made not in self._used and made not in self._met):
                self._replaced[text] = made
                self._used.add(made)
        return self._replaced[text]

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _whole(self, number: int) -> int:
        return self._ms(number) if number in self._times else int(self._number(str(number)))

    def _number(self, text: str) -> str:
        """Digits, as many as there were; 0 and 1 tell nothing."""
        if text in ("0", "1", "-1"):
            return text
        sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)

        def make(_: str) -> str:
            return self._choose("12345678", 1) + self._choose(_DIGITS, len(digits) - 1)

        if len(digits) < 4:  # there may be more of them than there are replacements
            return sign + self._replaced.setdefault(digits, make(digits))
        return sign + self._once(digits, make)

    def _ms(self, ms: int) -> int:
        return (_BEGINNING + dt.timedelta(minutes=self._times[ms]) - _EPOCH) // dt.timedelta(milliseconds=1)

    def _time_text(self, text: str, moment: dt.datetime) -> str:
        made = as_datetime(self._ms(in_ms(moment))) or _BEGINNING
        if len(text) == len("2026-01-01"):
            return f"{made:%Y-%m-%d}"
        return f"{made:%Y-%m-%d}{text[10]}{made:%H:%M:%S}{'Z' if text.endswith('Z') else ''}"


def times_in(value: Any) -> Iterator[int]:
    """All times in a JSON value and in the JSON in its texts, in ms."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from times_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from times_in(each)
    elif isinstance(value, str):
        inner = json_in(value)
        if inner is not None:
            yield from times_in(inner)
        elif _TIME.fullmatch(value) and (moment := parse_time(value)) is not None:
            yield in_ms(moment)
        elif _NUMBER.fullmatch(value) and len(value) < 15 and _FIRST_MS <= int(value) <= _LAST_MS:
            yield int(value)
    elif isinstance(value, int) and not isinstance(value, bool) and _FIRST_MS <= value <= _LAST_MS:
        yield value


def texts_in(value: Any) -> Iterator[str]:
    """All texts in a JSON value and in the JSON in its texts, names of fields left aside; numbers as text."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)
    elif isinstance(value, str):
        inner = json_in(value)
        yield from (value,) if inner is None else texts_in(inner)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)


def json_in(text: str) -> Any:
    """The object or list that a text is the JSON of; None if it is of none, or of one that is nested too deep."""
    if text[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return None if _is_deep(found) else found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_deep(value: Any) -> bool:
    """Whether a JSON value is nested deeper than what goes through it can follow."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            part
            for each in level
            if isinstance(each, (list, Mapping))
            for part in (each.values() if isinstance(each, Mapping) else each)
        ]
    return bool(level)


def is_word(text: str) -> bool:
    """Whether a text is a word of a vocabulary that we know, which tells nothing of an account."""
    return text in WORDS or text in _OWN_WORDS or text in ATTACHMENTS or is_known_action(text)


def in_ms(moment: dt.datetime) -> int:
    """A time in epoch milliseconds."""
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)
