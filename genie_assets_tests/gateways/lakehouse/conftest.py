"""The engines under test."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import NewLake
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.lakehouse_in_memory import LakehouseInMemory

_SETTINGS = "_hypothesis_internal_use_settings"  # where hypothesis itself keeps them
# Every example takes a new schema and some ten statements of a tenth of a second.
_UNITY_EXAMPLES = 4

_MEMORY = pytest.param("memory", marks=pytest.mark.rare)
WITH_MEMORY = pytest.mark.parametrize("new_lake", ["delta", "unity", _MEMORY], indirect=True)
"""What the third engine, by which other tests go, must do as the others do; it is tried before releases."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Let property tests try fewer examples where each of them is slow."""
    function = getattr(item, "obj", None)
    usual = getattr(function, _SETTINGS, None)
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if usual is None or "unity" not in parameters.values():
        return (yield)
    setattr(function, _SETTINGS, settings(usual, max_examples=_UNITY_EXAMPLES))
    try:
        return (yield)
    finally:
        setattr(function, _SETTINGS, usual)


@pytest.fixture(scope="session")
def unity_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    """One SQL warehouse for all tests; it starts when the first one asks for it."""
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.fixture(params=["delta", "unity"])
def new_lake(request: pytest.FixtureRequest, tmp_path: Path) -> NewLake:
    """Makes an empty lakehouse; every call a new one."""
    if request.param == "unity":
        server: UnityServer = request.getfixturevalue("unity_server")
        return server.new_lake
    if request.param == "memory":
        return lambda: LakehouseInMemory({})
    numbers = itertools.count()
    return lambda: open_lakehouse(str(tmp_path / f"lake {next(numbers)}"))


@pytest.fixture
def lake(new_lake: NewLake) -> Lakehouse:
    return new_lake()
