"""A new world for each test."""

from pathlib import Path

import pytest

from genie_assets_tests.pipeline.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "lake")
