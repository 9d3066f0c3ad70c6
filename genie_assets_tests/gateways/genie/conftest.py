"""The server of Genie that tests program."""

import pytest

from genie_assets_tests.gateways.genie.server import Genie
from genie_assets_tests.gateways.stub_server import StubServer


@pytest.fixture
def stub():
    with StubServer(Genie({"c": ["m1", "m2", "m3"]})).running() as server:
        yield server
