"""Which space a name means, and which version a time."""

import datetime as dt
from typing import Any

import pytest

from genie_assets.domain.inventory import (
    SpaceNameError,
    Standing,
    failing_since,
    meant,
    moment,
    split_version,
    standing,
    version_of,
)

ROWS = [
    {"workspace_id": "1", "space_id": "a1", "title": "Sales"},
    {"workspace_id": "2", "space_id": "b1", "title": "Sales"},
    {"workspace_id": "2", "space_id": "c1", "title": "Help @ 2"},
    {"workspace_id": "2", "space_id": "Sales2", "title": None},
    {"workspace_id": "1", "space_id": "twice", "title": "x"},
    {"workspace_id": "2", "space_id": "twice", "title": "sales2"},
]
WORKSPACES = {"1": "dev", "2": "prod"}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a1", ("1", "a1")),
        ("Sales@1", ("1", "a1")),
        ("Sales@prod", ("2", "b1")),
        ("sales@dev", ("1", "a1")),
        ("Help @ 2", ("2", "c1")),
        ("Help @ 2@prod", ("2", "c1")),
        ("Sales2", ("2", "Sales2")),
        ("twice@2", ("2", "twice")),
    ],
)
def test_a_space_is_named_by_id_or_title_with_its_workspace_where_need_be(
    name: str, place: tuple[str, str]
) -> None:
    row = meant(name, ROWS, WORKSPACES)
    assert (row["workspace_id"], row["space_id"]) == place


def test_an_ambiguous_name_lists_the_candidates() -> None:
    with pytest.raises(SpaceNameError, match=r"a1@1 \(Sales\), b1@2 \(Sales\): give one of these"):
        meant("Sales", ROWS, WORKSPACES)
    with pytest.raises(SpaceNameError, match=r"twice@1 \(x\), twice@2"):
        meant("twice", ROWS, WORKSPACES)


@pytest.mark.parametrize("name", ["", "@", "nothing", "Sales@3", "Sales@"])
def test_a_name_that_means_nothing_says_so(name: str) -> None:
    with pytest.raises(SpaceNameError, match="There is no space"):
        meant(name, ROWS, WORKSPACES)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("Sales:v3", ("Sales", "v3")),
        ("Sales@1:2026-03-02T12:00", ("Sales@1", "2026-03-02T12:00")),
        ("a:b:2026-03-02", ("a:b", "2026-03-02")),
        ("Sales:version", ("Sales:version", None)),
        (":v3", (":v3", None)),
    ],
)
def test_a_version_stands_behind_the_name(reference: str, parts: tuple[str, str | None]) -> None:
    assert split_version(reference) == parts


def test_a_time_means_the_version_that_was_in_force() -> None:
    def at(day: int) -> dt.datetime:
        return dt.datetime(2026, 3, day, 12, tzinfo=dt.UTC)

    versions: list[dict[str, Any]] = [{"valid_from": at(2)}, {"valid_from": at(4)}]
    wanted = {"v1": 0, "v2": 1, "2026-03-02": 0, "2026-03-04": 1, "2026-03-04T11:59": 0, "2026-03-04T12:00Z": 1}
    assert {each: versions.index(version_of(versions, each, "S")) for each in wanted} == wanted
    for none in ("v0", "v3", "2026-03-01", "2026-03-02T11:59"):
        with pytest.raises(
            SpaceNameError, match=r"^S (has versions v1 to v2|is known since 2026-03-02 12:00 UTC)"
        ):
            version_of(versions, none, "S")
    with pytest.raises(SpaceNameError, match="was never read"):
        version_of([], "v1", "S")
    with pytest.raises(SpaceNameError, match="yesterday is no time"):
        moment("yesterday")


@pytest.mark.parametrize(
    ("trashed", "config_hash", "status", "expected"),
    [
        (False, "h", "SUCCESS", Standing.BACKED_UP),
        (False, "h", "PERMISSION", Standing.BEHIND),
        (True, "h", "NOT_FOUND", Standing.GONE),
        (None, None, "NOT_FOUND", Standing.NEVER),
        (False, None, "SUCCESS", Standing.NEVER),
    ],
)
def test_a_space_is_backed_up_behind_gone_or_never_read(
    trashed: bool | None, config_hash: str | None, status: str, expected: Standing
) -> None:
    assert standing({"is_trashed": trashed, "config_hash": config_hash, "api_fetch_status": status}) is expected


@pytest.mark.parametrize(
    ("cells", "first_error", "since"),
    [
        ({"last_seen_timestamp": 1}, None, None),
        ({"last_seen_timestamp": 4}, None, 4),
        ({"last_seen_timestamp": 1, "api_fetch_status": "PERMISSION"}, 2, None),
        ({"last_seen_timestamp": 1, "api_fetch_status": "PERMISSION"}, 5, 5),
        ({"config_hash": None, "api_fetch_status": "PERMISSION"}, None, 9),
        ({"last_seen_timestamp": 8, "api_fetch_status": "NOT_RUNNING"}, 8, None),
        ({"is_trashed": True, "last_seen_timestamp": 8, "api_fetch_status": "NOT_FOUND"}, 8, None),
    ],
)
def test_a_space_may_go_three_days_without_a_backup(
    cells: dict[str, Any], first_error: int | None, since: int | None
) -> None:
    now = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)

    def ago(days: int | None) -> dt.datetime | None:
        return None if days is None else now - dt.timedelta(days=days)

    row: dict[str, Any] = {
        "is_trashed": False,
        "config_hash": "h",
        "api_fetch_status": "SUCCESS",
        "first_seen_timestamp": 9,
    }
    row |= {"last_seen_timestamp": None} | cells
    row |= {name: ago(row[name]) for name in ("first_seen_timestamp", "last_seen_timestamp")}
    assert failing_since(row, ago(first_error), now) == ago(since)
