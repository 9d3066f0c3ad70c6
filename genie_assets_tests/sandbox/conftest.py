"""A sandbox of the small account that the tests of this folder share; SQL is off."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from genie_assets_tests.sandbox.accounts import ACCOUNT
from genie_sandbox.account import save
from genie_sandbox.client import SandboxProcess


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("account")
    save(ACCOUNT, folder)
    return folder


@pytest.fixture(scope="module")
def sandbox(data: Path) -> Iterator[SandboxProcess]:
    with SandboxProcess(data, sql=False) as running:
        yield running
