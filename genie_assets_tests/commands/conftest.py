"""An account for the commands that look before a run."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from genie_assets_tests.commands.accounts import Account


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Iterator[Account]":
    """An account in order, with the settings of who has it."""
    # Tests of other commands do not wait for what it imports.
    from genie_assets_tests.commands.accounts import account_in_order

    with account_in_order(monkeypatch, tmp_path) as one:
        yield one
