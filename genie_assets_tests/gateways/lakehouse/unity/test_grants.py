"""What a missing grant stops, and that it is said with the table and without a server's words."""

import traceback
from typing import Any, cast

import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets_tests.gateways.lakehouse.examples import (
    LEDGER,
    NOTES,
    authors,
    note,
)
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.places import opened, staged_files
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer


def test_who_may_only_use_a_schema_needs_no_grant_to_create_one(
    unity_server: UnityServer, lake: Lakehouse, place: Place
) -> None:
    lake.prepare(LEDGER)

    def refuse(statement: str) -> None:
        if "CREATE SCHEMA" in statement:
            raise WarehouseError("no", condition="INSUFFICIENT_PERMISSIONS")

    other = opened(unity_server, Recording(unity_server.warehouse(), refuse), place)
    assert other.append(NOTES, NOTES.frame([note("a")])) == 1
    assert authors(other.read(NOTES)) == ["a"]


@pytest.mark.parametrize("words", ["CREATE TABLE", "MERGE INTO", "DESCRIBE", "SELECT"])
def test_a_missing_grant_is_said_with_the_table_and_without_the_servers_words(
    unity_server: UnityServer, place: Place, words: str
) -> None:
    def refuse(statement: str) -> None:
        if words in statement:
            raise WarehouseError("SECRET of a row", condition="INSUFFICIENT_PERMISSIONS")

    lake = opened(unity_server, Recording(unity_server.warehouse(), refuse), place)
    with pytest.raises(LakehouseError, match=r"notes: .*INSUFFICIENT_PERMISSIONS.*grant .*MODIFY") as caught:
        lake.merge(NOTES, NOTES.frame([note("a")]))
    assert "SECRET" not in "".join(traceback.format_exception(caught.value))
    assert place.schema in str(caught.value)
    assert staged_files(unity_server, place) == []


def test_a_schema_that_cannot_be_created_is_said(unity_server: UnityServer) -> None:
    lake = unity_server.lake("uc://system.genie")
    with pytest.raises(LakehouseError, match=r"notes: .*INSUFFICIENT_PERMISSIONS.*CREATE SCHEMA on the catalog"):
        lake.append(NOTES, NOTES.frame([note("a")]))


class Refusing:
    """Volumes that may not be written."""

    def upload(self, path: str, data: bytes) -> bool:
        raise CallError(FetchError(ErrorClass.PERMISSION, "The workspace refused the call.", http_status=403))


def test_a_probe_says_which_grants_are_missing(unity_server: UnityServer, place: Place) -> None:
    lake = open_lakehouse(place.uri, databricks=lambda: (unity_server.warehouse(), cast("Any", Refusing())))
    with pytest.raises(
        LakehouseError, match=r"^GENIE_LAKEHOUSE: files cannot be staged in .* WRITE VOLUME"
    ) as failed:
        lake.probe()
    assert failed.value.__cause__ is None

    def refuse(statement: str) -> None:
        raise WarehouseError("SECRET", condition="NO_SUCH_CATALOG_EXCEPTION")

    nowhere = opened(unity_server, Recording(unity_server.warehouse(), refuse), place)
    with pytest.raises(
        LakehouseError, match=r"^GENIE_LAKEHOUSE: .*\(NO_SUCH_CATALOG_EXCEPTION\); is it the right one"
    ):
        nowhere.probe()
