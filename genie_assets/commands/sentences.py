"""What a person is told when a command cannot do its work: one sentence on stderr, exit code 1, no traceback."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from genie_assets.commands.interrupts import ending_on_signals
from genie_assets.commands.terminal import readable

# Problems that a user can do something about, by where they are defined.
_EXPECTED = (
    ("genie_assets.settings", "SettingsError"),
    ("genie_assets.gateways.sql.errors", "WarehouseError"),
    ("genie_assets.gateways.lakehouse.errors", "LakehouseError"),
    ("genie_assets.gateways.databricks.retries", "CallError"),
    ("genie_assets.commands.running", "RunFailedError"),
)


def one_sentence(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors that a user can do something about into one sentence."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with ending_on_signals():
            try:
                return command(*args, **kwargs)
            except _expected() as problem:
                raise click.ClickException(readable(problem)) from None

    return guarded


def _expected() -> tuple[type[Exception], ...]:
    """Those of them that can have been raised: a module that was not imported, such as Dagster's, raises nothing.

    So no command has to import what another one may raise.
    """
    known = (getattr(sys.modules[module], name) for module, name in _EXPECTED if module in sys.modules)
    return RuntimeError, *known
