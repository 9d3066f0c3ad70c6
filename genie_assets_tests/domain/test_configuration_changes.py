"""What two configurations differ in."""

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.configuration_changes import (
    Kind,
    applied,
    changed_sections,
    changes,
    label_of,
    space_changes,
)
from genie_assets.domain.configurations import as_json, said
from genie_assets_tests.domain.configurations import configurations, shuffled, texts, written


@settings(max_examples=40)
@given(configurations, st.randoms(use_true_random=False))
def test_a_configuration_does_not_differ_from_itself(value: Any, chance: random.Random) -> None:
    assert changes(said(written(value)), said(written(shuffled(value, chance), 1))) == ()


@settings(max_examples=60)
@given(texts, texts)
def test_the_changes_lead_from_one_to_the_other(one: str, other: str) -> None:
    before, after = said(one), said(other)
    found = changes(before, after)
    assert as_json(applied(found, before)) == as_json(after)
    assert bool(found) == (as_json(before) != as_json(after))
    for change in found:
        assert as_json(change.before) != as_json(change.after)
        if change.kind is Kind.MOVED:
            assert sorted(map(as_json, change.before)) == sorted(map(as_json, change.after))


def _space(configuration: Any, **fields: Any) -> dict[str, Any]:
    return {"title": "Sales", "serialized_space": json.dumps(configuration)} | fields


ONE = {
    "version": 2,
    "data_sources": {
        "tables": [
            {"identifier": "c.s.a", "column_configs": [{"column_name": "x"}, {"column_name": "y"}]},
            {"identifier": "c.s.b"},
        ]
    },
    "instructions": {
        "text_instructions": [{"id": "1", "content": ["first", "second"]}],
        "join_specs": [{"id": "2", "left": {"identifier": "c.s.a"}, "right": {"identifier": "c.s.b"}}],
    },
}
OTHER = {
    "version": 2,
    "data_sources": {
        "tables": [
            {"identifier": "c.s.c"},
            {
                "identifier": "c.s.a",
                "column_configs": [{"column_name": "y", "exclude": True}, {"column_name": "x"}],
            },
        ]
    },
    "instructions": {"text_instructions": [{"id": "1", "content": ["second", "first"]}]},
    "benchmarks": {"questions": [{"id": "9", "question": ["How", "many?"]}]},
}


def test_every_change_says_of_what_section_and_part_it_is() -> None:
    found = space_changes(_space(ONE), _space(OTHER, title="Sales 2"))
    shown = [
        (change.section, change.kind, [step if isinstance(step, str) else step.label for step in change.path][-2:])
        for change in found
    ]
    assert shown == [
        ("title", "changed", ["space", "title"]),
        ("instructions", "moved", ["1", "content"]),
        ("tables", "added", ["y", "exclude"]),
        ("tables", "removed", ["tables", "c.s.b"]),
        ("tables", "added", ["tables", "c.s.c"]),
        ("joins", "removed", ["instructions", "join_specs"]),
        ("benchmarks", "added", ["benchmarks"]),
    ]
    assert changed_sections(_space(ONE), _space(OTHER)) == ["instructions", "tables", "joins", "benchmarks"]


def test_people_know_objects_by_what_they_say() -> None:
    assert label_of({"id": "1", "question": ["How", "many?"]}) == "How many?"
    assert label_of({"id": "1", "left": {"identifier": "a"}, "right": {"identifier": "b"}}) == "a with b"
    assert label_of({"id": "1", "left": {"identifier": 5}, "right": "b"}) == "1"
    assert label_of({"id": 5}) == ""
