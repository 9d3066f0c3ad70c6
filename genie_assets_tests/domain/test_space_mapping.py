"""A configuration for another workspace."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from genie_assets.domain.configurations import said
from genie_assets.domain.space_mapping import mapped, references
from genie_assets_tests.domain.configurations import texts


def config(**parts: Any) -> str:
    return json.dumps({"version": 2} | parts)


ONE = config(
    data_sources={"tables": [{"identifier": "dev.sales.a"}, {"identifier": "dev.sales.b"}]},
    instructions={
        "example_question_sqls": [
            {
                "id": "1",
                "sql": [
                    "SELECT a.x, dev.sales.a.y FROM dev.sales.a JOIN `dev`.`sales`.`b` ON dev.x = 1",
                    "-- dev.sales.ab and xdev.sales.a stay; dev.other.c is left",
                ],
            }
        ],
        "sql_functions": [{"id": "2", "identifier": "dev.tools.f"}],
    },
)


def test_declared_names_are_renamed_wherever_they_stand_whole() -> None:
    made = mapped(ONE, {"dev": "prod", "dev.sales.b": "shared.core.b"})
    value = json.loads(made.text)
    assert [each["identifier"] for each in value["data_sources"]["tables"]] == ["prod.sales.a", "shared.core.b"]
    assert value["instructions"]["sql_functions"][0]["identifier"] == "prod.tools.f"
    assert value["instructions"]["example_question_sqls"][0]["sql"] == [
        "SELECT a.x, prod.sales.a.y FROM prod.sales.a JOIN `shared`.`core`.`b` ON dev.x = 1",
        "-- dev.sales.ab and xdev.sales.a stay; dev.other.c is left",
    ]
    assert made.left_over == ("dev.other.c", "dev.sales.ab")
    assert made.renamed == {
        "dev.sales.a": "prod.sales.a",
        "dev.sales.b": "shared.core.b",
        "dev.tools.f": "prod.tools.f",
    }


def test_the_lists_are_sorted_again_as_the_api_demands() -> None:
    made = mapped(ONE, {"dev.sales.a": "z.s.a"})
    assert [each["identifier"] for each in json.loads(made.text)["data_sources"]["tables"]] == [
        "dev.sales.b",
        "z.s.a",
    ]
    assert references(made.text) == ["dev.sales.b", "dev.tools.f", "z.s.a"]


@settings(max_examples=40)
@given(texts)
def test_a_mapping_of_nothing_says_the_same(text: str) -> None:
    made = mapped(text, {})
    assert said(made.text) == said(text)
    assert (made.renamed, made.left_over) == ({}, ())
    assert mapped(made.text, {}).text == made.text


@pytest.mark.parametrize("text", [ONE, '{ "version" :2}', '{"version":2,"a":[{"id":"1"},{"id":"2"}]}'])
def test_what_is_in_order_stays_to_the_byte(text: str) -> None:
    assert mapped(text, {"nothing": "else"}).text == text


def test_what_cannot_be_kept_is_not_mapped() -> None:
    for text in ("nothing", "[" * 100_000, '{"a": 1e400}'):
        with pytest.raises(ValueError, match=r"Expecting|recursion|1e400"):
            mapped(text, {})
