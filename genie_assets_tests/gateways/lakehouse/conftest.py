"""The engines under test."""

import itertools
from pathlib import Path

import pytest

from genie_assets.gateways.lakehouse import Lakehouse, open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import NewLake


@pytest.fixture(params=["delta"])
def new_lake(request: pytest.FixtureRequest, tmp_path: Path) -> NewLake:
    """Makes an empty lakehouse; every call a new one."""
    numbers = itertools.count()
    assert request.param == "delta"
    return lambda: open_lakehouse(str(tmp_path / f"lake {next(numbers)}"))


@pytest.fixture
def lake(new_lake: NewLake) -> Lakehouse:
    return new_lake()
