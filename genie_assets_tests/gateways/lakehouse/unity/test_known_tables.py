"""Tables that others make, extend or make anew meanwhile: looked up where they are not as defined."""

from dataclasses import replace

import pytest

from genie_assets.domain.questions import Counted, Equals, Exists, Rows, Wanted
from genie_assets.domain.tables import GENIE_API_MESSAGES, MESSAGE_FETCH_ERRORS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets_tests.gateways.lakehouse.examples import (
    LEDGER,
    MONDAY,
    NOTES,
    authors,
    column,
    note,
)
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.places import opened
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer

NEWER = replace(NOTES, columns=(*NOTES.columns, column("mood", "STRING")))


def test_another_process_sees_a_table_as_soon_as_it_exists(unity_server: UnityServer, place: Place) -> None:
    uri = f"uc://{place.catalog}.{place.schema}"
    asked = Recording(unity_server.warehouse())
    reader, writer = opened(unity_server, asked, place), unity_server.lake(uri)
    assert reader.read(NEWER).empty
    assert asked.kinds == ["DESCRIBE TABLE EXTENDED"]
    assert not reader.exists(NEWER)
    writer.append(NOTES, NOTES.frame([note("a")]))
    assert reader.read(NEWER)["mood"].tolist() == [None]
    writer.merge(NEWER, NEWER.frame([note("a", mood="good")]))
    assert reader.read(NEWER)["mood"].tolist() == ["good"]


def test_a_table_that_another_process_extended_is_extended_once(unity_server: UnityServer, place: Place) -> None:
    """Whoever loses the race is told that the column is there already."""
    uri = f"uc://{place.catalog}.{place.schema}"
    faster = unity_server.lake(uri)
    faster.append(NOTES, NOTES.frame([note("a")]))

    def overtake(statement: str) -> None:
        if "ADD COLUMNS" in statement:
            faster.prepare(NEWER)

    lake = opened(unity_server, Recording(unity_server.warehouse(), overtake), place)
    lake.append(NEWER, NEWER.frame([note("b", mood="good")]))
    assert sorted(map(str, lake.read(NEWER)["mood"])) == ["None", "good"]


def test_a_table_that_was_made_anew_with_other_columns_is_looked_up_again(
    unity_server: UnityServer, lake: Lakehouse, warehouse: Recording, place: Place
) -> None:
    lake.replace_day(NEWER, MONDAY, NEWER.frame([note("a")]))
    unity_server.warehouse().execute(f"DROP TABLE {place.table(NOTES)}")
    unity_server.lake(f"uc://{place.catalog}.{place.schema}").prepare(NOTES)
    assert lake.read(NEWER, where=[Equals("mood", "good")]).empty
    assert lake.replace_day(NEWER, MONDAY, NEWER.frame([note("a", mood="good")]))
    assert lake.read(NEWER)["mood"].tolist() == ["good"]


def test_a_table_that_conditions_ask_about_is_looked_up_again_as_well(
    unity_server: UnityServer, lake: Lakehouse, place: Place
) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    lake.merge(LEDGER, LEDGER.frame([note("a")]))
    in_ledger = [Exists(Rows(LEDGER), ["author"])]
    assert len(lake.read(NOTES, where=in_ledger)) == 1
    unity_server.warehouse().execute(f"DROP TABLE {place.table(LEDGER)}")
    assert lake.read(NOTES, where=in_ledger).empty


def test_tables_that_exist_are_taken_to_be_as_defined_and_looked_up_only_where_they_are_not(
    lake: Lakehouse, unity_server: UnityServer, place: Place
) -> None:
    log, ledger = GENIE_API_MESSAGES, MESSAGE_FETCH_ERRORS
    ids = {"workspace_id": "w", "space_id": "s", "conversation_id": "c", "message_id": "m"}
    lake.append(log, log.frame([{**ids, "content_hash": "h", "created_date": MONDAY}]))
    lake.merge(ledger, ledger.frame([{**ids, "event_date": MONDAY, "resolved": False}]))
    asked = Recording(unity_server.warehouse())
    later = opened(unity_server, asked, place)
    questions: dict[str, Wanted | Counted] = {
        "log": Wanted(Rows(log), ["message_id", "raw_json"]),
        "ledger": Counted(Rows(ledger), by=["space_id"]),
    }
    answers = [{"message_id": "m", "raw_json": None}]
    assert later.together(questions) == {"log": answers, "ledger": [{"space_id": "s", "count": 1}]}
    assert [kind.split()[0] for kind in asked.kinds] == ["SHOW", "SELECT"]
    unity_server.warehouse().execute(f"DROP TABLE {place.table(ledger)}")
    assert later.together(questions) == {"log": answers, "ledger": []}


@pytest.mark.parametrize("made", ["TABLE", "SCHEMA", "VOLUME"])
def test_what_another_process_makes_at_the_same_moment_is_used(
    unity_server: UnityServer, place: Place, made: str
) -> None:
    """IF NOT EXISTS looks first: two that look at once both find nothing."""

    def refuse(statement: str) -> None:
        if f"CREATE {made}" in statement and refused.count(made) < 1:
            refused.append(made)
            unity_server.lake(f"uc://{place.catalog}.{place.schema}").append(NOTES, NOTES.frame([note("a")]))
            condition = f"{'TABLE_OR_VIEW' if made == 'TABLE' else made}_ALREADY_EXISTS"
            raise WarehouseError("it is there already", condition=condition)

    refused: list[str] = []
    lake = opened(unity_server, Recording(unity_server.warehouse(), refuse), place)
    if made == "TABLE":
        unity_server.lake(f"uc://{place.catalog}.{place.schema}").prepare(LEDGER)
    lake.append(NOTES, NOTES.frame([note("b")]))
    assert refused == [made]
    assert authors(lake.read(NOTES)) == ["a", "b"]
