"""Which space is meant where one is brought to, and what is wanted of it."""

from typing import Any

import pytest

from genie_assets.domain.space_plans import PlanError
from genie_assets.domain.space_transfers import (
    Destination,
    for_writing,
    meant_space,
    wanted_of_a_new_one,
    wanted_of_an_old_one,
)

SOURCE: dict[str, Any] = {
    "workspace_id": "dev",
    "space_id": "s1",
    "title": "Desk",
    "description": None,
    "warehouse_id": "of dev",
    "serialized_space": "{}",
}
LISTED = [
    {"space_id": "s1", "title": "Desk, renamed"},
    {"space_id": "s2", "title": "Desk"},
    {"space_id": "s3", "title": "Twin"},
    {"space_id": "s4", "title": "Twin"},
]


@pytest.mark.parametrize(
    ("to", "meant"),
    [
        (Destination("prod"), "s2"),
        (Destination("dev"), "s1"),  # itself, whatever it is called now
        (Destination("prod", into="s3"), "s3"),
        (Destination("prod", into="Desk"), "s2"),
        (Destination("dev", into="s2"), "s2"),
    ],
)
def test_which_space_is_meant(to: Destination, meant: str) -> None:
    assert meant_space(SOURCE, to, LISTED) == meant


def test_a_new_one_is_made_if_none_is_meant_and_several_are_refused() -> None:
    assert meant_space({**SOURCE, "title": "Other"}, Destination("prod"), LISTED) is None
    with pytest.raises(PlanError, match="Twin may mean s3, s4 in prod: choose one with --into ID"):
        meant_space({**SOURCE, "title": "Twin"}, Destination("prod"), LISTED)
    with pytest.raises(PlanError, match="Workspace prod shows no space s9"):
        meant_space(SOURCE, Destination("prod", into="s9"), LISTED)


@pytest.mark.parametrize(
    ("to", "warehouse_id"),
    [
        (Destination("prod"), None),  # that of the source is in another workspace
        (Destination("dev"), "of dev"),
        (Destination("prod", warehouse_id="of prod"), "of prod"),
        (Destination("dev", warehouse_id="another"), "another"),
    ],
)
def test_a_warehouse_does_not_go_along(to: Destination, warehouse_id: str | None) -> None:
    assert wanted_of_a_new_one(SOURCE, to, "{}")["warehouse_id"] == warehouse_id


def test_a_space_that_was_named_keeps_its_title_and_its_warehouse() -> None:
    old = wanted_of_an_old_one(SOURCE, Destination("prod", into="s3"), "{}")
    assert old == {"description": None, "serialized_space": "{}"}
    assert wanted_of_an_old_one(SOURCE, Destination("prod"), "{}")["title"] == "Desk"


def test_what_was_never_read_cannot_be_written() -> None:
    with pytest.raises(PlanError, match="never read"):
        for_writing({**SOURCE, "serialized_space": None}, {})
    with pytest.raises(PlanError, match="no name in it can be mapped"):
        for_writing({**SOURCE, "serialized_space": "no json"}, {"a": "b"})
    assert for_writing({**SOURCE, "serialized_space": "no json"}, {}) == ("no json", [])
