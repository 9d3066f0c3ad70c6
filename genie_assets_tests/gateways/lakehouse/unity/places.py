"""Lakehouses on a warehouse that notes what it is asked, and what lies in their staging volume."""

from typing import Any

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer


def opened(unity_server: UnityServer, warehouse: Recording, place: Place, **options: Any) -> Lakehouse:
    uri = f"uc://{place.catalog}.{place.schema}"
    return open_lakehouse(uri, databricks=lambda: (warehouse, unity_server.volumes()), **options)


def staged_files(unity_server: UnityServer, place: Place) -> list[str]:
    volumes = unity_server.volumes()
    folders = volumes.names(place.volume_path) or []
    return [file for folder in folders for file in volumes.names(f"{place.volume_path}/{folder}") or []]
