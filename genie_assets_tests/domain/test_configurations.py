"""What configurations say, whatever the order and spelling in which they came."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.configurations import config_hash, kept_text, said, section_hashes, section_of, sections
from genie_assets_tests.domain.configurations import configurations, shuffled, texts, written


@settings(max_examples=40)
@given(configurations, st.integers(0, 3), st.randoms(use_true_random=False))
def test_order_of_named_objects_empties_and_spelling_say_nothing(
    value: Any, spelling: int, chance: random.Random
) -> None:
    one, other = written(value), written(shuffled(value, chance), spelling)
    assert config_hash(one) == config_hash(other)
    assert section_hashes(one) == section_hashes(other)


@settings(max_examples=40)
@given(texts)
def test_what_a_table_keeps_says_the_same(text: str) -> None:
    kept, is_escaped = kept_text(text)
    assert kept.encode()
    assert is_escaped == (kept != text)
    assert said(kept) == said(text)
    assert config_hash(kept) == config_hash(text)


@settings(max_examples=40)
@given(texts)
def test_the_sections_together_are_the_whole(text: str) -> None:
    value: Any = {}
    for parts in sections(said(text)).values():
        for keys, part in parts:
            place = value
            for key in keys[:-1]:
                place = place.setdefault(key, {})
            if keys:
                place[keys[-1]] = part
    assert value == said(text)


def test_a_change_of_one_section_leaves_the_hashes_of_the_others() -> None:
    one = {
        "config": {"sample_questions": [{"id": "1", "question": ["a"]}]},
        "benchmarks": {"questions": [{"id": "1", "question": ["a"]}]},
        "version": 2,
    }
    other = one | {"benchmarks": {"questions": [{"id": "1", "question": ["b"]}]}}
    before, after = (section_hashes(json.dumps(each)) for each in (one, other))
    assert set(before) == set(after) == {"sample_questions", "benchmarks", "other"}
    assert {name for name in before if before[name] != after[name]} == {"benchmarks"}


@pytest.mark.parametrize(
    ("keys", "section"),
    [
        (["data_sources", "tables", "column_configs"], "tables"),
        (["data_sources", "something"], "tables"),
        (["tables", "benchmarks"], "tables"),
        (["instructions", "sql_snippets", "filters"], "snippets"),
        (["instructions", "something", "tables"], "instructions"),
        (["config", "something"], "other"),
        (["something", "tables"], "other"),
        ([], "other"),
    ],
)
def test_every_part_belongs_to_one_section(keys: list[str], section: str) -> None:
    assert section_of(keys) == section


def test_the_hash_is_that_of_what_is_said() -> None:
    assert config_hash("{}") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert config_hash('{"a": []}') == config_hash("{}")


@pytest.mark.parametrize(
    "odd",
    [
        "not json {",
        "[" * 100_000,
        '{"b": 1e400, "a": 1}',
        '{"b": -1e400, "a": 1}',
        '{"b": NaN, "a": 1}',
        '{"b": 0.1234567890123456789, "a": 1}',
        '{"b": 1e-99999999999999999999, "a": 1}',
        '{"b": ' + "9" * 5_000 + ', "a": 1}',
        '{"b": 1, "a": 1, "b": 2}',
    ],
)
def test_what_cannot_be_read_without_loss_says_its_text(odd: str) -> None:
    """`1e400` became `Infinity`, which nothing can restore; digits and doubled keys were lost without a word."""
    assert said(odd) == odd
    assert config_hash(odd) != config_hash(odd + " ")
    assert section_hashes(odd).keys() == {"other"}


def test_a_text_that_is_no_json_is_not_the_json_of_that_text() -> None:
    assert config_hash("a b") != config_hash('"a b"')


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"sql": ["SELECT 1", "FROM t"]}, {"sql": ["FROM t", "SELECT 1"]}),
        ({"content": ["a", "", "b"]}, {"content": ["a", "b"]}),
        ({"question": ["a", "b"]}, {"question": ["b", "a"]}),
        ({"parameters": [{"name": "a"}, {"name": "b"}]}, {"parameters": [{"name": "b"}, {"name": "a"}]}),
        ({"tables": [{"id": "1"}, "x"]}, {"tables": ["x", {"id": "1"}]}),
        ({"exclude": False}, {}),
        ({"limit": 0}, {}),
        ({"limit": 1}, {"limit": True}),
    ],
)
def test_lines_of_text_and_what_has_no_name_keep_their_order(one: Any, other: Any) -> None:
    assert config_hash(json.dumps(one)) != config_hash(json.dumps(other))
