"""Markdown for the UI: whatever comes from outside is text in it and nothing else, checked with a real parser."""

import datetime as dt
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from genie_assets.domain.health import RateVerdict
from genie_assets.domain.keys import SpaceKey
from genie_assets.showing import counted, counts_table, named_spaces, rows_table, shown

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# What a browser may load, follow or be confused by.
HOSTILE = [
    "# Heading\n\n[click](https://evil.example)",
    "![pixel](https://evil.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "<https://evil.example>",
    "https://evil.example/auto www.evil.example me@evil.example",
    "a | b | c",
    "\\| \\` \\",
    "``` `` ` ~~~",
    "` [x](y) `",
    "-- :---: |",
    "&lt;b&gt; &#124; &amp;",
    "\u202eevil\u2066\u200b\u00ad\ufeff\u2028\u2029\x1b[31m\x00\r\n",
    "\ud800",
    "*bold* _it_ ~~del~~ [ref]: http://x",
    "x" * 3_000,
    "",
    "   ",
]
TEXTS = (
    st.text(max_size=300)
    | st.sampled_from(HOSTILE)
    | st.text(alphabet="|`\\[]()!<>&*_#~:-/\n\t\r www.x@h", max_size=60)
)


def inside(markdown: str) -> list[Token]:
    """All tokens, those within lines included."""
    return [each for token in PARSER.parse(markdown) for each in (token, *(token.children or ()))]


@settings(deadline=None)
@given(TEXTS)
@example("https://evil.example")
def test_a_text_is_one_code_span_of_visible_characters_whatever_it_holds(text: str) -> None:
    """In anything but a code span, the UI's renderer would make links of bare addresses, too."""
    markdown = f"Space {shown(text)} is closed."
    types = [token.type for token in inside(markdown)]
    assert types in (
        ["paragraph_open", "inline", "text", "code_inline", "text", "paragraph_close"],
        ["paragraph_open", "inline", "text", "paragraph_close"],
    )
    assert ("code_inline" in types) == bool(text.strip() and shown(text) != "–")
    assert {unicodedata.category(each) for each in shown(text)} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} == set()
    assert len(shown(text)) <= 82


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(TEXTS, st.integers(), st.none() | TEXTS), max_size=8))
def test_rows_are_lines_of_what_can_be_seen_and_numbers_stay_numbers(
    rows: list[tuple[str, int, str | None]],
) -> None:
    records = [list(each.data.values()) for each in rows_table(["name", "count", "why"], rows, at_most=5).records]
    assert [row[1] for row in records[:5]] == [row[1] for row in rows[:5]]
    assert records[5:] == ([[f"and {len(rows) - 5} more", "", ""]] if len(rows) > 5 else [])
    for text in (cell for row in records[:5] for cell in row if isinstance(cell, str)):
        assert 0 < len(text) <= 80
        assert {unicodedata.category(each) for each in text} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} == set()


def test_rows_of_a_check_say_times_and_our_own_words() -> None:
    row = (dt.datetime(2026, 3, 2, 12, 5, 7, 123456, dt.UTC), dt.date(2026, 3, 2), RateVerdict.WARN, None)
    (record,) = rows_table(["at", "day", "verdict", "title"], [row]).records
    assert list(record.data.values()) == ["2026-03-02 12:05", "2026-03-02", str(RateVerdict.WARN), "–"]


@settings(deadline=None)
@given(st.dictionaries(TEXTS, st.integers(min_value=0, max_value=10**9), max_size=30))
def test_counts_in_a_sentence_are_bounded_and_only_text(counts: dict[str, int]) -> None:
    sentence = f"By space: {counted(counts)}."
    assert {token.type for token in inside(sentence)} <= {
        *("paragraph_open", "paragraph_close", "inline", "text", "code_inline"),
    }
    assert len(sentence) < 1200


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, "–"),
        (3, 3),
        (0.5, 0.5),
        (RateVerdict.WARN, "WARN"),
        (dt.date(2026, 3, 2), "2026-03-02"),
        ("Sales | EU", "Sales | EU"),
        ("it's `code`", "it's `code`"),
        ("two\nlines", "two lines"),
        ("", "–"),
    ],
)
def test_a_cell_is_readable(value: object, cell: object) -> None:
    (record,) = rows_table(["title"], [[value]]).records
    assert record.data["title"] == cell


def test_counts_are_a_table_the_largest_first_and_none_are_none() -> None:
    assert counts_table("errors", {}) == {}
    (found,) = counts_table("errors", {"A": 1, "B": 20}).values()
    assert [each.data for each in found.records] == [{"errors": "B", "count": 20}, {"errors": "A", "count": 1}]


def test_spaces_of_the_same_title_are_told_apart_and_few_are_named() -> None:
    def space(number: int) -> SpaceKey:
        return SpaceKey(f"w{number}", f"s{number}")

    assert named_spaces([(space(1), "Sales"), (space(2), "Sales"), (space(3), None)]) == (
        "`Sales`@`w1`, `Sales`@`w2`, `s3`"
    )
    assert named_spaces([(space(number), f"t{number}") for number in range(6)]).endswith("`t4` and others")
