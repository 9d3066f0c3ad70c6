"""What we take for true of Databricks, as facts that samples of an account can hold or contradict.

A verdict says what was seen by its form (types, names of fields, words of vocabularies), never by its texts. What
is not in the samples is not shown, which is no sign of health.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from genie_assets.domain.numbers import many
from genie_assets.domain.samples import Samples

_HEX_ID = re.compile(r"[0-9a-f]{32}")
_MOST_SHOWN = 4
ODD_SHAPES = (TypeError, ValueError, AttributeError, KeyError, IndexError, ArithmeticError, RecursionError)
"""What a look at an answer of an odd shape raises."""


class FactVerdict(StrEnum):
    """What the samples say of a fact."""

    HELD = "held"
    CONTRADICTED = "contradicted"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True)
class Judged:
    """A verdict, and what it rests on."""

    verdict: FactVerdict
    seen: str


Judge = Callable[[Samples], Judged]


@dataclass(frozen=True)
class Fact:
    """Something that our code relies on.

    Attributes:
        name: What it is called.
        sentence: What we take for true.
        where: The modules that rely on it.
        judge: Says what samples make of it.
    """

    name: str
    sentence: str
    where: str
    judge: Judge


def judged(cases: int, flaws: Iterable[str], what: str) -> Judged:
    """The verdict on a fact of which each case can go wrong.

    Args:
        cases: How many there were.
        flaws: What was seen instead, once for each case that went wrong; forms only.
        what: What the cases are called, in the plural.
    """
    wrong = Counter(flaws)
    if wrong:
        shown = [f"{flaw} ({count})" for flaw, count in wrong.most_common(_MOST_SHOWN)]
        more = len(wrong) - len(shown)
        rest = f" and {many(more, 'more form')}" if more > 0 else ""
        return Judged(FactVerdict.CONTRADICTED, f"among {what} ({cases}): {'; '.join(shown)}{rest}")
    if not cases:
        return Judged(FactVerdict.NOT_SHOWN, f"no {what} among the samples")
    return Judged(FactVerdict.HELD, f"{what} ({cases})")


def is_hex_id(value: object) -> bool:
    """Whether a value is an id as Genie makes them: 32 hexadecimal digits in lower case."""
    return isinstance(value, str) and _HEX_ID.fullmatch(value) is not None
