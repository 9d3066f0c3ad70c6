"""What every test of the project stands on: its ring, and secrets and settings that do not outlive it."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings

from genie_assets.gateways import scrubbing
from genie_assets_tests.rings import guarded, is_left_out, is_quick, marks_of
from genie_assets_tests.workers import dearest_first

# Imports and collection make half a million objects and no garbage: looking for some takes a fifth of their time.
gc.disable()

# What an example takes is the machine's affair.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file of which `-m` leaves nothing."""
    is_ours = collection_path.suffix == ".py"
    return True if is_ours and is_left_out(collection_path, config.option.markexpr) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the rings' marks, before `-m` is looked at, and let the dearest files be the first."""
    for item in items:
        for mark in marks_of(item):
            item.add_marker(mark)
    dearest_first(items)


def pytest_collection_finish() -> None:
    """What is there now stays: it is not looked through again whenever a test makes garbage."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Guard a quick test and the fixtures that are made for it."""
    if not is_quick(item):
        return (yield)
    with guarded(item.nodeid.rpartition("/")[2]):
        return (yield)


@pytest.fixture(autouse=True)
def settings_of_one_test() -> Iterator[None]:
    """What a command of a test reads from a `.env` is no setting of the next test."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture(autouse=True)
def secrets_of_one_test() -> Iterator[None]:
    """Secrets that a test registers are forgotten after it: no later test finds its words blacked out."""
    with scrubbing.secrets_of_one_user():
        yield
