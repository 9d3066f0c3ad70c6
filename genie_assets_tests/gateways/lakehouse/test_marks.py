"""A made-up account and a real one are never mixed, in whichever order they come, in files or in Unity Catalog."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pytest
from deltalake import DeltaTable

from genie_assets.domain.keys import MESSAGE
from genie_assets.domain.questions import Equals, Exists, Rows
from genie_assets.domain.tables import MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets_tests.gateways.lakehouse.examples import (
    LEDGER,
    MONDAY,
    NOTES,
    WEDNESDAY,
    authors,
    column,
    note,
)
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer

# Opens the same lakehouse again and again: for a made-up account, or for a real one.
Open = Callable[[bool], Lakehouse]
YOUNGER = replace(NOTES, columns=(*NOTES.columns, column("mood", "STRING")))


@pytest.fixture(params=["delta", "unity"])
def open_as(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "delta":
        return lambda made_up: open_lakehouse(str(tmp_path / "lake"), made_up=made_up)
    server: UnityServer = request.getfixturevalue("unity_server")
    uri = f"uc://main.lake_{uuid4().hex}"
    return lambda made_up: server.lake(uri, made_up=made_up)


USES: dict[str, Callable[[Lakehouse], Any]] = {
    "exists": lambda lake: lake.exists(NOTES),
    "version": lambda lake: lake.version(NOTES),
    "read": lambda lake: lake.read(NOTES),
    "records": lambda lake: lake.records(NOTES, where=[Equals("author", "a")]),
    "count": lambda lake: lake.count(NOTES),
    "prepare": lambda lake: lake.prepare(NOTES),
    "append": lambda lake: lake.append(NOTES, NOTES.frame([note("z")])),
    "merge": lambda lake: lake.merge(NOTES, NOTES.frame([note("z")])),
    "replace_day": lambda lake: lake.replace_day(NOTES, MONDAY, NOTES.frame([note("z")])),
    "maintain": lambda lake: lake.maintain(NOTES, today=WEDNESDAY),
}
REFUSED = {
    False: r"^notes: the table in .*lake.* is made up, .*: give GENIE_LAKEHOUSE another place",
    True: r"^notes: the table in .*lake.* is not marked as made up, .*: choose another place with --lakehouse$",
}


@pytest.mark.parametrize("made_up", [True, False], ids=["demo first", "account first"])
def test_a_table_of_the_other_kind_is_refused_in_every_use_and_one_of_its_own_is_used(
    open_as: Open, made_up: bool
) -> None:
    open_as(made_up).append(NOTES, NOTES.frame([note("a")]))
    for use in USES.values():
        with pytest.raises(LakehouseError, match=REFUSED[not made_up]):
            use(open_as(not made_up))
    assert authors(open_as(made_up).read(NOTES)) == ["a"]
    # The mark outlives the changes of later versions.
    open_as(made_up).append(YOUNGER, YOUNGER.frame([note("b", mood="good")]))
    open_as(made_up).maintain(YOUNGER, today=WEDNESDAY)
    assert authors(open_as(made_up).read(YOUNGER)) == ["a", "b"]
    with pytest.raises(LakehouseError, match=REFUSED[not made_up]):
        open_as(not made_up).read(NOTES)


@pytest.mark.parametrize("made_up", [True, False], ids=["demo first", "account first"])
def test_no_table_is_made_beside_those_of_the_other_kind(open_as: Open, made_up: bool) -> None:
    """A demo that was killed early, or an account that lacks a table: one of the other kind would divide them."""
    open_as(made_up).prepare(MESSAGE_DETAILS)
    other = open_as(not made_up)
    for _ in range(2):
        with pytest.raises(LakehouseError, match=r"^message_details: the table in .* is "):
            other.prepare(MESSAGE_FETCH_ERRORS)
    assert not other.exists(MESSAGE_FETCH_ERRORS)
    mine = open_as(made_up)
    mine.prepare(MESSAGE_FETCH_ERRORS)
    assert mine.exists(MESSAGE_FETCH_ERRORS)


def test_a_table_of_the_other_kind_that_a_condition_asks_about_is_refused(open_as: Open) -> None:
    open_as(False).append(NOTES, NOTES.frame([note("a")]))
    open_as(True).merge(LEDGER, LEDGER.frame([note("a")]))
    with pytest.raises(LakehouseError, match=r"ledger: the table in .* is made up"):
        open_as(False).read(NOTES, where=[Exists(Rows(LEDGER), ["author"])])


def test_a_lakehouse_that_has_used_a_table_sees_that_it_was_made_anew(tmp_path: Path) -> None:
    """It keeps its tables open between commits."""
    import shutil

    demo, account = open_lakehouse(str(tmp_path), made_up=True), open_lakehouse(str(tmp_path))
    demo.append(NOTES, NOTES.frame([note("a")]))
    shutil.rmtree(tmp_path / "genie_analytics")
    account.append(NOTES, NOTES.frame([note("b")]))
    with pytest.raises(LakehouseError, match=REFUSED[True]):
        demo.append(NOTES, NOTES.frame([note("a")]))
    assert authors(account.read(NOTES)) == ["b"]


def test_whoever_looks_at_a_made_up_table_is_told_so(unity_server: UnityServer, tmp_path: Path) -> None:
    open_lakehouse(str(tmp_path), made_up=True).prepare(NOTES)
    metadata = DeltaTable(str(tmp_path / "genie_analytics" / "notes")).metadata()
    place = Place("main", f"lake_{uuid4().hex}")
    unity_server.lake(place.uri, made_up=True).prepare(NOTES)
    detail = unity_server.warehouse().query(f"DESCRIBE DETAIL {place.table(NOTES)}").iloc[0]
    told = "MADE UP by a sandbox, not an account's. A table with a column of every type."
    assert (metadata.description, detail["description"]) == (told, told)
    assert metadata.configuration["genie_assets.made_up"] == "true"
    assert "'genie_assets.made_up': 'true'" in str(dict(detail["properties"]))


def opened(unity_server: UnityServer, warehouse: Recording, place: Place, made_up: bool) -> Lakehouse:
    return open_lakehouse(place.uri, databricks=lambda: (warehouse, unity_server.volumes()), made_up=made_up)


@pytest.mark.parametrize("made_up", [True, False])
def test_who_loses_the_race_for_a_table_to_the_other_kind_is_refused(
    unity_server: UnityServer, made_up: bool
) -> None:
    """CREATE TABLE IF NOT EXISTS then succeeds all the same."""
    place = Place("main", f"lake_{uuid4().hex}")

    def overtake(statement: str) -> None:
        if "CREATE TABLE" in statement and next(turns) == 0:
            unity_server.lake(place.uri, made_up=not made_up).append(NOTES, NOTES.frame([note("a")]))

    turns = itertools.count()
    slower = opened(unity_server, Recording(unity_server.warehouse(), overtake), place, made_up)
    with pytest.raises(LakehouseError, match=REFUSED[made_up]):
        slower.append(NOTES, NOTES.frame([note("z")]))
    assert authors(unity_server.lake(place.uri, made_up=not made_up).read(NOTES)) == ["a"]


def test_the_mark_costs_one_statement_for_a_process_that_makes_tables_and_none_for_others(
    unity_server: UnityServer,
) -> None:
    place, asked = Place("main", f"lake_{uuid4().hex}"), Recording(unity_server.warehouse())
    lake = opened(unity_server, asked, place, False)
    lake.append(NOTES, NOTES.frame([note("b")]))
    lake.prepare(LEDGER)
    assert asked.kinds.count("SHOW TABLE EXTENDED IN") == 1
    asked.statements.clear()
    other = opened(unity_server, asked, place, False)
    other.read(NOTES)
    other.append(NOTES, NOTES.frame([note("a")]))
    assert [kind.split("(")[0] for kind in asked.kinds] == ["DESCRIBE TABLE EXTENDED", "SELECT t.", "MERGE INTO"]


class Taciturn(Recording):
    """Its SHOW TABLE EXTENDED tells nothing of properties."""

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        found = super().query(statement, parameters)
        return found.assign(information="Provider: delta") if "information" in found else found


@pytest.mark.parametrize("is_told", [True, False], ids=["told for all", "told for each"])
def test_the_mark_of_every_table_that_a_question_reads_is_known_by_one_statement(
    unity_server: UnityServer, is_told: bool
) -> None:
    """Where that statement shows no properties, which is no promise of anything, each table is looked at."""
    place = Place("main", f"lake_{uuid4().hex}")
    account = unity_server.lake(place.uri)
    for table in (MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS):
        account.prepare(table)
    asked = (Recording if is_told else Taciturn)(unity_server.warehouse())
    whose_error = [Exists(Rows(MESSAGE_FETCH_ERRORS), MESSAGE)]
    assert opened(unity_server, asked, place, False).read(MESSAGE_DETAILS, where=whose_error).empty
    looks = ["SHOW TABLE EXTENDED IN", *["DESCRIBE TABLE EXTENDED"] * (0 if is_told else 2)]
    assert sorted(asked.kinds[:-1]) == sorted(looks)
    named = place.table(MESSAGE_FETCH_ERRORS)
    unity_server.warehouse().execute(f"ALTER TABLE {named} SET TBLPROPERTIES ('genie_assets.made_up' = 'true')")
    with pytest.raises(LakehouseError, match=r"^message_fetch_errors: the table in .* is made up"):
        opened(unity_server, asked, place, False).read(MESSAGE_DETAILS, where=whose_error)
