"""Which spaces are known before any is asked for, and where they are."""

from typing import Any

import pytest

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.known_spaces import known_of_spaces
from genie_assets.domain.names import new_of_workspaces

RUNS = {"workspace_name": "Prod", "workspace_url": "https://now.example.com", "status": "RUNNING"}
BANNED = {**RUNS, "status": "BANNED"}


def reference(workspace_id: str, space_id: str | None = "s1", **fields: Any) -> dict[str, Any]:
    told = {"workspace_name": None, "workspace_url": "https://then.example.com"}
    return {"workspace_id": workspace_id, "space_id": space_id, **told, **fields}


@pytest.mark.parametrize(
    ("workspaces", "url"),
    [
        ({"w1": RUNS}, "https://now.example.com"),
        ({"w1": BANNED}, "https://now.example.com"),
        ({"w1": {**RUNS, "workspace_url": None}}, "https://last.example.com"),
        ({}, "https://last.example.com"),
    ],
)
def test_the_account_knows_an_address_best_and_else_the_latest_message(
    workspaces: dict[str, dict[str, Any]], url: str
) -> None:
    references = [reference("w1"), reference("w1", "s2", workspace_url="https://last.example.com")]
    known = known_of_spaces(references, [], workspaces, ())
    assert known.urls == {"w1": url}
    assert known.spaces == {SpaceKey("w1", "s1"), SpaceKey("w1", "s2")}


def test_every_workspace_that_runs_is_asked_and_of_others_only_those_of_which_something_is_known() -> None:
    looked_at = [{"workspace_id": "w3", "space_id": "s3"}]
    known = known_of_spaces([reference("w2", None)], looked_at, {"w1": RUNS, "w2": BANNED, "w4": BANNED}, ())
    assert known.urls.keys() == {"w1", "w2", "w3"}
    assert known.spaces == {SpaceKey("w3", "s3")}


def test_what_is_not_looked_at_is_no_space_and_the_account_is_no_workspace() -> None:
    rows = [reference("w1"), reference("w2"), reference("0")]
    assert known_of_spaces(rows, rows, {}, ("w1",)).spaces == {SpaceKey("w1", "s1")}
    assert known_of_spaces(rows, rows, {"0": RUNS}, ()).urls.keys() == {"w1", "w2"}


def test_only_names_that_were_unknown_are_new() -> None:
    rows = [reference("w1"), reference("w2", workspace_name="Old"), reference("w3"), reference("w4")]
    workspaces = {"w1": RUNS, "w2": RUNS, "w3": {**RUNS, "workspace_name": None}, "w4": RUNS}
    assert new_of_workspaces("workspace_name", rows, workspaces, ("w1", "w2", "w3")) == {"w1": "Prod"}
