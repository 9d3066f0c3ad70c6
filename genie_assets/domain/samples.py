"""Samples of what an account answers: what was asked, and what came back, untouched.

They are what contract tests judge and what recorded examples are made of. Which are taken is decided in
`genie_assets.pipeline.account_samples`.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.outcomes import FetchError

PAGE_SIZE = "100"
"""The page size that our lists ask for."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_MOST_KEYS = 12


@dataclass(frozen=True)
class Sample:
    """One request and its answer.

    Attributes:
        kind: Of what it is a sample, such as `messages`.
        asked: Ids of what was asked for, and the parameters.
        body: The answer, if it was a good one.
        problem: Why there is none.
    """

    kind: str
    asked: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    problem: FetchError | None = None


@dataclass(frozen=True)
class Samples:
    """All samples of an account, taken at one time (UTC)."""

    at: dt.datetime
    taken: Sequence[Sample]

    def of(self, *kinds: str) -> Iterator[Sample]:
        """The samples of some kinds, answered or not."""
        return (sample for sample in self.taken if sample.kind in kinds)

    def bodies(self, *kinds: str) -> Iterator[tuple[Sample, Mapping[str, Any]]]:
        """Those that were answered, each with its answer."""
        for sample in self.of(*kinds):
            if sample.body is not None:
                yield sample, sample.body

    def objects(self, key: str, *kinds: str) -> Iterator[tuple[Sample, Mapping[str, Any]]]:
        """The objects in the lists under a key of such answers."""
        for sample, body in self.bodies(*kinds):
            for item in items(body.get(key)):
                if isinstance(item, Mapping):
                    yield sample, item

    def messages(self) -> Iterator[tuple[Sample, Mapping[str, Any]]]:
        """Messages, listed or got by themselves."""
        yield from self.objects("messages", "messages", "messages.one", "messages.next")
        yield from self.bodies("message")

    def attachments(self) -> Iterator[Mapping[str, Any]]:
        """Attachments of messages."""
        for _, message in self.messages():
            yield from (each for each in items(message.get("attachments")) if isinstance(each, Mapping))


def items(value: Any) -> Sequence[Any]:
    """A list; empty where there is none."""
    return value if isinstance(value, list) else ()


def form(value: Any) -> str:
    """What a value is, without what it says: its type, and of an object its keys."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a number with a fraction"
    if isinstance(value, str):
        return f"a text of {len(value)} characters" if value else "an empty text"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return f"an object with {', '.join(shown_keys(value)) or 'no keys'}"
    return type(value).__name__


def shown_keys(value: Mapping[str, Any]) -> list[str]:
    """The keys of an object that look like names of fields, sorted, a dozen at most."""
    names = sorted(key for key in value if _KEY.fullmatch(key))
    return [*names[:_MOST_KEYS], *(["and more"] if len(names) > _MOST_KEYS else [])]


def word(value: Any) -> str:
    """A word of a vocabulary as it is, and of anything else the form only."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else form(value)


_WORD = re.compile(r"[A-Z][A-Z_]{2,60}")
