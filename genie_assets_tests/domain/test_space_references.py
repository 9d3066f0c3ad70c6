"""What a space needs, and what is known of it: silence is never health."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.space_references import (
    Needed,
    Reference,
    Standing,
    finding,
    is_hopeless,
    not_to_be_looked_up,
    references_of,
)
from genie_assets_tests.domain.configurations import texts

TABLE = Reference(Needed.TABLE, "`Main`.sales.orders")
WAREHOUSE = Reference(Needed.WAREHOUSE, "wh")


def state(**parts: Any) -> dict[str, Any]:
    return {"serialized_space": json.dumps({"version": 2} | parts), "warehouse_id": "wh"}


def test_each_thing_is_needed_once_and_by_its_kind() -> None:
    found = references_of(
        state(
            data_sources={
                "tables": [{"identifier": "a.b.t"}],
                "metric_views": [{"identifier": "a.b.m"}],
                "mcp_connections": [{"identifier": "a.b.t"}, {"identifier": "link"}],
            },
            instructions={
                "sql_functions": [{"id": "1", "identifier": "a.b.f"}],
                "join_specs": [{"left": {"identifier": "a.b.t"}, "right": {"identifier": "a.b.r"}}],
            },
        )
    )
    assert found == [
        Reference(Needed.FUNCTION, "a.b.f"),
        Reference(Needed.OTHER, "link"),
        *(Reference(Needed.TABLE, f"a.b.{name}") for name in "mrt"),
        WAREHOUSE,
    ]
    assert not_to_be_looked_up(found[1]) is not None


@pytest.mark.parametrize("text", ["nothing", "[" * 100_000, '{"a": 1e400}'])
def test_a_configuration_that_cannot_be_read_is_not_taken_for_one_that_needs_nothing(text: str) -> None:
    (one,) = references_of({"serialized_space": text})
    told = not_to_be_looked_up(one)
    assert told is not None
    assert (told.standing, "cannot be read" in told.why) == (Standing.UNKNOWN, True)
    assert references_of({}) == []


@settings(max_examples=25)
@given(texts)
def test_whatever_a_configuration_says_something_is_known_of_all_it_names(text: str) -> None:
    for each in references_of({"serialized_space": text}):
        told = not_to_be_looked_up(each) or finding(each, {})
        assert (told.reference, told.standing, told.why != "") == (each, Standing.UNKNOWN, True)


@pytest.mark.parametrize(
    ("reference", "answer", "standing"),
    [
        (TABLE, {"full_name": "main.sales.orders"}, Standing.THERE),
        (TABLE, {"full_name": "main.sales.orders", "browse_only": True}, Standing.UNKNOWN),
        (TABLE, {"full_name": "main.sales.stores"}, Standing.UNKNOWN),
        (TABLE, {"id": "main.sales.orders"}, Standing.UNKNOWN),
        (TABLE, {}, Standing.UNKNOWN),
        (WAREHOUSE, {"id": "wh", "state": "STOPPED"}, Standing.THERE),
        (WAREHOUSE, {"id": "wh", "state": "A_NEW_ONE"}, Standing.THERE),
        (WAREHOUSE, {"id": "wh", "state": "DELETING"}, Standing.NOT_FOUND),
        (WAREHOUSE, {"id": 1}, Standing.UNKNOWN),
    ],
)
def test_only_an_answer_that_names_the_thing_says_that_it_is_there(
    reference: Reference, answer: dict[str, Any], standing: Standing
) -> None:
    assert finding(reference, answer).standing is standing


@pytest.mark.parametrize("error_class", ErrorClass)
def test_only_a_404_of_the_thing_says_that_it_was_not_found(error_class: ErrorClass) -> None:
    told = finding(TABLE, FetchError(error_class, "why"))
    assert told.standing is (Standing.NOT_FOUND if error_class is ErrorClass.NOT_FOUND else Standing.UNKNOWN)


def test_a_workspace_that_fails_is_left_alone_but_not_for_single_refusals() -> None:
    refused = FetchError(ErrorClass.PERMISSION, "403", http_status=403)
    failed = FetchError(ErrorClass.SERVER, "503", http_status=503)
    assert not is_hopeless([refused] * 100)
    assert not is_hopeless([failed] * 4)
    assert is_hopeless([failed] * 5)
    for error_class in (ErrorClass.NETWORK, ErrorClass.AUTH, ErrorClass.CONFIG, ErrorClass.RATE_LIMITED):
        assert is_hopeless([FetchError(error_class, "why")])
