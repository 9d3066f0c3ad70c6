"""Counts in sentences: of one thing a sentence speaks otherwise than of several, and of none as of several."""

import re
from pathlib import Path

import pytest

import genie_assets
from genie_assets.domain.numbers import form, many


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 days are"), (1, "1 day is"), (2, "2 days are"), (1_000, "1,000 days are")],
)
def test_a_sentence_agrees_with_its_number(count: int, told: str) -> None:
    assert f"{many(count, 'day')} {form(count, 'is', 'are')}" == told


def test_no_sentence_of_ours_counts_what_may_be_one_in_the_plural() -> None:
    """Found by their shape, `{len(days)} days were …`: such a sentence says "1 days were" sooner or later."""
    nouns = (
        "days|rows|spaces|messages|runs|regions|workspaces|errors|checks|incidents|notices|conversations|channels"
    )
    counted = re.compile(
        rf"\{{(?:len\([^}}]*|[^}}]*:,|count|sent|outdated)\}} (?:{nouns}) (?:is|are|was|were|wait|cannot)\b"
    )
    found = [
        f"{path.name}: {line.strip()}"
        for path in Path(genie_assets.__file__).parent.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if counted.search(line)
    ]
    assert found == []
