"""Questions: values apart from the statement, long lists in files, answers that are what was asked for."""

import traceback
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from genie_assets.domain.questions import Equals, Exists, Filter, In, Newest, Not, Rows
from genie_assets.domain.tables import GENIE_API_MESSAGES
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.lakehouse.results import MergeResult
from genie_assets.gateways.lakehouse.unity.conditions import LONGEST_LISTS
from genie_assets.gateways.lakehouse.unity.lakehouse import UnityLakehouse
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.sql.values import frame
from genie_assets_tests.gateways.lakehouse.examples import (
    HOSTILE_TEXTS,
    MONDAY,
    NOON,
    NOTES,
    authors,
    note,
)
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.places import opened, staged_files
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer


@pytest.mark.parametrize("column_of", [{"name": "author", "type_name": "INT"}, {"name": "other"}])
def test_a_result_that_is_not_what_was_asked_for_is_refused_without_its_values(
    unity_server: UnityServer, place: Place, column_of: dict[str, str]
) -> None:
    class Wrong(Recording):
        def batches(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
            yield frame([column_of], [["4711"]])

    lake = opened(unity_server, Wrong(unity_server.warehouse()), place)
    lake.append(NOTES, NOTES.frame([note("a")]))
    with pytest.raises(LakehouseError, match=r"notes: .*author") as caught:
        lake.read(NOTES, columns=["author"])
    assert "4711" not in "".join(traceback.format_exception(caught.value))


def test_values_travel_apart_from_the_statement(lake: Lakehouse, warehouse: Recording) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    warehouse.statements.clear()
    marked = [f"{text}MARK" for text in HOSTILE_TEXTS]
    conditions: list[Filter] = [
        Equals("author", marked[1]),
        In("text", marked),
        Not([Exists(Rows(NOTES, [In("author", marked[:3])]), ["author"])]),
    ]
    lake.read(NOTES, where=conditions, newest=Newest(["author"], ["number"]))
    lake.count(NOTES, by=["author"], flags={"marked": conditions[1]}, where=conditions)
    assert len(warehouse.statements) == 2
    assert "MARK" not in "".join(warehouse.statements)
    assert str(warehouse.parameters).count("MARK") > 50


def test_a_write_looks_only_where_its_keys_can_be(lake: Lakehouse, warehouse: Recording) -> None:
    """In a day of a million messages a batch of a hundred must not be compared with all of them."""
    lake.append(NOTES, NOTES.frame([note("a"), note("z")]))
    lake.merge(
        NOTES, NOTES.frame([note(HOSTILE_TEXTS[0]), note("c", text="new")]), delete=NOTES.frame([note("a")])
    )
    ranges = [given for given in warehouse.parameters if given]
    ends = sorted(["a", "c", HOSTILE_TEXTS[0]])
    assert ranges == [{"low": "a", "high": "z"}, *[{"low": ends[0], "high": ends[-1]}] * 2]
    writes = [text for text in warehouse.statements if "MERGE INTO" in text]
    assert all("t.`day` = DATE '2026-03-02' AND t.`author` BETWEEN :low AND :high" in text for text in writes)
    assert authors(lake.read(NOTES)) == sorted([HOSTILE_TEXTS[0], "c", "z"])


@pytest.mark.parametrize("longest", [0, 2_000, LONGEST_LISTS])
def test_a_list_that_is_too_long_for_a_request_travels_in_a_file(
    unity_server: UnityServer, place: Place, longest: int
) -> None:
    lake = UnityLakehouse(place, lambda: (unity_server.warehouse(), unity_server.volumes()), longest_lists=longest)
    moments = [NOON + timedelta(microseconds=number) for number in range(40)]
    rows = [note(f"a{number}", number, read_at=moment) for number, moment in enumerate(moments)]
    lake.append(NOTES, NOTES.frame(rows))
    few = {
        "author": [*HOSTILE_TEXTS, "a3", "a39"],
        "number": [3, 39, 2**62, *range(-40, -1)],
        "read_at": [moments[3], moments[39], *(NOON - timedelta(microseconds=n) for n in range(1, 40))],
    }
    for name, values in few.items():
        assert sorted(lake.read(NOTES, where=[In(name, values)])["number"]) == [3, 39]
        flagged = lake.count(NOTES, flags={"met": Not([In(name, values), In("author", few["author"])])})
        assert sorted((row["met"], row["count"]) for row in flagged) == [(False, 2), (True, 38)]
    assert staged_files(unity_server, place) == []


def test_rows_with_documents_come_through_links_and_others_inline(lake: Lakehouse, warehouse: Recording) -> None:
    """A result that turns out to be too big to come inline costs a second run of its statement."""
    row = {"workspace_id": "w", "space_id": "s", "conversation_id": "c", "message_id": "m", "content_hash": "h"}
    documents = GENIE_API_MESSAGES.frame([{**row, "created_date": MONDAY, "raw_json": '{"a": "it\'s"}'}])
    lake.append(GENIE_API_MESSAGES, documents)
    assert lake.read(GENIE_API_MESSAGES)["raw_json"].tolist() == ['{"a": "it\'s"}']
    assert lake.read(GENIE_API_MESSAGES, columns=["message_id"])["message_id"].tolist() == ["m"]
    assert warehouse.by_links == [True, False]


@pytest.mark.parametrize(
    "uri",
    ["uc://", "uc://main", "uc://main.", "uc://.genie", "uc://main.a.b", "uc://ma in.genie", "uc://main/x.genie"],
)
def test_a_place_must_be_a_catalog_and_a_schema(uri: str) -> None:
    with pytest.raises(LakehouseError, match=r"^GENIE_LAKEHOUSE: .*uc://catalog\.schema"):
        open_lakehouse(uri, databricks=lambda: pytest.fail("nothing is asked for"))


def test_names_that_need_quotes_are_quoted(unity_server: UnityServer) -> None:
    lake = unity_server.lake("uc://main.it's-a`schema\\;%2F")
    lake.append(NOTES, NOTES.frame([note("a", text="x")]))
    assert lake.merge(NOTES, NOTES.frame([note("a", text="y")])) == MergeResult(updated=1)
    assert lake.read(NOTES)["text"].tolist() == ["y"]
