"""What the tests of this folder share: a sandbox of the small account, a generated account, a SQL warehouse."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genie_assets_tests.sandbox.accounts import ACCOUNT
from genie_sandbox.account import Account, save
from genie_sandbox.client import SandboxProcess

if TYPE_CHECKING:
    from genie_assets_tests.sandbox.warehouse import Served


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("account")
    save(ACCOUNT, folder)
    return folder


@pytest.fixture(scope="module")
def sandbox(data: Path) -> Iterator[SandboxProcess]:
    with SandboxProcess(data, sql=False) as running:
        yield running


@pytest.fixture(scope="session")
def account() -> Account:
    from genie_assets_tests.sandbox.generated import ANCHOR
    from genie_sandbox.made_up.generator import generate

    return generate(seed=7, anchor=ANCHOR)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Served"]:
    """The warehouse: to start it takes seconds, and few tests need it."""
    from genie_assets_tests.sandbox.warehouse import Served

    served = Served(tmp_path_factory.mktemp("sql"))
    served.rows("CREATE SCHEMA IF NOT EXISTS main.genie_analytics COMMENT 'Genie'")
    served.rows("CREATE VOLUME IF NOT EXISTS main.genie_analytics.staging")
    yield served
    served.close()


@pytest.fixture
def table(served: "Served") -> str:
    return served.new_table()
