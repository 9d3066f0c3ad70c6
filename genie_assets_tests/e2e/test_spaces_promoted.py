"""Spaces promoted from one workspace of a sandbox to another, and what they need there."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from genie_assets_tests.e2e.desk import BAD, DESK, GOOD, Desk, body, promote
from genie_assets_tests.sandbox.accounts import FIRST, SALES, SECOND


def test_a_space_is_promoted_and_promoted_again(desk: Desk) -> None:
    shown = promote(desk)
    assert "Note: dev.shop.orders becomes prod.shop.orders." in shown.output
    assert "It needs these tables and functions" in shown.output
    assert "APPLIED" in desk.apply().output
    (made,) = desk.titled("Refund desk", SECOND)
    text = desk.read(made, SECOND)["serialized_space"]
    assert ("dev.shop" in text, text.count("prod.shop")) == (False, 2)
    assert "nothing to do" in promote(desk).output
    desk.change(serialized_space=json.dumps(GOOD))
    desk.back_up()
    assert "SELECT 1 FROM prod.shop.orders" in promote(desk).output
    assert "APPLIED" in desk.apply().output
    assert desk.titled("Refund desk", SECOND) == [made]
    assert desk.notes() == [("promote", "APPLIED"), ("promote", "APPLIED")]


def needed(shown: Result) -> list[str]:
    """The lines that tell what was looked up."""
    lines = shown.output.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Looked up in "))
    return lines[first : lines.index("", first)] if "" in lines[first:] else lines[first:]


def test_what_a_plan_needs_is_looked_up_in_the_workspace_it_is_for(desk: Desk) -> None:
    first = promote(desk)
    assert needed(first) == [
        "Looked up in 2222 with this login:",
        "  there: 1 table, 1 warehouse",
        "  NOT FOUND: table prod.shop.stores (not there, or not for this login to see)",
    ]
    assert max(map(len, first.output.splitlines())) <= 80
    applied = desk.apply()
    assert "  NOT FOUND: table prod.shop.stores" in applied.output, "and again by who applies it"
    assert "APPLIED" in applied.output


NEEDY: dict[str, Any] = {
    "version": 2,
    "data_sources": {
        "tables": [
            {"identifier": f"dev.shop.{name}"} for name in ("\x1b[2J", "orders", "secrets", "seen", "x/y?z")
        ]
        + [{"identifier": "hive_metastore.a.b"}, {"identifier": "short"}],
        "volumes": [{"identifier": "dev.shop.files"}],
    },
    "instructions": {"sql_functions": [{"id": "c1", "identifier": "dev.tools.f"}]},
}
SEEN = """\
Looked up in 2222 with this login:
  there: 1 function, 1 table
  NOT FOUND: table prod.shop.x/y?z (not there, or not for this login to see)
  NOT FOUND: warehouse ours (not there, or not for this login to see)
  NOT KNOWN: other thing prod.shop.files (this version does not know where such
    things are asked for)
  NOT KNOWN: table hive_metastore.a.b (it is not in Unity Catalog)
  NOT KNOWN: table prod.shop.\\x1b[2J (its name cannot be used in an address)
  NOT KNOWN: table prod.shop.secrets (this login may not look at it)
  NOT KNOWN: table prod.shop.seen (this login may not look at it)
  NOT KNOWN: table short (its name is not of the form catalog.schema.name)"""


def test_what_is_missing_forbidden_or_never_asked_for_is_told_apart(desk: Desk) -> None:
    desk.change(serialized_space=json.dumps(NEEDY))
    desk.back_up()
    places = ("--from", FIRST, "--to", SECOND, "--map", "dev=prod")
    assert "\n".join(needed(desk.spaces("promote", DESK, *places, "--warehouse", "ours"))) == SEEN
    gone = needed(desk.spaces("promote", DESK, *places, "--warehouse", "old"))
    assert "  NOT FOUND: warehouse old (it is deleted)" in gone


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "status", "status": 503, "error_code": "TEMPORARILY_UNAVAILABLE"},
        {"effect": "status", "status": 404, "error_code": "ENDPOINT_NOT_FOUND"},
        {"effect": "status", "status": 429, "error_code": "REQUEST_LIMIT_EXCEEDED"},
        {"effect": "non_json"},
        {"effect": "drop"},
    ],
)
def test_an_api_that_is_down_is_no_sign_that_things_are_there_or_missing(
    desk: Desk, fault: dict[str, Any]
) -> None:
    quiet = promote(desk)
    assert quiet.exit_code == 0
    text = Path("plan.json").read_bytes()
    for route in ("tables", "functions", "warehouses"):
        desk.sandbox.faults(fault | {"route": route})
    lines = needed(promote(desk))
    assert [line.split(" (")[0] for line in lines if line.startswith("  N")] == [
        "  NOT KNOWN: table prod.shop.orders",
        "  NOT KNOWN: table prod.shop.stores",
        "  NOT KNOWN: warehouse wh",
    ]
    assert not any("there:" in line for line in lines)
    assert Path("plan.json").read_bytes() == text, "what was found is no part of the plan"


def test_a_space_of_that_title_that_came_meanwhile_is_left_alone(desk: Desk) -> None:
    promote(desk)
    theirs = desk.send(SECOND, "/api/2.0/genie/spaces", body(BAD, parent_path="/Workspace/Shared/genie"), "POST")
    refused = desk.apply()
    assert (
        refused.exit_code,
        f"{theirs['space_id']} in that folder has the same title now" in refused.output,
    ) == (1, True)
    assert desk.titled("Refund desk", SECOND) == [theirs["space_id"]]


def test_a_name_that_is_taken_in_the_trash_is_refused_in_databricks_words(desk: Desk) -> None:
    promote(desk)
    fault = {
        "status": 409,
        "error_code": "ALREADY_EXISTS",
        "message": "It is in the trash.",
        "route": "create_space",
    }
    desk.sandbox.faults({"effect": "status"} | fault)
    refused = desk.apply()
    assert (refused.exit_code, "REFUSED: Databricks refused it: 409 ALREADY_EXISTS" in refused.output) == (1, True)


def test_two_spaces_of_one_title_are_told_apart(desk: Desk) -> None:
    ids = [desk.send(SECOND, "/api/2.0/genie/spaces", body(BAD), "POST")["space_id"] for _ in range(2)]
    result = promote(desk)
    assert f"may mean {', '.join(sorted(ids))} in {SECOND}: choose one with --into ID." in result.output
    shown = desk.spaces(
        "promote", DESK, "--to", SECOND, "--into", ids[0], "--map", "dev=prod", "--plan", "plan.json"
    )
    assert f"{ids[0][:20]}" in shown.output
    assert "APPLIED" in desk.apply().output
    assert "prod.shop" in desk.read(ids[0], SECOND)["serialized_space"]
    assert "prod.shop" not in desk.read(ids[1], SECOND)["serialized_space"]


def test_a_space_that_nobody_backed_up_cannot_be_promoted(desk: Desk) -> None:
    assert f"There is no space {SALES}" in desk.spaces("promote", SALES, "--to", SECOND).output
