"""A schema of its own for each test, and a lakehouse in it whose warehouse notes what it is asked."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.places import opened
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer


@pytest.fixture
def place() -> Place:
    return Place("main", f"lake_{uuid4().hex}")


@pytest.fixture
def warehouse(unity_server: UnityServer) -> Recording:
    return Recording(unity_server.warehouse())


@pytest.fixture
def lake(unity_server: UnityServer, warehouse: Recording, place: Place) -> Lakehouse:
    return opened(unity_server, warehouse, place)


@pytest.fixture
def losing(unity_server: UnityServer) -> Iterator[UnityServer]:
    """A server that loses the first answer to every statement."""
    unity_server.loses_answers, unity_server.lost = True, 0
    yield unity_server
    unity_server.loses_answers = False
